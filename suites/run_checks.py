"""Refuses a run of tests that a user cannot mean: its options, its environment, and what its targets need.

Rule: a misuse is one line and exit code 2, before anything is sent. What concerns all APIs is checked before tests are
collected; what concerns the APIs under test, when it is known which these are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

import contracts
from contracts.errors import UsageError
from contracts.openapi import load_contract
from fixtures import reference, server_identity
from fixtures.corpus import EFFORTS
from fixtures.corpus.request_fields import needs_mail
from fixtures.known_variables import check_environment
from fixtures.reference.change_selection import selected_changes
from fixtures.smtp_sink import MailSink, SharedMailbox, mail_address
from fixtures.targets import deepstream_url, from_environment, is_named, require_settings, require_targets
from suites import hypothesis_profiles
from suites.reporting import broken_contracts, pytest_plugin

KINDS = ("fault", "variant", "drift")  # of changes of a reference
APIS_UNDER_TEST = pytest.StashKey[dict[str, Any]]()  # what the fixture `api_of` returns when they are not on sockets
MISUSE = pytest.StashKey[str]()  # why the APIs under test cannot be tested, in one line
MAILBOX = pytest.StashKey[MailSink | SharedMailbox]()  # where this run receives mail
SHARED_MAILBOX = "mailbox"  # name of its URL in what xdist sends to a worker
EXIT_BROKEN = EXIT_MISUSE = 2
KNOWN_SERVERS = "servers"  # name, there, of the answers of those that were asked whose they are


def add_options(parser: pytest.Parser) -> None:
    """The options of a run. They are checked here, since pytest's exit code for its own checks means unreachable."""
    group = parser.getgroup("flowproof")
    group.addoption("--effort", default="default", metavar="NAME", help=f"how many requests: {', '.join(EFFORTS)}")
    group.addoption("--seed", default=0, metavar="N", help="another number, other generated requests (default 0)")
    for kind, verb in zip(KINDS, ("break", "vary", "change"), strict=True):
        group.addoption(f"--{kind}", action="append", default=[], metavar="API.NAME", help=f"{verb} our reference")
    group.addoption("--readings", metavar="FILE", help="remember which meanings targets use, and report other ones")
    group.addoption("--preflight", action="store_true", help="try a target first, even if it is our reference")
    group.addoption("--require-target", action="store_true", help="do not test our own references: demand <API>_URL")


def check_options(config: pytest.Config) -> None:
    """Raises UsageError for a value that an option cannot have."""
    option = config.option
    if option.effort not in EFFORTS:
        raise UsageError(f"--effort: expected one of {', '.join(EFFORTS)}, got {option.effort!r}")
    try:
        option.seed = int(option.seed)
    except ValueError:
        raise UsageError(f"--seed: expected an integer, got {option.seed!r}") from None
    hypothesis_profiles.load_profile(option.seed, EFFORTS[option.effort].examples)


def check_run(config: pytest.Config) -> None:
    """Raises UsageError for variables and options that no run of these APIs can have."""
    apis = broken_contracts.working_apis(config)
    check_environment(apis, os.environ)
    embedded = [api for api in apis if api in reference.apis() and not is_named(api, os.environ)]
    _check_changes(config, embedded)
    for api in embedded:
        if deepstream_url(api, os.environ) and config.getoption("numprocesses", None):
            name = api.upper()
            raise UsageError(
                f"{name}_DEEPSTREAM: each worker of -n has a reference of its own; leave -n out or set {name}_URL"
            )
    mail_address(_mailing(apis), os.environ)


def _check_changes(config: pytest.Config, embedded: Sequence[str]) -> None:
    for kind in KINDS:
        for name in config.getoption(kind):
            api = name.rpartition(".")[0]
            if api in contracts.apis() and api not in embedded:
                raise UsageError(f"--{kind}: expected a {kind} of our reference, got {name!r}; unset {api.upper()}_URL")
        try:
            selected_changes(embedded, kind, config.getoption(kind))
        except ValueError as error:
            raise UsageError(str(error).replace("--list shows", "python -m fixtures.reference --list shows")) from None


def change_options(config: pytest.Config, served: Sequence[str]) -> list[str]:
    """The changes of the served APIs, as options of `python -m fixtures.reference`."""
    options = []
    for kind in KINDS:
        known = selected_changes(
            [api for api in contracts.apis() if api in reference.apis()], kind, _names(config, kind)
        )
        options += [f"--{kind}={api}.{change.name}" for api in served for change in known.get(api, ())]
    return options


def _names(config: pytest.Config, kind: str) -> Sequence[str]:
    names: Sequence[str] = config.getoption(kind)
    return names


def _mailing(apis: Iterable[str]) -> list[str]:
    return [api for api in apis if needs_mail(load_contract(api))]


def apis_under_test(session: pytest.Session) -> list[str]:
    """The APIs that the collected tests are about."""
    subjects = {pytest_plugin.api_name(item) for item in session.items}
    return [api for api in broken_contracts.working_apis(session.config) if api in subjects]


def check_targets(session: pytest.Session) -> None:
    """Notes as MISUSE why the targets of the APIs under test cannot be used, and removes all tests then.

    Opens the mailbox, if one of these APIs sends mail.
    """
    config = session.config
    if APIS_UNDER_TEST in config.stash or not pytest_plugin.writes_results(config):
        return
    apis = apis_under_test(session)
    try:
        if config.option.require_target:
            require_targets(apis, [api for api in apis if is_named(api, os.environ)])
        targets = [target for api in apis if (target := from_environment(api, os.environ))]
        for target in targets:
            require_settings(target)
        if _mailing(apis):
            config.stash[MAILBOX] = _open_mailbox(config)
    except UsageError as error:
        config.stash[MISUSE] = str(error)
        session.items.clear()


def _open_mailbox(config: pytest.Config) -> MailSink | SharedMailbox:
    """The mailbox of the run, which receives mail from now on. Raises UsageError when it cannot."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        shared = SharedMailbox(worker[SHARED_MAILBOX])
        shared.open()
        return shared
    sink = _start_mailbox(config)
    sink.open()
    return sink


def _start_mailbox(config: pytest.Config) -> MailSink:
    """A mailbox that ends with the run, and receives no mail yet."""
    address = mail_address(_mailing(broken_contracts.working_apis(config)), os.environ)
    sink = MailSink(*address, is_open=False).start()
    config.add_cleanup(sink.close)
    return sink


def share_servers(node: Any) -> None:
    """Tells an xdist worker whose servers the targets are."""
    node.workerinput[KNOWN_SERVERS] = server_identity.answers()


def adopt_servers(config: pytest.Config) -> None:
    """Takes over in an xdist worker what its run knows of the targets' servers."""
    server_identity.adopt(getattr(config, "workerinput", {}).get(KNOWN_SERVERS, ()))


def share_mailbox(node: Any) -> None:
    """Tells an xdist worker where the mailbox of all workers is, which opens when a worker needs it."""
    stash = node.config.stash
    if MAILBOX not in stash:
        stash[MAILBOX] = _start_mailbox(node.config)
    node.workerinput[SHARED_MAILBOX] = stash[MAILBOX].share()
