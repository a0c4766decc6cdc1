"""Writes difficult values and reads them back, wherever the record is shown.

Rule: a target may refuse a value that its document does not demand, but a value that it accepts comes back as sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from contracts import json_pointer
from contracts.exchange import Exchange
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.builder import with_field
from fixtures.corpus.difficult_values import difficult_values, label_of, rows_of_values
from fixtures.target_api import Api
from suites.generic.record_writes import (
    Member,
    RecordWrite,
    is_completed,
    rows_about,
    sent_data,
    sent_members,
    shown_rows,
    shown_value,
    written_members,
)
from suites.generic.sent_values import is_kept
from suites.generic.stateful import NotDemanded, Records
from suites.reporting.failures import ContractViolation, violation
from suites.reporting.response_body import read_body

SAMPLED = 3  # of an operation that does the same as another one, every third row is sent
Row = Mapping[str, Any]  # values by the member's name
WriteRow = Callable[[Row], bool]
UNIQUE_END = {"unique": "x" * 8}


@dataclass
class KeptValues:
    """A walk over the rows of difficult values of one write; `compared` counts values that a response showed."""

    api: Api
    corpus: Corpus
    write: RecordWrite
    share: int = 1
    compared: int = 0
    sent: dict[Any, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.members: dict[str, Member] = {it.name: it for it in written_members(self.api.contract, self.write)}
        self.records: Records = self.write.records(self.api, self.corpus)

    def values(self) -> dict[str, list[Any]]:
        """The difficult values of each member that has some."""
        of_members = {
            name: difficult_values(self.api.contract, member.request_field.schema)
            for name, member in self.members.items()
        }
        return {name: choices for name, choices in of_members.items() if choices}

    def rows(self) -> Iterator[Row]:
        """The rows to send: all of them, or every `share`-th; with little effort, a third of those."""
        rows = list(rows_of_values(self.values()))[:: self.share]
        yield from self.corpus.effort.some_of(rows, self.write.operation.label)

    def partial_rows(self) -> Iterator[Row]:
        """Rows of one value each, a different kind of value for each member."""
        for place, (name, choices) in enumerate(self.values().items() if self.share == 1 else ()):
            yield {name: choices[place % len(choices)]}

    def case(self, row: Row) -> Case:
        """The minimal request with these values."""
        case = self.corpus.minimal(self.write.operation)
        for name, value in row.items():
            case = with_field(case, self.members[name].request_field, value)
        return replace(case, title=", ".join(f"{name}: {label_of(value)}" for name, value in row.items()))

    def attempts(self, row: Row) -> Iterator[Row]:
        """The row, made unique where it must be; then, if it is refused, each of its values alone."""
        row = {name: self._unique(name, value) for name, value in row.items()}
        yield row
        if len(row) > 1:
            yield from ({name: value} for name, value in row.items())

    def _unique(self, name: str, value: Any) -> Any:
        schema = self.members[name].request_field.schema
        if not schema.get("x-unique") or not isinstance(value, str):
            return value
        own = f"{value}{self.api.known_value(UNIQUE_END)}"
        return own if self.api.contract.validator(schema).is_valid(own) else self.api.known_value({"unique": value})

    def write_all(self) -> None:
        """Creates or updates records with each row, as the operation does."""
        if self.write.action == "create":
            self.create_all()
        else:
            self.update_all()

    def create_all(self) -> None:
        """Creates a record of each row; each place that shows it has the values as they were sent."""
        try:
            for row in self.rows():
                self._write(row, self._create)
            self.check_list()
        finally:
            self.records.clear()

    def update_all(self) -> None:
        """Updates a record with each row, and then with one value at a time; each place has the values as sent last."""
        plain = self.records.accepted("create", self.corpus.minimal(self.records.operation("create")))
        identifier = self.records.item_in("create", plain)[self.write.kind.definition["id"]]
        self.records.live[identifier] = {}
        try:
            for row in [*self.rows(), *self.partial_rows()]:
                self._write(row, partial(self._update, identifier))
            self.check_list()
        finally:
            self.records.clear()

    def _write(self, row: Row, write: WriteRow) -> None:
        """Writes the row, or what is accepted of it. Raises ContractViolation about one value alone, if it can."""
        for attempt in self.attempts(row):
            try:
                is_accepted = write(attempt)
            except ContractViolation:
                self.sent.clear()  # what was sent before is not compared once more
                for name, value in attempt.items() if len(attempt) > 1 else ():
                    write({name: value})
                raise
            if is_accepted and attempt.keys() == row.keys():
                return

    def _create(self, row: Row) -> bool:
        """Whether a record with these values is accepted; it is checked wherever it is shown."""
        exchange = self._accepted(self.case(row))
        if exchange:
            self._check_creation(exchange, row)
        return exchange is not None

    def _update(self, identifier: Any, row: Row) -> bool:
        """Whether the record accepts these values; it is checked where it is shown, with those that it had before."""
        exchange = self._accepted(self.records.request_about("update", identifier, self.case(row)))
        if exchange:
            known = {**self.sent.get(identifier, {}), **self._sent_values(exchange)}
            self.check(exchange, row, self.records.item_in("update", exchange))
            self._read(identifier, known)
            self.sent[identifier] = known
        return exchange is not None

    def _sent_values(self, exchange: Exchange) -> Row:
        """The values of members that a request has, those of the minimal request included."""
        data = sent_data(exchange)
        values = {name: shown_value(data, member.request_field.path) for name, member in self.members.items()}
        return {name: value for name, (is_sent, value) in values.items() if is_sent}

    def _accepted(self, case: Case) -> Exchange | None:
        try:
            return self.records.accepted(self.write.action, case, only_documented=True)
        except NotDemanded:
            return None

    def _check_creation(self, exchange: Exchange, row: Row) -> None:
        shown_by = dict(sent_members(exchange))
        if "item" in self.write.kind.definition:
            item = self.records.item_in("create", exchange)
            id_name = self.write.kind.definition["id"]
            self.records.live[item[id_name]] = {}
            self.sent[item[id_name]] = row
            shown_by[id_name] = item[id_name]
            self.check(exchange, row, item)
            self._read(item[id_name], row)
        if is_completed(self.api, self.corpus, self.write, exchange):
            for place in self.write.kind.definition.get("shown", ()):
                self._check_place(place, shown_by, row)

    def _read(self, identifier: Any, row: Row) -> None:
        if self.records.supports("read"):
            exchange = self.records.accepted("read", self.records.request_about("read", identifier))
            self.check(exchange, row, self.records.item_in("read", exchange))

    def _check_place(self, place: Mapping[str, Any], shown_by: Mapping[str, Any], row: Row) -> None:
        exchange, rows = shown_rows(self.api, self.corpus, place, shown_by, self.write.kind.server)
        value = shown_by[place["by"]]
        if rows == [] and "items" in place:
            raise violation(self.api, place["clause"], f"the record with the {place['by']} {value!r}", "none", exchange)
        for shown in rows_about(rows or (), place["by"], value):
            if isinstance(shown, list):
                self._check_cells(exchange, place["clause"], row, shown)
            else:
                self.check(exchange, row, shown, place["clause"])

    def _check_cells(self, exchange: Exchange, clause: str, row: Row, cells: Sequence[str]) -> None:
        for name, value in row.items():
            if isinstance(value, str):
                self.compared += 1
                if value not in cells:
                    expected = f"{name} as sent ({label_of(value)}): {value!r}"
                    raise violation(self.api, clause, expected, f"the row {cells!r}", exchange)

    def check_list(self) -> None:
        """Every page of the list has the records that were written as they were sent last."""
        if not self.sent or not self.records.supports("list"):
            return
        id_name = self.write.kind.definition["id"]
        for exchange in self.records.pages():
            items = json_pointer.find(read_body(exchange), self.write.kind.definition["items"])
            for item in items[0] if items and isinstance(items[0], list) else ():
                if isinstance(item, Mapping) and item.get(id_name) in self.sent:
                    self.check(exchange, self.sent[item[id_name]], item)

    def check(self, exchange: Exchange, row: Row, item: Any, clause: str | None = None) -> None:
        """Raises ContractViolation when a record that a response shows has a value that was not sent."""
        for name, value in row.items():
            is_shown, received = shown_value(item, self.members[name].path)
            if not is_shown:
                continue  # which members a response has is another promise
            self.compared += 1
            if not is_kept(self.members[name].request_field.schema, value, received):
                expected = f"{name} as sent ({label_of(value)}): {value!r}"
                raise violation(self.api, clause or self.write.clause, expected, repr(received), exchange)
