"""A run remembers which meanings its targets use, and a later one says when they use other ones, by real processes."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from reports.__main__ import main
from suites.selftest.python_runs import run_module

ROOT = Path(__file__).parents[3]
GENERIC = "suites/generic/test_operations.py::test_invalid_requests"
TESTS = (
    f"{GENERIC}[flowapp GET /api/v1/events/sessions]",
    f"{GENERIC}[flowback GET /users]",
    f"{GENERIC}[getflow GET /lists]",
    f"{GENERIC}[bitvis GET /api/inventory/inventory/device/ LIST by query]",
    "suites/generic/test_rpc.py::test_invalid_calls[bitvis inventory/device LIST-websocket]",
    "suites/flowapp/test_events_list.py::test_a_period_of_another_name_is_refused_or_ignored",
)
STRICT = (
    "flowback.refuses_what_it_does_not_know",
    "bitvis.refuses_unknown_names_in_the_query",
    "bitvis.refuses_what_is_not_needed",
)
LENIENT = ("flowapp.unknown_period_is_ignored", "getflow.ignores_unknown_parameters")
CHANGES = {  # what the lenient references do that the strict ones did not
    ("FLOWAPP-AMB-9", 'GET /api/v1/events/sessions, not in enum: query period = "CURRENT"'),
    ("FLOWAPP-AMB-9", "GET /api/v1/events/sessions, not in enum: query period = a generated value"),
    ("FLOWAPP-AMB-9", "GET /api/v1/events/sessions, test_a_period_of_another_name_is_refused_or_ignored"),
    ("FLOWBACK-AMB-31", "GET /users, unknown: query no_such_parameter"),
    ("GETFLOW-AMB-6", "GET /lists, unknown: query no_such_parameter"),
    ("BITVIS-AMB-22", "GET /api/inventory/inventory/device/ LIST by query, unknown: query no_such_parameter"),
    ("BITVIS-AMB-38", "inventory/device LIST by websocket, not needed: objectid"),
    ("BITVIS-AMB-41", "inventory/device LIST by websocket, not needed: data"),
}
EFFORT = "default"  # the least that sends every exchange; with less, an operation has one of each kind
PATIENCE = 300.0  # seconds until a process that does not end is a failure

pytestmark = pytest.mark.xdist_group("remembered_readings")


class Ended(NamedTuple):
    """What a run left: exit code, output, and the folder of its results."""

    code: int
    text: str
    results: Path


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of pytest runs and targets, and with these."""
    kept = {name: text for name, text in os.environ.items() if not re.match(r"PYTEST|[A-Z]+_(URL|READING)", name)}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", **settings}


def pytest_options(file: Path, results: Path, *options: str) -> list[str]:
    """The arguments of pytest for a run with that file of readings."""
    plain = ["-p", "no:cacheprovider", "--effort", EFFORT, "--alluredir", str(results)]
    return [*plain, "--readings", str(file), *options]


def run(file: Path, *options: str, settings: Mapping[str, str] | None = None) -> Ended:
    """A run of these tests or with these options."""
    results = file.parent / "results"
    ended = run_module("pytest", pytest_options(file, results, *options), environment(settings or {}), PATIENCE)
    return Ended(ended.returncode, ended.stdout + ended.stderr, results)


def variants(names: tuple[str, ...]) -> list[str]:
    """The options that let the references behave so."""
    return [f"--variant={name}" for name in names]


def meanings(file: Path) -> dict[tuple[str, str], str]:
    """The meanings in the file, by reading and kind of exchange."""
    with file.open(newline="") as lines:
        return {(row["reading"], row["exchange"]): row["meanings"] for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def strict_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first run has recorded at references that refuse; read only."""
    file = tmp_path_factory.mktemp("strict") / "readings.csv"
    ended = run(file, *TESTS, *variants(STRICT))
    assert ended.code == 0, ended.text
    return file


@pytest.fixture
def file(strict_file: Path, tmp_path: Path) -> Path:
    """A copy of that file."""
    copy = tmp_path / "readings.csv"
    copy.write_bytes(strict_file.read_bytes())
    return copy


@pytest.fixture(scope="module")
def lenient(strict_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The file, and a run with it at references that ignore what the first ones refused."""
    file = tmp_path_factory.mktemp("lenient") / "readings.csv"
    file.write_bytes(strict_file.read_bytes())
    return file, run(file, *TESTS, *variants(LENIENT))


def test_a_first_run_records_every_kind_of_exchange(strict_file: Path) -> None:
    recorded = meanings(strict_file)
    assert {recorded[key] for key in CHANGES} == {"refused"}
    assert {recorded[f"{api}_URL", ""] for api in ("BITVIS", "FLOWAPP", "FLOWBACK", "GETFLOW")} == {"our reference"}


def test_a_later_run_reports_a_change_and_passes(lenient: tuple[Path, Ended]) -> None:
    _, ended = lenient
    assert ended.code == 0, ended.text
    changed = set(re.findall(r"^changed: ([A-Z]+-AMB-\d+): (.+): refused before \(", ended.text, re.MULTILINE))
    assert changed == CHANGES
    assert f"{len(CHANGES)} changed" in ended.text


def test_a_change_leaves_the_recorded_line(lenient: tuple[Path, Ended], strict_file: Path) -> None:
    assert lenient[0].read_bytes() == strict_file.read_bytes()


def test_a_change_is_in_the_reports(lenient: tuple[Path, Ended], tmp_path: Path) -> None:
    assert main(["--results", str(lenient[1].results), "--out", str(tmp_path), "--no-html"]) == 0
    apis = json.loads((tmp_path / "summary.json").read_text())["apis"]
    assert "refused before (readings.csv, line " in apis["getflow"]["changes"][0]
    assert "## flowback: readings that have changed" in (tmp_path / "summary.md").read_text()


def test_a_change_is_in_the_allure_result_of_its_test(lenient: tuple[Path, Ended]) -> None:
    results = [json.loads(path.read_text()) for path in lenient[1].results.glob("*-result.json")]
    names = [attachment["name"] for result in results for attachment in result.get("attachments", ())]
    assert names.count("a reading has changed") == len(TESTS)


def test_a_change_fails_a_strict_run(file: Path) -> None:
    ended = run(file, *TESTS, *variants(LENIENT), "--strict")
    assert ended.code == 1, ended.text
    assert f"{len(TESTS)} failed" in ended.text
    assert "GETFLOW-AMB-6: Is a parameter or attribute that is not documented refused?" in ended.text
    assert re.search(
        r"expected   refused \(GET /lists, unknown: query no_such_parameter\), "
        r"as recorded in readings\.csv, line \d+\n +received   accepted\n",
        ended.text,
    ), ended.text
    log = [json.loads(line) for line in (ended.results / "outcomes-main.jsonl").read_text().splitlines()]
    assert ["GETFLOW-AMB-6"] in [record["blamed"] for record in log if record["outcome"] == "failed"]


@pytest.mark.slow
def test_a_strict_run_without_a_change_passes(file: Path) -> None:
    assert run(file, TESTS[2], *variants(STRICT), "--strict").code == 0


@pytest.mark.slow
def test_workers_record_what_a_single_process_does(strict_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "readings.csv"
    assert run(file, *TESTS, *variants(STRICT), "-n", "2").code == 0
    assert file.read_bytes() == strict_file.read_bytes()


@pytest.mark.slow
def test_workers_report_a_change(file: Path) -> None:
    ended = run(file, *TESTS[1:3], *variants(LENIENT), "--strict", "-n", "2")
    assert ended.code == 1, ended.text
    assert "changed: GETFLOW-AMB-6: GET /lists, unknown: query no_such_parameter: refused before" in ended.text


@pytest.mark.slow
def test_what_a_run_does_not_see_stays_and_what_is_new_is_added(file: Path) -> None:
    before = meanings(file)
    assert run(file, "suites/getflow/test_dates.py", "-k", "texts").code == 0
    after = meanings(file)
    assert before.items() <= after.items()
    assert {reading for reading, _ in after.keys() - before.keys()} == {"GETFLOW-AMB-21"}


@pytest.mark.slow
def test_a_deleted_line_is_recorded_anew(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines(keepends=True) if "GETFLOW-AMB-6" not in line]
    file.write_text("".join(lines))
    ended = run(file, TESTS[2], *variants(LENIENT), "--strict")
    assert ended.code == 0, ended.text
    assert meanings(file)["GETFLOW-AMB-6", "GET /lists, unknown: query no_such_parameter"] == "accepted"


@pytest.mark.slow
def test_a_fixed_reading_is_judged_by_its_variable_alone(file: Path) -> None:
    before = file.read_bytes()
    ended = run(file, TESTS[2], *variants(LENIENT), "--strict", settings={"GETFLOW_READING_6": "ignored"})
    assert ended.code == 0, ended.text
    assert " 0 changed, " in ended.text
    assert file.read_bytes() == before


def stopped_run(file: Path, number: signal.Signals) -> None:
    """A run that gets that signal once its first test has passed."""
    options = pytest_options(file, file.parent / "results", "-v", TESTS[2], "suites/getflow/test_dates.py")
    started = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT, env={**environment({}), "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout is not None
    with started.stdout as output:
        assert any("PASSED" in line for line in output)
        started.send_signal(number)
        output.read()
    started.wait(PATIENCE)


def without_getflow(file: Path) -> bytes:
    """Removes what is recorded of getflow; returns the rest."""
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "GETFLOW" not in line))
    return file.read_bytes()


@pytest.mark.slow
def test_a_killed_run_leaves_the_file_as_it_was(file: Path) -> None:
    before = without_getflow(file)
    stopped_run(file, signal.SIGKILL)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.glob("readings*")] == ["readings.csv"]


def test_an_interrupted_run_records_what_it_has_seen(file: Path) -> None:
    without_getflow(file)
    before = meanings(file)
    stopped_run(file, signal.SIGINT)
    after = meanings(file)
    assert before.items() <= after.items()
    assert after["GETFLOW-AMB-6", "GET /lists, unknown: query no_such_parameter"] == "refused"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("reading,exchange,meanings\nGETFLOW-AMB-6,x,forgotten\n", "line 2: GETFLOW-AMB-6: expected one of refused, "),
        (None, "cannot be written (No such file or directory)"),
    ],
    ids=["a malformed line", "a folder that is not there"],
)
def test_a_file_that_cannot_be_used_is_misuse(content: str | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "readings.csv" if content else tmp_path / "nowhere" / "readings.csv"
    if content:
        file.write_text(content)
    results = tmp_path / "results"
    ended = run_module("pytest", pytest_options(file, results, TESTS[2]), environment({}), PATIENCE)
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "--readings: " in line]
    assert (ended.returncode, len(lines)) == (2, 1), ended.stdout + ended.stderr
    assert reason in lines[0]
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "--readings: " in json.loads((results / "run.json").read_text())["misuse"][0]
