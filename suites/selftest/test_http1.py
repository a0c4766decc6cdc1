"""HTTP/1.1 without a socket: what goes out byte by byte, and an answer however it arrives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.exchange import Answer, Sent
from fixtures.http1 import Incoming, request

CHUNKED = b"HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, len(CHUNKED)])
def test_answer_is_the_same_however_it_is_cut(size: int) -> None:
    incoming = Incoming("GET")
    for start in range(0, len(CHUNKED), size):
        assert not incoming.ended
        incoming.feed(CHUNKED[start : start + size])
    assert incoming.answer() == Answer(200, (("X-A", "b"), ("Transfer-Encoding", "chunked")), b"hi")
    assert incoming.ended
    assert incoming.reusable


def test_switched_connection_is_not_used_again() -> None:
    incoming = Incoming("GET")
    incoming.feed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes of x")
    assert incoming.answer() == Answer(101, (("Upgrade", "x"), ("Connection", "upgrade")))
    assert (incoming.ended, incoming.reusable) == (True, False)


def lines(sent: Sent) -> Sequence[str]:
    return request(sent).decode("latin-1").split("\r\n")


def test_target_goes_out_as_it_is() -> None:
    assert lines(Sent("GET", "http://a.example/x/../%2e?a=[1]&b=%20"))[0] == "GET /x/../%2e?a=[1]&b=%20 HTTP/1.1"


def test_what_a_target_cannot_hold_is_encoded() -> None:
    assert lines(Sent("GET", "http://a.example/å b?c=\x00"))[0] == "GET /%C3%A5%20b?c=%00 HTTP/1.1"


def test_only_host_and_length_are_added() -> None:
    assert lines(Sent("POST", "http://u:p@a.example:81", (("X-A", "1"),), b"hi")) == [
        "POST / HTTP/1.1",
        "Host: a.example:81",
        "Content-Length: 2",
        "X-A: 1",
        "",
        "hi",
    ]


@pytest.mark.parametrize("header", [("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("", "1"), ("X-A", "東")])
def test_header_that_http_cannot_carry_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="no header of HTTP"):
        request(Sent("GET", "http://a.example/", (header,)))
