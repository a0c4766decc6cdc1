"""Options, hooks and fixtures of every suite: targets, generated requests and reporting.

Rule: without `<API>_URL` an API runs against our own reference, which is started here, once for each xdist worker.
User errors, unreachable targets, missing records and broken contracts are reported in a sentence, not a traceback.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures import network_guard
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus import corpus as corpus_of
from fixtures.corpus.rpc_messages import Messages
from fixtures.corpus.rpc_messages import load_messages as messages_of
from fixtures.pace import NotTested
from fixtures.resources import resources
from fixtures.target_api import Api
from fixtures.targets import Target, apply_target_files, deepstream_url, embedded_references, from_environment
from fixtures.transports import TRANSPORTS, Transport
from fixtures.transports import transport as transport_of
from reports import cause_text
from reports.results.accepted_causes import classify, split_causes
from reports.results.blocked_tests import separate_blocked
from reports.results.result_log import BLOCKED
from suites import assumed_departures, departures_plugin, hypothesis_checks, run_checks, worker_groups
from suites.drift import drift_options, drift_plugin
from suites.generic import bug_kinds
from suites.observed_readings import ObservedReadings
from suites.reporting import (
    accepted_findings,
    attachments,
    broken_contracts,
    finding_records,
    made_records,
    masked_reports,
    pace_plugin,
    progress,
    pytest_plugin,
    remembered_readings,
)
from suites.reporting.broken_contracts import BROKEN
from suites.reporting.exchange_recorder import RECORDER, ExchangeRecorder
from suites.reporting.failures import raise_findings
from suites.reporting.response_evidence import NothingTested
from suites.reporting.result_recorder import (
    CASES,
    EXCHANGES,
    OPERATIONS,
    RESULTS,
    ResultRecorder,
    passing_status,
)
from suites.reporting.tried_prerequisites import TriedPrerequisites
from suites.run_checks import APIS_UNDER_TEST, MAILBOX, MISUSE
from suites.selected_apis import selected_apis

ANSWERING = pytest.StashKey[set[str]]()  # the APIs whose targets have answered this process
COLLECTION_ERRORS = pytest.StashKey["CollectionErrors"]()
SUITES = Path(__file__).parent
SELFTEST = SUITES / "selftest"
EXIT_BROKEN = EXIT_MISUSE = 2


class CollectionErrors:
    """A pytest plugin that notes which files could not be collected, in this process or in an xdist worker."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a file whose import failed, for example."""
        if report.failed:
            self.messages.append(f"{report.nodeid} could not be collected")


def pytest_addoption(parser: pytest.Parser) -> None:
    run_checks.add_options(parser)
    drift_options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    network_guard.install()
    run_checks.adopt_servers(config)
    config.addinivalue_line("markers", "clause(*ids): the clauses of the vendor's document that a test checks")
    config.addinivalue_line("markers", "observation(*ids): the readings that a test observes, and checks nothing")
    config.addinivalue_line("markers", "client: a test of what clients do, which passes without a word from a target")
    config.addinivalue_line("markers", "offered(cases): only for operations for which cases(corpus, operation) has any")
    config.addinivalue_line("markers", "bug_kind(name, reason_against): where reason_against(operation) is ''")
    config.addinivalue_line("markers", "behaviour: compares a target with the record of its behaviour")
    config.addinivalue_line("markers", "sockets: a test that needs a target on sockets; not run in mutation testing")
    masked_reports.configure(config)
    config.stash[COLLECTION_ERRORS] = CollectionErrors()
    config.pluginmanager.register(config.stash[COLLECTION_ERRORS])
    config.pluginmanager.register(worker_groups)
    try:
        pytest_plugin.configure(config)
        made_records.configure(config)
        run_checks.check_options(config)
        apply_target_files(contracts.apis(), os.environ)
        config.stash[BROKEN] = broken_contracts.find_broken(os.environ)
        run_checks.check_run(config)
        pace_plugin.configure(config)
        remembered_readings.configure(config)
        departures_plugin.configure(config)
        accepted_findings.configure(config)
        drift_plugin.configure(config)
    except ValueError as error:
        pytest_plugin.refuse(config, str(error))
        pytest.exit(str(error), returncode=EXIT_MISUSE)
    results = pytest_plugin.results_folder(config)
    if results:
        config.stash[RECORDER] = ExchangeRecorder()
        hypothesis_checks.LISTENERS[:] = [config.stash[RECORDER]]
    config.stash[RESULTS] = ResultRecorder(results, config.stash[pytest_plugin.RUN], _process_name())
    if results:
        config.stash[RESULTS].prerequisites = TriedPrerequisites(results, bool(config.getini("strict")))
    config.pluginmanager.register(config.stash[RESULTS])
    progress.configure(config)


def _process_name() -> str:
    """The name of this process among those of the run."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    of_others = set(contracts.apis()) - selected_apis(config)
    is_of_others = any(collection_path.is_relative_to(SUITES / api) for api in of_others)
    return is_of_others or broken_contracts.is_of_broken_api(config, collection_path) or None


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Lets `-k` select by clause. The full stop ends an id, so that `-k GETFLOW-ERR-1.` is not ERR-10 as well."""
    item.extra_keyword_matches.update(f"{clause}." for clause in pytest_plugin.clauses_of(item))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if any(item.path.is_relative_to(SELFTEST) for item in items):
        network_guard.permit_loopback()  # where the self-tests start servers of their own
    for item in items:
        if problem := pytest_plugin.unknown_id(item):
            config.stash[BROKEN].setdefault(pytest_plugin.api_name(item), problem)
    deselected = [item for item in items if pytest_plugin.api_name(item) in config.stash[BROKEN]]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in set(deselected)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    run_checks.check_targets(session)
    if pytest_plugin.results_folder(session.config):
        pytest_plugin.label_items(session.items)
    if session.items or broken_contracts.reported(session.config):
        apis = broken_contracts.working_apis(session.config)
        pytest_plugin.start_manifest(
            session.config,
            session.items,
            bug_kinds.of_tests(session.items, apis),
            session.config.stash[accepted_findings.ACCEPTED],
        )
    gc.collect()
    gc.freeze()  # tests and contracts live as long as the process: looking through them again frees nothing


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives an xdist worker the id of the run and the mailbox."""
    node.workerinput[pytest_plugin.RUN_INPUT] = node.config.stash[pytest_plugin.RUN]
    run_checks.share_servers(node)
    run_checks.share_mailbox(node)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes over what an xdist worker reports: the controller collects nothing itself."""
    output = getattr(node, "workeroutput", {})
    node.config.stash[BROKEN].update(output.get("broken", {}))
    if "misuse" in output:
        node.config.stash[MISUSE] = output["misuse"]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["broken"] = config.stash[BROKEN]
        if MISUSE in config.stash:
            config.workeroutput["misuse"] = config.stash[MISUSE]
    results, recorder = pytest_plugin.results_folder(config), config.stash.get(RECORDER, None)
    if results and recorder:
        recorder.write(results, _process_name())
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selected = selected_apis(metafunc.config)
    apis = [api for api in broken_contracts.working_apis(metafunc.config) if api in selected]
    missing = set(metafunc.fixturenames) - _parametrized_names(metafunc.definition)
    if "operation" in missing:
        operations = [operation for api in apis for operation in load_contract(api).operations.values()]
        metafunc.parametrize("operation", [it for it in operations if _is_offered(metafunc, it)], ids=str)
    if "call" in missing:
        contracts_of_calls = [contract for api in apis if (contract := load_rpc_contract(api))]
        calls = [call for rpc in contracts_of_calls for call in rpc.calls.values()]
        marks = list(metafunc.definition.iter_markers("bug_kind"))
        metafunc.parametrize("call", [it for it in calls if not bug_kinds.reasons_against(it, marks)], ids=str)
    if "resource" in missing:
        metafunc.parametrize("resource", [resource for api in apis for resource in resources(api)], ids=str)
    if "transport" in missing:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


def _is_offered(metafunc: pytest.Metafunc, operation: Operation) -> bool:
    """Whether the contract offers what the test's marks `offered` and `bug_kind` ask for; without them, anything."""
    if bug_kinds.reasons_against(operation, metafunc.definition.iter_markers("bug_kind")):
        return False
    options = metafunc.config.option
    generated = corpus_of(operation.api, EFFORTS[options.effort], options.seed)
    return all(mark.kwargs["cases"](generated, operation) for mark in metafunc.definition.iter_markers("offered"))


def _parametrized_names(test: pytest.Item) -> set[str]:
    """The parameters that the test's own marks give values to."""
    names: list[str] = []
    for mark in test.iter_markers("parametrize"):
        argument: str | Sequence[str] = mark.args[0]
        names += argument.split(",") if isinstance(argument, str) else argument
    return {name.strip() for name in names}


@pytest.hookimpl(wrapper=True, trylast=True)  # within the wrappers of pytest, whose tear-down expects their set-up
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    return (yield from item.config.stash[RESULTS].end_in_one_line(item, begins=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    return (yield from item.config.stash[RESULTS].end_in_one_line(item, require=lambda: _require_evidence(item)))


def _raise_postponed(item: pytest.Item) -> None:
    """Raises ContractViolation for the findings that were kept until the end of the test."""
    if api := pytest_plugin.api_under_test(item):
        raise_findings([(finding, None) for finding in api.postponed], api)


def _require_evidence(item: pytest.Item) -> None:
    """Raises NothingTested when a test has ended well that is about a target and learnt nothing about it."""
    _raise_postponed(item)
    api = pytest_plugin.api_name(item)
    is_of_clients = item.get_closest_marker("client") or item.get_closest_marker(drift_options.MARK)
    if api in contracts.apis() and RECORDER in item.config.stash and not is_of_clients:
        if pytest_plugin.api_under_test(item) is None:
            raise NothingTested("the test sends no request")
        item.config.stash[RECORDER].evidence[api].require()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    return (yield from item.config.stash[RESULTS].end_in_one_line(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    api = pytest_plugin.api_under_test(item)
    cases = hypothesis_checks.take_counts() if call.when == "call" else []
    item.user_properties += [(CASES, count.checked) for count in cases]
    if call.when == "call" and api and pytest_plugin.results_folder(item.config):
        attachments.attach_case_counts(cases)
        attachments.attach_exchanges(api, call.excinfo.value if call.excinfo else None)
        item.stash[OPERATIONS] = tuple(sorted(item.config.stash[RECORDER].operations - {""}))
        item.stash[EXCHANGES] = item.config.stash[RECORDER].take_count()
        item.user_properties.append((progress.REQUESTS, item.stash[EXCHANGES]))
    if call.when == "call" and api:
        item.user_properties += [("noted", note) for note in api.notes]
    if call.when == "teardown" and RECORDER in item.config.stash:
        item.config.stash[RECORDER].take_count()  # exchanges that clean up belong to no test
    is_selftest = item.path.is_relative_to(SELFTEST)
    text = None
    if call.excinfo is not None and isinstance(call.excinfo.value, AssertionError) and not is_selftest:
        text = finding_records.failure_text(item, call.excinfo.value)
        # pytest would read the source of every module for a traceback that no finding shows
        item.__dict__["repr_failure"] = lambda _excinfo: text
    report = yield
    not_tested = call.excinfo is not None and isinstance(call.excinfo.value.__cause__, NotTested)
    if call.when == "call" or not_tested:
        report.user_properties += [("clause", clause) for clause in pytest_plugin.clauses_of(item)]
    if not_tested:
        report.user_properties.append((pace_plugin.NOT_TESTED, True))
    item.__dict__.pop("repr_failure", None)
    if text is not None and call.excinfo is not None:
        report.longrepr = text
        blamed = pytest_plugin.blamed_clauses(item, call.excinfo.value)
        report.user_properties += [("blamed", clause) for clause in blamed]
    item.config.stash[RESULTS].add_phase(item, call, report)
    masked_reports.mask_report(report, item.config.stash[masked_reports.SECRETS])
    return report


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> None:
    finding_records.note_comparison(config, op, left, right)


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    return passing_status(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    masked_reports.mask_report(report, collector.config.stash[masked_reports.SECRETS])
    return report


@pytest.fixture(scope="session")
def targets(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[dict[str, Target]]:
    """The target of every API under test."""
    named = {api: from_environment(api, os.environ) for api in run_checks.apis_under_test(request.session)}
    unnamed = [api for api, target in named.items() if target is None]
    mailbox = pytestconfig.stash.get(MAILBOX, None)
    changes = run_checks.change_options(pytestconfig, unnamed)
    servers = {api: url for api in unnamed if (url := deepstream_url(api, os.environ))}
    with embedded_references(unnamed, mailbox.address if mailbox else "", changes, servers, os.environ) as started:
        paced = {
            api: assumed_departures.with_assumed(pytestconfig, pace_plugin.with_pace(pytestconfig, target))
            for api, target in named.items()
            if target
        }
        yield {**paced, **started}


@pytest.fixture(scope="session")
def api_of(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> dict[str, Api]:
    """Every API under test at its target, by name."""
    if APIS_UNDER_TEST in pytestconfig.stash:
        return pytestconfig.stash[APIS_UNDER_TEST]
    targets: dict[str, Target] = request.getfixturevalue("targets")
    mailbox = pytestconfig.stash.get(MAILBOX, None)
    run = f"{pytestconfig.option.seed}{os.environ.get('PYTEST_XDIST_WORKER', '')}"  # workers share the mailbox
    apis = {
        name: Api(target, mailbox=mailbox, run=run if target.embedded else None, ledger=made_records.ledger_of(target))
        for name, target in targets.items()
    }
    if RECORDER in pytestconfig.stash:
        for api in apis.values():
            pytestconfig.stash[RECORDER].observe(api)
    return apis


@pytest.fixture
def api(request: pytest.FixtureRequest, api_of: dict[str, Api]) -> Iterator[Api]:
    """The API under test: that of the operation, call or resource, else of the folder that the test is in."""
    api = api_of[pytest_plugin.api_name(request.node)]
    answering = request.config.stash.setdefault(ANSWERING, set())
    if not api.target.embedded and api.target.api not in answering:
        api.require_answer()  # before anything else is found out about a target that is not there
        answering.add(api.target.api)
    api.exchanges.clear()
    api.notes.clear()
    api.postponed.clear()
    api.seen_meanings.clear()
    if RECORDER in request.config.stash:
        request.config.stash[RECORDER].evidence[api.target.api].begin_test()
    subject = pytest_plugin.contract_subject(request.node)
    if subject and not subject.safe and not api.target.writes:
        pytest.skip(api.target.read_only_reason())
    yield api
    api.remove_invalid_records()


@pytest.fixture(scope="session")
def transports() -> Iterator[dict[tuple[Api, str], Transport]]:
    """The open transports by API and name: their connections outlive a test."""
    transports: dict[tuple[Api, str], Transport] = {}
    yield transports
    for transport in transports.values():
        transport.close()


@pytest.fixture
def transport(request: pytest.FixtureRequest, api: Api, transports: dict[tuple[Api, str], Transport]) -> Transport:
    """How the test's calls travel: a test that takes it runs once for each of TRANSPORTS."""
    key = (api, request.param)
    if key not in transports:
        transports[key] = transport_of(*key)
    return transports[key]


@pytest.fixture
def readings(api: Api, request: pytest.FixtureRequest) -> Iterator[ObservedReadings]:
    """Records which meaning of a reading the target uses."""
    observed = ObservedReadings(api, request.node.name)
    yield observed
    properties = request.node.user_properties
    properties += [("reading", f"{reading}={meaning}") for reading, meaning in observed.seen.items()]
    properties += [("observation", reading) for reading in dict.fromkeys(observed.observations)]
    if pytest_plugin.results_folder(request.config):
        attachments.attach_readings(observed.seen)


@pytest.fixture
def corpus(request: pytest.FixtureRequest, api: Api) -> Corpus:
    """The API's cases at this run's effort and seed."""
    options = request.config.option
    return corpus_of(api.target.api, EFFORTS[options.effort], options.seed)


@pytest.fixture
def messages(request: pytest.FixtureRequest, api: Api) -> Messages:
    """The API's messages at this run's effort and seed."""
    options = request.config.option
    return messages_of(api.target.api, EFFORTS[options.effort], options.seed)
