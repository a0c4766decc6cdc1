"""How an exchange is shown: a curl line that works in a shell, and no secret in it."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

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


def test_token_that_names_an_event_is_no_secret() -> None:
    settings = {"TOKEN": "k3y", "NO_SSO_TOKEN": "0ther", "PAST_SESSION_TOKEN": "T35tT0K3n"}
    assert set(secrets(settings)) == {"k3y", "0ther"}
