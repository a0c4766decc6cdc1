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
from reports.results import records, run_manifest

ROOT = Path(__file__).parents[3]
REPORTS = ROOT / "reports"
ALLURE = REPORTS / "allure"
CLAUSE = labels.ClauseLabel("GETFLOW-ERR-10", "A parameter that is left out is named.", "line 74, stated")

pytestmark = pytest.mark.xdist_group("report")


def result(status: str, name: str = "test_one", message: str = "", api: str = "getflow") -> dict[str, Any]:
    """A result as allure-pytest writes it for a test that has the markers of `labels.add_markers`."""
    node = f"suites/{api}/test_errors.py::{name}"
    entry = labels.describe(api, "errors", [CLAUSE] if api == "getflow" else [], name, node, operation="GET /tasks")
    return {
        "uuid": f"{api}-{name}".replace("_", "-"),
        "name": name,
        "status": status,
        "statusDetails": {"message": message} if message else {},
        "description": entry.description,
        "labels": [{"name": key, "value": value} for key, value in entry.labels],
        "start": 1_700_000_000_000,
        "stop": 1_700_000_000_005,
    }


def leave(folder: Path, *results: dict[str, Any], expected: dict[str, int] | None = None, status: int = 0) -> Path:
    """Write what a run with these results leaves when it comes to its end."""
    run_manifest.clear(folder)
    collected = Counter(records.parse_result(content).api for content in results)
    run_manifest.start(folder, expected if expected is not None else collected, {"seed": "7"})
    for content in results:
        (folder / f"{content['uuid']}-result.json").write_text(json.dumps(content))
    run_manifest.finish(folder, status)
    return folder


RunReports = Callable[..., tuple[int, str]]


@pytest.fixture
def run_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> RunReports:
    """`python -m reports --no-html` on that folder: its exit code and what it prints."""

    def call(folder: Path, *options: str) -> tuple[int, str]:
        code = main(["--results", str(folder), "--out", str(tmp_path / "out"), "--no-html", *options])
        return code, capsys.readouterr().out

    return call


UNREACHABLE = "fixtures.http_client.Unreachable: unreachable: http://127.0.0.1:1 does not answer"
OUTCOMES: list[tuple[str, list[tuple[str, str]], int]] = [
    ("pass", [("passed", "")], 0),
    ("pass", [("passed", ""), ("skipped", "Skipped: needs a record")], 0),
    ("fail", [("passed", ""), ("failed", "AssertionError: no")], 1),
    ("fail", [("failed", "AssertionError: unreachable: says the vendor's answer")], 1),
    ("broken", [("passed", ""), ("broken", "KeyError: 'a'")], 2),
    ("broken", [("failed", "AssertionError: no"), ("broken", "KeyError: 'a'")], 2),
    ("inconclusive", [("skipped", "Skipped: needs a record")], 3),
    ("inconclusive", [("passed", ""), ("skipped", "Skipped: inconclusive: nothing was generated")], 3),
    ("unreachable", [("passed", ""), ("broken", UNREACHABLE)], 4),
    ("unreachable", [("skipped", "Skipped: unreachable: nobody there")], 4),
    ("unreachable", [("failed", "AssertionError: no"), ("broken", UNREACHABLE)], 4),
    ("broken", [("broken", "KeyError: 'a'"), ("broken", UNREACHABLE)], 2),
]


@pytest.mark.parametrize(("verdict", "ends", "code"), OUTCOMES)
def test_worst_outcome_is_the_verdict(
    verdict: str, ends: list[tuple[str, str]], code: int, tmp_path: Path, run_reports: RunReports
) -> None:
    tests = [result(status, f"test_{index}", message) for index, (status, message) in enumerate(ends)]
    failing = int(any(status in ("failed", "broken") for status, _ in ends))
    exit_code, text = run_reports(leave(tmp_path / "results", *tests, status=failing))
    assert (code, verdict) == (exit_code, text.split()[1])


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
    run_manifest.start(folder, {"getflow": 1}, {})
    code, text = run_reports(folder)
    assert code == 3
    assert "the run has no end mark" in text


def test_a_finding_outweighs_that_the_run_did_not_end(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("failed", message="AssertionError: no"))
    run_manifest.start(folder, {"getflow": 1}, {})
    assert run_reports(folder)[0] == 1


def test_a_collected_test_without_result_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    code, text = run_reports(leave(tmp_path / "results", result("passed"), expected={"getflow": 3}))
    assert code == 3
    assert "2 of 3 collected tests left no result" in text


def test_an_interrupted_run_is_inconclusive(tmp_path: Path, run_reports: RunReports) -> None:
    assert run_reports(leave(tmp_path / "results", result("passed"), status=2))[0] == 3


def test_a_problem_outside_the_tests_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    run_manifest.finish(folder, 2, ["suites/getflow/test_views.py could not be collected"])
    code, text = run_reports(folder)
    assert code == 2
    assert "test_views.py could not be collected" in text


def test_a_failure_that_left_no_result_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    assert run_reports(leave(tmp_path / "results", result("passed"), status=1))[0] == 2


@pytest.mark.parametrize("text", ['{"half": ', "[]", '{"name": "x", "status": "unknown"}', '{"name": "x"}', "\0"])
def test_a_result_that_cannot_be_read_is_broken(text: str, tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (folder / "odd-result.json").write_text(text)
    code, text = run_reports(folder)
    assert code == 2
    assert "odd-result.json" in text


@pytest.mark.parametrize("name", ["notes.txt", "x-result.json.tmp", "x-attachment.json", "x-container.json"])
def test_files_that_are_no_results_change_nothing(name: str, tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    (folder / name).write_text("{")
    assert run_reports(folder)[0] == 0


def test_a_failing_test_of_the_suite_itself_is_broken(tmp_path: Path, run_reports: RunReports) -> None:
    folder = leave(tmp_path / "results", result("failed", message="AssertionError: no", api=records.SELFTEST), status=1)
    assert run_reports(folder)[0] == 2


@pytest.mark.parametrize("uuid", ["a-file-before-the-other", "z-file-behind-the-other"])
def test_of_a_test_that_ran_twice_the_worse_result_counts(uuid: str, tmp_path: Path, run_reports: RunReports) -> None:
    again = result("failed", message="AssertionError: no") | {"uuid": uuid}
    assert run_reports(leave(tmp_path / "results", result("passed"), again, status=1))[0] == 1


def test_a_passing_line_has_its_counts(tmp_path: Path, run_reports: RunReports) -> None:
    text = run_reports(leave(tmp_path / "results", result("passed"), result("passed", "test_two")))[1]
    assert text.splitlines()[0] == "getflow   pass         2 checks, 1 clause, 0 findings"


def test_a_finding_names_clause_and_test(tmp_path: Path, run_reports: RunReports) -> None:
    text = run_reports(leave(tmp_path / "results", result("failed", message="AssertionError: 5 == 6"), status=1))[1]
    assert "    GETFLOW-ERR-10: 5 == 6\n        suites/getflow/test_errors.py::test_one\n" in text


def test_the_clause_that_a_message_names_is_blamed(tmp_path: Path, run_reports: RunReports) -> None:
    message = "x.ContractBroken: GETFLOW-CT-2: Its type.\n  expected   json\n  received   csv\n\nGETFLOW-CT-3: Other."
    text = run_reports(leave(tmp_path / "results", result("failed", message=message), status=1))[1]
    assert "GETFLOW-CT-2: expected json, received csv\n" in text
    assert records.parse_result(result("failed", message=message)).blamed == ("GETFLOW-CT-2", "GETFLOW-CT-3")


def test_skipped_tests_are_listed_with_their_reasons(tmp_path: Path, run_reports: RunReports) -> None:
    skipped = [result("skipped", f"test_{number}", "Skipped: needs a record") for number in range(3)]
    text = run_reports(leave(tmp_path / "results", result("passed"), *skipped))[1]
    assert "3 skipped\n    skipped 3 x needs a record\n" in text


def test_the_summaries_say_what_the_lines_say(tmp_path: Path, run_reports: RunReports) -> None:
    run_reports(leave(tmp_path / "results", result("failed", message="AssertionError: a|<b>"), status=1))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["verdict"], summary["exit_code"], summary["environment"]) == ("fail", 1, {"seed": "7"})
    assert summary["apis"]["getflow"]["findings"][0]["clauses"] == ["GETFLOW-ERR-10"]
    markdown = (tmp_path / "out" / "summary.md").read_text()
    assert "| getflow | ❌ fail | 1 | 0 | 1 | 1 | 0 | 0 |" in markdown
    assert "a\\|&lt;b>" in markdown


def test_readings_that_tests_saw_are_run_reports(tmp_path: Path, run_reports: RunReports) -> None:
    seen = result("passed")
    seen["labels"].append({"name": "reading", "value": "GETFLOW-AMB-15: clamped"})
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
    observation = result("passed", "test_observe_statuses")
    observation["labels"] += [{"name": "kind", "value": "observation"}, {"name": "observation", "value": "X-AMB-3"}]
    code, text = run_reports(leave(tmp_path / "results", result("passed"), observation))
    assert (code, text.splitlines()[0]) == (0, "getflow   pass         1 check, 1 observation, 1 clause, 0 findings")
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())["apis"]["getflow"]
    assert (facts["checks"], facts["observations"], len(facts["clauses"])) == (1, 1, 1)
    assert "| getflow | ✅ pass | 1 | 1 | 1 | 0 | 0 | 0 |" in (tmp_path / "out" / "summary.md").read_text()


def test_a_broken_contract_is_broken_and_the_other_apis_keep_their_verdicts(
    tmp_path: Path, run_reports: RunReports
) -> None:
    folder = leave(tmp_path / "results", result("passed"))
    run_manifest.start(folder, {"getflow": 1}, {}, {"bitvis": "contracts/bitvis/clauses.yaml, line 3: no id"})
    run_manifest.finish(folder, 0)
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
    folder = leave(tmp_path / "results", result("passed"))
    run_manifest.start(folder, {"getflow": 1}, {}, is_selection=True)
    run_manifest.finish(folder, 0)
    code, text = run_reports(folder, "--expect", "all")
    assert (code, text.split()[:2]) == (0, ["getflow", "pass"])
    assert "bitvis" not in text
