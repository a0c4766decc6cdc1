"""The contracts themselves: valid documents, every reference resolved, every promise accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import contracts
from contracts import files, pointers
from contracts.clauses import CHECKS, GRADES, clauses, readings
from contracts.document import Contract, contract
from contracts.operation import examples
from contracts.refusals import KINDS

APIS = contracts.apis()
STATEMENTS = {"flowapp": 36, "flowback": 55, "getflow": 68, "bitvis": 78}
AMBIGUITIES = {"flowapp": 22, "flowback": 30, "getflow": 31, "bitvis": 39}
ID = re.compile(r"\b(?:FLOWAPP|FLOWBACK|GETFLOW|BITVIS)-[A-Z]+(?:-[A-Z]+)?-\d+\b")

every_api = pytest.mark.parametrize("api", APIS)
every_operation = pytest.mark.parametrize(
    "operation", [one for api in APIS for one in contract(api).operations.values()], ids=str
)


def parts(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every part of a document with the pointer to it."""
    yield where, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from parts(part, f"{where}/{str(key).replace('~', '~0').replace('/', '~1')}")


def schemas(whole: Contract) -> Iterator[tuple[str, Any]]:
    """Every schema of the document that states a type."""
    for where, part in parts(whole.document):
        if isinstance(part, dict) and "type" in part and "/example" not in where and "securitySchemes" not in where:
            yield where, part


def test_the_four_apis_are_there() -> None:
    assert set(APIS) >= set(STATEMENTS)


@every_api
def test_document_is_valid_openapi_3_1(api: str) -> None:
    document = contract(api).document
    assert str(document["openapi"]).startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


@every_api
def test_every_reference_resolves(api: str) -> None:
    document = contract(api).document
    lost = [
        (where, part["$ref"])
        for where, part in parts(document)
        if isinstance(part, dict)
        and isinstance(part.get("$ref"), str)
        and len(pointers.find(document, part["$ref"].removeprefix("#"))) != 1
    ]
    assert lost == []


@every_api
def test_every_number_is_bounded(api: str) -> None:
    loose = [
        where
        for where, schema in schemas(contract(api))
        if {"integer", "number"} & set([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
        and not {"enum", "const"} & set(schema)
        and not {"minimum", "maximum"} <= set(schema)
    ]
    assert loose == []


@every_api
def test_every_shape_has_an_example_that_validates(api: str) -> None:
    whole = contract(api)
    wrong = []
    for name, schema in whole.schemas.items():
        shown = [*schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]
        if not shown:
            wrong.append((name, "no example"))
        wrong += [(name, error.message) for value in shown for error in whole.validator(schema).iter_errors(value)]
    assert wrong == []


@every_operation
def test_documented_examples_keep_their_schemas(operation: Any) -> None:
    whole = contract(operation.api)
    media = [entry for one in operation.responses.values() for entry in one.content.values()]
    media += operation.body.content.values() if operation.body else []
    wrong = [
        error.message
        for entry in media
        for value in examples(entry)
        for error in whole.validator(entry["schema"]).iter_errors(value)
    ]
    wrong += [
        f"{one.name}: {error.message}"
        for one in operation.parameters
        if one.example is not None
        for error in whole.validator(one.schema).iter_errors(one.example)
    ]
    assert wrong == []


@every_operation
def test_no_answer_is_left_open(operation: Any) -> None:
    empty = [
        (status, media_type)
        for status, response in operation.responses.items()
        for media_type, media in response.content.items()
        if not media.get("schema")
    ]
    assert empty == []
    assert any(status.startswith(("2", "3")) for status in operation.responses)
    assert any(status.startswith("4") for status in operation.responses)


@every_operation
def test_every_operation_names_its_clause(operation: Any) -> None:
    assert operation.clauses


@every_operation
def test_every_link_leads_to_an_operation(operation: Any) -> None:
    whole = contract(operation.api)
    for response in operation.responses.values():
        for link in response.links.values():
            names = {one.id.split(" ")[0] for one in whole.operations.values()} | {
                one.id for one in whole.operations.values()
            }
            assert link["operationId"] in names


@every_api
def test_every_kind_of_broken_request_has_its_rule(api: str) -> None:
    rules = contract(api).refusals
    kinds = {key.split(".")[-1] for key in rules}
    assert set(KINDS) - kinds == set()
    assert kinds - set(KINDS) == set()
    for kind, rule in rules.items():
        assert {"clause", "unstated", "not_applicable"} & set(rule), kind


@every_api
def test_every_resource_names_operations(api: str) -> None:
    whole = contract(api)
    for parts_ in whole.resources.values():
        for word in ("create", "read", "update", "delete", "list"):
            if word in parts_:
                assert whole.find(parts_[word])


@every_api
def test_every_statement_and_ambiguity_is_accounted_for(api: str) -> None:
    # clauses and readings of our own, beyond what the document says, come on top
    numbers = {int(name.rsplit("-", 1)[1]) for name in readings(api) if "-AMB-" in name}
    assert set(range(1, AMBIGUITIES[api] + 1)) <= numbers
    assert len(clauses(api)) >= STATEMENTS[api]


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
    for path in files.sources(contracts.HERE / api):
        assert set(ID.findall(path.read_text())) - known == set(), path.name


def test_shapes_are_checked_with_their_formats() -> None:
    validator = jsonschema_rs.Draft202012Validator({"type": "string", "format": "date"}, validate_formats=True)
    assert not validator.is_valid("2017-13-45")
