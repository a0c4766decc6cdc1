"""The page of clauses and coverage shows every clause, reading and coverage point, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest

from contracts.clauses import clauses, readings
from contracts.coverage.coverage_counter import CoverageCounter
from contracts.coverage.operation_plan import coverage_points
from contracts.exchange import Exchange, Request, Response
from contracts.openapi import load_contract
from contracts.yaml_reader import UsageError
from reports.allure import packing, report_page
from reports.coverage import clause_results, counter_files, coverage_page, coverage_report
from reports.coverage.kind_coverage import KindCoverage, kinds_of
from reports.results import run_manifest
from reports.results.records import ResultRecord, RunRecords

URL = "http://127.0.0.1"
ENDED = run_manifest.RunManifest(complete=True, exit_status=0)


def record(outcome: str, *ids: str, **more: Any) -> ResultRecord:
    return ResultRecord("getflow", f"test_{outcome}", outcome, outcome, ids, **more)


def states(*tests: ResultRecord) -> dict[str, clause_results.ClauseResult]:
    return {
        result.clause.id: result for result in clause_results.judge_clauses("getflow", RunRecords(tests, ENDED, ()))
    }


def test_every_clause_is_listed_in_the_documents_order() -> None:
    assert list(states()) == list(clauses("getflow"))


CLAUSE, OTHER_CLAUSE = "GETFLOW-ERR-10", "GETFLOW-ERR-2"
ENDS: list[tuple[list[ResultRecord], str]] = [
    ([], "no test ran"),
    ([record("passed", CLAUSE)], "pass"),
    ([record("passed", CLAUSE), record("failed", CLAUSE, blamed=(CLAUSE,))], "fail"),
    ([record("failed", OTHER_CLAUSE, blamed=(CLAUSE,)), record("broken", CLAUSE)], "fail"),
    ([record("failed", CLAUSE, blamed=(OTHER_CLAUSE,))], "inconclusive"),
    ([record("passed", CLAUSE), record("broken", CLAUSE)], "broken"),
    ([record("passed", CLAUSE), record("unreachable", CLAUSE)], "unreachable"),
    ([record("skipped", CLAUSE)], "skipped"),
    ([record("passed", CLAUSE), record("skipped", CLAUSE)], "pass"),
]


@pytest.mark.parametrize(("tests", "state"), ENDS)
def test_a_clause_has_the_state_that_its_tests_give_it(tests: list[ResultRecord], state: str) -> None:
    assert states(*tests)[CLAUSE].state == state


def test_a_clause_that_no_test_can_decide_says_why() -> None:
    untested = next(clause for clause in clauses("getflow").values() if clause.untested)
    assert (states()[untested.id].state, states()[untested.id].why) == ("not tested", untested.untested)


def test_the_exchanges_of_a_clause_are_those_of_its_tests_that_ran() -> None:
    tests = [
        record("passed", CLAUSE, exchanges=3),
        record("failed", CLAUSE, exchanges=4),
        record("skipped", CLAUSE, exchanges=9),
    ]
    assert states(*tests)[CLAUSE].exchanges == 7


def test_a_reading_says_the_meaning_in_force_and_the_one_seen() -> None:
    ran = run_manifest.RunManifest({}, {"reading GETFLOW-AMB-15": "clamped"}, complete=True)
    test = record("passed", readings=("GETFLOW-AMB-2: two_things",))
    results = {
        result.reading.id: result for result in clause_results.judge_readings("getflow", RunRecords((test,), ran, ()))
    }
    fixed, seen = results["GETFLOW-AMB-15"], results["GETFLOW-AMB-2"]
    assert (fixed.in_force, fixed.is_fixed, fixed.seen) == ("clamped", True, ())
    assert (seen.in_force, seen.is_fixed, seen.seen) == ("any", False, ("two_things",))


def leave(folder: Path, *workers: str) -> Path:
    """Leaves the counters of these workers, each after one exchange."""
    run_manifest.clear(folder)
    for worker in workers:
        seen = CoverageCounter(load_contract("getflow"), URL)
        for target in ("/tasks?limit=100", "/elsewhere"):
            seen.add(Exchange(Request("GET", URL + target), Response(200)))
        counter_files.write_counters(folder, worker, {"getflow": seen})
    return folder


def test_the_counters_of_workers_are_added(tmp_path: Path) -> None:
    counters = counter_files.read_counters(leave(tmp_path, "gw0", "gw1")).apis["getflow"]
    assert (counters.exchanges, counters.unmatched) == (4, 2)
    assert counters.operations["GET /tasks"]["request\tquery limit\tat the maximum 100"] == 2


def test_counters_are_cleared_with_the_results(tmp_path: Path) -> None:
    run_manifest.clear(leave(tmp_path, "gw0"))
    assert list(tmp_path.iterdir()) == []


def covered(folder: Path, *tests: ResultRecord) -> coverage_report.ApiCoverage:
    return coverage_report.coverage_of(folder, ["getflow", "selftest"], RunRecords(tests, ENDED, ()))[0]


@pytest.mark.parametrize(
    ("workers", "exchange_count", "sentence"),
    [((), 0, "left no counters"), (("gw0",), 2, ""), (("gw0",), 5, "3 of 5 exchanges are missing")],
)
def test_missing_counters_are_reported(
    workers: tuple[str, ...], exchange_count: int, sentence: str, tmp_path: Path
) -> None:
    coverage = covered(leave(tmp_path, *workers), record("passed", CLAUSE, exchanges=exchange_count))
    assert sentence in coverage.missing
    assert bool(coverage.missing) == bool(sentence)
    assert ("Coverage is missing" in coverage_page.page([coverage], "pass")) == bool(sentence)


@pytest.mark.parametrize("text", ["{", "[]", '{"getflow": {}}', '{"getflow": {"operations": 1}}', "\xff"])
def test_counters_that_cannot_be_read_are_reported(text: str, tmp_path: Path) -> None:
    (leave(tmp_path, "gw0") / "coverage-gw1.json").write_text(text, "latin-1")
    assert "coverage-gw1.json" in covered(tmp_path).missing


def test_the_share_is_of_all_there_is(tmp_path: Path) -> None:
    coverage = covered(leave(tmp_path, "gw0"))
    total = sum(
        len(coverage_points(load_contract("getflow"), operation))
        for operation in load_contract("getflow").operations.values()
    )
    exercised = sum(
        len(counts) - 1 for counts in counter_files.read_counters(tmp_path).apis["getflow"].operations.values()
    )
    assert (coverage.share().exercised, coverage.share().total) == (exercised, total)
    assert str(coverage_report.Share(999, 1000)) == "99 %"


@pytest.fixture
def html(tmp_path: Path) -> str:
    tests = (
        record("passed", CLAUSE, readings=("GETFLOW-AMB-2: two_things",)),
        record("skipped", OTHER_CLAUSE, message="<b>&"),
    )
    return coverage_page.page([covered(leave(tmp_path, "gw0"), *tests)], "pass")


def test_the_page_shows_every_clause_reading_and_operation(html: str) -> None:
    names = [*clauses("getflow"), *readings("getflow"), *(map(escape, load_contract("getflow").operations))]
    assert [name for name in names if f'<b class="id">{name}</b>' not in html] == []


def test_the_page_fetches_nothing_and_escapes_what_came_from_outside(html: str) -> None:
    assert report_page.foreign_references(html) == []
    assert "<script" not in html
    assert "&lt;b&gt;&amp;" in html


KINDS = {
    "identity": run_manifest.BugKind(
        rule="an id is the whole id", reasons={"getflow": {"GET /tasks": "it takes no <id>", "GET /tasks/{id}": ""}}
    )
}


def kinds_after(*tests: ResultRecord) -> list[KindCoverage]:
    """What a run with these tests has tried of KINDS."""
    return kinds_of("getflow", RunRecords(tests, replace(ENDED, bug_kinds=KINDS), ()))


def test_a_kind_is_tried_where_tests_of_it_exchanged_something() -> None:
    tests = (
        record("passed", bug_kind="identity", operations=("GET /tasks/{id}",)),
        record("skipped", bug_kind="identity", operations=("GET /tasks/{id}",)),
        record("failed", bug_kind="stale", operations=("GET /tasks/{id}",)),
    )
    (kind,) = kinds_after(*tests)
    assert (kind.tried, kind.reasons) == ({"GET /tasks/{id}": 1}, {"GET /tasks": "it takes no <id>"})


def test_a_kind_whose_tests_were_skipped_has_their_reason() -> None:
    (kind,) = kinds_after(
        record("skipped", bug_kind="identity", operations=("GET /tasks/{id}",), message="no task"),
        record("skipped", bug_kind="identity", operations=("GET /tasks/{id}",), message="no id"),
    )
    assert (kind.tried, kind.reasons["GET /tasks/{id}"]) == ({}, "no task")


def test_a_kind_that_was_tried_at_an_operation_can_occur_there() -> None:
    (kind,) = kinds_after(record("passed", bug_kind="identity", operations=("GET /tasks",)))
    assert (kind.tried, kind.reasons) == ({"GET /tasks": 1, "GET /tasks/{id}": 0}, {})


def test_the_page_gives_the_reason_where_a_kind_cannot_occur(tmp_path: Path) -> None:
    coverage = replace(covered(leave(tmp_path, "gw0")), kinds=tuple(kinds_after()))
    html = coverage_page.page([coverage], "pass")
    assert "<li>it takes no &lt;id&gt;: GET /tasks</li>" in html
    assert "<i>GET /tasks/{id}</i>" in html


def test_the_page_distinguishes_exercised_points_from_others(html: str) -> None:
    assert "<i class=y>at the maximum 100 <b>1</b></i>" in html
    assert "<i>at the minimum 1</i>" in html


def test_the_report_carries_the_page_packed(html: str) -> None:
    program = '<script   src="data:text/javascript;base64,eA=="></script>'
    page = f'<head></head>{program}<script>Promise.allSettled([d("data/a.json","e30="),d("b\\"c","")])</script>'
    carried = packing.pack(report_page.with_pages(page, errors=False, titles=["Clauses"]), {"Clauses": html})
    assert "<i class=y>" not in carried
    assert packing.unpack(carried) == {
        packing.APP_NAME: b"x",
        "data/a.json": b"{}",
        'b"c': b"",
        "flowproof/Clauses": html.encode(),
    }


@pytest.mark.parametrize("page", ["<p>", '<script src="data:text/javascript;base64,eA=="></script>'])
def test_a_page_without_the_data_of_allure_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="has Allure changed its template"):
        packing.pack(page, {})


def test_the_summaries_have_the_clauses_by_state(tmp_path: Path) -> None:
    coverage = covered(leave(tmp_path, "gw0"), record("passed", CLAUSE))
    rows = coverage_report.markdown_table([coverage])
    assert rows[0].startswith("| API | pass | not tested | no test ran | observations | exchanges |")
    assert rows[2].startswith("| getflow | 1 | ")
    facts = coverage_report.to_facts(coverage)
    assert facts["clause_states"]["pass"] == 1
    assert "request query limit: at the minimum 1" in facts["operations"]["GET /tasks"]["not_exercised"]


def test_an_observation_is_no_test_of_a_clause() -> None:
    observation = record("passed", CLAUSE, is_observation=True)
    assert (states(observation)[CLAUSE].state, states(observation)[CLAUSE].tests) == ("no test ran", ())


def test_a_finding_of_an_observation_is_one_all_the_same() -> None:
    assert states(record("failed", is_observation=True, blamed=(CLAUSE,)))[CLAUSE].state == "fail"


@pytest.mark.parametrize(
    ("observed", "is_observed"), [([("GETFLOW-AMB-2",)], True), ([()], False), ([("GETFLOW-AMB-2",), ()], False)]
)
def test_a_reading_is_only_observed_when_no_test_could_fail(observed: list[tuple[str, ...]], is_observed: bool) -> None:
    tests = tuple(record("passed", readings=("GETFLOW-AMB-2: two_things",), observed=ids) for ids in observed)
    results = {
        result.reading.id: result for result in clause_results.judge_readings("getflow", RunRecords(tests, ENDED, ()))
    }
    assert results["GETFLOW-AMB-2"].is_observed is is_observed
    assert results["GETFLOW-AMB-15"].is_observed is False


def test_the_page_shows_what_was_only_observed(tmp_path: Path) -> None:
    test = record("passed", readings=("GETFLOW-AMB-2: two_things",), observed=("GETFLOW-AMB-2",), is_observation=True)
    coverage = covered(leave(tmp_path, "gw0"), test)
    text = coverage_page.page([coverage], "pass")
    assert "<span>1 observation</span>" in text
    assert "<b>two_things</b> (observed only: no test would fail on another meaning)" in text
    assert coverage_report.to_facts(coverage)["observations"] == 1


def test_a_broken_contract_is_reported_in_the_place_of_its_coverage(tmp_path: Path) -> None:
    broken = run_manifest.RunManifest(complete=True, exit_status=0, broken={"getflow": "clauses.yaml, line 3: no id"})
    (coverage,) = coverage_report.coverage_of(tmp_path, ["getflow"], RunRecords((), broken, ()))
    assert (coverage.clauses, coverage.missing) == ((), "clauses.yaml, line 3: no id")
    assert "clauses.yaml, line 3: no id" in coverage_page.page([coverage], "broken")
    assert coverage_report.markdown_table([coverage])[2] == "| getflow | 0 | missing | missing | missing |"


def test_a_contract_that_breaks_while_the_report_is_made_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(api: str) -> None:
        raise UsageError(f"{api}: no openapi.yaml")

    monkeypatch.setattr(coverage_report, "load_contract", fail)
    (coverage,) = coverage_report.coverage_of(tmp_path, ["getflow"], RunRecords((), ENDED, ()))
    assert coverage.missing == "getflow: no openapi.yaml"


def test_an_api_without_a_contract_has_no_coverage(tmp_path: Path) -> None:
    assert coverage_report.coverage_of(tmp_path, ["todo", "selftest"], RunRecords((), ENDED, ())) == []
