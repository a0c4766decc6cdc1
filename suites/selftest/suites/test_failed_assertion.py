"""Bare assertions as findings: expected, received, and the exchange at fault instead of the last one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contracts.exchange import Exchange, Request, Response
from fixtures.target_api import Api
from fixtures.targets import Target
from suites.reporting.failed_assertion import Comparison, FailedAssertion, explain, shown


def exchange(path: str, status: int = 200, body: bytes = b"{}") -> Exchange:
    return Exchange(Request("GET", f"http://127.0.0.1:1{path}"), Response(status, (), body))


AT_FAULT, LAST = exchange("/tasks/7001", body=b'{"id": 7001}'), exchange("/tasks/2147483000", 404)


def explained(failing: Callable[[Exchange, Exchange], None], comparison: Comparison | None = None) -> FailedAssertion:
    """The explanation of that failing function, after a test exchanged AT_FAULT and then LAST."""
    with pytest.raises(AssertionError) as raised:
        failing(AT_FAULT, LAST)
    return explain(raised.value, [AT_FAULT, LAST], comparison)


def names_the_exchange(served: Exchange, _refused: Exchange) -> None:
    assert served.response.status == 404


def names_no_exchange(_served: Exchange, _refused: Exchange) -> None:
    total = 3
    assert total == 4


def has_words(_served: Exchange, _refused: Exchange) -> None:
    rows = [1]
    assert rows == [], f"the filter left {len(rows)} row"


def has_the_expected_value_left(served: Exchange, _refused: Exchange) -> None:
    assert ("missing_param", "name") == (served.request.method, "id")  # noqa: SIM300


def asks_for_the_truth(served: Exchange, _refused: Exchange) -> None:
    assert not served.response.body


def test_the_exchange_at_fault_is_the_one_that_the_statement_names() -> None:
    assert explained(names_the_exchange).exchange is AT_FAULT


def test_a_statement_without_an_exchange_is_about_the_last_one_that_its_function_holds() -> None:
    assert explained(names_no_exchange).exchange is LAST


def lists_names(served: Exchange, _refused: Exchange) -> None:
    api = Api(Target("flowback", "http://127.0.0.1:1", {}, True, False))
    del _refused
    assert served.response.status
    assert not listed_names(api), "a name is listed although its registration was refused"


def listed_names(_api: Api) -> list[str]:
    return ["ann"]


def test_a_statement_that_sends_requests_is_about_the_last_exchange() -> None:
    assert explained(lists_names).exchange is LAST


def test_without_any_exchange_there_is_none() -> None:
    with pytest.raises(AssertionError) as raised:
        raise AssertionError("no mail")
    assert explain(raised.value, []) == FailedAssertion("", "no mail", None)


def test_the_right_side_is_expected() -> None:
    explanation = explained(names_the_exchange, Comparison("==", 200, 404))
    assert (explanation.expected, explanation.received) == ("404", "200, as served.response.status")


def test_a_left_side_that_is_written_out_is_expected() -> None:
    comparison = Comparison("==", ("missing_param", "name"), ("GET", "id"))
    explanation = explained(has_the_expected_value_left, comparison)
    assert explanation.expected == "('missing_param', 'name')"
    assert explanation.received.startswith("('GET', 'id')")


def test_the_words_of_the_test_are_what_was_received() -> None:
    explanation = explained(has_words, Comparison("==", [1], []))
    assert (explanation.expected, explanation.received) == ("none", "the filter left 1 row")


def test_the_comparison_of_another_statement_is_not_shown() -> None:
    assert explained(names_no_exchange, Comparison("not in", 1, [1])).expected == ""


def test_a_statement_that_compares_nothing_shows_the_response() -> None:
    assert explained(asks_for_the_truth).received == '200: {"id": 7001}'


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("in", "one of [1]"), ("<=", "at most [1]"), ("!=", "another value than [1]"), ("not in", "none of [1]")],
)
def test_an_operator_is_put_in_words(operator: str, expected: str) -> None:
    with pytest.raises(AssertionError) as raised:
        raise AssertionError(f"assert 2 {operator} [1]")
    assert explain(raised.value, [], Comparison(operator, 2, [1])).expected == expected


@pytest.mark.parametrize("value", [None, [], (), {}, set()])
def test_what_is_empty_is_shown_as_none(value: object) -> None:
    assert shown(value) == "none"


def test_a_long_value_is_cut() -> None:
    assert len(shown("x" * 1_000)) == 301
