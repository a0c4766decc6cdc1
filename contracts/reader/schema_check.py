"""Checks a file of a contract by its JSON Schema in `contracts/schema/`, and says in one line what is wrong.

What a message expects is the `description` in the broken schema, so descriptions are written to stand after
"expected", in an editor as well as here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from contracts.errors import ContractError, Location
from contracts.json_pointer import reference_tokens
from contracts.reader.document_parts import Part, Problem, parts
from contracts.reader.yaml_file import YamlFile, describe_value

FOLDER = Path(__file__).parents[1] / "schema"
BASE = "https://flowproof.invalid/schema/"  # the schemas' own names; nothing is fetched
MISSING = "is missing"
COMPONENTS = "components"  # the schema of a file that has no schema of its own name


def schema_errors(file: YamlFile, name: str = "") -> list[ContractError]:
    """Each part of the file that breaks its schema, in the order of the lines; [] when none does.

    `name` is that of the schema; by default the file's own, if there is one.
    """
    stem = file.path.stem
    name = name or (stem if (FOLDER / f"{stem}.schema.json").is_file() else COMPONENTS)
    validator = _validator(name)
    if validator.is_valid(file.data):
        return [file.error(location, reason) for location, reason in _schema_problems(parts(file.data))]
    reasons = [reason for error in validator.iter_errors(file.data) for reason in _reasons(name, error)]
    reasons.sort(key=lambda reason: (MISSING in reason[1], file.line(reason[0])))  # a wrong name explains a missing one
    errors = [file.error(location, reason) for location, reason in reasons]
    return list({str(error): error for error in errors}.values())  # the same part may break two schemas alike


def _schema_problems(known: Sequence[Part]) -> Iterator[Problem]:
    """Schemas that JSON Schema does not allow, and patterns that are no regular expressions."""
    for location, mapping in known:
        payload = ["payload"] if location[-2:-1] == ("messages",) else []
        for key in ("schema", *payload, *(mapping if location == ("components", "schemas") else ())):
            try:
                jsonschema_rs.meta.validate(mapping.get(key, True))
            except jsonschema_rs.ValidationError as error:
                yield (*location, key, *error.instance_path), f"this is no JSON Schema: {error.message}"
        pattern = mapping.get("pattern")
        if isinstance(pattern, str) and not _is_pattern(pattern):
            yield (*location, "pattern"), f"{pattern!r} is no regular expression"


@cache
def _is_pattern(text: str) -> bool:
    """Whether the validator can compile it, whose expressions are not quite those of Python."""
    try:
        jsonschema_rs.Draft202012Validator({"pattern": text})
    except jsonschema_rs.ValidationError:
        return False
    return True


def _reasons(name: str, error: Any) -> Iterator[tuple[Location, str]]:
    """(location, reason) of one validation error; a pair for each unknown name."""
    location, kind = tuple(error.instance_path), error.kind
    path = error.evaluation_path
    on_the_way, expected = _walk(name, path)
    if kind.name == "required":
        yield location, f"{kind.property!r} {MISSING}: expected {_member(on_the_way, kind.property) or expected}"
    elif kind.name == "additionalProperties":
        known = ", ".join(on_the_way[-1][1].get("properties", {}))
        for member in kind.unexpected:
            yield (*location, member), f"{member!r} is unknown here: expected one of {known}"
    elif kind.name == "not" and "patternProperties" in path[-3:]:
        yield location, f"{location[-1]!r} is unknown here: expected {expected}"
    elif kind.name == "propertyNames":
        yield (*location, kind.error.instance), f"got {kind.error.instance!r} for a name: expected {expected}"
    else:
        options = ", ".join(map(str, kind.options)) if kind.name == "enum" else None
        part = f"{location[-1]}: " if location and isinstance(location[-1], str) else ""
        yield location, f"{part}got {describe_value(error.instance)}, expected {options or expected}"


def _walk(name: str, path: Sequence[str | int]) -> tuple[list[tuple[str, Mapping[str, Any]]], str]:
    """([(file, schema)], description): the schemas on the way to the broken one, and the last description there."""
    file, schema = name, _schemas()[BASE + f"{name}.schema.json"]
    on_the_way, expected = [(file, schema)], schema.get("description", "")
    for part in path[:-1]:
        schema = schema[part]
        if part == "$ref" and isinstance(schema, str):  # and no member of that name
            file, schema = _target(file, schema)
        if isinstance(schema, Mapping):
            on_the_way.append((file, schema))
            expected = schema.get("description", expected)
    return on_the_way, expected


def _target(file: str, reference: str) -> tuple[str, Any]:
    """Where a reference leads: (the file's name, the schema)."""
    other, _, pointer = reference.partition("#")
    file = other.removesuffix(".schema.json") or file
    schema: Any = _schemas()[BASE + f"{file}.schema.json"]
    for token in reference_tokens(pointer):
        schema = schema[token]
    return file, schema


def _member(on_the_way: Sequence[tuple[str, Mapping[str, Any]]], name: str) -> str | None:
    """The description of a member by the nearest of these schemas that has it."""
    for file, schema in reversed(on_the_way):
        member = schema.get("properties", {}).get(name)
        while isinstance(member, Mapping) and "$ref" in member:
            file, member = _target(file, member["$ref"])
        if isinstance(member, Mapping) and "description" in member:
            return str(member["description"])
    return None


@cache
def _schemas() -> dict[str, Any]:
    """Every schema by its own name."""
    return {BASE + path.name: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.schema.json")}


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    registry = jsonschema_rs.Registry(list(_schemas().items()))
    return jsonschema_rs.Draft202012Validator(_schemas()[BASE + f"{name}.schema.json"], registry=registry)
