"""A pytest plugin for runs at targets with a pace: announces and shares it, and says what was left out because of it.

Rule: it is registered only for such a run, so runs at our references do not know of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.openapi import load_contract
from fixtures.pace import CREDENTIAL_ATTEMPTS, NotTested, Pace, pace_of
from fixtures.targets import Target, from_environment
from suites.reporting import broken_contracts, pytest_plugin
from suites.reporting.request_plan import api_of_node, plan_text, planned_requests, requests_of_test
from suites.reporting.result_recorder import PASSING

PACES = pytest.StashKey[dict[str, Pace]]()  # by API
FOLDER = pytest.StashKey[Path]()  # that all processes of a run with a pace share until it ends
NOT_TESTED = "not tested"  # name of a property of a test's report
PREFIX = "flowproof-pace-"
JUDGED = ("passed", "failed", *PASSING.values())  # what pytest's summary calls tests that ran to their end


def configure(config: pytest.Config) -> None:
    """Registers the plugin when the environment names a target with a pace. Raises UsageError as targets do."""
    named = [from_environment(api, os.environ) for api in broken_contracts.working_apis(config)]
    targets = [target for target in named if target and target.is_paced]
    config.stash[PACES] = {}
    if targets:
        worker_input: dict[str, Any] = getattr(config, "workerinput", {})
        folder = Path(worker_input.get("pace") or tempfile.mkdtemp(prefix=PREFIX))
        config.stash[FOLDER] = folder
        for target in targets:
            schemes = load_contract(target.api).security_schemes
            config.stash[PACES][target.api] = pace_of(target.api, folder, target.options, schemes, target.settings)
            if target.login:
                target.login.share(config.stash[PACES][target.api].secrets)
        logins = {target.api: target.login.sentence for target in targets if target.login}
        config.pluginmanager.register(PacePlugin(config, folder, logins, is_owner=not worker_input))


def with_pace(config: pytest.Config, target: Target) -> Target:
    """The target with the pace that this run has for it, if any."""
    return replace(target, pace=config.stash[PACES].get(target.api))


class PacePlugin:
    """The hooks of a run with a pace; `folder` holds its state, and its owner removes that.

    `logins` says by API where its token came from, if that was a login.
    """

    def __init__(self, config: pytest.Config, folder: Path, logins: Mapping[str, str], is_owner: bool) -> None:
        self.paces, self.folder, self.logins, self.is_owner = config.stash[PACES], folder, logins, is_owner
        self.is_announced = False
        self.is_measured_effort = config.option.effort != "deep"

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a worker of xdist where the state is."""
        node.workerinput["pace"] = str(self.folder)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Where a budget may end the run: the first test of each operation, then those with the fewest requests."""
        subjects = set()

        def rank(item: pytest.Item) -> tuple[int, int]:
            api = pytest_plugin.api_name(item)
            if api not in self.paces or self.paces[api].budget is None:
                return 0, 0
            subject = pytest_plugin.contract_subject(item)
            is_first = subject is not None and str(subject) not in subjects
            subjects.add(str(subject))
            return (0 if is_first else 1), requests_of_test(api, item.nodeid)

        items.sort(key=rank)

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """Announces what a run without xdist sends."""
        return self._announcement([item.nodeid for item in items], 1)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Announces what a run with xdist sends, as soon as a worker has collected the tests."""
        reporter = node.config.pluginmanager.get_plugin("terminalreporter")
        lines = [] if self.is_announced else self._announcement(ids, node.config.getoption("numprocesses") or 1)
        self.is_announced = True
        for line in lines:
            reporter.write_line(line)

    def _announcement(self, node_ids: Sequence[str], workers: int) -> list[str]:
        lines = []
        for api in sorted({api_of_node(node_id) for node_id in node_ids} & set(self.paces)):
            pace, planned = self.paces[api], planned_requests(api, node_ids, workers)
            lines += [self.logins[api]] if api in self.logins else []
            lines.append(
                f"{plan_text(api, *planned, pace.rate, pace.budget, self.is_measured_effort)}; with wrong credentials "
                f"at most {CREDENTIAL_ATTEMPTS} a minute and account, others are left out"
            )
        return lines

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Ends a test whose records can no longer be deleted."""
        try:
            return (yield)
        except NotTested:
            return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says for each API what was sent, what was left out and why, and which clauses were not tested for that."""
        for api, pace in sorted(self.paces.items()):
            state = pace.read()
            if state.sent:
                paused = f"; the target asked {state.pauses} times to wait, in all {state.paused:.0f} s"
                terminalreporter.write_line(f"{api}: {state.sent:,} requests sent{paused if state.pauses else ''}")
                for line in _left_out(api, terminalreporter.stats):
                    terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """Removes the state."""
        if self.is_owner:
            shutil.rmtree(self.folder, ignore_errors=True)


def _left_out(api: str, stats: dict[str, list[Any]]) -> list[str]:
    """A line for each reason for which tests of that API were not made, and one for clauses that no test checked."""
    by_reason: dict[str, int] = defaultdict(int)
    missed: set[str] = set()
    for report in stats.get("skipped", []):
        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
        if api_of_node(report.nodeid) == api and _is_of_pace(report):
            by_reason[reason.removeprefix("not tested: ").removeprefix(f"{api}: ")] += 1
            missed |= _clauses(report)
    judged: Iterable[Any] = [report for kind in JUDGED for report in stats.get(kind, [])]
    missed -= {clause for report in judged for clause in _clauses(report)}
    lines = [f"{api}: {number} tests not tested: {reason}" for reason, number in sorted(by_reason.items())]
    return [*lines, *([f"{api}: clauses not tested for that: {', '.join(sorted(missed))}"] if missed else [])]


def _is_of_pace(report: Any) -> bool:
    return any(name == NOT_TESTED for name, _ in report.user_properties)


def _clauses(report: Any) -> set[str]:
    return {value for name, value in report.user_properties if name == "clause"}
