"""A virtual user runs journeys: requests, pauses, several requests at once, their end, and stopping them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from loadtests.engine.exchange_types import SECOND, Address, Journey, Request, Response
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import UNANSWERED, OperationSamples
from loadtests.engine.virtual_user import CONNECTION_TYPES, VirtualUser
from loadtests.selftest.peers import (
    SHORT,
    EngineClient,
    ScriptedServer,
    ServerConnection,
    engine_client,
    scripted_server,
    single,
)


def echo(connection: ServerConnection) -> None:
    """Respond to each request with its target; /hold is never answered."""
    while head := connection.head():
        target = head.split(b" ")[1]
        if target == b"/hold":
            connection.read()
            return
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server(echo) as resource:
        yield resource


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[EngineClient]:  # noqa: ARG001 # the client closes before the server
    with engine_client() as resource:
        yield resource


def test_each_response_is_that_of_its_request(client: EngineClient, server: ScriptedServer) -> None:
    responses = client.ask(*[client.request(server.url(path=f"/{number}")) for number in range(50)])
    assert [response.body for response in responses] == [b"/%d" % number for number in range(50)]
    assert server.connections == 1


def test_connections_are_kept_from_journey_to_journey(client: EngineClient, server: ScriptedServer) -> None:
    client.ask(client.request(server.url()))
    client.ask(client.request(server.url()))
    assert server.connections == 1


def test_several_requests_are_in_flight_at_once_and_their_responses_in_order(
    client: EngineClient, server: ScriptedServer
) -> None:
    responses = client.together([client.request(server.url(path=f"/{number}")) for number in range(5)])
    assert [response.body for response in responses] == [b"/0", b"/1", b"/2", b"/3", b"/4"]
    assert server.connections == 5
    assert max(response.sent for response in responses) < min(response.done for response in responses) + SECOND


def test_a_failure_among_several_spares_the_others(client: EngineClient, server: ScriptedServer) -> None:
    held = client.request(server.url(path="/hold"), timeout_ns=SHORT)
    responses = client.together([client.request(server.url(path="/a")), held, client.request(server.url(path="/b"))])
    assert [response.error for response in responses] == [None, "timeout", None]


def test_no_requests_have_no_responses(client: EngineClient) -> None:
    assert client.together([]) == []


def test_a_pause_lasts_as_long_as_it_says(client: EngineClient) -> None:
    def journey() -> Journey:
        yield 0.02

    began = time.perf_counter_ns()
    client.play(journey())
    assert time.perf_counter_ns() - began >= 0.02 * SECOND


def test_after_a_pause_the_request_is_due_when_the_pause_is_over(client: EngineClient, server: ScriptedServer) -> None:
    responses: list[Response] = []

    def journey() -> Journey:
        responses.append(single((yield client.request(server.url()))))
        yield 0.001
        time.sleep(0.02)  # somebody blocks the thread: the request goes out late
        responses.append(single((yield client.request(server.url()))))

    client.play(journey())
    late = responses[1]
    assert late.sent - late.intended >= 0.02 * SECOND
    assert late.intended >= responses[0].done + 1_000_000


def test_the_first_request_is_due_when_the_journey_was(client: EngineClient, server: ScriptedServer) -> None:
    responses: list[Response] = []
    intended = time.perf_counter_ns() - 5 * SECOND

    def journey() -> Journey:
        responses.append(single((yield client.request(server.url()))))
        responses.append(single((yield client.request(server.url()))))

    client.play(journey(), intended=intended)
    assert responses[0].intended == intended
    assert responses[1].intended == responses[1].sent


def test_the_exception_of_a_journey_is_stored_and_the_next_one_runs(
    client: EngineClient, server: ScriptedServer
) -> None:
    def broken() -> Journey:
        yield client.request(server.url())
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        client.play(broken())
    assert client.ask(client.request(server.url()))[0].error is None
    assert client.user.exception is None


@pytest.mark.parametrize("wanted", ["GET /", None, -1.0, float("nan"), float("inf"), ["GET /"]])
def test_a_journey_that_yields_anything_else_is_an_error(client: EngineClient, wanted: Any) -> None:
    def journey() -> Journey:
        yield wanted

    with pytest.raises(TypeError, match="a journey yields a Request, several of them, or seconds to wait"):
        client.play(journey())


def test_an_unknown_scheme_is_an_error(client: EngineClient) -> None:
    request = client.request("http://127.0.0.1:1/")
    request.address = Address("gopher", "127.0.0.1", 70)
    with pytest.raises(ValueError, match="gopher"):
        client.ask(request)


def test_a_payload_that_is_no_bytes_is_an_error_on_a_new_and_on_an_open_connection(
    client: EngineClient, server: ScriptedServer
) -> None:
    text: Any = "GET / HTTP/1.1\r\n\r\n"
    for requests in (
        [client.request(server.url(), text)],
        [client.request(server.url()), client.request(server.url(), text)],
    ):
        with pytest.raises(TypeError):
            client.ask(*requests)
    assert client.ask(client.request(server.url()))[0].error is None


def test_a_user_runs_one_journey_at_a_time(client: EngineClient) -> None:
    def journey() -> Journey:
        yield 10.0

    client.user.run(journey(), 0, lambda _: None)
    with pytest.raises(RuntimeError, match="runs a journey already"):
        client.user.run(journey(), 0, lambda _: None)


def test_the_next_journey_may_be_started_when_one_ends(client: EngineClient) -> None:
    ended: list[VirtualUser] = []

    def journey() -> Journey:
        return
        yield

    def again(user: VirtualUser) -> None:
        ended.append(user)
        if len(ended) < 2000:
            user.run(journey(), 0, again)

    client.user.run(journey(), 0, again)
    client.loop.run(lambda: len(ended) == 2000)
    assert not client.user.is_running


def test_a_user_stopped_gracefully_ends_its_journey_and_then_closes(
    client: EngineClient, server: ScriptedServer
) -> None:
    ended: list[VirtualUser] = []
    responses: list[Response] = []

    def journey() -> Journey:
        for _ in range(3):
            responses.append(single((yield client.request(server.url()))))
            client.user.stop(graceful=True)

    client.user.run(journey(), 0, ended.append)
    client.loop.run(lambda: bool(ended))
    assert [response.error for response in responses] == [None] * 3
    assert not client.user.connection(Address.from_url(server.url())).ready


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ws://127.0.0.1:9/x", "deepstream://127.0.0.1:9/x"])
def test_a_request_dropped_after_a_long_wait_is_recorded(url: str) -> None:
    loop, samples = Loop(), OperationSamples("a", "b")
    connection = CONNECTION_TYPES[Address.from_url(url).scheme](loop, Address.from_url(url))
    now = time.perf_counter_ns()
    connection.send_request(
        Request(samples, b"{}", Address.from_url(url), rpc_name="a"), VirtualUser(loop), now - 5 * SECOND
    )
    connection.abandon()
    loop.close()
    assert [(failure.reason, failure.intended) for failure in samples.failures] == [(UNANSWERED, now - 5 * SECOND)]


def test_a_user_stopped_at_once_closes_its_journey_where_it_waits_and_records_nothing(
    client: EngineClient, server: ScriptedServer
) -> None:
    done: list[str] = []

    def journey() -> Journey:
        try:
            yield client.request(server.url(path="/hold"))
            done.append("answered")
        finally:
            done.append("cleaned up")

    client.user.run(journey(), 0, lambda _: done.append("ended"))
    client.loop.run(lambda: server.connections == 1)
    client.user.stop(graceful=False)
    for _ in range(3):
        client.loop.run_once()
    assert done == ["cleaned up"]
    assert (client.samples.times, client.samples.failures) == ([], [])
    assert client.ask(client.request(server.url()))[0].error is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_journey_may_stop_its_own_user(client: EngineClient, server: ScriptedServer, number: int) -> None:
    done: list[str] = []

    def journey() -> Journey:
        try:
            for _ in range(number):
                yield client.request(server.url())
            client.user.stop(graceful=False)
            yield client.request(server.url())
            done.append("went on")
        finally:
            done.append("cleaned up")

    client.user.run(journey(), 0, lambda _: done.append("ended"))
    client.loop.run(lambda: bool(done))
    assert done == ["cleaned up"]


def test_what_a_stopped_journey_deferred_does_not_touch_the_next(client: EngineClient, server: ScriptedServer) -> None:
    def paused() -> Journey:
        yield 0.005
        raise AssertionError("it was stopped")

    client.user.run(paused(), 0, lambda _: None)
    client.loop.run_once()
    client.user.stop(graceful=False)
    resumed: list[Any] = []

    def journey() -> Journey:
        resumed.append((yield 0.02))
        resumed.append((yield client.request(server.url())))

    client.play(journey())
    assert resumed[0] is None
    assert isinstance(resumed[1], Response)


def test_hundreds_of_users_run_at_once(client: EngineClient, server: ScriptedServer) -> None:
    users = [VirtualUser(client.loop) for _ in range(300)]
    ended: list[VirtualUser] = []

    def journey(number: int) -> Journey:
        for turn in range(3):
            path = f"/{number}/{turn}"
            response = single((yield client.request(server.url(path=path))))
            assert response.body == path.encode(), response
            yield 0.001

    for number, user in enumerate(users):
        user.run(journey(number), 0, ended.append)
    client.loop.run(lambda: len(ended) == len(users))
    assert [user.exception for user in users if user.exception] == []
    assert len(client.samples.times) == 900
    for user in users:
        user.stop(graceful=False)
