"""What a connection to a text endpoint of deepstream does with each message: on a loop without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.websocket.deepstream_text_protocol import RESPONSE, RpcEvent
from fixtures.websocket.frame_codec import CLOSE, TEXT, decode_frame, encode_frame
from loadtests.engine import deepstream_connection, recorder
from loadtests.engine.connection import NO_HEADERS
from loadtests.engine.deepstream_text_connection import DeepstreamTextConnection
from loadtests.engine.exchange_types import Address, Request
from loadtests.selftest.fake_loop import FakeLoop, Requester, connection_on, request_to

AT = Address("deepstream-text", "h", 6020, "/deepstream")
BROKEN = (CLOSE, b"\x03\xf0")
MALFORMED = "deepstream: not a message of its text protocol"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (deepstream_connection, recorder):
        monkeypatch.setattr(module, "perf_counter_ns", lambda: 1_000)


def as_bytes(text: str) -> bytes:
    return text.replace("|", "\x1f").replace("+", "\x1e").encode()


def written(connection: Any) -> list[str]:
    """The text messages that were written since the last call, with bars and plus signs for the separators."""
    frames = [decode_frame(data) or (0, False, b"", 0) for data in connection.written]
    connection.written.clear()
    texts = [payload.decode() for first, _, payload, _ in frames if first & 0x0F == TEXT]
    return [text.replace("\x1f", "|").replace("\x1e", "+") for text in texts]


def closed_with(connection: Any) -> tuple[int, bytes]:
    first, _, payload, _ = decode_frame(connection.written[-1]) or (0, False, b"", 0)
    return first & 0x0F, payload


def receive(connection: Any, text: str, now: int = 1_100) -> None:
    connection.on_bytes(encode_frame(TEXT, as_bytes(text), masked=False), now)


def opened(is_open: bool = True) -> Any:
    return connection_on(FakeLoop(), DeepstreamTextConnection, AT, is_open=is_open)


def call(connection: Any, **more: Any) -> tuple[Request, Requester]:
    requester, request = Requester(), request_to(AT, rpc_name="a/b", **more)
    connection.send_request(request, requester, 900)
    return request, requester


def outcomes(requester: Requester) -> list[tuple[bytes, str | None]]:
    return [(response.body, response.error) for response in requester.responses]


# ------------------------------------------------------------------------------------------------ login


def test_the_engine_speaks_first() -> None:
    connection = opened(is_open=False)
    call(connection)
    connection.on_handshake_done()
    assert written(connection) == []


def test_each_step_of_the_login_follows_its_message() -> None:
    connection = opened(is_open=False)
    _, requester = call(connection)
    receive(connection, "C|CH+")
    assert written(connection) == ["C|CHR|ws://h:6020/deepstream+"]
    receive(connection, "C|A+")
    assert written(connection) == ["A|REQ|{}+"]
    assert connection.ready is False
    receive(connection, "A|A+")
    assert connection.ready is True
    assert written(connection)[0].startswith("P|REQ|a/b|1|O")
    assert outcomes(requester) == []


def test_a_login_in_one_frame_is_read_message_by_message() -> None:
    connection = opened(is_open=False)
    call(connection)
    receive(connection, "C|CH+C|A+A|A+")
    assert [text.split("|")[1] for text in written(connection)] == ["CHR", "REQ", "REQ"]
    assert connection.ready is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("A|E|INVALID_AUTH_DATA|S+", "deepstream: login refused"),
        ("A|REQ+", "deepstream: login refused"),
        ("C|REJ+", "deepstream: connection refused"),
        ("C|RED|ws://x+", "deepstream: connection refused"),
        ("C|E|x+", "deepstream: connection refused"),
        ("X|E|UNKNOWN_TOPIC|x+", "deepstream: error message"),
        ("R|A+", "deepstream: error message"),
        ("nonsense", MALFORMED),
        ("P|RES+", MALFORMED),
    ],
)
def test_anything_else_fails_the_waiting_calls(text: str, reason: str) -> None:
    connection = opened(is_open=False)
    _, requester = call(connection)
    receive(connection, text)
    assert outcomes(requester) == [(b"", reason)]
    assert closed_with(connection) == BROKEN


@pytest.mark.parametrize("text", ["C|CH+", "C|A+", "A|A+"])
def test_a_step_of_the_login_is_none_once_it_is_over(text: str) -> None:
    connection = opened()
    _, requester = call(connection)
    written(connection)
    receive(connection, text)
    expected = "deepstream: login refused" if text.startswith("A") else "deepstream: connection refused"
    assert outcomes(requester) == [(b"", expected)]


def test_nothing_is_read_behind_what_has_closed_the_connection() -> None:
    connection = opened()
    call(connection)
    written(connection)
    receive(connection, "C|REJ+C|PI+")
    assert written(connection) == []


# ------------------------------------------------------------------------------------------------ heartbeats


@pytest.mark.parametrize("is_open", [True, False])
def test_a_heartbeat_is_answered(is_open: bool) -> None:
    connection = opened(is_open)
    receive(connection, "C|PI+")
    assert written(connection) == ["C|PO+"]


def test_the_answer_to_a_heartbeat_is_ignored() -> None:
    connection = opened()
    _, requester = call(connection)
    written(connection)
    receive(connection, "C|PO+")
    assert (written(connection), outcomes(requester)) == ([], [])


def test_an_empty_frame_is_ignored() -> None:
    connection = opened()
    _, requester = call(connection)
    written(connection)
    receive(connection, "")
    assert (written(connection), outcomes(requester)) == ([], [])


# ------------------------------------------------------------------------------------------------ calls


def test_a_call_has_name_id_and_an_object() -> None:
    connection = opened()
    request, _ = call(connection)
    call(connection)
    data = request.payload.decode()
    assert written(connection) == [f"P|REQ|a/b|1|O{data}+", f"P|REQ|a/b|2|O{data}+"]


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ('O{"a":1}', b'{"a":1}'),
        ('S{"a":1}', b'{"a":1}'),
        ("N1.5", b"1.5"),
        ("T", b"true"),
        ("F", b"false"),
        ("L", b"null"),
        ("U", b""),
    ],
)
@pytest.mark.parametrize("text", ["P|RES|a/b|1|{}+", "C|PI+P|RES|a/b|1|{}+"], ids=["alone", "behind_another"])
def test_a_response_is_the_json_of_its_data(text: str, data: str, body: bytes) -> None:
    connection = opened()
    _, requester = call(connection)
    receive(connection, text.replace("{}", data, 1), 1_300)
    assert outcomes(requester) == [(body, None)]
    (response,) = requester.responses
    assert (response.status, response.intended, response.sent) == (0, 900, 1_000)
    assert response.headers is NO_HEADERS
    assert (response.first, response.done) == (1_300, 1_300)


def test_an_acknowledgement_ends_no_call() -> None:
    connection = opened()
    _, requester = call(connection)
    receive(connection, "P|A|REQ|a/b|1+")
    assert outcomes(requester) == []
    receive(connection, "P|RES|a/b|1|T+")
    assert outcomes(requester) == [(b"true", None)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("NO_RPC_PROVIDER", "deepstream: NO_RPC_PROVIDER"),
        ("RESPONSE_TIMEOUT", "deepstream: RESPONSE_TIMEOUT"),
        ("boom", "deepstream: error of the provider"),
        ("Sboom", "deepstream: error of the provider"),
    ],
)
def test_an_error_ends_its_call(error: str, reason: str) -> None:
    connection = opened()
    _, requester = call(connection)
    receive(connection, f"P|E|{error}|a/b|1+")
    assert outcomes(requester) == [(b"", reason)]
    assert connection.ready is True


@pytest.mark.parametrize("text", ["P|RES|a/b|1|+", "P|RES|a/b|1|Q+", "P|RES|a/b|1|Nx+", "P|RES|a/b|1|T|x+C|PI"])
def test_a_response_that_cannot_be_read_closes(text: str) -> None:
    connection = opened()
    _, requester = call(connection)
    receive(connection, text)
    assert outcomes(requester) == [(b"", MALFORMED)]
    assert closed_with(connection) == BROKEN


@pytest.mark.parametrize("identifier", ["2", "0", "-1", "x", "é", ""])
def test_a_response_to_no_call_closes(identifier: str) -> None:
    connection = opened()
    _, requester = call(connection)
    receive(connection, f"P|RES|a/b|{identifier}|T+")
    assert outcomes(requester) == [(b"", "deepstream: a response to no call")]
    assert closed_with(connection) == BROKEN


def test_an_identifier_that_cannot_be_read_closes() -> None:
    connection = opened()
    _, requester = call(connection)
    connection._on_event(RpcEvent(RESPONSE, b"a/b", b"\xff", b"T"), 1_100)
    assert outcomes(requester) == [(b"", "deepstream: a response to no call")]


def test_a_response_that_comes_twice_is_ignored() -> None:
    connection = opened()
    (_, first), (_, second) = call(connection), call(connection)
    written(connection)
    receive(connection, "P|RES|a/b|1|T+")
    receive(connection, "P|RES|a/b|1|F+")
    assert (outcomes(first), outcomes(second), written(connection)) == ([(b"true", None)], [], [])


def test_a_response_before_the_login_is_over_ends_no_call() -> None:
    connection = opened(is_open=False)
    _, requester = call(connection)
    receive(connection, "P|RES|a/b|1|T+")
    assert outcomes(requester) == []


def test_responses_in_one_frame_each_end_their_call() -> None:
    connection = opened()
    (_, first), (_, second) = call(connection), call(connection)
    receive(connection, "P|RES|a/b|2|T+P|RES|a/b|1|F+")
    assert (outcomes(first), outcomes(second)) == ([(b"false", None)], [(b"true", None)])
