"""What flowapp can be used for: document lines 6 to 11."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    PERIODS,
    REPORT_OPERATIONS,
    check_accepted,
    create_event,
    create_past_event,
    each_period,
    event_tokens,
    events,
    few_examples,
    is_in_document,
    is_refused,
    new_person,
    past_session_token,
    register,
    registered_emails,
    send,
    survey_report_path,
)
from suites.flowapp.strategies import NAMES, TITLES
from suites.observed_readings import ObservedReadings, observation

clause = pytest.mark.clause


@clause("FLOWAPP-CAP-1")
def test_every_event_is_listed_once(api: Api) -> None:
    """No token is listed twice."""
    listed = event_tokens(api)
    if not listed:
        raise MissingPrecondition("the account has no event")
    assert [token for token, count in Counter(listed).items() if count > 1] == []


@clause("FLOWAPP-CAP-1")
def test_an_event_is_listed_whatever_its_title(api: Api) -> None:
    """New events with a generated title are listed once each, also two with the same title."""

    @few_examples
    @example("Results, live", 2)
    @given(TITLES, st.integers(1, 2))
    def check(title: str, copies: int) -> None:
        created = [create_event(api, title=title) for _ in range(copies)]
        listed = Counter(event_tokens(api))
        assert [listed[token] for token in created] == [1] * copies

    check()


@each_period
def test_a_period_lists_no_other_events(api: Api, period: str) -> None:
    """Every event that is listed for a period is in the list of all events."""
    tokens = set(event_tokens(api, {"period": period}, PERIODS[period]))
    if not tokens:
        raise MissingPrecondition(f"no event is {period}")
    assert tokens <= set(event_tokens(api))


@observation("FLOWAPP-AMB-22")
def test_observe_whether_unpublished_events_are_listed(api: Api, readings: ObservedReadings) -> None:
    """A new event that is not published is in the list of events or not."""
    is_listed = create_event(api, published=False) in event_tokens(api)
    readings.observe("FLOWAPP-AMB-22", included=is_listed, left_out=not is_listed)


@clause("FLOWAPP-CAP-2")
def test_registrants_are_those_of_the_event(api: Api) -> None:
    """Of two new events each lists its own registrants, namesakes included, and nobody else."""
    names = st.sampled_from(["Jo", "Li"]) | NAMES

    @few_examples
    @example([(False, "Jo"), (False, "Li"), (True, "Jo")])
    @given(st.lists(st.tuples(st.booleans(), names), max_size=5))
    def check(people: list[tuple[bool, str]]) -> None:
        sessions = [create_event(api), create_event(api)]
        expected: list[list[str]] = [[], []]
        for session_index, name in people:
            registrant = new_person(api, firstName=name)
            if not is_refused(api, "registerPerson", register(api, sessions[session_index], registrant)):
                expected[session_index].append(registrant["email"].lower())
        assert [registered_emails(api, session) for session in sessions] == [sorted(emails) for emails in expected]

    check()


@clause("FLOWAPP-CAP-2")
def test_an_event_without_registrants_lists_nobody(api: Api) -> None:
    """The list of registrants of a new event is empty."""
    assert registered_emails(api, create_event(api)) == []


def assert_served_after_the_end(api: Api, operation: str, token: str) -> None:
    """Asserts that a report of a past event is served; where no event has it, its path is to blame."""
    exchange = send(api, operation, {"sessionToken": token})
    if is_refused(api, operation, exchange) and not is_in_document(api, operation):
        future = send(api, operation, {"sessionToken": create_event(api)})
        assert is_refused(api, operation, future), "a report that is served before the event is refused after it"
    check_accepted(api, operation, exchange, "FLOWAPP-CAP-3")


@clause("FLOWAPP-CAP-3")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_a_past_event_has_reports(api: Api, operation: str) -> None:
    """The reports of an event that has ended are served."""
    assert_served_after_the_end(api, operation, past_session_token(api))


@clause("FLOWAPP-CAP-3")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_a_new_event_of_the_past_has_reports(api: Api, operation: str) -> None:
    """The reports of an event that was created in the past, without registrants, are served."""
    assert_served_after_the_end(api, operation, create_past_event(api))


@clause("FLOWAPP-CAP-3")
def test_a_past_event_has_a_report_of_its_survey(api: Api) -> None:
    """The report of a survey of an event that has ended is served."""
    check_accepted(api, "reportSurveyDetail", send(api, "reportSurveyDetail", survey_report_path(api)), "FLOWAPP-CAP-3")


@clause("FLOWAPP-CAP-4")
def test_a_created_event_is_listed_from_then_on(api: Api) -> None:
    """A new event is listed at once, and still is after others were created."""
    tokens_before = set(event_tokens(api))
    first = create_event(api)
    assert first not in tokens_before
    assert first in event_tokens(api)
    others = {create_event(api), create_event(api)}
    assert {first, *others} <= {row["token"] for row in events(api)}
    assert len({first, *others}) == 3
