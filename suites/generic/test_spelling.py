"""Tests that the same request written otherwise means the same, over HTTP.

Rule: a request is compared with itself in its usual spelling, so nothing is demanded that the target does not do then.
"""

from __future__ import annotations

from typing import Any

import pytest

from contracts import json_pointer
from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.http_conformance import MAX_SHOWN_TEXT
from suites.generic.identity_checks import kind_and_action
from suites.generic.request_spellings import SPELLINGS
from suites.reporting.failures import raise_findings

ACCEPTED = "accepted as in its usual spelling"


def reason_against(operation: Operation) -> str:
    """ "" for an operation whose requests have parameters in the query, or a body."""
    has_query = any(parameter.location == "query" for parameter in operation.parameters)
    return "" if operation.body or has_query else "its requests have neither a query nor a body"


@pytest.mark.bug_kind("spelling", reason_against=reason_against)
def test_another_spelling_means_the_same(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A request that is accepted is accepted in every spelling, and lists the same records."""
    case = richest_case(corpus, operation)
    usual = api.send_request(api.render(operation, case))
    if usual.response.error or is_refusal(api.contract, usual.response):
        raise MissingPrecondition(f"{operation} refuses the request in its usual spelling: {case.title}")
    findings: list[tuple[Finding, Case | None]] = []
    for title, write in SPELLINGS.items():
        request = api.render(operation, case)
        written = write(request)
        if written != request:
            exchange = api.send_request(written)
            findings += [(finding, None) for finding in check_spelling(api, operation, case, title, usual, exchange)]
    raise_findings(findings, api)


def richest_case(corpus: Corpus, operation: Operation) -> Case:
    """The documented or generated valid request with the most parameters and members; of writes the minimal one."""
    minimal = corpus.minimal(operation)
    if not operation.safe:
        return minimal
    return max([minimal, *corpus.examples(operation)], key=lambda case: len(case.parameters["query"]))


def check_spelling(
    api: Api, operation: Operation, case: Case, title: str, usual: Exchange, exchange: Exchange
) -> list[Finding]:
    """The findings about a request with that in its spelling, after its usual one was accepted."""
    response, clause = exchange.response, api.contract.silent["spelling"]
    if response.error or is_refusal(api.contract, response):
        again = api.send_request(api.render(operation, case))
        if is_refusal(api.contract, again.response):  # the record that it names has vanished meanwhile
            return []
        received = f"{response.status}: {response.error or response.text()[:MAX_SHOWN_TEXT]}"
        return [Finding(clause, f"{ACCEPTED}, with {title}", received, exchange)]
    expected, listed = listed_ids(api, operation, usual), listed_ids(api, operation, exchange)
    if expected is None or listed == expected:
        return []
    if listed_ids(api, operation, api.send_request(api.render(operation, case))) != expected:  # they have changed
        return []
    return [Finding(clause, f"the same records, with {title}: {expected}", str(listed), exchange)]


def listed_ids(api: Api, operation: Operation, exchange: Exchange) -> list[Any] | None:
    """The ids that a list shows, in their order; None for another operation, or for what is no list."""
    of_kind = kind_and_action(api.contract, operation)
    if of_kind is None or of_kind[1] != "list":
        return None
    definition = of_kind[0].definition
    try:
        items = json_pointer.find(exchange.response.json(), definition["items"])
    except (ValueError, RecursionError):
        return None
    rows = items[0] if items and isinstance(items[0], list) else []
    return [row.get(definition["id"]) for row in rows if isinstance(row, dict)]
