"""Boundaries and defaults of validation, invariants, profiles and the rate search, in milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UsageError
from contracts.exchange import Exchange
from contracts.exchange import Request as HttpRequest
from contracts.exchange import Response as HttpResponse
from contracts.judge.http_judge import Finding
from contracts.judge.refusal_judge import InvalidCase
from contracts.openapi import load_contract
from fixtures.target_api import MissingPrecondition
from fixtures.targets import Target
from loadtests.engine.exchange_types import Address, Request, Response
from loadtests.engine.health import LIMITS
from loadtests.engine.recorder import Recorder
from loadtests.profiles import load_profile
from loadtests.profiles.load_profile import Phase, Profile, read_profiles
from loadtests.profiles.rate_search import RateSearch
from loadtests.request_factory.data_sources import KnownValues
from loadtests.request_factory.round_robin import RoundRobin, repeat_forever
from loadtests.validation.http_validator import RequestIntent, refusal_test
from loadtests.validation.invariants import ExclusiveWinner, PaginationWalk, UniquenessLedger, UniqueValues, digest
from loadtests.validation.validators import (
    MAX_FINDINGS,
    TIMED_INTERVAL,
    ValidationCost,
    Validators,
    parse_mode,
    parsed_body,
    status_validator,
)

GETFLOW = load_contract("getflow")
LIST = GETFLOW.find("listTasks")
REQUEST = Request(Recorder().samples_of("a", "http"), b"GET / HTTP/1.1\r\n\r\n", Address.from_url("http://127.0.0.1:9"))


def response(status: int = 200, body: bytes = b"{}") -> Response:
    return Response(status, [(b"content-type", b"application/json")], body, None, 0, 0, 0, 0)


def finding(clause: str) -> Finding:
    return Finding(clause, "a", "b", Exchange(HttpRequest("GET", "http://127.0.0.1/"), HttpResponse(200)))


# Validators


def test_findings_are_kept_up_to_their_maximum() -> None:
    validators = Validators()
    for number in range(MAX_FINDINGS + 1):
        validators.keep_finding("GET /", finding(f"C-{number}"))
    assert (MAX_FINDINGS, len(validators.findings)) == (100, 100)
    assert ("GET /", "C-99") in validators.findings


def test_the_first_finding_of_a_clause_at_an_operation_is_kept() -> None:
    validators = Validators()
    first = finding("C-1")
    validators.keep_finding("GET /", first)
    validators.keep_finding("GET /", finding("C-1"))
    validators.keep_finding("GET /other", finding("C-1"))
    assert list(validators.findings) == [("GET /", "C-1"), ("GET /other", "C-1")]
    assert validators.findings["GET /", "C-1"] is first


@pytest.mark.parametrize(("count", "timed"), [(TIMED_INTERVAL - 1, 0), (TIMED_INTERVAL, 1), (2 * TIMED_INTERVAL, 2)])
def test_every_64th_validation_is_timed(count: int, timed: int) -> None:
    validators = Validators()
    validate = validators._timed(lambda *_: None)
    for _ in range(count):
        validate(REQUEST, response())
    assert (validators.cost.count, validators.cost.timed_count, TIMED_INTERVAL) == (count, timed, 64)


def test_the_cost_of_validation_is_a_mean_and_a_share() -> None:
    cost = ValidationCost(count=10, timed_count=2, timed_ns=600)
    assert (cost.mean_ns, cost.share(6_000), cost.share(1_000), cost.share(0)) == (300.0, 0.5, 1.0, 0.0)
    assert ValidationCost().mean_ns == 0.0


@pytest.mark.parametrize(
    ("mode", "interval"), [("all", 1), ("status", 0), ("sample=2", 2), ("sample=999999999", 999_999_999)]
)
def test_modes(mode: str, interval: int) -> None:
    assert parse_mode(mode) == interval


@pytest.mark.parametrize("mode", ["", "sample=1", "sample=0", "sample=-2", "sample=2.5", "sample=1000000000", "ALL"])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="expected all, status, or sample=N with N from 2; got"):
        parse_mode(mode)


def test_a_sample_takes_the_first_ten_and_then_the_last_of_each_interval() -> None:
    validators = Validators(sample_interval=3)
    validate = validators._sampled(lambda *_: "full", lambda *_: None)
    assert [validate(REQUEST, response()) for _ in range(10)] == ["full"] * 10
    assert [validate(REQUEST, response()) for _ in range(6)] == [None, "full", None, None, "full", None]


@pytest.mark.parametrize(("interval", "violations"), [(1, ["C"]), (2, ["C"]), (0, [])])
def test_a_check_follows_unless_only_the_status_is_validated(interval: int, violations: list[str]) -> None:
    validators = Validators(sample_interval=interval)
    validate = validators.with_check(lambda *_: None, "GET /", lambda *_: ("C", "a", "b"))
    assert [clause for clause in [validate(REQUEST, response())] if clause] == violations
    assert [clause for _, clause in validators.findings] == violations


def test_a_check_does_not_follow_a_violation() -> None:
    validate = Validators().with_check(lambda *_: "D", "GET /", lambda *_: ("C", "a", "b"))
    assert validate(REQUEST, response()) == "D"


@pytest.mark.parametrize(("status", "is_refused"), [(200, False), (399, False), (400, True), (599, True), (600, False)])
def test_statuses_of_400_to_599_refuse(status: int, is_refused: bool) -> None:
    assert refusal_test(GETFLOW, status)({}) is is_refused


@pytest.mark.parametrize(("status", "is_violation"), [(200, False), (404, True)])
def test_the_status_of_a_valid_request(status: int, is_violation: bool) -> None:
    validate = status_validator(RequestIntent(GETFLOW, LIST), {})
    assert (validate(REQUEST, response(status)) is not None) is is_violation


def test_a_valid_request_that_may_be_refused_is_no_violation() -> None:
    status = next(status for status in (400, 401, 404, 422) if LIST.response_for(status) is not None)
    strict = status_validator(RequestIntent(GETFLOW, LIST), {})
    lenient = status_validator(RequestIntent(GETFLOW, LIST, may_be_refused=True), {})
    assert strict(REQUEST, response(status)) == LIST.clauses[0]
    assert lenient(REQUEST, response(status)) is None


def test_an_invalid_request_that_is_accepted_violates_its_rule() -> None:
    validate = status_validator(RequestIntent(GETFLOW, LIST, InvalidCase("missing", "query", "organization_id")), {})
    assert validate(REQUEST, response(200)) is not None


def test_a_body_is_parsed_once_and_only_if_there_is_one() -> None:
    parsed = response(body=b'{"a": 1}')
    assert parsed_body(parsed) is parsed_body(parsed)
    assert parsed_body(parsed) == {"a": 1}
    assert (parsed_body(response(body=b"")), parsed_body(response(body=b"{"))) == (None, None)


@pytest.mark.parametrize(("method", "is_head"), [("", False), ("HEAD", True), ("GET", False)])
def test_only_a_head_request_has_no_body(method: str, is_head: bool) -> None:
    assert RequestIntent(GETFLOW, LIST, method=method).is_head is is_head


# Invariants


def test_as_many_values_as_the_maximum_are_compared_without_loss() -> None:
    values = UniqueValues("id", "C", max_values=4)
    for number in range(4):
        assert values.add(number) is None
    assert (values.halvings, values.compared_share, len(values.seen)) == (0, 1.0, 4)
    values.add(4)
    assert (values.halvings, values.compared_share) == (1, 0.5)
    assert values.count == 5


def test_the_default_maximum_is_half_a_million() -> None:
    assert UniqueValues("id", "C").max_values == 500_000
    assert UniquenessLedger().unique_values("id", "C").max_values == 500_000


@pytest.mark.parametrize("value", [-1, 1 << 64, "1", "a"])
def test_what_is_no_64_bit_number_is_digested_as_text(value: int | str) -> None:
    assert 0 <= digest(value) < 1 << 64
    assert digest(value) == digest(str(value))


def test_numbers_of_64_bits_are_scrambled_without_loss() -> None:
    numbers = [0, 1, 2, (1 << 64) - 1, 1 << 63]
    assert len({digest(number) for number in numbers}) == len(numbers)
    assert digest(0) == 0
    assert digest(1) != digest("1")


def test_a_merge_counts_repeats_and_halves_as_often_as_the_worker() -> None:
    values = UniqueValues("id", "C")
    numbers = [digest(number) for number in range(8)]
    assert values.merge(0, numbers) == 0
    assert values.merge(0, numbers[:3]) == 3
    assert values.merge(1, []) == 0
    assert (values.halvings, all(not number >> 63 for number in values.seen)) == (1, True)


def test_an_empty_page_ends_a_walk_that_has_met_all() -> None:
    walk = PaginationWalk("id", "C", "D", {1, 2})
    assert walk.add_page([{"id": 1}], is_last=False) is None
    assert walk.add_page([{"id": 2}], is_last=False) is None
    assert walk.add_page([], is_last=True) is None


def test_a_walk_names_three_missing_rows_and_its_clause_of_completeness() -> None:
    walk = PaginationWalk("id", "C", "D", {1, 2, 3, 4, 5})
    assert walk.add_page([{"id": 5}], is_last=False) is None
    assert walk.add_page([], is_last=True) == ("D", "all 5 records that were there before", "not id 1, 2, 3")


def test_exactly_the_allowed_number_succeeds() -> None:
    winner = ExclusiveWinner("C", "a name", 3, bool, max_successes=2)
    assert [winner.add(success) is None for success in (True, True, False)] == [True, True, True]
    assert winner.add(True) == ("C", "2 success for a name", "3 at once")


# Profiles and the search


PHASE = Phase("steady", 10.0, 0.5, 1.0, True)
PROFILE = Profile("load", "why", 20.0, 200, (PHASE,))


def test_a_profile_is_scaled_by_a_factor_only_in_time() -> None:
    scaled = PROFILE.scaled(0.5)
    assert (scaled.seconds, scaled.rate, scaled.users) == (5.0, 20.0, 200)


@pytest.mark.parametrize(
    ("rate", "users", "expected"),
    [(None, None, 200), (40.0, None, 400), (20.05, None, 201), (10.0, None, 200), (40.0, 7, 7)],
)
def test_users_follow_a_higher_rate(rate: float | None, users: int | None, expected: int) -> None:
    assert PROFILE.scaled(1.0, rate, users).users == expected


def test_the_rates_of_a_profile_are_its_shares() -> None:
    two = Profile("p", "why", 20.0, 200, (PHASE, Phase("next", 5.0, 2.0, 2.0, False)))
    assert two.rate_course() == "0:10,10:20,10:40,15:40"
    assert [(phase["begin"], phase["end"], phase["judged"]) for phase in two.description()["phases"]] == [
        (0.0, 10.0, True),
        (10.0, 15.0, False),
    ]


def test_limits_travel_among_the_options() -> None:
    class Options:
        """Options of Locust's."""

    options = Options()
    assert load_profile.limits_of(options) == LIMITS
    load_profile.set_limits(options, LIMITS)
    assert load_profile.limits_of(options) == LIMITS


@pytest.mark.parametrize("ends", ["from: 10 %", "to: 10 %", "at: 10 %, from: 10 %", "at: 10 %, from: 1 %, to: 2 %", ""])
def test_a_phase_has_either_one_rate_or_two(tmp_path: Path, ends: str) -> None:
    file = tmp_path / "profiles.yaml"
    phase = f"{{name: a, lasts: 1 s{', ' if ends else ''}{ends}}}"
    file.write_text(f"p: {{why: b, rate: 1 /s, users: 1, phases: [{phase}]}}")
    with pytest.raises(UsageError, match="a phase has name and lasts, and either at, or from and to"):
        read_profiles(file)


def searched(capacity: float, **options: Any) -> RateSearch:
    search = RateSearch(10.0, 1_000.0, **options)
    for _ in range(200):
        if search.rate is None:
            break
        search.record(search.rate <= capacity)
    return search


@pytest.mark.parametrize("precision", [0.02, 0.05, 0.5])
def test_the_ends_of_a_search_are_as_near_as_demanded(precision: float) -> None:
    search = searched(100.0, precision=precision)
    assert search.rate is None
    assert search.lowest_failing is not None
    assert search.highest_passing <= 100.0 < search.lowest_failing <= search.highest_passing * (1 + precision)


@pytest.mark.parametrize(("confirmations", "measured"), [(1, 1), (3, 2), (5, 3)])
def test_both_ends_of_a_search_have_a_majority_of_the_confirmations(confirmations: int, measured: int) -> None:
    search = searched(100.0, confirmations=confirmations)
    assert len(search.measurements[search.highest_passing]) == measured
    assert search.lowest_failing is not None
    assert len(search.measurements[search.lowest_failing]) == max(2, measured)


def test_a_search_begins_at_its_start_or_at_its_maximum() -> None:
    assert (RateSearch(10.0, 1_000.0).rate, RateSearch(10.0, 5.0).rate) == (10.0, 5.0)


def test_a_search_doubles_while_all_is_well_and_stops_at_its_maximum() -> None:
    search = RateSearch(10.0, 35.0)
    rates = []
    while search.rate is not None:
        rates.append(search.rate)
        search.record(True)
    assert rates == [10.0, 20.0, 35.0, 35.0]


def test_a_search_without_success_ends_below_a_64th_of_its_start() -> None:
    search = searched(0.0)
    assert (search.rate, search.highest_passing) == (None, 0.0)
    assert search.lowest_failing is not None
    assert 10.0 / 128 <= search.lowest_failing <= 10.0 / 64


def test_a_search_that_is_over_takes_no_more_results() -> None:
    search = searched(100.0)
    with pytest.raises(RuntimeError, match="the search is over"):
        search.record(True)


# Request factory


def test_items_come_again_and_again_and_are_prepared_once() -> None:
    prepared: list[int] = []
    items = repeat_forever((prepared.append(number) or number for number in (1, 2)), lambda: 9)  # type: ignore[func-returns-value]
    assert ([next(items) for _ in range(5)], prepared) == ([1, 2, 1, 2, 1], [1, 2])


def test_without_items_the_default_comes_again_and_again() -> None:
    items = repeat_forever((), lambda: 9)
    assert [next(items) for _ in range(3)] == [9, 9, 9]


@pytest.mark.parametrize("error", [LookupError("a"), UsageError("a"), MissingPrecondition("a")])
def test_a_key_that_has_failed_fails_ever_after(error: Exception) -> None:
    round_robin: RoundRobin[int] = RoundRobin()

    def begin() -> Any:
        raise error
        yield 1

    for _ in range(2):
        with pytest.raises(type(error)):
            round_robin.next("key", begin)
    assert round_robin.next("other", lambda: iter([1])) == 1


def test_values_that_were_never_read_are_an_error_of_ours_and_no_missing_precondition() -> None:
    """A journey that asks for them would otherwise end in silence, each time."""
    values = KnownValues(Target("getflow", "http://127.0.0.1:9", {}, writes=True, embedded=False))
    values._values[0, "listTasks", "/tasks/*/id"] = [1, 2]
    values._missing[0, "listLists", "/lists/*/id"] = "getflow has no lists"
    assert values.values({"operation": "listTasks", "pointer": "/tasks/*/id"}) == [1, 2]
    with pytest.raises(MissingPrecondition, match="getflow has no lists"):
        values.values({"operation": "listLists", "pointer": "/lists/*/id"})
    with pytest.raises(LookupError, match=r"expected one of: listLists /lists/\*/id, listTasks /tasks/\*/id"):
        values.values({"operation": "listTasks", "pointer": "/tasks/*/name"})
