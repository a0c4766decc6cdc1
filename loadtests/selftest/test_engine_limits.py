"""The engine's limits and decisions, each at its edge: no sockets, no waiting."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from typing import Any

import orjson
import pytest

from fixtures.http1.response_head import ResponseHead, parse_head
from fixtures.websocket.handshake import accepts_handshake
from loadtests.engine import connection as connection_module
from loadtests.engine import virtual_user
from loadtests.engine.deepstream_connection import DeepstreamConnection
from loadtests.engine.exchange_types import Address, Journey, Request, Response
from loadtests.engine.http_connection import HttpConnection
from loadtests.engine.virtual_user import MAX_PAUSE, VirtualUser
from loadtests.engine.websocket_connection import WebsocketConnection
from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.fake_loop import Clock, FakeLoop, Requester, connection_on, request_to

HTTP = Address("http", "h", 80)
WS = Address("ws", "h", 80, "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(connection_module, "perf_counter_ns", clock)
    return clock


def sent(kind: Any = HttpConnection, address: Address = HTTP, is_open: bool = True, **more: Any) -> tuple[Any, ...]:
    """Loop, connection, request and requester of a request that was just sent."""
    loop, requester, request = FakeLoop(), Requester(), request_to(address, **more)
    connection = connection_on(loop, kind, address, is_open)
    connection.send_request(request, requester)
    return loop, connection, request, requester


# ------------------------------------------------------------------------------------------------ deadlines


def test_timeout_comes_at_the_deadline_and_not_before(clock: Clock) -> None:
    loop, _, _, requester = sent(timeout_ns=500)
    assert [when for when, _ in loop.timers] == [1_500]
    clock.now = 1_499
    loop.fire_timer()
    assert requester.responses == []
    assert [when for when, _ in loop.timers] == [1_500]
    clock.now = 1_500
    loop.fire_timer()
    assert [response.error for response in requester.responses] == ["timeout"]


def test_timeout_before_the_request_was_written_is_named(clock: Clock) -> None:
    loop, connection, _, requester = sent(is_open=False, timeout_ns=500)
    assert (connection.opened, connection.written) == (1, [])
    clock.now = 1_500
    loop.fire_timer()
    assert [response.error for response in requester.responses] == ["timeout while connecting"]


@pytest.mark.parametrize(("timeout", "timers"), [(499, [1_500, 1_499]), (500, [1_500]), (501, [1_500])])
def test_only_an_earlier_deadline_sets_another_timer(clock: Clock, timeout: int, timers: list[int]) -> None:
    loop, connection, _, _ = sent(timeout_ns=500)
    connection.on_bytes(OK, clock.now)
    connection.send_request(request_to(HTTP, timeout_ns=timeout), Requester())
    assert [when for when, _ in loop.timers] == timers


def test_replaced_timer_does_nothing(clock: Clock) -> None:
    loop, connection, _, _ = sent(timeout_ns=500)
    connection.on_bytes(OK, clock.now)
    late = Requester()
    connection.send_request(request_to(HTTP, timeout_ns=400), late)
    clock.now = 1_500
    loop.fire_timer()
    assert late.responses == []


def test_timer_of_a_connection_without_request_is_not_set_again(clock: Clock) -> None:
    loop, connection, _, requester = sent(timeout_ns=500)
    connection.on_bytes(OK, clock.now)
    clock.now = 1_500
    loop.fire_timer()
    assert (loop.timers, len(requester.responses)) == ([], 1)


# ------------------------------------------------------------------------------------------------ responses


@pytest.mark.parametrize(("status", "error"), [(200, None), (399, None), (400, "status 400"), (599, "status 599")])
def test_without_a_validator_400_and_more_fails(clock: Clock, status: int, error: str | None) -> None:
    _, connection, request, requester = sent()
    clock.now = 1_700
    connection.on_bytes(OK.replace(b"200", b"%d" % status), clock.now)
    assert [(response.status, response.error) for response in requester.responses] == [(status, error)]
    assert (len(request.samples.times), len(request.samples.failures)) == ((1, 0) if error is None else (0, 1))
    assert requester.failures == ([] if error is None else [f"operation: {error}"])


@pytest.mark.usefixtures("clock")
def test_times_are_those_of_intended_start_send_first_and_last_byte() -> None:
    loop, requester, request = FakeLoop(), Requester(), request_to(HTTP)
    connection = connection_on(loop, HttpConnection, HTTP)
    connection.send_request(request, requester, intended=900)
    connection.on_bytes(OK[:-1], 1_300)
    connection.on_bytes(OK[-1:], 1_400)
    assert request.samples.times == [(900, 1_000, 1_300, 1_400, 2)]


def test_request_waits_until_the_connection_is_open(clock: Clock) -> None:
    _, connection, request, _ = sent(is_open=False)
    clock.now = 1_250
    connection.connected()
    assert (connection.written, request.samples.connects) == ([b"{}"], [1_250])
    connection.on_bytes(OK, 1_400)
    assert request.samples.times == [(1_000, 1_250, 1_400, 1_400, 2)]


@pytest.mark.parametrize(("surplus", "errors"), [(b"", [None, None]), (b"x", [None, "unsolicited bytes"])])
def test_bytes_behind_a_response_fail_the_next_request(clock: Clock, surplus: bytes, errors: list[str | None]) -> None:
    loop, connection, _, first = sent()
    connection.on_bytes(OK + surplus, clock.now)
    second = Requester()
    connection.send_request(request_to(HTTP), second)
    loop.run_deferred()
    if not second.responses:
        connection.on_bytes(OK, clock.now)
    assert [response.error for response in first.responses + second.responses] == errors


def test_bytes_before_the_request_is_written_fail_it(clock: Clock) -> None:
    _, connection, _, requester = sent(is_open=False)
    connection.on_bytes(OK, clock.now)
    assert [response.error for response in requester.responses] == ["unsolicited bytes"]


@pytest.mark.parametrize(
    ("data", "error"), [(b"", "closed before response"), (b"H", "closed in response"), (OK[:-1], "closed in response")]
)
def test_end_of_the_connection_names_how_far_the_response_came(clock: Clock, data: bytes, error: str) -> None:
    _, connection, _, requester = sent()
    connection._first_sent = connection._sent
    if data:
        connection.on_bytes(data, clock.now)
    connection.on_end("")
    assert [response.error for response in requester.responses] == [error]


def test_response_to_head_ends_with_its_head(clock: Clock) -> None:
    _, connection, _, requester = sent(is_head=True)
    connection.on_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", clock.now)
    connection.send_request(request_to(HTTP, is_head=True), requester)
    connection.on_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", clock.now)
    assert [(response.error, response.body) for response in requester.responses] == [(None, b"")] * 2
    assert connection.ready


# ------------------------------------------------------------------------------------------------ websocket handshakes


def accepting_head(**changes: bytes) -> ResponseHead:
    """The head that accepts the handshake with KEY, with other values, or without a header whose value is empty."""
    proof = b64encode(sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    values = {"Upgrade": b"websocket", "Connection": b"Upgrade", "Sec-WebSocket-Accept": proof, **changes}
    lines = b"".join(b"%b: %b\r\n" % (name.encode(), value) for name, value in values.items() if value)
    return parse_head(b"HTTP/1.1 101 X\r\n" + lines + b"\r\n")


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, True),
        ({"Upgrade": b"WebSocket"}, True),
        ({"Connection": b"keep-alive, Upgrade"}, True),
        ({"Upgrade": b"h2c"}, False),
        ({"Connection": b"keep-alive, Upgrade "}, True),
        ({"Sec-WebSocket-Accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, True),
        ({"Sec-WebSocket-Accept": b"s3pPLMBiTxaQ9kYGzzhZRbK+xOO="}, False),
        ({"Sec-WebSocket-Accept": b""}, False),
        ({"Sec-WebSocket-Extensions": b"permessage-deflate"}, False),
        ({"Sec-WebSocket-Protocol": b"chat"}, False),
    ],
)
def test_handshake_is_accepted_only_as_it_was_offered(changes: dict[str, bytes], accepted: bool) -> None:
    assert accepts_handshake(accepting_head(**changes), KEY) is accepted


@pytest.mark.parametrize(
    ("status", "connection", "accepted"), [(101, b"upgrade", True), (200, b"upgrade", False), (101, b"x", False)]
)
def test_handshake_needs_its_status_and_connection_option(status: int, connection: bytes, accepted: bool) -> None:
    headers = [(name, value) for name, value in accepting_head().headers if name != b"connection"]
    head = ResponseHead(status, [], [*headers, (b"connection", connection)], 0, True)
    assert accepts_handshake(head, KEY) is accepted


# ------------------------------------------------------------------------------------------------ websocket messages


@pytest.mark.usefixtures("clock")
def test_message_is_the_response_of_the_request_in_flight() -> None:
    _, connection, request, requester = sent(WebsocketConnection, WS)
    connection.on_bytes(server_frame(1, b"[1]"), 1_600)
    assert [(response.status, response.body) for response in requester.responses] == [(0, b"[1]")]
    assert request.samples.times == [(1_000, 1_000, 1_600, 1_600, 3)]


@pytest.mark.usefixtures("clock")
def test_first_byte_of_a_fragmented_message_is_that_of_its_first_fragment() -> None:
    _, connection, request, _ = sent(WebsocketConnection, WS)
    connection.on_bytes(server_frame(9, b"?"), 1_500)
    connection.on_bytes(server_frame(1, b"[", fin=False), 1_600)
    connection.on_bytes(server_frame(0, b"]"), 1_700)
    assert request.samples.times == [(1_000, 1_000, 1_600, 1_700, 2)]


@pytest.mark.parametrize("number", [1, 2])
def test_only_a_second_message_is_unsolicited(clock: Clock, number: int) -> None:
    loop, connection, _, _ = sent(WebsocketConnection, WS)
    connection.on_bytes(server_frame(2, b"x") * number, clock.now)
    requester = Requester()
    connection.send_request(request_to(WS), requester)
    loop.run_deferred()
    assert [response.error for response in requester.responses] == ["unsolicited message"] * (number - 1)


def test_close_without_a_code_is_named(clock: Clock) -> None:
    _, connection, _, requester = sent(WebsocketConnection, WS)
    connection.on_bytes(server_frame(8, b""), clock.now)
    assert [response.error for response in requester.responses] == ["closed by the server: no code"]


# ------------------------------------------------------------------------------------------------ deepstream


def rpc_response(identifier: object, **more: object) -> bytes:
    return server_frame(1, orjson.dumps({"topic": 6, "action": 5, "correlationId": identifier, "data": "x", **more}))


def deepstream_with(calls: int) -> tuple[FakeLoop, Any, Requester]:
    """A connection on which so many calls wait; all were sent."""
    loop, requester = FakeLoop(), Requester()
    connection = connection_on(loop, DeepstreamConnection, WS)
    for _ in range(calls):
        connection.send_request(request_to(WS, rpc_name="a", timeout_ns=500), requester)
    return loop, connection, requester


@pytest.mark.parametrize("identifier", ["0", "3", "-1", "1x", "", 1, None, "9" * 30])
def test_response_to_no_call_breaks_the_connection(identifier: object) -> None:
    _, connection, requester = deepstream_with(2)
    connection.on_bytes(rpc_response(identifier), 2_000)
    assert [response.error for response in requester.responses] == ["deepstream: a response to no call"] * 2


@pytest.mark.parametrize("identifier", ["1", "2"])
def test_second_response_to_a_call_is_ignored(identifier: str) -> None:
    _, connection, requester = deepstream_with(2)
    for _ in range(2):
        connection.on_bytes(rpc_response(identifier), 2_000)
    assert [(response.error, response.body) for response in requester.responses] == [(None, b"x")]
    assert connection.ready


def test_calls_expire_at_their_deadline_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("loadtests.engine.deepstream_connection.perf_counter_ns", clock)
    loop, connection, requester = deepstream_with(1)
    clock.now = 1_001
    connection.send_request(request_to(WS, rpc_name="b", timeout_ns=500), requester)
    assert [when for when, _ in loop.timers] == [1_500]
    clock.now = 1_500
    loop.fire_timer()
    assert [response.error for response in requester.responses] == ["timeout"]
    assert [when for when, _ in loop.timers] == [1_501]
    clock.now = 1_501
    loop.fire_timer()
    assert [response.error for response in requester.responses] == ["timeout"] * 2
    assert (loop.timers, connection.ready) == ([], True)


@pytest.mark.parametrize("action", [1, 6, 7, 100, 101, 103, 104, 106, 107, 108])
def test_refusal_ends_its_call(action: int) -> None:
    _, connection, requester = deepstream_with(1)
    connection.on_bytes(rpc_response("1", action=action), 2_000)
    assert [str(response.error).startswith("deepstream: ") for response in requester.responses] == [True]


@pytest.mark.parametrize("action", [2, 3, 4, 8, 102, 105, 109])
def test_any_other_action_leaves_the_call_waiting(action: int) -> None:
    _, connection, requester = deepstream_with(1)
    connection.on_bytes(rpc_response("1", action=action), 2_000)
    assert (requester.responses, connection.ready) == ([], True)


# ------------------------------------------------------------------------------------------------ pauses of journeys


@pytest.mark.parametrize("pause", [0, 0.0, 1.5, MAX_PAUSE - 1])
def test_pause_ends_that_much_later(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    monkeypatch.setattr(virtual_user, "perf_counter_ns", lambda: 1_000)
    loop: Any = FakeLoop()
    user = VirtualUser(loop)

    def journey() -> Journey:
        yield pause

    user.run(journey(), 0, lambda _: None)
    loop.run_deferred()
    assert [when for when, _ in loop.timers] == [1_000 + int(pause * 1e9)]
    loop.fire_timer()
    assert (user.exception, user.is_running) == (None, False)


@pytest.mark.parametrize("pause", [-0.001, MAX_PAUSE, float("nan"), float("inf"), "1"])
def test_pause_that_is_none_is_refused(pause: Any) -> None:
    loop: Any = FakeLoop()
    user = VirtualUser(loop)

    def journey() -> Journey:
        yield pause

    user.run(journey(), 0, lambda _: None)
    loop.run_deferred()
    assert isinstance(user.exception, TypeError)


def test_a_pause_is_at_most_a_day() -> None:
    assert MAX_PAUSE == 24 * 60 * 60


def test_first_failure_is_kept() -> None:
    loop: Any = FakeLoop()
    user = VirtualUser(loop)
    user.request_failed("first", False)
    user.request_failed("second", False)
    assert user.first_failure == "first"


def test_response_shows_its_time_in_milliseconds() -> None:
    assert repr(Response(200, [], b"abc", None, 1_000_000, 0, 0, 3_500_000)) == "Response(200, None, 3 B, 2.500 ms)"


def test_request_waits_30_seconds_by_default() -> None:
    assert request_to(HTTP).timeout_ns == 30_000_000_000
    assert isinstance(request_to(HTTP), Request)
