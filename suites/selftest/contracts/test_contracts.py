"""The contracts themselves: valid documents, bounded and exemplified schemas, every promise accounted for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import contracts
from contracts import loader
from contracts.clauses import CHECKS, GRADES, clauses, readings
from contracts.invalid_kinds import INVALID_KINDS
from contracts.openapi import Contract, load_contract
from contracts.operation import Operation, documented_examples
from contracts.reader.references import dangling_references

APIS = contracts.apis()
COUNTS = {  # statements and ambiguities that were counted in the documents of these vendors
    "flowapp": (36, 22),
    "flowback": (55, 30),
    "getflow": (68, 31),
    "bitvis": (78, 39),
}

every_api = pytest.mark.parametrize("api", APIS)


def walk(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """(pointer, part) of every part of a document."""
    yield pointer, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from walk(part, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")


def typed_schemas(contract: Contract) -> Iterator[tuple[str, Any]]:
    """(pointer, schema) of every schema of the document that states a type."""
    for pointer, part in walk(contract.document):
        is_schema = "/example" not in pointer and "securitySchemes" not in pointer
        if isinstance(part, dict) and "type" in part and is_schema:
            yield pointer, part


def test_the_four_apis_are_there() -> None:
    assert set(COUNTS) <= set(APIS)


@every_api
def test_document_is_valid_openapi_3_1(api: str) -> None:
    document = load_contract(api).document
    assert str(document["openapi"]).startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


@every_api
def test_every_reference_leads_somewhere(api: str) -> None:
    assert dangling_references(load_contract(api).document) == []


@every_api
def test_every_number_is_bounded(api: str) -> None:
    unbounded = [
        pointer
        for pointer, schema in typed_schemas(load_contract(api))
        if {"integer", "number"} & set([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
        and not {"enum", "const"} & set(schema)
        and not {"minimum", "maximum"} <= set(schema)
    ]
    assert unbounded == []


@every_api
def test_every_schema_has_an_example_that_validates(api: str) -> None:
    contract = load_contract(api)
    problems = []
    for name, schema in contract.schemas.items():
        examples = [*schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]
        if not examples:
            problems.append((name, "no example"))
        errors = (error for value in examples for error in contract.validator(schema).iter_errors(value))
        problems += [(name, error.message) for error in errors]
    assert problems == []


def example_problems(operation: Operation) -> list[str]:
    """What is wrong with the examples of the operation by their own schemas."""
    contract = load_contract(operation.api)
    media = [entry for response in operation.responses.values() for entry in response.content.values()]
    media += operation.body.content.values() if operation.body else []
    problems = [
        error.message
        for entry in media
        for value in documented_examples(entry)
        for error in contract.validator(entry["schema"]).iter_errors(value)
    ]
    problems += [
        f"{parameter.name}: {error.message}"
        for parameter in operation.parameters
        if parameter.example is not None
        for error in contract.validator(parameter.schema).iter_errors(parameter.example)
    ]
    return [f"{operation}: {problem}" for problem in problems]


def operations(api: str) -> list[Operation]:
    return list(load_contract(api).operations.values())


@every_api
def test_documented_examples_keep_their_schemas(api: str) -> None:
    assert [problem for operation in operations(api) for problem in example_problems(operation)] == []


@every_api
def test_every_response_has_a_schema(api: str) -> None:
    without_schema = [
        (str(operation), status, media_type)
        for operation in operations(api)
        for status, response in operation.responses.items()
        for media_type, media in response.content.items()
        if not media.get("schema")
    ]
    assert without_schema == []


@every_api
@pytest.mark.parametrize("first_digits", ["23", "4"], ids=["success", "refusal"])
def test_every_operation_has_a_success_and_a_refusal(api: str, first_digits: str) -> None:
    lacking = [
        str(operation)
        for operation in operations(api)
        if not any(status.startswith(tuple(first_digits)) for status in operation.responses)
    ]
    assert lacking == []


@every_api
def test_every_operation_names_its_clause(api: str) -> None:
    assert [str(operation) for operation in operations(api) if not operation.clauses] == []


@every_api
def test_every_link_leads_to_an_operation(api: str) -> None:
    ids = {operation.id for operation in operations(api)}
    ids |= {identifier.split(" ")[0] for identifier in ids}
    responses = [response for operation in operations(api) for response in operation.responses.values()]
    assert {link["operationId"] for response in responses for link in response.links.values()} <= ids


@every_api
def test_every_kind_of_invalid_request_has_its_rule(api: str) -> None:
    rules = load_contract(api).refusals
    assert {key.split(".")[-1] for key in rules} == set(INVALID_KINDS)
    for kind, rule in rules.items():
        assert {"clause", "unstated", "not_applicable"} & set(rule), kind


@every_api
def test_every_resource_names_operations(api: str) -> None:
    contract = load_contract(api)
    for resource in contract.resources.values():
        for action in ("create", "read", "update", "delete", "list"):
            if action in resource:
                assert contract.find(resource[action])


@pytest.mark.parametrize("api", COUNTS)
def test_every_statement_and_ambiguity_of_the_four_documents_is_accounted_for(api: str) -> None:
    # clauses and readings of our own, beyond what the document says, come on top
    statements, ambiguities = COUNTS[api]
    numbers = {int(name.rsplit("-", 1)[1]) for name in readings(api)}
    assert set(range(1, ambiguities + 1)) <= numbers
    assert len(clauses(api)) >= statements


@every_api
def test_clauses_are_complete(api: str) -> None:
    for clause in clauses(api).values():
        assert clause.grade in GRADES
        assert clause.check in CHECKS
        assert re.fullmatch(r"\d+([-,] ?\d+)*|RFC \d+, \d+(\.\d+)*|", clause.line), clause
        assert clause.says.endswith(".")
        assert re.fullmatch(r"[a-z_]+", clause.section)
        assert (clause.untested is not None) == (clause.check in ("document", "none")), clause.id


@every_api
def test_readings_are_complete(api: str) -> None:
    for reading in readings(api).values():
        if reading.meanings:
            assert len(reading.meanings) >= 2
            assert reading.default in ("any", *reading.meanings)
        else:
            assert reading.untouched, reading.id


@every_api
def test_every_id_in_a_document_exists(api: str) -> None:
    known = set(clauses(api)) | set(readings(api))
    for path in loader.source_files(contracts.FOLDER / api):
        ids = set(re.findall(rf"\b{api.upper()}-[A-Z]+(?:-[A-Z]+)?-\d+\b", path.read_text()))
        assert ids - known == set(), path.name


def test_formats_are_validated() -> None:
    validator = jsonschema_rs.Draft202012Validator({"type": "string", "format": "date"}, validate_formats=True)
    assert not validator.is_valid("2017-13-45")


@pytest.mark.parametrize("name", ["clauses.yaml", "readings.yaml"])
def test_examples_of_the_readme_are_entries_of_getflow(name: str) -> None:
    fences = re.findall(r"```yaml\n(- id: .*?)```", (contracts.FOLDER / "README.md").read_text(), re.DOTALL)
    text = (contracts.FOLDER / "getflow" / name).read_text()
    assert len([fence for fence in fences if fence in text]) == 1


def test_readme_names_every_kind_of_invalid_request_and_every_extension() -> None:
    readme = (contracts.FOLDER / "README.md").read_text()
    schema = json.loads((contracts.FOLDER / "schema" / "extensions.schema.json").read_text())
    names = [*INVALID_KINDS, *(name for name in schema["$defs"] if name.startswith("x-"))]
    assert [name for name in names if f"`{name}`" not in readme and f"{name}:" not in readme] == []


def test_schema_of_rules_knows_every_kind_of_invalid_request() -> None:
    schema = json.loads((contracts.FOLDER / "schema" / "extensions.schema.json").read_text())
    pattern = schema["$defs"]["x-refusals"]["propertyNames"]["pattern"]
    kinds = re.findall(r"[a-z]\w+", pattern.partition("?(")[2])
    assert set(kinds) == {*INVALID_KINDS, "not_needed"}


@every_api
def test_every_file_names_its_schema_for_editors(api: str) -> None:
    for path in (contracts.FOLDER / api).glob("*.yaml"):
        first = path.read_text().partition("\n")[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert (path.parent / schema).resolve().parent == contracts.FOLDER / "schema", path
        assert (path.parent / schema).is_file(), path


@pytest.mark.parametrize("path", sorted((contracts.FOLDER / "schema").glob("*.json")), ids=lambda path: path.name)
def test_schemas_are_valid_and_say_what_they_describe(path: Path) -> None:
    schema = json.loads(path.read_text())
    assert jsonschema_rs.meta.is_valid(schema)
    assert {"$schema", "title", "description"} <= set(schema)
