"""Registering people with flowapp: document lines 28 to 30."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.flowapp.dialect import (
    Row,
    addresses,
    ask,
    check_accepted,
    check_refused,
    create,
    data,
    generated,
    is_refused,
    person,
    register,
    registered,
    registrants,
)
from suites.flowapp.values import NAMES
from suites.readings import Observed

clause = pytest.mark.clause
NAMED = ("firstName", "lastName")
DOCUMENTED = {"email": "jessepinkman@breakingbad.com", "firstName": "Jesse", "lastName": "Pinkman"}


def listed(api: Api, token: str, who: Row) -> list[Row]:
    """The rows of that person in the list of that session, by e-mail address."""
    return [row for row in registrants(api, token) if row["email"].lower() == who["email"].lower()]


@clause("FLOWAPP-REG-1")
def test_the_documented_person_is_registered(api: Api) -> None:
    """What the document's example sends is accepted for a new event, and the person is in its list."""
    token = create(api)
    check_accepted(api, "registerPerson", register(api, token, DOCUMENTED), "FLOWAPP-REG-1")
    assert addresses(api, token) == [DOCUMENTED["email"]]


@clause("FLOWAPP-REG-2")
def test_a_registration_is_json_however_it_is_written(api: Api) -> None:
    """Generated people are registered alike from JSON in any order, escaped or not, under any spelling of its type."""
    written: list[Callable[[Row], bytes]] = [
        lambda body: json.dumps(body, ensure_ascii=False).encode(),
        lambda body: json.dumps(body, indent=2).encode(),
        lambda body: json.dumps(dict(reversed(body.items())), separators=(",", ":")).encode(),
    ]
    types = ["application/json", "application/json; charset=utf-8", "Application/JSON"]

    @generated
    @given(NAMES, st.sampled_from(written), st.sampled_from(types))
    def check(name: str, write: Callable[[Row], bytes], media_type: str) -> None:
        token = create(api)
        who = person(api, lastName=name)
        body = write({**who, "eventSessionToken": token})
        exchange = ask(api, "registerPerson", body=body, headers={"Content-Type": media_type})
        check_accepted(api, "registerPerson", exchange, "FLOWAPP-REG-2")
        assert [row.get("lastName", name) for row in listed(api, token, who)] == [name]

    check()


@clause("FLOWAPP-REG-3")
def test_names_are_kept_as_they_were_sent(api: Api) -> None:
    """People with generated names, in any script and with any punctuation, are listed under these names."""

    @generated
    @given(NAMES, NAMES)
    def check(first: str, last: str) -> None:
        token = create(api)
        who = registered(api, token, "FLOWAPP-REG-3", firstName=first, lastName=last)
        rows = listed(api, token, who)
        assert [{name: row[name] for name in NAMED if name in row} for row in rows] == [
            {name: who[name] for name in NAMED if name in row} for row in rows
        ]
        assert len(rows) == 1

    check()


@clause("FLOWAPP-REG-3")
def test_a_field_that_is_left_out_is_missed(api: Api, readings: Observed) -> None:
    """Without e-mail address or session nobody is registered; without a name neither, or all the same."""
    token = create(api)
    whole = {**person(api), "eventSessionToken": token}
    without = {name: {key: value for key, value in whole.items() if key != name} for name in whole}
    is_missed = {
        name: is_refused(api, "registerPerson", ask(api, "registerPerson", json=body)) for name, body in without.items()
    }
    assert (is_missed["email"], is_missed["eventSessionToken"]) == (True, True)
    names = [is_missed[name] for name in NAMED]
    readings.one_of("FLOWAPP-AMB-15", strict=all(names), lenient_names=not all(names))


@clause("FLOWAPP-REG-4")
def test_a_registration_without_a_key_is_kept_or_refused(api: Api, readings: Observed) -> None:
    """Somebody registered without a key is listed; somebody refused is not."""
    token = create(api)
    who = person(api)
    is_open = not is_refused(api, "registerPerson", register(api, token, who, credentials="none"))
    readings.one_of("FLOWAPP-AMB-4", open=is_open, keyed=not is_open)
    assert len(listed(api, token, who)) == int(is_open)


@clause("FLOWAPP-REG-5")
def test_whoever_is_registered_is_listed_at_once(api: Api, readings: Observed) -> None:
    """After each of several registrations the list holds all who were registered so far."""
    token = create(api)
    so_far: list[str] = []
    for _ in range(4):
        so_far.append(registered(api, token)["email"].lower())
        is_there = addresses(api, token) == sorted(so_far)
        if not is_there and readings.is_in_force("FLOWAPP-AMB-21", "eventual"):
            raise Lacking("registrations are taken to be listed later, and the document does not say when")
        assert is_there, f"expected {sorted(so_far)} in the list, got {addresses(api, token)}"
    readings.saw("FLOWAPP-AMB-21", "immediate")


@clause("FLOWAPP-REG-5")
def test_people_registered_together_are_all_listed(api: Api) -> None:
    """Of eight people registered at the same time nobody is lost."""
    token = create(api)
    people = [person(api) for _ in range(8)]

    def sends(who: Row) -> Callable[[Api], Any]:
        return lambda one: register(one, token, who)

    for exchange in api.together([sends(who) for who in people]):
        check_accepted(api, "registerPerson", exchange)
    assert addresses(api, token) == sorted(who["email"].lower() for who in people)


@clause("FLOWAPP-REG-5")
def test_a_second_registration_has_one_of_three_meanings(api: Api, readings: Observed) -> None:
    """The same person once more is refused, is known already, or is a registrant of its own; the list agrees."""
    token = create(api)
    who = registered(api, token)
    second = register(api, token, who)
    was_refused = is_refused(api, "registerPerson", second)
    answer = data(second) if not was_refused else {}
    is_new = answer.get("isNew") if isinstance(answer, dict) else None
    times = len(listed(api, token, who))
    readings.one_of(
        "FLOWAPP-AMB-14",
        refused=was_refused and times == 1,
        idempotent=not was_refused and times == 1 and not is_new,
        duplicated=not was_refused and times == 2 and is_new in (None, 1),
    )


@clause("FLOWAPP-REG-2")
def test_a_body_that_is_cut_off_is_refused(api: Api) -> None:
    """The first part of a registration's JSON, of any length, and more behind the whole register nobody."""
    token = create(api)
    who = person(api, lastName="Å")
    whole = json.dumps({**who, "eventSessionToken": token}, ensure_ascii=False).encode()

    @generated
    @given(st.integers(0, len(whole) - 1).map(lambda end: whole[:end]) | st.just(whole + b"}"))
    def check(body: bytes) -> None:
        exchange = ask(api, "registerPerson", body=body, headers={"Content-Type": "application/json"})
        check_refused(api, "registerPerson", exchange, "FLOWAPP-REG-2")

    check()
    assert listed(api, token, who) == []


@clause("FLOWAPP-REG-3", "FLOWAPP-CAP-2")
def test_whoever_is_refused_is_not_listed(api: Api) -> None:
    """A registration with a generated address that is none is refused, and the list stays as it was."""
    not_text = st.integers(1) | st.booleans() | st.none() | st.lists(NAMES, max_size=2)

    @generated
    @given(NAMES.filter(lambda word: "@" not in word) | not_text)
    def check(address: Any) -> None:
        token = create(api)
        exchange = register(api, token, person(api, email=address))
        check_refused(api, "registerPerson", exchange, "FLOWAPP-REG-3")
        assert addresses(api, token) == []

    check()
