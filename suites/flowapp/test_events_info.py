"""One event of flowapp: document lines 21 to 25."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.flowapp.dialect import (
    Row,
    accept,
    ask,
    create,
    event,
    events,
    generated,
    is_refused,
    operators,
    registered,
)
from suites.flowapp.values import TITLES
from suites.readings import Observed

clause = pytest.mark.clause
NAMING = ("token", "eventToken", "title", "date", "time", "timezone")


def named(row: Row, like: Row) -> Row:
    """The members that tell an event from others, as far as the other has them too."""
    return {name: row.get(name) for name in NAMING if name in row and name in like}


@clause("FLOWAPP-INFO-1")
def test_an_event_is_the_one_that_is_listed(api: Api) -> None:
    """Each listed event, asked for by its token, is the same event."""
    listed = events(api)
    if not listed:
        raise Lacking("the account has no event")

    @generated
    @given(st.sampled_from(listed))
    def check(row: Row) -> None:
        found = event(api, row["token"], "FLOWAPP-INFO-1")
        assert named(found, row) == named(row, found)

    check()


@clause("FLOWAPP-INFO-1")
def test_new_events_are_told_apart(api: Api) -> None:
    """Two new events with generated titles are each answered with their own title."""

    @generated
    @given(TITLES, TITLES)
    def check(one: str, other: str) -> None:
        made = {create(api, title=title): title for title in (one, other)}
        assert {token: event(api, token).get("title", title) for token, title in made.items()} == made

    check()


@clause("FLOWAPP-INFO-1")
def test_the_path_takes_the_listed_token(api: Api, readings: Observed) -> None:
    """An event is asked for by its token, or by its eventToken."""
    token = create(api)
    row = next((row for row in events(api) if row["token"] == token), {})
    by_session = not is_refused(api, "getEvent", ask(api, "getEvent", {"sessionToken": token}))
    other = row.get("eventToken")
    by_event = bool(other) and not is_refused(api, "getEvent", ask(api, "getEvent", {"sessionToken": other}))
    readings.one_of("FLOWAPP-AMB-11", session_token=by_session, event_token=by_event)


@clause("FLOWAPP-INFO-2")
def test_the_second_way_needs_no_key(api: Api, readings: Observed) -> None:
    """The public view of an event is served without a key, or with one only."""
    path = {"sessionToken": create(api)}
    is_open = not is_refused(api, "getPublicEvent", ask(api, "getPublicEvent", path, credentials="none"))
    is_keyed = not is_refused(api, "getPublicEvent", ask(api, "getPublicEvent", path))
    readings.one_of("FLOWAPP-AMB-5", keyed_and_public=is_open, both_keyed=is_keyed)


@clause("FLOWAPP-INFO-2")
def test_the_public_view_is_of_the_same_event(api: Api) -> None:
    """A new event with a generated title looks the same from outside."""

    @generated
    @given(TITLES)
    def check(title: str) -> None:
        token = create(api, title=title)
        found = accept(api, "getPublicEvent", {"sessionToken": token}, "FLOWAPP-INFO-2", credentials="none")
        whole = event(api, token)
        assert found["token"] == token
        assert named(found, whole) == named(whole, found)

    check()


@clause("FLOWAPP-INFO-2")
def test_the_public_view_shows_nobody(api: Api) -> None:
    """Neither the operators of a new event nor who registered for it are in its public view."""
    host = operators(api)[0]
    token = create(api, creatorID=host["id"])
    who = registered(api, token)
    exchange = ask(api, "getPublicEvent", {"sessionToken": token}, credentials="none")
    assert not is_refused(api, "getPublicEvent", exchange)
    text = exchange.answer.text().lower()
    assert [one for one in (host.get("email"), who["email"]) if one and one.lower() in text] == []
