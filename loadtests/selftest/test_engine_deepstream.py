"""Remote procedure calls through a deepstream engine: login, pairing by correlation id, refusals, heartbeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from loadtests.engine.call import Answer, Journey, Request
from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import SHORT, Client, Peer, Script, Talk, client, one, peer
from loadtests.selftest.websocket_peer import after_handshake, next_frame


def tell(talk: Talk, **message: Any) -> None:
    talk.send(server_frame(1, json.dumps(message).encode()))


def hear(talk: Talk) -> dict[str, Any]:
    said = json.loads(bytes(next_frame(talk).data))
    assert isinstance(said, dict)
    return said


def logged_in(script: Callable[[Talk], None]) -> Script:
    """A script whose client has logged in (topics CONNECTION 2 and AUTH 3)."""

    def whole(talk: Talk) -> None:
        assert (hear(talk) | {"url": ""}) == {"topic": 2, "action": 5, "url": "", "protocolVersion": "0.1a"}
        tell(talk, topic=2, action=4)
        assert hear(talk) == {"topic": 3, "action": 2, "data": "{}"}
        tell(talk, topic=3, action=3)
        script(talk)

    return after_handshake(whole)


def rpc(ours: Client, server: Peer, data: str = "{}", **more: Any) -> Request:
    return ours.request(server.url("deepstream", "/deepstream"), data.encode(), name="inventory/device", **more)


def answer(talk: Talk, call: dict[str, Any], **more: Any) -> None:
    """Answer a call with its own data (topic RPC 6, action RESPONSE 5)."""
    said = {"topic": 6, "action": 5, "name": call["name"], "correlationId": call["correlationId"], "data": call["data"]}
    tell(talk, **(said | more))


def test_a_call_is_a_request_with_a_name_and_its_data_as_text() -> None:
    calls: list[dict[str, Any]] = []

    def script(talk: Talk) -> None:
        calls.append(hear(talk))
        tell(talk, topic=6, action=4, name=calls[0]["name"], correlationId=calls[0]["correlationId"])  # ACCEPT
        answer(talk, calls[0])

    data = '{"method":"LIST","objectid":"å\\"✓"}'
    with peer(logged_in(script)) as server, client() as ours:
        got = ours.ask(rpc(ours, server, data))[0]
    call = calls[0]
    assert call == {"topic": 6, "action": 2, "name": "inventory/device", "correlationId": "1", "data": data}
    assert (got.status, got.error, got.body.decode()) == (0, None, data)


def test_a_value_that_is_no_text_comes_as_json() -> None:
    with peer(logged_in(lambda talk: answer(talk, hear(talk), data={"success": True}))) as server, client() as ours:
        assert ours.ask(rpc(ours, server))[0].body == b'{"success":true}'


def test_several_calls_share_a_connection_and_are_paired_by_id() -> None:
    def script(talk: Talk) -> None:
        calls = [hear(talk) for _ in range(5)]
        for call in reversed(calls):
            answer(talk, call)

    with peer(logged_in(script)) as server, client() as ours:
        answers = ours.together([rpc(ours, server, f"[{number}]") for number in range(5)])
    assert [each.body for each in answers] == [b"[0]", b"[1]", b"[2]", b"[3]", b"[4]"]
    assert (server.connections, len(ours.slot.connects), len(ours.slot.times)) == (1, 1, 5)


@pytest.mark.parametrize(
    ("action", "error"),
    [(7, "deepstream: REQUEST_ERROR"), (100, "deepstream: NO_RPC_PROVIDER"), (104, "deepstream: RESPONSE_TIMEOUT")],
)
def test_a_refusal_is_named_and_the_connection_stays(action: int, error: str) -> None:
    def script(talk: Talk) -> None:
        answer(talk, hear(talk), action=action, isError=True, data="why")
        answer(talk, hear(talk))

    with peer(logged_in(script)) as server, client() as ours:
        bad, good = ours.ask(rpc(ours, server), rpc(ours, server))
    assert (bad.error, bad.body, good.error, server.connections) == (error, b"why", None, 1)


def test_a_heartbeat_is_answered() -> None:
    pongs: list[dict[str, Any]] = []

    def script(talk: Talk) -> None:
        call = hear(talk)
        tell(talk, topic=2, action=2)
        pongs.append(hear(talk))
        answer(talk, call)

    with peer(logged_in(script)) as server, client() as ours:
        assert ours.ask(rpc(ours, server))[0].error is None
    assert pongs == [{"topic": 2, "action": 3}]


def test_a_timeout_spares_the_other_calls_and_the_late_answer_is_nobodys() -> None:
    def script(talk: Talk) -> None:
        late, prompt = hear(talk), hear(talk)
        answer(talk, prompt)
        third = hear(talk)  # sent after the first one's time was over
        answer(talk, late)
        answer(talk, third)

    answers: list[Answer] = []

    def journey(ours: Client, server: Peer) -> Journey:
        both = yield [rpc(ours, server, "[1]", timeout_ns=SHORT), rpc(ours, server, "[2]")]
        assert isinstance(both, list)
        answers.extend(both)
        answers.append(one((yield rpc(ours, server, "[3]"))))

    with peer(logged_in(script)) as server, client() as ours:
        ours.play(journey(ours, server))
    assert [(each.error, each.body) for each in answers] == [("timeout", b""), (None, b"[2]"), (None, b"[3]")]
    assert server.connections == 1


BROKEN: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "an id never given": (
        {"topic": 6, "action": 5, "correlationId": "99", "data": ""},
        "deepstream: an answer to no call",
    ),
    "no id": ({"topic": 6, "action": 5, "data": ""}, "deepstream: an answer to no call"),
    "what it cannot read": ({"topic": 1, "action": 4, "data": ""}, "deepstream: connection refused"),
    "rejected": ({"topic": 2, "action": 6}, "deepstream: connection refused"),
    "no JSON": (server_frame(1, b"P|A"), "deepstream: not a message of its JSON protocol"),
    "no object": (server_frame(1, b"[]"), "deepstream: not a message of its JSON protocol"),
    "binary": (server_frame(2, b"{}"), "binary message"),
    "violation": (b"\xc1\x00", "websocket: reserved bit set"),
    "close": (server_frame(8, b"\x03\xe8"), "closed by the server: 1000"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_a_connection_fails_all_its_calls_and_the_next_has_a_new_one(case: str) -> None:
    message, error = BROKEN[case]

    def script(talk: Talk) -> None:
        calls = [hear(talk)]
        if talk.number == 0:
            calls.append(hear(talk))
            if isinstance(message, bytes):
                talk.send(message)
            else:
                tell(talk, **message)
        else:
            answer(talk, calls[0])
        talk.read()

    with peer(logged_in(script)) as server, client() as ours:
        bad = ours.together([rpc(ours, server), rpc(ours, server)])
        good = ours.ask(rpc(ours, server))[0]
    assert [each.error for each in bad] == [error, error]
    assert good.error is None


@pytest.mark.parametrize("asked", [0, 2])
def test_a_connection_that_ends_is_named_and_opened_again(asked: int) -> None:
    def script(talk: Talk) -> None:
        if talk.number == 0:
            for _ in range(asked):
                hear(talk)
            return
        answer(talk, hear(talk))

    with peer(logged_in(script)) as server, client() as ours:
        bad = ours.together([rpc(ours, server), rpc(ours, server)])
        good = ours.ask(rpc(ours, server))[0]
    assert {each.error for each in bad} <= {"closed before answer", "connection reset"}
    assert good.error is None


def test_a_refused_login_is_named() -> None:
    def script(talk: Talk) -> None:
        hear(talk)
        tell(talk, topic=2, action=4)
        hear(talk)
        tell(talk, topic=3, action=4)
        talk.read()

    with peer(after_handshake(script)) as server, client() as ours:
        answers = ours.ask(rpc(ours, server), rpc(ours, server))
    assert [each.error for each in answers] == ["deepstream: login refused"] * 2


def test_no_server_is_named_for_all_calls() -> None:
    with peer(Talk.read) as server:
        pass
    with client() as ours:
        answers = ours.together([rpc(ours, server), rpc(ours, server)])
        again = ours.ask(rpc(ours, server))
    assert [each.error for each in answers + again] == ["connect: connection refused"] * 3


def test_a_login_that_never_comes_times_out() -> None:
    with peer(after_handshake(lambda talk: [talk.read() for _ in range(2)] and None)) as server, client() as ours:
        assert ours.ask(rpc(ours, server, timeout_ns=SHORT))[0].error == "timeout while connecting"
