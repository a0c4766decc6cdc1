"""What connections decide: on a loop without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.http1 import response_head, response_reader
from loadtests.engine import connection as connection_module
from loadtests.engine import recorder
from loadtests.engine.exchange_types import Address, Request, Response
from loadtests.engine.http_connection import HttpConnection
from loadtests.selftest.fake_loop import Clock, FakeLoop, Requester, connection_on, request_to
from reports.load.operation_statistics import FailedRequest

HTTP, OTHER = Address("http", "h", 80), Address("http", "other", 80)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(connection_module, "perf_counter_ns", clock)
    monkeypatch.setattr(recorder, "perf_counter_ns", clock)
    return clock


def in_flight(intended: int = 900, **more: Any) -> tuple[Any, Request, Requester]:
    """Connection, request and requester of a request that was just sent."""
    requester, request = Requester(), request_to(HTTP, **more)
    connection = connection_on(FakeLoop(), HttpConnection, HTTP)
    connection.send_request(request, requester, intended)
    return connection, request, requester


def test_failure_has_its_times_and_neither_status_nor_body(clock: Clock) -> None:
    connection, request, requester = in_flight()
    connection._first_sent = connection._sent
    clock.now = 1_500
    connection.on_end("")
    (response,) = requester.responses
    assert (response.status, response.headers, response.body) == (0, [], b"")
    assert (response.intended, response.sent, response.first, response.done) == (900, 1_000, 1_500, 1_500)
    assert request.samples.failures == [FailedRequest("closed before response", 900, 1_000, 1_500, 0)]
    assert (connection.ready, connection.request, request.samples.times) == (False, None, [])


def test_refused_response_has_its_size_and_leaves_the_connection_open(clock: Clock) -> None:
    connection, request, requester = in_flight()
    connection.on_bytes(OK.replace(b"200", b"404"), 1_600)
    assert request.samples.failures == [FailedRequest("status 404", 900, clock.now, 1_600, 2, 404)]
    assert (requester.failures, connection.ready, connection.request) == (["operation: status 404"], True, None)


@pytest.mark.parametrize(("verdict", "error"), [(None, None), ("SHOP-1", "SHOP-1")])
@pytest.mark.usefixtures("clock")
def test_validator_decides_whatever_the_status(verdict: str | None, error: str | None) -> None:
    seen: list[tuple[Request, int]] = []

    def validator(request: Request, response: Response) -> str | None:
        seen.append((request, response.status))
        return verdict

    connection, request, requester = in_flight(validator=validator)
    connection.on_bytes(OK.replace(b"200", b"500"), 1_600)
    assert (seen, [response.error for response in requester.responses]) == ([(request, 500)], [error])


@pytest.mark.usefixtures("clock")
def test_validator_that_raises_is_named_by_its_exception() -> None:
    def validator(*_: object) -> str | None:
        raise KeyError("x")

    connection, _, requester = in_flight(validator=validator)
    connection.on_bytes(OK, 1_600)
    assert [response.error for response in requester.responses] == ["judge broke: KeyError"]


@pytest.mark.usefixtures("clock")
def test_what_the_server_did_between_requests_fails_one_request_only() -> None:
    connection, _, _ = in_flight()
    connection.on_bytes(OK + b"x", 1_600)
    assert (connection.ready, connection.opened) == (False, 1)
    second, third = Requester(), Requester()
    connection.send_request(request_to(HTTP), second)
    connection.loop.run_deferred()
    connection.send_request(request_to(HTTP), third)
    connection.loop.run_deferred()
    assert [response.error for response in second.responses] == ["unsolicited bytes"]
    assert (third.responses, connection.opened) == ([], 2)


@pytest.mark.usefixtures("clock")
def test_unsolicited_bytes_while_idle_fail_the_next_request() -> None:
    connection = connection_on(FakeLoop(), HttpConnection, HTTP)
    connection.on_bytes(b"x", 1_000)
    requester = Requester()
    connection.send_request(request_to(HTTP), requester)
    connection.loop.run_deferred()
    assert [response.error for response in requester.responses] == ["unsolicited bytes"]


def test_idle_connection_that_ends_is_opened_by_the_next_request(clock: Clock) -> None:
    connection = connection_on(FakeLoop(), HttpConnection, HTTP)
    connection.on_end("connection reset")
    requester = Requester()
    connection.send_request(request_to(HTTP), requester)
    connection.loop.run_deferred()
    assert (connection.opened, requester.responses, connection.written) == (2, [], [])
    clock.now = 1_300
    connection.connected()
    connection.on_bytes(OK, 1_400)
    assert [response.error for response in requester.responses] == [None]


@pytest.mark.usefixtures("clock")
def test_reset_is_the_reason_of_the_failure() -> None:
    connection, _, requester = in_flight()
    connection.on_bytes(OK[:-1], 1_100)
    connection.on_end("connection reset")
    assert [response.error for response in requester.responses] == ["connection reset"]


@pytest.mark.usefixtures("clock")
def test_abandoned_request_is_forgotten_and_the_next_is_sent_anew() -> None:
    connection, request, requester = in_flight(intended=0)
    connection.close_as_broken("unsolicited bytes")
    connection.abandon()
    assert (connection.request, connection.ready, request.samples.failures) == (None, False, [])
    second = Requester()
    connection.send_request(request_to(HTTP), second)
    connection.loop.run_deferred()
    assert (requester.responses, second.responses, connection.opened) == ([], [], 2)


@pytest.mark.parametrize(
    ("data", "ready"),
    [
        (OK, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
    ],
)
@pytest.mark.usefixtures("clock")
def test_connection_stays_open_if_the_response_allows_it(data: bytes, ready: bool) -> None:
    connection, _, requester = in_flight()
    connection.on_bytes(data, 1_600)
    assert [(response.error, response.body) for response in requester.responses] == [(None, b"ok")]
    assert connection.ready is ready


@pytest.mark.usefixtures("clock")
def test_response_before_the_request_was_taken_ends_the_connection() -> None:
    connection, _, requester = in_flight()
    connection._unsent = b"rest"
    connection.on_bytes(OK, 1_600)
    assert ([response.body for response in requester.responses], connection.ready) == ([b"ok"], False)


@pytest.mark.usefixtures("clock")
def test_body_until_close_ends_with_the_connection() -> None:
    connection, request, requester = in_flight()
    connection.on_bytes(b"HTTP/1.1 200 OK\r\n\r\no", 1_600)
    connection.on_bytes(b"k", 1_700)
    assert requester.responses == []
    connection.on_end("")
    assert [(response.error, response.body) for response in requester.responses] == [(None, b"ok")]
    assert request.samples.times[0][3] > 1_600
    assert (request.samples.times[0][:3], connection.ready) == ((900, 1_000, 1_600), False)


@pytest.mark.usefixtures("clock")
def test_response_in_one_piece_needs_no_reader_and_a_known_head_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def unneeded(*_: object) -> None:
        raise AssertionError("not needed for a response in one piece")

    monkeypatch.setattr(response_reader, "ResponseReader", unneeded)
    data = b"HTTP/1.1 200 OK\r\nX-Seen: once\r\nContent-Length: 6\r\n\r\na\r\n\r\nb"
    connection, _, requester = in_flight()
    connection.on_bytes(data, 1_100)
    monkeypatch.setattr(response_head, "parse_and_cache", unneeded)
    connection.send_request(request_to(HTTP), requester)
    connection.on_bytes(data, 1_200)
    headers = [(b"x-seen", b"once"), (b"content-length", b"6")]
    assert [(response.headers, response.body) for response in requester.responses] == [(headers, b"a\r\n\r\nb")] * 2
    assert connection.address == HTTP


@pytest.mark.usefixtures("clock")
def test_response_in_pieces_has_its_headers_too() -> None:
    connection, _, requester = in_flight()
    connection.on_bytes(OK[:-1], 1_100)
    connection.on_bytes(OK[-1:], 1_200)
    assert [response.headers for response in requester.responses] == [[(b"content-length", b"2")]]


@pytest.mark.usefixtures("clock")
def test_malformed_response_is_named() -> None:
    connection, _, requester = in_flight()
    connection.on_bytes(b"SSH-2.0\r\n\r\n", 1_600)
    assert [response.error for response in requester.responses] == ["malformed response: not HTTP/1"]


def test_first_header_of_a_name_is_its_value() -> None:
    response = Response(200, [(b"a", b"1"), (b"b", b"2"), (b"b", b"3")], b"", None, 0, 0, 0, 0)
    assert (response.header(b"b"), response.header(b"c"), response.parsed_body) == (b"2", None, None)


@pytest.mark.usefixtures("clock")
def test_failure_to_open_is_reported_later() -> None:
    connection, _, requester = in_flight()
    connection.fail_soon("connect: unknown host")
    assert requester.responses == []
    connection.loop.run_deferred()
    assert [response.error for response in requester.responses] == ["connect: unknown host"]


@pytest.mark.parametrize("first", [OK, OK[:-1]], ids=["answered", "broken off"])
def test_next_request_on_a_closed_connection_is_not_written_yet(clock: Clock, first: bytes) -> None:
    connection, _, _ = in_flight()
    connection.on_bytes(first, 1_100)
    connection.on_end("")
    requester = Requester()
    connection.send_request(request_to(HTTP), requester)
    clock.now = 1 << 40
    connection.loop.fire_timer()
    assert [response.error for response in requester.responses] == ["timeout while connecting"]
    assert connection.loop.timers == []


def test_time_to_connect_is_that_since_it_began(clock: Clock) -> None:
    request = request_to(HTTP)
    connection = connection_on(FakeLoop(), HttpConnection, HTTP, is_open=False)
    connection.send_request(request, Requester())
    connection._open_began = 1_100
    clock.now = 1_350
    connection.connected()
    assert (connection.ready, request.samples.connects) == (True, [250])


def test_abandoned_request_that_hangs_is_recorded_with_its_times(clock: Clock) -> None:
    connection, request, _ = in_flight()
    clock.now = 5_000_000_000
    connection.abandon()
    assert request.samples.failures == [FailedRequest(recorder.UNANSWERED, 900, 1_000, 5_000_000_000, 0)]
