"""Which worker of `-n` a test runs in: all tests of a target that is named share one, as a group of pytest-xdist.

Rule: workers never share a target, so no test meets what another one creates, changes or deletes there meanwhile. Our
own references run once for each worker.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from fixtures.targets import is_named
from suites.reporting import broken_contracts, pytest_plugin

GROUPED = "is_grouped"  # in what xdist sends to a worker: whether groups stay together


def pytest_configure(config: pytest.Config) -> None:
    """Keeps groups together: without --dist, `-n` spreads tests over workers without regard to them."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.option.loadgroup = worker[GROUPED]  # a worker knows only what was typed
    elif config.getoption("dist", "no") == "load":
        config.option.dist = "loadgroup"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of xdist whether groups stay together."""
    node.workerinput[GROUPED] = node.config.getoption("dist") == "loadgroup"


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
