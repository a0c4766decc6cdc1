"""Remote procedure calls through a deepstream engine by its text protocol: login, pairing by id, errors, heartbeats."""

from __future__ import annotations

from collections.abc import Callable

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

Message = list[str]


def send(connection: ServerConnection, *texts: str) -> None:
    """Send a frame for each text, with bars and plus signs for the separators."""
    for text in texts:
        connection.send(server_frame(1, text.replace("|", "\x1f").replace("+", "\x1e").encode()))


def next_message(connection: ServerConnection) -> Message:
    """The parts of the next message, which must have a frame of its own."""
    *messages, rest = bytes(next_frame(connection).data).decode().split("\x1e")
    assert (len(messages), rest) == (1, "")
    return messages[0].split("\x1f")


def logged_in(script: Callable[[ServerConnection], None], login: str = "{}") -> Script:
    """A script whose client has been challenged and has logged in with that data."""

    def login_then_script(connection: ServerConnection) -> None:
        send(connection, "C|CH+")
        assert next_message(connection)[:2] == ["C", "CHR"]
        send(connection, "C|A+C|PI+")
        assert next_message(connection) == ["A", "REQ", login]
        assert next_message(connection) == ["C", "PO"]
        send(connection, "A|A+")
        script(connection)

    return after_handshake(login_then_script)


def rpc(client: EngineClient, server: ScriptedServer, data: str = "{}", login: str = "{}", **more: object) -> Request:
    request = client.request(
        server.url("deepstream-text", "/deepstream"), data.encode(), rpc_name="inventory/device", **more
    )
    request.address = request.address._replace(login=login)
    return request


def respond(connection: ServerConnection, call: Message, answer: str = "") -> None:
    """Acknowledge a call and answer it, by default with its own data; # stands for name and id."""
    name, identifier, data = call[2:5]
    text = f"P|A|REQ|{name}|{identifier}+{answer or f'P|RES|#|{data}+'}"
    send(connection, text.replace("#", f"{name}|{identifier}"))


def test_a_call_is_an_object_with_name_and_id() -> None:
    calls: list[Message] = []

    def script(connection: ServerConnection) -> None:
        calls.append(next_message(connection))
        respond(connection, calls[0])

    data = '{"method":"LIST","objectid":"å\\"✓"}'
    with scripted_server(logged_in(script)) as server, engine_client() as client:
        response = client.ask(rpc(client, server, data))[0]
    assert calls == [["P", "REQ", "inventory/device", "1", f"O{data}"]]
    assert (response.status, response.error, response.body.decode()) == (0, None, data)


def test_credentials_are_sent_with_the_login() -> None:
    login = '{"username": "jo", "password": "s3cret"}'
    script = logged_in(lambda connection: respond(connection, next_message(connection)), login)
    with scripted_server(script) as server, engine_client() as client:
        assert client.ask(rpc(client, server, login=login))[0].error is None


def test_several_calls_share_a_connection_and_are_paired_by_id() -> None:
    def script(connection: ServerConnection) -> None:
        for call in reversed([next_message(connection) for _ in range(5)]):
            respond(connection, call)

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        responses = client.together([rpc(client, server, f"[{number}]") for number in range(5)])
    assert [response.body for response in responses] == [b"[0]", b"[1]", b"[2]", b"[3]", b"[4]"]
    assert (server.connections, len(client.samples.connects), len(client.samples.times)) == (1, 1, 5)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("P|E|NO_RPC_PROVIDER|#+", "deepstream: NO_RPC_PROVIDER"),
        ("P|E|RESPONSE_TIMEOUT|#+", "deepstream: RESPONSE_TIMEOUT"),
        ("P|E|boom|#+", "deepstream: error of the provider"),
        ("P|E|Sboom|#+", "deepstream: error of the provider"),
    ],
)
def test_an_error_is_named_and_the_connection_stays(answer: str, error: str) -> None:
    def script(connection: ServerConnection) -> None:
        respond(connection, next_message(connection), answer)
        respond(connection, next_message(connection))

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        bad, good = client.ask(rpc(client, server), rpc(client, server))
    assert (bad.error, good.error, server.connections) == (error, None, 1)


def test_a_heartbeat_is_answered_also_within_a_frame_of_others() -> None:
    pongs: list[Message] = []

    def script(connection: ServerConnection) -> None:
        call = next_message(connection)
        send(connection, f"C|PI+P|A|REQ|{call[2]}|{call[3]}+")
        pongs.append(next_message(connection))
        respond(connection, call)

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        assert client.ask(rpc(client, server))[0].error is None
    assert pongs == [["C", "PO"]]


def test_an_engine_that_accepts_at_once_and_sends_empty_frames_is_understood() -> None:
    def script(connection: ServerConnection) -> None:
        send(connection, "C|A+", "")
        assert next_message(connection) == ["A", "REQ", "{}"]
        send(connection, "", "A|A|O{}+")
        respond(connection, next_message(connection))

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        assert client.ask(rpc(client, server))[0].error is None


def test_a_timeout_spares_the_other_calls_and_the_late_response_is_ignored() -> None:
    def script(connection: ServerConnection) -> None:
        respond(connection, next_message(connection))  # so that the time limit is not that of a login
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


NO_MESSAGE = "deepstream: not a message of its text protocol"
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "an id never given": ("P|RES|a|99|O{}+", "deepstream: a response to no call"),
    "an id that is no number": ("P|RES|a|x|O{}+", "deepstream: a response to no call"),
    "no data": ("P|RES|a|1+", NO_MESSAGE),
    "data of no type": ("P|RES|a|1|Q+", NO_MESSAGE),
    "no end": ("P|RES|a|1|O{}", NO_MESSAGE),
    "bars": (server_frame(1, b"P|RES|a|1|O{}\x1e"), NO_MESSAGE),
    "json": ('{"topic":6}', NO_MESSAGE),
    "a subscription": ("P|A|S|a+", NO_MESSAGE),
    "a parse error": ("X|E|MESSAGE_PARSE_ERROR|x+", "deepstream: error message"),
    "rejected": ("C|REJ|x+", "deepstream: connection refused"),
    "redirected": ("C|RED|ws://127.0.0.1:9/d+", "deepstream: connection refused"),
    "challenged again": ("C|CH+", "deepstream: connection refused"),
    "binary": (server_frame(2, b"C\x1fPI\x1e"), "binary message"),
    "close": (server_frame(8, b"\x03\xe8"), "closed by the server: 1000"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_a_connection_fails_its_calls_and_the_next_has_a_new_one(case: str) -> None:
    message, error = BROKEN[case]

    def script(connection: ServerConnection) -> None:
        calls = [next_message(connection)]
        if connection.number == 0:
            calls.append(next_message(connection))
            if isinstance(message, bytes):
                connection.send(message)
            else:
                send(connection, message)
        else:
            respond(connection, calls[0])
        connection.read()

    with scripted_server(logged_in(script)) as server, engine_client() as client:
        bad = client.together([rpc(client, server), rpc(client, server)])
        good = client.ask(rpc(client, server))[0]
    assert ([response.error for response in bad], good.error) == ([error, error], None)


def test_a_refused_login_is_named() -> None:
    def script(connection: ServerConnection) -> None:
        send(connection, "C|A+")
        next_message(connection)
        send(connection, "A|E|INVALID_AUTH_DATA|Sno+")
        connection.read()

    with scripted_server(after_handshake(script)) as server, engine_client() as client:
        responses = client.ask(rpc(client, server), rpc(client, server))
    assert [response.error for response in responses] == ["deepstream: login refused"] * 2


def test_a_login_that_never_comes_times_out() -> None:
    with (
        scripted_server(after_handshake(lambda connection: connection.read() and None)) as server,
        engine_client() as client,
    ):
        assert client.ask(rpc(client, server, timeout_ns=SHORT))[0].error == "timeout while connecting"
