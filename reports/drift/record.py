"""The recorded behaviour of one target: what is kept in version control and compared on any day after.

Rule: a behaviour that two observations agreed on is steady, and watched; any other is unsteady: written down, not
watched. Once unsteady it stays so until somebody edits the record.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date

from contracts.behaviour.behaviour import Address, Behaviour


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Where and how a record was made.

    api: name of its contract. target: scheme, host, port and path of the target. plan, contract: digests of the
    questions and of the contract, of 12 hex digits. plan_size: `small` or `full`. version: of flowproof. days: of the
    observations, sorted. not_asked: titles of questions that could not be asked, and why.
    """

    api: str
    target: str
    plan: str
    contract: str
    plan_size: str
    version: str
    days: tuple[date, ...]
    not_asked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A header, the steady behaviours, and the unsteady addresses with the values that were seen there."""

    header: RecordHeader
    steady: Mapping[Address, Behaviour]
    unsteady: Mapping[Address, tuple[str, ...]]

    def part(self, operations: Container[str]) -> Record:
        """What is about these operations and calls, by their labels."""
        return self._of(lambda address: address.operation in operations)

    def without(self, operations: Container[str]) -> Record:
        """What is not about these."""
        return self._of(lambda address: address.operation not in operations)

    def _of(self, is_wanted: Callable[[Address], bool]) -> Record:
        steady = {address: it for address, it in self.steady.items() if is_wanted(address)}
        return Record(self.header, steady, {address: it for address, it in self.unsteady.items() if is_wanted(address)})
