"""Which worker of `-n` a test runs in: all tests of a target that is named share one, as a group of pytest-xdist.

Rule: workers never share a target, so no test meets what another one creates, changes or deletes there meanwhile. Our
own references run once for each worker.
"""

from __future__ import annotations

import os

import pytest

from fixtures.targets import is_named
from suites.reporting import broken_contracts, pytest_plugin


def pytest_configure(config: pytest.Config) -> None:
    """Keeps groups together: without --dist, `-n` spreads tests over workers without regard to them."""
    if config.getoption("dist", "no") == "load":
        config.option.dist = "loadgroup"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the tests of each named target into a group."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    named = [api for api in broken_contracts.working_apis(config) if is_named(api, os.environ)]
    for item in items if named else ():
        api = pytest_plugin.api_name(item)
        if api in named:
            item.add_marker(pytest.mark.xdist_group(api))
