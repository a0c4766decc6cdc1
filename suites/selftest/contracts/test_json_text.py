"""Reading other people's JSON: strict, and bounded in depth, so that a hostile body is a finding and no crash."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.json_text import MAX_LEVELS, SHARED_BYTES, is_too_deep, read_json, read_shared
from contracts.judge.http_judge import judge_response
from contracts.openapi import load_contract


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]", inner: bytes = b"") -> bytes:
    return opening * levels + inner + closing * levels


@pytest.mark.parametrize(
    ("text", "deep"),
    [
        (nested(MAX_LEVELS), False),
        (nested(MAX_LEVELS + 1), True),
        (nested(10_000), True),
        (nested(MAX_LEVELS + 1, b'{"a":', b"}", b"1"), True),
        (b"[" + b"{}," * 1000 + b"[[1]]]", False),
        (b'["' + b"[" * 1000 + b'"]', False),
        (nested(MAX_LEVELS - 1, inner=b'"]]]\\"[[["'), False),
        (nested(MAX_LEVELS + 1, inner=b'"]]]\\"[[["'), True),
        (nested(MAX_LEVELS, b'["]",', b',"["]', b"1"), False),
        (nested(MAX_LEVELS + 1, b'["]",', b',"["]', b"1"), True),
        (nested(MAX_LEVELS + 1, b'["\\"]","",', b',"[\\\\"]', b"1"), True),
        (b"[" * 10_000, True),
    ],
)
def test_depth_counts_what_is_within_each_other(text: bytes, deep: bool) -> None:
    assert is_too_deep(text) is deep


def test_the_deepest_text_is_read() -> None:
    value: Any = read_json(nested(MAX_LEVELS))
    for _ in range(MAX_LEVELS - 1):
        (value,) = value
    assert value == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [(nested(10_000), "within 200 levels"), (b"NaN", "NaN is not JSON"), (b'"\xff"', "utf-8"), (b"{", "Expecting")],
)
def test_anything_else_is_a_value_error(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_json(text)


def test_a_deeply_nested_body_is_a_finding() -> None:
    contract = load_contract("getflow")
    operation = contract.find("listTasks")
    media_type = next(iter(operation.response_for(200).content))
    response = Response(200, (("Content-Type", media_type),), nested(10_000))
    findings = judge_response(contract, operation, Exchange(Request("GET", "http://127.0.0.1/tasks"), response))
    assert [f"not JSON within {MAX_LEVELS} levels" in finding.received for finding in findings] == [True]


@pytest.mark.parametrize(("length", "is_shared"), [(SHARED_BYTES, True), (SHARED_BYTES + 1, False)])
def test_the_value_of_a_short_text_is_shared_by_its_readers(length: int, is_shared: bool) -> None:
    text = b"[" + b" " * (length - 2) + b"]"
    assert (read_shared(text) is read_shared(text)) is is_shared
    assert read_shared(text) == []


def test_a_reader_of_its_own_shares_nothing() -> None:
    assert read_json(b"[]") is not read_json(b"[]")


def test_a_bad_text_is_refused_to_each_reader() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="is named twice"):
            read_shared(b'{"id": 1, "id": 2}')
