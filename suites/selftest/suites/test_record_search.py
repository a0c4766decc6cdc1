"""Records, ids and texts are found wherever a response has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.exchange import Exchange, Request, Response
from suites.generic.record_search import identifiers_in, records_in, texts_in

ROWS = [{"id": 1}, {"id": 2}]


def exchange(value: Any) -> Exchange:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Exchange(Request("GET", "http://127.0.0.1:9/"), Response(200, (), body), 0.0)


@pytest.mark.parametrize(
    ("value", "records"),
    [
        (ROWS, ROWS),
        ({"data": ROWS}, ROWS),
        ({"result": {"items": ROWS}}, ROWS),
        ({"links": [{"rel": "next"}], "rows": ROWS}, ROWS),
        ({"data": [1, 2]}, []),
        ({"data": [{"id": 1}, 2]}, []),
        ({"data": []}, []),
        ("text", []),
        (b"<html>", []),
    ],
)
def test_records_are_the_longest_list_of_objects(value: Any, records: list[Any]) -> None:
    assert records_in(exchange(value)) == records


@pytest.mark.parametrize(
    ("value", "identifiers"),
    [
        ({"id": 7}, ["7"]),
        ({"data": [{"ID": "a"}, {"_id": "b"}, {"id": "a"}]}, ["a", "b"]),
        ({"id": True, "user": {"Id": 3}}, ["3"]),
        ({"id": None, "idea": 1}, []),
        (b"{", []),
    ],
)
def test_ids_are_found_in_any_spelling(value: Any, identifiers: list[str]) -> None:
    assert identifiers_in(exchange(value), "id") == identifiers


def test_texts_are_those_of_all_depths() -> None:
    assert texts_in(exchange({"a": [1, {"b": "x"}], "c": None})) == {"1", "x"}


def test_what_is_nested_without_end_is_not_looked_through() -> None:
    value: Any = ROWS
    for _ in range(50):
        value = {"inner": value}
    assert records_in(exchange(value)) == []
