"""Creating an event with flowapp: document lines 11 and 36."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowapp.dialect import ask, check_accepted, create, event, events, generated, is_refused, new_event
from suites.flowapp.values import TITLES, ZONES
from suites.readings import Observed

clause = pytest.mark.clause
KEPT = st.fixed_dictionaries(
    {
        "title": TITLES,
        "description": TITLES,
        "date": st.dates().map(lambda day: day.replace(year=2030 + day.year % 9, day=min(day.day, 28)).isoformat()),
        "time": st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
        "timezone": st.sampled_from(ZONES),
    },
    optional={
        "duration": st.integers(1, 96).map(lambda quarters: quarters / 4),
        "earlyAccessPeriod": st.integers(0, 1440),
        "published": st.booleans(),
        "videoRecord": st.booleans(),
        "onDemandReplays": st.booleans(),
    },
)
REQUIRED = ("creatorID", "title", "description", "date", "time", "timezone", "operators")


@clause("FLOWAPP-EVC-1")
def test_an_event_is_kept_as_it_was_sent(api: Api) -> None:
    """Generated events are read back with the members that were sent, in the list and alone."""

    @generated
    @given(KEPT)
    def check(members: dict[str, Any]) -> None:
        token = create(api, "FLOWAPP-EVC-1", **members)
        listed = [row for row in events(api) if row["token"] == token]
        for row in (event(api, token, "FLOWAPP-EVC-1"), *listed):
            told = {name: row[name] for name in members if name in row}
            assert told == {name: members[name] for name in told}

    check()


@clause("FLOWAPP-EVC-1")
def test_a_refused_creation_leaves_nothing(api: Api, readings: Observed) -> None:
    """Without one of the required members a creation is refused and nothing of it is listed, or it is filled in."""
    left = set()
    for name in REQUIRED:
        body = {key: value for key, value in new_event(api, title=api.unique("Refused ")).items() if key != name}
        if not is_refused(api, "createEvent", ask(api, "createEvent", json=body)):
            readings.saw("FLOWAPP-AMB-6", "forgiving")
        elif "title" in body:
            left.add(body["title"])
    assert left & {row.get("title") for row in events(api)} == set()
    if "FLOWAPP-AMB-6" not in readings.seen:
        readings.saw("FLOWAPP-AMB-6", "public_table")


@clause("FLOWAPP-EVC-1")
def test_creations_are_events_of_their_own(api: Api) -> None:
    """Eight equal creations at once make eight events."""
    body = new_event(api)
    made = api.together([lambda one: ask(one, "createEvent", json=body)] * 8)
    for exchange in made:
        check_accepted(api, "createEvent", exchange)
    assert [row.get("title") for row in events(api)].count(body["title"]) == 8
