"""The page of clauses and coverage tells every clause, reading and point, and what is missing."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from contracts.clauses import clauses, readings
from contracts.coverage import Coverage
from contracts.document import contract
from contracts.exchange import Answer, Exchange, Sent
from contracts.points import points
from reports import clauses as of_clauses
from reports import counters, coverage, coverage_page, page, run
from reports.records import Record, Records

URL = "http://127.0.0.1"
ENDED = run.Run(complete=True, exit_status=0)


def record(outcome: str, *ids: str, **more: Any) -> Record:
    return Record("getflow", f"test_{outcome}", outcome, outcome, ids, **more)


def states(*tests: Record) -> dict[str, of_clauses.Told]:
    return {one.clause.id: one for one in of_clauses.told("getflow", Records(tests, ENDED, ()))}


def test_every_clause_is_told_in_the_documents_order() -> None:
    assert list(states()) == list(clauses("getflow"))


ONE, OTHER = "GETFLOW-ERR-10", "GETFLOW-ERR-2"
ENDS: list[tuple[list[Record], str]] = [
    ([], "no test ran"),
    ([record("passed", ONE)], "pass"),
    ([record("passed", ONE), record("failed", ONE, blamed=(ONE,))], "fail"),
    ([record("failed", OTHER, blamed=(ONE,)), record("broken", ONE)], "fail"),
    ([record("failed", ONE, blamed=(OTHER,))], "inconclusive"),
    ([record("passed", ONE), record("broken", ONE)], "broken"),
    ([record("passed", ONE), record("unreachable", ONE)], "unreachable"),
    ([record("skipped", ONE)], "skipped"),
    ([record("passed", ONE), record("skipped", ONE)], "pass"),
]


@pytest.mark.parametrize(("tests", "state"), ENDS)
def test_a_clause_has_the_state_that_its_tests_give_it(tests: list[Record], state: str) -> None:
    assert states(*tests)[ONE].state == state


def test_a_clause_that_no_test_can_decide_says_why() -> None:
    untested = next(one for one in clauses("getflow").values() if one.untested)
    assert (states()[untested.id].state, states()[untested.id].why) == ("not tested", untested.untested)


def test_the_exchanges_of_a_clause_are_those_of_its_tests_that_ran() -> None:
    tests = [
        record("passed", ONE, exchanges=3),
        record("failed", ONE, exchanges=4),
        record("skipped", ONE, exchanges=9),
    ]
    assert states(*tests)[ONE].exchanges == 7


def test_a_reading_says_the_meaning_in_force_and_the_one_seen() -> None:
    ran = run.Run({}, {"reading GETFLOW-AMB-15": "clamped"}, complete=True)
    test = record("passed", readings=("GETFLOW-AMB-2: two_things",))
    found = {one.reading.id: one for one in of_clauses.read("getflow", Records((test,), ran, ()))}
    fixed, seen = found["GETFLOW-AMB-15"], found["GETFLOW-AMB-2"]
    assert (fixed.in_force, fixed.is_fixed, fixed.seen) == ("clamped", True, ())
    assert (seen.in_force, seen.is_fixed, seen.seen) == ("any", False, ("two_things",))


def leave(folder: Path, *workers: str) -> Path:
    """Leaves the counters of these workers, each after one exchange."""
    run.clear(folder)
    for worker in workers:
        seen = Coverage(contract("getflow"), URL)
        for target in ("/tasks?limit=100", "/elsewhere"):
            seen.add(Exchange(Sent("GET", URL + target), Answer(200)))
        counters.write(folder, worker, {"getflow": seen})
    return folder


def test_the_counters_of_workers_are_added(tmp_path: Path) -> None:
    found = counters.read(leave(tmp_path, "gw0", "gw1")).apis["getflow"]
    assert (found.exchanges, found.strangers) == (4, 2)
    assert found.operations["GET /tasks"]["request\tquery limit\tat the maximum 100"] == 2


def test_counters_are_cleared_with_the_results(tmp_path: Path) -> None:
    run.clear(leave(tmp_path, "gw0"))
    assert list(tmp_path.iterdir()) == []


def covered(folder: Path, *tests: Record) -> coverage.Covered:
    return coverage.covered(folder, ["getflow", "selftest"], Records(tests, ENDED, ()))[0]


@pytest.mark.parametrize(
    ("workers", "made", "said"),
    [((), 0, "left no counters"), (("gw0",), 2, ""), (("gw0",), 5, "3 of 5 exchanges are missing")],
)
def test_counters_that_are_missing_are_told(workers: tuple[str, ...], made: int, said: str, tmp_path: Path) -> None:
    found = covered(leave(tmp_path, *workers), record("passed", ONE, exchanges=made))
    assert said in found.lacks
    assert bool(found.lacks) == bool(said)
    assert ("Coverage is missing" in coverage_page.page([found], "pass")) == bool(said)


@pytest.mark.parametrize("text", ["{", "[]", '{"getflow": {}}', '{"getflow": {"operations": 1}}', "\xff"])
def test_counters_that_cannot_be_read_are_told(text: str, tmp_path: Path) -> None:
    (leave(tmp_path, "gw0") / "coverage-gw1.json").write_text(text, "latin-1")
    assert "coverage-gw1.json" in covered(tmp_path).lacks


def test_the_share_is_of_all_there_is(tmp_path: Path) -> None:
    found = covered(leave(tmp_path, "gw0"))
    there_is = sum(len(points(contract("getflow"), one)) for one in contract("getflow").operations.values())
    hit = sum(len(counts) - 1 for counts in counters.read(tmp_path).apis["getflow"].operations.values())
    assert (found.share().hit, found.share().all) == (hit, there_is)
    assert str(coverage.Share(999, 1000)) == "99 %"


@pytest.fixture
def html(tmp_path: Path) -> str:
    tests = (record("passed", ONE, readings=("GETFLOW-AMB-2: two_things",)), record("skipped", OTHER, message="<b>&"))
    return coverage_page.page([covered(leave(tmp_path, "gw0"), *tests)], "pass")


def test_the_page_tells_every_clause_reading_and_operation(html: str) -> None:
    names = [*clauses("getflow"), *readings("getflow"), *(map(escape, contract("getflow").operations))]
    assert [name for name in names if f'<b class="id">{name}</b>' not in html] == []


def test_the_page_fetches_nothing_and_escapes_what_came_from_outside(html: str) -> None:
    assert page.foreign_references(html) == []
    assert "<script" not in html
    assert "&lt;b&gt;&amp;" in html


def test_the_page_tells_exercised_from_not(html: str) -> None:
    assert "<i class=y>at the maximum 100 <b>1</b></i>" in html
    assert "<i>at the minimum 1</i>" in html


def test_the_report_carries_the_page_as_text_only(html: str) -> None:
    carried = page.dressed("<head></head>", errors=False, pages={"Clauses": html})
    assert json.loads(carried.split("flowproofPages(")[1].split(");\n</script>")[0]) == {"Clauses": html}
    assert "<i class=y>" not in carried


def test_the_summaries_have_the_clauses_by_state(tmp_path: Path) -> None:
    found = covered(leave(tmp_path, "gw0"), record("passed", ONE))
    rows = coverage.table([found])
    assert rows[0].startswith("| API | pass | not tested | no test ran | exchanges |")
    assert rows[2].startswith("| getflow | 1 | ")
    facts = coverage.facts(found)
    assert facts["clause_states"]["pass"] == 1
    assert "request query limit: at the minimum 1" in facts["operations"]["GET /tasks"]["not_exercised"]
