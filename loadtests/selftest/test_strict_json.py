"""Tests of fast strict JSON: it accepts nothing that names a member twice."""

from __future__ import annotations

import json

import orjson
import pytest

from loadtests.validation.strict_json import parse_strictly


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a":1,"a":1}',
        b'{"b": {"a": 1, "a": {"c": 2}}}',
        b'[{"a" : 1, "a" : 2}]',
        b'{"a":1,"\\u0061":2}',
        b'{"a": "x\\u003a", "a": ":"}',
        b'{"a": 1, "a": {"b": "\\u003A:"}}',
        b"[" + b"1," * 200_001 + b"1]",
        b"[" * 300 + b"]" * 300,
        b'"' + b"a" * (4 << 20) + b'"',
        b"{",
        b"NaN",
        b"",
    ],
)
def test_repeated_names_and_what_is_no_json_are_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(a name may be repeated|unexpected|Input|more than|Recursion)"):
        parse_strictly(body)


@pytest.mark.parametrize(
    "value",
    [{}, [], 1, "a:b", {"a": {"b": [1, {"c": "d: e"}]}}, [{"a": 1}, {"a": 1}], {"u": "http://a.example:80/?q=é"}],
)
def test_other_json_is_parsed_however_it_is_written(value: object) -> None:
    bodies = [json.dumps(value).encode(), json.dumps(value, indent=2).encode(), orjson.dumps(value)]
    assert [parse_strictly(body) for body in bodies] == [value] * 3
