"""Checks that an id names one record: what only looks like it names none, and another way to write it no other.

Rule: a value that is not the id has to be refused where the contract has a clause for that; where a reading leaves it
open, nothing is demanded. A filter by it may also list nothing. One record serves all requests of an operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_ACCEPTED, Finding, is_refusal, judge_response
from contracts.judge.refusal_judge import InvalidCase, may_be_accepted, refusal_rule
from contracts.openapi import Contract
from contracts.operation import Operation
from contracts.reader.document_lines import blamed_clause, of_operation
from fixtures.acceptance import acceptance_clause, refusal_clause
from fixtures.cases import FORM, Case, filled
from fixtures.corpus.builder import with_field
from fixtures.corpus.request_fields import RequestField
from fixtures.record_kinds import RecordKind
from fixtures.resources import id_field
from fixtures.target_api import Api, MissingPrecondition
from fixtures.write_check import call_method
from suites.generic.http_conformance import ACCEPTED, CaseFindings
from suites.generic.id_spellings import Spelling, best_of, id_fields, other_ids, same_ids

REFUSED, LISTED_APART = "refused", "listed apart"  # what has to become of a request with another id
MAX_SHOWN_TEXT = 200  # characters of a response


def kind_and_action(contract: Contract, operation: Operation) -> tuple[RecordKind, str] | None:
    """The kind of record that an operation is about, and its action; a call's are those of any form of the call."""
    for name, definition in contract.resources.items():
        kind = RecordKind(contract.api, name, operation.server, definition)
        for action in ("create", "read", "update", "delete", "list"):
            if action in definition and _is_form_of(kind.operation(action), operation):
                return kind, action
    return None


def _is_form_of(documented: Operation, operation: Operation) -> bool:
    is_same_call = call_method(operation) == call_method(documented) != "" and not operation.served_if
    return operation is documented or (is_same_call and operation.path.startswith(documented.path.rstrip("/")))


def demand(contract: Contract, operation: Operation, field: RequestField, kind: str, environ: Mapping[str, str]) -> str:
    """What has to become of a request with such a value in that field: REFUSED, LISTED_APART, or "" for anything."""
    rule = refusal_rule(contract, operation, invalid_case(field, kind))
    if "clause" in rule and not may_be_accepted(rule, environ):
        return REFUSED
    of_kind = kind_and_action(contract, operation)
    is_filter = field.location == "query" and not field.required and of_kind is not None and of_kind[1] == "list"
    return LISTED_APART if is_filter and kind == "unknown_record" and "unstated" not in rule else ""


def invalid_case(field: RequestField, kind: str, title: str = "") -> InvalidCase:
    """The error of a request with a value of that kind in that field."""
    rules = field.parameter.refusals if field.parameter else field.schema.get("x-refusals")
    return InvalidCase(kind, field.location, field.name, rules, label=title)


@dataclass(frozen=True)
class IdentityChecker:
    """Sends an operation's request with other values in place of one id.

    `case` is a valid request without placeholders, `field` the one that takes the id, `identifier` that id.
    """

    api: Api
    operation: Operation
    case: Case
    field: RequestField
    identifier: Any

    @property
    def in_json(self) -> bool:
        """Whether the id is sent as a JSON value."""
        body = self.operation.body
        return self.field.location == "body" and body is not None and body.media_type != FORM

    def findings(self) -> CaseFindings:
        """The findings of all requests with another id, and with the same one written otherwise."""
        valid = with_field(self.case, self.field, self.identifier)
        case_findings: CaseFindings = []
        shown = self.shown_ids(self.api.send(self.operation, valid)) if self.operation.safe else None
        for spelling in other_ids(self.field.schema, self.identifier, self.in_json, self.operation.safe):
            wanted = demand(self.api.contract, self.operation, self.field, spelling.kind, os.environ)
            case = self._case(spelling)
            if wanted == REFUSED:
                case_findings += [(finding, case) for finding in self._refused(case)]
            elif wanted == LISTED_APART and shown:
                case_findings += [(finding, case) for finding in self._listed_apart(case, shown)]
        if not self._is_repeatable():
            return case_findings
        for spelling in same_ids(self.field.schema, self.identifier, self.field.location):
            case = replace(self._case(spelling), invalid_case=None)
            case_findings += [(finding, case) for finding in self._same_or_refused(case, shown or {self.identifier})]
        return case_findings

    def _is_repeatable(self) -> bool:
        """Whether the request can be accepted several times, and its response shows which record it is about."""
        of_kind = kind_and_action(self.api.contract, self.operation)
        is_named = self.field.location != "body" and of_kind is not None and of_kind[1] in ("read", "update", "list")
        return is_named and self._names_the_record(of_kind)

    def _names_the_record(self, of_kind: tuple[RecordKind, str] | None) -> bool:
        if of_kind is None or of_kind[1] == "list":
            return of_kind is not None
        place = id_field(self.api.contract, of_kind[0], of_kind[1])
        return self.field.name == place.name or call_method(self.operation) != ""

    def _case(self, spelling: Spelling) -> Case:
        title = f"{self.field.title}: the id {spelling.title}"
        invalid = invalid_case(self.field, spelling.kind, title)
        return replace(with_field(self.case, self.field, spelling.value), title=title, invalid_case=invalid)

    def _refused(self, case: Case) -> Iterator[Finding]:
        invalid = case.invalid_case
        assert invalid is not None
        exchange = self.api.send(self.operation, case)
        contract = self.api.contract
        yield from self.api.invalid_records.judged(exchange, partial(judge_response, contract, self.operation))
        if exchange.response.error or is_refusal(contract, exchange.response):
            return
        clause = refusal_clause(contract, self.operation, invalid, self.case, lambda: self._is_accepted(case))
        clause = clause or refusal_rule(contract, self.operation, invalid)["clause"]
        yield Finding(
            clause, f"a refusal ({case.title})", f"{exchange.response.status}, accepted", exchange, kind=WAS_ACCEPTED
        )

    def _is_accepted(self, invalid: Case) -> bool:
        """Whether the target accepts the request with the id itself; one that would change more is not sent again."""
        if not self.operation.safe:
            return True
        valid = replace(with_field(invalid, self.field, self.identifier), invalid_case=None)
        return not is_refusal(self.api.contract, self.api.send(self.operation, valid).response)

    def _listed_apart(self, case: Case, shown: set[Any]) -> Iterator[Finding]:
        exchange = self.api.send(self.operation, replace(case, invalid_case=None))
        both = self.shown_ids(exchange) & shown
        if both:
            expected = f"a refusal, or nothing of what the id itself selects ({case.title})"
            yield Finding(self._clause(), expected, f"{len(both)} of the same records", exchange)

    def _same_or_refused(self, case: Case, expected: set[Any]) -> Iterator[Finding]:
        exchange = self.api.send(self.operation, case)
        others = self.shown_ids(exchange) - expected
        if others:
            wanted = f"a refusal, or what the id itself shows ({case.title})"
            yield Finding(self._clause(), wanted, min(map(str, others)), exchange)

    def _clause(self) -> str:
        """The clause that what a filter selects is reported under; no document says how an id in a path is written."""
        contract, parameter = self.api.contract, self.field.parameter
        is_filter = parameter is not None and self.field.location == "query"
        lines = str(parameter.lines.get("name", "")) if parameter and is_filter else ""
        own = [self.field.schema["x-clause"]] if is_filter and "x-clause" in self.field.schema else []
        return blamed_clause(contract, [*own, *of_operation(contract, self.operation.clauses)], lines, "response")

    def shown_ids(self, exchange: Exchange) -> set[Any]:
        """The ids of the records that a response shows; none of a refusal, or where the contract has no pointer."""
        of_kind = kind_and_action(self.api.contract, self.operation)
        if of_kind is None or is_refusal(self.api.contract, exchange.response):
            return set()
        definition, action = of_kind[0].definition, of_kind[1]
        pointer = f"{definition['items']}/*" if action == "list" else definition.get("item")
        try:
            items = json_pointer.find(exchange.response.json(), pointer) if pointer is not None else []
        except (ValueError, RecursionError):
            return set()
        records = [item for item in items if isinstance(item, dict)]
        identifiers = [record.get(definition["id"]) for record in records]
        return {identifier for identifier in identifiers if isinstance(identifier, str | int)}


def identity_findings(api: Api, operation: Operation, minimal: Case) -> CaseFindings:
    """The findings of every field of the operation that takes an id. Raises what `Api.send` does."""
    contract = api.contract

    def resolve(source: Mapping[str, Any]) -> Any:
        return _identifier(api, source, operation.server)

    case = filled(minimal, resolve)
    case_findings: CaseFindings = []
    missing: list[MissingPrecondition] = []
    fields = id_fields(contract, operation)
    for field in fields:
        try:
            identifier = _value_in(case, field)
            if identifier is None:
                identifier = resolve({**(field.value_source or {}), "type": field.schema.get("type")})
        except MissingPrecondition as reason:
            missing.append(reason)
            continue
        case_findings += IdentityChecker(api, operation, case, field, identifier).findings()
    if missing and len(missing) == len(fields):
        raise missing[0]
    return case_findings + findings_after_refusals(api, operation, case, bool(case_findings))


def _identifier(api: Api, source: Mapping[str, Any], server: int) -> Any:
    """The id to use: one that exists, or that is made for this test."""
    if "pointer" not in source or source.get("fresh"):
        return api.known_value(source, server)
    return best_of(api.known_values(source, server))


def _value_in(case: Case, field: RequestField) -> Any:
    """The value that the case has in that field, None if it has none."""
    if field.location != "body":
        return case.parameters[field.location].get(field.name)
    value = case.body
    for name in field.path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def findings_after_refusals(api: Api, operation: Operation, case: Case, has_findings: bool) -> CaseFindings:
    """The finding when the record of an update or a deletion is gone after requests that were refused.

    `case` is the valid request, which is sent now; what was made for the test is deleted.
    """
    of_kind = kind_and_action(api.contract, operation)
    if of_kind is None or of_kind[1] not in ("update", "delete"):
        return []
    exchange = api.send(operation, case)
    kind, action = of_kind
    if action == "update" and kind.can_be_deleted:
        taken, place = id_field(api.contract, kind, action), id_field(api.contract, kind, "delete")
        identifier = _value_in(case, taken) or kind.record_id(exchange)
        deletion = Case(kind.operation("delete").label, "clean up", case.parameters)
        api.send(kind.operation("delete"), deletion.with_parameter(place.location, place.name, identifier))
    clause = acceptance_clause(api.contract, operation, case, os.environ)
    if has_findings or clause is None or not is_refusal(api.contract, exchange.response):
        return []
    received = f"{exchange.response.status}: {exchange.response.text()[:MAX_SHOWN_TEXT]}"
    return [(Finding(clause, f"{ACCEPTED}, after requests that were refused", received, exchange), case)]
