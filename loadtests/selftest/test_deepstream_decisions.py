"""What a deepstream connection does with login, calls and their deadlines: on a loop without sockets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures.websocket.frame_codec import BINARY, CLOSE, PING, PONG, TEXT, decode_frame, encode_frame
from loadtests.engine import deepstream_connection, recorder, websocket_connection
from loadtests.engine.deepstream_connection import DeepstreamConnection
from loadtests.engine.exchange_types import Address, Request
from loadtests.selftest.fake_loop import Clock, FakeLoop, Requester, connection_on, request_to
from reports.load.operation_statistics import FailedRequest

AT = Address("deepstream", "h", 6020, "/deepstream")
BROKEN = (CLOSE, b"\x03\xf0")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (deepstream_connection, recorder):
        monkeypatch.setattr(module, "perf_counter_ns", clock)
    return clock


def frames(connection: Any) -> list[tuple[int, bytes]]:
    decoded = [decode_frame(data) or (0, False, b"", 0) for data in connection.written]
    return [(first & 0x0F, payload) for first, _, payload, _ in decoded]


def messages(connection: Any) -> list[Any]:
    """The messages that were written since the last call."""
    written = [json.loads(payload) for opcode, payload in frames(connection) if opcode == TEXT]
    connection.written.clear()
    return written


def logged_in() -> Any:
    return connection_on(FakeLoop(), DeepstreamConnection, AT)


def call(connection: Any, intended: int = 900, **more: Any) -> tuple[Request, Requester]:
    requester, request = Requester(), request_to(AT, rpc_name="inventory/device", **more)
    connection.send_request(request, requester, intended)
    return request, requester


def receive(connection: Any, now: int = 1_100, **message: Any) -> None:
    connection.on_bytes(encode_frame(TEXT, json.dumps(message).encode(), masked=False), now)


def respond(connection: Any, identifier: Any, now: int = 1_100, **more: Any) -> None:
    receive(connection, now, **{"topic": 6, "action": 5, "correlationId": identifier, "data": "[]"} | more)


def errors(requester: Requester) -> list[str | None]:
    return [response.error for response in requester.responses]


# ------------------------------------------------------------------------------------------------ login


@pytest.mark.parametrize("is_open", [True, False])
def test_a_call_that_fails_before_the_login_was_not_sent(is_open: bool) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=is_open)
    _, requester = call(connection)
    connection.fail("gone")
    assert (errors(requester), requester.unsent) == (["gone"], [not is_open])


def test_login_goes_before_the_calls(clock: Clock) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    (first, requester), (second, _) = call(connection), call(connection, 0)
    connection._open_began = 900
    assert (connection.opened, connection.written) == (1, [])
    connection.on_handshake_done()
    url = "ws://h:6020/deepstream"
    assert messages(connection) == [{"topic": 2, "action": 5, "url": url, "protocolVersion": "0.1a"}]
    receive(connection, topic=2, action=5)
    assert connection.written == []
    receive(connection, topic=2, action=4)
    assert messages(connection) == [{"topic": 3, "action": 2, "data": "{}"}]
    assert connection.ready is False
    clock.now = 1_050
    receive(connection, topic=3, action=3)
    assert [message["correlationId"] for message in messages(connection)] == ["1", "2"]
    assert (connection.ready, first.samples.connects, second.samples.connects) == (True, [150], [])
    respond(connection, "1")
    assert [(response.intended, response.sent) for response in requester.responses] == [(900, 1_050)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"topic": 3, "action": 4}, "deepstream: login refused"),
        ({"topic": 2, "action": 6}, "deepstream: connection refused"),
        ({"topic": 4, "action": 5}, "deepstream: connection refused"),
        ({"topic": 3, "action": 5}, "deepstream: login refused"),
        ({"topic": 9, "action": 3}, "deepstream: connection refused"),
        ({"topic": 9, "action": 4}, "deepstream: connection refused"),
        ({}, "deepstream: connection refused"),
    ],
)
def test_refusal_is_named_and_the_next_call_tries_anew(message: dict[str, int], reason: str) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    requesters = [call(connection)[1] for _ in range(2)]
    receive(connection, **message)
    assert [errors(requester) for requester in requesters] == [[reason], [reason]]
    assert frames(connection) == [BROKEN]
    call(connection)
    assert connection.opened == 2


@pytest.mark.parametrize(("topic", "action"), [(2, 4), (3, 3)])
def test_login_that_comes_again_is_refused(topic: int, action: int) -> None:
    connection = logged_in()
    _, requester = call(connection)
    connection.written.clear()
    receive(connection, topic=topic, action=action)
    assert (len(requester.responses), frames(connection), connection.ready) == (1, [BROKEN], False)


@pytest.mark.parametrize("is_open", [True, False])
def test_ping_of_the_protocol_is_answered(is_open: bool) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open)
    if not is_open:
        call(connection)
    receive(connection, topic=2, action=2)
    assert messages(connection) == [{"topic": 2, "action": 3}]


# ------------------------------------------------------------------------------------------------ calls


def test_call_has_name_number_and_data() -> None:
    connection = logged_in()
    request = Request(request_to(AT).samples, '{"a":"ö"}'.encode() + b"\xff", AT, rpc_name='a"b')
    connection.send_request(request, Requester())
    data = '{"a":"ö"}�'
    assert messages(connection) == [{"topic": 6, "action": 2, "name": 'a"b', "correlationId": "1", "data": data}]


@pytest.mark.parametrize(("data", "body"), [("[ö]", "[ö]".encode()), ({"a": [1]}, b'{"a":[1]}'), (None, b"null")])
def test_response_has_data_and_times(data: Any, body: bytes) -> None:
    connection = logged_in()
    request, requester = call(connection)
    respond(connection, "1", 1_234, data=data)
    (response,) = requester.responses
    assert (response.error, response.status, response.headers, response.body) == (None, 0, [], body)
    assert request.samples.times == [(900, 1_000, 1_234, 1_234, len(body))]


def test_call_is_intended_now_unless_a_time_is_given() -> None:
    connection, requester = logged_in(), Requester()
    connection.send_request(request_to(AT), requester)
    respond(connection, "1")
    assert [response.intended for response in requester.responses] == [1_000]


def test_response_without_data_is_empty() -> None:
    connection = logged_in()
    _, requester = call(connection, 0)
    receive(connection, topic=6, action=5, correlationId="1")
    assert [(response.body, response.intended) for response in requester.responses] == [(b"", 1_000)]


def test_calls_are_paired_by_number() -> None:
    connection = logged_in()
    (_, first), (_, second) = call(connection), call(connection)
    respond(connection, "2", data="two")
    assert first.responses == []
    respond(connection, "1", data="one")
    assert [first.responses[0].body, second.responses[0].body] == [b"one", b"two"]


@pytest.mark.parametrize(("action", "name"), [(1, "ERROR"), (6, "REJECT"), (100, "NO_RPC_PROVIDER")])
def test_refused_call_has_its_reason_and_data(action: int, name: str) -> None:
    connection = logged_in()
    request, requester = call(connection)
    respond(connection, "1", action=action, data="why")
    assert [(response.error, response.body) for response in requester.responses] == [(f"deepstream: {name}", b"why")]
    assert request.samples.failures == [FailedRequest(f"deepstream: {name}", 900, 1_000, 1_100, 3)]
    assert connection.ready is True


@pytest.mark.parametrize("action", [4, 99, None])
def test_other_news_of_a_call_is_no_response(action: Any) -> None:
    connection = logged_in()
    _, requester = call(connection)
    respond(connection, "1", action=action)
    assert (requester.responses, connection.ready) == ([], True)


@pytest.mark.parametrize("identifier", ["0", "3", "-1", "1.0", "", 1, None, ["1"], "9" * 5_000, f"{1:019}"])
def test_response_to_no_call_breaks_the_connection(identifier: Any) -> None:
    connection = logged_in()
    requesters = [call(connection)[1] for _ in range(2)]
    connection.written.clear()
    respond(connection, identifier)
    assert [errors(requester) for requester in requesters] == [["deepstream: a response to no call"]] * 2
    assert (frames(connection), connection.ready) == ([BROKEN], False)


@pytest.mark.parametrize("identifier", ["1", "2"])
def test_response_that_comes_again_is_ignored(identifier: str) -> None:
    connection = logged_in()
    requesters = [call(connection)[1] for _ in range(2)]
    for number in ("1", "2", identifier):
        respond(connection, number)
    assert ([len(requester.responses) for requester in requesters], connection.ready) == ([1, 1], True)


def test_response_before_the_login_is_none() -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    _, requester = call(connection)
    respond(connection, "1")
    assert (requester.responses, connection.opened) == ([], 1)


@pytest.mark.parametrize("data", [b"{", b"[]", b"1"])
def test_message_of_no_protocol_breaks_the_connection(data: bytes) -> None:
    connection = logged_in()
    _, requester = call(connection)
    connection.on_bytes(encode_frame(TEXT, data, masked=False), 1_100)
    assert errors(requester) == ["deepstream: not a message of its JSON protocol"]


# ------------------------------------------------------------------------------------------------ frames


def text(**message: Any) -> bytes:
    return encode_frame(TEXT, json.dumps(message).encode(), masked=False)


def test_frames_in_one_piece_are_handled_in_order() -> None:
    connection = logged_in()
    (_, first), (_, second) = call(connection), call(connection)
    connection.written.clear()
    pieces = [text(topic=6, action=5, correlationId=number, data=number) for number in ("2", "1")]
    connection.on_bytes(b"".join([encode_frame(PING, b"x", masked=False), *pieces])[:-1], 1_100)
    assert (len(second.responses), first.responses) == (1, [])
    connection.on_bytes(pieces[-1][-1:], 1_200)
    assert [(first.responses[0].done, second.responses[0].done)] == [(1_200, 1_100)]
    assert frames(connection) == [(PONG, b"x")]


def test_messages_after_one_that_breaks_the_connection_are_ignored() -> None:
    connection = logged_in()
    _, requester = call(connection)
    closing = encode_frame(CLOSE, b"", masked=False)
    connection.on_bytes(encode_frame(TEXT, b"[]", masked=False) * 2 + text(topic=2, action=2) + closing, 1_100)
    assert len(requester.responses) == 1
    assert frames(connection)[1:] == [(CLOSE, b""), BROKEN]


def test_binary_message_breaks_the_connection() -> None:
    connection = logged_in()
    _, requester = call(connection)
    connection.on_bytes(encode_frame(BINARY, b"[]", masked=False), 1_100)
    assert (errors(requester), connection.ready) == (["binary message"], False)


def test_close_frame_fails_every_call() -> None:
    connection = logged_in()
    requesters = [call(connection)[1] for _ in range(2)]
    connection.on_bytes(encode_frame(CLOSE, b"\x03\xe9", masked=False), 1_100)
    assert [errors(requester) for requester in requesters] == [["closed by the server: 1001"]] * 2


def test_bytes_of_the_handshake_are_no_message() -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    _, requester = call(connection)
    connection.on_open()
    receive(connection, topic=2, action=2)
    assert errors(requester) != []


# ------------------------------------------------------------------------------------------------ failures


def test_failure_has_its_times_status_headers_and_body(clock: Clock) -> None:
    connection = logged_in()
    request, requester = call(connection)
    clock.now = 1_500
    connection.fail("handshake refused: status 403", 403, [(b"a", b"b")], b"no")
    (response,) = requester.responses
    assert (response.status, response.headers, response.body) == (403, [(b"a", b"b")], b"no")
    assert (response.intended, response.sent, response.first, response.done) == (900, 1_000, 1_500, 1_500)
    assert (request.samples.times, connection.ready) == ([], False)


def test_failure_without_more_has_neither_status_nor_body() -> None:
    connection = logged_in()
    _, requester = call(connection)
    connection.fail("x")
    (response,) = requester.responses
    assert (response.status, response.headers, response.body) == (0, [], b"")


def test_failure_to_open_fails_the_calls_of_then_later() -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    _, requester = call(connection)
    connection.fail_soon("connect: unknown host")
    _, second = call(connection)
    assert requester.responses == []
    connection.loop.run_deferred()
    assert (errors(requester), errors(second)) == (["connect: unknown host"], ["connect: unknown host"])
    _, third = call(connection)
    connection.loop.run_deferred()
    assert (third.responses, connection.opened) == ([], 2)


def test_call_on_a_broken_connection_fails_later() -> None:
    connection = logged_in()
    connection.close_as_broken("unsolicited message")
    requesters = [call(connection)[1] for _ in range(2)]
    assert ([requester.responses for requester in requesters], len(connection.loop.deferred)) == ([[], []], 1)
    connection.loop.run_deferred()
    assert [errors(requester) for requester in requesters] == [["unsolicited message"]] * 2
    assert connection.opened == 1


def test_late_calls_fail_and_the_others_wait(clock: Clock) -> None:
    connection = logged_in()
    (request, late), (_, waiting) = call(connection, timeout_ns=100), call(connection, timeout_ns=300)
    assert [when for when, _ in connection.loop.timers] == [1_100]
    clock.now = 1_100
    connection.loop.fire_timer()
    (response,) = late.responses
    assert (response.error, response.status, response.headers, response.body) == ("timeout", 0, [], b"")
    assert request.samples.failures == [FailedRequest("timeout", 900, 1_000, 1_100, 0)]
    assert (response.first, waiting.responses, connection.ready) == (1_100, [], True)
    assert [when for when, _ in connection.loop.timers] == [1_300]
    respond(connection, "1")
    respond(connection, "2")
    assert (len(late.responses), errors(waiting)) == (1, [None])
    clock.now = 1_300
    connection.loop.fire_timer()
    assert connection.loop.timers == []


def test_nearer_deadline_replaces_the_timer(clock: Clock) -> None:
    connection = logged_in()
    (_, far), (_, near), (_, equal) = (call(connection, timeout_ns=number) for number in (300, 100, 100))
    assert [when for when, _ in connection.loop.timers] == [1_300, 1_100]
    connection.loop.timers.reverse()
    clock.now = 1_400
    connection.loop.timers[1][1](1_300)
    assert far.responses == []
    connection.loop.fire_timer()
    assert [errors(requester) for requester in (far, near, equal)] == [["timeout"]] * 3


def test_timer_before_the_deadline_is_set_again() -> None:
    connection = logged_in()
    _, requester = call(connection, timeout_ns=100)
    connection.loop.fire_timer()
    assert (requester.responses, [when for when, _ in connection.loop.timers]) == ([], [1_100])


def test_requester_may_call_again_when_its_call_is_late(clock: Clock) -> None:
    connection = logged_in()

    class Again(Requester):
        def resume(self, response: Any) -> None:
            super().resume(response)
            call(connection, timeout_ns=50)

    connection.send_request(request_to(AT, timeout_ns=100), Again())
    clock.now = 1_100
    connection.loop.fire_timer()
    assert [when for when, _ in connection.loop.timers] == [1_150]


def test_login_that_does_not_come_is_tried_anew_by_the_next_call(clock: Clock) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open=False)
    (_, first), (_, second) = call(connection, timeout_ns=100), call(connection, timeout_ns=200)
    clock.now = 1_100
    connection.loop.fire_timer()
    call_of_then = call(connection, timeout_ns=50)[1]
    assert (errors(first), connection.opened) == (["timeout while connecting"], 1)
    clock.now = 1_200
    connection.loop.fire_timer()
    connection.loop.fire_timer()
    assert (errors(second), errors(call_of_then)) == (["timeout while connecting"],) * 2
    call(connection)
    assert connection.opened == 2


@pytest.mark.parametrize(
    ("is_open", "reason", "error"),
    [
        (True, "", "closed before response"),
        (False, "", "closed in the handshake"),
        (True, "connection reset", "connection reset"),
    ],
)
def test_end_fails_the_calls(is_open: bool, reason: str, error: str) -> None:
    connection = connection_on(FakeLoop(), DeepstreamConnection, AT, is_open)
    _, requester = call(connection)
    connection.on_end(reason)
    assert (errors(requester), connection.ready) == ([error], False)


def test_end_while_idle_fails_nothing() -> None:
    connection = logged_in()
    connection.on_end("connection reset")
    _, requester = call(connection)
    connection.loop.run_deferred()
    assert (requester.responses, connection.opened) == ([], 2)


def test_abandoned_calls_are_forgotten_and_hanging_ones_recorded(clock: Clock) -> None:
    connection = logged_in()
    request, requester = call(connection)
    connection.written.clear()
    clock.now = 5_000_000_000
    connection.abandon()
    assert request.samples.failures == [FailedRequest(recorder.UNANSWERED, 900, 1_000, 5_000_000_000, 0)]
    assert (frames(connection), connection.ready) == ([(CLOSE, b"\x03\xe8")], False)
    connection.on_end("")
    assert requester.responses == []


def test_message_in_one_frame_needs_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = logged_in()
    monkeypatch.setattr(websocket_connection, "FrameReader", None)
    _, requester = call(connection)
    respond(connection, "1")
    assert errors(requester) == [None]


def test_response_that_cannot_be_written_as_json_breaks_the_connection() -> None:
    connection = logged_in()
    _, waiting = call(connection)
    call(connection)
    connection.written.clear()
    nested = b"[" * 300 + b"]" * 300
    data = b'{"topic":6,"action":5,"correlationId":"2","data":' + nested + b"}"
    connection.on_bytes(encode_frame(TEXT, data, masked=False), 1_100)
    assert (errors(waiting), frames(connection)) == (["deepstream: a response that is no JSON"], [BROKEN])
