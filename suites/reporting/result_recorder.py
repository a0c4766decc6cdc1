"""Records how each test ended: for the verdict, for pytest's exit code, and in one line for the terminal.

Rule: the outcome is noted where the exception is caught, in the process that runs the test. The record is written when
the tear-down has ended; to the controller of xdist the outcome travels as a property of pytest's report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from contracts.asyncapi import Call
from contracts.operation import Operation
from contracts.secret_mask import mask_secrets
from fixtures.http_client import TargetUnreachable, Unreachable
from reports.results.causes import causes_of
from reports.results.finding_record import FindingRecord
from reports.results.records import short_message
from reports.results.result_log import BLAMING_OUTCOMES, BLOCKED, ResultLog, ResultRecord, parse_record
from reports.results.unreachable_apis import UnreachableApis
from suites.reporting import accepted_findings, finding_records, pytest_plugin
from suites.reporting.accepted_findings import KNOWN
from suites.reporting.failures import ContractViolation
from suites.reporting.masked_reports import SECRETS
from suites.reporting.misread_responses import MisreadResponses
from suites.reporting.outcomes import NOBODYS_FAULT, PASSED, Ending, ending_of, leaves, worst_ending
from suites.reporting.tried_prerequisites import TriedPrerequisites
from suites.reporting.unserved_operations import UnservedOperations

RESULTS = pytest.StashKey["ResultRecorder"]()  # of this process
SELFTEST = Path(__file__).parents[1] / "selftest"
NOTED = pytest.StashKey[Ending | None]()  # how the phase of a test ended that has no report yet
PHASES = pytest.StashKey[list[Ending]]()  # how the phases of a test ended
BLAMED = pytest.StashKey[tuple[str, ...]]()
FINDINGS = pytest.StashKey[tuple[FindingRecord, ...]]()
SECONDS = pytest.StashKey[float]()  # that the phases of a test have taken so far
BLOCKED_BY = pytest.StashKey[tuple[str, ...]]()  # ids of the causes that kept a test from its subject
EXCHANGES = pytest.StashKey[int]()  # how many exchanges the test made
OPERATIONS = pytest.StashKey[tuple[str, ...]]()  # the operations and calls that they belong to
CASES = "cases"  # property of a test: how many generated cases of one of its properties could have failed
NOT_JUDGED = ("skipped", "inconclusive")  # outcomes of tests that pytest shows as skipped
CHANGE = "reading_change"  # property of a test: what it saw of a reading that an earlier run saw otherwise
FINDING = "finding"  # property of pytest's report: the record of a test that has findings, as a JSON value
WARNING = "contract warning"  # property of pytest's report, and what its summary calls such a test
PASSING = {"warning": WARNING, KNOWN: KNOWN}  # outcomes that do not fail a test, and what pytest's summary calls them
SHOWN = {WARNING: (WARNING, "W", ("WARNING", {"yellow": True})), KNOWN: (KNOWN, "k", ("KNOWN", {"yellow": True}))}
STOP = "stop"  # property of pytest's report: API, outcome and message of a test that nobody is to blame for
EXIT_CODES = {"unreachable": 4, "misuse": 2}  # of a run with such a test


class ResultRecorder:
    """The results of this process; on the controller of xdist, what stopped the tests of all processes."""

    def __init__(self, results: Path | None, run: str, process: str) -> None:
        """results: folder of the run, None for a run that leaves none; process: its name among those of the run."""
        self._log = ResultLog(results, run, process) if results else None
        self._unreachable = UnreachableApis(results)
        self._misread = MisreadResponses()
        self._unserved = UnservedOperations()
        self.prerequisites: TriedPrerequisites | None = None  # None: nothing is tried
        self._seen: set[tuple[str, str]] = set()  # API and message of the tests that were stopped here
        self.findings: list[ResultRecord] = []  # of the tests of all processes that have findings
        self.failed: set[str] = set()  # node ids of the tests of all processes that pytest counts as failed
        self.stopped: dict[tuple[str, str, str], set[str]] = {}  # node ids of tests by API, outcome and message

    def end_in_one_line(
        self, item: pytest.Item, *, begins: bool = False, require: Callable[[], None] = lambda: None
    ) -> Generator[None]:
        """Wraps a phase of a test, so that one that neither vendor nor flowproof is to blame for ends in one line.

        A missing precondition skips the test, and so does a request that the run may not send, which makes the run
        inconclusive. Of the tests of an API that are stopped for the same reason, the first
        fails, so that no reader takes the run for green, and the others are skipped. A test that `begins` is stopped at
        once when its API is known not to answer. `require` is called when the phase has ended well, and raises when
        that shows nothing.
        """
        cause: BaseException | None = None
        try:
            reason = self._reason_to_stop(item) if begins else None
            if reason is None:
                result = yield
                require()
                return result
            ending = Ending("unreachable", reason)
        except Exception as error:
            cause = self._explained(item, error)
            ending = ending_of(cause)
            if self.prerequisites and (api_of_test := pytest_plugin.api_under_test(item)):
                item.stash[BLOCKED_BY] = self.prerequisites.blocking(api_of_test, cause)
            if ending.outcome not in (*NOBODYS_FAULT, *NOT_JUDGED):
                if cause is error:
                    raise
                raise cause from error
            if ending.outcome == "unreachable":
                ending = self._confirmed(item, error, ending)
        item.stash[NOTED] = ending
        if ending.outcome in NOT_JUDGED:
            raise pytest.skip.Exception(ending.message) from cause
        api = pytest_plugin.api_name(item)
        if self._log and (api, ending.message) in self._seen:
            pytest.skip(f"{ending.outcome}: {ending.message}")
        self._seen.add((api, ending.message))
        pytest.fail(f"{ending.outcome}: {ending.message}", pytrace=False)

    def _explained(self, item: pytest.Item, error: Exception) -> Exception:
        """The error, or what the responses of the test's target say in its place."""
        api = pytest_plugin.api_under_test(item)
        if api is None or item.path.is_relative_to(SELFTEST):
            return error
        clauses = pytest_plugin.clauses_of(item)
        read = self._misread.explain(api, clauses, error) or error
        return self._unserved.explain(api, clauses, read) or read

    def _reason_to_stop(self, item: pytest.Item) -> str | None:
        return self._unreachable.reason(pytest_plugin.api_name(item)) if self._log else None

    def _confirmed(self, item: pytest.Item, error: BaseException, ending: Ending) -> Ending:
        """The ending of a test without a connection; if the target itself does not answer, its other tests stop too."""
        api = pytest_plugin.api_under_test(item)
        dead: Unreachable | None = next((leaf for leaf in leaves(error) if isinstance(leaf, TargetUnreachable)), None)
        if dead is None and api is not None:
            try:
                api.require_answer()
            except Unreachable as unreachable:
                dead = unreachable
        if dead is None:
            return ending
        self._unreachable.add(pytest_plugin.api_name(item), str(dead))
        return Ending("unreachable", str(dead))

    def add_phase(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Notes how a phase of the test ended, and writes the record of the test after the last one."""
        if call.when == "setup":
            item.stash[PHASES], item.stash[BLAMED], item.stash[EXCHANGES] = [], (), 0
            item.stash[FINDINGS], item.stash[SECONDS], item.stash[BLOCKED_BY] = (), 0.0, ()
            item.config.stash[finding_records.COMPARISON] = None
        item.stash[SECONDS] += call.duration
        noted, item.stash[NOTED] = item.stash.get(NOTED, None), None
        ending = noted if noted and call.excinfo else _ending(item, call, report)
        phases = item.stash[PHASES]
        phases.append(ending)
        if ending.outcome in BLAMING_OUTCOMES and not item.path.is_relative_to(SELFTEST):
            report.user_properties.append((FINDING, _as_json(_record(item, ending))))
        findings = item.stash[FINDINGS]
        self._add_prerequisites(item, ending, report)
        if ending.outcome in BLAMING_OUTCOMES and findings:
            outcome = accepted_findings.shown_outcome(item, findings)
            if outcome in PASSING:
                _let_pass(item, report, PASSING[outcome])
        if ending.outcome in NOBODYS_FAULT:
            report.user_properties.append((STOP, [pytest_plugin.api_name(item), ending.outcome, ending.message]))
        if call.when == "teardown" and self._log:
            self._log.append(_record(item, worst_ending(phases)))

    def _add_prerequisites(self, item: pytest.Item, ending: Ending, report: pytest.TestReport) -> None:
        """Tries what the test stands on if it has findings, and keeps what is found out now as results of their own."""
        api = pytest_plugin.api_under_test(item)
        if self.prerequisites is None or api is None or item.path.is_relative_to(SELFTEST):
            return
        if ending.outcome in BLAMING_OUTCOMES:
            self.prerequisites.require_tried(api)
        for record in self.prerequisites.take_new():
            if record.findings:
                report.user_properties.append((FINDING, _as_json(record)))
            if self._log:
                self._log.append(record)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects the tests that were stopped or have findings, in whichever process they ran."""
        self.failed |= {report.nodeid} if report.failed else set()
        for name, value in report.user_properties:
            if name == STOP and isinstance(value, list):
                api, outcome, message = value
                self.stopped.setdefault((api, outcome, message), set()).add(report.nodeid)
            if name == FINDING and isinstance(value, dict):
                self.findings.append(parse_record(value))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """Has one failure of each cause printed in full; the others name their cause, which is printed below.

        Failures that are accepted, or blocked, as the causes of all findings show, are counted as such and not printed.
        """
        outcomes = accepted_findings.outcomes(terminalreporter.config, self.findings)
        for category in ("failed", WARNING):
            for report in terminalreporter.stats.pop(category, []):
                outcome = outcomes.get(report.nodeid, "")
                chosen = outcome if outcome in (KNOWN, BLOCKED) else category
                terminalreporter.stats.setdefault(chosen, []).append(report)
        cause_of = {test: cause.id for cause in reversed(causes_of(self.findings)) for test in cause.tests}
        shown: set[str] = set()
        for report in terminalreporter.stats.get("failed", []):
            cause = cause_of.get(report.nodeid)
            if cause in shown:
                report.longrepr = f"cause {cause}, as above"
            shown |= {cause} if cause else set()
        result = yield
        name_several(terminalreporter.stats)
        return result

    def shorten_failures(self, failures: Iterable[pytest.TestReport]) -> None:
        """Leaves the first line of each finding, once all are printed: on CI servers pytest's list repeats the text."""
        tests = {record.node for record in self.findings}
        for report in failures:
            if report.nodeid in tests:
                report.longrepr = str(report.longrepr).partition("\n")[0]

    @property
    def lines(self) -> list[str]:
        """What stopped tests, a line for each API and reason."""
        return [
            f"{api} {outcome}: {message} ({len(nodes)} tests)"
            for (api, outcome, message), nodes in self.stopped.items()
        ]

    @property
    def exit_code(self) -> int | None:
        """pytest's exit code where tests were stopped: that of the worst reason; None where none were."""
        return min((EXIT_CODES[outcome] for _, outcome, _ in self.stopped), default=None)


def _ending(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Ending:
    """How a phase ended whose exception is not noted; an expected failure counts as skipped."""
    if call.excinfo is None:
        return Ending("broken", str(report.longrepr)) if report.failed else PASSED
    if report.skipped:
        return Ending("skipped", getattr(report, "wasxfail", "") or str(call.excinfo.value))
    ending = ending_of(call.excinfo.value)
    if ending.outcome != "failed":
        return ending
    violations = [leaf for leaf in leaves(call.excinfo.value) if isinstance(leaf, ContractViolation)]
    error = violations[0] if violations else call.excinfo.value
    blamed = pytest_plugin.blamed_clauses(item, error)
    item.stash[BLAMED] = tuple(blamed if violations else blamed[:1])
    item.stash[FINDINGS] = finding_records.of_error(item, error)
    outcome = "warning" if all(finding.is_warning for finding in item.stash[FINDINGS]) else "failed"
    return Ending(outcome, finding_records.failure_text(item, error))


def _let_pass(item: pytest.Item, report: pytest.TestReport, category: str) -> None:
    """Lets pytest go on as after a test that passed; one whose set-up was left early has no call, and is skipped."""
    report.user_properties.append((category, True))
    if report.when == "setup":
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, str(report.longrepr))
    else:
        report.outcome = "passed"


def name_several(stats: dict[str, list[Any]]) -> None:
    """Gives warnings the plural in the last line of pytest, which has the name of a category as it is."""
    if len(stats.get(WARNING, ())) > 1:
        stats[f"{WARNING}s"] = stats.pop(WARNING)


def passing_status(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """How pytest counts and shows the phase of a test with findings that do not fail it, None for anything else."""
    properties = list(map(tuple, report.user_properties)) if isinstance(report, pytest.TestReport) else []
    return next((shown for category, shown in SHOWN.items() if (category, True) in properties), None)


def _as_json(record: ResultRecord) -> dict[str, Any]:
    """The record as a JSON value, which xdist can send, and whose texts are masked one by one."""
    value: dict[str, Any] = json.loads(json.dumps(asdict(record)))
    return value


def _record(item: pytest.Item, ending: Ending) -> ResultRecord:
    secrets: Sequence[str] = item.config.stash[SECRETS]
    message = short_message(mask_secrets(ending.message, secrets))
    properties = [(name, str(value)) for name, value in item.user_properties]
    seconds = item.stash[SECONDS]
    return ResultRecord(
        api=pytest_plugin.api_name(item),
        node=item.nodeid,
        title=pytest_plugin.title_of(item),
        outcome=ending.outcome,
        clauses=tuple(pytest_plugin.clauses_of(item)),
        blamed=item.stash[BLAMED] if ending.outcome in BLAMING_OUTCOMES else (),
        findings=item.stash[FINDINGS] if ending.outcome in BLAMING_OUTCOMES else (),
        message=message,
        readings=tuple(sorted(value.replace("=", ": ", 1) for name, value in properties if name == "reading")),
        exchanges=item.stash[EXCHANGES],
        cases=sum(int(value) for name, value in properties if name == CASES),
        observed=tuple(sorted(value for name, value in properties if name == "observation")),
        changes=tuple(value for name, value in properties if name == CHANGE),
        is_observation=bool(pytest_plugin.marked_ids(item, "observation")),
        bug_kind=(kind := next(iter(pytest_plugin.marked_ids(item, "bug_kind")), "")),
        operations=_operations(item, ending.outcome == "skipped") if kind else (),
        blocked_by=item.stash[BLOCKED_BY],
        seconds=round(seconds, 4),
    )


def _operations(item: pytest.Item, was_skipped: bool) -> tuple[str, ...]:
    """The operations and calls that the test is about: its own one, else all that it exchanged something with."""
    subject, exchanged = pytest_plugin.contract_subject(item), item.stash.get(OPERATIONS, ())
    return (subject.label,) if isinstance(subject, Operation | Call) and (exchanged or was_skipped) else exchanged
