"""What a test that passed has to have seen of its target, so that its refusals show something."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.clauses import clauses
from contracts.exchange import Exchange, Request, Response
from fixtures.target_api import Api
from fixtures.transports import transport
from suites.mutation.reference_apis import in_process_api
from suites.reporting.exchange_recorder import ExchangeRecorder
from suites.reporting.response_evidence import NothingTested, ResponseEvidence

SUITES = Path(__file__).parents[2]
NOT_FOUND = Response(404, (("Content-Type", "application/json"),), b"{}")
Answer = Callable[[Request], Response | None]


class PartialClient:
    """A client of the reference that gives some requests another response, and counts those to the reference."""

    def __init__(self, inner: Any, answer: Answer) -> None:
        self.inner, self.answer, self.target = inner, answer, inner.target
        self.sent: list[str] = []

    def send(self, request: Request) -> Exchange:
        response = self.answer(request)
        if response is not None:
            return Exchange(request, response)
        self.sent.append(request.method)
        exchange: Exchange = self.inner.send(request)
        return exchange


def observed(name: str, answer: Answer = lambda _: None) -> tuple[Api, ResponseEvidence]:
    """An API whose exchanges are observed, in the state of a test that begins."""
    api = in_process_api(name)
    api._client = PartialClient(api._client, answer)
    recorder = ExchangeRecorder()
    recorder.observe(api)
    return api, recorder.evidence[name]


def test_a_test_without_a_response_has_tested_nothing() -> None:
    _, evidence = observed("getflow")
    with pytest.raises(NothingTested, match="received no response"):
        evidence.require()


def test_a_response_that_never_came_is_none() -> None:
    api, evidence = observed("getflow", lambda _: Response(0, error="no response within the time limit"))
    api.request("GET", "/v2/tasks")
    with pytest.raises(NothingTested, match="received no response"):
        evidence.require()


def test_a_success_is_enough() -> None:
    api, evidence = observed("getflow")
    api.request("GET", "/v2/tasks", query={"organization_id": api.setting("ORGANIZATION_ID")})
    evidence.require()


def test_a_refusal_counts_where_a_valid_request_is_served() -> None:
    api, evidence = observed("getflow")
    api.request("GET", "/v2/tasks", credentials="none")
    evidence.require()
    assert "GET /v2/tasks" in evidence.served


def test_a_refusal_shows_nothing_where_valid_requests_are_refused() -> None:
    api, evidence = observed("getflow", lambda request: NOT_FOUND if "/v2/tasks" in request.url else None)
    api.request("GET", "/v2/tasks", credentials="none")
    with pytest.raises(NothingTested, match="GET /v2/tasks refuses valid requests as well"):
        evidence.require()


def test_an_operation_is_tried_once() -> None:
    tried: list[str] = []

    def gone(request: Request) -> Response | None:
        tried.append(request.url)
        return NOT_FOUND

    api, evidence = observed("getflow", gone)
    for _ in range(3):
        evidence.begin_test()
        api.request("GET", "/v2/lists", credentials="none")
        with pytest.raises(NothingTested):
            evidence.require()
    assert len(tried) == 4


def test_the_request_that_was_tried_is_not_shown_as_the_tests_own() -> None:
    api, evidence = observed("getflow")
    sent = api.request("GET", "/v2/tasks", credentials="none")
    evidence.require()
    assert list(api.exchanges) == [sent]


def test_an_unknown_address_counts_where_anything_is_served() -> None:
    api, evidence = observed("getflow")
    api.request("GET", "/elsewhere")
    evidence.require()


def test_an_unknown_address_shows_nothing_where_nothing_is_served() -> None:
    api, evidence = observed("getflow", lambda _: NOT_FOUND)
    api.request("GET", "/elsewhere")
    with pytest.raises(NothingTested):
        evidence.require()


def test_a_refused_call_counts_where_its_endpoint_serves_one() -> None:
    api, evidence = observed("bitvis")
    api._client = api._client.inner  # type: ignore[attr-defined]  # frames need the client in process
    transport(api, "websocket").call("inventory/device", "NOTHING")
    evidence.require()
    assert "inventory/device LIST" in evidence.served


def test_an_opened_websocket_is_a_response() -> None:
    api, evidence = observed("bitvis")
    api.on_websocket(f"ws{api.target.url.removeprefix('http')}/inventory/device")
    evidence.require()


def test_a_test_begins_without_what_another_one_saw() -> None:
    api, evidence = observed("getflow")
    api.request("GET", "/v2/tasks", query={"organization_id": api.setting("ORGANIZATION_ID")})
    evidence.begin_test()
    with pytest.raises(NothingTested):
        evidence.require()


def functions_in(path: Path) -> list[ast.FunctionDef]:
    """The functions at the top of a module."""
    return [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]


def arguments_of(function: ast.FunctionDef) -> set[str]:
    return {argument.arg for argument in function.args.args}


def is_marked_client(test: ast.FunctionDef) -> bool:
    return any(ast.unparse(mark) == "pytest.mark.client" for mark in test.decorator_list)


def marked_clauses(test: ast.FunctionDef) -> list[str]:
    """The ids in the marks of a test."""
    marks = [mark for mark in test.decorator_list if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "clause"]
    return [str(ast.literal_eval(argument)) for mark in marks for argument in mark.args]


@pytest.mark.parametrize("api", contracts.apis())
def test_a_test_that_takes_no_api_is_marked_as_one_about_clients(api: str) -> None:
    unmarked = []
    for path in sorted((SUITES / api).glob("test_*.py")):
        functions = functions_in(path)
        with_api = {"api"} | {function.name for function in functions if "api" in arguments_of(function)}
        tests = [function for function in functions if function.name.startswith("test_")]
        unmarked += [test.name for test in tests if not arguments_of(test) & with_api and not is_marked_client(test)]
    assert unmarked == []


@pytest.mark.parametrize("api", contracts.apis())
def test_a_test_about_clients_has_a_clause_about_clients(api: str) -> None:
    tests = [test for path in sorted((SUITES / api).glob("test_*.py")) for test in functions_in(path)]
    checks = [
        {clauses(api)[clause].check for clause in marked_clauses(test)} for test in tests if is_marked_client(test)
    ]
    assert all("client" in of_test for of_test in checks)
