"""`python -m reports` fails closed, and all forms of its summary agree."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import contracts
from reports.__main__ import main
from reports.allure import labels, report_page
from reports.results import run_manifest
from reports.results.result_log import ResultLog, ResultRecord

ROOT = Path(__file__).parents[3]
REPORTS = ROOT / "reports"
ALLURE = REPORTS / "allure"
CLAUSE = "GETFLOW-ERR-10"

pytestmark = pytest.mark.xdist_group("report")


def result(outcome: str, name: str = "test_one", message: str = "", api: str = "getflow", **more: Any) -> ResultRecord:
    """The record of a test."""
    clauses = (CLAUSE,) if api == "getflow" else ()
    blamed = clauses if outcome == "failed" else ()
    node = f"suites/{api}/test_errors.py::{name}"
    return ResultRecord(api, node, name, outcome, clauses, **{"blamed": blamed, "message": message} | more)


def leave(
    folder: Path, *results: ResultRecord, expected: dict[str, int] | None = None, status: int = 0, **manifest: Any
) -> Path:
    """Write what a run with these results leaves when it comes to its end."""
    run = run_manifest.begin(folder)
    collected = Counter(record.api for record in results)
    run_manifest.start(folder, run, expected if expected is not None else collected, {"seed": "7"}, **manifest)
    log = ResultLog(folder, run, "main")
    for record in results:
        log.append(record)
    run_manifest.finish(folder, run, status)
    return folder


def edit_manifest(folder: Path, **members: Any) -> None:
    """Changes members of the folder's manifest."""
    path = folder / run_manifest.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


RunReports = Callable[..., tuple[int, str]]


@pytest.fixture
def run_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> RunReports:
    """`python -m reports --no-html` on that folder: its exit code and what it prints."""

    def call(folder: Path, *options: str) -> tuple[int, str]:
        code = main(["--results", str(folder), "--out", str(tmp_path / "out"), "--no-html", *options])
        return code, capsys.readouterr().out

    return call


OUTCOMES: list[tuple[str, list[str], int]] = [
    ("pass", ["passed"], 0),
    ("pass", ["passed", "skipped"], 0),
    ("fail", ["passed", "failed"], 1),
    ("broken", ["passed", "broken"], 2),
    ("broken", ["failed", "broken"], 2),
    ("misuse", ["failed", "misuse"], 2),
    ("misuse", ["unreachable", "misuse"], 2),
    ("inconclusive", ["skipped"], 3),
    ("inconclusive", ["passed", "inconclusive"], 3),
    ("unreachable", ["passed", "unreachable"], 4),
    ("unreachable", ["failed", "unreachable"], 4),
    ("broken", ["broken", "unreachable"], 2),
]


@pytest.mark.parametrize(("verdict", "outcomes", "code"), OUTCOMES)
def test_worst_outcome_is_the_verdict(
    verdict: str, outcomes: list[str], code: int, tmp_path: Path, run_reports: RunReports
) -> None:
    tests = [result(outcome, f"test_{index}", "so") for index, outcome in enumerate(outcomes)]
    failing = int(bool({"failed", "broken"} & set(outcomes)))
    exit_code, text = run_reports(leave(tmp_path / "results", *tests, status=failing))
    assert (code, verdict) == (exit_code, text.split()[1])
    assert text.splitlines()[-1].startswith(f"flowproof: {verdict} (exit code {code})")


def test_a_message_decides_nothing(tmp_path: Path, run_reports: RunReports) -> None:
    answer = result("failed", message="unreachable: says the vendor's answer")
    assert run_reports(leave(tmp_path / "results", answer, status=1))[0] == 1


def test_no_results_are_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    assert run_reports(tmp_path / "nowhere")[0] == 3


def test_an_expected_api_without_results_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    code, text = run_reports(leave(tmp_path / "results", result("passed")), "--expect", "getflow,bitvis")
    assert code == 3
    assert re.search(r"^bitvis +inconclusive .*\n +no test has a result$", text, re.MULTILINE)


def test_a_run_without_its_own_account_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (folder / run_manifest.MANIFEST).unlink()
    assert run_reports(folder)[0] == 3


def test_a_run_that_did_not_end_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    edit_manifest(folder, complete=False, exit_status=None)
    code, text = run_reports(folder)
    assert code == 3
    assert "the run has no end mark" in text


def test_a_finding_outweighs_that_the_run_did_not_end(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("failed", message="no"))
    edit_manifest(folder, complete=False, exit_status=None)
    assert run_reports(folder)[0] == 1


def test_a_collected_test_without_result_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    code, text = run_reports(leave(tmp_path / "results", result("passed"), expected={"getflow": 3}))
    assert code == 3
    assert "2 of 3 collected tests left no result" in text


def test_an_interrupted_run_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    assert run_reports(leave(tmp_path / "results", result("passed"), status=2))[0] == 3


def test_a_problem_outside_the_tests_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    edit_manifest(folder, exit_status=2, complete=False, problems=["test_views.py could not be collected"])
    code, text = run_reports(folder)
    assert code == 2
    assert "test_views.py could not be collected" in text


def test_a_failure_that_left_no_result_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    assert run_reports(leave(tmp_path / "results", result("passed"), status=1))[0] == 2


@pytest.mark.parametrize(
    "line",
    [
        '{"half": ',
        "[]",
        "\0",
        '{"run": "RUN", "api": "getflow", "node": "x", "title": "x", "outcome": "unknown"}',
        '{"run": "RUN", "api": "getflow", "node": "x", "title": "x"}',
        '{"run": "RUN", "api": "getflow", "node": "x", "title": "x", "outcome": "passed", "more": 1}',
    ],
)
def test_a_record_that_cannot_be_read_is_broken(line: str, tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    run = json.loads((folder / run_manifest.MANIFEST).read_text())["run"]
    (folder / "outcomes-gw7.jsonl").write_text(line.replace("RUN", run) + "\n")
    code, text = run_reports(folder)
    assert code == 2
    assert "unreadable result outcomes-gw7.jsonl, line 1: " in text


def test_the_half_line_of_a_killed_process_is_no_problem(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (folder / "outcomes-gw7.jsonl").write_text('{"run": "')
    assert run_reports(folder)[0] == 0


def test_results_of_another_run_are_broken(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    ResultLog(folder, "an-older-one", "gw7").append(result("failed", "test_two"))
    code, text = run_reports(folder)
    assert code == 2
    assert text.splitlines()[0] == "getflow   pass         1 check, 1 clause, 0 findings"
    assert "broken: 1 results are of another run (an-older-one): run pytest again\n" in text


def test_a_process_of_an_older_run_changes_no_manifest(tmp_path: Path) -> None:
    run_manifest.begin(tmp_path)
    manifest = run_manifest.read(tmp_path)
    run_manifest.start(tmp_path, "an-older-one", {"getflow": 1}, {})
    run_manifest.finish(tmp_path, "an-older-one", 0)
    assert run_manifest.read(tmp_path) == manifest


def test_a_run_that_was_announced_and_never_begun_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    assert main(["begin", "--results", str(folder)]) == 0
    code, text = run_reports(folder, "--expect", "all")
    assert code == 2
    assert text.count("pytest never began") == 1


def test_the_load_run_of_an_earlier_gate_is_removed_as_a_run_begins(tmp_path: Path) -> None:
    load = tmp_path / "load"
    load.mkdir()
    (load / "plan.json").write_text("{}")
    assert main(["begin", "--results", str(tmp_path / "results"), "--load", str(load)]) == 0
    assert not load.exists()


def test_a_folder_that_holds_no_load_run_is_never_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("")
    assert main(["begin", "--results", str(tmp_path / "results"), "--load", str(tmp_path)]) == 2
    assert "holds no load run" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").exists()


def test_the_announced_run_is_the_one_that_begins(tmp_path: Path) -> None:
    announced = run_manifest.announce(tmp_path)
    assert run_manifest.begin(tmp_path) == announced
    assert run_manifest.begin(tmp_path) != announced


@pytest.mark.parametrize("name", ["notes.txt", "x-result.json", "x-result.json.tmp", "x-attachment.json"])
def test_files_that_are_no_records_change_nothing(name: str, tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (folder / name).write_text("{")
    assert run_reports(folder)[0] == 0


@pytest.mark.parametrize("process", ["gw0", "zz"])
def test_of_a_test_that_ran_twice_the_worse_result_counts(
    process: str, tmp_path: Path, run_reports: RunReports
) -> None:
    folder = leave(tmp_path / "results", result("passed"), status=1)
    run = json.loads((folder / run_manifest.MANIFEST).read_text())["run"]
    ResultLog(folder, run, process).append(result("failed", message="no"))
    assert run_reports(folder)[0] == 1


def test_a_passing_line_has_its_counts(tmp_path: Path, run_reports: RunReports) -> None:
    text = run_reports(leave(tmp_path / "results", result("passed"), result("passed", "test_two")))[1]
    assert text.splitlines()[0] == "getflow   pass         2 checks, 1 clause, 0 findings"


def test_a_finding_names_clause_and_test(tmp_path: Path, run_reports: RunReports) -> None:
    text = run_reports(leave(tmp_path / "results", result("failed", message="5 == 6"), status=1))[1]
    assert "    GETFLOW-ERR-10: 5 == 6\n        suites/getflow/test_errors.py::test_one\n" in text


def test_skipped_tests_are_listed_with_their_reasons(tmp_path: Path, run_reports: RunReports) -> None:
    skipped = [result("skipped", f"test_{number}", "needs a record") for number in range(3)]
    text = run_reports(leave(tmp_path / "results", result("passed"), *skipped))[1]
    assert "3 skipped\n    skipped 3 x needs a record\n" in text


def test_the_summaries_say_what_the_lines_say(tmp_path: Path, run_reports: RunReports) -> None:
    run_reports(leave(tmp_path / "results", result("failed", message="a|<b>"), status=1))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["verdict"], summary["exit_code"], summary["environment"]) == ("fail", 1, {"seed": "7"})
    assert summary["apis"]["getflow"]["findings"][0]["clauses"] == ["GETFLOW-ERR-10"]
    markdown = (tmp_path / "out" / "summary.md").read_text()
    assert "| getflow | ❌ fail | 1 | 0 | 1 | 1 | 0 | 0 |" in markdown
    assert "a\\|&lt;b>" in markdown


def test_readings_that_tests_saw_are_run_reports(tmp_path: Path, run_reports: RunReports) -> None:
    seen = result("passed", readings=("GETFLOW-AMB-15: clamped",))
    run_reports(leave(tmp_path / "results", seen))
    assert "- GETFLOW-AMB-15: clamped" in (tmp_path / "out" / "summary.md").read_text()


@pytest.mark.parametrize("options", [["--expect", ","], ["--nonsense"]])
def test_wrong_usage_is_exit_code_2(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--results", str(tmp_path), "--out", str(tmp_path), "--no-html", *options])
    assert stopped.value.code == 2


def test_a_folder_with_other_files_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        run_manifest.clear(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("test_missing_one_is_named",), "Missing one is named"),
        (("test_limit_holds[GET-1]", "GET /tasks"), "GET /tasks: limit holds"),
        (("test_limit_holds", "GET /tasks", "limit 0"), "GET /tasks: limit holds (limit 0)"),
    ],
)
def test_titles_are_sentences(arguments: tuple[str, ...], said: str) -> None:
    assert labels.title(*arguments) == said


def test_the_lock_names_no_host() -> None:
    lock = json.loads((ALLURE / "package-lock.json").read_text())["packages"]
    assert not [name for name, entry in lock.items() if "resolved" in entry]
    assert all(entry.get("integrity") for name, entry in lock.items() if name)


def test_allure_is_pinned_exactly() -> None:
    wanted = json.loads((ALLURE / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


def test_a_report_that_cannot_be_made_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ALLURE, tmp_path / "here")
    (tmp_path / "here" / "package-lock.json").write_text("{")
    monkeypatch.setattr(report_page, "FOLDER", tmp_path / "here")
    folder = leave(tmp_path / "results", result("passed"))
    assert main(["--results", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert (tmp_path / "out" / "summary.md").exists()


def test_an_observation_is_counted_apart_from_checks_and_clauses(tmp_path: Path, run_reports: RunReports) -> None:
    observation = result("passed", "test_observe_statuses", is_observation=True, observed=("X-AMB-3",))
    code, text = run_reports(leave(tmp_path / "results", result("passed"), observation))
    assert (code, text.splitlines()[0]) == (0, "getflow   pass         1 check, 1 observation, 1 clause, 0 findings")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())["apis"]["getflow"]
    assert (facts["checks"], facts["observations"], facts["clauses"]) == (1, 1, 1)
    assert "| getflow | ✅ pass | 1 | 1 | 1 | 0 | 0 | 0 |" in (tmp_path / "out" / "summary.md").read_text()


def test_a_broken_contract_is_broken_and_the_other_apis_keep_their_verdicts(
    tmp_path: Path, run_reports: RunReports
) -> None:
    problem = "contracts/bitvis/clauses.yaml, line 3: no id"
    folder = leave(tmp_path / "results", result("passed"), broken={"bitvis": problem})
    code, text = run_reports(folder)
    assert code == 2
    assert re.findall(r"^(\w+) +(\w+) ", text, re.MULTILINE) == [("getflow", "pass"), ("bitvis", "broken")]
    assert "    contracts/bitvis/clauses.yaml, line 3: no id\n" in text


def test_an_api_that_no_contract_names_has_its_verdict(tmp_path: Path, run_reports: RunReports) -> None:
    code, text = run_reports(leave(tmp_path / "results", result("passed", api="todo")))
    assert (code, text.split()[:2]) == (0, ["todo", "pass"])


def test_all_expects_every_contract(tmp_path: Path, run_reports: RunReports) -> None:
    code, text = run_reports(leave(tmp_path / "results", result("passed")), "--expect", "all")
    verdicts_by_api = dict(line.split()[:2] for line in text.splitlines() if line.split()[0] in contracts.apis())
    assert code == 3
    assert verdicts_by_api == {**dict.fromkeys(contracts.apis(), "inconclusive"), "getflow": "pass"}


def test_all_expects_no_contract_that_the_run_was_not_asked_for(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"), is_selection=True)
    code, text = run_reports(folder, "--expect", "all")
    assert (code, text.split()[:2]) == (0, ["getflow", "pass"])
    assert "bitvis" not in text
