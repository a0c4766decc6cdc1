"""The lines of the document behind a demand: which clause is blamed for what, in every contract."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

import contracts
from contracts.clauses import Clause, clauses
from contracts.exchange import Exchange, Request, Response
from contracts.judge.http_judge import judge_response
from contracts.judge.refusal_judge import InvalidCase, judge_refusal
from contracts.judge.schema_judge import schema_violations
from contracts.openapi import Contract, load_contract
from contracts.reader.document_lines import bears, blamed_clause, line_numbers, lines_of, of_operation
from contracts.reader.document_parts import parts
from contracts.reader.line_check import keyword_problems, line_problems, silent_problems
from contracts.reader.response_demands import Demand, response_demands
from suites.selftest.shop import exchange, shop

VENDORS = {"bitvis", "flowapp", "flowback", "getflow"}
SILENT = {"response": "GETFLOW-SHAPE-1", "status": "GETFLOW-ERR-20", "request": "GETFLOW-SHAPE-2"}
lined_apis = pytest.mark.parametrize("api", [api for api in contracts.apis() if load_contract(api).silent])


@cache
def demands(api: str) -> list[Demand]:
    """What that contract demands of responses."""
    return list(response_demands(load_contract(api)))


def numbers(lines: str) -> set[int]:
    """The numbers in a list of lines, read in another way than by the code under test."""
    ranges = re.findall(r"(\d+)(?:-(\d+))?", lines if "RFC" not in lines else "")
    return {number for first, last in ranges for number in range(int(first), int(last or first) + 1)}


def is_fair(api: str, clause: str, lines: str) -> bool:
    """Whether the clause may be blamed: it is no clause of the document, or its lines have these."""
    known = clauses(api).get(clause)
    if known is None or known.grade in ("inferred", "public"):
        return True
    return bool(numbers(lines)) and numbers(lines) <= numbers(known.line)


def test_the_four_contracts_name_their_lines() -> None:
    assert {api for api in VENDORS if not load_contract(api).silent} == set()


@lined_apis
def test_no_demand_on_a_response_stands_under_lines_that_do_not_bear_it(api: str) -> None:
    contract = load_contract(api)
    assert len(demands(api)) > 100
    for demand in demands(api):
        part = "status" if demand.keyword == "responses" else "response"
        blamed = blamed_clause(contract, demand.around, demand.lines, part)
        assert is_fair(api, blamed, demand.lines), (demand.place, blamed)


@lined_apis
def test_no_status_of_a_refusal_stands_under_lines_that_do_not_bear_it(api: str) -> None:
    contract = load_contract(api)
    for operation in contract.operations.values():
        for rules in (contract.refusals, operation.refusals, *(it.refusals for it in operation.parameters)):
            for kind, rule in rules.items():
                if "clause" in rule:
                    lines = rule.get("lines", {}).get("status", "")
                    assert is_fair(api, blamed_clause(contract, [rule["clause"]], lines, "status"), lines), kind


@lined_apis
def test_no_path_stands_under_lines_that_do_not_show_it(api: str) -> None:
    contract = load_contract(api)
    for operation in contract.operations.values():
        around = of_operation(contract, operation.clauses)
        blamed = blamed_clause(contract, around, operation.path_lines, "request")
        assert is_fair(api, blamed, operation.path_lines), operation.label


@pytest.mark.parametrize(
    ("lines", "expected"),
    [("5,7-9", {5, 7, 8, 9}), ("74", {74}), ("", set()), ("RFC 6455, 5.4", set()), ("5, 7", {5, 7})],
)
def test_line_numbers(lines: str, expected: set[int]) -> None:
    assert line_numbers(lines) == expected


@pytest.mark.parametrize(
    ("grade", "lines", "expected"),
    [
        ("stated", "74", True),
        ("stated", "74,80", False),
        ("stated", "", False),
        ("example", "75", True),
        ("example", "76", False),
        ("inferred", "", True),
        ("public", "80", True),
    ],
)
def test_a_clause_of_the_document_bears_its_own_lines(grade: str, lines: str, expected: bool) -> None:
    assert bears(Clause("X-1", "x", "74-75", grade, "wire", "It is."), lines) is expected


@pytest.mark.parametrize(
    ("part", "keyword", "name", "expected"),
    [
        ({"x-lines": {"required": "5"}, "required": ["a", "b"]}, "required", "a", "5"),
        ({"x-lines": {"required": {"a": "5"}}, "required": ["a", "b"]}, "required", "a", "5"),
        ({"x-lines": {"required": {"a": "5"}}, "required": ["a", "b"]}, "required", "b", ""),
        ({"x-lines": {"enum": {"a": "5"}}, "enum": ["a", "b"]}, "enum", None, ""),
        ({"x-lines": {"enum": {"a": "5", "2": "6"}}, "enum": ["a", 2]}, "enum", None, "5,6"),
        ({"x-lines": {"type": {"string": "5"}}, "type": ["string", "null"]}, "type", None, "5"),
        ({"minimum": 1}, "minimum", None, ""),
        (False, "minimum", None, ""),
    ],
)
def test_lines_of_a_keyword(part: Any, keyword: str, name: str | None, expected: str) -> None:
    assert lines_of(part, keyword, name) == expected


def lined_shop(**parts: Any) -> Contract:
    """The shop with clauses for what its document is silent about, and other parts in the schema of a good."""

    def change(document: dict[str, Any]) -> None:
        document["x-flowproof"]["silent"] = SILENT
        goods = document["components"]["schemas"]["Goods"]["properties"]["goods"]
        goods["items"] |= parts

    return shop(change)


def blamed(contract: Contract, value: Any) -> Iterator[str]:
    """The clauses that are blamed for a list of goods."""
    for violation in schema_violations(contract, contract.schemas["Goods"], value, ["GETFLOW-PAGE-1"]):
        yield violation.clause


def test_a_member_without_lines_is_reported_under_the_silent_clause() -> None:
    assert [*blamed(lined_shop(**{"x-clause": "GETFLOW-ERR-1"}), {"goods": [{}]})] == ["GETFLOW-SHAPE-1"]


def test_a_member_with_lines_is_reported_under_the_clause_that_has_them() -> None:
    parts = {"x-clause": "GETFLOW-ERR-1", "x-lines": {"required": {"id": "54"}}}
    assert [*blamed(lined_shop(**parts), {"goods": [{}]})] == ["GETFLOW-ERR-1"]


def test_lines_of_another_clause_bear_nothing() -> None:
    parts = {"x-clause": "GETFLOW-ERR-4", "x-lines": {"required": {"id": "54"}}}
    assert [*blamed(lined_shop(**parts), {"goods": [{}]})] == ["GETFLOW-SHAPE-1"]


def test_a_public_clause_needs_no_lines() -> None:
    assert [*blamed(lined_shop(**{"x-clause": "GETFLOW-REC-5"}), {"goods": [{}]})] == ["GETFLOW-REC-5"]


def test_a_public_clause_around_bears_what_a_stated_one_within_does_not() -> None:
    properties = {"id": {"type": "integer", "x-clause": "GETFLOW-NAME-3"}}
    contract = lined_shop(**{"x-clause": "GETFLOW-REC-5", "properties": properties})
    assert [*blamed(contract, {"goods": [{"id": "1"}]})] == ["GETFLOW-REC-5"]


def test_without_silent_clauses_the_nearest_clause_is_blamed() -> None:
    assert [*blamed(shop(), {"goods": [{"id": "1"}]})] == ["GETFLOW-NAME-3"]


def test_a_member_that_must_not_be_is_borne_by_the_lines_of_its_name() -> None:
    parts = {"properties": {"id": {}, "gone": False}, "x-clause": "GETFLOW-ERR-1"}
    assert [*blamed(lined_shop(**parts), {"goods": [{"id": 1, "gone": 1}]})] == ["GETFLOW-SHAPE-1"]
    parts["x-lines"] = {"properties": {"gone": "55"}}
    assert [*blamed(lined_shop(**parts), {"goods": [{"id": 1, "gone": 1}]})] == ["GETFLOW-ERR-1"]


def findings(received: Exchange, contract: Contract) -> list[str]:
    """The clauses of the findings about a response to `GET /goods`."""
    return [finding.clause for finding in judge_response(contract, contract.operations["GET /goods"], received)]


def test_an_undocumented_status_is_reported_under_the_silent_clause_of_statuses() -> None:
    assert findings(exchange(302), lined_shop()) == ["GETFLOW-ERR-20"]


def test_an_undocumented_media_type_is_reported_under_the_silent_clause_of_responses() -> None:
    received = exchange(404, {"errors": [{}]}, {"content-type": "text/html"})
    assert findings(received, lined_shop()) == ["GETFLOW-SHAPE-1"]


def test_a_missing_header_without_lines_is_reported_under_the_silent_clause() -> None:
    assert findings(exchange(body={"goods": []}), lined_shop()) == ["GETFLOW-SHAPE-1"]


def test_an_incomplete_response_is_reported_under_the_operation() -> None:
    received = Exchange(Request("GET", "http://127.0.0.1/goods"), Response(0, (), b"", "the connection was closed"))
    assert findings(received, lined_shop()) == ["GETFLOW-PAGE-1"]


def refusal_findings(contract: Contract, status: int, code: str) -> list[str]:
    """The clauses of the findings about the refusal of a request without `shop_id`."""
    received = exchange(status, {"errors": [{"code": code, "attribute": "shop_id"}]})
    operation = contract.operations["GET /goods"]
    case = InvalidCase("missing", "query", "shop_id")
    return [finding.clause for finding in judge_refusal(contract, operation, received, case, {})]


def test_the_status_of_a_refusal_is_reported_under_the_silent_clause_of_statuses() -> None:
    assert refusal_findings(lined_shop(), 422, "missing_param") == ["GETFLOW-ERR-20"]


def test_the_code_of_a_refusal_is_reported_under_its_rule() -> None:
    assert refusal_findings(lined_shop(), 400, "nonsense") == ["GETFLOW-ERR-10"]


def test_a_refusal_with_an_undocumented_status_and_no_json_has_no_code() -> None:
    contract = lined_shop()
    received = exchange(500, b"<html>")
    operation = contract.operations["GET /goods"]
    judged = judge_refusal(contract, operation, received, InvalidCase("missing", "query", "shop_id"), {})
    assert [finding.clause for finding in judged] == ["GETFLOW-ERR-20", "GETFLOW-ERR-20", "GETFLOW-ERR-10"]


def mistakes(contract: Contract, document: dict[str, Any]) -> list[str]:
    """What the reader says about the lines of a contract."""
    return [reason for _, reason in line_problems(contract, parts(document))]


def unlined(change: Any) -> list[str]:
    """What the reader says about the lines of the shop with that change, complaints about whole clauses left out."""
    contract = lined_shop()
    document = copy.deepcopy(contract.document)
    change(document)
    return [reason for _, reason in keyword_problems(parts(document))]


def test_lines_stand_beside_their_keyword() -> None:
    def change(document: Any) -> None:
        document["components"]["schemas"]["Refusal"]["x-lines"] = {"requird": "5"}

    assert unlined(change) == [
        "'requird' does not stand beside its lines: expected one of type, required, properties",
    ]


def test_lines_of_a_name_stand_beside_that_name() -> None:
    def change(document: Any) -> None:
        document["components"]["schemas"]["Refusal"]["x-lines"] = {"required": {"error": "5"}}

    assert unlined(change) == ["'error' is not listed by required: expected errors"]


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        ("GETFLOW-PAGE-1", "GETFLOW-PAGE-1 is stated: expected a clause that is inferred or public"),
        ("GETFLOW-SHAPE-9", "GETFLOW-SHAPE-9 is no clause of getflow"),
    ],
)
def test_a_silent_clause_says_what_the_document_does_not(clause: str, reason: str) -> None:
    def change(document: dict[str, Any]) -> None:
        document["x-flowproof"]["silent"] = {**SILENT, "response": clause}

    (received,) = [reason for _, reason in silent_problems(shop(change))]
    assert received.startswith(reason)


def test_a_clause_of_the_document_bears_a_keyword_of_some_response() -> None:
    contract = lined_shop(**{"x-clause": "GETFLOW-ERR-4"})
    expected = "GETFLOW-ERR-4 bears no keyword of the responses: expected x-lines within line 67-69"
    assert expected in mistakes(contract, dict(contract.document))


def test_lines_that_no_clause_around_has_are_in_vain() -> None:
    contract = lined_shop(**{"x-lines": {"type": "2"}})
    reasons = [reason for reason in mistakes(contract, dict(contract.document)) if "line 2 of" in reason]
    assert reasons[0] == (
        "line 2 of GET /goods 200 body.goods[] type is borne by none of GETFLOW-PAGE-1: "
        "expected an x-clause whose line it is"
    )
