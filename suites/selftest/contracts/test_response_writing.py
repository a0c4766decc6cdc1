"""Tests of how responses are written that say the same to every parser."""

from __future__ import annotations

import pytest

from contracts.behaviour.response_writing import response_writing
from contracts.exchange import Response

JSON = ("Content-Type", "application/json")


def writing(body: bytes, *headers: tuple[str, str]) -> dict[str, str]:
    return dict(response_writing([Response(200, (JSON, *headers), body)]))


@pytest.mark.parametrize(
    ("body", "place", "value"),
    [
        (b'{"a": 1}\n', "JSON layout", "one line"),
        (b'{\n  "a": 1\n}', "JSON layout", "several lines"),
        ('{"a": "é"}'.encode(), "JSON letters", "as they are"),
        (rb'{"a": "\u00e9"}', "JSON letters", "escaped"),
        (rb'{"a": "\\u00e9"}', "JSON letters", None),  # a backslash, and no letter
        (rb'{"a": "\u0000 \u001f"}', "JSON letters", None),  # which every writer escapes
        (b'{"a": "e"}', "JSON letters", None),
        (b'{"a": "/b"}', "JSON slashes", "as they are"),
        (rb'{"a": "\/b"}', "JSON slashes", "escaped"),
        (rb'{"a": "\\/b"}', "JSON slashes", "as they are"),
        (b'{"a": 1}', "JSON slashes", None),
        (b'{"a": 1.5}', "JSON numbers", "without exponents"),
        (b'{"a": [1, 1.5E+1]}', "JSON numbers", "with exponents"),
        (b'{"a": 1, "b": "1e5"}', "JSON numbers", None),
        (b'{"a": 1}', "header names", "mixed case"),
        (b'{"a": 1}', "framing", "not chunked"),
    ],
)
def test_a_body_shows_how_it_is_written(body: bytes, place: str, value: str | None) -> None:
    assert writing(body).get(place) == value


def test_chunks_show() -> None:
    assert writing(b"{}", ("Transfer-Encoding", "chunked"))["framing"] == "chunked"


def test_headers_of_the_way_do_not_count() -> None:
    response = Response(200, (("content-type", "text/csv"), ("Date", "today")), b"a")
    assert dict(response_writing([response])) == {"header names": "lower case", "framing": "not chunked"}
