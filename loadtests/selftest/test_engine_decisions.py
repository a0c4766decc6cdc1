"""What connections and virtual users decide: on a loop without sockets, with connections that only remember."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.http1 import response_head, response_reader
from loadtests.engine import connection as connection_module
from loadtests.engine import recorder
from loadtests.engine.exchange_types import Address, Journey, Request, Response
from loadtests.engine.http_connection import HttpConnection
from loadtests.engine.virtual_user import VirtualUser
from loadtests.selftest.fake_loop import FakeLoop, Requester, connection_on, request_to
from reports.load.operation_statistics import FailedRequest

HTTP, OTHER = Address("http", "h", 80), Address("http", "other", 80)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Clock:
    """`perf_counter_ns` as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


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


# ------------------------------------------------------------------------------------------------ connections


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


# ------------------------------------------------------------------------------------------------ virtual users


class RememberingConnection:
    """Remembers what it is to send."""

    def __init__(self, loop: Any, address: Address) -> None:
        self.loop = loop
        self.address = address
        self.request: Request | None = None
        self.sent: list[tuple[Request, int]] = []
        self.requesters: list[Any] = []
        self.abandoned = 0

    def send_request(self, request: Request, requester: Any, intended: int = 0) -> None:
        self.request = request
        self.sent.append((request, intended))
        self.requesters.append(requester)

    def respond(self, error: str | None = None) -> Response:
        response = Response(200, [], b"", error, 0, 0, 0, 0)
        self.request = None
        if error:
            self.requesters[-1].request_failed(error, False)
        self.requesters[-1].resume(response)
        return response

    def abandon(self) -> None:
        self.abandoned += 1
        self.request = None


def virtual_user() -> tuple[FakeLoop, VirtualUser]:
    loop: Any = FakeLoop()
    return loop, VirtualUser(loop, {"http": RememberingConnection})  # type: ignore[dict-item] # as far as a user needs


def start(user: VirtualUser, loop: FakeLoop, journey: Journey, intended: int = 0) -> list[VirtualUser]:
    """Start the journey; the list gets the user when the journey ends."""
    ended: list[VirtualUser] = []
    user.run(journey, intended, ended.append)
    loop.run_deferred()
    return ended


def connections_of(user: VirtualUser, address: Address = HTTP) -> Any:
    return user._connections.get(address, [])


def test_user_without_a_journey_has_no_outcome() -> None:
    _, user = virtual_user()
    assert (user.is_running, user.exception, user.first_failure, user.journey_number) == (False, None, "", 0)


def test_only_the_first_request_is_due_when_the_journey_is() -> None:
    loop, user = virtual_user()
    requests = [request_to(HTTP), request_to(HTTP), request_to(OTHER)]

    def journey() -> Journey:
        yield requests[0]
        yield requests[1]
        yield requests[2]

    ended = start(user, loop, journey(), 700)
    (connection,) = connections_of(user)
    connection.respond()
    connection.respond()
    (other,) = connections_of(user, OTHER)
    assert connection.sent + other.sent == [(requests[0], 700), (requests[1], 0), (requests[2], 0)]
    assert (ended, user.is_running) == ([], True)
    other.respond()
    assert (ended, user.is_running, user.exception) == ([user], False, None)


def test_request_after_a_pause_is_due_at_its_end() -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        yield 1
        yield request_to(HTTP)

    start(user, loop, journey(), 700)
    scheduled = loop.timers[0][0]
    loop.fire_timer()
    assert [intended for _, intended in connections_of(user)[0].sent] == [scheduled]


def test_parallel_requests_share_their_time_and_are_answered_in_order() -> None:
    loop, user = virtual_user()
    requests, received = [request_to(HTTP), request_to(HTTP)], []

    def journey() -> Journey:
        received.append((yield requests))

    start(user, loop, journey(), 700)
    first, second = connections_of(user)
    assert first.sent + second.sent == [(requests[0], 700), (requests[1], 700)]
    late = second.respond("reset")
    assert (received, user.first_failure) == ([], "reset")
    early = first.respond()
    assert received == [[early, late]]


def test_idle_connection_is_used_again_and_a_busy_one_is_not() -> None:
    _, user = virtual_user()
    first: Any = user.connection(HTTP)
    assert user.connection(HTTP) is first
    first.request = request_to(HTTP)
    second = user.connection(HTTP)
    assert second is not first
    assert user.connection(HTTP) is second
    assert connections_of(user) == [first, second]


def test_outcome_of_a_journey_is_forgotten_by_the_next() -> None:
    loop, user = virtual_user()

    def broken() -> Journey:
        yield request_to(HTTP)
        raise LookupError("x")

    def journey() -> Journey:
        yield request_to(HTTP)

    start(user, loop, broken())
    connections_of(user)[0].respond("timeout")
    assert (type(user.exception), user.first_failure, user.is_running) == (LookupError, "timeout", False)
    start(user, loop, journey())
    assert (user.exception, user.first_failure, user.journey_number) == (None, "", 2)


def test_user_stopped_at_once_abandons_its_connections_and_ends_nothing() -> None:
    loop, user = virtual_user()
    closed: list[str] = []

    def journey() -> Journey:
        try:
            yield request_to(HTTP)
        finally:
            closed.append("closed")

    ended = start(user, loop, journey())
    (connection,) = connections_of(user)
    user.stop(graceful=False)
    assert (closed, ended, user.is_running, connection.abandoned) == (["closed"], [], False, 1)
    connection.respond()
    assert (connections_of(user), ended) == ([], [])


def test_user_stopped_gracefully_ends_its_journey_and_then_closes_once() -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        yield request_to(HTTP)

    ended = start(user, loop, journey())
    (connection,) = connections_of(user)
    user.stop(graceful=True)
    assert (connection.abandoned, user.is_running) == (0, True)
    connection.respond()
    assert (connection.abandoned, ended, connections_of(user)) == (1, [user], [])
    start(user, loop, journey())
    connections_of(user)[0].respond()
    assert connections_of(user)[0].abandoned == 0


def test_idle_user_stopped_gracefully_closes_at_once() -> None:
    _, user = virtual_user()
    connection: Any = user.connection(HTTP)
    user.stop(graceful=True)
    assert (connection.abandoned, connections_of(user)) == (1, [])


def test_what_a_journey_raises_while_it_is_closed_is_kept() -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        try:
            yield request_to(HTTP)
        finally:
            raise LookupError("while closing")

    start(user, loop, journey())
    user.stop(graceful=False)
    assert isinstance(user.exception, LookupError)


def test_pause_of_a_stopped_journey_resumes_no_other() -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        yield 1
        raise AssertionError("resumed too early")

    start(user, loop, journey())
    user.stop(graceful=False)
    ended = start(user, loop, journey())
    loop.fire_timer()
    assert (ended, user.is_running, user.exception) == ([], True, None)


@pytest.mark.parametrize("many", [False, True])
def test_request_that_cannot_be_sent_ends_the_journey_and_its_connections(many: bool) -> None:
    loop, user = virtual_user()
    wrong = request_to(HTTP)
    wrong.payload = "text"  # type: ignore[assignment] # the mistake
    user.connection(HTTP)
    (connection,) = connections_of(user)

    def journey() -> Journey:
        yield [wrong] if many else wrong

    ended = start(user, loop, journey())
    assert (type(user.exception), ended, connection.sent, connection.abandoned) == (TypeError, [user], [], 1)


def test_connection_is_made_on_the_users_loop_to_the_address() -> None:
    loop, user = virtual_user()
    connection: Any = user.connection(HTTP)
    assert (connection.loop, connection.address) == (loop, HTTP)
    with pytest.raises(ValueError, match="no connection serves the scheme gopher"):
        user.connection(Address("gopher", "h", 70))


def test_connections_outlive_a_journey() -> None:
    loop, user = virtual_user()
    connection: Any = user.connection(HTTP)

    def journey() -> Journey:
        yield request_to(HTTP)

    start(user, loop, journey())
    connection.respond()
    assert (user.is_running, connection.abandoned) == (False, 0)


def test_request_after_a_pause_on_the_same_connection_is_due_at_its_end() -> None:
    loop, user = virtual_user()
    request = request_to(HTTP)

    def journey() -> Journey:
        yield request
        yield 1
        yield request

    start(user, loop, journey())
    (connection,) = connections_of(user)
    connection.respond()
    scheduled = loop.timers[0][0]
    loop.fire_timer()
    assert [intended for _, intended in connection.sent] == [0, scheduled]


def test_journeys_are_counted_and_so_is_a_stop() -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        yield 1

    start(user, loop, journey())
    with pytest.raises(RuntimeError, match="this user runs a journey already"):
        user.run(journey(), 0, lambda _: None)
    for number in (2, 4):
        user.stop(graceful=False)
        assert user.journey_number == number
        start(user, loop, journey())


def test_journey_that_stops_its_own_user_is_closed() -> None:
    loop, user = virtual_user()
    closed: list[str] = []

    def journey() -> Journey:
        try:
            user.stop(graceful=False)
            yield request_to(HTTP)
        finally:
            closed.append("closed")

    ended = start(user, loop, journey())
    assert (closed, ended, connections_of(user), user.exception) == (["closed"], [], [], None)


def test_no_requests_have_no_responses_in_a_later_iteration() -> None:
    loop, user = virtual_user()
    received: list[Any] = []

    def journey() -> Journey:
        received.append((yield []))

    start(user, loop, journey())
    assert received == [[]]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["GET /"], "a journey yields a Request, several of them, or seconds to wait, not \\['GET /'\\]"),
        (-1, "a journey yields a Request, several of them, or seconds to wait, not -1"),
        (Request(request_to(HTTP).samples, "x", HTTP), "the payload of a Request is bytes, not str"),  # type: ignore[arg-type]
    ],
)
def test_what_a_journey_must_not_yield_is_named(wanted: Any, message: str) -> None:
    loop, user = virtual_user()

    def journey() -> Journey:
        yield wanted

    start(user, loop, journey())
    with pytest.raises(TypeError, match=message):
        raise user.exception or AssertionError("it was accepted")
