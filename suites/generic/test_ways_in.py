"""Tests that no other way to send a request gives more permission, or less validation, than the documented one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.boundary_values import json_types
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.request_fields import RequestField, request_fields
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.request_ways import ways_of
from suites.generic.way_checks import WayChecker
from suites.reporting.failures import raise_findings

CREDENTIAL_KINDS = {"none": "no_credentials", "wrong": "wrong_credentials", "empty": "empty_credentials"}
STATES = ("none", "wrong", "none", "empty")  # by turns
VALUE_KINDS = ("missing", "wrong_type", "unknown_record", "out_of_range", "malformed_body")


def needs_no_credentials(operation: Operation) -> str:
    """Why no way in can give more permission, "" where credentials are needed."""
    return "" if operation.needs_credentials else "it needs no credentials"


def refuses_no_value(operation: Operation) -> str:
    """Why no way in can validate less, "" where the document has some value refused."""
    contract = load_contract(operation.api)
    for field in request_fields(contract, operation):
        rules = field.parameter.refusals if field.parameter else field.schema.get("x-refusals")
        cases = [InvalidCase(kind, field.location, field.name, rules) for kind in _kinds_of(field)]
        if any(_is_demanded(contract, operation, case) for case in cases):
            return ""
    if operation.body and _is_demanded(contract, operation, InvalidCase("malformed_body", "body")):
        return ""
    return "the document does not say that any value is refused"


@pytest.mark.bug_kind("ways in", reason_against=needs_no_credentials)
def test_no_way_in_needs_fewer_credentials(api: Api, corpus: Corpus, operation: Operation) -> None:
    """What is refused without credentials, or with wrong or empty ones, is refused however it is sent."""
    checker = WayChecker.of(api, operation, corpus.minimal(operation))
    cases = [
        replace(
            checker.case,
            credentials=state,
            title=f"{state} credentials",
            invalid_case=InvalidCase(CREDENTIAL_KINDS[state]),
        )
        for state in STATES
        if state == "none" or api.target.pace is None  # elsewhere, wrong ones could lock an account
    ]
    ways = ways_of(api.contract, operation)
    raise_findings(checker.findings(cases, ways, corpus.effort), api)


@pytest.mark.bug_kind("ways in", reason_against=refuses_no_value)
def test_no_way_in_validates_less(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A value that is refused by the documented way is refused however the request is sent."""
    checker = WayChecker.of(api, operation, corpus.minimal(operation))
    cases = invalid_of_each_kind(corpus, operation)
    if not cases:
        raise MissingPrecondition(f"no request of {operation} has a value that must be refused")
    ways = [way for way in ways_of(api.contract, operation) if way.is_same_request]
    raise_findings(checker.findings(cases, ways, corpus.effort), api)


def invalid_of_each_kind(corpus: Corpus, operation: Operation) -> list[Case]:
    """An invalid request of each kind and location of which a clause says that it is refused."""
    cases: dict[tuple[str, str], Case] = {}
    for case in invalid_requests(corpus, operation):
        invalid = case.invalid_case
        if invalid and invalid.kind in VALUE_KINDS and _is_demanded(corpus.contract, operation, invalid):
            cases.setdefault((invalid.kind, invalid.location), case)
    return list(cases.values())


def _is_demanded(contract: Contract, operation: Operation, invalid: InvalidCase) -> bool:
    """Whether a clause has such a request refused, whatever a reading means."""
    rule = refusal_rule(contract, operation, invalid)
    return "clause" in rule and not rule.get("accepted")


def _kinds_of(field: RequestField) -> Iterator[str]:
    """The kinds of invalid values that there are for a field."""
    types = json_types(field.schema)
    if field.required and field.location != "path":
        yield "missing"
    if types and (types != ["string"] or field.location == "body"):
        yield "wrong_type"
    if field.schema.keys() & {"minimum", "maximum", "minLength", "maxLength"}:
        yield "out_of_range"
    if field.value_source and "operation" in field.value_source:
        yield "unknown_record"
