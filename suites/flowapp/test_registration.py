"""Registering people with flowapp: document lines 28 to 30."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    Record,
    check_accepted,
    check_refused,
    create_event,
    few_examples,
    is_refused,
    new_person,
    register,
    register_new_person,
    registered_emails,
    registrants,
    response_data,
    send,
)
from suites.flowapp.strategies import NAMES
from suites.observed_readings import ObservedReadings
from suites.preparations import preparation

pytestmark = pytest.mark.bug_kind("stale")

clause = pytest.mark.clause
NAME_MEMBERS = ("firstName", "lastName")
PLAIN_NAME = "Pinkman"
DISTANT_ZONES = ("America/New_York", "Asia/Kathmandu")
DOCUMENTED = {"email": "jessepinkman@breakingbad.com", "firstName": "Jesse", "lastName": "Pinkman"}


def rows_of_person(api: Api, token: str, registrant: Record) -> list[Record]:
    """The rows of that person in the session's list of registrants, by e-mail address."""
    return [row for row in registrants(api, token) if row["email"].lower() == registrant["email"].lower()]


@clause("FLOWAPP-REG-1")
def test_the_documented_person_is_registered(api: Api) -> None:
    """The document's example is accepted for a new event, and the person is listed."""
    token = create_event(api)
    check_accepted(api, "registerPerson", register(api, token, DOCUMENTED), "FLOWAPP-REG-1")
    assert registered_emails(api, token) == [DOCUMENTED["email"]]


@pytest.mark.parametrize(
    "media_type",
    [
        pytest.param("application/json", marks=clause("FLOWAPP-REG-2")),
        pytest.param("application/json; charset=utf-8", marks=clause("FLOWAPP-REG-6")),
        pytest.param("Application/JSON", marks=clause("FLOWAPP-REG-6")),
    ],
)
def test_a_registration_is_read_from_any_json(api: Api, media_type: str) -> None:
    """A registration is read from JSON in any member order, escaped or not, under any spelling of its media type."""
    blamed = "FLOWAPP-REG-2" if media_type == "application/json" else "FLOWAPP-REG-6"
    encoders: list[Callable[[Record], bytes]] = [
        lambda body: json.dumps(body, ensure_ascii=False).encode(),
        lambda body: json.dumps(body, indent=2).encode(),
        lambda body: json.dumps(dict(reversed(body.items())), separators=(",", ":")).encode(),
    ]

    def check_encoder(name: str, encode: Callable[[Record], bytes]) -> None:
        token = create_event(api)
        registrant = new_person(api, lastName=name)
        body = encode({**registrant, "eventSessionToken": token})
        exchange = send(api, "registerPerson", body=body, headers={"Content-Type": media_type})
        if name != PLAIN_NAME and is_refused(api, "registerPerson", exchange):
            return  # which names are accepted is not said (FLOWAPP-AMB-15)
        check_accepted(api, "registerPerson", exchange, blamed)
        assert [row.get("lastName", name) for row in rows_of_person(api, token, registrant)] == [name]

    for encode in encoders:
        check_encoder(PLAIN_NAME, encode)
    few_examples(given(NAMES, st.sampled_from(encoders))(check_encoder))()


@clause("FLOWAPP-REG-3")
def test_names_are_stored_as_they_were_sent(api: Api) -> None:
    """People with generated names, in any script, are listed under these names."""

    @few_examples
    @example(PLAIN_NAME, PLAIN_NAME)
    @given(NAMES, NAMES)
    def check(first: str, last: str) -> None:
        token = create_event(api)
        registrant = new_person(api, firstName=first, lastName=last)
        registration = register(api, token, registrant)
        if {first, last} != {PLAIN_NAME} and is_refused(api, "registerPerson", registration):
            return  # which names are accepted is not said (FLOWAPP-AMB-15)
        check_accepted(api, "registerPerson", registration, "FLOWAPP-REG-3")
        rows = rows_of_person(api, token, registrant)
        assert [{name: row[name] for name in NAME_MEMBERS if name in row} for row in rows] == [
            {name: registrant[name] for name in NAME_MEMBERS if name in row} for row in rows
        ]
        assert len(rows) == 1

    check()


@clause("FLOWAPP-REG-5")
@pytest.mark.bug_kind("comparison")
def test_people_whose_addresses_differ_a_little_are_all_listed(api: Api) -> None:
    """Addresses that differ in a dot, behind a plus sign or in the domain are listed for each registered person."""
    token, name = create_event(api), api.unique_text("guest-")
    local_parts = [f"{name}", f"{name[:-1]}.{name[-1:]}", f"{name}+flow", f"{name}+two"]
    addresses = [*(f"{local_part}@example.com" for local_part in local_parts), f"{name}@example.org"]
    registered = []
    for address in addresses:
        exchange = register(api, token, new_person(api, email=address))
        if not is_refused(api, "registerPerson", exchange):
            check_accepted(api, "registerPerson", exchange, "FLOWAPP-REG-1")
            registered.append(address)
    assert registered_emails(api, token) == sorted(registered)


@clause("FLOWAPP-REG-8")
@pytest.mark.bug_kind("clock")
def test_a_registration_shows_the_start_of_its_event(api: Api) -> None:
    """The date, time and time zone in the response are those of the event, whatever its zone."""
    compared = 0
    for zone in DISTANT_ZONES:
        members = {"date": "2040-07-20", "time": "00:30:00", "timezone": zone}
        token = create_event(api, **members)
        with preparation(api, "a registration"):
            exchange = check_accepted(api, "registerPerson", register(api, token, new_person(api)))
        person = response_data(exchange)
        shown = {name: person[name] for name in members if name in person}
        compared += len(shown)
        assert shown == {name: members[name] for name in shown}
    if not compared:
        raise MissingPrecondition("responses to registrations have neither date nor time")


@clause("FLOWAPP-REG-7")
def test_email_and_session_are_required(api: Api, readings: ObservedReadings) -> None:
    """A registration without e-mail address or session is refused; without a name it is refused or accepted."""
    token = create_event(api)
    complete = {**new_person(api), "eventSessionToken": token}
    incomplete = {name: {key: value for key, value in complete.items() if key != name} for name in complete}
    is_missed = {
        name: is_refused(api, "registerPerson", send(api, "registerPerson", json=body))
        for name, body in incomplete.items()
    }
    assert (is_missed["email"], is_missed["eventSessionToken"]) == (True, True)
    names = [is_missed[name] for name in NAME_MEMBERS]
    readings.observe("FLOWAPP-AMB-15", strict=all(names), lenient_names=not all(names))


@clause("FLOWAPP-REG-4")
def test_a_registration_without_a_key_is_stored_or_refused(api: Api, readings: ObservedReadings) -> None:
    """A person registered without a key is listed, or the registration is refused and nobody is listed."""
    token = create_event(api)
    registrant = new_person(api)
    is_open = not is_refused(api, "registerPerson", register(api, token, registrant, credentials="none"))
    readings.observe("FLOWAPP-AMB-4", open=is_open, keyed=not is_open)
    assert len(rows_of_person(api, token, registrant)) == int(is_open)


@clause("FLOWAPP-REG-5")
def test_whoever_is_registered_is_listed_at_once(api: Api, readings: ObservedReadings) -> None:
    """After each of several registrations the list contains everybody registered so far."""
    token = create_event(api)
    registered_so_far: list[str] = []
    for _ in range(4):
        registered_so_far.append(register_new_person(api, token)["email"].lower())
        all_listed = registered_emails(api, token) == sorted(registered_so_far)
        if not all_listed and readings.is_allowed("FLOWAPP-AMB-21", "eventual"):
            raise MissingPrecondition(
                "this run assumes that registrations are listed later, and the document does not say when"
            )
        assert all_listed, f"expected {sorted(registered_so_far)} in the list, got {registered_emails(api, token)}"
    readings.record_meaning("FLOWAPP-AMB-21", "immediate")


@clause("FLOWAPP-REG-5")
def test_people_registered_together_are_all_listed(api: Api) -> None:
    """Of eight people registered at the same time all are listed."""
    token = create_event(api)
    people = [new_person(api) for _ in range(8)]

    def registration(registrant: Record) -> Callable[[Api], Any]:
        return lambda client: register(client, token, registrant)

    for exchange in api.send_concurrently([registration(registrant) for registrant in people]):
        check_accepted(api, "registerPerson", exchange)
    assert registered_emails(api, token) == sorted(registrant["email"].lower() for registrant in people)


@clause("FLOWAPP-REG-5")
def test_a_second_registration_follows_a_reading(api: Api, readings: ObservedReadings) -> None:
    """A second registration of a person is refused, is known already, or adds a registrant; the list agrees."""
    token = create_event(api)
    registrant = register_new_person(api, token)
    second = register(api, token, registrant)
    was_refused = is_refused(api, "registerPerson", second)
    data = response_data(second) if not was_refused else {}
    is_new = data.get("isNew") if isinstance(data, dict) else None
    times = len(rows_of_person(api, token, registrant))
    readings.one_of(
        "FLOWAPP-AMB-14",
        refused=was_refused and times == 1,
        idempotent=not was_refused and times == 1 and not is_new,
        duplicated=not was_refused and times == 2 and is_new in (None, 1),
    )


@clause("FLOWAPP-GEN-5")
def test_a_truncated_body_is_refused(api: Api) -> None:
    """A truncated JSON body, and one followed by more text, are refused and register nobody."""
    token = create_event(api)
    registrant = new_person(api, lastName="Å")
    complete = json.dumps({**registrant, "eventSessionToken": token}, ensure_ascii=False).encode()

    @few_examples
    @given(st.integers(0, len(complete) - 1).map(lambda end: complete[:end]) | st.just(complete + b"}"))
    def check(body: bytes) -> None:
        exchange = send(api, "registerPerson", body=body, headers={"Content-Type": "application/json"})
        check_refused(api, "registerPerson", exchange, "FLOWAPP-GEN-5")

    check()
    assert rows_of_person(api, token, registrant) == []


@clause("FLOWAPP-REG-7", "FLOWAPP-CAP-2")
def test_whoever_is_refused_is_not_listed(api: Api) -> None:
    """A registration with an invalid e-mail address is refused, and nobody is listed."""
    not_text = st.integers(1) | st.booleans() | st.none() | st.lists(NAMES, max_size=2)

    @few_examples
    @given(NAMES.filter(lambda name: "@" not in name) | not_text)
    def check(address: Any) -> None:
        token = create_event(api)
        exchange = register(api, token, new_person(api, email=address))
        check_refused(api, "registerPerson", exchange, "FLOWAPP-REG-7")
        assert registered_emails(api, token) == []

    check()
