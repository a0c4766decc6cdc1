"""What single exchanges are counted for: each part of request and response, and what is left unread."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.coverage.coverage_counter import EXCHANGES, MAX_BODY_BYTES, CoverageCounter
from contracts.exchange import Exchange, Request, Response
from contracts.judge.refusal_judge import InvalidCase
from suites.selftest.contracts.one_operation import LABEL, contract_with, query

URL = "http://127.0.0.1"
JSON_TYPE = "application/json"
FORM = "application/x-www-form-urlencoded"
SIZE = {"type": "object", "properties": {"size": {"type": "integer", "enum": [1, 2]}}, "required": ["size"]}


def responses(content_type: str = JSON_TYPE, status: str = "200") -> dict[str, Any]:
    return {status: {"description": "done", "content": {content_type: {"schema": SIZE}}}}


def sent(target: str = "/things", body: bytes = b"", **headers: str) -> Exchange:
    """A request whose response has no content."""
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Exchange(Request("POST", URL + target, fields, body), Response(200))


def received(body: bytes, content_type: str = JSON_TYPE, status: int = 200, error: str | None = None) -> Exchange:
    """A bare request with that response."""
    headers = (("Content-Type", content_type),) if content_type else ()
    return Exchange(Request("POST", f"{URL}/things"), Response(status, headers, body, error))


def counted(*exchanges: Exchange, invalid_case: InvalidCase | None = None, **contract: Any) -> dict[str, int]:
    """How often the exchanges exercise each point of the operation, by "display path: description"."""
    counter = CoverageCounter(contract_with(**contract), URL)
    (operation,) = counter.contract.operations.values()
    for exchange in exchanges:
        counter.add(exchange, operation, invalid_case)
    (counts,) = counter.counts().values()
    return {key.partition("\t")[2].replace("\t", ": "): number for key, number in counts.items()}


def points(prefix: str, *exchanges: Exchange, **given: Any) -> set[str]:
    return {key for key in counted(*exchanges, **given) if key.startswith(prefix)}


def test_every_exchange_is_counted_and_each_point_once_for_each() -> None:
    counts = CoverageCounter(contract_with(parameters=[query(type="string")]), URL)
    for target in ("/things?q=a&q=b", "/things?q=a", "/things"):
        counts.add(sent(target))
    numbers = counts.counts()[LABEL]
    assert (numbers[EXCHANGES], numbers["request\tquery q\tsent"], numbers["request\tquery q\tleft out"]) == (3, 2, 1)


def test_operation_is_found_by_method_and_path() -> None:
    counter = CoverageCounter(contract_with(), URL)
    counter.add(sent("/things?a=b"))
    counter.add(sent("/other"))
    counter.add(Exchange(Request("GET", f"{URL}/things"), Response(200)))
    assert (counter.unmatched, {label: counts[EXCHANGES] for label, counts in counter.counts().items()}) == (
        2,
        {LABEL: 1},
    )


@pytest.mark.parametrize(("target", "expected"), [("/things?q=", {"sent"}), ("/things", {"left out"})])
def test_empty_value_was_sent(target: str, expected: set[str]) -> None:
    assert points("query q", sent(target), parameters=[query(type="string")]) == {f"query q: {it}" for it in expected}


def test_header_is_known_whatever_its_case() -> None:
    header = {"in": "header", "name": "X-Size", "schema": {"type": "integer", "enum": [1]}}
    assert points("header", sent(x_sIZE="1"), parameters=[header]) == {"header X-Size: sent", "header X-Size: value 1"}
    assert points("header", sent(x_other="1"), parameters=[header]) == {"header X-Size: left out"}


def test_name_in_the_query_keeps_its_case() -> None:
    assert points("query q", sent("/things?Q=1"), parameters=[query(type="string")]) == {"query q: left out"}


def test_value_in_the_path_is_unescaped() -> None:
    parameters = [
        {"in": "path", "name": name, "required": True, "schema": {"type": "string", "enum": ["a/b", "c"]}}
        for name in ("id", "part")
    ]
    given = {"path": "/things/{id}/parts/{part}", "parameters": parameters}
    assert points("path", sent("/things/a%2Fb/parts/c?d=e"), **given) == {
        "path id: sent",
        'path id: value "a/b"',
        "path part: sent",
        'path part: value "c"',
    }
    assert points("path", sent("/things/a"), **given) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"size": 1}', {"sent", "size: sent", "size: value 1"}),
        ('{"size": "1"}', {"sent", "size: sent", "size: a value not listed"}),
        ("{", {"sent"}),
        ("[" * 100_000, {"sent"}),
    ],
    ids=["valid", "text is no number", "no JSON", "too deep"],
)
def test_json_in_a_parameter_is_read(text: str, expected: set[str]) -> None:
    parameter = {"in": "query", "name": "q", "content": {JSON_TYPE: {"schema": SIZE}}}
    other = query("z", type="string")
    counted_points = points("query", sent(f"/things?q={text}&z=1"), parameters=[parameter, other])
    assert counted_points - {"query z: sent"} == {
        f"query q.{it}" if it.startswith("size") else f"query q: {it}" for it in expected
    }
    assert "query z: sent" in counted_points


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"", JSON_TYPE, {"body: left out"}),
        (b'{"size": 1}', JSON_TYPE, {"body: sent", f"body: as {JSON_TYPE}", "body.size: sent", "body.size: value 1"}),
        (b'{"size": 1}', "", {"body: sent", "body.size: sent", "body.size: value 1"}),
        (b"{}", " Application/JSON ; a=b", {"body: sent", f"body: as {JSON_TYPE}", "body.size: left out"}),
        (b'{"size": "1"}', JSON_TYPE, {"body: sent", f"body: as {JSON_TYPE}", "body.size: sent",
                                       "body.size: a value not listed"}),
        (b"{", JSON_TYPE, {"body: sent", f"body: as {JSON_TYPE}"}),
        (b"\xff", JSON_TYPE, {"body: sent", f"body: as {JSON_TYPE}"}),
        (b"[" * 100_000, JSON_TYPE, {"body: sent", f"body: as {JSON_TYPE}"}),
    ],
    ids=["none", "valid", "no type", "parameters of the type", "text", "no JSON", "no UTF-8", "too deep"],
)  # fmt: skip
def test_body_is_read_as_json(body: bytes, content_type: str, expected: set[str]) -> None:
    headers = {"content_type": content_type} if content_type else {}
    assert points("body", sent(body=body, **headers), body=SIZE) == expected


def test_form_is_read_as_texts() -> None:
    counted_points = points("body", sent(body=b"size=2&other=", content_type=FORM), body=SIZE, media_type=FORM)
    assert counted_points == {"body: sent", f"body: as {FORM}", "body.size: sent", "body.size: value 2"}


def test_empty_member_of_a_form_was_sent() -> None:
    assert "body.size: sent" in points("body", sent(body=b"size=", content_type=FORM), body=SIZE, media_type=FORM)


@pytest.mark.parametrize(("size", "is_read"), [(MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 1, False)])
def test_body_of_a_million_bytes_is_read_and_no_larger_one(size: int, is_read: bool) -> None:
    body = b'{"size": 1}'.ljust(size)
    assert ("body.size: sent" in points("body", sent(body=body), body=SIZE)) is is_read
    assert ("200.size: present" in points("200", received(body), responses=responses())) is is_read


def test_body_of_an_operation_without_one_is_not_looked_at() -> None:
    assert points("body", sent(body=b"x")) == set()


def test_response_exercises_its_status_media_type_and_members() -> None:
    assert set(counted(received(b'{"size": 2}'), responses=responses())) >= {
        "status: 200",
        f"media type: {JSON_TYPE} with 2XX",
        "200.size: present",
        "200.size: value 2",
    }


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (received(b'{"size": 2}', error="broken off"), set()),
        (received(b'{"size": 2}', status=500), set()),
        (received(b"", ""), {"status: 200"}),
        (received(b"", JSON_TYPE), {"status: 200"}),
        (received(b'{"size": 2}', "text/plain"), {"status: 200"}),
        (received(b"{", JSON_TYPE), {"status: 200", f"media type: {JSON_TYPE} with 2XX"}),
        (received(b"\xff", JSON_TYPE), {"status: 200", f"media type: {JSON_TYPE} with 2XX"}),
    ],
    ids=["broken off", "undocumented", "no type", "no body", "other type", "no JSON", "no UTF-8"],
)
def test_response_exercises_no_more_than_what_came(exchange: Exchange, expected: set[str]) -> None:
    counted_points = set(counted(exchange, responses=responses()))
    assert {point for point in counted_points if point.startswith(("status", "media", "200"))} == expected


@pytest.mark.parametrize(
    ("documented", "status", "expected"),
    [("4XX", 404, "status: class 4XX"), ("404", 404, "status: 404"), ("default", 404, "status: default")],
)
def test_status_counts_for_the_response_that_documents_it(documented: str, status: int, expected: str) -> None:
    counted_points = points("status", received(b"{}", status=status), responses=responses(status=documented))
    assert counted_points == {expected}


@pytest.mark.parametrize(("content_type", "is_read"), [("application/problem+json", True), ("text/plain", False)])
def test_only_json_is_looked_into(content_type: str, is_read: bool) -> None:
    counted_points = points("200", received(b'{"size": 1}', content_type), responses=responses(content_type))
    assert bool(counted_points) is is_read


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (InvalidCase("wrong_type", "query", "q"), {"query q: sent", "invalid requests: wrong type"}),
        (InvalidCase("wrong_type", "query", "z"), {"query z: sent", "invalid requests: wrong type"}),
        (InvalidCase("wrong_type", "header", "q"), {"invalid requests: wrong type"}),
        (InvalidCase("wrong_type", "query"), {"invalid requests: wrong type"}),
        (InvalidCase("no_body", "body"), {"body: left out", "invalid requests: no body"}),
        (InvalidCase("malformed_body", "body"), {"invalid requests: malformed body"}),
        (InvalidCase("no_such_kind", "query", "q"), {"query q: sent"}),
        (InvalidCase("unknown_method"), {"invalid requests: unknown method"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_invalid_request_exercises_what_it_is_about(case: InvalidCase, expected: set[str]) -> None:
    parameters = [query("q", type="integer"), query("z", type="integer")]
    counted_points = counted(sent("/things?q=a&z=b"), invalid_case=case, parameters=parameters, body=SIZE)
    assert {point for point in counted_points if point.startswith(("query", "body", "invalid"))} == expected


def test_name_in_the_query_may_have_capitals() -> None:
    assert points("query Q", sent("/things?Q=1"), parameters=[query("Q", type="string")]) == {"query Q: sent"}


def test_question_mark_belongs_to_the_value_in_a_query() -> None:
    counted_points = points("query q", sent("/things?q=a?q=b"), parameters=[query(type="string", enum=["a?q=b"])])
    assert counted_points == {"query q: sent", 'query q: value "a?q=b"'}


def test_parameter_after_one_that_was_left_out_is_counted() -> None:
    parameters = [query("q", type="string"), query("z", type="string")]
    assert points("query", sent("/things?z=1"), parameters=parameters) == {"query q: left out", "query z: sent"}


def test_request_without_body_is_about_no_other_part_that_was_left_out() -> None:
    no_body = InvalidCase("no_body", "body")
    counted_points = counted(sent(), invalid_case=no_body, parameters=[query(type="string")], body=SIZE)
    assert set(counted_points) & {"query q: left out", "body: left out"} == {"body: left out"}


def test_plan_of_an_operation_is_made_once() -> None:
    counter = CoverageCounter(contract_with(), URL)
    counter.add(sent())
    plans = dict(counter._plans)
    counter.add(sent())
    assert {label: id(plan) for label, plan in counter._plans.items()} == {
        label: id(plan) for label, plan in plans.items()
    }


def test_an_exchange_has_the_label_of_its_operation() -> None:
    assert CoverageCounter(contract_with(), URL).label_of(sent()) == LABEL


def test_an_exchange_has_the_label_of_the_operation_that_sent_it() -> None:
    contract = contract_with()
    (operation,) = contract.operations.values()
    assert CoverageCounter(contract, URL).label_of(sent("/elsewhere"), operation) == LABEL


@pytest.mark.parametrize("exchange", [sent("/elsewhere"), Exchange(Request("FRAME", "ws://127.0.0.1/a"), Response(0))])
def test_an_exchange_of_no_operation_has_no_label(exchange: Exchange) -> None:
    assert CoverageCounter(contract_with(), URL).label_of(exchange) == ""


def test_a_label_counts_nothing() -> None:
    counter = CoverageCounter(contract_with(), URL)
    counter.label_of(sent())
    assert counter.counts() == {}
