"""A request that violates the document may be accepted only by a reading about that very kind of request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import contracts
from contracts import loader
from contracts.clauses import readings
from contracts.invalid_kinds import INVALID_KINDS
from contracts.reader.yaml_file import read_contract_file

KINDS = {*INVALID_KINDS, "not_needed"}  # a part of a call that its method does not need
Tolerance = tuple[str, str, str]  # file, key of the refusal rule, reading
every_api = pytest.mark.parametrize("api", contracts.apis())


def rules_in(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(key, rule) of every refusal rule in a document."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in ("refusals", "x-refusals"):
                yield from inner.items()
            yield from rules_in(inner)
    elif isinstance(value, list):
        for item in value:
            yield from rules_in(item)


def tolerances(api: str) -> set[Tolerance]:
    """Every reading that lets a server of that API accept an invalid request, with the rule that names it."""
    documents = [(path.name, read_contract_file(path).data) for path in loader.source_files(contracts.FOLDER / api)]
    return {
        (file, key, reading)
        for file, document in documents
        for key, rule in rules_in(document)
        for reading in [*rule.get("accepted", ()), *([rule["unstated"]] if "unstated" in rule else ())]
    }


@every_api
def test_every_tolerance_names_a_reading_about_that_kind_of_request(api: str) -> None:
    strangers = {
        (file, key, reading)
        for file, key, reading in tolerances(api)
        if key.rpartition(".")[2] not in readings(api)[reading].kinds
    }
    assert strangers == set()


@every_api
def test_every_kind_of_a_reading_is_one_of_requests(api: str) -> None:
    unknown = {reading.id: set(reading.kinds) - KINDS for reading in readings(api).values()}
    assert {identifier: kinds for identifier, kinds in unknown.items() if kinds} == {}


@every_api
def test_a_reading_about_invalid_requests_is_named_by_a_rule(api: str) -> None:
    named = {reading for _, _, reading in tolerances(api)}
    assert {reading.id for reading in readings(api).values() if reading.kinds} - named == set()
