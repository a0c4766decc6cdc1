"""Tests of what tells state that leaks from records that come and go."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.exchange import Request
from suites.generic.lasting_effects import Answer, Probe

REQUEST = Request("GET", "http://127.0.0.1/users")


def answer(status: int = 200, language: str | None = None, **values: Any) -> Answer:
    """An answer whose body has these members."""
    return Answer(status, language, status >= 400, {(name,): value for name, value in values.items()})


PROBE = Probe("minimal", REQUEST, answer(count=3, request_id="a"), answer(count=3, request_id="b"))


def test_what_always_differs_is_no_difference() -> None:
    assert PROBE.difference(answer(count=3, request_id="c")) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (answer(401), ("status 200", "status 401")),
        (answer(language="de", count=3), ("the language None", "de")),
        (answer(count=4, request_id="c"), ("count 3", "4")),
        (answer(request_id="c"), ("count 3", "None")),
    ],
)
def test_a_difference_is_named(after: Answer, expected: tuple[str, str]) -> None:
    assert PROBE.difference(after) == expected


def test_an_answer_to_another_request_is_recognised() -> None:
    assert PROBE.has_become(answer(count=1, request_id="c"), answer(count=1, request_id="d"))


def test_a_list_with_new_records_is_not_the_other_answer() -> None:
    longer = answer(count=4, added="x", request_id="c")
    assert not PROBE.has_become(longer, longer)


def test_an_unchanged_answer_has_not_become_the_other() -> None:
    assert not PROBE.has_become(answer(count=3, request_id="c"), answer(count=3, request_id="d"))
