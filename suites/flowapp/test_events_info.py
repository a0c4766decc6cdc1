"""One event of flowapp: document lines 21 to 25."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    Record,
    accepted_data,
    create_event,
    event,
    events,
    few_examples,
    is_refused,
    operators,
    register_new_person,
    send,
)
from suites.flowapp.strategies import TITLES
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
IDENTIFYING_MEMBERS = ("token", "eventToken", "title", "date", "time", "timezone")


def identifying_members(row: Record, other: Record) -> Record:
    """The identifying members of the event that the other one has, too."""
    return {name: row.get(name) for name in IDENTIFYING_MEMBERS if name in row and name in other}


@clause("FLOWAPP-INFO-1")
def test_an_event_is_the_one_that_is_listed(api: Api) -> None:
    """Each listed event, requested by its token, is the same event."""
    listed = events(api)
    if not listed:
        raise MissingPrecondition("the account has no event")

    @few_examples
    @given(st.sampled_from(listed))
    def check(row: Record) -> None:
        shown = event(api, row["token"], "FLOWAPP-INFO-1")
        assert identifying_members(shown, row) == identifying_members(row, shown)

    check()


@clause("FLOWAPP-INFO-1")
def test_new_events_are_distinguished(api: Api) -> None:
    """Two new events with generated titles are each returned with their own title."""

    @few_examples
    @given(TITLES, TITLES)
    def check(first_title: str, second_title: str) -> None:
        titles = {create_event(api, title=title): title for title in (first_title, second_title)}
        assert {token: event(api, token).get("title", title) for token, title in titles.items()} == titles

    check()


@clause("FLOWAPP-INFO-3")
def test_the_path_takes_the_listed_token(api: Api, readings: ObservedReadings) -> None:
    """An event is requested by its session token or by its event token."""
    token = create_event(api)
    row = next((row for row in events(api) if row["token"] == token), {})
    by_session = not is_refused(api, "getEvent", send(api, "getEvent", {"sessionToken": token}))
    event_token = row.get("eventToken")
    by_event = bool(event_token) and not is_refused(
        api, "getEvent", send(api, "getEvent", {"sessionToken": event_token})
    )
    readings.one_of("FLOWAPP-AMB-11", session_token=by_session, event_token=by_event)


@clause("FLOWAPP-INFO-4")
def test_the_public_view_needs_no_key_or_the_key(api: Api, readings: ObservedReadings) -> None:
    """The public view of an event is served without a key, or with one only."""
    path = {"sessionToken": create_event(api)}
    is_open = not is_refused(api, "getPublicEvent", send(api, "getPublicEvent", path, credentials="none"))
    is_keyed = not is_refused(api, "getPublicEvent", send(api, "getPublicEvent", path))
    readings.one_of("FLOWAPP-AMB-5", keyed_and_public=is_open, both_keyed=is_keyed)


@clause("FLOWAPP-INFO-4")
def test_the_public_view_is_of_the_same_event(api: Api) -> None:
    """The public view of a new event shows the same event."""

    @few_examples
    @given(TITLES)
    def check(title: str) -> None:
        token = create_event(api, title=title)
        public = accepted_data(api, "getPublicEvent", {"sessionToken": token}, "FLOWAPP-INFO-4", credentials="none")
        private = event(api, token)
        assert public["token"] == token
        assert identifying_members(public, private) == identifying_members(private, public)

    check()


@clause("FLOWAPP-INFO-4")
def test_the_public_view_shows_nobody(api: Api) -> None:
    """The public view of an event shows neither its operators' nor its registrants' e-mail addresses."""
    host = operators(api)[0]
    token = create_event(api, creatorID=host["id"])
    registrant = register_new_person(api, token)
    exchange = send(api, "getPublicEvent", {"sessionToken": token}, credentials="none")
    assert not is_refused(api, "getPublicEvent", exchange)
    text = exchange.response.text().lower()
    assert [email for email in (host.get("email"), registrant["email"]) if email and email.lower() in text] == []
