"""Options, hooks and fixtures of every suite.

Rule: user errors, unreachable targets, missing records and broken contracts are reported in a sentence, without a
traceback.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.asyncapi import Call
from contracts.operation import Operation
from fixtures import network_guard
from fixtures.pace import NotTested
from fixtures.targets import apply_target_files
from suites import departures_plugin, hypothesis_checks, run_checks, worker_groups
from suites.api_fixtures import (
    api,
    api_of,
    corpus,
    messages,
    readings,
    targets,
    transport,
    transports,
    tried_operations,
)
from suites.collection_errors import COLLECTION_ERRORS, CollectionErrors
from suites.drift import drift_options, drift_plugin
from suites.generic import bug_kinds
from suites.parametrization import pytest_generate_tests
from suites.reporting import (
    accepted_findings,
    attachments,
    broken_contracts,
    finding_records,
    made_records,
    masked_reports,
    pace_plugin,
    postponed_findings,
    progress,
    pytest_plugin,
    remembered_readings,
)
from suites.reporting.broken_contracts import BROKEN
from suites.reporting.exchange_recorder import RECORDER, ExchangeRecorder
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
from suites.run_checks import EXIT_MISUSE, MISUSE
from suites.run_end import pytest_sessionfinish, pytest_terminal_summary
from suites.selected_apis import selected_apis

__all__ = [  # what pytest finds here by its name
    "api",
    "api_of",
    "corpus",
    "messages",
    "pytest_generate_tests",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "readings",
    "targets",
    "transport",
    "transports",
    "tried_operations",
]

SUITES = Path(__file__).parent
SELFTEST = SUITES / "selftest"


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
    config.pluginmanager.register(postponed_findings)
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
    config.stash[RESULTS] = ResultRecorder(results, config.stash[pytest_plugin.RUN], pytest_plugin.process_name())
    if results:
        config.stash[RESULTS].prerequisites = TriedPrerequisites(results, bool(config.getini("strict")))
    config.pluginmanager.register(config.stash[RESULTS])
    progress.configure(config)


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


@pytest.hookimpl(wrapper=True, trylast=True)  # within the wrappers of pytest, whose tear-down expects their set-up
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    return (yield from item.config.stash[RESULTS].end_in_one_line(item, begins=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    return (yield from item.config.stash[RESULTS].end_in_one_line(item, require=lambda: _require_evidence(item)))


def _require_evidence(item: pytest.Item) -> None:
    """Raises NothingTested when a test has ended well that is about a target and learnt nothing about it."""
    api_name = pytest_plugin.api_name(item)
    is_of_clients = item.get_closest_marker("client") or item.get_closest_marker(drift_options.MARK)
    subject = pytest_plugin.contract_subject(item)
    is_observed = item.get_closest_marker("observation") is not None
    is_about_being_served = isinstance(subject, Operation | Call) and subject.served_if and is_observed
    if api_name in contracts.apis() and RECORDER in item.config.stash and not (is_of_clients or is_about_being_served):
        if pytest_plugin.api_under_test(item) is None:
            raise NothingTested("the test sends no request")
        item.config.stash[RECORDER].evidence[api_name].require()


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
