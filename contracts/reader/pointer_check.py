"""Checks the JSON pointers of a contract against its own schemas, and the operations whose responses they are for.

A pointer that leads to nothing in the documented response finds nothing in a real one either. Without this check the
report would blame the vendor for a missing record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contracts import json_pointer
from contracts.errors import ContractError, Location
from contracts.operation import Operation, Schema
from contracts.reader.checked_contract import CheckedContract
from contracts.reader.document_parts import Part, Problem, parts

ACTIONS = {
    "create": "item",
    "read": "item",
    "update": "item",
    "delete": None,
    "list": "items",
}  # actions on a resource and the pointers that they need
ABOUT_A_RECORD = ("read", "update", "delete")
SUCCESS = ("2", "d")  # how the keys of responses to a success begin: 200, 2XX, default


def known_value_problems(contract: CheckedContract, known: Sequence[Part]) -> Iterator[Problem]:
    """Values (`x-known`) of an operation that is not there, or that its response does not have."""
    for location, mapping in known:
        source = mapping.get("x-known")
        if isinstance(source, Mapping):
            source = source.get("otherwise", source)
        if isinstance(source, Mapping) and "operation" in source:
            operation, problems = _operation(contract, (*location, "x-known", "operation"), source["operation"])
            yield from problems
            if operation and "pointer" in source:
                yield from _nowhere(contract, (*location, "x-known", "pointer"), source["pointer"], [operation])


def error_format_problems(contract: CheckedContract, schemas: Sequence[Schema]) -> Iterator[Problem]:
    """Pointers to members of a refusal that none of these schemas of responses has."""
    for path in (("refused", "pointer"), ("code",), ("attribute",), ("unique", "pointer")):
        pointer: Any = contract.error_format
        for name in path:
            pointer = pointer.get(name) if isinstance(pointer, Mapping) else None
        if isinstance(pointer, str) and not leads_to(contract, schemas, json_pointer.reference_tokens(pointer)):
            yield ("x-flowproof", "error", *path), f"{pointer} leads to nothing in any documented response"


def resource_problems(contract: CheckedContract) -> Iterator[Problem]:
    """Resources whose operations are not there, or whose pointers lead to no record in the responses."""
    for name, resource in contract.resources.items():
        location = ("x-flowproof", "resources", name)
        yield from _shown_problems(contract, location, resource)
        origins = {resource[action] for action in ("create", "list") if action in resource}
        for action in (action for action in ACTIONS if action in resource):
            operation, problems = _operation(contract, (*location, action), resource[action])
            yield from problems
            if operation and action in ABOUT_A_RECORD and not _takes(operation, origins):
                expected = f"a parameter with an x-known of {' or '.join(sorted(origins))}"
                yield (*location, action), f"{operation.id} takes no id of a record: expected {expected}"
            elif operation:
                yield from _record_problems(contract, location, resource, action, operation)
            if operation and action == "create":
                for number, pointer in enumerate(resource.get("unique", {}).get("pointers", ())):
                    yield from _nowhere(contract, (*location, "unique", "pointers", number), pointer, [operation])


def _shown_problems(contract: CheckedContract, location: Location, resource: Mapping[str, Any]) -> Iterator[Problem]:
    """Places that show a record by an operation that is not there, or at a pointer that leads to nothing."""
    if "completed" in resource:
        yield from _operation(contract, (*location, "completed"), resource["completed"])[1]
    for number, place in enumerate(resource.get("shown", ())):
        operation, problems = _operation(contract, (*location, "shown", number, "operation"), place["operation"])
        yield from problems
        if operation and "items" in place:
            yield from _nowhere(contract, (*location, "shown", number, "items"), place["items"], [operation])


def _record_problems(
    contract: CheckedContract, location: Location, resource: Mapping[str, Any], action: str, operation: Operation
) -> Iterator[Problem]:
    """Problems of the pointer to the records in this operation's responses."""
    member = ACTIONS[action]
    if member is None or member not in resource:
        return
    pointer, schemas = resource[member], response_schemas([operation])
    record = [*json_pointer.reference_tokens(pointer), *(["*"] if member == "items" else [])]
    problems = list(_nowhere(contract, (*location, member), pointer, [operation]))
    if problems:
        yield from problems
    elif not leads_to(contract, schemas, record):
        yield (*location, member), f"{pointer} is no list in the documented response of {operation.id}"
    elif not leads_to(contract, schemas, [*record, resource["id"]]):
        reason = f"a record at {pointer} has no {resource['id']!r} in the documented response of {operation.id}"
        yield (*location, "id"), reason


def _operation(
    contract: CheckedContract, location: Location, identifier: str
) -> tuple[Operation | None, list[Problem]]:
    """(operation, problems): the operation with that id, or why there is none."""
    try:
        return contract.find(identifier), []
    except ContractError as error:
        return None, [(location, str(error))]


def _takes(operation: Operation, origins: set[str]) -> bool:
    """Whether a parameter or a member of the body takes an id that one of these operations gave."""
    schemas = [parameter.schema for parameter in operation.parameters]
    schemas += [operation.body.schema] if operation.body else []
    sources = [mapping.get("x-known") for schema in schemas for _, mapping in parts(schema)]
    return any(isinstance(source, Mapping) and source.get("operation") in origins for source in sources)


def _nowhere(
    contract: CheckedContract, location: Location, pointer: str, operations: Sequence[Operation]
) -> Iterator[Problem]:
    """The problem that a pointer leads to nothing in the responses to a success of these operations."""
    if not leads_to(contract, response_schemas(operations), json_pointer.reference_tokens(pointer)):
        names = " or ".join(operation.id for operation in operations)
        yield location, f"{pointer or 'the empty pointer'} leads to nothing in the documented response of {names}"


def response_schemas(operations: Iterable[Operation], starts: tuple[str, ...] = SUCCESS) -> list[Schema]:
    """The JSON schemas of the operations' responses whose status starts like that, each once."""
    schemas = {
        id(media["schema"]): media["schema"]
        for operation in operations
        for status, response in operation.responses.items()
        for media_type, media in response.content.items()
        if status.startswith(starts) and media_type.endswith("json") and "schema" in media
    }
    return list(schemas.values())


def leads_to(contract: CheckedContract, schemas: Iterable[Any], tokens: Sequence[str]) -> bool:
    """Whether one of the schemas documents what a pointer with these tokens leads to; `*` is each item of a list."""
    return any(_leads_to(contract, schema, tokens) for schema in schemas)


def _leads_to(contract: CheckedContract, schema: Any, tokens: Sequence[str]) -> bool:
    if not isinstance(schema, Mapping):
        return False
    schema = contract.resolve(schema)
    if not tokens:
        return True
    head, rest = tokens[0], tokens[1:]
    branches = [*schema.get("allOf", ()), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if leads_to(contract, [*branches, schema.get("then"), schema.get("else")], tokens):
        return True
    if head in schema.get("properties", {}):
        return _leads_to(contract, schema["properties"][head], rest)
    is_item = head == "*" or head.isdecimal()
    return _leads_to(contract, schema.get("items" if is_item else "additionalProperties"), rest)
