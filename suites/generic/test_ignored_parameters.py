"""Tests that the size of a page and the id of a record are not ignored, whatever the responses look like otherwise.

Rule: these tests stand on as little as possible: records and ids are looked for wherever they stand, so that a target
with another envelope, or other names, is judged all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import itemgetter

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.openapi import load_contract
from contracts.operation import Operation, Parameter
from fixtures.awaited_mail import UUID
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.builder import minimal_case, with_field
from fixtures.corpus.request_fields import RequestField
from fixtures.resources import id_field
from fixtures.target_api import Api, MissingPrecondition
from reports.results.causes import ABOUT_CREDENTIALS
from suites.generic.identity_checks import kind_and_action
from suites.generic.record_search import identifiers_in, records_in, texts_in
from suites.reporting.failures import raise_findings
from suites.reporting.finding_records import parameter_clause

LARGEST_PAGE = 1_000  # rows: the maximum of a parameter that is larger is none of a page
TOO_LARGE = 20  # times the maximum
MAX_LISTED = 50  # ids that are looked at


def page_sizes(_: Corpus, operation: Operation) -> list[Parameter]:
    """The parameters that say how many records a page has."""
    of_kind = kind_and_action(load_contract(operation.api), operation)
    is_list = of_kind is not None and of_kind[1] == "list"
    return [parameter for parameter in operation.parameters if is_list and _is_size(parameter)]


def _is_size(parameter: Parameter) -> bool:
    schema = parameter.schema
    is_limited = schema.get("minimum") == 1 and schema.get("maximum", LARGEST_PAGE + 1) <= LARGEST_PAGE
    return parameter.location == "query" and not parameter.required and schema.get("type") == "integer" and is_limited


@pytest.mark.offered(cases=page_sizes)
def test_a_page_is_no_larger_than_asked_for(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A page of one record has one, and no page has more than the largest size, however records are wrapped."""
    plain = api.send(operation, minimal_case(api.contract, operation))
    is_shown = len(records_in(plain)) > 1
    findings = [it for parameter in page_sizes(corpus, operation) for it in _larger_pages(api, operation, parameter)]
    raise_findings([(finding, None) for finding in findings], api)
    if not is_shown:
        raise MissingPrecondition(f"{operation} shows fewer than two records", refusal=plain)


def _larger_pages(api: Api, operation: Operation, parameter: Parameter) -> Iterator[Finding]:
    largest, clause_of_largest = parameter.schema["maximum"], parameter.schema.get("x-maximum", "")
    tried = [(1, 1, parameter_clause(operation, parameter)), (largest * TOO_LARGE, largest, clause_of_largest)]
    for size, most, clause in filter(itemgetter(2), tried):
        case = minimal_case(api.contract, operation).with_parameter(parameter.location, parameter.name, size)
        exchange = api.send(operation, case)
        count = len(records_in(exchange))
        if count > most and not is_refusal(api.contract, exchange.response):
            expected = f"at most {most} records with {parameter.name}={size}"
            yield Finding(clause, expected, f"{count} records", exchange)


def read_ids(_: Corpus, operation: Operation) -> list[RequestField]:
    """The field of an operation that reads one record which takes the record's id."""
    contract = load_contract(operation.api)
    of_kind = kind_and_action(contract, operation)
    if of_kind is None or of_kind[1] != "read" or not operation.safe or "id" not in of_kind[0].definition:
        return []
    field = id_field(contract, of_kind[0], "read")
    is_own = operation is of_kind[0].operation("read")  # another way to send the same call has the id elsewhere
    return [field] if field.location in ("path", "query") or (field.location == "header" and is_own) else []


@pytest.mark.offered(cases=read_ids)
def test_another_id_shows_another_record(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Two ids show two records, each its own, whatever a response looks like."""
    (field,) = read_ids(corpus, operation)
    of_kind = kind_and_action(api.contract, operation)
    assert of_kind is not None
    name = str(of_kind[0].definition["id"])
    case = minimal_case(api.contract, operation)
    served = _two_served(api, _candidates(api, operation, field, name), partial(_read, api, operation, case, field))
    first, second = served
    parameter = field.parameter if field.location == "query" else None  # a path has no clause of its own
    of_operation = [it for it in operation.clauses if ABOUT_CREDENTIALS not in it] or list(operation.clauses)
    clause = parameter_clause(operation, parameter) if parameter else of_operation[0]
    findings = [
        Finding(clause, f"the record whose {name} is {identifier}", f"that of {shown[0]}", exchange)
        for identifier, exchange in served
        if (shown := identifiers_in(exchange, name)) and identifier not in texts_in(exchange)
    ]
    if not findings and not identifiers_in(first[1], name) and _content(first[1]) == _content(second[1]):
        expected = f"another record for {second[0]} than for {first[0]}"
        findings.append(Finding(clause, expected, "the same", second[1]))
    raise_findings([(finding, None) for finding in findings], api, [first[1]])


Served = tuple[str, Exchange]  # an id, and the response to the request for its record


def _two_served(api: Api, identifiers: Sequence[str], read: partial[Exchange]) -> tuple[Served, Served]:
    """The first two ids whose records are shown. Raises MissingPrecondition where there are no two."""
    served: list[Served] = []
    last: Exchange | None = None
    for identifier in identifiers[:MAX_LISTED]:
        last = read(identifier)
        if not is_refusal(api.contract, last.response) and 200 <= last.response.status < 300:
            served.append((identifier, last))
        if len(served) == 2:
            return served[0], served[1]
    raise MissingPrecondition("the target shows no two records by their ids", refusal=last)


def _candidates(api: Api, operation: Operation, field: RequestField, name: str) -> list[str]:
    """Ids that may exist: those of the list, wherever it has them, else the documented one and the next number."""
    source = field.value_source or {}
    listed: list[str] = []
    if "operation" in source:
        listing = api.contract.find(source["operation"], operation.server)
        with suppress(MissingPrecondition):
            exchange = api.send(listing, minimal_case(api.contract, listing))
            listed = [] if is_refusal(api.contract, exchange.response) else identifiers_in(exchange, name)
    example = field.parameter.example if field.parameter else None
    documented = [str(example), str(example + 1)] if isinstance(example, int) else []
    return list(dict.fromkeys([*listed, *documented]))


def _read(api: Api, operation: Operation, case: Case, field: RequestField, identifier: str) -> Exchange:
    is_number = field.schema.get("type") == "integer" and identifier.isdecimal()
    return api.send(operation, with_field(case, field, int(identifier) if is_number else identifier))


def _content(exchange: Exchange) -> str:
    return UUID.sub("", exchange.response.text())
