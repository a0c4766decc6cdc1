"""Tests every operation of every contract: documented, boundary, generated and invalid requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.pace import NotTested
from fixtures.target_api import Api
from suites.generic.http_conformance import CaseCheck, check_accepted, check_refused, findings_of
from suites.reporting.failures import raise_findings


def test_documented_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """The document's own examples are accepted and answered as documented."""
    check_all(api, operation, corpus.examples(operation), check_accepted)


def test_boundary_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one value at a limit of its schema are accepted and answered as documented."""
    check_all(api, operation, corpus.boundaries(operation), check_accepted)


def test_valid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Generated valid requests are accepted and answered as documented."""
    check_all(api, operation, corpus.valid(operation), check_accepted)


def test_invalid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one error are refused with the documented status, code and attribute."""
    check_all(api, operation, _cases_of_kind(corpus, operation, lambda kind: not _is_about_access(kind)), check_refused)


def test_credentials(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests without, with wrong and with empty credentials are refused; each documented scheme works alone."""
    cases = _cases_of_kind(corpus, operation, lambda kind: "credentials" in kind)
    if not cases:
        pytest.skip("the operation needs no credentials")
    schemes = sorted({name for alternative in operation.security for name in alternative})
    with_one_scheme = [replace(corpus.minimal(operation), scheme=name, title=f"with {name} alone") for name in schemes]
    findings = findings_of(api, operation, with_one_scheme, check_accepted)
    try:
        findings += findings_of(api, operation, cases, check_refused)
    except NotTested:
        if not findings:
            raise
    raise_findings(findings, api.secrets)


def test_misused_methods(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A method that the document does not give to a path is refused."""
    if not api.target.writes:
        pytest.skip(api.target.read_only_reason())
    check_all(api, operation, _cases_of_kind(corpus, operation, lambda kind: kind == "unknown_method"), check_refused)


def check_all(api: Api, operation: Operation, cases: Sequence[Case], check: CaseCheck) -> None:
    """Fails with the findings of these cases; skips the test when there are none, since it would check nothing."""
    if not cases:
        pytest.skip("the contract gives the operation no such request")
    raise_findings(findings_of(api, operation, cases, check), api.secrets)


def _cases_of_kind(corpus: Corpus, operation: Operation, is_wanted: Callable[[str], bool]) -> list[Case]:
    """The operation's invalid requests of the kinds that are wanted."""
    cases = invalid_requests(corpus, operation)
    return [case for case in cases if case.invalid_case and is_wanted(case.invalid_case.kind)]


def _is_about_access(kind: str) -> bool:
    return "credentials" in kind or kind == "unknown_method"
