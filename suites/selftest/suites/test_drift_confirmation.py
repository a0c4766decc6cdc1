"""Facts about what two observations of an operation confirm: a change is what both show."""

from __future__ import annotations

import pytest

from contracts.behaviour.behaviour import Address, Behaviour, share
from reports.drift.record import Record
from suites.drift.confirmation import confirm

RECORD = Record(
    header=None,  # type: ignore[arg-type]
    steady={Address("x", "", "outcome", "q"): Behaviour("200"), Address("x", "200", "kind", "/a"): Behaviour("text")},
    unsteady={},
)
OUTCOME, KIND = RECORD.steady


@pytest.mark.parametrize(
    ("first", "second", "value", "flips"),
    [("404", "404", "404", 0), ("404", "200", "200", 1), ("404", "500", "200", 1), ("200", "404", "200", 0)],
)
def test_only_what_is_seen_twice_is_a_change(first: str, second: str, value: str, flips: int) -> None:
    confirmed = confirm(RECORD, {OUTCOME: Behaviour(first, 1, 1)}, {OUTCOME: Behaviour(second, 1, 1)}, None)
    assert (confirmed.behaviours[OUTCOME].value, len(confirmed.flipped)) == (value, flips)


def test_what_was_not_asked_again_stays() -> None:
    first = {OUTCOME: Behaviour("404", 1, 1), KIND: Behaviour("number", 1, 1)}
    confirmed = confirm(RECORD, first, {OUTCOME: Behaviour("200", 1, 1)}, {"q"})
    assert (confirmed.behaviours[KIND].value, confirmed.flipped) == ("number", (OUTCOME,))


SHARE = Address("x", "404", "presence", "/code")
ALWAYS, SOMETIMES = share(20, 20), share(4, 5)


@pytest.mark.parametrize(
    ("known", "first", "second", "expected", "flips"),
    [
        (ALWAYS, SOMETIMES, share(4, 4), ALWAYS, 1),
        (ALWAYS, SOMETIMES, SOMETIMES, share(8, 10), 0),
        (ALWAYS, SOMETIMES, share(0, 4), share(4, 9), 0),
        (ALWAYS, share(0, 5), share(0, 4), share(0, 5), 0),
        (share(0, 20), SOMETIMES, share(0, 4), share(0, 20), 1),
        (share(18, 20), share(5, 5), SOMETIMES, share(9, 10), 0),
    ],
)
def test_what_was_always_or_never_so_is_so_at_times_when_both_observations_show_it(
    known: Behaviour, first: Behaviour, second: Behaviour, expected: Behaviour, flips: int
) -> None:
    record = Record(header=None, steady={SHARE: known}, unsteady={})  # type: ignore[arg-type]
    confirmed = confirm(record, {SHARE: first}, {SHARE: second}, None)
    assert (confirmed.behaviours[SHARE], len(confirmed.flipped)) == (expected, flips)


@pytest.mark.parametrize(
    ("value", "named"), [("404", {OUTCOME}), ("404 text/html", {OUTCOME}), ("400", {OUTCOME, SHARE})]
)
def test_what_an_answer_that_flipped_had_in_it_is_not_named(value: str, named: set[Address]) -> None:
    record = Record(header=None, steady={**RECORD.steady, SHARE: ALWAYS}, unsteady={})  # type: ignore[arg-type]
    first = {OUTCOME: Behaviour(value, 1, 1), KIND: RECORD.steady[KIND], SHARE: SOMETIMES}
    second = {**first, OUTCOME: Behaviour("200", 1, 1), SHARE: share(4, 4)}
    assert set(confirm(record, first, second, None).flipped) == named


def test_a_member_that_is_missing_once_has_flipped() -> None:
    confirmed = confirm(RECORD, {}, {KIND: Behaviour("text", 1, 1)}, None)
    assert confirmed.behaviours[KIND].value == "text"
