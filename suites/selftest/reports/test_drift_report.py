"""The report of a comparison with a record: exit codes, what is printed and written, and what `--keep` edits."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import pytest

from contracts.yaml_reader import UsageError
from reports import accept_command
from reports.drift import drift_command, drift_text
from reports.drift.changes import Change
from reports.drift.drift_history import read_runs
from reports.drift.drift_results import DriftResult, read, write
from reports.drift.drift_verdict import check_record, judge_drift
from reports.drift.record import Record
from reports.drift.record_files import read_record, write_record
from suites.selftest.python_runs import run_module
from suites.selftest.reports.drift_sample import AFTER, BEFORE, HEADER, KEPT, rewrite, write_sample

ROOT = Path(__file__).parents[3]
SCHEMAS = Path(__file__).parent / "schemas"
TODAY = date(2026, 11, 27)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "observed"


@pytest.fixture
def sample(out: Path, folder: Path) -> DriftResult:
    return write_sample(out, folder)


def run(*arguments: object, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m reports drift` with these arguments."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GITHUB_STEP_SUMMARY": "", **(environ or {})}
    return run_module("reports", ["drift", *map(str, arguments)], environment)


def of_number(result: DriftResult, number: int) -> Change:
    return next(change for change in result.changes if change.number == number)


def test_a_breaking_change_fails_and_is_named(sample: DriftResult, out: Path) -> None:
    process = run("--out", out)
    assert (process.returncode, process.stderr) == (1, "")
    assert (
        "getflow    fail         2 breaking, 2 risky, 1 additive, 1 cosmetic, 1 repaired since 2026-11-12 (15 days)"
        in process.stdout
    )
    assert (
        f"breaking  {of_number(sample, 48).id}  assignee_id is gone from GET /tasks; it was always there"
        in process.stdout
    )
    assert "GETFLOW-ERR-10 (line " in process.stdout


def test_nothing_changed_passes(sample: DriftResult, out: Path) -> None:
    rewrite(out, sample, changes=())
    process = run("--out", out)
    assert process.returncode == 0
    assert "getflow    pass         no change since 2026-11-12" in process.stdout


def test_a_first_run_is_inconclusive_and_says_so(out: Path, folder: Path) -> None:
    write_sample(out, folder, is_recorded=True)
    process = run("--out", out)
    assert process.returncode == 3
    assert f"one was written to {folder}, which has to be reviewed" in process.stdout


def test_no_results_are_inconclusive(out: Path) -> None:
    process = run("--out", out)
    assert (process.returncode, process.stderr) == (3, "")
    assert "run tox -e drift first" in process.stdout


@pytest.mark.parametrize(
    ("fail_on", "severities", "code"),
    [
        ("breaking", ("risky", "additive"), 0),
        ("risky", ("risky",), 1),
        ("risky", ("additive", "cosmetic", "repaired"), 0),
        ("additive", ("additive",), 1),
        ("additive", ("cosmetic", "repaired"), 0),
    ],
)
def test_fail_on_says_from_which_severity_on_a_change_fails(
    sample: DriftResult, out: Path, fail_on: str, severities: tuple[str, ...], code: int
) -> None:
    (first, *_) = sample.changes
    rewrite(out, sample, changes=tuple(replace(first, severity=severity) for severity in severities))
    assert drift_command.main(["--out", str(out), "--fail-on", fail_on], TODAY) == code


VERDICTS = {
    "a change that is not confirmed": ({"changes": "unconfirmed"}, "inconclusive", "not seen a second time"),
    "trouble": (
        {"changes": (), "inconclusive": {"GET /tasks": "3 timeouts"}},
        "inconclusive",
        "GET /tasks: 3 timeouts",
    ),
    "too little to compare": (
        {"changes": (), "not_comparable": 5},
        "inconclusive",
        "% of the recorded facts could be compared",
    ),
    "a plan that raised": ({"problems": ("KeyError in the plan",)}, "broken", "KeyError in the plan"),
    "no answer": ({"changes": (), "unreachable": "no connection"}, "unreachable", "no connection"),
}


@pytest.mark.parametrize(("values", "verdict", "reason"), VERDICTS.values(), ids=VERDICTS)
def test_what_says_nothing_does_not_pass(
    sample: DriftResult, values: dict[str, object], verdict: str, reason: str
) -> None:
    if values.get("changes") == "unconfirmed":
        values = {"changes": tuple(replace(change, is_confirmed=False) for change in sample.changes)}
    judged = judge_drift(replace(sample, **values), TODAY)  # type: ignore[arg-type]
    assert judged.verdict == verdict
    assert any(reason in line for line in judged.reasons)


def test_a_target_that_does_not_answer_is_the_only_reason(sample: DriftResult) -> None:
    judged = judge_drift(replace(sample, changes=(), unreachable="no connection", watched=0), TODAY)
    assert (judged.reasons, drift_text.summary_line(judged)) == (
        ("no connection",),
        "nothing was compared: the target did not answer",
    )


def test_another_host_than_the_recorded_one_is_named(sample: DriftResult) -> None:
    notes = judge_drift(replace(sample, target="http://other"), TODAY).notes
    assert f"the record is of {HEADER.target}, and http://other was compared with it" in notes


NEEDS_TASKS = {"GET /notes": "getflow GET /tasks has nothing at /tasks/*/id: the target needs at least one such record"}


@pytest.mark.parametrize(
    ("number", "inconclusive", "verdict"),
    [
        (3, NEEDS_TASKS, "fail"),
        (3, {"GET /notes": "getflow GET /tasks_done has nothing at /tasks/*/id"}, "inconclusive"),
        (44, NEEDS_TASKS, "inconclusive"),
    ],
)
def test_a_list_that_moves_fails_for_what_needs_it(
    number: int, inconclusive: dict[str, str], verdict: str, sample: DriftResult
) -> None:
    moved = replace(sample.changes[0], number=number, severity="risky", operation="GET /tasks")
    judged = judge_drift(replace(sample, changes=(moved,), inconclusive=inconclusive), TODAY)
    assert judged.verdict == verdict
    assert any("what needs it could not be compared: GET /notes" in note for note in judged.notes) == (
        verdict == "fail"
    )


def test_an_accepted_change_fails_nothing(sample: DriftResult) -> None:
    judged = judge_drift(sample, TODAY, accepted={change.id: "ticket 812" for change in sample.changes})
    assert (judged.verdict, len(judged.accepted)) == ("pass", len(sample.changes))


def test_an_acceptance_that_is_over_fails_whatever_the_severity(sample: DriftResult) -> None:
    cosmetic = of_number(sample, 45)
    result = replace(sample, changes=(cosmetic,))
    assert judge_drift(result, TODAY).verdict == "pass"
    judged = judge_drift(result, TODAY, overdue=[cosmetic.id])
    assert (judged.verdict, judged.failing) == ("fail", (cosmetic,))
    assert f"{cosmetic.id} was accepted, and its last day is over" in judged.notes


def test_a_change_is_accepted_like_a_cause(sample: DriftResult, out: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    environ = {"GETFLOW_TARGET": str(target), "GETFLOW_URL": ""}
    failing = [change for change in sample.changes if change.severity == "breaking"]
    command = [*(change.id for change in failing), "--until", str(date.today()), "--reason", "ticket 812"]
    words = [str(word) for word in (*command, "--by", "Ann")]
    assert accept_command.main(words, out, environ) == 0
    assert f"id: {failing[0].id}" in (tmp_path / "accepted.yaml").read_text()
    process = run("--out", out, environ=environ)
    assert (process.returncode, process.stderr) == (0, "")
    assert "2 of them accepted" in process.stdout
    assert "ticket 812 (Ann)" in (out / "changes.html").read_text()


def test_an_old_record_is_noted(sample: DriftResult) -> None:
    assert judge_drift(sample, TODAY).notes == ()
    (note,) = judge_drift(sample, TODAY + timedelta(days=170)).notes
    assert note == "the record is 185 days old: record again with --record after 180 days"


def test_other_questions_are_noted(sample: DriftResult) -> None:
    (note,) = judge_drift(replace(sample, plan="1" * 12), TODAY).notes
    assert "the questions have changed" in note


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"api": "shop"}, "expected a record of shop, got one of getflow"),
        (
            {"target": "http://other.example"},
            "expected a record of http://other.example, got one of http://127.0.0.1:8000",
        ),
        ({"plan_size": "small"}, "was made with --plan full, and this run asks --plan small"),
    ],
)
def test_a_record_of_another_target_is_named(values: dict[str, str], message: str) -> None:
    own = {"api": HEADER.api, "target": HEADER.target, "plan_size": HEADER.plan_size}
    check_record(HEADER, "observed", **own)
    with pytest.raises(UsageError, match=message) as raised:
        check_record(HEADER, "observed", **{**own, **values})
    assert "\n" not in str(raised.value)


def test_a_result_reads_back(sample: DriftResult, out: Path) -> None:
    assert read(out / "drift" / "getflow.json") == sample


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"api": "getflow", "header": {}}'])
def test_a_file_that_is_no_result_is_one_line(text: str, out: Path) -> None:
    (out / "drift").mkdir(parents=True)
    (out / "drift" / "getflow.json").write_text(text)
    process = run("--out", out)
    assert process.returncode == 2
    assert "is no result of a drift run" in process.stderr
    assert process.stderr.count("\n") == 1


def test_keep_makes_a_change_the_new_normal(sample: DriftResult, out: Path, folder: Path) -> None:
    process = run("--out", out, "--keep", *(change.id for change in sample.changes))
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.count("is the new normal in") == len(sample.changes)
    kept = read_record(folder)
    assert {key: value.value for key, value in kept.steady.items()} == {key: it.value for key, it in AFTER.items()}
    assert kept.unsteady == Record(HEADER, {}, {**dict.fromkeys(kept.unsteady, ("none", "up by id"))}).unsteady


def test_keep_edits_few_lines(sample: DriftResult, out: Path, folder: Path) -> None:
    before = {path.name: path.read_text().splitlines() for path in folder.iterdir()}
    assert drift_command.main(["--out", str(out), "--keep", of_number(sample, 67).id[:6]]) == 0
    changed = {
        name: [line for line in path.read_text().splitlines() if line not in before[name]]
        for path in folder.iterdir()
        if (name := path.name)
    }
    assert {name: lines for name, lines in changed.items() if lines} == {
        "GET tasks.yaml": ["    /tasks/*/due_on: {kind: text, form: date-time Z}"]
    }


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("xyz", "--keep: expected the id of a change, 6 to 12 hex digits, got 'xyz'"),
        ("000000", "--keep: 000000 is no change of the last run: expected one of "),
    ],
)
def test_a_wrong_id_is_one_line_and_edits_nothing(
    sample: DriftResult, out: Path, folder: Path, identifier: str, message: str
) -> None:
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    process = run("--out", out, "--keep", sample.changes[0].id, identifier)
    assert process.returncode == 2
    assert process.stderr.startswith(message)
    assert process.stderr.count("\n") == 1
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before


def test_two_records_are_compared(out: Path, folder: Path, tmp_path: Path) -> None:
    write_record(Record(HEADER, BEFORE, {}), folder)
    write_record(Record(replace(HEADER, target="http://127.0.0.1:9000"), AFTER, {}), tmp_path / "other")
    process = run(folder, tmp_path / "other", "--out", out)
    assert process.returncode == 1
    assert "2 breaking" in process.stdout
    assert run(folder, folder, "--out", out).returncode == 0


def test_what_is_unsteady_in_either_record_is_not_compared(out: Path, folder: Path, tmp_path: Path) -> None:
    unsteady = {address: ("a", "b") for address in set(BEFORE) | set(AFTER) if address not in KEPT}
    write_record(Record(HEADER, BEFORE, {}), folder)
    write_record(Record(HEADER, KEPT, unsteady), tmp_path / "other")
    assert run(folder, tmp_path / "other", "--out", out).returncode == 0


MISUSE = {
    "one record": (("observed",), "expected two records or none, got 1"),
    "a folder without a record": (("nothing", "nothing"), "nothing: there is no record.yaml"),
    "records and --keep": (("a", "b", "--keep", "000000"), "expected no records beside it"),
    "an unknown severity": (("--fail-on", "cosmetic"), "invalid choice: 'cosmetic'"),
}


@pytest.mark.parametrize(("arguments", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_named(arguments: tuple[str, ...], message: str) -> None:
    process = run(*arguments)
    assert process.returncode == 2
    assert message in process.stderr
    assert "Traceback" not in process.stderr


def test_records_of_two_apis_are_not_compared(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(Record(HEADER, BEFORE, {}), folder)
    write_record(Record(replace(HEADER, api="shop"), BEFORE, {}), tmp_path / "other")
    assert drift_command.main([str(folder), str(tmp_path / "other")]) == 2
    assert "expected two records of one API, got getflow in" in capsys.readouterr().err


@pytest.mark.usefixtures("sample")
def test_a_bad_record_is_one_line(folder: Path, out: Path) -> None:
    with (folder / "GET tasks.yaml").open("a") as file:
        file.write("colour: {x: y}\n")
    process = run("--out", out)
    assert process.returncode == 2
    assert "GET tasks.yaml, line" in process.stderr
    assert "'x' is unknown: expected one of" in process.stderr
    assert process.stderr.count("\n") == 1


def test_the_page_of_a_job_gets_the_markdown(sample: DriftResult, out: Path, tmp_path: Path) -> None:
    process = run("--out", out, environ={"GITHUB_STEP_SUMMARY": str(tmp_path / "job.md")})
    assert process.returncode == 1
    page = (tmp_path / "job.md").read_text()
    assert page == (out / "drift.md").read_text()
    assert f"`{of_number(sample, 48).id}` |" in page


def test_sarif_is_valid_and_points_into_the_record(sample: DriftResult, out: Path) -> None:
    assert drift_command.main(["--out", str(out)], TODAY) == 1
    report = json.loads((out / "drift.sarif").read_text())
    schema = next(SCHEMAS.glob("sarif*"), None)
    if schema is not None:
        jsonschema_rs.validate(json.loads(schema.read_text()), report)
    (scan,) = report["runs"]
    result = next(it for it in scan["results"] if it["ruleId"] == "drift/date-or-date-and-time")
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("GET%20tasks.yaml")
    lines = (Path(sample.folder) / "GET tasks.yaml").read_text().splitlines()
    assert "/tasks/*/due_on" in lines[location["region"]["startLine"] - 1]
    assert {rule["id"] for rule in scan["tool"]["driver"]["rules"]} == {it["ruleId"] for it in scan["results"]}


class Page(HTMLParser):
    """Counts elements, and collects what would be fetched or run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.fetched: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "onclick")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_every_change_and_fetches_nothing(sample: DriftResult, out: Path) -> None:
    assert drift_command.main(["--out", str(out)], TODAY) == 1
    page = Page((out / "changes.html").read_text())
    assert page.count["article"] == len(sample.changes)
    assert (page.fetched, page.count.get("script", 0)) == ([], 0)
    for change in sample.changes:
        assert f"python -m reports drift --keep {change.id}" in page.text
    for part in ("Announced ends", "Sat, 01 Jan 2033", "Became unsteady", "The document is silent", "GETFLOW-ERR-10"):
        assert part in page.text


def test_text_from_outside_is_escaped(sample: DriftResult, out: Path) -> None:
    hostile = "<script>alert(1)</script>"
    change = replace(sample.changes[0], before=hostile, after=hostile, subject=hostile, operation=hostile)
    rewrite(out, sample, changes=(change,), responses={change.id: hostile}, curls={change.id: hostile}, target=hostile)
    drift_command.main(["--out", str(out)], TODAY)
    assert hostile not in (out / "changes.html").read_text()
    assert hostile not in (out / "drift.md").read_text()


@pytest.mark.usefixtures("sample")
def test_a_run_is_counted_once(out: Path) -> None:
    for _ in range(2):
        drift_command.main(["--out", str(out)], TODAY)
    assert [run.verdict for run in read_runs(out / "drift")["getflow"]] == ["fail"]


def test_the_last_30_runs_are_a_strip(sample: DriftResult, out: Path) -> None:
    for number in range(32):
        write(out / "drift" / "getflow.json", replace(sample, day=TODAY + timedelta(number), changes=()))
        drift_command.main(["--out", str(out)], TODAY)
    html = (out / "changes.html").read_text()
    assert html.count('<li class="pass"') == 30
    assert "2026-11-29: pass" in html
    assert "2026-11-28: pass" not in html


@pytest.mark.usefixtures("sample")
def test_a_broken_line_of_the_history_is_left_out(out: Path) -> None:
    drift_command.main(["--out", str(out)], TODAY)
    with (out / "drift" / "history.jsonl").open("a") as file:
        file.write('{"api": "getf')
    assert len(read_runs(out / "drift")["getflow"]) == 1
