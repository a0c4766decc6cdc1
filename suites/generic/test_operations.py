"""Tests every operation of every contract: documented, boundary, generated and invalid requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.invalid_requests import has_invalid_request, invalid_requests
from fixtures.corpus.request_fields import can_vary
from fixtures.pace import NotTested
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.http_conformance import CaseCheck, check_accepted, check_refused, findings_of
from suites.generic.turns import turn
from suites.reporting.failures import raise_findings


def boundary_cases(corpus: Corpus, operation: Operation) -> list[Case]:
    """Valid requests with one value at a limit of its schema, or without one optional part."""
    return corpus.effort.some_of(corpus.boundaries(operation), operation.label)


def has_generated_cases(corpus: Corpus, operation: Operation) -> bool:
    """Whether valid requests can differ in anything but the values that only the target knows."""
    return can_vary(corpus.contract, operation)


def invalid_cases(corpus: Corpus, operation: Operation) -> list[Case]:
    """Requests with one error that is neither in the credentials nor in the method.

    With little effort they are one of each kind in each location, and operations differ in the field that has it. With
    the default one the values of a field are shared by the ways to the same thing.
    """
    cases = _cases_of_kind(corpus, operation, _is_other_kind)
    cases = corpus.effort.turn_of(cases, _kind_and_field, *turn(operation))
    return corpus.effort.one_of_each(cases, _kind_and_location, operation.label)


def _kind_and_field(case: Case) -> tuple[str, str, str]:
    assert case.invalid_case is not None
    return (*_kind_and_location(case), case.invalid_case.name)


def _kind_and_location(case: Case) -> tuple[str, str]:
    assert case.invalid_case is not None
    return case.invalid_case.kind, case.invalid_case.location


def has_invalid_cases(corpus: Corpus, operation: Operation) -> bool:
    """Whether there is such a request."""
    return has_invalid_request(corpus.contract, operation, _is_other_kind) or bool(invalid_cases(corpus, operation))


def credential_cases(corpus: Corpus, operation: Operation) -> list[Case]:
    """Requests without, with wrong and with empty credentials; [] for an operation that needs none."""
    return _cases_of_kind(corpus, operation, _is_about_credentials)


def has_credential_cases(corpus: Corpus, operation: Operation) -> bool:
    """Whether there is such a request."""
    return has_invalid_request(corpus.contract, operation, _is_about_credentials)


def misused_method_cases(corpus: Corpus, operation: Operation) -> list[Case]:
    """Requests with a method that the document does not give to the path."""
    return _cases_of_kind(corpus, operation, _is_about_the_method)


def has_misused_method_cases(corpus: Corpus, operation: Operation) -> bool:
    """Whether there is such a request."""
    return has_invalid_request(corpus.contract, operation, _is_about_the_method)


def test_documented_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """The document's own examples are accepted and answered as documented."""
    check_all(api, operation, corpus.examples(operation), check_accepted)


@pytest.mark.offered(cases=boundary_cases)
def test_boundary_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one value at a limit of its schema are accepted and answered as documented."""
    check_all(api, operation, boundary_cases(corpus, operation), check_accepted)


@pytest.mark.offered(cases=has_generated_cases)
def test_valid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Generated valid requests are accepted and answered as documented."""
    check_all(api, operation, corpus.effort.some_of(corpus.valid(operation), operation.label), check_accepted)


@pytest.mark.offered(cases=has_invalid_cases)
def test_invalid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one error are refused with the documented status, code and attribute."""
    check_all(api, operation, invalid_cases(corpus, operation), check_refused)


@pytest.mark.offered(cases=has_credential_cases)
def test_credentials(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests without, with wrong and with empty credentials are refused; each documented scheme works alone."""
    schemes = sorted({name for alternative in operation.security for name in alternative})
    with_one_scheme = [replace(corpus.minimal(operation), scheme=name, title=f"with {name} alone") for name in schemes]
    findings = findings_of(api, operation, with_one_scheme, check_accepted)
    try:
        findings += findings_of(api, operation, credential_cases(corpus, operation), check_refused)
    except NotTested:
        if not findings:
            raise
    raise_findings(findings, api)


@pytest.mark.offered(cases=has_misused_method_cases)
def test_misused_methods(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A method that the document does not give to a path is refused."""
    if not api.target.writes:
        pytest.skip(api.target.read_only_reason())
    check_all(api, operation, misused_method_cases(corpus, operation), check_refused)


def check_all(api: Api, operation: Operation, cases: Sequence[Case], check: CaseCheck) -> None:
    """Fails with the findings of these cases.

    Raises MissingPrecondition when there are none, and, with the operation's name, when none of them can be made.
    """
    if not cases:
        raise MissingPrecondition("every valid request is a documented one or one at a limit")
    try:
        findings = findings_of(api, operation, cases, check)
    except MissingPrecondition as reason:
        raise MissingPrecondition(f"no request of {operation} can be made: {reason}") from None
    raise_findings(findings, api)


def _cases_of_kind(corpus: Corpus, operation: Operation, is_wanted: Callable[[str], bool]) -> list[Case]:
    """The operation's invalid requests of the kinds that are wanted."""
    cases = invalid_requests(corpus, operation)
    return [case for case in cases if case.invalid_case and is_wanted(case.invalid_case.kind)]


def _is_about_credentials(kind: str) -> bool:
    return "credentials" in kind


def _is_about_the_method(kind: str) -> bool:
    return kind == "unknown_method"


def _is_other_kind(kind: str) -> bool:
    return not _is_about_credentials(kind) and not _is_about_the_method(kind)
