"""Writes records beside another one, and compares everything that a request did not name before and after it.

Rule: two reads of the same target are compared, so a member that changes by itself, or that nobody documents, breaks
no promise. Whether a request may be refused is another promise; a refused one has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.builder import set_member, with_field
from fixtures.corpus.difficult_values import difficult_values
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.pace import NotTested
from fixtures.resources import id_field
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from suites.generic.record_writes import Member, RecordWrite, sent_members, shown_value, written_members
from suites.generic.sent_values import is_kept
from suites.generic.stateful import NotDemanded, Records
from suites.preparations import preparation
from suites.reporting.failures import violation
from suites.reporting.response_body import read_body

Record = Mapping[str, Any]
ELSEWHERE = ("unknown_method", "unknown_path")  # kinds of invalid requests that are not sent to the operation itself
OTHER_TIME = "2001"  # the year of a creation that a client makes up
NEXT = 1  # of a number that the server gives


@dataclass
class NamedChanges:
    """The records of one write's kind and what is known of them.

    `compared` counts the members that were compared, `volatile` are those that differ between two reads in a row.
    """

    api: Api
    corpus: Corpus
    write: RecordWrite
    compared: int = 0
    volatile: set[str] = field(default_factory=set)

    @cached_property
    def records(self) -> Records:
        """The records that the test creates; the write's own operation is used for its action."""
        return self.write.records(self.api, self.corpus)

    @cached_property
    def members(self) -> list[Member]:
        """The members that a request may name."""
        return written_members(self.api.contract, self.write)

    @property
    def id_name(self) -> str:
        """The name of a record's id."""
        return str(self.write.kind.definition["id"])

    @property
    def fixed(self) -> list[str]:
        """The members that the server gives a record."""
        return list(self.write.kind.definition.get("fixed", ()))

    def new_record(self) -> Any:
        """The id of a record that has been created with every member that it may have, as far as it is accepted."""
        create = self.records.operation("create")
        plain, full = self.corpus.minimal(create), self.corpus.minimal(create)
        for member in self.members:
            values = self.other_values(member, None)
            if values and not member.request_field.schema.get("x-unique"):
                full = with_field(full, member.request_field, values[-1])  # the first is what many servers begin with
        with preparation(self.api, f"a record of the kind {self.write.kind.name}"):
            try:
                exchange = self.records.accepted("create", full, only_documented=True)
            except NotDemanded:
                exchange = self.records.accepted("create", plain)
        identifier = self.records.item_in("create", exchange)[self.id_name]
        self.records.live[identifier] = {}
        return identifier

    def read(self, identifier: Any) -> tuple[Exchange, Record]:
        """The record as it is read now. Raises MissingPrecondition when it cannot be read."""
        try:
            exchange = self.records.accepted("read", self.records.request_about("read", identifier))
        except NotDemanded as reason:
            raise MissingPrecondition(f"a record of {self.write.kind.name} cannot be read: {reason}") from None
        return exchange, self.records.item_in("read", exchange)

    def read_twice(self, identifier: Any) -> Record:
        """The record as it is read now, and once more to see which members differ by themselves."""
        first, second = self.read(identifier)[1], self.read(identifier)[1]
        self.volatile |= {name for name in first if first[name] != second.get(name)}
        return second

    def send(self, case: Case) -> bool | None:
        """Whether the request is accepted; None when it may not be sent or brings no response."""
        with suppress(NotPermitted, NotTested, MissingPrecondition):
            exchange = self.api.send(self.write.operation, case)
            if not exchange.response.error:
                return not is_refusal(self.api.contract, exchange.response)
        return None

    def marked(self, case: Case) -> tuple[Case, str]:
        """(the case with a text of this run in the first member that can have one, that text); "" where none can."""
        invalid = case.invalid_case
        for member in self.members if case.raw is None and isinstance(case.body, Mapping) else ():
            place = member.request_field
            is_the_wrong_one = invalid is not None and invalid.location == "body" and invalid.name == place.name
            text = self.api.unique_text("kept")
            holder = case.body if len(place.path) == 1 else case.body.get(place.path[0])
            is_valid = self.api.contract.validator(place.schema).is_valid(text)
            if is_valid and isinstance(holder, Mapping) and not is_the_wrong_one:
                return with_field(case, place, text), text
        return case, ""

    def refused_cases(self) -> Iterator[Case]:
        """Invalid requests, one for each kind and place of what is wrong, that name the right record.

        With little effort a third of them.
        """
        yield from self.corpus.effort.some_of(list(self._refused_cases()), self.write.operation.label)

    def _refused_cases(self) -> Iterator[Case]:
        seen = set()
        place = id_field(self.api.contract, self.records, "update") if self.write.action == "update" else None
        for case in invalid_requests(self.corpus, self.write.operation):
            invalid = case.invalid_case
            assert invalid is not None
            is_about_the_id = place is not None and (invalid.location, invalid.name) == (place.location, place.name)
            key = (invalid.kind, invalid.location, invalid.name if invalid.location == "body" else "")
            if invalid.kind not in ELSEWHERE and not is_about_the_id and key not in seen:
                seen.add(key)
                yield case

    def require_same(
        self, before: Record, after: Record, exchange: Exchange, what: str, but: frozenset[str] = frozenset()
    ) -> None:
        """Raises ContractViolation when a member differs that was shown before, apart from those in `but`."""
        for name in sorted(before.keys() - but - self.volatile):
            self.compared += 1
            if name not in after or before[name] != after[name]:
                expected, received = (
                    f"{name} {before[name]!r} as before {what}",
                    repr(after.get(name, "no such member")),
                )
                raise violation(self.api, self.write.clause, expected, received, exchange)

    def unnamed(self, record: Record) -> dict[str, Any]:
        """What an update does not change unless it names it: the members that can be written, and those of the server.

        Members that the contract does not call fixed, such as the time of the last update, are left out.
        """
        names = {member.path[0] for member in self.members} | set(self.fixed)
        return {name: value for name, value in record.items() if name in names}

    def other_values(self, member: Member, current: Any) -> list[Any]:
        """Values for the member that it does not have."""
        schema = member.request_field.schema
        values = difficult_values(self.api.contract, schema)
        return [value for value in values if value is not None and not is_kept(schema, value, current)]

    def made_up(self, name: str, current: Any, other: Any) -> Any:
        """A value for a member of the server's own: the other record's id, another time, or another number."""
        if name == self.id_name:
            return other
        if isinstance(current, str) and current[:4].isdigit():
            return OTHER_TIME + current[4:]
        return current + NEXT if isinstance(current, int) else current

    def with_root_member(self, case: Case, name: str, value: Any) -> Case:
        """The case with a member beside those that the record's other members have in its body."""
        holder = self.members[0].request_field.path[: -len(self.members[0].path)]
        return replace(case, body=set_member(case.body, (*holder, name), value), title=f"with {name} {value!r}")

    def fresh_case(self, exchange: Exchange) -> Case | None:
        """A valid request with a value of that refused one which no other request may have; None if it had none."""
        sent = sent_members(exchange)
        case = self.corpus.minimal(self.write.operation)
        unique = [member for member in self.members if member.request_field.schema.get("x-unique")]
        for member in unique:
            value = sent.get(member.path[0])
            if isinstance(value, str) and self.api.contract.validator(member.request_field.schema).is_valid(value):
                title = f"valid, with the {member.name} of a refused request"
                return replace(with_field(case, member.request_field, value), title=title)
        return None

    def texts_listed(self) -> set[str]:
        """Every text that a member of a listed record has."""
        texts: set[str] = set()
        for exchange in self.records.pages():
            items = json_pointer.find(read_body(exchange), self.write.kind.definition["items"])
            for item in items[0] if items and isinstance(items[0], list) else ():
                leaves = (shown_value(item, member.path)[1] for member in self.members)
                texts |= {leaf for leaf in leaves if isinstance(leaf, str)}
        return texts
