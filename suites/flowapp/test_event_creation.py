"""Creating an event with flowapp: document lines 11 and 36."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    check_accepted,
    create_event,
    event,
    event_body,
    event_tokens,
    events,
    few_examples,
    is_refused,
    response_data,
    send,
)
from suites.flowapp.strategies import TIMEZONES, TITLES
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("stale")

clause = pytest.mark.clause
EVENT_MEMBERS = st.fixed_dictionaries(
    {
        "title": TITLES,
        "description": TITLES,
        "date": st.dates().map(lambda day: day.replace(year=2030 + day.year % 9, day=min(day.day, 28)).isoformat()),
        "time": st.times().map(lambda time: time.replace(microsecond=0).isoformat()),
        "timezone": st.sampled_from(TIMEZONES),
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


@clause("FLOWAPP-EVC-3")
def test_an_event_is_stored_as_it_was_sent(api: Api) -> None:
    """Generated events are read back with the members that were sent, in the list and alone."""

    @few_examples
    @given(EVENT_MEMBERS)
    def check(members: dict[str, Any]) -> None:
        token = create_event(api, **members)
        rows = [event(api, token), *(row for row in events(api) if row["token"] == token)]
        shown = [{name: row[name] for name in members if name in row} for row in rows]
        if not any(shown):
            raise MissingPrecondition("events are shown without any member of their creation")
        assert shown == [{name: members[name] for name in of_row} for of_row in shown]

    check()


@clause("FLOWAPP-EVC-3")
def test_a_refused_creation_leaves_nothing(api: Api, readings: ObservedReadings) -> None:
    """A creation without a required member is refused and creates nothing, or the member is filled in."""
    refused_titles = []
    for name in REQUIRED:
        body = {key: value for key, value in event_body(api, title=api.unique_text("Refused ")).items() if key != name}
        if not is_refused(api, "createEvent", send(api, "createEvent", json=body)):
            readings.record_meaning("FLOWAPP-AMB-6", "forgiving")
        elif "title" in body:
            refused_titles.append(body["title"])
    listed_titles = [row.get("title") for row in events(api)]
    assert [title for title in refused_titles if title in listed_titles] == []
    if "FLOWAPP-AMB-6" not in readings.seen:
        readings.record_meaning("FLOWAPP-AMB-6", "public_table")


@clause("FLOWAPP-EVC-1")
def test_equal_creations_create_separate_events(api: Api) -> None:
    """Eight equal creations at once create eight events."""
    body = event_body(api)
    exchanges = api.send_concurrently([lambda client: send(client, "createEvent", json=body)] * 8)
    created = [response_data(check_accepted(api, "createEvent", exchange)) for exchange in exchanges]
    tokens = {row["token"] for row in created if isinstance(row, dict) and "token" in row}
    if not tokens:
        raise MissingPrecondition("the response to a creation has no token, so the events cannot be told apart")
    assert len(tokens & set(event_tokens(api))) == 8
