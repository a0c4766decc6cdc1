"""The HTTP client against servers that do what they should not: what came is told, and nothing else is.

Rule: a server here is a list of moves on a raw socket, so that every byte is the test's.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from contracts.exchange import Answer, Exchange, Sent
from fixtures import client
from fixtures.client import Client, Unreachable

Serve = Callable[[socket.socket], None]
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
LONG = 5.0  # seconds; nothing here takes as long unless it is wrong
SHORT = 0.3  # seconds; for a server that must be seen to say nothing


def says(*answers: bytes, ends: bool = True) -> Serve:
    """A connection that gives these answers, one a request, and is closed then, or kept open."""

    def serve(connection: socket.socket) -> None:
        for answer in answers:
            connection.recv(65_536)
            connection.sendall(answer)
        if not ends:
            connection.recv(65_536)

    return serve


@contextmanager
def server(*connections: Serve) -> Iterator[str]:
    """The URL of a server that takes that many connections, one after the other."""

    def run() -> None:
        for serve in connections:
            connection, _ = bound.accept()
            with connection:
                serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.settimeout(LONG)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        thread.join(LONG)


def ask(url: str, *sents: Sent, timeout: float = LONG) -> list[Exchange]:
    ours = Client(url, "SHOP_URL", timeout)
    try:
        return [ours.send(sent) for sent in sents or [Sent("GET", f"{url}/")]]
    finally:
        ours.close()


def answer(data: bytes, method: str = "GET") -> Answer:
    """What a client makes of these bytes and the end of the connection."""
    with server(says(data)) as url:
        return ask(url, Sent(method, f"{url}/"))[0].answer


def test_connection_is_kept_from_request_to_request() -> None:
    with server(says(WHOLE, WHOLE)) as url:
        bodies = [one.answer.body for one in ask(url, Sent("GET", f"{url}/1"), Sent("GET", f"{url}/2"))]
    assert bodies == [b"hi", b"hi"]


def test_connection_that_the_server_closed_is_opened_anew() -> None:
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    with server(says(closing), says(WHOLE)) as url:
        errors = [one.answer.error for one in ask(url, Sent("GET", f"{url}/1"), Sent("GET", f"{url}/2"))]
    assert errors == [None, None]


def test_bytes_that_nobody_asked_for_are_not_taken_for_the_next_answer() -> None:
    with server(says(WHOLE + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), says(WHOLE)) as url:
        statuses = [one.answer.status for one in ask(url, Sent("GET", f"{url}/1"), Sent("GET", f"{url}/2"))]
    assert statuses == [200, 200]


def test_repeated_headers_stay_apart_and_in_order() -> None:
    got = answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-Two:  b \r\nSet-Cookie: c\r\nContent-Length: 0\r\n\r\n")
    assert got.headers == (("Set-Cookie", "a"), ("X-Two", "b"), ("Set-Cookie", "c"), ("Content-Length", "0"))


def test_redirect_is_an_answer() -> None:
    got = answer(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    assert (got.status, got.header("location"), got.error) == (302, "/elsewhere", None)


def test_compressed_body_stays_compressed() -> None:
    got = answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08")
    assert (got.body, got.error) == (b"\x1f\x8b\x08", None)


def test_chunks_are_put_together() -> None:
    got = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\n yo\r\n0\r\nX-Trailer: 1\r\n\r\n"
    )
    assert (got.body, got.header("x-trailer"), got.error) == (b"hi yo", None, None)


def test_body_of_unknown_length_ends_with_the_connection() -> None:
    assert answer(b"HTTP/1.1 200 OK\r\n\r\nhi") == Answer(200, (), b"hi")


def test_interim_answer_is_passed_over() -> None:
    got = answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + WHOLE)
    assert got == Answer(200, (("Content-Length", "2"),), b"hi")


def test_answer_to_head_has_no_body() -> None:
    assert answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").error is None


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body_ends_with_its_headers(status: int) -> None:
    with server(says(b"HTTP/1.1 %d X\r\n\r\n" % status, WHOLE)) as url:
        got = [one.answer.status for one in ask(url, Sent("GET", f"{url}/1"), Sent("GET", f"{url}/2"))]
    assert got == [status, 200]


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        (b"", 0, b""),
        (b"HTTP/1.1 200 OK\r\nContent-", 0, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 200, b"hi"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 200, b"hi"),
    ],
)
def test_answer_that_breaks_off_keeps_what_came(data: bytes, status: int, body: bytes) -> None:
    got = answer(data)
    assert (got.status, got.body) == (status, body)
    assert got.error
    assert "closed" in got.error


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n",
    ],
)
def test_what_is_not_http_is_told(data: bytes) -> None:
    error = answer(data).error
    assert error
    assert error.startswith("not HTTP")


def test_silence_is_told_after_the_time_limit() -> None:
    with server(says(b"", ends=False)) as url:
        (got,) = ask(url, timeout=SHORT)
    assert got.answer == Answer(0, error="no answer within the time limit")


def test_silence_within_an_answer_keeps_what_came() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", ends=False)) as url:
        (got,) = ask(url, timeout=SHORT)
    assert (got.answer.status, got.answer.body) == (200, b"hi")
    assert got.answer.error == "answer broken off: no answer within the time limit"


def test_refusal_before_the_body_was_read_is_the_answer() -> None:
    def refuses(connection: socket.socket) -> None:
        connection.recv(1_000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with server(refuses) as url:
        (got,) = ask(url, Sent("POST", f"{url}/", (), b"x" * 5_000_000))
    assert (got.answer.status, got.answer.error) == (413, None)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that it signed itself, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    about = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *about, "-keyout", str(path), "-out", "-"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    path.write_text(path.read_text() + made.stdout)
    return path


@contextmanager
def secured(certificate: Path, serve: Serve) -> Iterator[str]:
    """The https URL of a server with that certificate that takes one connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def secure(connection: socket.socket) -> None:
        with suppress(ssl.SSLError, ConnectionError), context.wrap_socket(connection, server_side=True) as ours:
            serve(ours)

    with server(secure) as url:
        yield url.replace("http", "https", 1)


def test_certificate_that_nobody_vouches_for_makes_the_target_unreachable(certificate: Path) -> None:
    with secured(certificate, says(WHOLE)) as url, pytest.raises(Unreachable, match=r"certificate.*SHOP_URL"):
        ask(url)


@pytest.mark.parametrize(("host", "good"), [("127.0.0.1", True), ("localhost", False)])
def test_certificate_must_be_of_the_host(
    host: str, good: bool, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(client, "_trust", lambda: trusting)
    with secured(certificate, says(WHOLE)) as url:
        if good:
            assert ask(url)[0].answer.body == b"hi"
        else:
            with pytest.raises(Unreachable, match="localhost"):
                ask(url.replace("127.0.0.1", host))


SHAPES = [
    WHOLE,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nTrailer: t\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    b"HTTP/1.0 200 OK\r\n\r\nold",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 404 Not Found\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 4\r\n\r\n\xff\x00\r\n",
    b"HTTP/1.1 200 OK\r\nX-Name: \xe5\r\nContent-Length:  2 \r\n\r\nhi",
]


@pytest.mark.parametrize("shape", SHAPES, ids=range(len(SHAPES)))
def test_answer_is_what_requests_makes_of_it(shape: bytes) -> None:
    with server(says(shape), says(shape)) as url:
        ours = ask(url, Sent("GET", f"{url}/"))[0].answer
        with requests.Session() as session:
            session.trust_env = False
            theirs = session.get(f"{url}/", allow_redirects=False, timeout=LONG)
    assert (ours.status, ours.body) == (theirs.status_code, theirs.content)
    assert {name.lower(): ours.header(name) for name, _ in ours.headers if name != "X-Twice"} == {
        name.lower(): value.strip() for name, value in theirs.headers.items() if name != "X-Twice"
    }
