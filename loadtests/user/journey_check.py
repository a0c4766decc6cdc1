"""Checks before a run that journeys name only operations, RPC calls and values that the contract of their API has.

Rule: what a class lists, and what a journey names as a literal, is checked before any load. A name that a journey
computes is known only when it is used; then the journey raises UsageError, which breaks the run.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.errors import UsageError
from contracts.judge.refusal_judge import INVALID_KINDS
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from loadtests.request_factory.request_template import value_names
from loadtests.request_factory.rpc_factory import CALL_PARTS

OPERATION_METHODS: Mapping[str, int] = {
    "request_for": 0,
    "sampled_request": 0,
    "invalid_request": 0,
    "refused_request": 0,
    "contested_request": 0,
    "known_value": 0,
    "link_request": 1,
}
"""Methods of ContractUser that take the id of an operation, and at which position."""

CALL_METHODS: Mapping[str, int] = {"rpc_request": 1, "sampled_rpc_request": 1, "invalid_rpc_request": 1}
"""Methods of ContractUser that take the label of an RPC call, and at which position."""

OWN_PARAMETERS = {"check", "identifier", "pointer", "url", "kind", "name", "transport", "label"}


@dataclass(frozen=True, slots=True)
class NamedUse:
    """A call of such a method in the source of a journey; `arguments` are its positional literals."""

    journey: str
    method: str
    arguments: tuple[str | None, ...]
    values: tuple[str, ...]

    @property
    def name(self) -> str | None:
        """The operation or RPC call that is named, None when it is computed."""
        index = OPERATION_METHODS.get(self.method, CALL_METHODS.get(self.method, 0))
        return self.arguments[index] if index < len(self.arguments) else None


def require_known_names(user_class: type) -> None:
    """Raises UsageError for the first name in this class of ContractUser that the contract of its API does not have."""
    api: str = getattr(user_class, "api", "")
    if api not in contracts.apis():
        raise UsageError(
            f"{user_class.__name__}: there is no contract of the API {api!r}: expected a folder contracts/{api},"
            f" or one of {', '.join(contracts.apis())}"
        )
    contract, rpc_contract = load_contract(api), load_rpc_contract(api)
    operations = {operation.id: operation for operation in contract.operations.values()}
    calls = rpc_contract.calls if rpc_contract else {}
    for name in getattr(user_class, "operations", ()):
        _require(name, operations, f"{user_class.__name__}.operations", "operation")
    for name in getattr(user_class, "rpc_calls", ()):
        _require(name, calls, f"{user_class.__name__}.rpc_calls", "RPC call")
    for use in named_uses(user_class):
        if use.name is not None and use.method in OPERATION_METHODS:
            _require(use.name, operations, use.journey, "operation")
            _require_values(use, contract, operations[use.name])
        elif use.name is not None:
            _require(use.name, calls, use.journey, "RPC call")
            for value in use.values:
                _require(value, CALL_PARTS, use.journey, f"part of the RPC call {use.name}")


def _require(name: str, known: Any, where: str, kind: str) -> None:
    if name not in known:
        raise UsageError(f"{where}: unknown {kind} {name!r}; expected one of {', '.join(known) or 'none'}")


def _require_values(use: NamedUse, contract: Contract, operation: Operation) -> None:
    names = value_names(contract, operation)
    known = {*names, *(name.replace("-", "_") for name in names)}
    for value in use.values:
        if value not in known and not value.isupper():  # capitals name a setting of the target
            _require(value, names, use.journey, f"value of the operation {operation.id}")
    if use.method == "refused_request":
        kind, parameter = (*use.arguments, None, None, None)[1:3]
        if kind is not None:
            _require(kind, INVALID_KINDS, use.journey, "kind of error")
        if parameter is not None:
            parameters = [known.name for known in operation.parameters]
            _require(parameter, parameters, use.journey, f"parameter of the operation {operation.id}")


def named_uses(user_class: type) -> Iterator[NamedUse]:
    """The names of the contract that methods of this class and of its base classes with journeys use."""
    for owner in user_class.__mro__:
        if getattr(owner, "api", ""):
            for name, method in vars(owner).items():
                if inspect.isfunction(method):
                    yield from _uses_in(method, f"{user_class.__name__}.{name}")


def _uses_in(method: Callable[..., Any], journey: str) -> Iterator[NamedUse]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, SyntaxError):  # the code was not read from a file
        return
    parameters = inspect.signature(method).parameters
    if not parameters:
        return
    own = next(iter(parameters))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == own
            and node.func.attr in {*OPERATION_METHODS, *CALL_METHODS}
        ):
            arguments = tuple(_literal(argument) for argument in node.args)
            values = (keyword.arg for keyword in node.keywords if keyword.arg and keyword.arg not in OWN_PARAMETERS)
            yield NamedUse(journey, node.func.attr, arguments, tuple(values))


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
