"""What virtual users decide: on a loop without sockets, with connections that only remember."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.engine.exchange_types import Address, Journey, Request, Response
from loadtests.engine.virtual_user import VirtualUser
from loadtests.selftest.fake_loop import FakeLoop, request_to

HTTP, OTHER = Address("http", "h", 80), Address("http", "other", 80)


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
