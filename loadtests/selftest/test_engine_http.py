"""HTTP/1.1 connections: when the engine opens, keeps and closes them, time limits, and validators."""

from __future__ import annotations

import threading
from collections.abc import Callable
from socket import AF_INET, SOCK_STREAM

import pytest

from loadtests.engine import resolver
from loadtests.engine.exchange_types import Journey, Request, Response
from loadtests.selftest.peers import (
    OK,
    PATIENCE,
    SHORT,
    EngineClient,
    ScriptedServer,
    ServerConnection,
    always,
    engine_client,
    scripted_server,
    single,
)


def test_times_come_in_order_and_are_recorded() -> None:
    with scripted_server(always(OK, False)) as server, engine_client() as client:
        client.ask(client.request(server.url()), client.request(server.url()))
    assert len(client.samples.times) == 2
    for intended, sent, first, done, size in client.samples.times:
        assert intended <= sent <= first <= done
        assert size == 2
    assert client.samples.failures == []


def test_connecting_is_not_part_of_the_time_from_the_send() -> None:
    with scripted_server(always(OK, False)) as server, engine_client() as client:
        first, second = client.ask(client.request(server.url()), client.request(server.url()))
    assert first.sent - first.intended >= client.samples.connects[0]
    assert second.sent == second.intended


def test_an_idle_connection_that_the_server_closes_is_opened_again() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(OK)
        if connection.number == 0:
            connection.sock.close()

    def journey(client: EngineClient, server: ScriptedServer, responses: list[Response]) -> Journey:
        request = client.request(server.url())
        responses.append(single((yield request)))
        yield from client.until_closed(request)
        responses.append(single((yield request)))

    responses: list[Response] = []
    with scripted_server(script) as server, engine_client() as client:
        client.play(journey(client, server, responses))
    assert [response.error for response in responses] == [None, None]


@pytest.mark.parametrize(
    ("begun", "reason"),
    [(b"", "closed before response"), (b"HTTP/1.1 2", "closed in response"), (OK[:-1], "closed in response")],
)
def test_a_request_that_may_have_arrived_is_never_sent_again(begun: bytes, reason: str) -> None:
    came: list[bytes] = []

    def script(connection: ServerConnection) -> None:
        came.append(connection.head())
        connection.send(begun)

    with scripted_server(script) as server, engine_client() as client:
        responses = client.ask(client.request(server.url()))
    assert [(response.status, response.error) for response in responses] == [(0, reason)]
    assert len(came) == 1
    assert [failure.reason for failure in client.samples.failures] == [reason]


def closing_when_reused(came: list[bytes], resets: bool = False) -> Callable[[ServerConnection], None]:
    """Respond to the first request of a connection, and close it at the second one, as after an idle time."""

    def script(connection: ServerConnection) -> None:
        came.append(connection.head())
        connection.send(OK)
        if connection.number == 0:
            connection.head()
            if resets:
                connection.reset()
        else:
            connection.until(b"never")

    return script


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_an_idempotent_request_on_an_idle_connection_is_sent_once_more(method: str, resets: bool) -> None:
    came: list[bytes] = []
    with scripted_server(closing_when_reused(came, resets)) as server, engine_client() as client:
        payload = f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        first, second = client.ask(client.request(server.url()), client.request(server.url(), payload))
    assert (first.error, second.error, second.status) == (None, None, 200)
    assert (client.samples.resent, len(client.samples.times), client.samples.failures) == (1, 2, [])
    assert came[1].startswith(method.encode())
    assert second.sent > second.intended


def test_a_request_that_is_not_idempotent_is_not_sent_again() -> None:
    came: list[bytes] = []
    with scripted_server(closing_when_reused(came)) as server, engine_client() as client:
        payload = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        _, second = client.ask(client.request(server.url()), client.request(server.url(), payload))
    assert (second.error, client.samples.resent, len(came)) == ("reused connection closed before response", 0, 1)


def test_a_request_is_sent_again_only_once() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        if connection.number == 0:
            connection.send(OK)
            connection.head()

    with scripted_server(script) as server, engine_client() as client:
        _, second = client.ask(client.request(server.url()), client.request(server.url()))
    assert (second.error, client.samples.resent, server.connections) == ("closed before response", 1, 2)


def test_a_response_that_has_begun_on_a_reused_connection_is_not_requested_again() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(OK)
        connection.head()
        connection.send(OK[:12])

    with scripted_server(script) as server, engine_client() as client:
        _, second = client.ask(client.request(server.url()), client.request(server.url()))
    assert (second.error, client.samples.resent) == ("closed in response", 0)


def test_a_reset_is_named() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.reset()

    with scripted_server(script) as server, engine_client() as client:
        assert client.ask(client.request(server.url()))[0].error == "connection reset"


def test_a_missing_response_times_out_and_its_connection_is_closed() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        if connection.number == 0:
            connection.read()  # until the client leaves
            connection.send(b"too late")
        else:
            connection.send(OK)

    with scripted_server(script) as server, engine_client() as client:
        late, good = client.ask(client.request(server.url(), timeout_ns=SHORT), client.request(server.url()))
    assert (late.error, good.error, good.body) == ("timeout", None, b"ok")
    assert late.done - late.intended >= SHORT


def test_a_short_time_limit_after_a_long_one_holds() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(OK)
        connection.head()
        connection.read()

    with scripted_server(script) as server, engine_client() as client:
        good, late = client.ask(client.request(server.url()), client.request(server.url(), timeout_ns=SHORT))
    assert (good.error, late.error) == (None, "timeout")


def test_a_refused_connection_is_named_and_the_journey_goes_on() -> None:
    with scripted_server(always(OK, False)) as server:
        pass
    with engine_client() as client:
        responses = client.ask(*[client.request(server.url()) for _ in range(3)])
    assert [response.error for response in responses] == ["connect: connection refused"] * 3


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(resolver, "getaddrinfo", nowhere)
    with engine_client() as client:
        responses = client.ask(*[client.request("http://no-such-host.invalid:1/")] * 2)
    assert [response.error for response in responses] == ["connect: unknown host"] * 2


def test_the_next_address_of_a_host_is_tried_if_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(always(OK)) as refusing:
        pass
    with scripted_server(always(OK)) as server, engine_client() as client:
        addresses = [(AF_INET, SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (refusing.port, server.port)]
        monkeypatch.setattr(resolver, "getaddrinfo", lambda *_: addresses)
        assert client.ask(client.request("http://two.addresses.invalid/"))[0].body == b"ok"


@pytest.mark.parametrize("behind", [b"\r\n", b"x", OK, b"HTTP/1.1 200 OK\r\n"])
def test_bytes_after_a_response_fail_the_next_request_and_only_that(behind: bytes) -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(OK + (behind if connection.number == 0 else b""))
        connection.read()

    with scripted_server(script) as server, engine_client() as client:
        responses = client.ask(*[client.request(server.url()) for _ in range(3)])
    assert [response.error for response in responses] == [None, "unsolicited bytes", None]


def test_bytes_on_an_idle_connection_fail_the_next_request() -> None:
    go = threading.Event()

    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(OK)
        if connection.number == 0:
            assert go.wait(PATIENCE)
            connection.send(OK)
        connection.read()

    def journey(client: EngineClient, server: ScriptedServer, responses: list[Response]) -> Journey:
        request = client.request(server.url())
        responses.append(single((yield request)))
        go.set()
        yield from client.until_closed(request)
        responses.append(single((yield request)))
        responses.append(single((yield request)))

    responses: list[Response] = []
    with scripted_server(script) as server, engine_client() as client:
        client.play(journey(client, server, responses))
    assert [response.error for response in responses] == [None, "unsolicited bytes", None]


def test_a_body_of_megabytes_goes_both_ways() -> None:
    size = 8 << 20

    def script(connection: ServerConnection) -> None:
        connection.head()
        body = connection.exactly(size)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body[::-1])

    body = bytes(range(256)) * (size // 256)
    with scripted_server(script) as server, engine_client() as client:
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + body
        response = client.ask(client.request(server.url(), payload))[0]
    assert response.error is None
    assert response.body == body[::-1]


def test_a_response_before_the_whole_request_counts_and_ends_the_connection() -> None:
    over = threading.Event()

    def script(connection: ServerConnection) -> None:
        """Reads no more than the head, so that the rest cannot have been sent when the response comes."""
        connection.head()
        connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        over.wait(PATIENCE)

    with scripted_server(script) as server, engine_client() as client:
        size = 64 << 20
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
        responses = client.ask(*[client.request(server.url(), payload)] * 2)
        over.set()
    assert [response.status for response in responses] == [413, 413]
    assert server.connections == 2


def test_without_a_validator_400_and_more_fails_and_the_journey_gets_the_response() -> None:
    with (
        scripted_server(always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server,
        engine_client() as client,
    ):
        response = client.ask(client.request(server.url()))[0]
    assert (response.status, response.body, response.error) == (404, b"no", "status 404")
    assert [failure.reason for failure in client.samples.failures] == ["status 404"]


def test_a_validator_decides_and_may_leave_the_parsed_body() -> None:
    def validator(_: Request, response: Response) -> str | None:
        response.parsed_body = response.body.decode()
        return None if response.status == 404 else "BITVIS-RESP-1"

    with (
        scripted_server(always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server,
        engine_client() as client,
    ):
        response = client.ask(client.request(server.url(), validator=validator))[0]
    assert (response.error, response.parsed_body) == (None, "no")
    assert len(client.samples.times) == 1


def test_a_validator_that_raises_is_named_and_counted() -> None:
    def validator(_: Request, response: Response) -> str | None:
        raise KeyError(response.body)

    with scripted_server(always(OK, False)) as server, engine_client() as client:
        assert client.ask(client.request(server.url(), validator=validator))[0].error == "judge broke: KeyError"
