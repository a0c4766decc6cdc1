"""The line that a run prints while it goes on: what it says, where it is redrawn, and that `-q` leaves it out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.browser import wait_until
from suites.reporting import progress
from suites.reporting.progress import CLEAR, REQUESTS, Progress, ProgressReporter
from suites.reporting.result_recorder import FINDING
from suites.selftest.python_runs import run_module
from suites.selftest.suites.test_outcomes import PAGES, environment

NODE = "suites/getflow/test_errors.py::test_x"


def phase(when: str = "call", outcome: str = "passed", node: str = NODE, **properties: object) -> pytest.TestReport:
    report = pytest.TestReport(node, ("", 0, ""), {}, outcome, None, when)
    report.user_properties += properties.items()
    return report


@pytest.fixture
def reporter() -> Iterator[ProgressReporter]:
    created = ProgressReporter(io.StringIO(), is_terminal=False)
    yield created
    created.pytest_sessionfinish()


def test_line_has_tests_findings_rate_and_time_left() -> None:
    shown = Progress(total=1729, done=812, findings=3, requests=10_700, api="getflow").text(50.0)
    assert shown == "getflow: 812 of 1,729 tests, 3 findings, 214 requests/s, about 56 s left"


def test_long_time_left_is_in_minutes() -> None:
    assert Progress(total=100, done=10, api="bitvis").text(60.0).endswith("about 9 min left")


def test_nobody_knows_the_time_left_at_once() -> None:
    assert Progress(total=9, done=1, api="bitvis").text(2.0) == "bitvis: 1 of 9 tests, 0 findings, 0 requests/s"


def test_line_before_the_first_result() -> None:
    assert Progress(total=9).text(0.0) == "starting: 0 of 9 tests, 0 findings"


def test_test_is_done_after_its_tear_down(reporter: ProgressReporter) -> None:
    for when in ("setup", "call"):
        reporter.pytest_runtest_logreport(phase(when))
    assert reporter.progress.done == 0
    reporter.pytest_runtest_logreport(phase("teardown"))
    assert reporter.progress.done == 1


def test_requests_are_counted_once(reporter: ProgressReporter) -> None:
    for when in ("setup", "call", "teardown"):  # pytest repeats the properties
        reporter.pytest_runtest_logreport(phase(when, **{REQUESTS: 7}))
    assert (reporter.progress.requests, reporter.progress.api) == (7, "getflow")


def test_finding_is_counted_apart_from_what_has_no_verdict(reporter: ProgressReporter) -> None:
    reporter.pytest_runtest_logreport(phase(outcome="failed", **{FINDING: "{}"}))
    reporter.pytest_runtest_logreport(phase(outcome="failed"))
    assert (reporter.progress.findings, reporter.progress.unjudged) == (1, 1)
    assert "1 finding, 1 without a verdict" in reporter.progress.text(0.0)


def test_warning_is_a_finding(reporter: ProgressReporter) -> None:
    reporter.pytest_runtest_logreport(phase(**{FINDING: "{}"}))
    assert (reporter.progress.findings, reporter.progress.unjudged) == (1, 0)


@pytest.mark.parametrize("is_terminal", [False, True])
def test_log_gets_lines_and_terminal_is_redrawn(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_IN_LOG", 0.01)
    monkeypatch.setattr(progress, "SECONDS_ON_TERMINAL", 0.01)
    file = io.StringIO()
    reporter = ProgressReporter(file, is_terminal)
    reporter.pytest_xdist_node_collection_finished(None, ["a", "b"])
    wait_until(lambda: file.getvalue().count("of 2 tests") > 1, "two lines")
    reporter.pytest_sessionfinish()
    text = file.getvalue()
    assert ("\n" in text, text.endswith(CLEAR)) == ((False, True) if is_terminal else (True, False))
    assert text.count(CLEAR) == (text.count("of 2 tests") + 1 if is_terminal else 0)


def test_second_worker_begins_nothing(reporter: ProgressReporter) -> None:
    reporter.pytest_xdist_node_collection_finished(None, ["a"])
    first = reporter._thread
    reporter.pytest_xdist_node_collection_finished(None, ["a"])
    assert reporter._thread is first


def dots_of(folder: Path, *options: str) -> str:
    """What pytest prints between the collection and its last line."""
    arguments = ["-p", "no:cacheprovider", "--alluredir", str(folder / "results"), PAGES, *options]
    ended = run_module("pytest", arguments, environment({}))
    assert "9 passed" in ended.stdout, ended.stdout
    return ended.stdout.partition("collected 9 items")[2].rpartition("\n=")[0] if not options else ended.stdout


def test_line_stands_in_place_of_dots(tmp_path: Path) -> None:
    assert dots_of(tmp_path).strip() == ""  # the run is over before its first line is due


def test_quiet_run_has_the_dots_of_pytest(tmp_path: Path) -> None:
    assert "........." in dots_of(tmp_path, "-q")
