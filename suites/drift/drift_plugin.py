"""A pytest plugin for behaviour tests: their options, whether they are collected, and what is left when the run ends.

Rule: processes of xdist write observations; the one that the user started makes records and results of them.
"""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

from contracts.errors import UsageError
from fixtures.questions.observing import Plan
from fixtures.targets import from_environment
from reports.drift.record import Record
from suites.drift import drift_options, run_behaviours
from suites.drift.drift_options import OUT, RecordPlace
from suites.drift.drift_summary import (
    ApiObservations,
    compare_observations,
    record_observations,
    unreachable_result,
    write_result,
)
from suites.drift.observation_files import StoredObservation, read_observations
from suites.drift.planned_requests import planned_requests_of_drift
from suites.reporting import broken_contracts, pytest_plugin, request_plan
from suites.reporting.result_recorder import RESULTS

TEST = "drift/test_behaviour.py::test_behaviour"
LINES = pytest.StashKey[list[str]]()
EXIT_INCONCLUSIVE = 3
EXIT_BROKEN = 2


def configure(config: pytest.Config) -> None:
    """Registers the plugin. Raises UsageError for options and records that cannot be used."""
    config.stash[LINES] = []
    if drift_options.is_asked_for(config) and not hasattr(config, "workerinput") and not config.option.collectonly:
        remove_results()
    drift_options.check_options(config)
    for api in broken_contracts.working_apis(config):
        if drift_options.takes_part(config, api):
            drift_options.known_record(config, api)
            _plan_requests(config, api)
    config.pluginmanager.register(DriftPlugin(config))


def _plan_requests(config: pytest.Config, api: str) -> None:
    """Lets a run at a named target announce the requests of its behaviour tests."""
    target = from_environment(api, os.environ)
    if target is not None:
        plan = Plan(drift_options.plan_size(config, target), target.writes)
        most, total = planned_requests_of_drift(api, plan)
        turns = 2 if drift_options.record_place(config, api).is_written else 1
        request_plan.PLANNED[api] = {TEST: (most, turns * total)}


def observation_folder(config: pytest.Config) -> Path:
    """Where the behaviour tests of this run leave their observations."""
    return OUT / "observations" / (config.stash[pytest_plugin.RUN] or "run")


def remove_results() -> None:
    """Removes the results of the last run; records are no results."""
    for path in OUT.glob("*.json"):
        path.unlink(missing_ok=True)


class DriftPlugin:
    """The hooks of a run in which behaviour tests may take part."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leaves behaviour tests out where nobody asks for them and no named target has a record."""
        if collection_path.name != "test_behaviour.py" or collection_path.parent.name != "drift":
            return None
        apis = broken_contracts.working_apis(self._config)
        return not any(drift_options.takes_part(self._config, api) for api in apis) or None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Makes records and results of the observations, after all workers have ended."""
        yield
        folder = observation_folder(self._config)
        if hasattr(self._config, "workerinput"):
            return
        try:
            self._write_unreachable()
            is_inconclusive = self._finish(folder) if folder.is_dir() else False
        except (UsageError, OSError) as error:
            self._config.stash[LINES].append(f"drift: {error}")
            session.exitstatus = EXIT_BROKEN
            return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if is_inconclusive and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = EXIT_INCONCLUSIVE

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says for each API what was recorded or compared."""
        for line in self._config.stash[LINES]:
            terminalreporter.write_line(line)

    def _write_unreachable(self) -> None:
        """Writes a result for each API whose target did not answer."""
        for api, outcome, message in self._config.stash[RESULTS].stopped:
            if outcome == "unreachable" and drift_options.takes_part(self._config, api):
                record = drift_options.known_record(self._config, api)
                folder = drift_options.record_place(self._config, api).folder
                write_result(OUT, unreachable_result(api, folder, record, message))

    def _finish(self, folder: Path) -> bool:
        """Writes records and results; returns whether the run is inconclusive for that."""
        by_api: dict[str, list[StoredObservation]] = defaultdict(list)
        for observation in read_observations(folder):
            by_api[observation.api].append(observation)
        inconclusive = [api for api, observations in sorted(by_api.items()) if self._finish_api(api, observations)]
        return bool(inconclusive)

    def _finish_api(self, api: str, observations: list[StoredObservation]) -> bool:
        place = drift_options.record_place(self._config, api)
        facts = run_behaviours.of_run(pytest_plugin.results_folder(self._config), api)
        observed = ApiObservations(api, place.folder, observations, facts)
        record = drift_options.known_record(self._config, api)
        if place.is_written:
            record, result = record_observations(observed, record)
            line = _recorded_line(api, record, place)
        else:
            assert record is not None
            result = compare_observations(observed, record)
            line = f"{api}: {len(result.changes)} changes among {result.watched:,} behaviours of {place.folder}"
            if record.header.target != result.target:
                line += f"; the record is of {record.header.target}, this target is {result.target}"
        write_result(OUT, result)
        self._config.stash[LINES] += [line, *(f"{api}: {name}: {why}" for name, why in result.inconclusive.items())]
        return place.is_written or bool(result.inconclusive)


def _recorded_line(api: str, record: Record, place: RecordPlace) -> str:
    number, unsteady = len(record.steady) + len(record.unsteady), len(record.unsteady)
    where = f"of {record.header.target} in {place.folder}"
    return f"{api}: recorded {number:,} behaviours {where}, {unsteady:,} of them unsteady; the next run compares"
