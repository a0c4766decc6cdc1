"""The fixtures of every suite: the targets, the APIs at them, and what is generated for an API.

Rule: without `<API>_URL` an API runs against our own reference, which is started here, once for each xdist worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from contracts.asyncapi import Call
from contracts.operation import Operation
from fixtures.corpus import Corpus
from fixtures.corpus import corpus as corpus_of
from fixtures.corpus.rpc_messages import Messages
from fixtures.corpus.rpc_messages import load_messages as messages_of
from fixtures.target_api import Api
from fixtures.targets import Target, deepstream_url, embedded_references, from_environment
from fixtures.transports import Transport
from fixtures.transports import transport as transport_of
from suites import assumed_departures, run_checks
from suites.drift import drift_options
from suites.generic import optional_operations
from suites.observed_readings import ObservedReadings
from suites.reporting import attachments, made_records, pace_plugin, pytest_plugin
from suites.reporting.exchange_recorder import RECORDER
from suites.run_checks import APIS_UNDER_TEST, MAILBOX

ANSWERING = pytest.StashKey[set[str]]()  # the APIs whose targets have answered this process


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


@pytest.fixture(scope="session")
def tried_operations() -> optional_operations.Tried:
    """What the targets have answered to a valid request of each operation that they need not serve."""
    return {}


def _needs_a_served_subject(item: pytest.Item) -> bool:
    """Whether the test cannot do without its operation or call: all but those that find out what a target does."""
    return not (item.get_closest_marker("observation") or item.get_closest_marker(drift_options.MARK))


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
    if isinstance(subject, Operation) and _needs_a_served_subject(request.node):
        optional_operations.require_served(request.getfixturevalue("tried_operations"), api, subject)
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
    subject = pytest_plugin.contract_subject(request.node)
    if isinstance(subject, Call) and _needs_a_served_subject(request.node):
        optional_operations.require_served(request.getfixturevalue("tried_operations"), api, subject, transports[key])
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
    subject = pytest_plugin.contract_subject(request.node)
    return corpus_of(api.target.api, optional_operations.effort_for(options.effort, subject), options.seed)


@pytest.fixture
def messages(request: pytest.FixtureRequest, api: Api) -> Messages:
    """The API's messages at this run's effort and seed."""
    options = request.config.option
    subject = pytest_plugin.contract_subject(request.node)
    return messages_of(api.target.api, optional_operations.effort_for(options.effort, subject), options.seed)
