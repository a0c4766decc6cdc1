"""Properties count the cases that could have failed, and none of these is no pass."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.exchange import Exchange, Request, Response
from fixtures.target_api import MissingPrecondition
from suites.hypothesis_checks import LISTENERS, counted, for_all, take_counts
from suites.mutation.reference_apis import in_process_api
from suites.reporting.exchange_recorder import ExchangeRecorder

DIGITS = st.sampled_from(range(10))


def test_cases_that_ran_to_their_end_are_counted() -> None:
    def check(digit: int) -> None:
        assert digit < 10

    take_counts()
    for_all(check, 10, digit=DIGITS)
    (count,) = take_counts()
    assert (count.checked, count.not_checked) == (10, 0)


def test_a_case_without_its_precondition_is_not_counted() -> None:
    def check(digit: int) -> None:
        if digit % 2:
            raise MissingPrecondition("odd")

    take_counts()
    for_all(check, 10, digit=DIGITS)
    (count,) = take_counts()
    assert str(count) == "5 of 10 generated cases could have failed, 5 could not (odd)"


def test_no_counted_case_is_no_pass() -> None:
    def check(digit: int) -> None:
        raise MissingPrecondition(f"{digit} is excused")

    with pytest.raises(MissingPrecondition, match=r"none of 10 generated cases could have failed: \d is excused"):
        for_all(check, 10, digit=DIGITS)


def test_cases_that_are_all_filtered_out_are_no_pass() -> None:
    def check(digit: int) -> None:
        assume(digit > 9)

    with pytest.raises(MissingPrecondition, match="no case could be generated"):
        for_all(check, 10, digit=DIGITS)


def test_a_decorated_property_is_counted() -> None:
    @counted
    @given(DIGITS)
    def check(digit: int) -> None:
        raise MissingPrecondition(f"{digit} is excused")

    with pytest.raises(MissingPrecondition, match="could have failed"):
        check()


def test_a_case_that_fails_is_reported() -> None:
    def check(digit: int) -> None:
        assert digit < 5

    with pytest.raises(AssertionError):
        for_all(check, 20, digit=DIGITS)


def covered_exchanges(check_case: bool) -> dict[str, dict[str, int]]:
    """What a recorder covers when one case, which counts or does not, sends a request."""
    api = in_process_api("getflow")
    recorder = ExchangeRecorder()
    recorder.observe(api)

    def check(digit: int) -> None:  # noqa: ARG001  # of the strategy
        api.request("GET", "/v2/tasks", query={"organization_id": api.setting("ORGANIZATION_ID")})
        if not check_case:
            raise MissingPrecondition("excused")

    LISTENERS.append(recorder)
    try:
        for_all(check, 1, digit=DIGITS)
    except MissingPrecondition:
        pass
    finally:
        LISTENERS.remove(recorder)
    return dict(recorder.coverages["getflow"].counts())


def test_a_counted_case_covers_what_it_sent() -> None:
    assert covered_exchanges(check_case=True)["GET /v2/tasks"]["exchanges"] == 1


def test_a_case_that_could_not_fail_covers_nothing() -> None:
    assert covered_exchanges(check_case=False) == {}


def test_exchanges_outside_of_cases_are_covered_at_once() -> None:
    api = in_process_api("getflow")
    recorder = ExchangeRecorder()
    recorder.observe(api)
    api.record_exchanges([Exchange(Request("GET", f"{api.target.url}/v2/tasks"), Response(200))])
    assert "GET /v2/tasks" in recorder.coverages["getflow"].counts()
