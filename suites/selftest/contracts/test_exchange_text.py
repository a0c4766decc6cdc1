"""The exact text of exchanges and commands where a body is empty, binary, truncated or addressed to an engine."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from contracts import formatting
from contracts.exchange import Exchange, Request, Response, as_curl, as_text, body_text, frame_endpoint, mask_secrets

URL = "http://127.0.0.1:1/a"


def framed(url: str, frame: bytes, reply: bytes = b"", error: str | None = None) -> Exchange:
    return Exchange(Request("FRAME", url, (), frame), Response(101 if reply else 0, (), reply, error), 0.0012)


def test_engine_gets_connection_login_and_call() -> None:
    line = as_curl(framed("deepstream+ws://127.0.0.1:1/deepstream#a#b", '{"name": "å"}'.encode()))
    assert [json.loads(word.rstrip(";)")) for word in shlex.split(line) if word.startswith("{")] == [
        {"topic": 2, "action": 5, "url": "ws://127.0.0.1:1/deepstream"},
        {"topic": 3, "action": 2, "data": "{}"},
        {"topic": 6, "action": 2, "name": "a#b", "correlationId": "1", "data": '{"name": "å"}'},
    ]
    assert "å" in line


def test_text_engine_gets_answer_to_challenge_login_and_call() -> None:
    url = "deepstream-text+ws://127.0.0.1:1/deepstream#a/b"
    line = as_curl(framed(url, b'{"name": "50%", "path": "\\\\x"}'))
    script, _, command = line.rpartition(" | ")
    printed = subprocess.run(script.replace("sleep 1", ":"), shell=True, capture_output=True, check=True).stdout
    assert printed == (
        b"C\x1fCHR\x1fws://127.0.0.1:1/deepstream\x1e\n"
        b"A\x1fREQ\x1f{}\x1e\n"
        b'P\x1fREQ\x1fa/b\x1f1\x1fO{"name": "50%", "path": "\\\\x"}\x1e\n'
    )
    assert command == "wsdump --raw --eof-wait 2 ws://127.0.0.1:1/deepstream"


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("ws://127.0.0.1:1/a", "websocket"),
        ("deepstream+ws://127.0.0.1:1/d#a", "deepstream"),
        ("deepstream-text+ws://127.0.0.1:1/d#a", "deepstream-text"),
    ],
)
def test_transport_of_a_frame_is_in_its_url(url: str, transport: str) -> None:
    assert formatting.frame_transport(url) == transport


def test_empty_array_is_not_indented() -> None:
    assert formatting.indent_json("[]") == "[]"


def test_body_with_a_constant_that_json_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"^NaN is not JSON$"):
        Response(200, (), b"[NaN]").json()


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("ws://127.0.0.1:1/x://y", "http://127.0.0.1:1", "x://y"),
        ("ws://127.0.0.1:1/a://b/c", "http://127.0.0.1:1/a://b", "c"),
        ("ws://127.0.0.1:1/X/y", "http://127.0.0.1:1", "X/y"),
    ],
)
def test_endpoint_may_hold_any_characters(url: str, base: str, expected: str) -> None:
    assert frame_endpoint(url, base) == expected


def test_secret_that_ends_in_another_is_masked_whole() -> None:
    assert mask_secrets("ab", ["b", "ab"]) == "***"


def test_binary_body_has_octal_escapes_for_all_but_plain_characters() -> None:
    command = as_curl(Exchange(Request("GET", URL, (("content-type", "a/b"),), b"\xff !~\x7f%'\\X"), Response(200)))
    assert (
        command == rf"printf '\377\040!~\177\045\047\134X' | curl -sS -i -H 'content-type: a/b' --data-binary @- {URL}"
    )


def test_request_without_response_is_written_as_http() -> None:
    shown = as_text(Exchange(Request("GET", URL), Response(0, (), b"", "refused")))
    assert shown.split("\n") == [f"GET {URL}", "", "--> 0 after 0.0 ms", "", "!! refused"]


def test_refused_upgrade_is_written_as_http() -> None:
    shown = as_text(Exchange(Request("FRAME", URL, (), b"{}"), Response(400, (("A", "b"),))))
    assert shown.split("\n") == [f"FRAME {URL}", "", "{}", "", "--> 400 after 0.0 ms", "A: b"]


def test_truncated_response_shows_no_half_of_a_secret() -> None:
    body = b"x" * (formatting.MAX_SHOWN - formatting.TAIL - 3) + b"s3cret!" + b"y" * 3_000
    assert "xs" not in as_text(Exchange(Request("GET", URL), Response(200, (), body)), ["s3cret!"])


def test_empty_frame_without_reply_has_no_empty_lines() -> None:
    assert as_text(framed(URL, b"", b"", "closed")).split("\n") == [
        *(f"FRAME {URL}", "method: none", "", "--> nothing after 1.2 ms", "", "!! closed")
    ]


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert body_text(b"a\xff") == "a\ufffd"
