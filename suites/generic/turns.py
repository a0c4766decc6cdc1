"""The ways to the same thing, which share requests that are alike: other servers, other places of a call's parts."""

from __future__ import annotations

from functools import cache

from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.write_check import call_method


@cache
def turn(operation: Operation) -> tuple[int, int]:
    """(number of the operation, count) among those that do the same at another server or with their parts elsewhere."""
    operations = load_contract(operation.api).operations.values()
    same = [it for it in operations if _purpose(it) == _purpose(operation)]
    return next(number for number, it in enumerate(same) if it is operation), len(same)


def _purpose(operation: Operation) -> tuple[str, ...]:
    """What the operation is for: its id, or the method that it calls and the address of the collection."""
    method = "" if operation.served_if else call_method(operation)
    return (method, operation.path.partition("{")[0]) if method else (operation.id,)
