"""The text endpoint of the references: its stages from challenge to call, without sockets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fixtures.reference.protocol import Reply, Request
from fixtures.reference.text_engine import BEGIN, HEARTBEAT, HOOK, PATH, Stages, TextEngine
from fixtures.transports.raw_websocket import RawWebsocket
from suites.mutation.socket_reference import SocketReference

Say = Callable[[str], list[str]]
ACCOUNT = {"username": "jo", "password": "s3cret"}


def echo(text: str, connection: str) -> Reply:
    """A reply with the call and its connection."""
    return Reply(101, body=json.dumps([text, connection]).encode(), delay=0.25 if "slow" in text else 0.0)


def broken(_text: str, _connection: str) -> Reply:
    raise ZeroDivisionError


def request(text: str = "", query: str = "", connection: str = "one") -> Request:
    """What stands for a frame with bars and plus signs for the separators."""
    body = text.replace("|", "\x1f").replace("+", "\x1e").encode()
    return Request(HOOK, f"/{PATH}", query, (), body, connection=connection)


@pytest.fixture
def engine() -> TextEngine:
    """An engine that lets one account in, and clients without one."""
    stages: Stages = {}
    return TextEngine({"a/b": echo, "bug": broken}, lambda data: data in ({}, ACCOUNT), stages)


@pytest.fixture
def say(engine: TextEngine) -> Say:
    """Sends a frame and returns the frames that answer it."""
    engine.reply(request(query=BEGIN))

    def send(text: str) -> list[str]:
        return shown(engine.reply(request(text)))

    return send


def shown(reply: Reply) -> list[str]:
    """The payloads of the frames of a reply."""
    return [frame.payload.decode().replace("\x1f", "|").replace("\x1e", "+") for frame in reply.frames or ()]


def test_connection_begins_with_a_challenge(engine: TextEngine) -> None:
    assert shown(engine.reply(request(query=BEGIN))) == ["C|CH+"]


def test_heartbeat_is_a_message(engine: TextEngine) -> None:
    assert shown(engine.reply(request(query=HEARTBEAT))) == ["C|PI+"]


def test_login_and_call(say: Say) -> None:
    assert say("C|CHR|ws://127.0.0.1+") == ["C|A+", "C|PI+"]
    assert say("C|PO+") == []
    assert say(f"A|REQ|{json.dumps(ACCOUNT)}+") == ["A|A+"]
    assert say("P|REQ|a/b|7|O{}+") == ["P|A|REQ|a/b|7+", 'P|RES|a/b|7|O["{}", "one"]+']


def test_calls_of_one_frame_are_answered_in_order(say: Say) -> None:
    say("C|CHR|x+")
    assert say("A|REQ|{}+P|REQ|a/b|1|S1+P|REQ|no|2|S2+") == [
        "A|A+",
        "P|A|REQ|a/b|1+",
        'P|RES|a/b|1|O["1", "one"]+',
        "P|E|NO_RPC_PROVIDER|no|2+",
    ]


@pytest.mark.parametrize(
    ("data", "text"), [("O[1]", "[1]"), ("Sx", "x"), ("N1", "1"), ("T", "true"), ("F", "false"), ("L", "null")]
)
def test_data_of_any_type_is_the_text_of_a_call(say: Say, data: str, text: str) -> None:
    say("C|CHR|x+")
    say("A|REQ|{}+")
    assert say(f"P|REQ|a/b|7|{data}+")[1] == f'P|RES|a/b|7|O["{text}", "one"]+'


def test_acknowledgement_does_not_wait_for_a_slow_reply(engine: TextEngine, say: Say) -> None:
    say("C|CHR|x+A|REQ|{}+")
    frames = engine.reply(request("P|REQ|a/b|7|Sslow+")).frames or []
    assert [frame.delay for frame in frames] == [0.0, 0.25]


def test_bug_of_the_api_is_an_error(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    say("C|CHR|x+A|REQ|{}+")
    assert say("P|REQ|bug|7|L+") == ["P|A|REQ|bug|7+", "P|E|no answer to carry|bug|7+"]
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("data", ['{"username":"jo"}', '{"username":[1],"password":1}', "5", "{", ""])
def test_login_with_other_data_is_refused_and_can_be_repeated(say: Say, data: str) -> None:
    say("C|CHR|x+")
    assert say(f"A|REQ|{data}+") == ["A|E|INVALID_AUTH_DATA|Sinvalid authentication data+"]
    assert say("A|REQ|{}+") == ["A|A+"]


def test_login_before_the_challenge_is_answered_is_an_error(say: Say) -> None:
    assert say("A|REQ|{}+") == ["C|E|INVALID_MESSAGE|Sinvalid connection message+"]


def test_call_before_the_login_ends_the_connection(engine: TextEngine, say: Say) -> None:
    say("C|CHR|x+")
    reply = engine.reply(request("P|REQ|a/b|7|O{}+P|REQ|a/b|8|O{}+"))
    assert shown(reply) == ["A|E|INVALID_AUTH_MSG|Sinvalid authentication message+"]
    assert reply.ends_connection


def test_login_is_that_of_one_connection_and_ends_with_it(engine: TextEngine, say: Say) -> None:
    say("C|CHR|x+A|REQ|{}+")
    engine.reply(request(query=BEGIN, connection="two"))
    assert "P|RES" not in str(shown(engine.reply(request("P|REQ|a/b|7|O{}+", connection="two"))))
    engine.forget("one")
    assert "P|RES" not in str(say("P|REQ|a/b|7|O{}+"))


def test_heartbeats_come_again_and_again_between_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.reference.text_engine.HEARTBEAT_INTERVAL", 0.02)
    served = SocketReference("bitvis")
    try:
        with RawWebsocket(served.api, PATH) as link:
            link.send_text("C\x1fCHR\x1fx\x1e")
            frames = [link.recv() for _ in range(6)]
    finally:
        served.stop()
    payloads = [frame.payload for frame in frames if frame]
    assert (payloads[0], payloads.count(b"C\x1fPI\x1e")) == (b"C\x1fCH\x1e", 4)


@pytest.mark.parametrize("text", ["", "+", "x+", "Q|REQ|x+", "P|NOPE|x+", "P|REQ+", "P|REQ|a/b+", "C|NOPE+"])
def test_any_other_message_is_ignored(say: Say, text: str) -> None:
    say("C|CHR|x+A|REQ|{}+")
    assert say(text) == []
