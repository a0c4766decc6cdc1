"""Contracts with one operation made of given parts, for tests of one rule at a time."""

from __future__ import annotations

from typing import Any

from contracts.invalid_kinds import INVALID_KINDS
from contracts.openapi import Contract, from_document
from contracts.operation import Operation

LABEL = "POST /things"


def contract_with(
    parameters: list[dict[str, Any]] | None = None,
    body: dict[str, Any] | None = None,
    responses: dict[str, Any] | None = None,
    schemas: dict[str, Any] | None = None,
    refusals: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    media_type: str = "application/json",
    path: str = "/things",
    **operation: Any,
) -> Contract:
    """A contract with the operation `POST <path>`; `body` is its body's schema.

    Unless `refusals` says otherwise every kind of invalid request is refused by the clause TODO-ERR-1.
    """
    entry: dict[str, Any] = {
        "operationId": "makeThing",
        "x-clauses": ["TODO-MAKE-1"],
        "parameters": parameters or [],
        "responses": responses or {"200": {"description": "done"}, "4XX": {"description": "refused"}},
        **operation,
    }
    if body is not None:
        entry["requestBody"] = {"required": True, "content": {media_type: {"schema": body}}}
    rules = {kind: {"clause": "TODO-ERR-1"} for kind in INVALID_KINDS} if refusals is None else refusals
    document = {
        "openapi": "3.1.0",
        "paths": {path: {"post": entry}},
        "components": {"schemas": schemas or {}, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "x-flowproof": {"error": error or {"refused": {"status": "4XX"}}, "refusals": rules},
    }
    return from_document("todo", document)


def only_operation(contract: Contract) -> Operation:
    """The one operation of such a contract."""
    (operation,) = contract.operations.values()
    return operation


def query(name: str = "q", **schema: Any) -> dict[str, Any]:
    """A query parameter with that schema."""
    return {"in": "query", "name": name, "schema": schema}
