"""The lifecycle of a record as a state machine: created, read, updated, listed and deleted, in any order.

Rule: the model knows only what was sent. Every response that shows the record has what was sent until it is changed or
deleted; a deleted record is in no response.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from contracts import json_pointer
from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import WAS_REFUSED, Finding, is_refusal, judge_response
from contracts.judge.refusal_judge import InvalidCase, judge_refusal, readings_left_open, refusal_rule
from contracts.operation import Operation
from contracts.reader.document_lines import blamed_clause
from fixtures.acceptance import acceptance_clause
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.request_fields import request_fields
from fixtures.link_header import local_link, next_link
from fixtures.resources import Resource, id_field
from fixtures.target_api import Api
from suites.generic.http_conformance import ACCEPTED
from suites.generic.sent_values import is_equivalent
from suites.meaning_recorder import note_outcome
from suites.reporting.failures import raise_findings, violation
from suites.reporting.response_body import read_body

MAX_PAGES = 100
MAX_SHOWN_TEXT = 200  # characters of a response


class NotDemanded(Exception):
    """A valid request was refused that nothing demands to be accepted, so the step did not happen."""


@dataclass
class Records:
    """The records of one resource that a test has created.

    `live`: what was sent of each record, by id. `deleted`: ids. `updated`: ids of records that an update wrote last.
    `ways`: operations to use in place of the resource's own, by action: the same action by another way.
    """

    api: Api
    corpus: Corpus
    resource: Resource
    live: dict[Any, dict[str, Any]] = field(default_factory=dict)
    deleted: list[Any] = field(default_factory=list)
    updated: set[Any] = field(default_factory=set)
    ways: Mapping[str, Operation] = field(default_factory=dict)

    def supports(self, action: str) -> bool:
        """Whether the API offers that action (create, read, update, delete or list) for the resource."""
        return action in self.resource.definition

    def operation(self, action: str) -> Operation:
        """The operation of that action."""
        return self.ways.get(action) or self.api.contract.find(self.resource.definition[action], self.resource.server)

    def cases(self, action: str) -> list[Case]:
        """Valid requests to create or update, the minimal one first."""
        operation = self.operation(action)
        return [self.corpus.minimal(operation), *self.corpus.boundaries(operation), *self.corpus.valid(operation)]

    def create(self, case: Case) -> None:
        """Creates a record; the response shows it as it was sent."""
        exchange = self.accepted("create", case)
        item = self.item_in("create", exchange)
        sent = self.readable_members("create", exchange)
        self._check_members("create", exchange, _members_shown(sent, item), item)
        self.live[item[self.resource.definition["id"]]] = sent

    def read(self, identifier: Any) -> None:
        """Reads a record; everything that was sent is there."""
        exchange = self.accepted("read", self.request_about("read", identifier))
        item = self.item_in("read", exchange)
        item_id = item.get(self.resource.definition["id"])
        if item_id != identifier:
            self._fail("read", exchange, f"the record {identifier}", f"{item_id}")
        self._check_members(self._last_writer(identifier), exchange, self.live[identifier], item)

    def update(self, identifier: Any, case: Case) -> None:
        """Updates a record; what was sent is new, and what was not sent is as before."""
        exchange = self.accepted("update", self.request_about("update", identifier, case))
        self.live[identifier] |= self.readable_members("update", exchange)
        self.updated.add(identifier)
        item = self.item_in("update", exchange)
        self._check_members("update", exchange, _members_shown(self.live[identifier], item), item)

    def delete(self, identifier: Any) -> None:
        """Deletes a record."""
        self.accepted("delete", self.request_about("delete", identifier))
        del self.live[identifier]
        self.deleted.append(identifier)

    def check_deleted(self, action: str, identifier: Any) -> None:
        """A deleted record is refused like one that never existed."""
        operation = self.operation(action)
        place = id_field(self.api.contract, self, action)
        exchange = self.api.send(operation, self.request_about(action, identifier))
        rules = place.parameter.refusals if place.parameter else None
        invalid_case = InvalidCase("unknown_record", place.location, place.name, rules)
        readings = readings_left_open(refusal_rule(self.api.contract, operation, invalid_case))
        note_outcome(self.api, readings, f"{operation.label}, deleted record", exchange)
        judge = partial(judge_refusal, self.api.contract, operation, case=invalid_case, environ=os.environ)
        findings = self.api.invalid_records.judged(exchange, judge)
        if not is_refusal(self.api.contract, exchange.response):
            clause = self._clause("delete")
            findings = [Finding(clause, "the deleted record is gone", "it is still there", exchange)]
        raise_findings([(finding, None) for finding in findings], self.api)

    def list(self) -> None:
        """The list has every live record as it was sent, and no deleted one."""
        listed: dict[Any, Any] = {}
        exchange = None
        for exchange in self.pages():
            items = json_pointer.find(read_body(exchange), self.resource.definition["items"])
            for item in items[0] if items and isinstance(items[0], list) else []:
                listed[item.get(self.resource.definition["id"])] = item
        assert exchange is not None
        for identifier, sent in self.live.items():
            if identifier not in listed:
                self._fail("list", exchange, f"the record {identifier} in the list", f"{len(listed)} others")
            item = listed[identifier]
            self._check_members(self._last_writer(identifier), exchange, _members_shown(sent, item), item)
        for identifier in self.deleted:
            if identifier in listed:
                action = "delete" if self.supports("delete") else "list"
                self._fail(action, exchange, "no deleted record in the list", str(identifier))

    def clear(self) -> None:
        """Deletes the records that were created, as far as the API lets them be deleted."""
        if self.supports("delete"):
            for identifier in self.live:
                self.api.send(self.operation("delete"), self.request_about("delete", identifier))

    def _last_writer(self, identifier: Any) -> str:
        """The action that wrote the record last; it is blamed when the record is not as sent."""
        return "update" if identifier in self.updated else "create"

    def pages(self, case: Case | None = None) -> Iterator[Exchange]:
        """The pages of that list, or of the minimal one, by their links to the next one (RFC 8288); one without."""
        exchange = self.accepted("list", case or self.corpus.minimal(self.operation("list")))
        yield exchange
        for _ in range(MAX_PAGES):
            link = next_link(exchange.response)
            if not link:
                return
            url = local_link(exchange.request.url, link)
            if url is None:
                self._fail("list", exchange, f"a link to the next page at {self.api.target.url}", link)
            exchange = self.api.send_request(Request("GET", url, exchange.request.headers))
            yield exchange

    @property
    def definition(self) -> Mapping[str, Any]:
        """The resource's entry in the contract."""
        return self.resource.definition

    def request_about(self, action: str, identifier: Any, case: Case | None = None) -> Case:
        """The case, or the minimal one, about the record with that id."""
        case = case or self.corpus.minimal(self.operation(action))
        place = id_field(self.api.contract, self, action)
        return case.with_parameter(place.location, place.name, identifier)

    def accepted(self, action: str, case: Case, only_documented: bool = False) -> Exchange:
        """Sends a valid request; raises ContractViolation for what is wrong with the response, and for a refusal.

        A refusal that nothing demands otherwise raises NotDemanded; with `only_documented`, so does any other one of
        a request that the document itself does not bear.
        """
        operation = self.operation(action)
        exchange = self.api.send(operation, case)
        if is_refusal(self.api.contract, exchange.response) and self.api.drop_vanished_values():
            exchange = self.api.send(operation, case)
        findings = self.api.invalid_records.judged(exchange, partial(judge_response, self.api.contract, operation))
        clause = acceptance_clause(self.api.contract, operation, case, os.environ)
        is_refused = is_refusal(self.api.contract, exchange.response)
        if only_documented and clause == self.api.contract.silent.get("request", clause):
            clause = None
        if is_refused and clause is not None:
            received = f"{exchange.response.status}: {exchange.response.text()[:MAX_SHOWN_TEXT]}"
            findings.append(Finding(clause, ACCEPTED, received, exchange, kind=WAS_REFUSED))
        raise_findings([(finding, case) for finding in findings], self.api)
        if is_refused:
            raise NotDemanded(f"{action}: {case.title}")
        return exchange

    def item_in(self, action: str, exchange: Exchange) -> dict[str, Any]:
        """The record in that response; raises ContractViolation when it shows none."""
        id_name, pointer = self.resource.definition["id"], self.resource.definition["item"]
        items = json_pointer.find(read_body(exchange), pointer)
        if not items or not isinstance(items[0], dict) or id_name not in items[0]:
            expected = f"a record with its {id_name} at {pointer}"
            self._fail(action, exchange, expected, exchange.response.text()[:MAX_SHOWN_TEXT])
        item: dict[str, Any] = items[0]
        return item

    def readable_members(self, action: str, exchange: Exchange) -> dict[str, Any]:
        """The members of the record in the request that can be read back: documented ones that are not `writeOnly`."""
        body = json.loads(exchange.request.body)
        items = json_pointer.find(body, self.resource.definition["item"])
        sent = items[0] if items else body
        fields = [it for it in request_fields(self.api.contract, self.operation(action)) if it.location == "body"]
        readable = {request_field.name for request_field in fields if not request_field.schema.get("writeOnly")}
        return {name: value for name, value in sent.items() if name in readable}

    def _check_members(self, action: str, exchange: Exchange, sent: Mapping[str, Any], item: Mapping[str, Any]) -> None:
        for name, value in sent.items():
            if name not in item:
                self._fail(action, exchange, f"{name} as sent: {value!r}", "no such member")
            elif not is_equivalent(value, item[name]):
                clause = self.definition.get("keeps", {}).get(action)
                self._fail(action, exchange, f"{name} as sent: {value!r}", repr(item[name]), clause)

    def _fail(
        self, action: str, exchange: Exchange, expected: str, received: str, clause: str | None = None
    ) -> NoReturn:
        raise violation(self.api, clause or self._clause(action), expected, received, exchange)

    def _clause(self, action: str) -> str:
        """The clause that what an action does to a record is reported under."""
        return blamed_clause(self.api.contract, [self.operation(action).clauses[0]], "", "response")


def _members_shown(sent: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The members of what was sent that the item shows; the response to a write, and a list, may show fewer."""
    return {name: value for name, value in sent.items() if name in item}
