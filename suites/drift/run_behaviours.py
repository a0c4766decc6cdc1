"""Turns the clauses and readings that the other tests of a run have shown into behaviours."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from contracts.behaviour.behaviour import Address, Behaviour
from contracts.behaviour.run_facts import NOT_TESTED, clause_behaviours, reading_behaviours
from reports.results.records import read_records


def of_run(results: Path | None, api: str) -> dict[Address, Behaviour]:
    """A behaviour for each clause of the API that a test of this run checked, and for each reading that was seen.

    A clause that no test checked is left out: a selection of tests says nothing of it.
    """
    tests = [test for test in read_records(results).tests if test.api == api] if results else []
    checked = {clause for test in tests for clause in test.clauses}
    clauses = clause_behaviours(checked, [(test.outcome, test.clauses, test.blamed) for test in tests])
    seen: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        for reading in test.readings:
            name, _, meaning = reading.partition(": ")
            seen[name].append(meaning)
    return {address: it for address, it in clauses.items() if it.value != NOT_TESTED} | reading_behaviours(seen)
