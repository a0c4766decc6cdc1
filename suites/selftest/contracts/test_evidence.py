"""Tests of what two observations show together, and of what an observation shows too little of to be a change."""

from __future__ import annotations

import pytest

from contracts.behaviour.behaviour import Address, Behaviour, Family, share
from contracts.behaviour.evidence import completed, settled


def at(family: Family, place: str, answer: str = "200") -> Address:
    return Address("GET /tasks", answer, family, place)


ROOT = {at("kind", "/"): Behaviour("object", 5, 5)}
ENTRY = {at("kind", "/tasks/*"): Behaviour("object", 5, 5), at("presence", "/tasks/*/id"): share(5, 5)}


def test_entries_of_an_empty_list_are_not_missing() -> None:
    first, second = completed({**ROOT, **ENTRY}, ROOT)
    assert {it: value.value for it, value in first.items()} == {it: value.value for it, value in second.items()}


def test_what_was_not_seen_counts_for_nothing() -> None:
    _, second = completed({**ROOT, **ENTRY}, ROOT)
    assert second[at("presence", "/tasks/*/id")] == Behaviour("always", 0, 0)


def test_a_member_of_an_object_that_was_seen_is_missing() -> None:
    _, second = completed({**ROOT, at("presence", "/total"): share(5, 5)}, ROOT)
    assert at("presence", "/total") not in second


def test_a_header_of_an_answer_that_was_seen_is_missing() -> None:
    _, second = completed({at("header", "etag"): share(5, 5)}, {at("header", "vary"): share(5, 5)})
    assert at("header", "etag") not in second


def test_a_header_of_an_answer_that_was_not_seen_is_not_missing() -> None:
    _, second = completed({at("header", "etag", "404"): share(5, 5)}, {at("header", "vary"): share(5, 5)})
    assert at("header", "etag", "404") in second


@pytest.mark.parametrize(
    ("family", "value", "other", "both"),
    [
        ("kind", "text", "number or text", ("number or text", "number or text")),
        ("kind", "text", "number", ("text", "number")),
        ("length", "0 or 1", "1 or more", ("0 or 1 or more", "0 or 1 or more")),
        ("members", "a, c", "a, b, c", ("a, b, c", "a, b, c")),
        ("members", "a, b", "b, a", ("a, b", "b, a")),
        ("order", "up by id", "none", ("none", "none")),
        ("order", "up by id", "up by at, up by id", ("up by id", "up by id")),
        ("outcome", "200", "404", ("200", "404")),
    ],
)
def test_two_observations_know_what_either_has_seen(
    family: Family, value: str, other: str, both: tuple[str, str]
) -> None:
    first, second = completed({at(family, "/"): Behaviour(value, 2, 2)}, {at(family, "/"): Behaviour(other, 2, 2)})
    assert (first[at(family, "/")].value, second[at(family, "/")].value) == both


@pytest.mark.parametrize(
    ("family", "known", "observed", "total", "settled_value"),
    [
        ("form", "date or empty", "date", 3, "date or empty"),
        ("form", "date or empty", "date", 40, "date"),
        ("form", "date", "date or empty", 3, "date or empty"),
        ("length", "0 or 1", "1", 400, "0 or 1"),
        ("access", "401", "200", 1, "200"),
        ("outcome", "200", "404", 1, "404"),
        ("walk", "as sent", "404", 1, "404"),
    ],
)
def test_few_sightings_of_a_part_are_no_change(
    family: Family, known: str, observed: str, total: int, settled_value: str
) -> None:
    address = at(family, "/")
    shown = settled({address: Behaviour(known)}, {address: Behaviour(observed, total, total)})
    assert shown[address].value == settled_value
