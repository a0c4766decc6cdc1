"""Checks that the files of a contract fit each other: ids, meanings, operations, schemas, pointers.

Otherwise an inconsistency would show in the middle of a run, as an error of ours or a false finding about the vendor.
Each check yields (location, reason).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.errors import ContractError
from contracts.invalid_kinds import INVALID_KINDS
from contracts.operation import TEMPLATE_EXPRESSION, Schema
from contracts.reader.checked_contract import CheckedContract
from contracts.reader.document_parts import Part, Problem, nearest, parts
from contracts.reader.document_reader import Document
from contracts.reader.line_check import keyword_problems, line_problems, silent_problems
from contracts.reader.pointer_check import (
    error_format_problems,
    known_value_problems,
    resource_problems,
    response_schemas,
)
from contracts.reader.promise_check import promise_problems


def openapi_errors(contract: CheckedContract, document: Document) -> list[ContractError]:
    """Inconsistencies of an OpenAPI document with the API's other files, or with itself; [] when there are none."""
    known = parts(document.data)
    problems = [
        *_operation_problems(contract),
        *promise_problems(contract.api, known),
        *_rule_problems(contract),
        *_parameter_problems(known),
        *_link_problems(contract, known),
        *known_value_problems(contract, known),
        *error_format_problems(contract, response_schemas(contract.operations.values(), ("",))),
        *resource_problems(contract),
        *line_problems(contract, known),
    ]
    return [document.error(location, reason) for location, reason in problems]


def asyncapi_errors(
    own: CheckedContract, replies: Sequence[Schema], document: Document, contract: CheckedContract
) -> list[ContractError]:
    """The same of an AsyncAPI document: `own` is its contract, `replies` are the schemas of the replies to its calls.

    `contract` is that of the API's OpenAPI document, whose operations values come from.
    """
    known = parts(document.data)
    problems = [
        *promise_problems(own.api, known),
        *known_value_problems(contract, known),
        *error_format_problems(own, replies),
        *keyword_problems(known),
        *silent_problems(own),
    ]
    return [document.error(location, reason) for location, reason in problems]


def _operation_problems(contract: CheckedContract) -> Iterator[Problem]:
    """Operations without clause or response, duplicate ids, paths and schemes that do not fit."""
    ids: set[tuple[str, int]] = set()
    for operation in contract.operations.values():
        location = contract.locations[operation.label]
        if not operation.clauses:
            yield location, f"{operation.label} names no clause: expected x-clauses"
        if not operation.responses:
            yield location, f"{operation.label} has no response: expected responses"
        if (operation.id, operation.server) in ids:
            yield location, f"the operationId {operation.id!r} stands here twice: expected each id once"
        ids.add((operation.id, operation.server))
        in_path = {expression[1:-1] for expression in TEMPLATE_EXPRESSION.findall(operation.path)}
        declared = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
        for name in sorted(in_path - declared):
            yield location, f"{operation.label} has no path parameter {name!r}: expected one for each name in its path"
        for name in sorted(declared - in_path):
            yield location, f"{operation.label} has a path parameter {name!r}: expected {{{name}}} in its path"
        for name in sorted({name for scheme in operation.security for name in scheme} - set(contract.security_schemes)):
            expected = ", ".join(contract.security_schemes) or "one in components/securitySchemes"
            yield location, f"{name!r} is no security scheme: expected {expected}"


def _rule_problems(contract: CheckedContract) -> Iterator[Problem]:
    """Kinds of invalid request without a refusal rule in the document."""
    missing = [kind for kind in INVALID_KINDS if kind not in contract.refusals]
    if missing:
        reason = f"there is no rule for {', '.join(missing)}: expected one for each kind of invalid request"
        yield ("x-flowproof", "refusals"), reason


def _parameter_problems(known: Sequence[Part]) -> Iterator[Problem]:
    """Parameters that a call leaves out (`x-without`) and that no part of the document has."""
    declared = {f"{mapping['in']}.{mapping['name']}" for _, mapping in known if {"in", "name"} <= mapping.keys()}
    for location, mapping in known:
        for number, name in enumerate(mapping.get("x-without", ())):
            if name not in declared:
                yield (*location, "x-without", number), f"{name} is no parameter{nearest(name, declared)}"


def _link_problems(contract: CheckedContract, known: Sequence[Part]) -> Iterator[Problem]:
    """Links that lead to no operation; the id of an operation with calls stands for all of them."""
    ids = {operation.id for operation in contract.operations.values()}
    ids |= {identifier.split(" ")[0] for identifier in ids}
    for location, mapping in known:
        if location[-2:-1] == ("links",) and mapping.get("operationId", "") not in ids and "$ref" not in mapping:
            identifier = mapping.get("operationId")
            yield (*location, "operationId"), f"there is no operation {identifier!r}{nearest(str(identifier), ids)}"
