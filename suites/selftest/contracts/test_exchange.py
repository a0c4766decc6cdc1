"""How an exchange is written for people: a command that works in a shell, and no secret in it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contracts import formatting
from contracts.exchange import MASKED_END, Exchange, Request, Response, as_curl, as_text, frame_endpoint
from contracts.secret_mask import mask_secrets
from fixtures.secret_settings import secret_texts


def exchange(body: bytes = b"", **headers: str) -> Exchange:
    request = Request("POST", "http://127.0.0.1:1/tasks?a=1&token=s3cret", tuple(headers.items()), body)
    return Exchange(request, Response(200, (("content-type", "text/plain"),), b"token: s3cret"))


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
    assert "hidden" not in shown + as_curl(exchange(b"s3cret", Authorization="Bearer s3cret"), ["s3cret"])


def test_longer_secret_is_masked_whole() -> None:
    assert mask_secrets("abcdef", ["abc", "abcdef"]) == "***"


def test_basic_header_and_url_forms_of_a_secret_are_secrets() -> None:
    secrets = secret_texts({"USERNAME": "me", "PASSWORD": "p: å", "TOKEN": "t", "ORGANIZATION_ID": "52"})
    assert "bWU6cDogw6U=" in secrets
    assert "p%3A%20%C3%A5" in secrets
    assert "52" not in secrets


def test_frame_is_shown_as_a_line_for_wsdump() -> None:
    frame = Exchange(Request("FRAME", "ws://127.0.0.1:1/inventory/device", (), b'{"token": "s3cret"}'), Response(101))
    words = shlex.split(as_curl(frame, ["s3cret"]))
    assert words == ["wsdump", "--eof-wait", "2", "--text", '{"token": "***"}', "ws://127.0.0.1:1/inventory/device"]


def framed(url: str, frame: bytes, reply: bytes, error: str | None = None) -> Exchange:
    return Exchange(Request("FRAME", url, (), frame), Response(101 if reply else 0, (), reply, error), 0.0012)


def test_frames_are_shown_with_their_method_and_indented() -> None:
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
    ("frame", "method"), [(b"{", "none"), (b"[]", "none"), (b"{}", "none"), (b'{"method":["LIST"]}', '["LIST"]')]
)
def test_method_of_a_frame_that_is_no_call_is_shown_as_it_is(frame: bytes, method: str) -> None:
    shown = as_text(framed("ws://127.0.0.1:1/x", frame, b"", "no response within the time limit"))
    assert f"method: {method}\n\n{formatting.indent_json(frame.decode())}\n\n--> nothing after" in shown
    assert shown.endswith("!! no response within the time limit")


@hypothesis_settings(max_examples=60)
@given(
    st.recursive(st.none() | st.text() | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_indenting_changes_nothing_but_white_space(value: object) -> None:
    text = json.dumps(value)
    indented = formatting.indent_json(text)
    assert len(text) > formatting.MAX_SHOWN or "… (" in indented or json.dumps(json.loads(indented)) == text


def test_member_that_comes_twice_is_shown_twice() -> None:
    assert formatting.indent_json('{"a":1.0,"a":1e0}') == '{\n  "a": 1.0,\n  "a": 1e0\n}'


def test_long_body_keeps_its_head_and_its_tail() -> None:
    body = b'{"data": "' + b"x" * 5_000 + b'", "request_id": "r-77"}'
    shown = as_text(exchange(body))
    assert '{"data": "xxx' in shown
    assert '"request_id": "r-77"}' in shown
    assert f"… ({len(body) - formatting.MAX_SHOWN} more characters) …" in shown


@pytest.mark.parametrize(
    "before", range(formatting.MAX_SHOWN - formatting.TAIL - 8, formatting.MAX_SHOWN - formatting.TAIL + 1)
)
def test_truncated_body_shows_no_half_of_a_secret(before: int) -> None:
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
    secrets = secret_texts({"TOKEN": 'a"b\\c'})
    body = json.dumps({"token": 'a"b\\c'}).encode()
    assert '{"token": "***"}' in as_text(exchange(body), secrets)


@pytest.mark.parametrize("repeated", [b"hidden-token ", b"hidden-token " + b"x" * 300], ids=["dense", "sparse"])
@pytest.mark.parametrize("around", [b"", b"x" * 5])
def test_no_secret_is_shown_of_a_long_body(repeated: bytes, around: bytes) -> None:
    body = around + repeated * (4 * MASKED_END // len(repeated)) + around
    shown = as_text(exchange(body), ["hidden-token"])
    assert "***" in shown
    assert "hidden" not in shown


def test_token_that_names_an_event_is_no_secret() -> None:
    settings = {"TOKEN": "k3y", "NO_SSO_TOKEN": "0ther", "PAST_SESSION_TOKEN": "T35tT0K3n"}
    shown = mask_secrets("k3y 0ther T35tT0K3n", secret_texts(settings))
    assert shown == "*** *** T35tT0K3n"


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("ws://127.0.0.1:1/api/inventory/device", "http://127.0.0.1:1/api", "inventory/device"),
        ("ws://127.0.0.1:1/inventory/device/", "http://127.0.0.1:1", "inventory/device"),
        ("deepstream+ws://127.0.0.1:1/deepstream#a/b", "http://127.0.0.1:1", "a/b"),
    ],
)
def test_endpoint_of_a_frame_is_in_its_url(url: str, base: str, expected: str) -> None:
    assert frame_endpoint(url, base) == expected


@pytest.mark.parametrize(
    ("method", "body", "headers", "options"),
    [
        ("GET", b"", {}, []),
        ("HEAD", b"", {}, ["--head"]),
        ("DELETE", b"", {}, ["-X", "DELETE"]),
        ("POST", b"a", {"Content-Type": "text/plain"}, ["-X", "POST", "-H", "Content-Type: text/plain"]),
        ("POST", b"a", {}, ["-X", "POST", "-H", "Content-Type:"]),
        ("GET", b"", {"Empty": ""}, ["-H", "Empty;"]),
    ],
    ids=str,
)
def test_curl_command_has_the_method_and_the_headers(
    method: str, body: bytes, headers: dict[str, str], options: list[str]
) -> None:
    request = Request(method, "http://127.0.0.1:1/", tuple(headers.items()), body)
    data = ["--data-binary", body.decode()] if body else []
    words = shlex.split(as_curl(Exchange(request, Response(200))))
    assert words == ["curl", "-sS", "-i", *options, *data, "http://127.0.0.1:1/"]


@pytest.mark.parametrize(("length", "is_written_out"), [(2_000, True), (2_001, False)])
def test_curl_command_makes_a_long_body_and_does_not_hold_it(length: int, is_written_out: bool) -> None:
    command = as_curl(exchange(b"x" * length))
    assert command.startswith("curl ") is is_written_out
    assert command.startswith(f"head -c {length} /dev/zero") is not is_written_out


def test_exchange_is_written_as_http() -> None:
    request = Request("POST", "http://127.0.0.1:1/a", (("A", "b"),), b"in")
    response = Response(201, (("C", "d"),), b"out", "broken off")
    assert as_text(Exchange(request, response, 0.0125)).split("\n") == [
        *("POST http://127.0.0.1:1/a", "A: b", "", "in", ""),
        *("--> 201 after 12.5 ms", "C: d", "", "out", "", "!! broken off"),
    ]


@pytest.mark.parametrize(("length", "is_truncated"), [(2_000, False), (2_001, True)])
def test_text_is_truncated_beyond_2000_characters(length: int, is_truncated: bool) -> None:
    text = formatting.truncate("a" * (length - 1) + "b")
    assert (text == "a" * (length - 1) + "b") is not is_truncated
    assert text.endswith("a" * 499 + "b")
    assert ("… (1 more characters) …" in text) is is_truncated


def test_secrets_are_replaced_the_longest_first_and_empty_ones_are_none() -> None:
    assert mask_secrets("ab abc", ["", "ab", "abc"]) == "*** ***"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("Text/Plain; charset=utf-8", "text/plain"), (" a/b ", "a/b"), ("", ""), (None, "")],
)
def test_media_type_is_read_without_parameters(content_type: str | None, expected: str) -> None:
    headers = () if content_type is None else (("CONTENT-TYPE", content_type), ("content-type", "x/y"))
    assert Response(200, headers).media_type() == expected


URL = "http://127.0.0.1:1/tasks"


def sent(text: str) -> list[str]:
    """The words that a shell makes of that command, where SHOP_TOKEN is s3cret."""
    shown = ["sh", "-c", f"for word in {text}; do printf '%s\\n' \"$word\"; done"]
    environ = {"SHOP_TOKEN": "s3cret", "PATH": os.environ["PATH"]}
    return subprocess.run(shown, env=environ, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("Bearer s3cret", '"Authorization: Bearer $SHOP_TOKEN"'),
        ("s3cretive", '"Authorization: ${SHOP_TOKEN}ive"'),
        ('"s3cret" $1', "'Authorization: \"'\"$SHOP_TOKEN\"'\" $1'"),
        ("other", "'Authorization: ***'"),
    ],
)
def test_a_curl_line_reads_a_secret_from_its_variable(value: str, word: str) -> None:
    line = as_curl(exchange(Authorization=value), ["s3cret"], {"s3cret": "SHOP_TOKEN"})
    assert word in line
    assert "s3cret" not in line
    if value != "other":
        assert f"Authorization: {value}" in sent(line)


def test_a_curl_line_reads_a_secret_in_body_and_url_from_its_variable() -> None:
    request = Request("POST", f"{URL}?token=s3cret", (("content-type", "a/b"),), b'{"password": "s3cret"}')
    line = as_curl(Exchange(request, Response(200)), ["s3cret"], {"s3cret": "SHOP_TOKEN"})
    assert "s3cret" not in line
    assert [f"{URL}?token=s3cret", '{"password": "s3cret"}'] == [sent(line)[-1], sent(line)[-2]]


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/a", "deepstream+ws://127.0.0.1:1/deepstream#a"])
def test_a_frame_reads_a_secret_from_its_variable(url: str) -> None:
    frame = Exchange(Request("FRAME", url, (), b'{"token": "s3cret"}'), Response(101))
    line = as_curl(frame, ["s3cret"], {"s3cret": "SHOP_TOKEN"})
    assert '"$SHOP_TOKEN"' in line
    assert "s3cret" not in line


def test_a_short_value_is_no_variable() -> None:
    assert "SHOP_TOKEN" not in as_curl(exchange(Accept="x"), (), {"x": "SHOP_TOKEN"})


def test_a_frame_that_is_cut_within_a_variable_ends_before_it() -> None:
    text = "x" * (formatting.MAX_SHOWN - 4) + "s3cret"
    frame = Exchange(Request("FRAME", "ws://127.0.0.1:1/a", (), text.encode()), Response(101))
    line = as_curl(frame, (), {"s3cret": "S_T"})
    assert "S_T" not in line
