"""How an exchange is shown: a curl line that works in a shell, and no secret in it."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contracts import readable
from contracts.exchange import Answer, Exchange, Sent, as_curl, as_text, masked
from contracts.pointers import find
from fixtures.cases import secrets


def exchange(body: bytes = b"", **headers: str) -> Exchange:
    sent = Sent("POST", "http://127.0.0.1:1/tasks?a=1&token=s3cret", tuple(headers.items()), body)
    return Exchange(sent, Answer(200, (("content-type", "text/plain"),), b"told: s3cret"))


def test_curl_line_is_one_line_of_shell_words() -> None:
    line = as_curl(exchange(b'{"name": "it\'s"}', Accept="x/y"))
    assert "\n" not in line
    assert shlex.split(line)[-1] == "http://127.0.0.1:1/tasks?a=1&token=s3cret"
    assert '{"name": "it\'s"}' in shlex.split(line)


@hypothesis_settings(max_examples=30)
@given(st.binary(min_size=1, max_size=40))
def test_curl_line_gives_a_binary_body_byte_by_byte(body: bytes) -> None:
    line = as_curl(exchange(body))
    shown, _, rest = line.partition(" | curl ")
    if rest:
        assert subprocess.run(["sh", "-c", shown], capture_output=True, check=True).stdout == body
    else:
        assert body.decode() in shlex.split(line)


def test_secrets_are_masked_everywhere() -> None:
    shown = as_text(exchange(b"pass=s3cret", Authorization="Bearer s3cret"), ["s3cret"])
    assert "s3cret" not in shown + as_curl(exchange(b"s3cret", Authorization="Bearer s3cret"), ["s3cret"])


def test_longer_secret_is_masked_whole() -> None:
    assert masked("abcdef", ["abc", "abcdef"]) == "***"


def test_basic_header_and_url_forms_of_a_secret_are_secrets() -> None:
    found = secrets({"USERNAME": "me", "PASSWORD": "p: å", "TOKEN": "t", "ORGANIZATION_ID": "52"})
    assert "bWU6cDogw6U=" in found
    assert "p%3A%20%C3%A5" in found
    assert "52" not in found


@pytest.mark.parametrize(
    ("pointer", "values"),
    [("/a/*/b", [1, 2]), ("/a/0/b", [1]), ("/x~1y", ["slash"]), ("/none", []), ("/a/9/b", []), ("/a/*/c/d", [])],
)
def test_pointers_lead_to_all_items_or_nowhere(pointer: str, values: list[object]) -> None:
    assert find({"a": [{"b": 1}, {"b": 2}], "x/y": "slash"}, pointer) == values


def test_frame_is_shown_as_a_line_for_wsdump() -> None:
    frame = Exchange(Sent("FRAME", "ws://127.0.0.1:1/inventory/device", (), b'{"token": "s3cret"}'), Answer(101))
    words = shlex.split(as_curl(frame, ["s3cret"]))
    assert words == ["wsdump", "--eof-wait", "2", "--text", '{"token": "***"}', "ws://127.0.0.1:1/inventory/device"]


def framed(url: str, out: bytes, back: bytes, error: str | None = None) -> Exchange:
    return Exchange(Sent("FRAME", url, (), out), Answer(101 if back else 0, (), back, error), 0.0012)


def test_frames_are_shown_with_their_method_and_laid_out() -> None:
    shown = as_text(
        framed("ws://127.0.0.1:1/inventory/device", b'{"method":"OPEN","n":[]}', b'{"data":[1,{"a":"x,y"}]}')
    )
    assert shown.split("\n") == [
        "FRAME ws://127.0.0.1:1/inventory/device",
        "method: OPEN",
        "",
        "{",
        '  "method": "OPEN",',
        '  "n": []',
        "}",
        "",
        "--> frame after 1.2 ms",
        "",
        "{",
        '  "data": [',
        "    1,",
        "    {",
        '      "a": "x,y"',
        "    }",
        "  ]",
        "}",
    ]


@pytest.mark.parametrize(
    ("out", "method"), [(b"{", "none"), (b"[]", "none"), (b"{}", "none"), (b'{"method":["LIST"]}', '["LIST"]')]
)
def test_method_of_a_frame_that_is_no_call_is_shown_as_it_is(out: bytes, method: str) -> None:
    shown = as_text(framed("ws://127.0.0.1:1/x", out, b"", "no answer within the time limit"))
    assert f"method: {method}\n\n{readable.pretty(out.decode())}\n\n--> nothing after" in shown
    assert shown.endswith("!! no answer within the time limit")


@hypothesis_settings(max_examples=60)
@given(st.recursive(st.none() | st.text() | st.floats(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_layout_changes_nothing_but_white_space(value: object) -> None:
    text = json.dumps(value)
    laid_out = readable.pretty(text)
    assert len(text) > readable.SHOWN or "… (" in laid_out or json.dumps(json.loads(laid_out)) == text


def test_member_that_comes_twice_is_shown_twice() -> None:
    assert readable.pretty('{"a":1.0,"a":1e0}') == '{\n  "a": 1.0,\n  "a": 1e0\n}'


def test_long_body_keeps_its_head_and_its_tail() -> None:
    body = b'{"data": "' + b"x" * 5_000 + b'", "request_id": "r-77"}'
    shown = as_text(exchange(body))
    assert '{"data": "xxx' in shown
    assert '"request_id": "r-77"}' in shown
    assert f"… ({len(body) - readable.SHOWN} more characters) …" in shown


@pytest.mark.parametrize("before", range(readable.SHOWN - readable.TAIL - 8, readable.SHOWN - readable.TAIL + 1))
def test_cut_shows_no_half_of_a_secret(before: int) -> None:
    shown = as_text(exchange(b"x" * before + b"s3cret!" + b"y" * 3_000), ["s3cret!"])
    assert "xs" not in shown


def test_call_through_an_engine_is_a_line_with_its_login() -> None:
    line = as_curl(framed("deepstream+ws://127.0.0.1:1/deepstream#a/b", b'{"token": "s3cret"}', b"1"), ["s3cret"])
    words = shlex.split(line)
    call = next(json.loads(word[:-1]) for word in words if '"data": "{\\"token' in word)
    assert (call["name"], call["data"]) == ("a/b", '{"token": "***"}')
    assert words[-5:] == ["wsdump", "--raw", "--eof-wait", "2", "ws://127.0.0.1:1/deepstream"]
    assert "\n" not in line


def test_secret_with_a_quotation_mark_is_masked_in_json() -> None:
    hidden = secrets({"TOKEN": 'a"b\\c'})
    body = json.dumps({"token": 'a"b\\c'}).encode()
    assert '{"token": "***"}' in as_text(exchange(body), hidden)


def test_token_that_names_an_event_is_no_secret() -> None:
    settings = {"TOKEN": "k3y", "NO_SSO_TOKEN": "0ther", "PAST_SESSION_TOKEN": "T35tT0K3n"}
    assert set(secrets(settings)) == {"k3y", "0ther"}
