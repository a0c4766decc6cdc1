"""Lists whose parameters come in other places than the header of the singular name: document lines 72 to 80.

Rule: the list by the header Flow-Request-Parameter is what the others are compared with; its own tests are elsewhere.
"""

from __future__ import annotations

import json

import pytest

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import KINDS, ObjectKind, Record, all_objects, envelope_text, http_envelope, ids
from suites.bitvis.list_oracle import (
    at_least,
    condition,
    condition_group,
    filtered_by,
    list_objects,
    page_of,
    sorted_by,
)

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
WAYS = {
    "query": ("query", "parameter"),
    "plural_header": ("header", "parameters"),
    "plural_query": ("query", "parameters"),
}
each_way = pytest.mark.parametrize("way", WAYS)


def listed(api: Api, kind: ObjectKind, way: str, parameters: Record) -> list[str]:
    """The ids that a LIST shows with its parameters there. Raises MissingPrecondition when it is refused."""
    place, name = WAYS[way]
    envelope = http_envelope(api, "LIST", kind, place=place, parts={name: json.dumps({"parameters": parameters})})
    if envelope["success"] is not True:
        raise MissingPrecondition(f"LIST with its parameters in {way} is refused: {envelope_text(envelope)}")
    return ids(envelope["data"])


def require_effect(api: Api, kind: ObjectKind, way: str) -> None:
    """Raises MissingPrecondition where parameters of the plural name have no effect: their form is a reading."""
    if way != "query" and len(listed(api, kind, way, page_of(1))) > 1:
        raise MissingPrecondition(f"the target does not read parameters in {way} as it reads those by header")


@pytest.mark.bug_kind("edges of lists")
@clause("BITVIS-PAGE-1", "BITVIS-HTTP-10", "BITVIS-HTTP-15")
@each_kind
@each_way
def test_a_page_is_the_same_wherever_it_is_asked_for(api: Api, kind: ObjectKind, way: str) -> None:
    """A page that is full, has one object less, one more, or begins at the end, is the one by header."""
    require_effect(api, kind, way)
    count = len(at_least(all_objects(api, kind)))
    for page in (
        page_of(count),
        page_of(count + 1),
        page_of(max(1, count - 1)),
        page_of(1, count - 1),
        page_of(2, count),
    ):
        expected = ids(list_objects(api, kind, page, may_be_refused=True)[0])
        shown = listed(api, kind, way, page)
        assert shown == expected, f"{json.dumps(page)}: expected {expected}, got {shown}"


@pytest.mark.bug_kind("comparison")
@clause("BITVIS-FILT-1", "BITVIS-SORT-1", "BITVIS-HTTP-10", "BITVIS-HTTP-15")
@each_kind
@each_way
def test_a_filter_selects_the_same_wherever_it_is_asked_for(api: Api, kind: ObjectKind, way: str) -> None:
    """A filter by an object's id, by a part of it and by its other case, and a sorting, do what they do by header."""
    require_effect(api, kind, way)
    identifier = str(at_least(all_objects(api, kind))[-1]["id"])
    values = (identifier, identifier[:-1], identifier.swapcase(), f"{identifier[:-1]}%")
    filters = [filtered_by(condition_group(condition("id", value))) for value in values]
    for parameters in (*filters, sorted_by("id"), sorted_by("id", "DESC")):
        expected = ids(list_objects(api, kind, parameters, may_be_refused=True)[0])
        shown = listed(api, kind, way, parameters)
        assert shown == expected, f"{json.dumps(parameters)}: expected {expected}, got {shown}"
