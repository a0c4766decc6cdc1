"""Tests that a request changes what it names and nothing else, and that a refused request changes nothing.

Every operation that creates or updates records which can be read is tested, by each way that it can be sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from contracts.exchange import Exchange
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.acceptance import acceptance_clause
from fixtures.cases import Case
from fixtures.corpus import Corpus
from fixtures.corpus.builder import set_member
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.named_changes import NamedChanges
from suites.generic.record_writes import record_write, sent_members, shown_rows, written_members
from suites.generic.stateful import MAX_SHOWN_TEXT
from suites.reporting.failures import violation


def reason_against(operation: Operation) -> str:
    """Why the operation cannot change what it does not name, "" if it can."""
    if operation.safe:
        return "it changes nothing"
    write = record_write(operation)
    if write is None:
        return "no clause says that what it is sent is kept"
    if not written_members(load_contract(operation.api), write):
        return "it takes no value that a response shows"
    return ""


def reason_against_reading(operation: Operation) -> str:
    """The same for what can be seen only of a record that is read by its id."""
    write = record_write(operation)
    is_read = write is not None and {"read", "id"} <= set(write.kind.definition)
    return reason_against(operation) or ("" if is_read else "no record that it writes can be read by its id")


def reason_against_updates(operation: Operation) -> str:
    """The same for what only an update can do."""
    write = record_write(operation)
    return reason_against_reading(operation) or ("" if write and write.action == "update" else "it updates no record")


def only_named(reason: Callable[[Operation], str]) -> pytest.MarkDecorator:
    """The mark of the kind, for the operations that this is no reason against."""
    return pytest.mark.bug_kind("only what was named", reason_against=reason)


@pytest.fixture
def changes(api: Api, corpus: Corpus, operation: Operation) -> NamedChanges:
    """The records of the operation's kind, which are deleted in the end."""
    write = record_write(operation)
    assert write is not None
    return NamedChanges(api, corpus, write)


@only_named(reason_against_updates)
def test_an_update_changes_the_member_that_it_names(changes: NamedChanges) -> None:
    """An update of one member leaves every other member of the record, and every other record, as it was."""
    try:
        target, other = changes.new_record(), changes.new_record()
        neighbour, now = changes.read_twice(other), changes.read_twice(target)
        for member in changes.members:
            for value in changes.other_values(member, now.get(member.path[0]))[:1]:
                body = set_member({}, member.request_field.path, value)
                case = replace(changes.corpus.minimal(changes.write.operation), body=body, title=f"only {member.name}")
                is_accepted = changes.send(changes.records.request_about("update", target, case))
                exchange, then = changes.read(target)
                named = frozenset([member.path[0]]) if is_accepted else frozenset[str]()
                was = changes.unnamed(now) if is_accepted else now
                changes.require_same(was, then, exchange, f"an update of {member.name}", named)
                now = then
        exchange, same = changes.read(other)
        changes.require_same(neighbour, same, exchange, "updates of another record")
        require_comparison(changes, "no member can be updated alone")
    finally:
        changes.records.clear()


@only_named(reason_against_reading)
def test_members_of_the_server_cannot_be_written(changes: NamedChanges) -> None:
    """An id, a time of creation and the like are the server's: sending them changes them in no record."""
    try:
        target, other = changes.new_record(), changes.new_record()
        neighbour, before = changes.read_twice(other), changes.read_twice(target)
        for name in [it for it in changes.fixed if before.get(it) is not None]:
            value = changes.made_up(name, before[name], other)
            case = changes.with_root_member(changes.corpus.minimal(changes.write.operation), name, value)
            if changes.write.action == "update":
                changes.send(changes.records.request_about("update", target, case))
                exchange, after = changes.read(target)
                changes.require_same(
                    {it: before[it] for it in changes.fixed if it in before}, after, exchange, f"{name} was sent"
                )
            elif changes.send(case):
                require_own_value(changes, name, value)
            exchange, same = changes.read(other)
            changes.require_same(changes.unnamed(neighbour), same, exchange, f"{name} was sent with another record")
        require_comparison(changes, "the record shows no member that the server gives it")
    finally:
        changes.records.clear()


def require_own_value(changes: NamedChanges, name: str, value: object) -> None:
    """Raises ContractViolation when the record that was created last has the value that the client made up."""
    exchange = changes.api.exchanges[-1]
    item = changes.records.item_in("create", exchange)
    identifier = item[changes.id_name]
    if name == changes.id_name and identifier == value:
        expected = f"an {name} of its own for the new record"
        raise violation(changes.api, changes.write.clause, expected, f"{value!r}, which another record has", exchange)
    changes.records.live[identifier] = {}
    shown = changes.read(identifier)[1].get(name)
    changes.compared += 1
    if shown == value:
        raise violation(changes.api, changes.write.clause, f"a {name} that the server gives", f"{shown!r}", exchange)


@only_named(reason_against)
def test_a_refused_request_changes_nothing(changes: NamedChanges) -> None:
    """After requests that were refused the record is as it was, and the list has no record of theirs."""
    try:
        if changes.write.action == "update":
            refuse_updates(changes)
        elif "list" in changes.write.kind.definition:
            refuse_creations(changes)
        else:
            refuse_without_list(changes)
        require_comparison(changes, "no request was refused whose effect could be seen")
    finally:
        changes.records.clear()


def require_comparison(changes: NamedChanges, reason: str) -> None:
    """Raises MissingPrecondition when nothing was compared, so that a pass would say nothing."""
    if not changes.compared:
        raise MissingPrecondition(reason)


def refuse_updates(changes: NamedChanges) -> None:
    """Sends invalid updates of a record, which is read after each that was refused."""
    target = changes.new_record()
    now = changes.read_twice(target)
    for case in changes.refused_cases():
        marked, _ = changes.marked(case)
        is_accepted = changes.send(changes.records.request_about("update", target, marked))
        if is_accepted is not None:
            exchange, then = changes.read(target)
            if not is_accepted:
                changes.require_same(now, then, exchange, f"a refused update ({case.invalid_case})")
            now = then


def refuse_without_list(changes: NamedChanges) -> None:
    """Sends invalid creations; afterwards no place shows them, and what must be unique is still free."""
    for case in changes.refused_cases():
        if case.raw is not None or changes.send(case) is not False:
            continue
        refused = changes.api.exchanges[-1]
        require_not_shown(changes, refused)
        if fresh := changes.fresh_case(refused):
            require_free(changes, fresh)


def require_not_shown(changes: NamedChanges, refused: Exchange) -> None:
    """Raises ContractViolation when a place shows the record of a refused creation."""
    sent = sent_members(refused)
    for place in changes.write.kind.definition.get("shown", ()):
        needed = {place["by"], *place.get("parameters", {}).values()}
        if "items" in place and all(isinstance(sent.get(name), str) and sent[name] for name in needed):
            exchange, rows = shown_rows(changes.api, changes.corpus, place, sent, changes.write.kind.server)
            changes.compared += rows is not None
            if rows and any(isinstance(row, Mapping) and row.get(place["by"]) == sent[place["by"]] for row in rows):
                expected = f"no record of a refused creation, with the {place['by']} {sent[place['by']]!r}"
                raise violation(changes.api, changes.write.clause, expected, "one", exchange)


def require_free(changes: NamedChanges, case: Case) -> None:
    """Raises ContractViolation when a valid creation is refused because a refused one had the same value.

    It says nothing when the same creation with another value is refused as well.
    """
    changes.compared += 1
    if changes.send(case) is not False:
        return
    exchange = changes.api.exchanges[-1]
    if changes.send(changes.corpus.minimal(changes.write.operation)):
        clause = acceptance_clause(changes.api.contract, changes.write.operation, case, os.environ)
        received = f"{exchange.response.status}: {exchange.response.text()[:MAX_SHOWN_TEXT]}"
        raise violation(changes.api, clause or changes.write.clause, f"accepted: {case.title}", received, exchange)


def refuse_creations(changes: NamedChanges) -> None:
    """Sends invalid creations, each with a text of its own, and looks for those texts in the list."""
    sent = {}
    for case in changes.refused_cases():
        marked, text = changes.marked(case)
        if text and changes.send(marked) is False:
            sent[text] = changes.api.exchanges[-1]
    if sent:
        listed = changes.texts_listed()
        for text, exchange in sent.items():
            changes.compared += 1
            if text in listed:
                expected = "no record of a refused creation in the list"
                raise violation(changes.api, changes.write.clause, expected, text, exchange)
