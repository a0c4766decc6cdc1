"""Tests that a request with two mistakes is refused like one of them alone, and blames nothing else.

Rule: whether both are reported is left to the server. It names no error that neither mistake has alone. Where the
target refuses no two of an operation's mistakes, one that it ignores must not hide one that it refuses.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.judge.refusal_judge import InvalidCase, judge_refusal, refusal_errors, refusal_rule
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.request_fields import request_fields
from fixtures.corpus.two_mistakes import pairs
from fixtures.target_api import Api, MissingPrecondition
from suites.reporting.failures import raise_findings

SPARE = 2  # pairs that are tried besides, until enough are refused alone
PAIRS = {EFFORTS["quick"]: 1, EFFORTS["default"]: 3, EFFORTS["deep"]: 12}  # of each operation


def reason_against(operation: Operation) -> str:
    """ "" for an operation whose requests have two values or more."""
    fields = request_fields(load_contract(operation.api), operation)
    return "" if len(fields) > 1 else "its requests have fewer than two values"


@pytest.mark.bug_kind("two mistakes", reason_against=reason_against)
def test_two_mistakes_are_refused_like_one(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A request with two mistakes is refused as one of them alone is, and names no other error."""
    minimal, invalid = corpus.minimal(operation), invalid_requests(corpus, operation)
    findings: list[tuple[Finding, Case | None]] = []
    one_refused: list[tuple[Case, Case]] = []
    count, compared = PAIRS[corpus.effort], 0
    for first, second, both in pairs(minimal, invalid, count + SPARE):
        if compared == count:
            break
        alone = [api.send(operation, case) for case in (first, second)]
        refused = [is_plain_refusal(api, exchange) for exchange in alone]
        if all(refused):
            compared += 1
            findings += [(finding, both) for finding in check_both(api, operation, (first, second), alone, both)]
        elif any(refused) and not is_of_another_operation(api, operation, (first, second)):
            one_refused.append((first if refused[0] else second, both))
    if not compared:
        for mistake, both in demanded_refusals(api, operation, one_refused)[:count]:
            compared += 1
            findings += [(finding, both) for finding in check_hidden(api, operation, mistake, both)]
    if not compared:
        raise MissingPrecondition(f"{operation} refuses no two mistakes, and the document demands that of none")
    raise_findings(findings, api)


def is_of_another_operation(api: Api, operation: Operation, mistakes: Sequence[Case]) -> bool:
    """Whether one of the mistakes is in what tells this operation from others, so that both may be right together."""
    fields = request_fields(api.contract, operation)
    telling = {(it.location, it.name) for it in fields if it.required and it.has_one_value}
    invalid = [case.invalid_case for case in mistakes if case.invalid_case]
    return any((mistake.location, mistake.name) in telling for mistake in invalid)


def demanded_refusals(
    api: Api, operation: Operation, mistakes: Sequence[tuple[Case, Case]]
) -> list[tuple[InvalidCase, Case]]:
    """Of the mistakes that are refused alone those that a clause says are refused, each with the request of both."""
    invalid = [(case.invalid_case, both) for case, both in mistakes if case.invalid_case]
    return [(mistake, both) for mistake, both in invalid if "clause" in refusal_rule(api.contract, operation, mistake)]


def check_hidden(api: Api, operation: Operation, mistake: InvalidCase, both: Case) -> list[Finding]:
    """The finding that a mistake which is refused alone is not refused beside one that is ignored alone."""
    exchange = api.send(operation, both)
    if is_refusal(api.contract, exchange.response):
        return []
    clause = refusal_rule(api.contract, operation, mistake)["clause"]
    expected = f"the request is refused, as it is with one of its mistakes alone: {mistake}"
    return [Finding(clause, expected, f"status {exchange.response.status}", exchange)]


def is_plain_refusal(api: Api, exchange: Exchange) -> bool:
    """Whether the response refuses the request, and nothing is wrong with the server."""
    response = exchange.response
    return not response.error and response.status < 500 and is_refusal(api.contract, response)


def check_both(
    api: Api, operation: Operation, mistakes: tuple[Case, Case], alone: list[Exchange], both: Case
) -> list[Finding]:
    """The findings about the response to both mistakes, after each was refused alone."""
    exchange = api.send(operation, both)
    judged = [_judged(api, operation, exchange, case) for case in mistakes]
    known = {
        finding.clause
        for case, refused in zip(mistakes, alone, strict=True)
        for finding in _judged(api, operation, refused, case)
    }
    if all(judged):
        return [finding for finding in judged[0] if finding.clause not in known]
    rule = refusal_rule(api.contract, operation, mistakes[judged.index([])].invalid_case)  # type: ignore[arg-type]  # invalid
    unexplained = refusal_errors(api.contract, exchange) - set().union(
        *(refusal_errors(api.contract, refused) for refused in alone)
    )
    if not unexplained or "clause" not in rule or rule["clause"] in known:
        return []
    received = ", ".join(f"{code} of {attribute}" for code, attribute in sorted(unexplained))
    return [Finding(rule["clause"], "only errors that one of the two mistakes has alone", received, exchange)]


def _judged(api: Api, operation: Operation, exchange: Exchange, case: Case) -> list[Finding]:
    assert case.invalid_case is not None
    return judge_refusal(api.contract, operation, exchange, case.invalid_case, os.environ)
