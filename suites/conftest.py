"""Options, hooks and fixtures of every suite: targets, generated requests and reporting.

Rule: without `<API>_URL` an API runs against our own reference, which is started here, once for each xdist worker.
User errors, unreachable targets, missing records and broken contracts are reported in a sentence, not a traceback.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.asyncapi import load_rpc_contract
from contracts.errors import UsageError
from contracts.openapi import load_contract
from fixtures import network_guard
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus import corpus as corpus_of
from fixtures.corpus.rpc_messages import Messages
from fixtures.corpus.rpc_messages import load_messages as messages_of
from fixtures.http_client import Unreachable
from fixtures.pace import NotTested
from fixtures.resources import resources
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.targets import Target, deepstream_url, embedded_references, from_environment
from fixtures.transports import TRANSPORTS, Transport
from fixtures.transports import transport as transport_of
from suites import run_checks, worker_groups
from suites.observed_readings import ObservedReadings
from suites.reporting import attachments, broken_contracts, masked_reports, pace_plugin, pytest_plugin
from suites.reporting.broken_contracts import BROKEN
from suites.reporting.exchange_recorder import ExchangeRecorder
from suites.run_checks import APIS_UNDER_TEST, MAILBOX, MISUSE

RECORDER = pytest.StashKey[ExchangeRecorder]()
COLLECTION_ERRORS = pytest.StashKey["CollectionErrors"]()
SELFTEST = Path(__file__).parent / "selftest"
EXIT_BROKEN = 2


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


def pytest_configure(config: pytest.Config) -> None:
    network_guard.install()
    config.addinivalue_line("markers", "clause(*ids): the clauses of the vendor's document that a test checks")
    config.addinivalue_line("markers", "observation(*ids): the readings that a test observes, and checks nothing")
    config.addinivalue_line("markers", "sockets: a test that needs a target on sockets; not run in mutation testing")
    masked_reports.configure(config)
    config.stash[COLLECTION_ERRORS] = CollectionErrors()
    config.pluginmanager.register(config.stash[COLLECTION_ERRORS])
    config.pluginmanager.register(worker_groups)
    pytest_plugin.configure(config)
    if pytest_plugin.results_folder(config):
        config.stash[RECORDER] = ExchangeRecorder()
    try:
        run_checks.check_options(config)
        config.stash[BROKEN] = broken_contracts.find_broken(os.environ)
        run_checks.check_run(config)
        pace_plugin.configure(config)
    except ValueError as error:
        pytest_plugin.finish_manifest(config, EXIT_BROKEN, [str(error)])
        pytest.exit(str(error), EXIT_BROKEN)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return broken_contracts.is_of_broken_api(config, collection_path) or None


@pytest.hookimpl(tryfirst=True)
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
    if pytest_plugin.results_folder(config):
        pytest_plugin.label_items(items)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    run_checks.check_targets(session)
    if session.items or broken_contracts.reported(session.config):
        pytest_plugin.start_manifest(session.config, session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
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
        recorder.write(results, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    misuse = [config.stash[MISUSE]] if MISUSE in config.stash else []
    pytest_plugin.finish_manifest(config, exitstatus, [*config.stash[COLLECTION_ERRORS].messages, *misuse])
    if broken_contracts.reported(config) or misuse:
        session.exitstatus = EXIT_BROKEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for api, problem in sorted(broken_contracts.reported(config).items()):
        terminalreporter.write_line(f"{api} was not tested, because its contract is broken: {problem}")
    if MISUSE in config.stash:
        terminalreporter.write_line(f"nothing was tested: {config.stash[MISUSE]}", red=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    apis = broken_contracts.working_apis(metafunc.config)
    missing = set(metafunc.fixturenames) - _parametrized_names(metafunc.definition)
    if "operation" in missing:
        operations = [operation for api in apis for operation in load_contract(api).operations.values()]
        metafunc.parametrize("operation", operations, ids=str)
    if "call" in missing:
        contracts_of_calls = [contract for api in apis if (contract := load_rpc_contract(api))]
        metafunc.parametrize("call", [call for rpc in contracts_of_calls for call in rpc.calls.values()], ids=str)
    if "resource" in missing:
        metafunc.parametrize("resource", [resource for api in apis for resource in resources(api)], ids=str)
    if "transport" in missing:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


def _parametrized_names(test: pytest.Item) -> set[str]:
    """The parameters that the test's own marks give values to."""
    names: list[str] = []
    for mark in test.iter_markers("parametrize"):
        argument: str | Sequence[str] = mark.args[0]
        names += argument.split(",") if isinstance(argument, str) else argument
    return {name.strip() for name in names}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    return (yield from _in_one_sentence())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    return (yield from _in_one_sentence())


def _in_one_sentence() -> Iterator[None]:
    """Skips a test for a missing precondition; fails it in one sentence for an unreachable target or a usage error."""
    try:
        return (yield)
    except (MissingPrecondition, NotPermitted, NotTested) as reason:
        pytest.skip(str(reason))
    except (Unreachable, UsageError) as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    api: Api | None = getattr(item, "funcargs", {}).get("api")
    if call.when == "call" and api and pytest_plugin.results_folder(item.config):
        attachments.attach_exchanges(api, call.excinfo.value if call.excinfo else None)
        attachments.attach_count(item.config.stash[RECORDER].take_count())
    if call.when == "teardown" and RECORDER in item.config.stash:
        item.config.stash[RECORDER].take_count()  # exchanges that clean up belong to no test
    report = yield
    not_tested = call.excinfo is not None and isinstance(call.excinfo.value.__context__, NotTested)
    if call.when == "call" or not_tested:
        report.user_properties += [("clause", clause) for clause in pytest_plugin.clauses_of(item)]
    if not_tested:
        report.user_properties.append((pace_plugin.NOT_TESTED, True))
    is_selftest = item.path.is_relative_to(SELFTEST)
    if call.excinfo is not None and isinstance(call.excinfo.value, AssertionError) and not is_selftest:
        report.longrepr = pytest_plugin.failure_text(item, call.excinfo.value)
        blamed = pytest_plugin.blamed_clauses(item, call.excinfo.value)
        report.user_properties += [("blamed", clause) for clause in blamed]
    masked_reports.mask_report(report, item.config.stash[masked_reports.SECRETS])
    return report


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
    with embedded_references(unnamed, mailbox.address if mailbox else "", changes, servers) as started:
        paced = {api: pace_plugin.with_pace(pytestconfig, target) for api, target in named.items() if target}
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
        name: Api(target, mailbox=mailbox, run=run if target.embedded else None) for name, target in targets.items()
    }
    if RECORDER in pytestconfig.stash:
        for api in apis.values():
            pytestconfig.stash[RECORDER].observe(api)
    return apis


@pytest.fixture
def api(request: pytest.FixtureRequest, api_of: dict[str, Api]) -> Api:
    """The API under test: that of the operation, call or resource, else of the folder that the test is in."""
    api = api_of[pytest_plugin.api_name(request.node)]
    api.exchanges.clear()
    subject = pytest_plugin.contract_subject(request.node)
    if subject and not subject.safe and not api.target.writes:
        pytest.skip(api.target.read_only_reason())
    return api


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
    observed = ObservedReadings(api)
    yield observed
    properties = request.node.user_properties
    properties += [("reading", f"{reading}={meaning}") for reading, meaning in observed.seen.items()]
    properties += [("observation", reading) for reading in dict.fromkeys(observed.observations)]
    if pytest_plugin.results_folder(request.config):
        attachments.attach_readings(observed.seen, observed.observations)


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
