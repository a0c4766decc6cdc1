"""What every operation of every contract must do, as functions that give findings.

Rule: a request that keeps the contract is accepted and answered as documented; one that breaks it in one way is
refused as documented. A generated request that fails is made smaller before it is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from contracts.judge import Finding, judge, refused
from contracts.operation import Operation
from contracts.refusals import judge_refusal
from fixtures.api import Api
from fixtures.cases import Case, may_be_refused
from fixtures.corpus.make import without
from fixtures.corpus.slots import slots

ENOUGH = 10  # failing requests of one operation; more of them say nothing new
Found = list[tuple[Finding, Case | None]]
Check = Callable[[Api, Operation, Case], list[Finding]]


def accepted(api: Api, operation: Operation, case: Case) -> list[Finding]:
    """The findings of a valid request: its answer is a documented one, and no refusal."""
    exchange = api.send(operation, case)
    found = judge(api.contract, operation, exchange)
    answer = exchange.answer
    if answer.error or not refused(api.contract, answer) or may_be_refused(operation, case, os.environ):
        return found
    text = f"{answer.status}: {answer.text()[:300]}"
    return [Finding(operation.clauses[0], "a valid request is accepted", text, exchange), *found]


def refused_as_documented(api: Api, operation: Operation, case: Case) -> list[Finding]:
    """The findings of a broken request: it is refused with the status class, code and attribute that it calls for."""
    assert case.mutation is not None
    exchange = api.send(operation, case)
    return judge_refusal(api.contract, operation, exchange, case.mutation, os.environ)


def findings(api: Api, operation: Operation, cases: Iterable[Case], check: Check) -> Found:
    """The findings of all these cases, each case made as small as it still fails."""
    found: Found = []
    failing = 0
    for case in cases:
        got = check(api, operation, case)
        if not got:
            continue
        smaller = next((one for one in _smaller(api, operation, case, check, got[0].clause)), case)
        found += [(finding, smaller) for finding in (check(api, operation, smaller) or got)]
        failing += 1
        if failing >= ENOUGH:
            break
    return found


def _smaller(api: Api, operation: Operation, case: Case, check: Check, clause: str) -> Iterator[Case]:
    """The case without everything that it may lack and still break that clause: once, at most."""
    if not case.title.startswith("generated"):
        return
    best = case
    for slot in slots(api.contract, operation):
        if slot.required:
            continue
        tried = without(best, slot)
        if tried != best and any(finding.clause == clause for finding in check(api, operation, tried)):
            best = tried
    if best != case:
        yield replace(best, title=f"{case.title}, made smaller")
