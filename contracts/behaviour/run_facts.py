"""What a run of the suites showed, as behaviours: the verdict of each clause and the meanings of each reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.behaviour.behaviour import Address, Behaviour

BROKEN, KEPT, NOT_TESTED = "broken", "kept", "not tested"
BLAMING = ("failed", "warning")  # outcomes of a test that blames clauses


def clause_behaviours(
    clauses: Iterable[str], results: Iterable[tuple[str, Iterable[str], Iterable[str]]]
) -> dict[Address, Behaviour]:
    """A behaviour for each clause; `results` has of each test its outcome, the clauses that it checked, and those that
    it blames.
    """
    broken: set[str] = set()
    kept: set[str] = set()
    for outcome, checked, blamed in results:
        if outcome in BLAMING:
            broken |= set(blamed)
        elif outcome == "passed":
            kept |= set(checked)
    return {
        Address("", "", "clause", clause): Behaviour(_verdict(clause, broken, kept), 1, 1)
        for clause in sorted({*clauses, *broken})
    }


def reading_behaviours(seen: Mapping[str, Iterable[str]]) -> dict[Address, Behaviour]:
    """A behaviour for each reading whose meanings were seen."""
    return {
        Address("", "", "reading", reading): Behaviour(", ".join(sorted(set(meanings))), 1, 1)
        for reading, meanings in sorted(seen.items())
        if set(meanings)
    }


def _verdict(clause: str, broken: set[str], kept: set[str]) -> str:
    return BROKEN if clause in broken else KEPT if clause in kept else NOT_TESTED
