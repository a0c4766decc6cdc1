"""Runs of pytest and of the reports, as their users start them, by processes forked from one that has the imports."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from subprocess import CompletedProcess

import contracts
from contracts.openapi import load_contract
from fixtures.fork_server import ForkServer, fork_server

IMPORTED = ("allure_pytest.plugin", "xdist.plugin", "reports.__main__", "suites.conftest")
PLUGINS = ("_hypothesis_globals", "_hypothesis_pytestplugin", "allure_pytest", "hypothesis", "xdist")


def prepare() -> None:
    """Imports what each run imports, and loads the contracts."""
    for name in IMPORTED:
        import_module(name)
    for api in contracts.apis():
        load_contract(api)
    for name in PLUGINS:
        if name in sys.modules:  # else pytest warns that it cannot rewrite the asserts of its plugins
            sys.modules[name].__doc__ = f"PYTEST_DONT_REWRITE {sys.modules[name].__doc__}"


def server() -> ForkServer:
    """The fork server of this process."""
    return fork_server(f"{__name__}:prepare")


def run_module(
    module: str, arguments: Sequence[str], environ: Mapping[str, str], timeout: float = 200.0
) -> CompletedProcess[str]:
    """`python -m module arguments` in the project's folder, to its end. Raises subprocess.TimeoutExpired."""
    return server().run(module, arguments, environ, timeout)
