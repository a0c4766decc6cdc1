"""The server of the references: what an API receives, and what is sent for its replies.

Rule: real sockets on free ports. Most tests have a tiny API of their own. None depends on how fast the machine is.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import websocket

from fixtures.reference.protocol import MAX_BODY, Api, Change, Handler, Mail, Reply, Request, World, json_reply
from fixtures.reference.server import App, create_server, listening_socket
from fixtures.smtp_sink import MailSink

ROOT = Path(__file__).parents[3]
DEADLINE = 60.0  # seconds; no working server is so slow, however busy the machine is
CLOSING_REQUEST = b"GET /tiny/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Rpc = Callable[[str, str | bytes, str], bytes]
OK = Reply(200, [("content-type", "text/plain")], b"hello")


@dataclass
class TinyApi:
    """An API with the handlers that a test gives it; it records its requests."""

    handler: Handler
    rpc: Rpc | None = None
    requests: list[Request] = field(default_factory=list)
    world: World = None  # type: ignore[assignment]  # nothing here needs the time or random numbers

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.handler(request)


class SwitchableApi:
    """Passes requests to the API of the running test, so that most tests share one server."""

    world: World
    current: TinyApi

    def handle(self, request: Request) -> Reply:
        return self.current.handle(request)

    @property
    def rpc(self) -> Rpc | None:
        return self.current.rpc


SWITCH = SwitchableApi()
CLIENTS: list[http.client.HTTPConnection] = []
Serve = Callable[[TinyApi], int]


@pytest.fixture(scope="module")
def shared_port() -> Iterator[int]:
    with running(SWITCH) as port:
        yield port


@pytest.fixture
def serve(shared_port: int) -> Serve:
    """Mounts an API at /tiny of the shared server; returns the port."""

    def switch(api: TinyApi) -> int:
        SWITCH.current = api
        return shared_port

    return switch


@contextmanager
def running(api: Api, changes: Sequence[Change] = (), smtp: str = "127.0.0.1:1") -> Iterator[int]:
    """Serves the API at /tiny with a server of its own, in a thread; yields the port. It has ended afterwards."""
    ready, listening = threading.Event(), listening_socket()
    host, port = smtp.rsplit(":", 1)
    http_server = create_server(App({"tiny": api}, {"tiny": changes}, (host, int(port))), ready.set)
    thread = threading.Thread(target=http_server.run, args=([listening],))
    thread.start()
    assert ready.wait(DEADLINE)
    try:
        yield listening.getsockname()[1]
    finally:
        http_server.should_exit = True
        thread.join(DEADLINE)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def clients() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def client(port: int) -> http.client.HTTPConnection:
    """A new connection, which is closed after the test."""
    CLIENTS.append(http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE))
    return CLIENTS[-1]


def fetch(connection: http.client.HTTPConnection, method: str = "GET", path: str = "/tiny/", **more: Any) -> Any:
    connection.request(method, path, **more)
    response = connection.getresponse()
    return SimpleNamespace(status=response.status, headers=response.headers, body=response.read())


def raw_response(port: int, request: bytes) -> bytes:
    """All bytes that the server sends in response until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def raw_response_to(serve: Serve, reply: Reply, request: bytes = CLOSING_REQUEST) -> bytes:
    """The bytes that the server sends if its API returns this reply."""
    port = serve(TinyApi(lambda _: reply))
    return raw_response(port, request)


# What an API receives.


def test_a_request_reaches_its_api_undecoded(serve: Serve) -> None:
    api = TinyApi(lambda _: OK)
    request = b"PUT /tiny/a%2Fb/%C3%A9?x=%20&y HTTP/1.1\r\nHost: flow.local:81\r\nX-One: \xe9\r\nX-one: 2\r\n"
    port = serve(api)
    raw_response(port, request + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    (received,) = api.requests
    assert (received.method, received.path, received.query, received.body) == ("PUT", "/a%2Fb/%C3%A9", "x=%20&y", b"{}")
    assert received.headers[:3] == (("host", "flow.local:81"), ("x-one", "é"), ("x-one", "2"))
    assert received.base_url == "http://flow.local:81/tiny"


def test_without_a_host_header_the_base_is_the_address(serve: Serve) -> None:
    api = TinyApi(lambda _: OK)
    port = serve(api)
    raw_response(port, b"GET /tiny/ HTTP/1.0\r\n\r\n")
    assert api.requests[0].base_url == f"http://127.0.0.1:{port}/tiny"


@pytest.mark.parametrize("path", ["/tiny", "/tiny/"])
def test_the_mount_alone_is_the_root(serve: Serve, path: str) -> None:
    api = TinyApi(lambda _: OK)
    port = serve(api)
    fetch(client(port), path=path)
    assert api.requests[0].path == "/"


def test_a_connection_stays_open_and_keeps_its_name(serve: Serve) -> None:
    api = TinyApi(lambda _: OK)
    port = serve(api)
    connection = client(port)
    for _ in range(3):
        fetch(connection)
    fetch(client(port))
    names = [request.connection for request in api.requests]
    assert (len(set(names[:3])), len(set(names))) == (1, 2)


def test_an_address_that_a_client_claims_is_not_believed(serve: Serve) -> None:
    api = TinyApi(lambda _: OK)
    port = serve(api)
    fetch(client(port), headers={"X-Forwarded-For": "10.1.1.1", "X-Forwarded-Proto": "https"})
    assert api.requests[0].connection.startswith("127.0.0.1:")
    assert api.requests[0].base_url.startswith("http://127.0.0.1:")


def shouts(api: TinyApi, request: Request, answer: Handler) -> Reply:  # noqa: ARG001  # the shape of every change
    reply = answer(request)
    return Reply(reply.status, reply.headers, reply.body.upper())


SHOUTS = Change("shouts", "fault", ("TINY-1",), "It responses in capitals.", shouts)


def test_changes_stand_in_front_of_the_api() -> None:
    with running(TinyApi(lambda _: OK), [SHOUTS]) as port:
        assert fetch(client(port)).body == b"HELLO"


def test_requests_of_eight_clients_are_handled_one_at_a_time(serve: Serve) -> None:
    inside: list[int] = []
    most: list[int] = []

    def echo(request: Request) -> Reply:
        inside.append(1)
        most.append(len(inside))
        inside.pop()
        return Reply(200, body=request.body)

    def talk(port: int, number: int, good: list[bool]) -> None:
        connection = client(port)
        for i in range(25):
            body = f"{number}/{i}".encode()
            good.append(fetch(connection, "POST", body=body).body == body)

    good: list[bool] = []
    port = serve(TinyApi(echo))
    threads = [threading.Thread(target=talk, args=(port, number, good)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert (good, max(most)) == ([True] * 200, 1)


# What is sent.


def test_length_and_date_are_added_and_no_server_header(serve: Serve) -> None:
    port = serve(TinyApi(lambda _: OK))
    headers = fetch(client(port)).headers
    assert sorted(headers) == ["content-length", "content-type", "date"]
    assert headers["content-length"] == "5"


def test_head_has_the_length_but_no_body(serve: Serve) -> None:
    response = raw_response_to(serve, OK, b"HEAD /tiny/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 5\r\n" in response
    assert response.endswith(b"\r\n\r\n")


def test_no_content_has_neither_length_nor_body(serve: Serve) -> None:
    response = raw_response_to(serve, Reply(204, body=b"surplus"))
    assert response.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in response
    assert response.endswith(b"\r\n\r\n")


def test_chunks_are_sent_as_chunks(serve: Serve) -> None:
    response = raw_response_to(serve, Reply(200, chunks=[b"ab", b"", b"cde"]))
    assert b"transfer-encoding: chunked\r\n" in response
    assert b"content-length" not in response
    assert response.endswith(b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")


def test_http_1_0_gets_chunks_as_one_body(serve: Serve) -> None:
    response = raw_response_to(serve, Reply(200, chunks=[b"ab", b"cde"]), b"GET /tiny/ HTTP/1.0\r\n\r\n")
    assert b"content-length: 5\r\n" in response
    assert response.endswith(b"\r\n\r\nabcde")


def test_cut_after_ends_the_connection_within_the_body(serve: Serve) -> None:
    response = raw_response_to(serve, Reply(200, body=b"hello", cut_after=3), b"GET /tiny/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"content-length: 5\r\n" in response
    assert response.endswith(b"\r\n\r\nhel")


def test_cut_after_ends_the_connection_within_the_chunks(serve: Serve) -> None:
    response = raw_response_to(
        serve, Reply(200, chunks=[b"ab", b"cde"], cut_after=3), b"GET /tiny/ HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert response.endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n")


def test_a_delayed_reply_holds_up_no_other_client() -> None:
    arrived = threading.Event()

    def handle(request: Request) -> Reply:
        if request.path != "/slow":
            return OK
        arrived.set()
        return Reply(200, delay=1000)

    with running(TinyApi(handle)) as port:
        slow = client(port)
        slow.request("GET", "/tiny/slow")
        assert arrived.wait(DEADLINE)
        assert fetch(client(port)).status == 200
        assert select.select([slow.sock], [], [], 0) == ([], [], [])  # nothing of the slow response has arrived


def test_a_delayed_reply_is_not_early(serve: Serve) -> None:
    port = serve(TinyApi(lambda _: Reply(200, delay=0.1)))
    started = time.monotonic()
    assert fetch(client(port)).status == 200
    assert time.monotonic() - started > 0.09  # timers may fire a millisecond early


def test_connections_send_small_segments_at_once() -> None:
    with listening_socket() as listening, socket.create_connection(listening.getsockname(), DEADLINE):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


# Requests that are large or invalid, and replies that are.


def judge_size(request: Request) -> Reply:
    return json_reply(413 if len(request.body) > MAX_BODY else 200, {"bytes": len(request.body)})


def test_a_body_of_the_maximum_size_arrives_complete(serve: Serve) -> None:
    port = serve(TinyApi(judge_size))
    assert fetch(client(port), "POST", body=b"x" * MAX_BODY).body == b'{"bytes":%d}' % MAX_BODY


@pytest.mark.parametrize("size", [MAX_BODY + 1, 8 * MAX_BODY])
@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}], ids=["keep-alive", "close"])
def test_a_larger_body_is_answered_and_not_reset(serve: Serve, size: int, headers: dict[str, str]) -> None:
    port = serve(TinyApi(judge_size))
    connection = client(port)
    response = fetch(connection, "POST", body=b"x" * size, headers=headers)
    assert (response.status, response.body) == (413, b'{"bytes":%d}' % (MAX_BODY + 1))
    assert fetch(connection).status == 200


def test_a_larger_body_in_chunks_is_answered_too(serve: Serve) -> None:
    port = serve(TinyApi(judge_size))
    connection = client(port)
    assert fetch(connection, "POST", body=iter([b"x" * 65536] * 40)).status == 413
    assert fetch(connection).status == 200


def test_a_larger_body_is_answered_before_its_end(serve: Serve) -> None:
    with socket.create_connection(("127.0.0.1", serve(TinyApi(judge_size))), DEADLINE) as connection:
        head = f"POST /tiny/ HTTP/1.1\r\nHost: x\r\nContent-Length: {9 * MAX_BODY}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * (2 * MAX_BODY))
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_an_incomplete_request_does_not_reach_the_api(serve: Serve) -> None:
    api = TinyApi(lambda _: OK)
    port = serve(api)
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as connection:
        connection.sendall(b"POST /tiny/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert fetch(client(port)).status == 200
    assert [request.method for request in api.requests] == ["GET"]


def test_an_unknown_mount_is_answered_with_404_and_the_mounts(serve: Serve) -> None:
    port = serve(TinyApi(lambda _: OK))
    response = fetch(client(port), path="/tin/y")
    assert (response.status, response.headers["content-type"]) == (404, "application/json")
    assert json.loads(response.body)["mounts"] == ["/tiny"]


@pytest.mark.parametrize("header", [("x-split", "a\r\nb"), ("x y", "z"), ("x", "\u20ac")])
def test_a_header_that_http_cannot_carry_is_a_bug(
    serve: Serve, header: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    response = raw_response_to(serve, Reply(200, [header]))
    assert response.startswith(b"HTTP/1.1 500 ")
    assert "ValueError: not an HTTP header" in capfd.readouterr().err


def test_a_bug_is_answered_with_500_and_the_server_goes_on(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    def handle(request: Request) -> Reply:
        return Reply(200, body=b"%d" % (1 // (request.path != "/bug")))

    port = serve(TinyApi(handle))
    connection = client(port)
    bug, after = fetch(connection, path="/tiny/bug"), fetch(connection)
    assert (bug.status, list(json.loads(bug.body)), after.body) == (500, ["error"], b"1")
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("request_", [b"\x00\xff\r\n\r\n", b"GET /tiny/ HTTP/9\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
def test_bytes_that_are_not_http_are_refused_without_a_page(serve: Serve, request_: bytes) -> None:
    response = raw_response_to(serve, OK, request_)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"<" not in response


# Websocket.


def rpc_client(port: int, path: str = "/tiny/inventory/device") -> websocket.WebSocket:
    return websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=DEADLINE, skip_utf8_validation=True)


def describe_frame(endpoint: str, frame: str | bytes, connection: str) -> bytes:
    return f"{endpoint} {frame!r} {connection.split(':')[0]}".encode()


def test_frames_are_answered_in_order(serve: Serve) -> None:
    port = serve(TinyApi(lambda _: OK, describe_frame))
    connection = rpc_client(port)
    for number in range(20):
        connection.send(f"é{number}")
    connection.send_binary(b"\xff")
    responses = [connection.recv() for _ in range(21)]
    connection.close()
    frames = [repr(f"é{number}") for number in range(20)] + [repr(b"\xff")]
    assert responses == [f"inventory/device {frame} 127.0.0.1" for frame in frames]


def test_changes_stand_in_front_of_frames_that_are_requests() -> None:
    class Framed(TinyApi):
        def frame(self, endpoint: str, text: str | bytes, connection: str) -> Request:
            return Request("CALL", f"/{endpoint}", body=str(text).encode(), connection=connection)

    with running(Framed(lambda request: Reply(200, body=request.path.encode() + request.body)), [SHOUTS]) as port:
        connection = rpc_client(port)
        connection.send(" hello")
        assert connection.recv() == "/INVENTORY/DEVICE HELLO"
        connection.close()


def test_a_ping_is_answered(serve: Serve) -> None:
    port = serve(TinyApi(lambda _: OK, describe_frame))
    connection = rpc_client(port)
    connection.ping("are you there")
    opcode, frame = connection.recv_data_frame(control_frame=True)
    connection.close()
    assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")


@pytest.mark.parametrize(("path", "rpc"), [("/other/x", describe_frame), ("/tiny/x", None)], ids=["no mount", "no rpc"])
def test_a_handshake_without_a_websocket_api_gets_404(serve: Serve, path: str, rpc: Rpc | None) -> None:
    port = serve(TinyApi(lambda _: OK, rpc))
    with pytest.raises(websocket.WebSocketBadStatusException, match=r"Handshake status 404 .*no websocket at"):
        rpc_client(port, path)


def test_a_bug_in_rpc_closes_the_websocket_with_1011(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    def bug(endpoint: str, frame: str | bytes, connection: str) -> bytes:
        raise ZeroDivisionError(endpoint, frame, connection)

    port = serve(TinyApi(lambda _: OK, bug))
    connection = rpc_client(port)
    connection.send("{}")
    opcode, data = connection.recv_data()
    connection.shutdown()  # type: ignore[no-untyped-call]  # close() leaves a socket open that was closed from there
    assert fetch(client(port)).status == 200
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1011).to_bytes(2, "big"))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_the_end_of_the_server_closes_an_open_websocket() -> None:
    with running(TinyApi(lambda _: OK, describe_frame)) as port:
        connection = rpc_client(port)
    opcode, data = connection.recv_data()
    connection.shutdown()  # type: ignore[no-untyped-call]
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1001).to_bytes(2, "big"))


# Mail.


def mailing(request: Request) -> Reply:
    return Reply(201, mails=[Mail(request.segments()[0], "Grüße", "Your code: é" + "x" * 2000)])


def test_the_mail_is_delivered_before_the_reply() -> None:
    with MailSink() as sink, running(TinyApi(mailing), smtp=sink.address) as port:
        assert fetch(client(port), "POST", "/tiny/anna@example.com").status == 201
        (mail,) = sink.wait("anna@example.com", timeout=0)
    assert (mail.subject, mail.text.rstrip()) == ("Grüße", "Your code: é" + "x" * 2000)


def test_without_an_smtp_server_the_reply_is_sent_and_one_line_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        with running(TinyApi(mailing), smtp=f"127.0.0.1:{closed.getsockname()[1]}") as port:
            connection = client(port)
            assert [fetch(connection, "POST", "/tiny/anna@example.com").status for _ in range(3)] == [201] * 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "mail to 'anna@example.com' is lost" in line
    assert "--smtp HOST:PORT" in line


def test_an_undeliverable_mail_does_not_change_the_reply(capfd: pytest.CaptureFixture[str]) -> None:
    with MailSink() as sink, running(TinyApi(mailing), smtp=sink.address) as port:
        connection = client(port)
        for to in ("", "no%20address", "a%0d%0ab@example.com", "%00", "@@"):
            assert fetch(connection, "POST", f"/tiny/{to}").status == 201
        assert fetch(connection, "POST", "/tiny/anna@example.com").status == 201
        assert len(sink.wait("anna@example.com", timeout=0)) == 1
    assert "Traceback" not in capfd.readouterr().err
