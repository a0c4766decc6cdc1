"""Lists every error in the contract of one API."""

from __future__ import annotations

from collections.abc import Callable

from contracts.asyncapi import load_rpc_contract
from contracts.clauses import clauses, readings
from contracts.errors import ContractError
from contracts.openapi import load_contract
from contracts.reader.optional_settings import optional_settings

LOADERS: tuple[Callable[[str], object], ...] = (
    clauses,
    readings,
    load_contract,
    load_rpc_contract,
    optional_settings,
)


def problems(api: str) -> list[str]:
    """Why that contract cannot be used: one line for each error, with file and line; [] when there is none."""
    messages: list[str] = []
    for load in LOADERS:
        try:
            load(api)
        except ContractError as error:
            messages += [str(error), *error.further]
    return list(dict.fromkeys(messages))
