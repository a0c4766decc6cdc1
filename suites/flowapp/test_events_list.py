"""The list of events of flowapp: document lines 17 to 19."""

from __future__ import annotations

from datetime import UTC, datetime
from string import ascii_letters
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    PERIODS,
    Record,
    check_accepted,
    create_event,
    each_period,
    event,
    event_tokens,
    events,
    few_examples,
    is_refused,
    response_data,
    send,
)
from suites.flowapp.strategies import EVENT_TIMES, EventTime, period_of, telling_zones
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("clock")

clause = pytest.mark.clause
WITH_ANALYTICS = {"simple_analytics": 1}


@clause("FLOWAPP-LIST-5")
def test_listed_tokens_name_events(api: Api) -> None:
    """Every listed token opens an event with that token."""
    listed = event_tokens(api)
    if not listed:
        raise MissingPrecondition("the account has no event")

    assert event(api, listed[0])["token"] == listed[0]

    @few_examples
    @example(listed[-1])
    @given(st.sampled_from(listed))
    def check(token: str) -> None:
        exchange = send(api, "getEvent", {"sessionToken": token})
        assert not is_refused(api, "getEvent", exchange), f"the listed token {token} names no event"
        assert response_data(exchange)["token"] == token

    check()


@pytest.mark.bug_kind("comparison")
@each_period
def test_a_period_lists_the_events_that_are_in_it(api: Api, period: str) -> None:
    """A new event, in any time zone and at any distance from now, is listed for a period exactly if it is in it."""

    def check(event_time: EventTime) -> bool:
        members = event_time.event_members(datetime.now(UTC))
        if members is None:
            return False
        token = create_event(api, **members)
        is_listed = token in event_tokens(api, {"period": period}, PERIODS[period])
        assert is_listed == (event_time.period == period), f"{event_time.period}, {members}"
        return True

    for zone in telling_zones(datetime.now(UTC)):
        for other_period in PERIODS:
            check(EventTime(other_period, 1, 3, zone))

    @few_examples
    @given(EVENT_TIMES)
    def check_any(event_time: EventTime) -> None:
        assume(check(event_time))

    check_any()


@each_period
def test_listed_times_agree_with_the_period(api: Api, period: str) -> None:
    """A period lists exactly the events whose date, time, time zone and duration put them in it."""
    now = datetime.now(UTC)
    expected = {row["token"]: period_of_event for row in events(api) if (period_of_event := period_of(row, now))}
    if not expected:
        raise MissingPrecondition("no listed event says when it takes place")
    listed = set(event_tokens(api, {"period": period}, PERIODS[period]))
    assert {token for token, other in expected.items() if other == period} == listed & expected.keys()


@clause("FLOWAPP-LIST-4")
def test_a_period_of_another_name_is_refused_or_ignored(api: Api, readings: ObservedReadings) -> None:
    """A period of an unknown name is refused, or all events are listed."""

    @few_examples
    @given(st.text(ascii_letters, min_size=3, max_size=12).filter(lambda name: name.lower() not in PERIODS))
    def check(name: str) -> None:
        before = event_tokens(api)
        exchange = send(api, "listEvents", query={"period": name})
        is_served = not is_refused(api, "listEvents", exchange)
        listed = [row["token"] for row in response_data(exchange)] if is_served else []
        lists_all = is_served and _is_list_between(before, listed, event_tokens(api))
        readings.one_of("FLOWAPP-AMB-9", refused=not is_served, ignored=lists_all)

    check()


@clause("FLOWAPP-LIST-2", "FLOWAPP-LIST-3")
def test_the_documented_request_is_served(api: Api) -> None:
    """The events are listed with the parameters of the document's example, together and each alone."""
    for query in ({"period": "current", **WITH_ANALYTICS}, {"period": "current"}, WITH_ANALYTICS):
        blamed = "FLOWAPP-LIST-3" if "simple_analytics" in query else "FLOWAPP-LIST-2"
        check_accepted(api, "listEvents", send(api, "listEvents", query=query), blamed)


@clause("FLOWAPP-LIST-6")
def test_analytics_change_nothing_else(api: Api) -> None:
    """With simple_analytics the rows are the same except for analytics, with and without a period."""
    create_event(api)  # nobody has registered for it

    @few_examples
    @example(None, False)
    @example("current", False)
    @given(st.sampled_from([None, *PERIODS]), st.booleans())
    def check(period: str | None, analytics_first: bool) -> None:
        query: list[tuple[str, Any]] = [("period", period)] if period else []
        analytics = list(WITH_ANALYTICS.items())
        after_query, blamed = analytics + query if analytics_first else query + analytics, PERIODS.get(period or "")
        before, after = events(api, query, blamed), events(api, after_query, blamed)
        tokens_before, tokens_after = ([row["token"] for row in rows] for rows in (before, after))
        assert _is_list_between(tokens_before, tokens_after, event_tokens(api, query)), (tokens_before, tokens_after)
        bare_rows = _without_analytics(after)
        changed = [token for token, row in _without_analytics(before).items() if bare_rows.get(token, row) != row]
        assert _unchanged_tokens(api, query, before, changed) == []

    check()


@clause("FLOWAPP-LIST-6")
def test_analytics_are_added_or_not(api: Api, readings: ObservedReadings) -> None:
    """With simple_analytics=1 every event has analytics, or none has."""
    if not (listed := events(api, WITH_ANALYTICS, "FLOWAPP-LIST-3")):
        raise MissingPrecondition("the account has no event")
    has_analytics = ["analytics" in row for row in listed]
    readings.one_of("FLOWAPP-AMB-18", adds_analytics=all(has_analytics), changes_nothing=not any(has_analytics))


@clause("FLOWAPP-LIST-1")
def test_the_list_is_json_and_reports_are_csv(api: Api, readings: ObservedReadings) -> None:
    """The list of events is described by the contract; whether it is CSV is observed."""
    exchange = send(api, "listEvents")
    is_csv = exchange.response.media_type() == "text/csv"
    readings.observe("FLOWAPP-AMB-20", reports=not is_csv, everything=is_csv)
    check_accepted(api, "listEvents", exchange)


def _without_analytics(rows: list[Record]) -> dict[str, Record]:
    return {row["token"]: {name: value for name, value in row.items() if name != "analytics"} for row in rows}


def _is_list_between(before: list[str], tokens: list[str], after: list[str]) -> bool:
    """Whether this can be the list between the other two: somebody else may create and change events meanwhile."""
    is_complete = set(before) & set(after) <= set(tokens) <= set(before) | set(after)
    return is_complete and len(tokens) == len(set(tokens))


def _unchanged_tokens(api: Api, query: list[tuple[str, Any]], before: list[Record], changed: list[str]) -> list[str]:
    """The tokens of the changed events that are now as they were before: nobody else has changed them."""
    current_rows = _without_analytics(events(api, query)) if changed else {}
    return [
        token
        for token, row in _without_analytics(before).items()
        if token in changed and current_rows.get(token) == row
    ]
