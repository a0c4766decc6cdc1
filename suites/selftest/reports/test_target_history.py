"""The history of a target: which causes are new, still there, gone or not tried since its last run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reports import summary, summary_json
from reports.history import run_changes
from reports.history.run_changes import RunChanges, update_history
from reports.history.target_history import MAX_RUNS, history_file, read_history
from reports.results.acceptances import Acceptance, AcceptanceList
from reports.results.accepted_causes import classify
from reports.results.causes import causes_of
from reports.results.finding_record import FindingRecord
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import RunManifest
from reports.results.verdicts import judge

TARGET = "https://api.example/v2"
ENDED = 1_798_518_060.0  # 2026-12-29 04:21 UTC
DAY = 86_400.0
NODE = "suites/getflow/test_errors.py::test_"


def finds(clause: str) -> ResultRecord:
    """A test that finds that clause broken."""
    finding = FindingRecord(clause, "missing_param", "limit", "stated", slot=f"header {clause}", kind="other")
    return ResultRecord("getflow", NODE + clause, "X", "failed", (clause,), (clause,), findings=(finding,))


def passes(clause: str, **more: object) -> ResultRecord:
    """The same test when it finds nothing."""
    return ResultRecord("getflow", NODE + clause, "X", "passed", (clause,), **more)


class Target:
    """A target that is tested once a day."""

    def __init__(self, folder: Path, target: str = TARGET) -> None:
        self.folder = folder
        self.target = target
        self.runs = 0

    def run(
        self,
        *tests: ResultRecord,
        is_selection: bool = False,
        name: str = "",
        accepted: AcceptanceList | None = None,
    ) -> tuple[RunChanges, Sequence[str], str]:
        """What the next run says has changed, as data, on the console and in summary.json."""
        self.runs += 1
        manifest = RunManifest(
            {"getflow": len(tests)},
            {"target of getflow": self.target},
            complete=True,
            exit_status=0,
            run=name or f"run{self.runs}",
            ended=ENDED + DAY * self.runs,
            is_selection=is_selection,
        )
        lists = {"getflow": accepted} if accepted else {}
        written = {api: entries.to_json() for api, entries in lists.items()}
        records = RunRecords(tuple(classify(tests, lists)), replace(manifest, acceptances=written), ())
        verdicts = judge(records, ["getflow"])
        changes = update_history(self.folder, verdicts, records)
        lines = summary.console_lines(verdicts, records, "fail", changes)
        return changes["getflow"], lines, summary_json.to_json(verdicts, records, "fail", {}, changes)


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


FIRST, SECOND = "GETFLOW-ERR-10", "GETFLOW-ERR-17"


def test_first_run_is_compared_with_nothing(target: Target) -> None:
    changes, lines, _ = target.run(finds(FIRST))
    assert (changes.previous, changes.new, changes.still) == (None, (), ())
    assert [line for line in lines if "since" in line] == []


def test_cause_is_new_then_still_there_then_gone(target: Target) -> None:
    target.run(passes(FIRST), passes(SECOND))
    changes, lines, _ = target.run(finds(FIRST), passes(SECOND))
    assert (len(changes.new), changes.still) == (1, ())
    assert "    since 2026-12-30 04:21 UTC: 1 new" in lines
    assert "      since      this run" in lines
    changes, lines, _ = target.run(finds(FIRST), passes(SECOND))
    assert (changes.new, len(changes.still)) == ((), 1)
    assert "      since      2026-12-31 04:21 UTC" in lines
    changes, lines, _ = target.run(passes(FIRST), passes(SECOND))
    assert [cause.clause for cause in changes.gone.values()] == [FIRST]
    assert f"    gone: {FIRST}: A required parameter that is left out is refused with the code missing_param." in lines


def test_cause_whose_tests_did_not_run_is_not_gone(target: Target) -> None:
    target.run(finds(FIRST), finds(SECOND))
    changes, lines, _ = target.run(finds(SECOND), is_selection=True)
    assert [cause.clause for cause in changes.not_tried.values()] == [FIRST]
    assert changes.gone == {}
    assert any(line.startswith(f"    not tried this time: {FIRST}") for line in lines)


def test_cause_that_was_not_tried_keeps_its_age(target: Target) -> None:
    target.run(finds(FIRST), passes(SECOND))
    target.run(passes(SECOND), is_selection=True)
    changes, _, _ = target.run(finds(FIRST), passes(SECOND))
    assert (changes.new, list(changes.since.values())) == ((), [ENDED + DAY])


def test_skipped_test_has_tried_nothing(target: Target) -> None:
    target.run(finds(FIRST))
    changes, _, _ = target.run(ResultRecord("getflow", NODE + FIRST, "X", "skipped", (FIRST,)), passes(SECOND))
    assert list(changes.gone) == []


def test_cause_of_a_test_that_is_no_more_is_gone(target: Target) -> None:
    target.run(finds(FIRST), passes(SECOND))
    changes, _, _ = target.run(passes(SECOND))
    assert [cause.clause for cause in changes.gone.values()] == [FIRST]


def test_cause_that_comes_back_is_new(target: Target) -> None:
    for test in (finds(FIRST), passes(FIRST)):
        target.run(test)
    assert len(target.run(finds(FIRST))[0].new) == 1


def test_another_target_has_a_history_of_its_own(target: Target) -> None:
    target.run(finds(FIRST))
    other = Target(target.folder, "our reference, embedded")
    assert other.run(passes(FIRST))[0].previous is None
    assert len(list(target.folder.iterdir())) == 2


def test_report_that_is_made_again_says_the_same(target: Target) -> None:
    target.run(passes(FIRST))
    first, second = target.run(finds(FIRST), name="again")[0], target.run(finds(FIRST), name="again")[0]
    assert (first.new, len(first.strip)) == (second.new, len(second.strip))


def test_reading_that_the_target_answers_otherwise_is_listed(target: Target) -> None:
    target.run(passes(FIRST, readings=("GETFLOW-AMB-15: clamped",)))
    _, lines, _ = target.run(passes(FIRST, readings=("GETFLOW-AMB-15: refused",)))
    assert "    changed: GETFLOW-AMB-15: refused, before it was clamped" in lines


def test_meaning_that_was_seen_before_is_no_change(target: Target) -> None:
    target.run(passes(FIRST, readings=("GETFLOW-AMB-15: clamped", "GETFLOW-AMB-15: refused")))
    assert target.run(passes(FIRST, readings=("GETFLOW-AMB-15: refused",)))[0].readings == ()


def test_last_thirty_runs_are_kept(target: Target) -> None:
    for _ in range(MAX_RUNS + 3):
        changes, _, text = target.run(passes(FIRST))
    assert len(read_history(history_file(target.folder, "getflow", TARGET))) == MAX_RUNS
    assert changes.strip == ("pass",) * MAX_RUNS
    assert len(json.loads(text)["apis"]["getflow"]["since_last_run"]["last_verdicts"]) == MAX_RUNS


def test_line_that_cannot_be_read_is_left_out(target: Target) -> None:
    target.run(finds(FIRST))
    path = history_file(target.folder, "getflow", TARGET)
    path.write_text(path.read_text() + '{"run": 1}\nnot json\n')
    assert len(target.run(finds(FIRST))[0].still) == 1


def test_name_of_the_file_shows_the_host(tmp_path: Path) -> None:
    name = history_file(tmp_path, "getflow", TARGET).name
    assert name.startswith("getflow-api.example-v2-")


def test_moment_is_in_utc() -> None:
    assert run_changes.moment(0) == "1970-01-01 00:00 UTC"


def test_accepted_cause_is_not_gone(target: Target) -> None:
    test = finds(FIRST)
    (cause,) = causes_of([test])
    target.run(test, passes(SECOND))
    entry = Acceptance(cause.id, "ticket 812", "Ann", date(2027, 3, 1))
    accepted = AcceptanceList("/x/accepted.yaml", date(2026, 12, 30), (entry,))
    changes, lines, _ = target.run(test, passes(SECOND), accepted=accepted)
    assert (list(changes.gone), changes.new, changes.still) == ([], (), (cause.id,))
    assert any("accepted: GETFLOW-ERR-10" in line for line in lines)


def test_cause_that_a_smaller_run_knows_by_another_id_is_still_there(target: Target) -> None:
    first, second = (
        replace(finds(FIRST).findings[0], slot=f"header {name}", operation="GET /tasks") for name in ("A", "B")
    )
    both = replace(finds(FIRST), findings=(first, replace(second, slot=first.slot, kind="another")))
    (cause,) = causes_of([both])
    assert cause.also
    target.run(both)
    changes, _, _ = target.run(replace(both, findings=both.findings[1:]))
    assert (len(changes.still), changes.new, list(changes.gone)) == (1, (), [])
