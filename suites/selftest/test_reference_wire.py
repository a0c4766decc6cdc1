"""Every change of the wire shows: on some dialogue the socket gives other bytes than the honest reference's.

Rule: a dialogue is what clients do with a fresh server, after the dialogues before it; what comes back is compared byte
by byte. The reference's chance is the same each time.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

import pytest

from fixtures.reference.bitvis import FAULTS, VARIANTS
from fixtures.reference.bitvis.data import KNOWN, tables
from fixtures.reference.protocol import MAX_BODY, Change, Reply, Request, fault
from fixtures.transports.link import BINARY, CLOSE, CONTINUATION, PING, TEXT, Frame
from suites.prove.served import Served

SOON = 10.0  # seconds; a server that works never comes near
WIRE = {name: change for name, change in {**FAULTS, **VARIANTS}.items() if change.wire}
FIRST, SECOND = list(tables()["inventory/device"])[:2]


def call(method: str = "LIST", **members: str) -> bytes:
    return json.dumps({"method": method, "token": KNOWN["TOKEN"], **members}).encode()


def opens(identifier: str) -> Frame:
    return Frame(TEXT, call("OPEN", objectid=identifier))


LIST = Frame(TEXT, call())
TWICE = Frame(TEXT, call("OPEN", objectid=FIRST)[:-1] + f', "objectid": "{SECOND}"}}'.encode())


class Client:
    """A connection whose every byte counts."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SOON)
        headers = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        self._socket.sendall(f"GET /bitvis/inventory/device HTTP/1.1\r\n{headers}{key}".encode())
        self.said = b""
        while b"\r\n\r\n" not in self.said:
            self.said += self._socket.recv(65536)

    def sends(self, *frames: Frame) -> None:
        with suppress(ConnectionError):  # of a server that has left
            self._socket.sendall(b"".join(frame.encoded() for frame in frames))

    def hears(self) -> None:
        self.said += self._socket.recv(1 << 20)

    def leaves(self) -> bytes:
        """Says no more; all that it has heard until the other side ends too."""
        with suppress(OSError):  # of a server that has left
            self._socket.shutdown(socket.SHUT_WR)
        return self.waits(SOON)

    def waits(self, seconds: float) -> bytes:
        """All that it has heard until the other side ends, or for so long says nothing."""
        self._socket.settimeout(seconds)
        try:
            while data := self._socket.recv(65536):
                self.said += data
        except ConnectionError:
            self.said += b" reset"
        except TimeoutError:
            self.said += b" open"
        self._socket.close()
        return self.said


def one(*frames: Frame) -> Callable[[int], bytes]:
    """A client sends these at once and leaves."""

    def dialogue(port: int) -> bytes:
        client = Client(port)
        client.sends(*frames)
        return client.leaves()

    return dialogue


def two_take_turns(port: int) -> bytes:
    first, second = Client(port), Client(port)
    for client, identifier in ((first, FIRST), (second, SECOND)):
        client.sends(opens(identifier))
        client.hears()
    return first.leaves() + second.leaves()


def one_waits_for_the_end(port: int) -> bytes:
    client = Client(port)
    client.sends(Frame(CLOSE))
    return client.waits(0.5)


def one_is_silent(port: int) -> bytes:
    client = Client(port)
    client.sends(LIST)
    client.hears()
    time.sleep(0.6)  # longer than the fault forgives; nothing is waited for
    client.sends(LIST)
    return client.leaves()


DIALOGUES: Sequence[Callable[[int], bytes]] = (
    one(LIST),
    one(Frame(TEXT, call(), fin=False), Frame(CONTINUATION, b" ")),
    one(Frame(TEXT, call(), fin=False), Frame(PING, b"within"), Frame(CONTINUATION, b" ")),
    one(Frame(PING, b"x" * 100)),
    one(LIST, Frame(PING, b"behind")),
    one(opens(FIRST), opens(SECOND)),
    one(TWICE),
    one(Frame(TEXT, b"[" * 200)),
    one(Frame(TEXT, b"{}")),
    one(Frame(BINARY, call())),
    one(Frame(CLOSE, b"\x03\xe8")),
    one(Frame(CLOSE)),
    one(Frame(TEXT, b"\xff")),
    one(Frame(TEXT, b"", rsv=4)),
    one(Frame(TEXT, b" " * (MAX_BODY + 1))),
    two_take_turns,
    one_waits_for_the_end,
    one_is_silent,
)


@contextmanager
def serving(*changes: Change) -> Iterator[int]:
    served = Served("bitvis", changes)
    try:
        yield int(served.api.target.url.split(":")[2].split("/")[0])
    finally:
        served.end()


@cache
def honest() -> list[bytes]:
    with serving() as port:
        return [dialogue(port) for dialogue in DIALOGUES]


@pytest.mark.parametrize("name", WIRE)
def test_every_change_of_the_wire_shows(name: str) -> None:
    with serving(WIRE[name]) as port:
        assert any(dialogue(port) != expected for dialogue, expected in zip(DIALOGUES, honest(), strict=True))


def test_an_honest_server_says_the_same_each_time() -> None:
    with serving() as port:
        assert [dialogue(port) for dialogue in DIALOGUES] == honest()


def test_a_change_on_an_unknown_hook_is_refused() -> None:
    with pytest.raises(ValueError, match="on: expected some of call, open, ping"):
        fault("BITVIS-PROTO-1", on="pong")


def test_a_bug_in_a_change_ends_its_connection_and_no_other(capfd: pytest.CaptureFixture[str]) -> None:
    def bug(*_: object) -> Reply:
        raise ZeroDivisionError

    with serving(Change("bug", "fault", (), "It raises.", bug, on=("ping",), wire=True)) as port:
        assert one(Frame(PING), LIST)(port).endswith(Frame(CLOSE, b"\x03\xf3", masked=False).encoded())
        assert one(LIST)(port) == honest()[0]
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_request_over_http_came_alone() -> None:
    assert Request("GET", "/").arrival == (TEXT, 1, 0)
