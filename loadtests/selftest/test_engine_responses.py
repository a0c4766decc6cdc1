"""HTTP/1.1 responses of every form: how the engine reads them, and whether it keeps the connection."""

from __future__ import annotations

import h11
import pytest
import requests

from loadtests.selftest.peers import OK, always, engine_client, scripted_server

# Responses as bytes, and whether the connection's end belongs to them.
SHAPES: dict[str, tuple[bytes, bool]] = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", False),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", False),
    "blanks around values": (b"HTTP/1.1 200 OK\r\nX:  \t a b \t\r\nY:\r\nContent-Length:1\r\n\r\n1", False),
    "bytes beyond ASCII": (b"HTTP/1.1 200 OK\r\nX: \xe5\xe4\r\nContent-Length: 2\r\n\r\n\xff\x00", False),
    "repeated headers": (b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", False),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", False),
    "chunk extension": (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a="b"\r\nx\r\n0;c\r\n\r\n', False),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: 1\r\n\r\n", False),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nall that comes", True),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nold", True),
    "HTTP/1.0 that stays": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1", False),
    "close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1", True),
    "204": (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", False),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n", False),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, False),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK, False),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", False),
    "error": (b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy", False),
}


def read_by_h11(response: bytes, ends: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of a response to a GET, read by h11."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(response)
    if ends:
        reader.receive_data(b"")
    status, headers, body = 0, [], b""
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            assert isinstance(event, h11.InformationalResponse), f"h11 wants more than {response!r}"
    return status, headers, body


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_response_is_read_as_h11_and_requests_read_it(shape: str, bytewise: bool) -> None:
    response, ends = SHAPES[shape]
    with scripted_server(always(response, ends, bytewise)) as server, engine_client() as client:
        responses = client.ask(client.request(server.url()), client.request(server.url()))
        theirs = requests.get(server.url(), allow_redirects=False, timeout=10) if shape != "early hints" else None
    assert [(response.status, response.headers, response.body) for response in responses] == [
        read_by_h11(response, ends)
    ] * 2
    if theirs is not None:  # requests takes 103 for the response
        assert (theirs.status_code, theirs.content) == (responses[0].status, responses[0].body)


@pytest.mark.parametrize("shape", [name for name, (_, ends) in SHAPES.items() if not ends])
def test_a_connection_that_may_stay_is_used_again(shape: str) -> None:
    response, ends = SHAPES[shape]
    with scripted_server(always(response, ends)) as server, engine_client() as client:
        client.ask(*[client.request(server.url()) for _ in range(3)])
    assert (server.connections, len(client.samples.connects)) == (1, 1)


@pytest.mark.parametrize("shape", [name for name, (_, ends) in SHAPES.items() if ends])
def test_a_connection_that_ends_is_opened_again(shape: str) -> None:
    response, ends = SHAPES[shape]
    with scripted_server(always(response, ends)) as server, engine_client() as client:
        responses = client.ask(*[client.request(server.url()) for _ in range(3)])
    assert [response.error for response in responses] == [None] * 3
    assert server.connections == 3


def test_the_response_to_head_has_no_body() -> None:
    with (
        scripted_server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", False)) as server,
        engine_client() as client,
    ):
        head = client.request(server.url(), b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", is_head=True)
        responses = client.ask(head, head)
    assert [(response.status, response.body, response.error) for response in responses] == [(200, b"", None)] * 2
    assert server.connections == 1
