"""Tests of outcomes, trouble, messages, headers and CSV as behaviours, and of equality between transports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.behaviour.csv_shape import csv_behaviours
from contracts.behaviour.header_facts import header_behaviours
from contracts.behaviour.message_template import message_template
from contracts.behaviour.observed_answers import Answer, operation_behaviours
from contracts.behaviour.parameter_effects import parameter_behaviours
from contracts.behaviour.response_outcome import outcome, trouble
from contracts.behaviour.run_facts import clause_behaviours, reading_behaviours
from contracts.behaviour.transport_equality import transport_groups
from contracts.exchange import Exchange, Request, Response
from suites.selftest.contracts.one_operation import contract_with, only_operation

BY_STATUS = contract_with(error={"refused": {"status": "4XX"}, "code": "/code", "attribute": "/attribute"})
IN_BAND = contract_with(error={"refused": {"pointer": "/ok", "equals": False}, "code": "/code"})
URL = "http://api.example.com/things"
JSON_TYPE = ("Content-Type", "application/json")


def exchange(body: Any = None, status: int = 200, *headers: tuple[str, str], url: str = URL) -> Exchange:
    """An answer in JSON, or without a body."""
    content = () if body is None else (JSON_TYPE,)
    data = b"" if body is None else json.dumps(body).encode()
    return Exchange(Request("POST", url), Response(status, (*content, *headers), data))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (exchange({}), "200 application/json"),
        (exchange(None, 204), "204"),
        (exchange({"code": "missing_param", "attribute": "name"}, 400), "400 application/json missing_param name"),
        (exchange({"code": "Jo Li did it"}, 400), "400 application/json"),
        (exchange(None, 301, ("Location", "/v3/things")), "301 to relative URL"),
        (exchange(None, 301, ("Location", "http://other.example/")), "301 to absolute http URL of another host"),
        (Exchange(Request("GET", URL), Response(200, (JSON_TYPE,), b"{")), "200 application/json malformed"),
        (
            Exchange(Request("GET", URL), Response(200, (("Content-Type", "Text/HTML; charset=utf-8"),), b"<p>")),
            "200 text/html; charset=utf-8",
        ),
    ],
)
def test_outcome(answer: Exchange, text: str) -> None:
    assert outcome(BY_STATUS, answer) == text


def test_outcome_of_a_refusal_within_a_success() -> None:
    assert outcome(IN_BAND, exchange({"ok": False, "code": 42})) == "200 refused application/json 42"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(200), ""),
        (Response(500), ""),
        (Response(429), "status 429"),
        (Response(503), "status 503"),
        (Response(0, error="connection reset"), "connection reset"),
        (
            Response(0, error="connection closed before a response came (close code 1011)"),
            "connection closed before a response came (close code 1011)",
        ),
        (Response(0, error="connection closed before a response came (close code 1009)"), ""),
    ],
)
def test_trouble(response: Response, reason: str) -> None:
    assert trouble(response) == reason


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("name is missing", "name is missing"),
        ("there are 17 tasks", "there are … tasks"),
        ('"Buy milk" is taken', "… is taken"),
        ("jo@example.com is taken", "… is taken"),
        ("secretword is wrong", "… is wrong"),
    ],
)
def test_message_template(message: str, template: str) -> None:
    request = Request("GET", f"{URL}?q=secretword")
    assert message_template(request, {"errors": [{"message": message}]}) == template


def test_headers_are_shares_with_constants_and_forms() -> None:
    responses = [Response(200, (("Cache-Control", "no-store, private"), ("X-Id", "1234567"), ("Date", "today")))] * 2
    shown = {place: (it.value, it.count) for place, it in header_behaviours(responses)}
    assert shown == {
        ("header", "cache-control"): ("always", 2),
        ("header value", "cache-control"): ("no-store, private", 2),
        ("header", "x-id"): ("always", 2),
        ("header value", "x-id"): ("digits", 2),
    }


def test_no_name_of_a_file_and_no_cookie_is_kept() -> None:
    headers = (("Content-Disposition", 'attachment; filename="anna.csv"'), ("Set-Cookie", "sid=s3cr3t; Path=/; Secure"))
    shown = str(list(header_behaviours([Response(200, headers)])))
    assert "anna" not in shown
    assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("text", "place", "value"),
    [
        ("a,b\r\n1,2\r\n", "columns", "a, b"),
        ("b,a\r\n1,2\r\n", "columns", "b, a"),
        ("a;b\r\n1;2\r\n", "delimiter", "semicolon"),
        ("a,b\n1,2\n", "line end", "LF"),
        ("a,b\r\n1,2", "last line end", "no"),
        ("\ufeffa,b\r\n1,2\r\n", "byte order mark", "yes"),
        ('"a","b"\r\n"1","2"\r\n', "quoting", "all"),
        ("a,b\r\n1,2026-01-01\r\n", "column b", "date"),
        ("a,b\r\n1,\r\n", "empty cell", "empty"),
        ("a,b\r\n1,-\r\n", "empty cell", "-"),
        ("1,2\r\n3,4\r\n", "columns", "none"),
        ("a,b\r\n1\r\n", "row length", "differs"),
    ],
)
def test_csv(text: str, place: str, value: str) -> None:
    shown = {it: behaviour.value for (_, it), behaviour in csv_behaviours([Response(200, (), text.encode())])}
    assert shown[place] == value


def test_a_message_that_an_endpoint_refuses_by_closing_has_an_outcome() -> None:
    closed = Response(0, error="connection closed before a response came (close code 1008)")
    assert outcome(BY_STATUS, Exchange(exchange().request, closed)) == "closed 1008"


def test_answers_with_trouble_show_nothing() -> None:
    answers = [Answer("valid: as documented", "outcome", exchange({"a": 1}, 503))]
    assert operation_behaviours(BY_STATUS, only_operation(BY_STATUS), answers) == {}


def test_answers_of_other_methods_have_no_part_in_the_shape() -> None:
    answers = [Answer("HEAD", "method", exchange({"a": 1}, 200, ("Allow", "POST, GET")))]
    shown = operation_behaviours(BY_STATUS, only_operation(BY_STATUS), answers)
    assert [(it.family, it.place, shown[it].value) for it in shown] == [
        ("method", "HEAD", "200 application/json, allow GET, POST")
    ]


def test_order_is_that_of_the_answer_that_nobody_has_asked_to_sort() -> None:
    numbers = [1, 2, 3, 4, 5, 6]
    plain = Answer("valid: as documented", "outcome", exchange([{"n": number} for number in numbers]))
    other = Answer("valid: down", "outcome", exchange([{"n": number} for number in reversed(numbers)]))
    shown = operation_behaviours(BY_STATUS, only_operation(BY_STATUS), [plain, other])
    assert [it.value for address, it in shown.items() if address.family == "order"] == ["up by n"]


@pytest.mark.parametrize(
    ("body", "status", "effect"),
    [
        ({"data": [{"id": 1, "state": "open"}]}, 200, "honoured"),
        ({"data": [{"id": 1, "state": "open"}, {"id": 2, "state": "done"}]}, 200, "ignored"),
        ({}, 400, "refused"),
    ],
)
def test_effect_of_a_filter(body: Any, status: int, effect: str) -> None:
    operation = only_operation(BY_STATUS)
    plain = Answer("", "outcome", exchange({"data": [{"id": 1, "state": "open"}, {"id": 2, "state": "done"}]}))
    answer = Answer("", "outcome", exchange(body, status))
    ((_, shown),) = parameter_behaviours(BY_STATUS, operation, "/data", plain, [("state", "open", answer)])
    assert shown.value == effect


@pytest.mark.parametrize(
    ("frame", "groups"),
    [
        ({"ok": True, "data": [{"id": 7}]}, "all transports"),
        ({"ok": True, "data": [{"id": "7"}]}, "header, query | websocket"),
        ({"ok": False, "code": 1}, "header, query | websocket"),
    ],
)
def test_transports_are_grouped_by_what_they_answer(frame: Any, groups: str) -> None:
    by_http = exchange({"ok": True, "data": [{"id": 8}]})
    assert transport_groups(IN_BAND, {"header": by_http, "query": by_http, "websocket": exchange(frame, 101)}) == groups


def test_transports_that_count_otherwise_are_not_alike() -> None:
    pages = {name: exchange({"ok": True, "count": count}) for name, count in (("header", 9), ("query", 1))}
    assert transport_groups(IN_BAND, pages) == "header | query"


def test_clauses_are_kept_broken_or_not_tested() -> None:
    results = [("passed", ["T-1", "T-2"], []), ("failed", ["T-2"], ["T-2"]), ("skipped", ["T-3"], [])]
    shown = clause_behaviours(["T-1", "T-2", "T-3"], results)
    assert {address.place: it.value for address, it in shown.items()} == {
        "T-1": "kept",
        "T-2": "broken",
        "T-3": "not tested",
    }


def test_meanings_of_a_reading_are_sorted() -> None:
    ((address, shown),) = reading_behaviours({"T-AMB-1": ["refused", "ignored", "refused"], "T-AMB-2": []}).items()
    assert (address.place, shown.value) == ("T-AMB-1", "ignored, refused")
