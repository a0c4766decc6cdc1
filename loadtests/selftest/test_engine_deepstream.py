"""Remote procedure calls through a deepstream engine: login, pairing by correlation id, refusals, heartbeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from loadtests.engine.exchange_types import Journey, Request, Response
from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.peers import (
    SHORT,
    EngineClient,
    Script,
    ScriptedServer,
    ServerConnection,
    engine_client,
    scripted_server,
    single,
)
from loadtests.selftest.websocket_peer import after_handshake, next_frame


def send_message(connection: ServerConnection, **message: Any) -> None:
    connection.send(server_frame(1, json.dumps(message).encode()))


def next_message(connection: ServerConnection) -> dict[str, Any]:
    message = json.loads(bytes(next_frame(connection).data))
    assert isinstance(message, dict)
    return message


def logged_in(script: Callable[[ServerConnection], None]) -> Script:
    """A script whose client has logged in (topics CONNECTION 2 and AUTH 3)."""

    def login_then_script(connection: ServerConnection) -> None:
        assert (next_message(connection) | {"url": ""}) == {
            "topic": 2,
            "action": 5,
            "url": "",
            "protocolVersion": "0.1a",
        }
        send_message(connection, topic=2, action=4)
        assert next_message(connection) == {"topic": 3, "action": 2, "data": "{}"}
        send_message(connection, topic=3, action=3)
        script(connection)

    return after_handshake(login_then_script)


def rpc(client: EngineClient, server: ScriptedServer, data: str = "{}", **more: Any) -> Request:
    return client.request(server.url("deepstream", "/deepstream"), data.encode(), rpc_name="inventory/device", **more)


def respond(connection: ServerConnection, call: dict[str, Any], **more: Any) -> None:
    """Respond to a call with its own data (topic RPC 6, action RESPONSE 5)."""
    message = {
        "topic": 6,
        "action": 5,
        "name": call["name"],
        "correlationId": call["correlationId"],
        "data": call["data"],
    }
    send_message(connection, **(message | more))


def test_a_call_is_a_request_with_a_name_and_its_data_as_text() -> None:
    calls: list[dict[str, Any]] = []

    def script(connection: ServerConnection) -> None:
        calls.append(next_message(connection))
        send_message(
            connection, topic=6, action=4, name=calls[0]["name"], correlationId=calls[0]["correlationId"]
        )  # ACCEPT
        respond(connection, calls[0])

    data = '{"method":"LIST","objectid":"å\\"✓"}'
    with scripted_server(logged_in(script)) as server, engine_client() as client:
        got = client.ask(rpc(client, server, data))[0]
    call = calls[0]
    assert call == {"topic": 6, "action": 2, "name": "inventory/device", "correlationId": "1", "data": data}
    assert (got.status, got.error, got.body.decode()) == (0, None, data)


def test_a_value_that_is_no_text_comes_as_json() -> None:
    with (
        scripted_server(
            logged_in(lambda connection: respond(connection, next_message(connection), data={"success": True}))
        ) as server,
        engine_client() as client,
    ):
        assert client.ask(rpc(client, server))[0].body == b'{"success":true}'


def test_several_calls_share_a_connection_and_are_paired_by_id() -> None:
    def script(connection: ServerConnection) -> None:
        calls = [next_message(connection) for _ in range(5)]
        for call in reversed(calls):
            respond(connection, call)

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        responses = client.together([rpc(client, server, f"[{number}]") for number in range(5)])
    assert [response.body for response in responses] == [b"[0]", b"[1]", b"[2]", b"[3]", b"[4]"]
    assert (server.connections, len(client.samples.connects), len(client.samples.times)) == (1, 1, 5)


@pytest.mark.parametrize(
    ("action", "error"),
    [(7, "deepstream: REQUEST_ERROR"), (100, "deepstream: NO_RPC_PROVIDER"), (104, "deepstream: RESPONSE_TIMEOUT")],
)
def test_a_refusal_is_named_and_the_connection_stays(action: int, error: str) -> None:
    def script(connection: ServerConnection) -> None:
        respond(connection, next_message(connection), action=action, isError=True, data="why")
        respond(connection, next_message(connection))

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        bad, good = client.ask(rpc(client, server), rpc(client, server))
    assert (bad.error, bad.body, good.error, server.connections) == (error, b"why", None, 1)


def test_a_heartbeat_gets_its_response() -> None:
    pongs: list[dict[str, Any]] = []

    def script(connection: ServerConnection) -> None:
        call = next_message(connection)
        send_message(connection, topic=2, action=2)
        pongs.append(next_message(connection))
        respond(connection, call)

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        assert client.ask(rpc(client, server))[0].error is None
    assert pongs == [{"topic": 2, "action": 3}]


def test_a_timeout_spares_the_other_calls_and_the_late_response_is_ignored() -> None:
    def script(connection: ServerConnection) -> None:
        respond(
            connection, next_message(connection)
        )  # opens the connection, so that the time limit is not that of a login
        late, prompt = next_message(connection), next_message(connection)
        respond(connection, prompt)
        third = next_message(connection)  # sent after the first one's time was over
        respond(connection, late)
        respond(connection, third)

    responses: list[Response] = []

    def journey(client: EngineClient, server: ScriptedServer) -> Journey:
        yield rpc(client, server, "[0]")
        both = yield [rpc(client, server, "[1]", timeout_ns=SHORT), rpc(client, server, "[2]")]
        assert isinstance(both, list)
        responses.extend(both)
        responses.append(single((yield rpc(client, server, "[3]"))))

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        client.play(journey(client, server))
    assert [(response.error, response.body) for response in responses] == [
        ("timeout", b""),
        (None, b"[2]"),
        (None, b"[3]"),
    ]
    assert server.connections == 1


BROKEN: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "an id never given": (
        {"topic": 6, "action": 5, "correlationId": "99", "data": ""},
        "deepstream: a response to no call",
    ),
    "no id": ({"topic": 6, "action": 5, "data": ""}, "deepstream: a response to no call"),
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

    def script(connection: ServerConnection) -> None:
        calls = [next_message(connection)]
        if connection.number == 0:
            calls.append(next_message(connection))
            if isinstance(message, bytes):
                connection.send(message)
            else:
                send_message(connection, **message)
        else:
            respond(connection, calls[0])
        connection.read()

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        bad = client.together([rpc(client, server), rpc(client, server)])
        good = client.ask(rpc(client, server))[0]
    assert [response.error for response in bad] == [error, error]
    assert good.error is None


@pytest.mark.parametrize("calls", [0, 2])
def test_a_connection_that_ends_is_named_and_opened_again(calls: int) -> None:
    def script(connection: ServerConnection) -> None:
        if connection.number == 0:
            for _ in range(calls):
                next_message(connection)
            return
        respond(connection, next_message(connection))

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        bad = client.together([rpc(client, server), rpc(client, server)])
        good = client.ask(rpc(client, server))[0]
    assert {response.error for response in bad} <= {"closed before response", "connection reset"}
    assert good.error is None


def test_a_refused_login_is_named() -> None:
    def script(connection: ServerConnection) -> None:
        next_message(connection)
        send_message(connection, topic=2, action=4)
        next_message(connection)
        send_message(connection, topic=3, action=4)
        connection.read()

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        responses = client.ask(rpc(client, server), rpc(client, server))
    assert [response.error for response in responses] == ["deepstream: login refused"] * 2


def test_no_server_is_named_for_all_calls() -> None:
    with scripted_server(ServerConnection.read) as server:
        pass
    with engine_client() as client:
        responses = client.together([rpc(client, server), rpc(client, server)])
        again = client.ask(rpc(client, server))
    assert [response.error for response in responses + again] == ["connect: connection refused"] * 3


def test_a_login_that_never_comes_times_out() -> None:
    with (
        scripted_server(after_handshake(lambda connection: [connection.read() for _ in range(2)] and None)) as server,
        engine_client() as client,
    ):
        assert client.ask(rpc(client, server, timeout_ns=SHORT))[0].error == "timeout while connecting"
