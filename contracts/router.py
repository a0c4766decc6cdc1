"""Finds the operation or call that an exchange belongs to, by method, path and the parameters that tell calls apart.

A request that fits none belongs to none, which is no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qsl

from contracts.asyncapi import Call, load_rpc_contract
from contracts.exchange import FRAME, Exchange, Request, frame_endpoint
from contracts.formatting import rpc_method
from contracts.openapi import Contract
from contracts.operation import TEMPLATE_EXPRESSION, Operation, Parameter

Values = Mapping[str, Mapping[str, str]]  # by location, then by name; header names in lower case


@dataclass
class Router:
    """The operations of a contract by method and path."""

    contract: Contract
    _fixed: dict[tuple[str, str], list[Operation]] = field(default_factory=dict, init=False)
    _patterns: dict[str, list[tuple[re.Pattern[str], list[Operation]]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for operation in self.contract.operations.values():
            self._fixed.setdefault((operation.method, operation.path), []).append(operation)
        for (method, path), operations in self._fixed.items():
            if "{" in path:
                self._patterns.setdefault(method, []).append((path_pattern(path), operations))

    def operation_of(self, request: Request, url: str) -> Operation | None:
        """The operation that a request to the target at `url` belongs to, None when it fits none."""
        path = request.url.removeprefix(url).partition("?")[0]
        return best_match(self.candidates(request.method, path), request_values(request))

    def candidates(self, method: str, path: str) -> list[Operation]:
        """The operations with that method and path; the path is below the target's URL and still escaped."""
        operations = self._fixed.get((method, path))
        if operations:
            return operations
        patterns = self._patterns.get(method, ())
        return next((operations for pattern, operations in patterns if pattern.fullmatch(path)), [])


@cache
def router_of(contract: Contract) -> Router:
    """The router of that contract, made once."""
    return Router(contract)


def subject_of(contract: Contract, url: str, exchange: Exchange) -> Operation | Call | None:
    """The operation that a request to the target at `url` belongs to, or a frame's call; None when it fits none."""
    request = exchange.request
    if request.method != FRAME:
        return router_of(contract).operation_of(request, url)
    rpc = load_rpc_contract(contract.api)
    return rpc.calls.get(f"{frame_endpoint(request.url, url)} {rpc_method(request.body)}") if rpc else None


def path_pattern(path: str) -> re.Pattern[str]:
    """The pattern of a path template, a group for each parameter in its order; a segment is never empty."""
    return re.compile("([^/]+)".join(re.escape(part) for part in TEMPLATE_EXPRESSION.split(path)))


def best_match(candidates: list[Operation], values: Values) -> Operation | None:
    """Of operations with the same method and path, the one whose fixed values were sent and that knows most others."""
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    fitting = [
        operation for operation in candidates if all(_fits(parameter, values) for parameter in operation.parameters)
    ]
    return max(
        fitting,
        key=lambda operation: sum(_is_sent(parameter, values) for parameter in operation.parameters),
        default=None,
    )


def request_values(request: Request) -> dict[str, dict[str, str]]:
    """The values of headers and query parameters; of several with one name the last."""
    headers = {name.lower(): value for name, value in request.headers}
    query = request.url.partition("?")[2]
    return {"header": headers, "query": dict(parse_qsl(query, keep_blank_values=True))}


def _name(parameter: Parameter) -> str:
    return parameter.name.lower() if parameter.location == "header" else parameter.name


def _is_sent(parameter: Parameter, values: Values) -> bool:
    return _name(parameter) in values.get(parameter.location, {})


def _fits(parameter: Parameter, values: Values) -> bool:
    """Whether a required parameter with only one possible value, such as the name of a call, has that value."""
    allowed = parameter.schema.get("enum", ())
    if len(allowed) != 1 or not parameter.required:
        return True
    return values.get(parameter.location, {}).get(_name(parameter)) == str(allowed[0])
