"""Lets accepted findings fail no run of pytest: what `accepted.yaml` says, as it is read before the first test.

Rule: a process knows at once only findings whose own id is accepted. What the causes of all findings say is decided
when the session ends, by the process that the user started; the reports decide the same from `run.json`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import date

import pytest

from fixtures.targets import is_named
from reports import cause_text
from reports.results.acceptances import NO_ACCEPTANCES, Acceptance, AcceptanceList, acceptances_of
from reports.results.accepted_causes import classify, is_accepted, split_causes, vanished
from reports.results.blocked_tests import separate_blocked
from reports.results.finding_record import FindingRecord
from reports.results.records import read_records
from reports.results.result_log import ResultRecord
from suites.reporting import broken_contracts, pytest_plugin

ACCEPTED = pytest.StashKey[Mapping[str, AcceptanceList]]()  # by API
KNOWN = "known"  # the outcome of a test whose findings are all accepted


def configure(config: pytest.Config) -> None:
    """Reads what is accepted of the named targets. Raises UsageError for a file that is not understood."""
    has_results = pytest_plugin.results_folder(config) is not None
    named = [api for api in broken_contracts.working_apis(config) if has_results and is_named(api, os.environ)]
    config.stash[ACCEPTED] = {api: acceptances_of(api, os.environ, date.today()) for api in named}


def shown_outcome(item: pytest.Item, findings: Sequence[FindingRecord]) -> str:
    """How the test with these findings ends as far as this process knows: failed, warning or known."""
    api = pytest_plugin.api_name(item)
    acceptances = item.config.stash.get(ACCEPTED, {}).get(api, NO_ACCEPTANCES)
    counted = [finding for finding in findings if not is_accepted(api, finding, acceptances)]
    if findings and not counted:
        return KNOWN
    return "warning" if findings and all(finding.is_warning for finding in counted) else "failed"


def known_tests(config: pytest.Config, records: Sequence[ResultRecord]) -> set[str]:
    """The node ids of the tests that do not fail the run, of those with findings in it."""
    classified = classify(records, config.stash.get(ACCEPTED, {}))
    return {record.node for record in classified if record.outcome != "failed"}


def outcomes(config: pytest.Config, records: Sequence[ResultRecord]) -> dict[str, str]:
    """How the tests with these findings ended, by node id, when accepted and blocked ones are told apart."""
    classified = separate_blocked(classify(records, config.stash.get(ACCEPTED, {})))
    return {record.node: record.outcome for record in classified}


def exit_status(config: pytest.Config, status: int, failed: Collection[str], records: Sequence[ResultRecord]) -> int:
    """pytest's exit status: passed if all `failed` tests have accepted findings only."""
    is_only_known = bool(failed) and set(failed) <= known_tests(config, records)
    return int(pytest.ExitCode.OK) if status == pytest.ExitCode.TESTS_FAILED and is_only_known else status


def has_failed(config: pytest.Config) -> bool:
    """Whether the run fails since an acceptance has vanished, and it is strict."""
    return bool(config.getini("strict")) and bool(_entries(config)[1])


def summary_lines(config: pytest.Config, records: Sequence[ResultRecord]) -> list[str]:
    """What is accepted, what was until its last day, and what was accepted and not found, a line each."""
    _, accepted = split_causes(records, config.stash.get(ACCEPTED, {}))
    overdue, gone = _entries(config)
    return [
        *(f"accepted: {cause_text.accepted_line(it)}" for it in accepted),
        *(f"overdue: {cause_text.overdue_line(entry)}" for entry in overdue),
        *(f"vanished: {cause_text.vanished_line(entry)}" for entry in gone),
    ]


def _entries(config: pytest.Config) -> tuple[list[Acceptance], list[Acceptance]]:
    """The acceptances of the tested APIs whose last day is over, and those of which nothing was found."""
    lists = config.stash.get(ACCEPTED, {})
    results = pytest_plugin.results_folder(config)
    if results is None or not any(entries.entries for entries in lists.values()):
        return [], []
    tests = read_records(results).tests
    apis = sorted({test.api for test in tests} & set(lists))
    overdue = [entry for api in apis for entry in lists[api].overdue_of(api)]
    return overdue, [entry for api in apis for entry in vanished(api, tests, lists[api])]
