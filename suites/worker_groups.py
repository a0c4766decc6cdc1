"""Which worker of `-n` a test runs in: all tests of a target that is named share one, as a group of pytest-xdist.

Rule: workers never share a target. No test meets what another one creates, changes or deletes there meanwhile, and the
mail that the target sends reaches the worker that reads it. Our own references run once for each worker.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from contracts.errors import UsageError
from contracts.openapi import load_contract
from fixtures.corpus.request_fields import needs_mail
from fixtures.smtp_sink import MailSink, mail_address
from fixtures.targets import from_environment
from suites.reporting import broken_contracts, pytest_plugin


def require_groups(config: pytest.Config) -> None:
    """Raises UsageError for `-n` with a target that is named, unless groups stay together."""
    if config.getoption("dist", "no") in ("no", "loadgroup"):
        return
    for api in _named_apis(config):
        raise UsageError(f"{api.upper()}_URL: expected --dist loadgroup with -n, so that one worker tests {api}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests of each named target into a group."""
    named = _named_apis(config) if config.pluginmanager.hasplugin("xdist") else []
    for item in items if named else ():
        api = pytest_plugin.api_name(item)
        if api in named:
            item.add_marker(pytest.mark.xdist_group(api))


def _named_apis(config: pytest.Config) -> list[str]:
    return [api for api in broken_contracts.working_apis(config) if from_environment(api, os.environ)]


@pytest.fixture(scope="session")
def mailbox(pytestconfig: pytest.Config) -> Iterator[MailSink]:
    """The mailbox of all targets, at `<API>_SMTP`; at a free port when only our own references send mail.

    That of a named target is opened by `open_mailbox`, in the worker that tests it: no two can listen at one port.
    """
    apis = [api for api in broken_contracts.working_apis(pytestconfig) if needs_mail(load_contract(api))]
    sink = MailSink(*mail_address(apis, os.environ))
    with nullcontext() if set(apis) & set(_named_apis(pytestconfig)) else sink:
        yield sink


@pytest.fixture(scope="session")
def open_mailbox(mailbox: MailSink) -> Iterator[MailSink]:
    """The mailbox, open."""
    with nullcontext() if mailbox.is_open else mailbox:
        yield mailbox
