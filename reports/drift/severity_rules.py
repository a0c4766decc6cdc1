"""What a contract says about the place of a change: its clause, whether the document lets it vary, its severity.

Rule: a member that the document calls optional, or that may be null, needs enough sightings before its absence means
anything; data may be the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.behaviour.behaviour import Address
from contracts.clauses import sentence_and_citation
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation, Schema
from reports.drift.change_kinds import SEVERITIES, Severity, severity_named

COMBINED = ("allOf", "oneOf", "anyOf")
CONDITIONAL = ("then", "else")
MOST_LEVELS = 12  # of schemas within each other
DECLARED = "x-drift"  # {severity: …, because: …} in a schema


@dataclass(frozen=True, eq=False)
class SeverityRules:
    """The rules of one API; `contract` is None where there is none, and nothing is known."""

    contract: Contract | None = None

    def clause_of(self, address: Address) -> str:
        """The id of the clause that says what is seen there, "" where the document is silent."""
        if address.family == "clause":
            return address.place
        operation = self._operation(address.operation)
        if operation is None:
            return ""
        if operation.served_if:
            return operation.clauses[0]
        if address.family in ("outcome", "message", "access"):
            return self._refusal_clause(operation, address.place)
        levels = list(self._levels(address))
        if not levels or not levels[-1]:  # nothing documents what stands there
            return ""
        clauses = [it["x-clause"] for level in levels for it in level if isinstance(it.get("x-clause"), str)]
        response = operation.response_for(int(address.answer)) if address.answer.isdecimal() else None
        return str(clauses[-1] if clauses else (response.clause if response else None) or "")

    def _refusal_clause(self, operation: Operation, title: str) -> str:
        """The clause of the rule by which such a request is refused."""
        sort, _, detail = title.partition(": ")
        kind = sort.partition(" (")[0].replace(" ", "_")
        location, _, name = detail.partition(" = ")[0].partition(" ")
        parameters = [it.refusals for it in operation.parameters if (it.location, it.name) == (location, name)]
        general = self.contract.refusals if self.contract else {}
        for rules in (*parameters, operation.refusals, general):
            for key in (f"{location}.{kind}", kind):
                if key in rules:
                    return str(rules[key].get("clause", ""))
        return ""

    def needs_evidence(self, address: Address) -> bool:
        """Whether the document lets vary what is seen there, so that few sightings say nothing."""
        if address.family == "presence":
            parent, _, name = address.place.rpartition("/")
            around = list(self._schemas(address._replace(place=parent or "/")))
            is_documented = any(name in schema.get("properties", {}) for schema in around)
            return is_documented and not any(name in schema.get("required", ()) for schema in around)
        schemas = list(self._schemas(address))
        if address.family == "null":
            return any("null" in schema.get("type", ()) for schema in schemas)
        listed = {str(value) for schema in schemas for value in [*schema.get("enum", ()), *_constant(schema)]}
        return len(listed) != 1

    def declared(self, address: Address) -> Severity | None:
        """The severity that the contract declares for changes there."""
        for schema in reversed(list(self._around(address))):
            declared = schema.get(DECLARED)
            if isinstance(declared, Mapping) and declared.get("severity") in SEVERITIES:
                return severity_named(declared["severity"])
        return None

    def _operation(self, label: str) -> Operation | None:
        if self.contract is None:
            return None
        return _by_label(self.contract).get(label)

    def _schemas(self, address: Address) -> Iterator[Schema]:
        """The schemas that apply at the address itself, whatever the value is."""
        *_, last = [[], *self._levels(address, conditional=False)]
        yield from last

    def _around(self, address: Address) -> Iterator[Schema]:
        """The schemas on the way to the address, from the outside in."""
        for level in self._levels(address):
            yield from level

    def _levels(self, address: Address, conditional: bool = True) -> Iterator[list[Schema]]:
        root = self._root(address)
        if self.contract is None or root is None:
            return
        level = list(_branches(self.contract, root, conditional))
        yield level
        for token in address.place.split("/")[1:] if address.place not in ("", "/") else ():
            level = [part for schema in level for part in _below(self.contract, schema, token, conditional)]
            yield level

    def _root(self, address: Address) -> Schema | None:
        """The schema of the body that the address is in."""
        operation = self._operation(address.operation)
        status = address.answer.partition(" ")[0]
        if operation is not None and status.isdecimal():
            response = operation.response_for(int(status))
            schemas = [media.get("schema") for media in response.content.values()] if response else []
            return next((schema for schema in schemas if schema), None)
        return _reply_schema(self.contract.api, address.operation) if self.contract else None


@cache
def rules_of(api: str) -> SeverityRules:
    """The rules of that API; those of none if it has no contract."""
    return SeverityRules(load_contract(api)) if api in contracts.apis() else SeverityRules()


def clause_line(clause: str) -> str:
    """Where the clause stands, such as "line 74, stated"; "" for a clause that no contract has."""
    return _sentence_and_citation(clause)[1]


def clause_sentence(clause: str) -> str:
    """What the clause says; "" for a clause that no contract has."""
    return _sentence_and_citation(clause)[0]


def _sentence_and_citation(clause: str) -> tuple[str, str]:
    try:
        return sentence_and_citation(clause) if clause else ("", "")
    except KeyError:
        return "", ""


@cache
def _by_label(contract: Contract) -> Mapping[str, Operation]:
    return {operation.label: operation for operation in contract.operations.values()}


@cache
def _reply_schema(api: str, label: str) -> Schema | None:
    rpc = load_rpc_contract(api)
    calls = rpc.calls.values() if rpc else ()
    return next((call.reply_schema for call in calls if label.startswith(call.label)), None)


def _constant(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else []


def _branches(contract: Contract, schema: Any, conditional: bool, level: int = 0) -> Iterator[Schema]:
    """The schema and those that it combines; `conditional`: also those that apply to some values only."""
    if not isinstance(schema, Mapping):
        return
    resolved = contract.resolve(schema)
    yield schema
    if resolved is not schema:
        yield resolved
    if level < MOST_LEVELS:
        parts = [part for keyword in COMBINED for part in resolved.get(keyword, ())]
        parts += [resolved.get(keyword) for keyword in CONDITIONAL] if conditional else []
        for part in parts:
            yield from _branches(contract, part, conditional, level + 1)


def _below(contract: Contract, schema: Schema, token: str, conditional: bool) -> Iterator[Schema]:
    """The schemas of a member of an object, or of an item of an array."""
    name = token.replace("~1", "/").replace("~0", "~")
    inner = schema.get("properties", {}).get(name)
    if inner is None and name == "*":
        inner = schema.get("items") or schema.get("additionalProperties")
    if inner is not None:
        yield from _branches(contract, inner, conditional)
