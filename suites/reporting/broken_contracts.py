"""Finds the APIs that cannot be tested because of a mistake of ours, so that the others are still tested.

Rule: no test of such an API is collected; it is reported in one line, and the vendor is blamed for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.clauses import clauses, readings
from contracts.errors import ContractError
from contracts.openapi import load_contract
from contracts.reader.optional_settings import optional_settings
from fixtures import reference
from fixtures.resources import resources
from fixtures.targets import from_environment

SUITES = Path(__file__).parents[1]
BROKEN = pytest.StashKey[dict[str, str]]()  # why an API is not tested, in one line, by API
LOADERS: Sequence[Callable[[str], object]] = (
    load_contract,
    load_rpc_contract,
    clauses,
    readings,
    resources,
    optional_settings,
)


def find_broken(environ: Mapping[str, str]) -> dict[str, str]:
    """Why an API cannot be tested, in one line, for each API where that is so. Raises UsageError as targets do."""
    problems = {api: problem_of(api) or reference_problem(api, environ) for api in contracts.apis()}
    return {api: problem for api, problem in problems.items() if problem}


def problem_of(api: str) -> str:
    """The first thing that is wrong with the contract of that API, in one line; "" when it can be used."""
    for load in LOADERS:
        try:
            load(api)
        except ContractError as error:
            return " ".join(str(error).split())
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            return f"contracts/{api}: expected a contract that can be read, got {text}"
    return ""


def reference_problem(api: str, environ: Mapping[str, str]) -> str:
    """Why there is nothing to test the contract of that API against; "" when there is a target."""
    if api in reference.apis() or from_environment(api, environ) is not None:
        return ""
    return f"fixtures/reference/{api}: expected a reference server, found none; write it or set {api.upper()}_URL"


def working_apis(config: pytest.Config) -> list[str]:
    """The APIs that this run can test."""
    broken = config.stash.get(BROKEN, {})
    return [api for api in contracts.apis() if api not in broken]


def reported(config: pytest.Config) -> dict[str, str]:
    """The broken APIs that the arguments of this run ask for; a run of one API does not report another."""
    selected = selected_apis(config.args)
    return {api: problem for api, problem in config.stash.get(BROKEN, {}).items() if api in selected}


def selected_apis(arguments: Iterable[str | os.PathLike[str]]) -> set[str]:
    """The APIs whose tests pytest would collect for these paths and node ids."""
    selected: set[str] = set()
    for argument in arguments:
        path = Path(str(argument).split("::")[0]).resolve()
        top = path.relative_to(SUITES).parts[:1] if path.is_relative_to(SUITES) else ()
        if top and top[0] in contracts.apis():
            selected.add(top[0])
        elif top != ("selftest",):
            selected.update(contracts.apis())
    return selected


def is_of_broken_api(config: pytest.Config, path: Path) -> bool:
    """Whether that file or folder has tests of an API that cannot be tested."""
    return any(path.is_relative_to(SUITES / api) for api in config.stash.get(BROKEN, {}))


def unknown_ids(api: str, identifiers: Iterable[str]) -> list[str]:
    """Those ids that are no clause and no reading of that API."""
    return [name for name in identifiers if name not in clauses(api) and name not in readings(api)]
