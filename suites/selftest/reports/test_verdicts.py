"""The verdict of each API, from records made in memory: every boundary and every default decides something here."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reports import summary, summary_json
from reports.results import verdicts
from reports.results.records import RunRecords, short_message
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import RunManifest

ID, OTHER = "GETFLOW-ERR-10", "GETFLOW-ERR-2"


def record(outcome: str, name: str = "a", **more: Any) -> ResultRecord:
    return ResultRecord("getflow", name, f"Title of {name}", outcome, (ID,), **more)


def judge(
    *tests: ResultRecord, run: RunManifest | None = None, expected: tuple[str, ...] = ("getflow",)
) -> verdicts.ApiVerdict:
    manifest = run or RunManifest({"getflow": len(tests)}, complete=True, exit_status=0)
    return verdicts.judge(RunRecords(tests, manifest, ()), expected)[0]


def test_exit_codes() -> None:
    assert verdicts.EXIT_CODES == {
        "pass": 0,
        "fail": 1,
        "broken": 2,
        "misuse": 2,
        "inconclusive": 3,
        "unreachable": 4,
    }


@pytest.mark.parametrize(
    ("names", "worst"),
    [
        ([], "inconclusive"),
        (["pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["fail", "inconclusive"], "fail"),
        (["fail", "unreachable", "pass"], "unreachable"),
        (["misuse", "unreachable"], "misuse"),
        (["broken", "misuse"], "broken"),
    ],
)
def test_the_worst_verdict(names: list[str], worst: str) -> None:
    assert verdicts.worst(names) == worst


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        ("passed", "pass"),
        ("failed", "fail"),
        ("broken", "broken"),
        ("unreachable", "unreachable"),
        ("misuse", "misuse"),
        ("inconclusive", "inconclusive"),
        ("skipped", "pass"),
    ],
)
def test_one_check_beside_a_pass_decides(outcome: str, verdict: str) -> None:
    assert judge(record("passed"), record(outcome, "b")).verdict == verdict


@pytest.mark.parametrize(
    ("tests", "run", "reasons"),
    [
        ([record("passed")], RunManifest({"getflow": 1}, complete=True), []),
        ([record("passed")], RunManifest({"getflow": 0}, complete=True), []),
        ([record("passed")], RunManifest({}, complete=True), []),
        (
            [record("passed")],
            RunManifest({"getflow": 2}, complete=True),
            ["1 of 2 collected tests left no result"],
        ),
        ([], RunManifest({}, complete=True), ["no test has a result"]),
        ([record("skipped")], RunManifest({"getflow": 1}, complete=True), ["no test ran to its end"]),
        (
            [record("passed", is_observation=True)],
            RunManifest({"getflow": 1}, complete=True),
            ["no check ran, and observations cannot fail"],
        ),
        (
            [record("passed")],
            RunManifest({"getflow": 1}),
            ["the run has no end mark: it was killed or is still running"],
        ),
        (
            [record("passed")],
            RunManifest({"getflow": 1}, exit_status=2),
            ["pytest was interrupted (exit code 2)"],
        ),
        (
            [record("passed")],
            RunManifest({"getflow": 1}, exit_status=9),
            ["pytest had problems outside the tests (exit code 9)"],
        ),
    ],
)
def test_what_is_missing_before_an_api_passes(tests: list[ResultRecord], run: RunManifest, reasons: list[str]) -> None:
    judged = judge(*tests, run=run)
    assert (list(judged.reasons), judged.verdict) == (reasons, "inconclusive" if reasons else "pass")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (2, "was interrupted"),
        (3, "had an internal error"),
        (4, "was called with wrong arguments"),
        (5, "found no test"),
    ],
)
def test_pytests_exit_codes_are_explained(code: int, text: str) -> None:
    (reason,) = judge(record("passed"), run=RunManifest({}, exit_status=code)).reasons
    assert reason == f"pytest {text} (exit code {code})"


def test_without_a_manifest_nothing_passes() -> None:
    (judged,) = verdicts.judge(RunRecords((record("passed"),), None, ()), ())
    assert judged.reasons == ("the run left no run.json that says which tests it collected",)
    assert judged.verdict == "inconclusive"


def test_what_a_run_without_a_manifest_or_tests_lacks() -> None:
    (verdict,) = verdicts.judge(RunRecords((), None, ()), ["getflow"])
    assert verdict.reasons == (
        "the run left no run.json that says which tests it collected",
        "no test has a result",
    )


def test_counts_are_by_outcome_and_readings_are_those_of_all_tests() -> None:
    verdict = judge(
        record("passed", readings=("b", "a")), record("passed", "b"), record("failed", "c", readings=("c", "a"))
    )
    assert verdict.counts == {"passed": 2, "failed": 1}
    assert verdict.readings == ("a", "b", "c")


def test_changes_of_readings_are_those_of_all_tests() -> None:
    verdict = judge(record("passed", changes=("b", "a")), record("passed", "x", changes=("a",)))
    assert verdict.changes == ("a", "b")


def test_checks_are_tests_that_ran_and_can_fail() -> None:
    outcomes = ("passed", "failed", "broken", "skipped", "unreachable", "misuse", "inconclusive")
    judged = judge(*(record(outcome, outcome) for outcome in outcomes), record("passed", "z", is_observation=True))
    assert (judged.checks, judged.observations) == (2, 1)
    assert [test.outcome for test in judged.findings] == ["failed"]
    assert [test.outcome for test in judged.not_judged] == ["broken", "inconclusive", "misuse", "unreachable"]
    assert [test.outcome for test in judged.skipped] == ["skipped"]


@pytest.mark.parametrize(
    ("test", "observations"),
    [
        (record("passed"), 0),
        (record("passed", is_observation=True), 1),
        (record("passed", observed=("X-AMB-1", "X-AMB-2")), 2),
        (record("passed", observed=("X-AMB-1", "X-AMB-2"), is_observation=True), 2),
        (record("failed", observed=("X-AMB-1",)), 1),
        (record("skipped", observed=("X-AMB-1",), is_observation=True), 0),
    ],
)
def test_observations_are_those_of_tests_that_ran(test: ResultRecord, observations: int) -> None:
    assert test.observations == observations


def test_clauses_are_those_that_a_check_names_or_a_finding_blames() -> None:
    observation = record("failed", "b", is_observation=True, blamed=(OTHER,))
    skipped = replace(record("skipped", "c"), clauses=("GETFLOW-ERR-3",))
    assert judge(observation, skipped).clauses == (OTHER,)
    assert judge(record("passed"), observation).clauses == (ID, OTHER)


def test_a_broken_contract_outranks_what_its_tests_say() -> None:
    run = RunManifest({}, complete=True, broken={"getflow": "line 3: no id"})
    judged = judge(record("failed"), run=run)
    assert (judged.verdict, judged.reasons) == ("broken", ("line 3: no id",))


def test_every_api_of_the_run_has_a_verdict() -> None:
    run = RunManifest({"getflow": 1}, complete=True, broken={"todo": "no openapi.yaml"})
    tests = (record("passed"), replace(record("passed"), api="bitvis"))
    names = [judged.api for judged in verdicts.judge(RunRecords(tests, run, ()), ["flowapp"])]
    assert names == ["flowapp", "getflow", "bitvis", "todo"]


@pytest.mark.parametrize(
    ("problems", "misuse", "verdict"),
    [((), (), "pass"), (("unreadable",), (), "broken"), ((), ("X_URL",), "misuse"), (("a",), ("b",), "broken")],
)
def test_a_problem_outside_the_tests_is_of_the_run_and_of_no_api(
    problems: tuple[str, ...], misuse: tuple[str, ...], verdict: str
) -> None:
    records = RunRecords((record("passed"),), RunManifest({"getflow": 1}, complete=True), problems, misuse)
    judged = verdicts.judge(records, ())
    assert (judged[0].verdict, verdicts.overall(judged, records)) == ("pass", verdict)


@pytest.mark.parametrize(
    ("message", "short"),
    [
        ("", ""),
        ("\n\n  5 == 6\nmore", "5 == 6"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 299 + "…"),
        (f"{ID}: a promise\n  expected   json\n  received   csv", f"{ID}: expected json, received csv"),
        (f"{ID}: a promise\n  expected   json", f"{ID}: a promise"),
        ("no clause\n  expected   json\n  received   csv", "no clause"),
    ],
)
def test_a_message_in_short(message: str, short: str) -> None:
    assert short_message(message) == short


@pytest.mark.parametrize("number", [0, 1, 2])
def test_observations_appear_where_there_are_some(number: int) -> None:
    judged = replace(judge(record("passed")), observations=number)
    parts = ["1 check", *(["", "1 observation", "2 observations"][number : number + 1] if number else [])]
    assert summary.counts_text(judged) == ", ".join([*parts, "1 clause", "0 findings"])


@pytest.mark.parametrize(("number", "rest"), [(20, 0), (21, 1), (22, 2)])
def test_rare_reasons_to_skip_are_summed_up(number: int, rest: int) -> None:
    reasons = summary.skip_reasons([record("skipped", message=f"reason {index:02}") for index in range(number)])
    assert len(reasons) == 20 + bool(rest)
    assert reasons[20:] == ([("other reasons", rest)] if rest else [])


def test_the_frequent_reason_to_skip_comes_first() -> None:
    tests = [record("skipped", message=message) for message in ("rare", "", "")]
    assert summary.skip_reasons(tests) == [("no reason given", 2), ("rare", 1)]


@pytest.mark.parametrize("outcome", ["unreachable", "misuse"])
def test_an_api_that_was_stopped_is_not_loaded(outcome: str) -> None:
    run = RunManifest({"getflow": 1, "bitvis": 1, "flowapp": 0, "todo": 1}, broken={"todo": "no id"}, complete=True)
    tests = (record("passed"), replace(record(outcome), api="bitvis"))
    assert RunRecords(tests, run, ()).answering_apis == ["getflow"]


def test_a_stopped_api_needs_no_further_reason() -> None:
    assert judge(record("unreachable")).reasons == ()


ENDED = RunManifest({"getflow": 1}, complete=True, exit_status=0)
DEPARTURE = record("known", "departures::getflow[x]", departure="x", message=f"{ID}: it is so", blamed=(ID,))


def test_a_known_departure_does_not_fail_an_api() -> None:
    verdict = judge(record("passed"), DEPARTURE, run=ENDED)
    assert (verdict.verdict, verdict.known, verdict.findings) == ("pass", (DEPARTURE,), ())
    assert (verdict.checks, verdict.counts) == (1, {"passed": 1, "known": 1})


def test_a_departure_after_its_last_day_fails_an_api() -> None:
    overdue = replace(DEPARTURE, outcome="failed")
    verdict = judge(record("passed"), overdue, run=ENDED)
    assert (verdict.verdict, verdict.findings, verdict.checks) == ("fail", (overdue,), 1)


def test_a_departure_stands_for_no_test() -> None:
    assert judge(DEPARTURE, run=ENDED).reasons == ("1 of 1 collected tests left no result", "no test has a result")


def test_known_departures_are_in_every_summary() -> None:
    verdict = judge(record("passed"), DEPARTURE)
    records = RunRecords((), None, ())
    assert "    known: GETFLOW-ERR-10: it is so" in summary.console_lines([verdict], records, "pass")
    assert "## getflow: known departures\n\n- GETFLOW-ERR-10: it is so" in summary.markdown([verdict], records, "pass")
    facts = json.loads(summary_json.to_json([verdict], records, "pass"))["apis"]["getflow"]
    assert [finding["message"] for finding in facts["known"]] == ["GETFLOW-ERR-10: it is so"]
    assert summary.report_environment([verdict], records)["known of getflow"] == "GETFLOW-ERR-10: it is so"
