"""The interface of a contract that the checks use while it is being read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from contracts.errors import Location
from contracts.operation import Operation, Schema


class CheckedContract(Protocol):
    """The members of `contracts.openapi.Contract` that the checks use."""

    @property
    def api(self) -> str: ...
    @property
    def operations(self) -> Mapping[str, Operation]: ...
    @property
    def locations(self) -> Mapping[str, Location]: ...
    @property
    def security_schemes(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def error_format(self) -> Mapping[str, Any]: ...
    @property
    def refusals(self) -> Mapping[str, Any]: ...
    @property
    def silent(self) -> Mapping[str, str]: ...
    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]: ...

    def find(self, identifier: str, server: int = 0) -> Operation:
        """The operation with that id at that server. Raises ContractError."""

    def resolve(self, schema: Schema) -> Schema:
        """The schema itself, or what it refers to."""
