"""The sockets of the references: what an API hears and says, and the process that serves all of them.

Rule: real sockets on free ports; most facts need only a tiny API of their own, written beside them.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
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

from fixtures.mail import MailSink
from fixtures.reference import __main__ as command
from fixtures.reference import apis
from fixtures.reference.protocol import MAX_BODY, Answer, Api, Change, Mail, Reply, Request, World, json_reply
from fixtures.reference.server import App, listener, server

ROOT = Path(__file__).parents[2]
SOON = 10.0  # seconds; a deadline that a working server never comes near
LAST = b"GET /tiny/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Rpc = Callable[[str, str | bytes, str], bytes]
OK = Reply(200, [("content-type", "text/plain")], b"hello")


@dataclass
class Tiny:
    """An API that answers as a test says and remembers what it heard."""

    answer: Answer
    rpc: Rpc | None = None
    heard: list[Request] = field(default_factory=list)
    world: World = None  # type: ignore[assignment]  # nothing here asks for time or chance

    def handle(self, request: Request) -> Reply:
        self.heard.append(request)
        return self.answer(request)


class Switch:
    """The API of the test that runs, so that one server does for most tests."""

    world: World
    current: Tiny

    def handle(self, request: Request) -> Reply:
        return self.current.handle(request)

    @property
    def rpc(self) -> Rpc | None:
        return self.current.rpc


SWITCH = Switch()
CLIENTS: list[http.client.HTTPConnection] = []
Serve = Callable[[Tiny], int]


@pytest.fixture(scope="module")
def shared_port() -> Iterator[int]:
    with running(SWITCH) as port:
        yield port


@pytest.fixture
def serve(shared_port: int) -> Serve:
    """Mounts an API at /tiny of the shared server; gives the port."""

    def switch(api: Tiny) -> int:
        SWITCH.current = api
        return shared_port

    return switch


@contextmanager
def running(api: Api, changes: Sequence[Change] = (), smtp: str = "127.0.0.1:1") -> Iterator[int]:
    """Serves the API at /tiny with a server of its own, in a thread; gives the port. It has ended afterwards."""
    ready, bound = threading.Event(), listener()
    host, port = smtp.rsplit(":", 1)
    http_server = server(App({"tiny": api}, {"tiny": changes}, (host, int(port))), ready.set)
    thread = threading.Thread(target=http_server.run, args=([bound],))
    thread.start()
    assert ready.wait(SOON)
    try:
        yield bound.getsockname()[1]
    finally:
        http_server.should_exit = True
        thread.join(SOON)
    assert not thread.is_alive()


@pytest.fixture(autouse=True)
def clients() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def client(port: int) -> http.client.HTTPConnection:
    """A connection of its own, closed after the test."""
    CLIENTS.append(http.client.HTTPConnection("127.0.0.1", port, timeout=SOON))
    return CLIENTS[-1]


def ask(connection: http.client.HTTPConnection, method: str = "GET", path: str = "/tiny/", **more: Any) -> Any:
    connection.request(method, path, **more)
    response = connection.getresponse()
    return SimpleNamespace(status=response.status, headers=response.headers, body=response.read())


def raw_answer(port: int, request: bytes) -> bytes:
    """All bytes that come back for these until the server closes."""
    with socket.create_connection(("127.0.0.1", port), SOON) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def one(serve: Serve, reply: Reply, request: bytes = LAST) -> bytes:
    """The bytes the server answers with when its API gives this reply."""
    port = serve(Tiny(lambda _: reply))
    return raw_answer(port, request)


# What the API hears.


def test_a_request_reaches_its_api_undecoded(serve: Serve) -> None:
    api = Tiny(lambda _: OK)
    request = b"PUT /tiny/a%2Fb/%C3%A9?x=%20&y HTTP/1.1\r\nHost: flow.local:81\r\nX-One: \xe9\r\nX-one: 2\r\n"
    port = serve(api)
    raw_answer(port, request + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}")
    (heard,) = api.heard
    assert (heard.method, heard.path, heard.query, heard.body) == ("PUT", "/a%2Fb/%C3%A9", "x=%20&y", b"{}")
    assert heard.headers[:3] == (("host", "flow.local:81"), ("x-one", "é"), ("x-one", "2"))
    assert heard.base == "http://flow.local:81/tiny"


def test_without_a_host_header_the_base_is_the_address(serve: Serve) -> None:
    api = Tiny(lambda _: OK)
    port = serve(api)
    raw_answer(port, b"GET /tiny/ HTTP/1.0\r\n\r\n")
    assert api.heard[0].base == f"http://127.0.0.1:{port}/tiny"


@pytest.mark.parametrize("path", ["/tiny", "/tiny/"])
def test_the_mount_alone_is_the_root(serve: Serve, path: str) -> None:
    api = Tiny(lambda _: OK)
    port = serve(api)
    ask(client(port), path=path)
    assert api.heard[0].path == "/"


def test_a_connection_is_kept_and_has_one_name(serve: Serve) -> None:
    api = Tiny(lambda _: OK)
    port = serve(api)
    kept = client(port)
    for _ in range(3):
        ask(kept)
    ask(client(port))
    names = [request.connection for request in api.heard]
    assert (len(set(names[:3])), len(set(names))) == (1, 2)


def test_an_address_that_a_client_claims_is_not_believed(serve: Serve) -> None:
    api = Tiny(lambda _: OK)
    port = serve(api)
    ask(client(port), headers={"X-Forwarded-For": "10.1.1.1", "X-Forwarded-Proto": "https"})
    assert api.heard[0].connection.startswith("127.0.0.1:")
    assert api.heard[0].base.startswith("http://127.0.0.1:")


def shouts(api: Tiny, request: Request, answer: Answer) -> Reply:  # noqa: ARG001  # the shape of every change
    reply = answer(request)
    return Reply(reply.status, reply.headers, reply.body.upper())


SHOUTS = Change("shouts", "fault", ("TINY-1",), "It answers in capitals.", shouts)


def test_changes_stand_in_front_of_the_api() -> None:
    with running(Tiny(lambda _: OK), [SHOUTS]) as port:
        assert ask(client(port)).body == b"HELLO"


def test_eight_clients_at_once_are_heard_one_at_a_time(serve: Serve) -> None:
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
            good.append(ask(connection, "POST", body=body).body == body)

    good: list[bool] = []
    port = serve(Tiny(echo))
    threads = [threading.Thread(target=talk, args=(port, number, good)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert (good, max(most)) == ([True] * 200, 1)


# What goes out.


def test_length_and_date_are_added_and_no_advertisement(serve: Serve) -> None:
    port = serve(Tiny(lambda _: OK))
    headers = ask(client(port)).headers
    assert sorted(headers) == ["content-length", "content-type", "date"]
    assert headers["content-length"] == "5"


def test_head_has_the_length_but_no_body(serve: Serve) -> None:
    answer = one(serve, OK, b"HEAD /tiny/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"content-length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_no_content_has_neither_length_nor_body(serve: Serve) -> None:
    answer = one(serve, Reply(204, body=b"surplus"))
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in answer
    assert answer.endswith(b"\r\n\r\n")


def test_pieces_are_chunks(serve: Serve) -> None:
    answer = one(serve, Reply(200, pieces=[b"ab", b"", b"cde"]))
    assert b"transfer-encoding: chunked\r\n" in answer
    assert b"content-length" not in answer
    assert answer.endswith(b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")


def test_http_1_0_gets_pieces_as_one_body(serve: Serve) -> None:
    answer = one(serve, Reply(200, pieces=[b"ab", b"cde"]), b"GET /tiny/ HTTP/1.0\r\n\r\n")
    assert b"content-length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\nabcde")


def test_a_cut_ends_the_connection_within_the_body(serve: Serve) -> None:
    answer = one(serve, Reply(200, body=b"hello", cut=3), b"GET /tiny/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"content-length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\nhel")


def test_a_cut_ends_the_connection_within_the_pieces(serve: Serve) -> None:
    answer = one(serve, Reply(200, pieces=[b"ab", b"cde"], cut=3), b"GET /tiny/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n")


def test_a_delayed_reply_holds_nobody_else(serve: Serve) -> None:
    arrived = threading.Event()

    def answer(request: Request) -> Reply:
        if request.path != "/slow":
            return OK
        arrived.set()
        return Reply(200, delay=0.3)

    port = serve(Tiny(answer))
    slow = client(port)
    started = time.monotonic()
    slow.request("GET", "/tiny/slow")
    assert arrived.wait(SOON)
    assert ask(client(port)).status == 200
    quick = time.monotonic() - started
    slow.getresponse().read()
    assert quick < 0.29 <= time.monotonic() - started  # timers may fire a millisecond early


def test_small_replies_are_not_held_back(serve: Serve) -> None:
    port = serve(Tiny(lambda _: OK))
    connection = client(port)
    started = time.monotonic()
    for _ in range(50):
        ask(connection)
    assert time.monotonic() - started < 50 * 0.04  # what Nagle's algorithm and a delayed ACK would cost


# What is large, broken or nobody's.


def judge_size(request: Request) -> Reply:
    return json_reply(413 if len(request.body) > MAX_BODY else 200, {"bytes": len(request.body)})


def test_a_body_of_the_limit_arrives_whole(serve: Serve) -> None:
    port = serve(Tiny(judge_size))
    assert ask(client(port), "POST", body=b"x" * MAX_BODY).body == b'{"bytes":%d}' % MAX_BODY


@pytest.mark.parametrize("size", [MAX_BODY + 1, 8 * MAX_BODY])
@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}], ids=["keep-alive", "close"])
def test_a_larger_body_is_answered_and_not_reset(serve: Serve, size: int, headers: dict[str, str]) -> None:
    port = serve(Tiny(judge_size))
    connection = client(port)
    answer = ask(connection, "POST", body=b"x" * size, headers=headers)
    assert (answer.status, answer.body) == (413, b'{"bytes":%d}' % (MAX_BODY + 1))
    assert ask(connection).status == 200


def test_a_larger_body_in_chunks_is_answered_too(serve: Serve) -> None:
    port = serve(Tiny(judge_size))
    connection = client(port)
    assert ask(connection, "POST", body=iter([b"x" * 65536] * 40)).status == 413
    assert ask(connection).status == 200


def test_a_larger_body_is_answered_before_its_end(serve: Serve) -> None:
    with socket.create_connection(("127.0.0.1", serve(Tiny(judge_size))), SOON) as connection:
        head = f"POST /tiny/ HTTP/1.1\r\nHost: x\r\nContent-Length: {9 * MAX_BODY}\r\n\r\n"
        connection.sendall(head.encode() + b"x" * (2 * MAX_BODY))
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_a_client_that_leaves_within_its_body_is_not_heard(serve: Serve) -> None:
    api = Tiny(lambda _: OK)
    port = serve(api)
    with socket.create_connection(("127.0.0.1", port), SOON) as connection:
        connection.sendall(b"POST /tiny/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
    assert ask(client(port)).status == 200
    assert [request.method for request in api.heard] == ["GET"]


def test_nothing_is_mounted_elsewhere(serve: Serve) -> None:
    port = serve(Tiny(lambda _: OK))
    answer = ask(client(port), path="/tin/y")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/json")
    assert json.loads(answer.body)["mounts"] == ["/tiny"]


@pytest.mark.parametrize("header", [("x-split", "a\r\nb"), ("x y", "z"), ("x", "\u20ac")])
def test_a_header_that_http_cannot_carry_is_a_bug(
    serve: Serve, header: tuple[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    answer = one(serve, Reply(200, [header]))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert "ValueError: not an HTTP header" in capfd.readouterr().err


def test_a_bug_is_told_and_survived(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request) -> Reply:
        return Reply(200, body=b"%d" % (1 // (request.path != "/bug")))

    port = serve(Tiny(answer))
    connection = client(port)
    bug, after = ask(connection, path="/tiny/bug"), ask(connection)
    assert (bug.status, list(json.loads(bug.body)), after.body) == (500, ["error"], b"1")
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("request_", [b"\x00\xff\r\n\r\n", b"GET /tiny/ HTTP/9\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_refused_without_a_page(serve: Serve, request_: bytes) -> None:
    answer = one(serve, OK, request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<" not in answer


# Websocket.


def rpc_client(port: int, path: str = "/tiny/inventory/device") -> websocket.WebSocket:
    return websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=SOON, skip_utf8_validation=True)


def tell(endpoint: str, frame: str | bytes, connection: str) -> bytes:
    return f"{endpoint} {frame!r} {connection.split(':')[0]}".encode()


def test_frames_are_answered_in_order(serve: Serve) -> None:
    port = serve(Tiny(lambda _: OK, tell))
    connection = rpc_client(port)
    for number in range(20):
        connection.send(f"é{number}")
    connection.send_binary(b"\xff")
    answers = [connection.recv() for _ in range(21)]
    connection.close()
    frames = [repr(f"é{number}") for number in range(20)] + [repr(b"\xff")]
    assert answers == [f"inventory/device {frame} 127.0.0.1" for frame in frames]


def test_changes_stand_in_front_of_frames_that_are_requests() -> None:
    class Framed(Tiny):
        def frame(self, endpoint: str, text: str | bytes, connection: str) -> Request:
            return Request("CALL", f"/{endpoint}", body=str(text).encode(), connection=connection)

    with running(Framed(lambda request: Reply(200, body=request.path.encode() + request.body)), [SHOUTS]) as port:
        connection = rpc_client(port)
        connection.send(" hello")
        assert connection.recv() == "/INVENTORY/DEVICE HELLO"
        connection.close()


def test_a_ping_is_answered(serve: Serve) -> None:
    port = serve(Tiny(lambda _: OK, tell))
    connection = rpc_client(port)
    connection.ping("are you there")
    opcode, frame = connection.recv_data_frame(control_frame=True)
    connection.close()
    assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")


@pytest.mark.parametrize(("path", "rpc"), [("/other/x", tell), ("/tiny/x", None)], ids=["no mount", "no rpc"])
def test_a_websocket_where_none_is_gets_404(serve: Serve, path: str, rpc: Rpc | None) -> None:
    port = serve(Tiny(lambda _: OK, rpc))
    with pytest.raises(websocket.WebSocketBadStatusException, match=r"Handshake status 404 .*no websocket at"):
        rpc_client(port, path)


def test_a_bug_in_rpc_closes_the_websocket_with_1011(serve: Serve, capfd: pytest.CaptureFixture[str]) -> None:
    def bug(endpoint: str, frame: str | bytes, connection: str) -> bytes:
        raise ZeroDivisionError(endpoint, frame, connection)

    port = serve(Tiny(lambda _: OK, bug))
    connection = rpc_client(port)
    connection.send("{}")
    opcode, data = connection.recv_data()
    connection.shutdown()  # type: ignore[no-untyped-call]  # close() leaves a socket open that was closed from there
    assert ask(client(port)).status == 200
    assert (opcode, data[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1011).to_bytes(2, "big"))
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_an_open_websocket_does_not_hold_the_end() -> None:
    with running(Tiny(lambda _: OK, tell)) as port:
        connection = rpc_client(port)
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    connection.close()


# Mail.


def mailing(request: Request) -> Reply:
    return Reply(201, mails=[Mail(request.segments()[0], "Grüße", "Your code: é" + "x" * 2000)])


def test_the_mail_is_there_before_the_reply() -> None:
    with MailSink() as sink, running(Tiny(mailing), smtp=sink.address) as port:
        assert ask(client(port), "POST", "/tiny/anna@example.com").status == 201
        (mail,) = sink.wait("anna@example.com", timeout=0)
    assert (mail.subject, mail.text.rstrip()) == ("Grüße", "Your code: é" + "x" * 2000)


def test_without_an_smtp_server_the_reply_stands_and_one_line_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        with running(Tiny(mailing), smtp=f"127.0.0.1:{deaf.getsockname()[1]}") as port:
            connection = client(port)
            assert [ask(connection, "POST", "/tiny/anna@example.com").status for _ in range(3)] == [201] * 3
    (line,) = capfd.readouterr().err.splitlines()
    assert "mail to 'anna@example.com' is lost" in line
    assert "--smtp HOST:PORT" in line


def test_a_mail_that_no_smtp_server_takes_leaves_the_reply_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with MailSink() as sink, running(Tiny(mailing), smtp=sink.address) as port:
        connection = client(port)
        for to in ("", "no%20address", "a%0d%0ab@example.com", "%00", "@@"):
            assert ask(connection, "POST", f"/tiny/{to}").status == 201
        assert ask(connection, "POST", "/tiny/anna@example.com").status == 201
        assert len(sink.wait("anna@example.com", timeout=0)) == 1
    assert "Traceback" not in capfd.readouterr().err


# The process.


class Process:
    """`python -m fixtures.reference` with these arguments, serving."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fixtures.reference", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.deadline = threading.Timer(2 * SOON, self.process.kill)
        self.deadline.start()
        assert self.process.stdout is not None
        self.urls: dict[str, str] = json.loads(self.process.stdout.readline() or "{}")

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.deadline.cancel()
        self.process.kill()
        self.process.communicate()

    def port(self) -> int:
        return int(re.findall(r":(\d+)/", next(iter(self.urls.values())))[0])

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, stderr."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=SOON)
        return self.process.returncode, out, err


def test_it_serves_every_api_and_ends_cleanly_at_ctrl_c() -> None:
    with Process() as running:
        assert running.urls == {api: f"http://127.0.0.1:{running.port()}/{api}" for api in apis()}
        answers = [ask(client(running.port()), path=f"/{api}/no/such/path").status for api in apis()]
        assert all(400 <= status < 500 for status in answers)
        assert running.end(signal.SIGINT) == (0, "", "")


def test_sigterm_ends_it_at_once_though_a_connection_is_open() -> None:
    with Process("--api", apis()[0]) as running:
        kept = client(running.port())
        ask(kept, path=f"/{apis()[0]}/")
        started = time.monotonic()
        assert running.end(signal.SIGTERM) == (0, "", "")
        assert time.monotonic() - started < 1.5


def test_two_of_them_have_their_own_ports_and_a_taken_port_is_told() -> None:
    with Process("--api", apis()[0]) as first, Process("--api", apis()[-1]) as second:
        assert first.port() != second.port()
        with Process("--port", str(first.port())) as third:
            out, err = third.process.communicate(timeout=SOON)
            (line,) = err.splitlines()
            assert (third.process.returncode, out) == (2, "")
            assert f"--port: expected a free port of 127.0.0.1 (0 to 65535), got {first.port()} " in line
            assert "leave --port out" in line


# Its arguments, with two made-up APIs: `left` and `right`.


def change(name: str, kind: str) -> Change:
    return Change(name, kind, ("TINY-1", "TINY-2"), f"It {name}.", lambda _, request, answer: answer(request))


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `main` would serve: (references, changes, smtp, port) of each call."""
    packages = {
        api: SimpleNamespace(
            create=lambda world: SimpleNamespace(world=world),
            FAULTS={name: change(name, "fault") for name in ("forgets", f"{api}_shouts")},
            VARIANTS={"waits": change("waits", "variant")},
        )
        for api in ("left", "right")
    }
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(command, "apis", lambda: list(packages))
    monkeypatch.setattr(command, "load", packages.__getitem__)

    def serve(*call: Any) -> int:
        calls.append(call)
        return 0

    monkeypatch.setattr(command, "_serve", serve)
    return calls


def test_without_arguments_all_is_honest(served: list[tuple[Any, ...]]) -> None:
    assert command.main([]) == 0
    ((references, changes, smtp, options),) = served
    assert (list(references), changes, smtp) == (["left", "right"], {"left": [], "right": []}, ("127.0.0.1", 2525))
    assert (options.port, options.deepstream, options.until_eof) == (0, "", False)


def test_only_the_named_apis_are_served(served: list[tuple[Any, ...]]) -> None:
    command.main(["--api", "right", "--api", "right"])
    assert list(served[0][0]) == ["right"]


def test_changes_are_named_in_full_or_by_a_unique_name(served: list[tuple[Any, ...]]) -> None:
    faults = ["--fault=right.forgets", "--fault=left_shouts", "--fault=left.left_shouts"]
    command.main(["--variant", "left.waits", *faults])
    named = {api: [each.name for each in changes] for api, changes in served[0][1].items()}
    assert named == {"left": ["left_shouts", "waits"], "right": ["forgets"]}


def test_the_same_seed_gives_the_same_chance(served: list[tuple[Any, ...]]) -> None:
    for seed in ("1", "1", "2"):
        command.main(["--seed", seed])
    first, again, other = ([api.world.uuid4() for api in call[0].values()] for call in served)
    assert first == again
    assert len({*first, *other}) == 4


def test_the_world_has_the_time(served: list[tuple[Any, ...]]) -> None:
    command.main([])
    assert abs(served[0][0]["left"].world.now().timestamp() - time.time()) < SOON


def test_the_list_names_every_change(served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list", "--api", "left"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "left: 2 faults",
        "  forgets      TINY-1 TINY-2  It forgets.",
        "  left_shouts  TINY-1 TINY-2  It left_shouts.",
        "",
        "left: 1 variants",
        "  waits  TINY-1 TINY-2  It waits.",
    ]
    assert served == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--api lefd", "--api: expected one of left, right; got 'lefd'; nearest: left"),
        ("--fault left.forgits", "--fault: expected API.NAME of a fault; got 'left.forgits'; nearest: forgets; --list"),
        ("--fault waits", "--fault: expected API.NAME of a fault; got 'waits'; --list"),
        ("--variant wait", "--variant: expected API.NAME of a variant; got 'wait'; nearest: waits; --list"),
        ("--fault forgets", "--fault: expected one fault; 'forgets' is 2; name one of left.forgets, right.forgets"),
        ("--api left --fault right.forgets", "expected a fault of a served API; got 'right.forgets'; add --api right"),
        ("--smtp localhost", "--smtp: expected HOST:PORT; got 'localhost'; say for example 127.0.0.1:2525"),
        ("--smtp localhost:99999", "--smtp: expected HOST:PORT; got 'localhost:99999'"),
        ("--smtp :25", "--smtp: expected HOST:PORT; got ':25'"),
        ("--port web", "argument --port: invalid int value: 'web'; --help"),
        ("--sede 1", "unrecognized arguments: --sede 1; --help"),
    ],
)
def test_misuse_is_told_in_one_line(
    served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str], arguments: str, told: str
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments.split())
    (line,) = capsys.readouterr().err.splitlines()
    assert (end.value.code, served) == (2, [])
    assert told in line


def test_the_list_may_be_cut_short() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "fixtures.reference", "--list"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as listing:
        assert listing.stdout is not None
        listing.stdout.close()
        _, err = listing.communicate(timeout=SOON)
    assert (listing.returncode, err) == (0, b"")
