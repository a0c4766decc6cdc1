"""The judge of responses: what it finds, and which clause it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.judge.http_judge import coerce, is_refusal, judge_response, media_type_object
from contracts.judge.schema_judge import schema_violations
from contracts.openapi import Contract
from suites.selftest.contracts.one_operation import contract_with, only_operation
from suites.selftest.shop import exchange, shop

LINK = {"link": '<http://127.0.0.1/goods?cursor=25>; rel="next"'}
GOOD = {"goods": [{"id": 1}]}
DIGITS = "9" * 5_000  # more than Python reads as one number


def findings(received: Exchange, contract: Contract | None = None) -> list[tuple[str, str, str]]:
    """(clause, expected, received) of each finding about a response to `GET /goods`."""
    contract = contract or shop()
    judged = judge_response(contract, contract.operations["GET /goods"], received)
    assert all(finding.exchange is received for finding in judged)
    return [(finding.clause, finding.expected, finding.received) for finding in judged]


def judged(responses: dict[str, Any], status: int, body: bytes = b"", **headers: str) -> list[tuple[str, str, str]]:
    """(clause, expected, received) of each finding about a response to an operation with these responses."""
    contract = contract_with(responses=responses)
    received = Exchange(Request("POST", "http://127.0.0.1/things"), Response(status, tuple(headers.items()), body))
    judged = judge_response(contract, only_operation(contract), received)
    return [(finding.clause, finding.expected, finding.received) for finding in judged]


def documented(schema: Any, **response: Any) -> dict[str, Any]:
    """A response 200 of JSON with that schema."""
    return {"200": {"description": "done", "content": {"application/json": {"schema": schema}}, **response}}


def test_documented_response_has_no_finding() -> None:
    assert findings(exchange(body=GOOD, headers=LINK)) == []


def test_undocumented_status_is_found() -> None:
    assert findings(exchange(302, body=GOOD, headers=LINK)) == [
        ("GETFLOW-PAGE-1", "a documented status (200, 4XX)", """302, body '{"goods": [{"id": 1}]}'""")
    ]


def test_undocumented_status_without_body_is_found() -> None:
    assert judged(documented({}), 500) == [("TODO-MAKE-1", "a documented status (200)", "500")]


@pytest.mark.parametrize(("length", "shown"), [(120, "x" * 120), (121, "x" * 120 + "…")])
def test_body_in_a_finding_is_shortened_to_120_characters(length: int, shown: str) -> None:
    assert judged(documented({}), 500, b"x" * length)[0][2] == f"500, body {shown!r}"


def test_a_class_of_statuses_covers_each_of_them() -> None:
    assert findings(exchange(418, body={"errors": [{}]})) == []


@pytest.mark.parametrize(
    ("content_type", "received"), [("text/plain", "text/plain"), ("", "no Content-Type"), ("text/html; a=b",) * 2]
)
def test_wrong_media_type_is_found(content_type: str, received: str) -> None:
    assert findings(exchange(body=GOOD, headers={**LINK, "content-type": content_type})) == [
        ("GETFLOW-PAGE-1", "a documented media type (application/json)", received)
    ]


def test_two_content_types_are_found() -> None:
    headers = (*LINK.items(), ("content-type", "application/json"), ("Content-Type", "text/html"))
    sent = exchange(body=GOOD)
    response = replace(sent.response, headers=headers)
    violations = findings(replace(sent, response=response))
    assert [(expected, received) for _, expected, received in violations] == [
        ("one Content-Type", "application/json, text/html")
    ]


def test_parameters_of_a_media_type_do_not_matter() -> None:
    headers = {**LINK, "content-type": "Application/JSON; charset=utf-8"}
    assert findings(exchange(body=GOOD, headers=headers)) == []


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("text/plain", "exact"), ("text/html", "any text"), ("text/a/b", "any text"), ("image/png", "any"), ("", None)],
)
def test_media_type_is_looked_up_from_the_nearest_to_the_widest(content_type: str, expected: str | None) -> None:
    content = {"text/plain": {"x": "exact"}, "text/*": {"x": "any text"}, "*/*": {"x": "any"}}
    contract = contract_with(responses={"200": {"description": "done", "content": content}})
    media = media_type_object(
        only_operation(contract).responses["200"], Response(200, (("Content-Type", content_type),))
    )
    assert (media or {}).get("x") == expected


def test_missing_header_is_blamed_on_its_own_clause() -> None:
    assert findings(exchange(body=GOOD)) == [("GETFLOW-PAGE-6", "a header Link", "none")]


def test_header_that_is_not_required_may_be_missing() -> None:
    assert judged(documented({}, headers={"X": {"schema": {"type": "string"}}}), 200, b"1", **JSON) == []


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("header", "clause"),
    [
        ({"x-clause": "TODO-HEAD-1", "schema": {"type": "integer", "x-clause": "TODO-HEAD-2"}}, "TODO-HEAD-2"),
        ({"x-clause": "TODO-HEAD-1", "schema": {"type": "integer"}}, "TODO-HEAD-1"),
        ({"schema": {"type": "integer"}}, "TODO-MAKE-1"),
    ],
    ids=["schema", "header", "operation"],
)
def test_wrong_header_is_blamed_on_the_nearest_clause(header: dict[str, Any], clause: str) -> None:
    assert judged(documented({}, headers={"X": header}), 200, b"1", **JSON, X="a") == [
        (clause, "header X: body: type integer", '"a" is not of type "integer"')
    ]


@pytest.mark.parametrize("value", ["-1", "0", "7", "-0"])
def test_whole_number_in_a_header_may_be_negative(value: str) -> None:
    assert judged(documented({}, headers={"X": {"schema": {"type": "integer"}}}), 200, b"1", **JSON, X=value) == []


@pytest.mark.parametrize("value", ["--1", "-", "1-", "+1", "1.0", "١", "", " 1", DIGITS, f"-{DIGITS}"], ids=repr)
def test_header_that_is_no_whole_number_is_found_and_never_raises(value: str) -> None:
    headers = {"X": {"schema": {"type": "integer"}}}
    assert len(judged(documented({}, headers=headers), 200, b"1", **JSON, X=value)) == 1


@pytest.mark.parametrize(
    ("types", "text", "value"),
    [
        ("integer", "-12", -12),
        ("integer", "12", 12),
        (["integer", "null"], "12", 12),
        (["null", "boolean"], "true", True),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("boolean", "True", "True"),
        ("string", "12", "12"),
        ("string", "true", "true"),
        (None, "12", "12"),
        ("integer", "1" + "0" * 3_999, 10**3_999),
        ("integer", "1" + "0" * 4_000, "1" + "0" * 4_000),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_text_is_read_as_the_type_of_the_schema(types: Any, text: str, value: Any) -> None:
    schema = {} if types is None else {"type": types}
    read = coerce(contract_with(), schema, text)
    assert (type(read), read) == (type(value), value)


def test_text_is_read_as_the_type_of_a_schema_that_contains_itself() -> None:
    tree = {"type": "integer", "properties": {"a": {"$ref": "#/components/schemas/Tree"}}}
    assert coerce(contract_with(schemas={"Tree": tree}), {"$ref": "#/components/schemas/Tree"}, "1") == 1


def test_wrong_type_is_blamed_on_the_nearest_clause() -> None:
    assert findings(exchange(body={"goods": [{"id": "1"}]}, headers=LINK)) == [
        ("GETFLOW-NAME-3", "goods[0].id: type integer", '"1" is not of type "integer"')
    ]


def test_clause_further_out_is_blamed_when_none_is_nearer() -> None:
    schema = {"type": "object", "x-clause": "TODO-BODY-1", "properties": {"a": {"type": "integer"}}}
    assert judged(documented(schema), 200, b'{"a": "x"}', **JSON)[0][:2] == ("TODO-BODY-1", "a: type integer")


def test_clause_of_the_response_comes_before_the_one_of_the_operation() -> None:
    responses = documented({"type": "object"}, **{"x-clause": "TODO-RESPONSE-1"})
    assert judged(responses, 200, b"1", **JSON)[0][0] == "TODO-RESPONSE-1"


def test_missing_property_is_blamed_on_the_operation_when_no_clause_is_nearer() -> None:
    assert findings(exchange(body={}, headers=LINK))[0][:2] == ("GETFLOW-PAGE-1", "body: the member goods")


def test_schema_that_contains_itself_is_judged_at_every_depth() -> None:
    tree = {
        "type": "object",
        "properties": {
            "size": {"type": "integer", "x-clause": "TODO-TREE-1"},
            "child": {"$ref": "#/components/schemas/Tree"},
        },
    }
    contract = contract_with(schemas={"Tree": tree})
    value = {"size": 1, "child": {"child": {"size": "big"}}}
    (violation,) = schema_violations(contract, contract.schemas["Tree"], value, ["TODO-MAKE-1"])
    assert violation[:2] == ("child.child.size: type integer", '"big" is not of type "integer"')
    assert violation[2:4] == ("TODO-TREE-1", ("child", "child", "size"))
    assert violation[4:] == ("/child/child/size", "type", "string")


def test_a_missing_member_names_the_members_that_are_there() -> None:
    contract = contract_with()
    (violation,) = schema_violations(
        contract, {"required": ["total_page"]}, {"results": 1, "pages": 2}, ["TODO-MAKE-1"]
    )
    assert violation[:2] == ("body: the member total_page", "the members pages, results")
    assert violation[4:] == ("/total_page", "required", "absent")


def test_items_share_the_slot_of_their_member() -> None:
    contract, items = contract_with(), {"items": {"properties": {"a/b": {"type": "string"}}}}
    violations = schema_violations(contract, items, [{"a/b": 1}, {"a/b": 2}], ["TODO-MAKE-1"])
    assert {violation.slot for violation in violations} == {"/*/a~1b"}


def test_every_violation_is_found() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"b": {"type": "integer"}}}
    assert len(judged(documented(schema), 200, b'{"b": "x"}', **JSON)) == 2


def test_keyword_whose_value_is_a_schema_is_shown_without_it() -> None:
    schema = {"not": {"type": "integer"}}
    assert judged(documented(schema), 200, b"1", **JSON)[0][1] == "body: not"


@pytest.mark.parametrize(("length", "is_cut"), [(150, False), (400, True)])
def test_values_in_a_finding_are_shortened_to_160_characters(length: int, is_cut: bool) -> None:
    (finding,) = judged(documented({"const": "x" * length}), 200, b"1", **JSON)
    expected = finding[1].removeprefix("body: const ")
    assert expected == ("x" * 160 + "…" if is_cut else "x" * length)
    assert len(finding[2]) <= 161


def test_half_of_a_surrogate_pair_is_found() -> None:
    ((clause, expected, received),) = judged(
        documented({"type": "string", "pattern": "a", "x-clause": "TODO-BODY-1"}), 200, b'"\\ud800"', **JSON
    )
    assert (clause, expected) == ("TODO-BODY-1", "text that has a UTF-8 form")
    assert "surrogates not allowed" in received


@pytest.mark.parametrize("body", [b"", b"{", b'{"goods": []} x', b"\xff", b'{"goods": NaN}', b"[" * 100_000])
def test_body_that_is_no_json_is_found(body: bytes) -> None:
    (finding,) = findings(exchange(body=body, headers=LINK))
    assert finding[1] == "a body of JSON in UTF-8"


def test_member_that_is_named_twice_is_found() -> None:
    (finding,) = judged(documented({"type": "object"}), 200, b'{"a": {"id": 1, "id": 1}}', **JSON)
    assert finding[2].startswith("the member 'id' is named twice in one object")


@pytest.mark.parametrize(
    ("body", "received"),
    [
        (b"[" + b"1," * 200_001 + b"1]", "more than 200,000 values of JSON"),
        (b'"' + b"a" * (4 << 20) + b'"', "more than 4,194,304 bytes of JSON"),
    ],
    ids=["values", "bytes"],
)
def test_json_that_is_too_large_to_be_judged_is_found(body: bytes, received: str) -> None:
    (finding,) = judged(documented({}), 200, body, **JSON)
    assert finding[2].startswith(received)


def test_long_value_in_csv_is_no_finding() -> None:
    body = b"id,note\r\n1," + b"a" * 200_000 + b"\r\n"
    assert findings(exchange(body=body, headers={**LINK, "content-type": "text/csv"}), shop(_as_csv)) == []


def test_body_that_is_no_json_is_blamed_on_the_clause_of_its_schema() -> None:
    assert judged(documented({"x-clause": "TODO-BODY-1"}), 200, b"{", **JSON)[0][0] == "TODO-BODY-1"


def test_media_type_with_the_suffix_json_is_json() -> None:
    content = {"application/problem+json": {"schema": {"type": "object"}}}
    responses = {"200": {"description": "done", "content": content}}
    assert len(judged(responses, 200, b"1", **{"Content-Type": "application/problem+json"})) == 1


def test_media_type_that_is_neither_json_nor_csv_is_not_looked_into() -> None:
    responses = {"200": {"description": "done", "content": {"text/html": {"schema": {"type": "object"}}}}}
    assert judged(responses, 200, b"{", **{"Content-Type": "text/html"}) == []


def test_broken_off_response_is_found() -> None:
    broken = Exchange(exchange().request, Response(200, (), b"{", "response broken off"))
    assert findings(broken) == [("GETFLOW-PAGE-1", "a complete response", "response broken off")]


def test_response_to_head_needs_no_body() -> None:
    assert findings(exchange(body=b"", headers=LINK, method="HEAD")) == []


def test_response_to_head_needs_its_headers() -> None:
    assert len(findings(exchange(body=b"", method="HEAD"))) == 1


def test_response_without_documented_content_may_have_any() -> None:
    assert judged({"204": {"description": "gone"}}, 204, b"{", **JSON) == []


def _alternatives(document: dict[str, Any]) -> None:
    goods = document["components"]["schemas"]["Goods"]
    document["components"]["schemas"]["Goods"] = {"anyOf": [{"type": "array"}, goods]}


def test_of_alternatives_the_nearest_miss_is_shown() -> None:
    judged = findings(exchange(body={"goods": [{"id": "1"}]}, headers=LINK), shop(_alternatives))
    assert [finding[:2] for finding in judged] == [("GETFLOW-NAME-3", "goods[0].id: type integer")]


def test_of_alternatives_that_all_miss_at_once_the_whole_is_shown() -> None:
    judged = findings(exchange(body=1, headers=LINK), shop(_alternatives))
    assert [finding[1].partition(" ")[0:3:2] for finding in judged] == [("body:", judged[0][1].partition(" ")[2])]
    assert judged[0][1].startswith("body: anyOf ")


def test_of_alternatives_the_one_that_fits_furthest_is_shown() -> None:
    number = {"type": "integer"}
    near = {"type": "object", "properties": {"z": number}}
    far = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": number}}}}
    for branches in ([near, far], [far, near]):
        (finding,) = judged(documented({"anyOf": branches}), 200, b'{"z": "x", "a": {"b": "x"}}', **JSON)
        assert finding[1] == "a.b: type integer"


@pytest.mark.parametrize("name", [".a", "Xa", "a"])
def test_member_is_named_as_it_is(name: str) -> None:
    (finding,) = judged(
        documented({"properties": {name: {"type": "integer"}}}), 200, f'{{"{name}": "x"}}'.encode(), **JSON
    )
    assert finding[1] == f"{name}: type integer"


def test_json_without_a_schema_may_be_any() -> None:
    responses = {"200": {"description": "done", "content": {"application/json": {}}}}
    assert judged(responses, 200, b"1", **JSON) == []
    assert len(judged(responses, 200, b"{", **JSON)) == 1


def test_refusal_is_known_by_its_status_alone_where_the_contract_says_nothing() -> None:
    contract = contract_with(error={"code": "/code"})
    assert is_refusal(contract, Response(400))
    assert not is_refusal(contract, Response(200, (), b"{}"))


def _as_csv(document: dict[str, Any]) -> None:
    response = document["paths"]["/goods"]["get"]["responses"]["200"]
    response["content"] = {"text/csv": {"schema": {"type": "string", "x-clause": "GETFLOW-GEN-1"}}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'a,b\r\n1,"x, ""y""\r\nz"\r\n', []),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", []),
        (b"a,b\r\n\r\n1,2\r\n", []),
        (b"a,b\r\n1,2,3\r\n", [("as many fields in each row", "rows of 2, 3 fields")]),
        (b'a,b\r\n1,"2"x\r\n', [("CSV in UTF-8 (RFC 4180)", "',' expected after '\"'")]),
        (b"a,b\r\n\xe5,1\r\n", None),
        (b"", [("as many fields in each row", "rows of no fields")]),
        (b"a,b\r1,2\r", []),
    ],
    ids=repr,
)
def test_csv_is_rfc_4180_in_utf_8(body: bytes, expected: list[tuple[str, str]] | None) -> None:
    judged = findings(exchange(body=body, headers={**LINK, "content-type": "text/csv"}), shop(_as_csv))
    assert {clause for clause, _, _ in judged} <= {"GETFLOW-GEN-1"}
    if expected is None:
        assert [finding[1] for finding in judged] == ["CSV in UTF-8 (RFC 4180)"]
    else:
        assert [finding[1:] for finding in judged] == expected


@pytest.mark.parametrize(
    ("status", "expected"), [(200, False), (399, False), (400, True), (404, True), (599, True), (600, False)]
)
def test_refusal_is_known_by_its_status(status: int, expected: bool) -> None:
    assert is_refusal(shop(), exchange(status).response) is expected


def _by_pointer(document: dict[str, Any]) -> None:
    document["x-flowproof"]["error"] = {"refused": {"pointer": "/success", "equals": False}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"success": False}, True),
        ({"success": True}, False),
        ({}, False),
        ([], False),
        (b"{", False),
        (b"\xff", False),
        (b"[" * 100_000, False),
    ],
    ids=["false", "true", "absent", "list", "no JSON", "no UTF-8", "too deep"],
)
def test_refusal_is_known_by_a_member_where_the_contract_says_so(body: Any, expected: bool) -> None:
    assert is_refusal(shop(_by_pointer), exchange(200, body).response) is expected


def test_refusal_by_status_needs_no_member() -> None:
    assert is_refusal(shop(_by_pointer), exchange(400, {"success": True}).response)
