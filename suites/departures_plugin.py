"""A pytest plugin for runs at targets of others: runs the preflight, and records the departures of target files.

Rule: it sends its requests before the first test, from the process that prints, so once in a run. A departure is a
known finding until its last day, and a finding from the day after. One that only the preflight knows is a finding, and
the run goes on with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import pytest

from contracts.errors import UsageError
from fixtures.departures.departure import Departure
from fixtures.preflight import preflight_report
from fixtures.preflight.departure_check import is_needed
from fixtures.preflight.preflight_report import PreflightReport
from fixtures.preflight.preflight_run import PreflightRun
from fixtures.target_api import Api
from fixtures.targets import Target, from_environment
from reports.results.accepted_causes import classify
from reports.results.result_log import ResultLog, ResultRecord
from suites import assumed_departures
from suites.reporting import broken_contracts, pace_plugin, pytest_plugin
from suites.reporting.accepted_findings import ACCEPTED
from suites.reporting.request_plan import api_of_node
from suites.reporting.result_recorder import RESULTS
from suites.run_checks import APIS_UNDER_TEST, MISUSE

PROCESS = "departures"  # names the file of the records
FAILED = 1  # exit code of a run whose only failure is a departure that nobody knows, or after its last day


def configure(config: pytest.Config) -> None:
    """Registers the plugin in the process that prints, if a target is somebody's or departs. Raises UsageError."""
    if hasattr(config, "workerinput") or APIS_UNDER_TEST in config.stash or config.option.collectonly:
        return
    named = [from_environment(api, os.environ) for api in broken_contracts.working_apis(config)]
    is_forced = config.option.preflight
    targets = {it.api: it for it in named if it and (is_forced or it.departures or not it.is_reference)}
    if targets:
        config.pluginmanager.register(DeparturesPlugin(config, targets, is_forced))


class DeparturesPlugin:
    """The hooks of a run at those targets, by API."""

    def __init__(self, config: pytest.Config, targets: dict[str, Target], is_forced: bool) -> None:
        self._config, self._targets, self._is_forced = config, targets, is_forced
        self._is_done = self._has_overdue = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begins, unless workers of xdist run the tests."""
        if MISUSE not in self._config.stash and not self._config.getoption("numprocesses", None):
            self._begin([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Begins as soon as a worker has collected the tests, of which none has begun."""
        self._begin(ids)

    def _begin(self, nodes: Iterable[str]) -> None:
        apis = {api_of_node(node) for node in nodes}
        if self._is_done or not apis:
            return
        self._is_done = True
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        for api in sorted(apis & set(self._targets)):
            for line in self._lines(pace_plugin.with_pace(self._config, self._targets[api])):
                if reporter:
                    reporter.write_line(line)

    def _lines(self, target: Target) -> list[str]:
        lines = []
        results = pytest_plugin.results_folder(self._config)
        log = ResultLog(results, self._config.stash[pytest_plugin.RUN], PROCESS) if results else None
        if not target.is_reference or self._is_forced:
            report = PreflightRun(target).run()
            lines = preflight_report.lines(report)
            if not target.is_reference:
                lines += self._assume(target, report, log)
        for departure in target.departures:
            record = departure_record(target.api, departure, _needed(target, departure), date.today())
            self._has_overdue |= record.outcome == "failed"
            lines.append(f"{target.api} {'known' if record.outcome == 'known' else 'overdue'}: {record.message}")
            if log:
                log.append(record)
        return lines

    def _assume(self, target: Target, report: PreflightReport, log: ResultLog | None) -> Iterator[str]:
        """Lets the run go on with what the preflight has found out, each a finding; yields a line for each."""
        assumed_departures.share(self._config, report)
        assumed = assumed_departures.assumed_in(report)
        is_strict = bool(self._config.getini("strict"))
        for record in assumed_departures.records(target, assumed, is_strict):
            self._config.stash[RESULTS].findings.append(record)
            if log:
                log.append(record)
            yield f"  the run goes on with {record.departure}, which is a finding"
        if report.settings:
            yield f"  the run goes on with{preflight_report.settings_line(report.settings)[1:]}"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run with a departure that nobody knows, or after its last day, has failed."""
        classified = classify(self._config.stash[RESULTS].findings, self._config.stash.get(ACCEPTED, {}))
        has_unknown = any(record.departure and record.outcome == "failed" for record in classified)
        if (self._has_overdue or has_unknown) and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = FAILED


def _needed(target: Target, departure: Departure) -> bool | None:
    try:
        return is_needed(Api(target), departure)
    except UsageError:
        return None


def departure_record(api: str, departure: Departure, needed: bool | None, today: date) -> ResultRecord:
    """The result that a departure is: known, or failed after its last day."""
    is_overdue = departure.is_overdue(today)
    message = departure.sentence(today)
    if needed is False:
        message += "; no longer needed: without it the target answers as documented, so remove it from the target file"
    return ResultRecord(
        api=api,
        node=f"departures::{api}[{departure.text}]",
        title=f"The target departs by {departure.text}",
        outcome="failed" if is_overdue else "known",
        clauses=(departure.clause,),
        blamed=(departure.clause,),
        message=message,
        departure=departure.text,
    )
