"""Tests that the same request written otherwise means the same, over HTTP.

Rule: a request is compared with itself in its usual spelling, so nothing is demanded that the target does not do then.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.operation import Operation
from fixtures.cases import Case, filled
from fixtures.corpus import Corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.record_writes import record_write
from suites.generic.request_spellings import SPELLINGS
from suites.generic.spelling_checks import (
    listed_ids,
    lost_values,
    other_content,
    other_records,
    refused_spelling,
    value_count,
)
from suites.reporting.failures import raise_findings


def reason_against(operation: Operation) -> str:
    """ "" for an operation whose requests have parameters in the query, or a body."""
    has_query = any(parameter.location == "query" for parameter in operation.parameters)
    return "" if operation.body or has_query else "its requests have neither a query nor a body"


@pytest.mark.bug_kind("spelling", reason_against=reason_against)
def test_another_spelling_means_the_same(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A request that is accepted is accepted in every spelling, shows the same and keeps the same."""
    case, usual = accepted_case(api, corpus, operation)
    findings: list[tuple[Finding, Case | None]] = []
    for title, write in corpus.effort.some_of(list(SPELLINGS.items()), operation.label):
        request = api.render(operation, case)
        written = write(request)
        if written != request:
            exchange = api.send_request(written)
            findings += [(finding, None) for finding in check_spelling(api, operation, case, title, usual, exchange)]
    raise_findings(findings, api)


def accepted_case(api: Api, corpus: Corpus, operation: Operation) -> tuple[Case, Exchange]:
    """The richest request that the target accepts, of lists one that lists something. Raises MissingPrecondition."""
    documented = [corpus.minimal(operation), *corpus.examples(operation)]
    accepted: tuple[Case, Exchange] | None = None
    generated = richest([*documented, *corpus.valid(operation)])
    for case in (generated, united(documented), richest(documented), documented[0]):
        if operation.safe:  # each time about the same record, so that the responses can be compared
            case = filled(case, lambda source: api.known_value(source, operation.server))
        usual = api.send_request(api.render(operation, case))
        if not usual.response.error and not is_refusal(api.contract, usual.response):
            accepted = case, usual
            if listed_ids(api, operation, usual) != []:
                break
    if accepted is None:
        raise MissingPrecondition(f"{operation} refuses the request in its usual spelling: {documented[0].title}")
    return accepted


def richest(cases: Sequence[Case]) -> Case:
    """The first of the cases with the most values."""
    return max(cases, key=lambda case: value_count(case.parameters["query"]) + value_count(case.body))


def united(documented: Sequence[Case]) -> Case:
    """The richest of them, with every parameter of the query that one of the others has."""
    case = richest(documented)
    for other in documented:
        for name, value in other.parameters["query"].items():
            if name not in case.parameters["query"]:
                case = case.with_parameter("query", name, value)
    return case


def check_spelling(
    api: Api, operation: Operation, case: Case, title: str, usual: Exchange, exchange: Exchange
) -> list[Finding]:
    """The findings about a request with that in its spelling, after its usual one was accepted."""
    send_usual = partial(_send, api, operation, case)
    refused = refused_spelling(api, title, exchange, send_usual)
    if refused or is_refusal(api.contract, exchange.response):
        return refused
    if operation.safe:
        other = other_records(api, operation, title, usual, exchange, send_usual)
        return other or other_content(api, title, usual, exchange, send_usual)
    write = record_write(operation)
    return list(lost_values(api, write, title, usual, exchange)) if write else []


def _send(api: Api, operation: Operation, case: Case) -> Exchange:
    return api.send_request(api.render(operation, case))
