"""HTTP/1.1 answers that are none: each is an error with a reason, and the connection is left."""

from __future__ import annotations

import pytest

from loadtests.engine import http1
from loadtests.selftest.peers import OK, Talk, client, peer

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
    "1xx for ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 17, "too many answers 1xx"),
    "head without end": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "head too long"),
    "head too long": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n", "head too long"),
    "body too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "body too long"),
    "chunks too long": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "body too long"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_an_error_and_the_next_request_a_new_connection(case: str) -> None:
    answer, reason = MALFORMED[case]

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(answer if talk.number == 0 else OK)
        talk.read()

    with peer(script) as server, client() as ours:
        bad, good = ours.ask(ours.request(server.url()), ours.request(server.url()))
    assert (bad.status, bad.error) == (0, f"malformed answer: {reason}")
    assert (good.error, server.connections) == (None, 2)


def test_an_endless_body_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "MAX_BODY", 100_000)

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 50_000] * 3)
        talk.read()

    with peer(script) as server, client() as ours:
        assert ours.ask(ours.request(server.url()))[0].error == "malformed answer: body too long"
