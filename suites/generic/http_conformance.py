"""Checks that apply to every operation of every contract, as functions that return findings.

Rule: a valid request is accepted and answered as documented; an invalid one is refused as documented. A generated
request that fails is reduced before it is reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_REFUSED, Finding, is_refusal, judge_response
from contracts.judge.refusal_judge import judge_refusal, readings_left_open, refusal_rule
from contracts.operation import Operation
from fixtures.acceptance import acceptance_clause, refusal_clause
from fixtures.cases import Case, refusable_parameters
from fixtures.corpus.builder import minimal_case, without_field
from fixtures.corpus.invalid_requests import GENERATED
from fixtures.corpus.request_fields import request_fields
from fixtures.pace import NotTested, TooManyWrongCredentials
from fixtures.target_api import Api, NotPermitted
from suites.meaning_recorder import note_outcome

MAX_FAILING = 10  # failing requests of one operation; more of them show nothing new
MAX_SHOWN_TEXT = 300  # characters of a response
ACCEPTED = "a valid request is accepted"  # what a finding about a refusal expects
CaseFindings = list[tuple[Finding, Case | None]]
CaseCheck = Callable[[Api, Operation, Case], list[Finding]]


def check_accepted(api: Api, operation: Operation, case: Case) -> list[Finding]:
    """The findings of a valid request: its response is a documented one, and no refusal."""
    exchange = api.send(operation, case)
    findings = api.invalid_records.judged(exchange, partial(judge_response, api.contract, operation))
    response = exchange.response
    _note_refusable(api, operation, case, exchange)
    if response.error or not is_refusal(api.contract, response):
        return findings
    clause = acceptance_clause(api.contract, operation, case, os.environ)
    if clause is None:
        api.notes.append(f"refused, which nothing forbids: {operation.label}, {case.title}")
        return findings
    received = f"{response.status}: {response.text()[:MAX_SHOWN_TEXT]}"
    return [Finding(clause, ACCEPTED, received, exchange, kind=WAS_REFUSED), *findings]


def check_refused(api: Api, operation: Operation, case: Case) -> list[Finding]:
    """The findings of an invalid request: it is refused with the status class, code and attribute of its rule."""
    invalid = case.invalid_case
    assert invalid is not None
    exchange = api.send(operation, case)
    readings = readings_left_open(refusal_rule(api.contract, operation, invalid))
    note_outcome(api, readings, f"{operation.label}, {invalid.label}", exchange)

    def judged(clause: str | None) -> list[Finding]:
        judge = partial(judge_refusal, api.contract, operation, case=invalid, environ=os.environ, clause=clause)
        return api.invalid_records.judged(exchange, judge)

    findings = judged(None)
    if not findings:
        return findings
    minimal = minimal_case(api.contract, operation)

    def is_accepted() -> bool:
        return not is_refusal(api.contract, api.send(operation, minimal).response)

    return judged(refusal_clause(api.contract, operation, invalid, minimal, is_accepted))


def _note_refusable(api: Api, operation: Operation, case: Case, exchange: Exchange) -> None:
    """Notes whether a valid request was refused that has just one parameter of which a reading leaves that open."""
    parameters = refusable_parameters(operation, case)
    if len(parameters) == 1:
        (name,) = parameters
        label = f"valid {name}{GENERATED}" if case.title.startswith("generated") else case.title
        note_outcome(api, parameters.values(), f"{operation.label}, {label}", exchange)


def findings_of(api: Api, operation: Operation, cases: Iterable[Case], check: CaseCheck) -> CaseFindings:
    """The findings of all these cases, each with the smallest case that still fails.

    Raises NotTested without findings when the run may not send all of them. Cases that the target's
    owner does not permit are left out; raises NotPermitted when none is left.
    """
    findings: CaseFindings = []
    failing = sent = 0
    not_permitted: NotPermitted | None = None
    left_out: NotTested | None = None
    for case in cases:
        smallest = case
        of_case: list[Finding] = []
        try:
            of_case = check(api, operation, case)
            sent += 1
            if of_case and api.drop_vanished_values():
                of_case = check(api, operation, case)
            if of_case:
                smallest = _reduced(api, operation, case, check, of_case[0])
                of_case = (smallest is not case and check(api, operation, smallest)) or of_case
        except NotPermitted as reason:
            not_permitted = reason
        except NotTested as reason:
            left_out = reason
        findings += [(finding, smallest) for finding in of_case]
        failing += bool(of_case)
        if failing >= MAX_FAILING or (left_out and not isinstance(left_out, TooManyWrongCredentials)):
            break  # other cases have other credentials, but neither another budget nor another server
    if left_out and not findings:
        raise left_out
    if not_permitted and not sent:
        raise not_permitted
    return findings


def _reduced(api: Api, operation: Operation, case: Case, check: CaseCheck, finding: Finding) -> Case:
    """A generated case without every optional field that it can lose and still have such a finding.

    What is left of a refused request decides which clause demands that it is accepted.
    """
    if not case.title.startswith("generated"):
        return case
    smallest = case
    for request_field in request_fields(api.contract, operation):
        if request_field.required:
            continue
        smaller = without_field(smallest, request_field)
        if smaller != smallest and any(is_alike(finding, other) for other in check(api, operation, smaller)):
            smallest = smaller
    return case if smallest == case else replace(smallest, title=f"{case.title}, reduced")


def is_alike(finding: Finding, other: Finding) -> bool:
    """Whether two findings are about the same promise; that a request is accepted is one, whoever demands it."""
    return finding.clause == other.clause or (finding.expected == other.expected == ACCEPTED)
