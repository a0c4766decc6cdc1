"""What flowapp says that one can do: document lines 6 to 11."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowapp.dialect import (
    PERIODS,
    REPORTS,
    addresses,
    ask,
    check_accepted,
    create,
    events,
    generated,
    past_event,
    past_session,
    registered,
    survey_path,
    tokens,
)
from suites.flowapp.values import NAMES, TITLES
from suites.readings import Observed

clause = pytest.mark.clause


@clause("FLOWAPP-CAP-1")
def test_every_event_is_listed_once(api: Api) -> None:
    """No token is in the list twice."""
    assert [token for token, times in Counter(tokens(api)).items() if times > 1] == []


@clause("FLOWAPP-CAP-1")
def test_an_event_is_listed_whatever_it_is_called(api: Api) -> None:
    """Of new events with a generated title, several of which may have the same, each is listed once."""

    @generated
    @example("Results, live", 2)
    @given(TITLES, st.integers(1, 2))
    def check(title: str, copies: int) -> None:
        made = [create(api, title=title) for _ in range(copies)]
        listed = Counter(tokens(api))
        assert [listed[token] for token in made] == [1] * copies

    check()


@clause("FLOWAPP-CAP-1")
def test_the_periods_hold_no_other_events(api: Api) -> None:
    """Whatever is listed under a period is in the list of all events too."""
    before = {token for period in PERIODS for token in tokens(api, {"period": period})}
    assert before <= set(tokens(api))


@clause("FLOWAPP-CAP-1")
def test_events_that_are_not_published_are_listed(api: Api, readings: Observed) -> None:
    """A new event that is not published is in the list, or left out of it."""
    is_listed = create(api, published=False) in tokens(api)
    readings.one_of("FLOWAPP-AMB-22", included=is_listed, left_out=not is_listed)


@clause("FLOWAPP-CAP-2")
def test_registrants_are_those_of_the_event(api: Api) -> None:
    """Generated people go to two new events; each event lists its own people, namesakes too, and nobody else."""
    names = st.sampled_from(["Jo", "Li"]) | NAMES

    @generated
    @given(st.lists(st.tuples(st.booleans(), names), max_size=5))
    def check(people: list[tuple[bool, str]]) -> None:
        sessions = [create(api), create(api)]
        expected: list[list[str]] = [[], []]
        for second, name in people:
            who = registered(api, sessions[second], firstName=name)
            expected[second].append(who["email"].lower())
        assert [addresses(api, session) for session in sessions] == [sorted(one) for one in expected]

    check()


@clause("FLOWAPP-CAP-2")
def test_an_event_without_registrants_lists_nobody(api: Api) -> None:
    """The list of a new event is empty."""
    assert addresses(api, create(api)) == []


@clause("FLOWAPP-CAP-3")
@pytest.mark.parametrize("operation", REPORTS)
def test_a_past_event_has_reports(api: Api, operation: str) -> None:
    """The reports of an event that has ended are served."""
    check_accepted(api, operation, ask(api, operation, {"sessionToken": past_session(api)}), "FLOWAPP-CAP-3")


@clause("FLOWAPP-CAP-3")
@pytest.mark.parametrize("operation", REPORTS)
def test_a_new_event_of_the_past_has_reports(api: Api, operation: str) -> None:
    """So are those of an event that was over when it was created, and to which nobody came."""
    check_accepted(api, operation, ask(api, operation, {"sessionToken": past_event(api)}), "FLOWAPP-CAP-3")


@clause("FLOWAPP-CAP-3")
def test_a_past_event_has_a_report_of_its_survey(api: Api) -> None:
    """The answers to a survey of an event that has ended are served."""
    check_accepted(api, "reportSurveyDetail", ask(api, "reportSurveyDetail", survey_path(api)), "FLOWAPP-CAP-3")


@clause("FLOWAPP-CAP-4")
def test_a_created_event_is_listed_from_then_on(api: Api) -> None:
    """A new event is in the list at once, and still is after others were created."""
    before = set(tokens(api))
    first = create(api)
    assert first not in before
    assert first in tokens(api)
    others = {create(api), create(api)}
    assert {first, *others} <= {row["token"] for row in events(api)}
    assert len({first, *others}) == 3
