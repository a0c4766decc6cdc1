"""Targets, options and the report, for every suite.

Rule: without `<API>_URL` a suite runs against our own reference, started here, one for each xdist worker. What a
person did wrong, a target that does not answer and a record that lacks are told in a sentence, never by a traceback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import contracts
from contracts import clauses
from contracts.document import contract
from contracts.rpc import rpc
from fixtures.api import Api, Lacking, NotPermitted
from fixtures.client import Unreachable
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus import corpus as corpus_of
from fixtures.corpus.messages import Messages
from fixtures.corpus.messages import messages as messages_of
from fixtures.mail import MailSink
from fixtures.targets import Misuse, Target, embedded, engine, from_environment
from fixtures.transports import TRANSPORTS, Transport
from fixtures.transports import transport as transport_of
from suites import profiles, reporting
from suites.prove.trial import GIVEN
from suites.readings import Observed
from suites.records import resources
from suites.watch import Watch

WATCH = pytest.StashKey[Watch]()
PROBLEMS: list[str] = []  # what went wrong outside of tests
SELFTEST = Path(__file__).parent / "selftest"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("flowproof")
    group.addoption("--effort", choices=list(EFFORTS), default="default", help="how many requests are generated")
    group.addoption("--seed", type=int, default=0, help="another number, other generated requests (default 0)")
    group.addoption("--fault", action="append", default=[], metavar="API.NAME", help="break the embedded reference")
    group.addoption("--variant", action="append", default=[], metavar="API.NAME", help="vary the embedded reference")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clause(*ids): the clauses of the vendor's document that a test checks")
    config.addinivalue_line("markers", "sockets: a test that needs a target on sockets; not run where there are none")
    reporting.configure(config)
    if reporting.folder(config):
        config.stash[WATCH] = Watch()
    try:
        profiles.load(config.option.seed)
        for api in contracts.apis():
            _check_engine(api, config, embedded=from_environment(api, os.environ) is None)
            for reading in clauses.readings(api):
                clauses.in_force(reading, os.environ)
    except (Misuse, ValueError) as error:
        raise pytest.UsageError(str(error)) from None


def _check_engine(api: str, config: pytest.Config, embedded: bool) -> None:
    """Raises Misuse when references of several workers would answer each other's calls at one engine."""
    if embedded and engine(api, os.environ) and config.getoption("numprocesses", None):
        name = api.upper()
        raise Misuse(f"{name}_DEEPSTREAM: each worker of -n has a reference of its own; leave -n out or set {name}_URL")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if reporting.folder(config):
        reporting.label(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.items:
        reporting.begin(session.config, session.items)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        PROBLEMS.append(f"{report.nodeid} could not be collected")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    results, watch = reporting.folder(session.config), session.config.stash.get(WATCH, None)
    if results and watch:
        watch.leave(results, os.environ.get("PYTEST_XDIST_WORKER", "main"))
    reporting.end(session.config, exitstatus, PROBLEMS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    own = {name.strip() for one in metafunc.definition.iter_markers("parametrize") for name in _names(one.args[0])}
    if "operation" in metafunc.fixturenames and "operation" not in own:
        operations = [one for api in contracts.apis() for one in contract(api).operations.values()]
        metafunc.parametrize("operation", operations, ids=str)
    if "call" in metafunc.fixturenames and "call" not in own:
        calls = [one for api in contracts.apis() if (found := rpc(api)) for one in found.calls.values()]
        metafunc.parametrize("call", calls, ids=str)
    if "resource" in metafunc.fixturenames and "resource" not in own:
        metafunc.parametrize("resource", [one for api in contracts.apis() for one in resources(api)], ids=str)
    if "transport" in metafunc.fixturenames and "transport" not in own:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


def _names(argument: str | Sequence[str]) -> Sequence[str]:
    return argument.split(",") if isinstance(argument, str) else argument


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    return (yield from _told())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    return (yield from _told())


def _told() -> Iterator[None]:
    """What lacks is a skip with its reason, what cannot be reached a failure of one line."""
    try:
        return (yield)
    except (Lacking, NotPermitted) as reason:
        pytest.skip(str(reason))
    except (Unreachable, Misuse) as reason:
        pytest.fail(str(reason), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    api: Api | None = getattr(item, "funcargs", {}).get("api")
    if call.when == "call" and api and reporting.folder(item.config):
        reporting.attach(api, call.excinfo.value if call.excinfo else None)
        reporting.attach_count(item.config.stash[WATCH].taken())
    if call.when == "teardown" and WATCH in item.config.stash:
        item.config.stash[WATCH].taken()  # what clears up is no test's
    report = yield
    if call.when == "call":
        report.user_properties += [("clause", one) for one in reporting.clauses_of(item)]
    ours = item.path.is_relative_to(SELFTEST)
    if call.excinfo is not None and call.excinfo.errisinstance(AssertionError) and not ours:
        report.longrepr = reporting.complaint(item, call.excinfo.value)
        report.user_properties += [("blamed", one) for one in reporting.blamed(item, call.excinfo.value)]
    return report


@pytest.fixture(scope="session")
def mailbox() -> Iterator[MailSink]:
    """Where mails arrive: FLOWBACK_SMTP, or a free port when the reference is our own."""
    default = "127.0.0.1:2525" if os.environ.get("FLOWBACK_URL") else "127.0.0.1:0"
    host, _, port = os.environ.get("FLOWBACK_SMTP", default).rpartition(":")
    with MailSink(host, int(port)) as sink:
        yield sink


@pytest.fixture(scope="session")
def targets(request: pytest.FixtureRequest, mailbox: MailSink) -> Iterator[dict[str, Target]]:
    """The target of every API."""
    named = {api: from_environment(api, os.environ) for api in contracts.apis()}
    ours = [api for api, target in named.items() if target is None]
    changes = [f"--{kind}={name}" for kind in ("fault", "variant") for name in request.config.getoption(kind)]
    engines = {api: url for api in ours if (url := engine(api, os.environ))}
    with embedded(ours, mailbox.address, changes, engines) as started:
        yield {**{api: target for api, target in named.items() if target}, **started}


@pytest.fixture(scope="session")
def api_of(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> dict[str, Api]:
    """Every API at its target."""
    if GIVEN in pytestconfig.stash:
        return pytestconfig.stash[GIVEN]
    targets: dict[str, Target] = request.getfixturevalue("targets")
    mailbox: MailSink = request.getfixturevalue("mailbox")
    run = str(pytestconfig.option.seed)
    found = {
        name: Api(target, mailbox=mailbox, run=run if target.embedded else None) for name, target in targets.items()
    }
    if WATCH in pytestconfig.stash:
        for one in found.values():
            pytestconfig.stash[WATCH].on(one)
    return found


@pytest.fixture
def api(request: pytest.FixtureRequest, api_of: dict[str, Api]) -> Api:
    """The API under test: of the operation, call or resource, or of the folder that the test is in."""
    api = api_of[reporting.api_name(request.node)]
    api.exchanges.clear()
    carrier = reporting.carrier(request.node)
    if carrier and not carrier.safe and not api.target.writes:
        pytest.skip(api.target.refusal())
    return api


@pytest.fixture(scope="session")
def transports() -> Iterator[dict[tuple[Api, str], Transport]]:
    """The transports that are open, by API and name: connections outlive a test."""
    opened: dict[tuple[Api, str], Transport] = {}
    yield opened
    for one in opened.values():
        one.close()


@pytest.fixture
def transport(request: pytest.FixtureRequest, api: Api, transports: dict[tuple[Api, str], Transport]) -> Transport:
    """How the test's calls travel: a test that takes it runs once for each of TRANSPORTS."""
    key = (api, request.param)
    if key not in transports:
        transports[key] = transport_of(*key)
    return transports[key]


@pytest.fixture
def readings(api: Api, request: pytest.FixtureRequest) -> Iterator[Observed]:
    """Says which meaning of a reading the target was seen to use."""
    observed = Observed(api)
    yield observed
    request.node.user_properties += [("reading", f"{name}={meaning}") for name, meaning in observed.seen.items()]
    if reporting.folder(request.config):
        reporting.attach_readings(observed.seen)


@pytest.fixture
def corpus(request: pytest.FixtureRequest, api: Api) -> Corpus:
    """The API's cases at this run's effort and seed."""
    options = request.config.option
    return corpus_of(api.target.api, EFFORTS[options.effort], options.seed)


@pytest.fixture
def messages(request: pytest.FixtureRequest, api: Api) -> Messages:
    """The API's calls at this run's effort and seed."""
    options = request.config.option
    return messages_of(api.target.api, EFFORTS[options.effort], options.seed)
