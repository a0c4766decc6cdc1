"""Where a LIST may carry its parameters besides the header of the singular name: document lines 72 to 80.

Rule: the list by the header Flow-Request-Parameter is what the others are compared with; its own tests are elsewhere.
"""

from __future__ import annotations

import json

import pytest

from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import ObjectKind, Record, envelope_text, http_envelope, ids
from suites.bitvis.list_oracle import page_of

WAYS = {
    "query": ("query", "parameter"),
    "plural_header": ("header", "parameters"),
    "plural_query": ("query", "parameters"),
}
each_way = pytest.mark.parametrize("way", WAYS)


def ids_listed(api: Api, kind: ObjectKind, way: str, parameters: Record) -> list[str]:
    """The ids that a LIST shows with its parameters there. Raises MissingPrecondition when it is refused."""
    place, name = WAYS[way]
    envelope = http_envelope(api, "LIST", kind, place=place, parts={name: json.dumps({"parameters": parameters})})
    if envelope["success"] is not True:
        raise MissingPrecondition(f"LIST with its parameters in {way} is refused: {envelope_text(envelope)}")
    return ids(envelope["data"])


def require_effect(api: Api, kind: ObjectKind, way: str) -> None:
    """Raises MissingPrecondition where parameters of the plural name have no effect: their form is a reading."""
    if way != "query" and len(ids_listed(api, kind, way, page_of(1))) > 1:
        raise MissingPrecondition(f"the target does not read parameters in {way} as it reads those by header")
