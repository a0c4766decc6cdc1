"""Gives each test its operations, calls, resources and transports: those of the contracts of the APIs under test."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.corpus import corpus
from fixtures.resources import resources
from fixtures.transports import TRANSPORTS
from suites.generic import bug_kinds, optional_operations
from suites.reporting import broken_contracts
from suites.selected_apis import selected_apis


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    selected = selected_apis(metafunc.config)
    apis = [api for api in broken_contracts.working_apis(metafunc.config) if api in selected]
    missing = set(metafunc.fixturenames) - _parametrized_names(metafunc.definition)
    if "operation" in missing:
        operations = [operation for api in apis for operation in load_contract(api).operations.values()]
        metafunc.parametrize("operation", [it for it in operations if _is_offered(metafunc, it)], ids=str)
    if "call" in missing:
        contracts_of_calls = [contract for api in apis if (contract := load_rpc_contract(api))]
        calls = [call for rpc in contracts_of_calls for call in rpc.calls.values()]
        marks = list(metafunc.definition.iter_markers("bug_kind"))
        metafunc.parametrize("call", [it for it in calls if not bug_kinds.reasons_against(it, marks)], ids=str)
    if "resource" in missing:
        metafunc.parametrize("resource", [resource for api in apis for resource in resources(api)], ids=str)
    if "transport" in missing:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


def _is_offered(metafunc: pytest.Metafunc, operation: Operation) -> bool:
    """Whether the contract offers what the test's marks `offered` and `bug_kind` ask for; without them, anything."""
    if bug_kinds.reasons_against(operation, metafunc.definition.iter_markers("bug_kind")):
        return False
    options = metafunc.config.option
    generated = corpus(operation.api, optional_operations.effort_for(options.effort, operation), options.seed)
    return all(mark.kwargs["cases"](generated, operation) for mark in metafunc.definition.iter_markers("offered"))


def _parametrized_names(test: pytest.Item) -> set[str]:
    """The parameters that the test's own marks give values to."""
    names: list[str] = []
    for mark in test.iter_markers("parametrize"):
        argument: str | Sequence[str] = mark.args[0]
        names += argument.split(",") if isinstance(argument, str) else argument
    return {name.strip() for name in names}
