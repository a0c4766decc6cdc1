"""Malformed HTTP/1.1 responses: each is an error with a reason, and the connection is closed."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import brotli
import pytest

from contracts.exchange import Request
from fixtures.http1 import response_reader
from fixtures.http1.request_writer import encode_request
from loadtests.engine import connection as connection_module
from loadtests.engine.exchange_types import Address
from loadtests.engine.http_connection import HttpConnection
from loadtests.selftest.fake_loop import FakeLoop, Requester, connection_on, request_to
from loadtests.selftest.peers import OK, ServerConnection, always, engine_client, scripted_server

MALFORMED: dict[str, tuple[bytes, str]] = {
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n", "not HTTP/1"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", "not HTTP/1"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "malformed head"),
    "no colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed head"),
    "folded": (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "malformed head"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "malformed head"),
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "malformed head",
    ),
    "chunks in HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer coding in HTTP/1.0",
    ),
    "no size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "malformed chunk"),
    "chunk too long": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "malformed chunk"),
    "trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", "malformed trailer"),
    "upgrade": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "unexpected 101"),
    "1xx for ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 17, "too many 1xx responses"),
    "head without end": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "head too long"),
    "head too long": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n", "head too long"),
    "two types": (
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        "more than one content-type",
    ),
    "transfer coding": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "unknown transfer coding"),
    "not gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
        "content coding: the body is not what Content-Encoding declares",
    ),
    "content coding": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: shrunk\r\nContent-Length: 2\r\n\r\nhi",
        "unknown content coding",
    ),
    "body too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "body too long"),
    "chunks too long": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "body too long"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_response_is_an_error_and_the_next_request_opens_a_new_connection(case: str) -> None:
    response, reason = MALFORMED[case]

    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(response if connection.number == 0 else OK)
        connection.read()

    with scripted_server(script) as server, engine_client() as client:
        bad, good = client.ask(client.request(server.url()), client.request(server.url()))
    assert (bad.body, bad.error) == (b"", f"malformed response: {reason}")
    assert (good.error, server.connections) == (None, 2)


def test_an_endless_body_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_reader, "MAX_BODY", 100_000)

    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 50_000] * 3)
        connection.read()

    with scripted_server(script) as server, engine_client() as client:
        assert client.ask(client.request(server.url()))[0].error == "malformed response: body too long"


@pytest.mark.parametrize(("coding", "encode"), [(b"gzip", gzip.compress), (b"br", brotli.compress)])
def test_a_coded_body_is_decoded(coding: bytes, encode: Callable[[bytes], bytes]) -> None:
    body = encode(b"hi")
    coded = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (coding, len(body), body)
    with scripted_server(always(coded)) as server, engine_client() as client:
        received = client.ask(client.request(server.url()), client.request(server.url()))
    assert [(response.error, response.body) for response in received] == [(None, b"hi")] * 2


def test_requests_ask_for_no_coding() -> None:
    assert b"Accept-Encoding: identity\r\n" in encode_request(Request("GET", "http://a.example/"))


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "MAX_HELD", 256_000)


@pytest.mark.usefixtures("little_memory")
def test_incomplete_responses_share_a_limit_of_memory() -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", *[b"x" * 50_000] * 6)
        connection.read()

    with scripted_server(script) as server, engine_client() as client:
        error = client.ask(client.request(server.url()))[0].error
    assert error == "response too long: the load generator has no memory for it"


def test_memory_of_complete_and_failed_responses_is_free_again() -> None:
    loop, requester = FakeLoop(), Requester()
    connection = connection_on(loop, HttpConnection, Address("http", "h", 80))
    connection.send_request(request_to(connection.address), requester)
    connection.on_bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", 1)
    held = loop.held
    connection.on_bytes(b"cd", 2)
    connection.send_request(request_to(connection.address), requester)
    connection.on_bytes(b"HTTP/1.1 200 OK\r\n", 3)
    connection.on_end("connection reset")
    assert (held, loop.held) == (40, 0)
