"""What a connection does with deadlines, and an HTTP connection with proxies and pieces: on a loop without sockets."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from fixtures.network_routes import Route
from loadtests.engine import arrival_plan
from loadtests.engine import connection as connection_module
from loadtests.engine import virtual_user as virtual_user_module
from loadtests.engine.arrival_plan import ArrivalPlan
from loadtests.engine.exchange_types import Address, Journey, Response
from loadtests.engine.http_connection import HttpConnection, ProxiedHttpConnection, http_connection
from loadtests.engine.virtual_user import MAX_PAUSE, VirtualUser
from loadtests.selftest.fake_loop import Clock, FakeLoop, Requester, connection_on, request_to

HTTP = Address("http", "h", 80)
PROXIED = Address("http", "h", 8080, "", Route("getflow", "http://127.0.0.1:3128"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (connection_module, virtual_user_module):
        monkeypatch.setattr(module, "perf_counter_ns", clock)
    return clock


def on_loop(is_open: bool = True) -> Any:
    return connection_on(FakeLoop(), HttpConnection, HTTP, is_open)


def send(connection: Any, requester: Requester | None = None, **more: Any) -> Requester:
    requester = requester or Requester()
    connection.send_request(request_to(connection.address, **more), requester)
    return requester


def errors(requester: Requester) -> list[str | None]:
    return [response.error for response in requester.responses]


def deadlines(connection: Any) -> list[int]:
    return [when for when, _ in connection.loop.timers]


# ------------------------------------------------------------------------------------------------ deadlines


def test_request_opens_the_connection_and_waits_for_it(clock: Clock) -> None:
    connection = on_loop(is_open=False)
    assert connection.ready is False
    requester = send(connection, timeout_ns=100)
    assert (connection.opened, connection.written, deadlines(connection)) == (1, [], [1_100])
    clock.now = 1_100
    connection.loop.fire_timer()
    assert errors(requester) == ["timeout while connecting"]


def test_request_that_was_written_times_out_at_its_deadline(clock: Clock) -> None:
    connection = on_loop()
    requester = send(connection, timeout_ns=100)
    assert (connection.written, requester.responses) == ([b"{}"], [])
    clock.now = 1_100
    connection.loop.fire_timer()
    assert errors(requester) == ["timeout"]


def test_request_is_intended_now_unless_a_time_is_given() -> None:
    connection = on_loop()
    requester = send(connection)
    connection.on_bytes(OK, 1_600)
    (response,) = requester.responses
    assert (response.intended, response.sent, response.first, response.done) == (1_000, 1_000, 1_600, 1_600)


def test_timer_of_an_earlier_request_is_set_again_for_the_present(clock: Clock) -> None:
    connection = on_loop()
    send(connection, timeout_ns=100)
    connection.on_bytes(OK, 1_050)
    clock.now = 1_050
    requester = send(connection, timeout_ns=100)
    assert deadlines(connection) == [1_100]
    clock.now = 1_100
    connection.loop.fire_timer()
    assert (deadlines(connection), requester.responses) == ([1_150], [])
    clock.now = 1_150
    connection.loop.fire_timer()
    assert errors(requester) == ["timeout"]


def test_timer_that_fires_while_idle_is_set_by_the_next_request(clock: Clock) -> None:
    connection = on_loop()
    send(connection, timeout_ns=100)
    connection.on_bytes(OK, 1_050)
    clock.now = 1_100
    connection.loop.fire_timer()
    assert deadlines(connection) == []
    send(connection, timeout_ns=100)
    assert deadlines(connection) == [1_200]


def test_request_sent_when_another_timed_out_has_a_timer(clock: Clock) -> None:
    connection = on_loop()

    class Again(Requester):
        def resume(self, response: Response) -> None:
            super().resume(response)
            send(connection, timeout_ns=50)

    send(connection, Again(), timeout_ns=100)
    clock.now = 1_100
    connection.loop.fire_timer()
    assert deadlines(connection) == [1_150]


@pytest.mark.parametrize(("status", "error"), [(b"399", None), (b"400", "status 400"), (b"599", "status 599")])
def test_status_of_400_or_more_is_an_error(status: bytes, error: str | None) -> None:
    connection = on_loop()
    requester = send(connection)
    connection.on_bytes(OK.replace(b"200", status), 1_600)
    assert errors(requester) == [error]


# ------------------------------------------------------------------------------------------------ HTTP


def test_bytes_before_the_request_fail_it() -> None:
    connection = on_loop(is_open=False)
    requester = send(connection)
    connection.on_bytes(OK, 1_600)
    assert errors(requester) == ["unsolicited bytes"]


def test_response_to_head_has_no_body() -> None:
    connection = on_loop()
    requester = send(connection, is_head=True)
    connection.on_bytes(OK[:-2], 1_600)
    assert [(response.status, response.body) for response in requester.responses] == [(200, b"")]


def test_responses_in_pieces_have_the_times_of_their_pieces() -> None:
    connection, requester = on_loop(), Requester()
    for now in (1_100, 2_100):
        send(connection, requester)
        connection.on_bytes(OK[:-1], now)
        connection.on_bytes(OK[-1:], now + 50)
    assert [(response.first, response.done) for response in requester.responses] == [(1_100, 1_150), (2_100, 2_150)]


def test_response_that_breaks_off_is_named() -> None:
    connection = on_loop()
    requester = send(connection)
    connection.on_bytes(OK[:-1], 1_100)
    connection.on_end("")
    assert errors(requester) == ["closed in response"]


@pytest.mark.parametrize("pieces", [1, 2])
def test_response_with_a_repeated_field_is_malformed(pieces: int) -> None:
    connection = on_loop()
    requester = send(connection)
    data = OK.replace(b"\r\n\r\n", b"\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n")
    for piece in (data,) if pieces == 1 else (data[:-1], data[-1:]):
        connection.on_bytes(piece, 1_100)
    (response,) = requester.responses
    assert response.error == "malformed response: more than one content-type"
    assert (response.status, response.body, len(response.headers)) == (200, b"", 3)


def test_body_is_decoded() -> None:
    packed = gzip.compress(b"text")
    for body, error, plain in ((packed, None, b"text"), (packed[:-9], "malformed response: ", b"")):
        connection = on_loop()
        requester = send(connection)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        connection.on_bytes(head + body, 1_100)
        (response,) = requester.responses
        assert (response.status, response.body, len(response.headers)) == (200, plain, 2)
        assert response.error == error if error is None else str(response.error).startswith(error)


# ------------------------------------------------------------------------------------------------ memory


def test_incomplete_responses_are_counted_until_they_are_complete() -> None:
    loop = FakeLoop()
    first, second = (connection_on(loop, HttpConnection, HTTP) for _ in range(2))
    for connection in (first, second):
        send(connection)
        connection.on_bytes(OK[:-2], 1_100)
    first.on_bytes(OK[-2:-1], 1_200)
    size = len(OK) - 2
    assert (first._held, second._held, loop.held) == (size + 1, size, 2 * size + 1)
    first.on_bytes(OK[-1:], 1_300)
    assert (first._held, loop.held) == (0, size)
    second.on_end("")
    assert (second._held, loop.held) == (0, 0)


@pytest.mark.parametrize(
    ("others", "own", "fails"), [(20, 30, False), (21, 30, True), (97, 3, False), (98, 3, True), (99, 2, False)]
)
def test_large_response_fails_when_all_hold_too_much(
    monkeypatch: pytest.MonkeyPatch, others: int, own: int, fails: bool
) -> None:
    monkeypatch.setattr(connection_module, "MAX_HELD", others + own - (1 if fails else 0) if own != 2 else 100)
    monkeypatch.setattr(connection_module, "MAX_LARGE_BODIES", 50)
    connection = on_loop()
    requester = send(connection)
    connection.loop.held = others
    connection.hold(own)
    reason = ["response too long: the load generator has no memory for it"]
    assert errors(requester) == (reason if fails else [])
    assert connection.loop.held == (others if fails else others + own)


@pytest.mark.parametrize(("status", "size"), [(b"200", 3), (b"500", 2)])
def test_body_of_an_invalid_response_is_cut(monkeypatch: pytest.MonkeyPatch, status: bytes, size: int) -> None:
    monkeypatch.setattr(connection_module, "MAX_FAILED_BODY", 2)
    connection, requester = on_loop(), Requester()
    data = b"HTTP/1.1 %s OK\r\nContent-Length: 3\r\n\r\nabc" % status
    send(connection, requester)
    connection.on_bytes(data, 1_100)
    assert [response.body for response in requester.responses] == [b"abc"[:size]]


def proxied() -> Any:
    return connection_on(FakeLoop(), ProxiedHttpConnection, PROXIED)


def test_proxy_gets_the_request_with_a_url() -> None:
    connection, requester = proxied(), Requester()
    request = request_to(PROXIED)
    request.payload = b"GET /path HTTP/1.1\r\n\r\n"
    connection.send_request(request, requester)
    assert connection.written == [b"GET http://h:8080/path HTTP/1.1\r\n\r\n"]
    connection.on_bytes(OK, 1_100)
    (response,) = requester.responses
    assert (response.error, response.status, response.body) == (None, 200, b"ok")
    assert (response.headers, response.first, response.done) == ([(b"content-length", b"2")], 1_100, 1_100)


def test_proxy_that_wants_a_login_is_named() -> None:
    connection = proxied()
    requester = send(connection)
    connection.on_bytes(OK.replace(b"200", b"407"), 1_100)
    assert [(response.error, response.status) for response in requester.responses] == [("proxy: status 407", 0)]


@pytest.mark.parametrize(("address", "kind"), [(HTTP, HttpConnection), (PROXIED, ProxiedHttpConnection)])
def test_route_decides_how_requests_are_written(address: Address, kind: type) -> None:
    loop: Any = FakeLoop()
    connection = http_connection(loop, address)
    assert (type(connection), connection.loop, connection.address) == (kind, loop, address)


# ------------------------------------------------------------------------------------------------ pauses and arrivals


@pytest.mark.parametrize(("pause", "when"), [(0, 1_000), (0.5, 500_001_000), (2, 2_000_001_000)])
def test_pause_ends_so_many_seconds_from_now(pause: float, when: int) -> None:
    loop: Any = FakeLoop()

    def journey() -> Journey:
        yield pause

    VirtualUser(loop).run(journey(), 0, lambda _: None)
    loop.run_deferred()
    assert [timer[0] for timer in loop.timers] == [when]


def test_pause_of_a_day_is_refused() -> None:
    loop: Any = FakeLoop()
    user = VirtualUser(loop)

    def journey() -> Journey:
        yield MAX_PAUSE

    user.run(journey(), 0, lambda _: None)
    loop.run_deferred()
    assert isinstance(user.exception, TypeError)


def test_response_without_a_journey_is_ignored() -> None:
    loop: Any = FakeLoop()
    user = VirtualUser(loop)
    user.resume(None)
    assert (user.exception, loop.deferred) == (None, [])


@pytest.mark.parametrize(
    ("rates", "times"),
    [
        ([(0, 1), (0.5, 1), (0.5, 0)], []),
        ([(0, 1), (10, 0)], [513_167_019, 1_633_399_735, 2_928_932_188, 4_522_774_425, 6_837_722_340]),
    ],
    ids=["at a step down", "on a ramp down"],
)
def test_arrivals_are_below_the_rate(rates: list[tuple[float, float]], times: list[int]) -> None:
    assert list(ArrivalPlan.from_rates(rates, "even").arrival_times()) == times


def test_last_arrival_is_within_the_longest_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival_plan, "MAX_SECONDS", 1.5)
    assert list(ArrivalPlan.from_rates(1, "even").arrival_times()) == [500_000_000, 1_500_000_000]
