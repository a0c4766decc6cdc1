"""Ends a run: what counts for its exit code, and what its last lines say."""

from __future__ import annotations

import pytest

from reports import cause_text
from reports.results.accepted_causes import classify, split_causes
from reports.results.blocked_tests import separate_blocked
from reports.results.result_log import BLOCKED
from suites.collection_errors import COLLECTION_ERRORS
from suites.reporting import (
    accepted_findings,
    broken_contracts,
    made_records,
    pytest_plugin,
    remembered_readings,
)
from suites.reporting.broken_contracts import BROKEN
from suites.reporting.exchange_recorder import RECORDER
from suites.reporting.result_recorder import RESULTS
from suites.run_checks import EXIT_BROKEN, MISUSE


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["broken"] = config.stash[BROKEN]
        if MISUSE in config.stash:
            config.workeroutput["misuse"] = config.stash[MISUSE]
    results, recorder = pytest_plugin.results_folder(config), config.stash.get(RECORDER, None)
    if results and recorder:
        recorder.write(results, pytest_plugin.process_name())
    if MISUSE in config.stash:
        pytest_plugin.refuse(config, config.stash[MISUSE])
    unrecorded = remembered_readings.write(config)
    exitstatus = _without_known_failures(session, exitstatus)
    pytest_plugin.finish_manifest(config, exitstatus, [*config.stash[COLLECTION_ERRORS].messages, *unrecorded])
    is_broken = bool(broken_contracts.reported(config) or unrecorded) or MISUSE in config.stash
    code = EXIT_BROKEN if is_broken else config.stash[RESULTS].exit_code
    ended = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
    if code is not None and (exitstatus in ended or MISUSE in config.stash):
        session.exitstatus = code


def _without_known_failures(session: pytest.Session, status: int) -> int:
    """The exit status when accepted findings do not count; the session's is that of a failure if one has vanished."""
    recorder = session.config.stash[RESULTS]
    if hasattr(session.config, "workerinput"):
        return status
    counted = accepted_findings.exit_status(session.config, status, recorder.failed, recorder.findings)
    is_passed = counted == pytest.ExitCode.OK
    session.exitstatus = (
        pytest.ExitCode.TESTS_FAILED if is_passed and accepted_findings.has_failed(session.config) else counted
    )
    return counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    findings = config.stash[RESULTS].findings
    classified = separate_blocked(classify(findings, config.stash[accepted_findings.ACCEPTED]))
    causes, _ = split_causes(classified, config.stash[accepted_findings.ACCEPTED])
    if causes:
        terminalreporter.section(f"causes: {len(causes)}", "=")
        for line in cause_text.console_lines(causes):
            terminalreporter.write_line(line)
    config.stash[RESULTS].shorten_failures(terminalreporter.stats.get("failed", ()))
    for line in [
        *_letter_lines(terminalreporter),
        *accepted_findings.summary_lines(config, findings),
        *config.stash[RESULTS].lines,
        *made_records.summary_lines(config),
        *remembered_readings.summary_lines(config),
    ]:
        terminalreporter.write_line(line)
    for api, problem in sorted(broken_contracts.reported(config).items()):
        terminalreporter.write_line(f"{api} was not tested, because its contract is broken: {problem}")
    if MISUSE in config.stash:
        terminalreporter.write_line(f"nothing was tested: {config.stash[MISUSE]}", red=True)


def _letter_lines(terminalreporter: pytest.TerminalReporter) -> list[str]:
    """What became of the tests that were printed as failed while the run did not know all causes yet."""
    blocked = sum(report.failed for report in terminalreporter.stats.get(BLOCKED, ()))
    failed = len(terminalreporter.stats.get("failed", ()))
    if not blocked:
        return []
    return [
        f"of {blocked + failed} tests with the letter F, {failed} failed; {blocked} were blocked: a cause above kept"
        " them from what they test"
    ]
