"""What a way to break a contract is, for the tables of them."""

from __future__ import annotations

from dataclasses import dataclass

from suites.selftest.contracts.small_contract import FILES

CLAUSES, READINGS, OPENAPI, SCHEMAS, ASYNCAPI = FILES


@dataclass(frozen=True)
class Break:
    """One way to break a contract: `old` becomes `new` in that file, and the message names the line with `at`."""

    name: str
    file: str
    old: str
    new: str
    at: str
    words: str
