"""The list of events of flowapp: document lines 17 to 19."""

from __future__ import annotations

from datetime import UTC, datetime
from string import ascii_letters
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.flowapp.dialect import (
    PERIODS,
    Row,
    ask,
    check_accepted,
    create,
    data,
    event,
    events,
    generated,
    is_refused,
    tokens,
)
from suites.flowapp.values import MOMENTS, Moment, period_of
from suites.readings import Observed

clause = pytest.mark.clause
WITH_ANALYTICS = {"simple_analytics": 1}


@clause("FLOWAPP-LIST-1")
def test_listed_tokens_name_events(api: Api) -> None:
    """Every listed token opens an event with that token."""
    listed = tokens(api)
    if not listed:
        raise Lacking("the account has no event")

    @generated
    @given(st.sampled_from(listed))
    def check(token: str) -> None:
        assert event(api, token, "FLOWAPP-LIST-1")["token"] == token

    check()


@clause("FLOWAPP-LIST-2")
def test_an_event_is_listed_under_its_own_period_alone(api: Api) -> None:
    """New events that begin at a generated distance from now, in any time zone, are current while they run only."""

    @generated
    @given(MOMENTS)
    def check(moment: Moment) -> None:
        members = moment.members(datetime.now(UTC))
        assume(members is not None)
        token = create(api, **members) if members else ""
        assert [one for one in PERIODS if token in tokens(api, {"period": one})] == [moment.period]

    check()


@clause("FLOWAPP-LIST-2")
def test_listed_times_agree_with_the_period(api: Api) -> None:
    """Every listed event is under the period that its own date, time, time zone and duration put it in."""
    now = datetime.now(UTC)
    due = {row["token"]: found for row in events(api) if (found := period_of(row, now))}
    for period in PERIODS:
        listed = set(tokens(api, {"period": period}))
        assert {token for token, found in due.items() if found == period} == listed & due.keys()


@clause("FLOWAPP-LIST-2")
def test_a_period_of_another_name_is_refused_or_ignored(api: Api, readings: Observed) -> None:
    """Generated names that are no period are refused, or the list is the one of all events."""

    @generated
    @given(st.text(ascii_letters, min_size=3, max_size=12).filter(lambda word: word.lower() not in PERIODS))
    def check(word: str) -> None:
        exchange = ask(api, "listEvents", query={"period": word})
        is_served = not is_refused(api, "listEvents", exchange)
        whole = is_served and {row["token"] for row in data(exchange)} == set(tokens(api))
        readings.one_of("FLOWAPP-AMB-9", refused=not is_served, ignored=whole)

    check()


@clause("FLOWAPP-LIST-3")
def test_analytics_change_nothing_else(api: Api) -> None:
    """With and without simple_analytics, alone and beside each period, the rows are the same but for analytics."""
    create(api)  # nobody has registered for it

    @generated
    @given(st.sampled_from([None, *PERIODS]), st.booleans())
    def check(period: str | None, first: bool) -> None:
        plain: list[tuple[str, Any]] = [("period", period)] if period else []
        extra = list(WITH_ANALYTICS.items())
        before, with_it = events(api, plain), events(api, extra + plain if first else plain + extra)
        assert sorted(row["token"] for row in with_it) == sorted(row["token"] for row in before)
        bare = _without_analytics(with_it)
        changed = [token for token, row in _without_analytics(before).items() if bare[token] != row]
        assert _still(api, plain, before, changed) == []

    check()


@clause("FLOWAPP-LIST-3")
def test_analytics_are_added_or_not(api: Api, readings: Observed) -> None:
    """With simple_analytics=1 each event has analytics, or the answer is as it would be."""
    if not (listed := events(api, WITH_ANALYTICS, "FLOWAPP-LIST-3")):
        raise Lacking("the account has no event")
    told = ["analytics" in row for row in listed]
    readings.one_of("FLOWAPP-AMB-18", adds_analytics=all(told), changes_nothing=not any(told))


@clause("FLOWAPP-LIST-1")
def test_the_list_is_json_and_reports_are_csv(api: Api, readings: Observed) -> None:
    """What is no CSV report does not answer CSV."""
    exchange = ask(api, "listEvents")
    is_csv = exchange.answer.media_type() == "text/csv"
    readings.one_of("FLOWAPP-AMB-20", reports=not is_csv, everything=is_csv)
    check_accepted(api, "listEvents", exchange)


def _without_analytics(rows: list[Row]) -> dict[str, Row]:
    return {row["token"]: {name: value for name, value in row.items() if name != "analytics"} for row in rows}


def _still(api: Api, query: list[tuple[str, Any]], before: list[Row], changed: list[str]) -> list[str]:
    """Those of the changed events that are, asked for as before, what they were: it was not somebody else's change."""
    now = _without_analytics(events(api, query)) if changed else {}
    return [token for token, row in _without_analytics(before).items() if token in changed and now.get(token) == row]
