"""Explains a failure at an operation that the target does not serve, and whose path the document does not give.

Rule: such an operation is known from elsewhere, so its absence breaks no promise of the document, whatever the test
that met it was about. The failure stands where the document has the path, or where any form of the operation is served,
with a version in its path or without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_REFUSED
from contracts.operation import Operation
from contracts.reader.document_lines import OF_THE_DOCUMENT
from contracts.router import subject_of
from fixtures.corpus.builder import minimal_case
from fixtures.pace import NotTested
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from suites.reporting.failures import ContractViolation, grade_of, violation
from suites.reporting.prerequisites import ACCEPTED

NOT_SERVED = (404, 405, 410, 501)  # statuses for what is not there (RFC 9110, 15.5.5, 15.5.6, 15.5.11, 15.6.2)
MAX_SHOWN_TEXT = 300  # characters of a response


@dataclass
class UnservedOperations:
    """What became of one valid request to each operation that answered a test as if it were not there."""

    _tried: WeakKeyDictionary[Api, dict[str, Exchange | None]] = field(default_factory=WeakKeyDictionary)

    def explain(self, api: Api, clauses: Sequence[str], error: Exception) -> ContractViolation | None:
        """The finding that the operation is not served, in place of one about its refusal; None where that stands.

        clauses: those of the test, which a failed assertion blames.
        """
        blamed = error.clauses if isinstance(error, ContractViolation) else clauses
        if not isinstance(error, AssertionError) or not api.contract.silent or not _is_about_the_document(blamed):
            return None
        refusals = [self._refusal_at(api, exchange) for exchange in _exchanges_at_fault(api, error)]
        if not refusals or not all(refusals):
            return None
        refusal = next(filter(None, refusals))
        received = f"{refusal.response.status}: {refusal.response.text()[:MAX_SHOWN_TEXT]}"
        return violation(api, api.contract.silent["request"], ACCEPTED, received, refusal, WAS_REFUSED)

    def _refusal_at(self, api: Api, exchange: Exchange) -> Exchange | None:
        """The refusal of a valid request to the operation of that exchange; None where it may be served."""
        subject = subject_of(api.contract, api.target.url, exchange)
        if exchange.response.status not in NOT_SERVED or not isinstance(subject, Operation) or subject.path_lines:
            return None
        forms = [it for it in api.contract.operations.values() if it.id == subject.id]
        tried = {it.label: self._try(api, it) for it in forms}
        is_there = any(not it or it.response.status not in NOT_SERVED for it in tried.values())
        return None if is_there else tried[subject.label]

    def _try(self, api: Api, operation: Operation) -> Exchange | None:
        """A valid request to the operation, sent once; None where it cannot be sent."""
        tried = self._tried.setdefault(api, {})
        if operation.label not in tried:
            tried[operation.label] = None
            with suppress(MissingPrecondition, NotPermitted, NotTested):
                tried[operation.label] = api.send(operation, minimal_case(api.contract, operation))
        return tried[operation.label]


def _exchanges_at_fault(api: Api, error: AssertionError) -> list[Exchange]:
    """Those of its findings; of a failed assertion the last one."""
    if isinstance(error, ContractViolation):
        return [finding.exchange for finding, _ in error.findings]
    return list(api.exchanges)[-1:]


def _is_about_the_document(blamed: Iterable[str]) -> bool:
    """Whether the document is said to demand one of these; a reading has no grade."""
    return any(grade_of(clause) in ("", *OF_THE_DOCUMENT) for clause in blamed)
