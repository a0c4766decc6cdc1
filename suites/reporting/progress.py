"""Says while a run goes on how far it is: a line that a terminal redraws, and that a log gets four times a minute.

Rule: it stands in place of pytest's dots, so `-q` and `-v` print what they always do. The line is written by a thread
of its own, so that it goes on while one test takes long.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import Any, TextIO

import pytest

from suites.reporting import pytest_plugin
from suites.reporting.request_plan import api_of_node
from suites.reporting.result_recorder import FINDING

REQUESTS = "requests"  # property of pytest's report: how many exchanges the test has made
SECONDS_IN_LOG, SECONDS_ON_TERMINAL = 15.0, 1.0  # between two lines
SECONDS_TO_ESTIMATE = 5.0  # of a run, before which nobody knows how long the rest takes
CLEAR = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """What has been done. api: of the test that ended last; unjudged: tests that failed without a finding."""

    total: int = 0
    done: int = 0
    findings: int = 0
    unjudged: int = 0
    requests: int = 0
    api: str = ""

    def text(self, seconds: float) -> str:
        """The line after so many seconds: getflow: 812 of 1,729 tests, 3 findings, 214 requests/s, about 40 s left."""
        parts = [
            f"{self.done:,} of {self.total:,} tests",
            f"{self.findings} finding{'' if self.findings == 1 else 's'}",
        ]
        if self.unjudged:
            parts.append(f"{self.unjudged} without a verdict")
        if seconds > 0:
            parts.append(f"{self.requests / seconds:,.0f} requests/s")
        if self.done and seconds >= SECONDS_TO_ESTIMATE:
            parts.append(_left(seconds / self.done * (self.total - self.done)))
        return f"{self.api or 'starting'}: {', '.join(parts)}"


def _left(seconds: float) -> str:
    return f"about {seconds:.0f} s left" if seconds < 100 else f"about {seconds / 60:.0f} min left"


class ProgressReporter:
    """A pytest plugin of the process that prints: counts what its reports say, and writes the line."""

    def __init__(self, file: TextIO, is_terminal: bool) -> None:
        self.progress = Progress()
        self._file = file
        self._is_terminal = is_terminal
        self._began = 0.0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keeps pytest from printing names of files and percentages beside the line."""
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        reporter.showfspath = False
        reporter._show_progress_info = False  # its public option is a setting of the project, which self-tests share

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begins, unless xdist's workers collect."""
        if not session.config.pluginmanager.has_plugin("dsession"):
            self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:  # noqa: ARG002
        """Begins with the first worker that is ready; all of them collect the same tests."""
        self._begin(len(ids))

    def _begin(self, total: int) -> None:
        self.progress.total = total
        if self._thread is None and total:
            self._began = time.monotonic()
            self._thread = threading.Thread(target=self._write_lines, name="progress", daemon=True)
            self._thread.start()

    def _write_lines(self) -> None:
        while not self._ended.wait(SECONDS_ON_TERMINAL if self._is_terminal else SECONDS_IN_LOG):
            text = self.progress.text(time.monotonic() - self._began)
            self._file.write(f"{CLEAR}{text}" if self._is_terminal else f"{text}\n")
            self._file.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a phase of a test."""
        properties: dict[str, Any] = {str(name): value for name, value in report.user_properties}
        progress = self.progress
        progress.done += report.when == "teardown"
        progress.api = api_of_node(report.nodeid) or progress.api
        if report.when == "call":
            progress.requests += int(properties.get(REQUESTS, 0))
        if report.failed or FINDING in properties:
            progress.findings += FINDING in properties and report.when != "teardown"
            progress.unjudged += FINDING not in properties

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self) -> Any:
        """Leaves pytest's counts and prints no letter."""
        category, *_ = yield
        return category, "", ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Ends the line before the summary is printed."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            if self._is_terminal:
                self._file.write(CLEAR)
                self._file.flush()


def configure(config: pytest.Config) -> None:
    """Registers the reporter where a run of targets prints at pytest's usual verbosity."""
    is_worker = hasattr(config, "workerinput")
    if is_worker or config.get_verbosity() != 0 or not pytest_plugin.writes_results(config):
        return
    descriptor = os.dup(1)  # pytest captures the original while a test runs
    file = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
    config.add_cleanup(file.close)
    config.pluginmanager.register(ProgressReporter(file, file.isatty()), "flowproof-progress")
