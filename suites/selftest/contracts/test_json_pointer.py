"""JSON pointers: those of RFC 6901 and `*`."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.json_pointer import find, reference_tokens

DOCUMENT = {"a": [{"b": 1}, {"b": 2}, {"c": 3}], "x/y": {"~": 4}, "": 5, "01": 6, "n": None}


@pytest.mark.parametrize(
    ("pointer", "tokens"),
    [("", []), ("/", [""]), ("/a/b", ["a", "b"]), ("/x~1y/~0", ["x/y", "~"]), ("/~01", ["~1"]), ("/a/", ["a", ""])],
)
def test_pointer_is_read_as_reference_tokens(pointer: str, tokens: list[str]) -> None:
    assert reference_tokens(pointer) == tokens


@pytest.mark.parametrize(
    ("pointer", "values"),
    [
        ("", [DOCUMENT]),
        ("/", [5]),
        ("/a/0/b", [1]),
        ("/a/2", [{"c": 3}]),
        ("/a/3", []),
        ("/a/-1", []),
        ("/a/*/b", [1, 2]),
        ("/a/*", [{"b": 1}, {"b": 2}, {"c": 3}]),
        ("/a/b", []),
        ("/x~1y/~0", [4]),
        ("/01", [6]),
        ("/n", [None]),
        ("/n/a", []),
        ("/*", []),
        ("/none", []),
        ("/a/0/b/c", []),
    ],
)
def test_pointer_finds_what_is_there_and_never_raises(pointer: str, values: list[Any]) -> None:
    assert find(DOCUMENT, pointer) == values


@pytest.mark.parametrize("document", [None, 1, "text", []])
def test_pointer_into_a_value_without_members_finds_nothing(document: Any) -> None:
    assert find(document, "/0") == []
    assert find(document, "") == [document]
