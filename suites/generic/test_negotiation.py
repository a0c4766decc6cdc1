"""Tests that media types are read as HTTP defines them: in any case, with parameters, in lists, and with weights.

Rule: a request that is accepted is accepted, too, when the same media types are written otherwise (RFC 9110, 8.3.1 and
12.5.1). What a server does with other media types is no matter of these tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from contracts.judge.http_judge import Finding, is_refusal, judge_response
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, Corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.http_conformance import MAX_SHOWN_TEXT, findings_of
from suites.reporting.failures import raise_findings

ACCEPT_FORMS = {
    "a weight": "{type};q=0.9",
    "spaces around a weight": "{type} ; q=1.000",
    "a list that another type begins": "text/html;q=0.1, {type}",
    "a list that any type ends": "{type},*/*;q=0.1",
    "capital letters": "{capitals}",
}
CONTENT_TYPE_FORMS = {
    "capital letters": "{capitals}",
    "a charset": "{type}; charset=utf-8",
    "a quoted charset": '{type};charset="UTF-8"',
}
ACCEPTED = "accepted as it is with the media types written as usual"


def reason_against(operation: Operation) -> str:
    """ "" for an operation whose requests or responses have a media type."""
    return "" if operation.body or response_type(operation) else "neither its requests nor its responses have a body"


def response_type(operation: Operation) -> str | None:
    """The media type that a client asks for: that of the document's servers, else that of a success; None without."""
    wanted = next((value for name, value in operation.base_headers.items() if name.lower() == "accept"), None)
    successes = [response for status, response in operation.responses.items() if status.startswith("2")]
    return wanted or next((media_type for response in successes for media_type in response.content), None)


def cases_of(corpus: Corpus, operation: Operation) -> list[Case]:
    """The minimal request with its media types in each other form.

    With little effort it has some of the forms of Accept, and other operations have the others.
    """
    minimal = corpus.minimal(operation)
    accepted = list(with_accept(operation, minimal))
    if corpus.effort == EFFORTS["quick"] and accepted:
        labels = [it.label for it in corpus.contract.operations.values() if response_type(it)]
        accepted = accepted[labels.index(operation.label) % len(accepted) :: len(labels)]
    return [*accepted, *with_content_type(operation, minimal)]


def with_accept(operation: Operation, minimal: Case) -> Iterator[Case]:
    """The request with each form of Accept."""
    if media_type := response_type(operation):
        for name, form in ACCEPT_FORMS.items():
            value = form.format(type=media_type, capitals=media_type.upper())
            yield replace(minimal.with_parameter("header", "Accept", value), title=f"Accept with {name}")


def with_content_type(operation: Operation, minimal: Case) -> Iterator[Case]:
    """The request with each form of Content-Type."""
    if operation.body:
        media_type = minimal.media_type or operation.body.media_type
        for name, form in CONTENT_TYPE_FORMS.items():
            value = form.format(type=media_type, capitals=media_type.upper())
            yield replace(minimal, media_type=value, title=f"Content-Type with {name}")


@pytest.mark.bug_kind("negotiation", reason_against=reason_against)
def test_media_types_are_read_in_every_form(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A request is accepted however its media types are written, and answered as documented."""
    minimal = corpus.minimal(operation)
    usual = api.send(operation, minimal)
    if usual.response.error or is_refusal(api.contract, usual.response):
        raise MissingPrecondition(f"{operation} refuses its minimal request with status {usual.response.status}")
    broken = {finding.clause for finding in judge_response(api.contract, operation, usual)}
    check = partial(check_form, broken=broken)
    raise_findings(findings_of(api, operation, cases_of(corpus, operation), check), api)


def check_form(api: Api, operation: Operation, case: Case, broken: set[str]) -> list[Finding]:
    """The findings of a request whose usual form is accepted, apart from those about clauses broken by that, too."""
    exchange = api.send(operation, case)
    response = exchange.response
    if response.error or is_refusal(api.contract, response):
        received = f"{response.status}: {response.error or response.text()[:MAX_SHOWN_TEXT]}"
        return [Finding(api.contract.silent["media_types"], ACCEPTED, received, exchange)]
    findings = api.invalid_records.judged(exchange, partial(judge_response, api.contract, operation))
    return [finding for finding in findings if finding.clause not in broken]
