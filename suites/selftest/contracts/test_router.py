"""Which operation a hand-written request belongs to."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.exchange import Request
from contracts.openapi import Contract, from_document
from contracts.router import Router, best_match, path_pattern, request_values


def contract(*paths: str, calls: dict[str, Any] | None = None) -> Contract:
    """A contract with an operation GET at each path; `calls` are those of each operation."""
    entry = {
        "operationId": "get",
        "x-clauses": ["TODO-GET-1"],
        "responses": {},
        **({"x-calls": calls} if calls else {}),
    }
    return from_document("todo", {"paths": {path: {"get": entry} for path in paths}})


def parameter(name: str, location: str = "query", required: bool = True, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": location, "required": required, "schema": schema}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/things", ["GET /things"]),
        ("GET", "/things/mine", ["GET /things/mine"]),
        ("GET", "/things/7", ["GET /things/{id}"]),
        ("GET", "/things/7/parts/8", ["GET /things/{id}/parts/{part}"]),
        ("GET", "/things/a%2Fb", ["GET /things/{id}"]),
        ("GET", "/things/", []),
        ("GET", "/things/7/parts", []),
        ("GET", "/thingsX", []),
        ("POST", "/things", []),
        ("POST", "/things/7", []),
    ],
)
def test_operations_are_found_by_method_and_path(method: str, path: str, expected: list[str]) -> None:
    router = Router(contract("/things", "/things/mine", "/things/{id}", "/things/{id}/parts/{part}"))
    assert [operation.label for operation in router.candidates(method, path)] == expected


@pytest.mark.parametrize(
    ("template", "path", "groups"),
    [
        ("/a", "/a", ()),
        ("/a.b", "/axb", None),
        ("/a/{b}", "/a/1", ("1",)),
        ("/a/{b}.{c}", "/a/1.2", ("1", "2")),
        ("/a/{b}", "/a/1/2", None),
        ("/a/{b}", "/a/", None),
    ],
)
def test_path_pattern_has_a_group_for_each_expression(template: str, path: str, groups: tuple[str, ...] | None) -> None:
    match = path_pattern(template).fullmatch(path)
    assert (match.groups() if match else None) == groups


CALLS = {
    "LIST": {"parameters": [parameter("Call", "header", enum=["LIST"]), parameter("limit", required=False)]},
    "OPEN": {"parameters": [parameter("Call", "header", enum=["OPEN"]), parameter("id")]},
    "PICK": {"parameters": [parameter("call", enum=[1])]},
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"header": {"call": "LIST"}, "query": {}}, "LIST"),
        ({"header": {"call": "OPEN"}, "query": {"limit": "1"}}, "OPEN"),
        ({"header": {"call": "RUN"}, "query": {}}, None),
        ({"header": {}, "query": {"call": "1"}}, "PICK"),
        ({"header": {"call": "OPEN"}, "query": {"call": "1", "id": "1"}}, "OPEN"),
        ({"header": {"call": "LIST"}, "query": {"call": "1", "limit": "1"}}, "LIST"),
        ({}, None),
    ],
    ids=str,
)
def test_call_is_found_by_its_fixed_value_and_by_most_of_the_rest(values: Any, expected: str | None) -> None:
    candidates = Router(contract("/rpc", calls=CALLS)).candidates("GET", "/rpc")
    match = best_match(candidates, values)
    assert (match.label.rpartition(" ")[2] if match else None) == expected


def test_only_candidate_is_the_match_whatever_was_sent() -> None:
    candidates = Router(contract("/rpc", calls={"LIST": CALLS["LIST"]})).candidates("GET", "/rpc")
    assert best_match(candidates, {}) is candidates[0]
    assert best_match([], {}) is None


def test_fixed_value_that_is_not_required_does_not_decide() -> None:
    calls = {
        "A": {"parameters": [parameter("kind", required=False, enum=["a"])]},
        "B": {"parameters": [parameter("kind", enum=["b"])]},
    }
    candidates = Router(contract("/rpc", calls=calls)).candidates("GET", "/rpc")
    match = best_match(candidates, {"query": {"kind": "z"}})
    assert match
    assert match.label == "GET /rpc A"


def test_one_of_several_values_does_not_decide() -> None:
    calls = {
        "A": {"parameters": [parameter("kind", enum=["a", "b"])]},
        "B": {"parameters": [parameter("other", enum=["b"])]},
    }
    candidates = Router(contract("/rpc", calls=calls)).candidates("GET", "/rpc")
    match = best_match(candidates, {"query": {"kind": "z"}})
    assert match
    assert match.label == "GET /rpc A"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "A"),
        ({"query": {"a": "1"}}, "A"),
        ({"query": {"Tail": "1"}}, "B"),
        ({"query": {"tail": "1"}}, "A"),
        ({"header": {"tag": "1"}}, "B"),
        ({"query": {"a": "1", "Tail": "1"}, "header": {"tag": "1"}}, "B"),
    ],
    ids=str,
)
def test_of_calls_that_fit_the_one_that_knows_most_of_what_was_sent_is_the_match(values: Any, expected: str) -> None:
    calls = {
        "A": {"parameters": [parameter("a", required=False), parameter("b", required=False)]},
        "B": {"parameters": [parameter("Tail", required=False), parameter("Tag", "header", required=False)]},
    }
    match = best_match(Router(contract("/rpc", calls=calls)).candidates("GET", "/rpc"), values)
    assert match
    assert match.label == f"GET /rpc {expected}"


def test_request_values_are_those_of_headers_and_query() -> None:
    request = Request("GET", "http://127.0.0.1/a?x=1&x=2&empty=&e%20f=%2F?", (("Flow-Method", "LIST"), ("B", "c")))
    assert request_values(request) == {
        "header": {"flow-method": "LIST", "b": "c"},
        "query": {"x": "2", "empty": "", "e f": "/?"},
    }


def test_a_request_without_query_has_no_values() -> None:
    assert request_values(Request("GET", "http://127.0.0.1/a")) == {"header": {}, "query": {}}


@pytest.mark.parametrize(
    ("method", "path", "label"),
    [
        ("GET", "/things/7?x=/y", "GET /things/{id}"),
        ("GET", "/things", "GET /things"),
        ("PUT", "/things", None),
        ("GET", "/nothing", None),
    ],
)
def test_a_request_belongs_to_an_operation_below_the_url(method: str, path: str, label: str | None) -> None:
    router = Router(contract("/things", "/things/{id}"))
    operation = router.operation_of(Request(method, f"http://127.0.0.1/base{path}"), "http://127.0.0.1/base")
    assert (operation and operation.label) == label


@pytest.mark.parametrize("method", ["LIST", "OPEN"])
def test_a_request_belongs_to_the_call_that_its_values_name(method: str) -> None:
    calls = {name: {"parameters": [parameter("method", enum=[name])]} for name in ("LIST", "OPEN")}
    router = Router(contract("/things", calls=calls))
    operation = router.operation_of(Request("GET", f"http://127.0.0.1/things?method={method}"), "http://127.0.0.1")
    assert operation is not None
    assert operation.label.endswith(method)
