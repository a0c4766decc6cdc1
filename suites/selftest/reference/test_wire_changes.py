"""Every change of the websocket protocol is visible: in some dialogue the server sends other bytes than the honest one.

Rule: the dialogues run one after the other against a new server, and its bytes are compared. The reference's random
numbers are the same each time. Changes of deepstream's text protocol have dialogues of their own, on its endpoint.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

import pytest

from fixtures.reference import load
from fixtures.reference.bitvis.data import initial_tables
from fixtures.reference.bitvis.known_settings import KNOWN
from fixtures.reference.protocol import MAX_BODY, Change, Reply, Request, fault
from fixtures.reference.text_engine import HOOK, PATH
from fixtures.transports.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, Frame
from suites.mutation.socket_reference import SocketReference

Dialogue = Callable[[int], bytes]  # with the server at that port: all bytes that it sends

SOON = 10.0  # seconds; a working server is far faster
BITVIS = load("bitvis")
WIRE = {name: change for name, change in {**BITVIS.FAULTS, **BITVIS.VARIANTS}.items() if change.needs_socket}
FIRST, SECOND = list(initial_tables()["inventory/device"])[:2]


def call(method: str = "LIST", **members: str) -> bytes:
    return json.dumps({"method": method, "token": KNOWN["TOKEN"], **members}).encode()


def open_call(identifier: str) -> Frame:
    return Frame(TEXT, call("OPEN", objectid=identifier))


LIST = Frame(TEXT, call())
LOGIN = ("C|CHR|ws://x+", "A|REQ|{}+")
TWICE = Frame(TEXT, call("OPEN", objectid=FIRST)[:-1] + f', "objectid": "{SECOND}"}}'.encode())


class Client:
    """A websocket connection that records every received byte."""

    def __init__(self, port: int, endpoint: str = "inventory/device") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SOON)
        headers = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        self._socket.sendall(f"GET /bitvis/{endpoint} HTTP/1.1\r\n{headers}{key}".encode())
        self.received = b""
        while b"\r\n\r\n" not in self.received:
            self.received += self._socket.recv(65536)

    def send(self, *frames: Frame) -> None:
        with suppress(ConnectionError):  # the server has disconnected
            self._socket.sendall(b"".join(frame.encode() for frame in frames))

    def receive(self) -> None:
        self.received += self._socket.recv(1 << 20)

    def disconnect(self) -> bytes:
        """Sends no more; returns all received bytes, up to the end of the connection."""
        with suppress(OSError):  # the server has disconnected
            self._socket.shutdown(socket.SHUT_WR)
        return self.receive_rest(SOON)

    def receive_rest(self, seconds: float) -> bytes:
        """Returns all received bytes, up to the end of the connection or to a silence of `seconds`."""
        self._socket.settimeout(seconds)
        try:
            while data := self._socket.recv(65536):
                self.received += data
        except ConnectionError:
            self.received += b" reset"
        except TimeoutError:
            self.received += b" open"
        self._socket.close()
        return self.received


def sending(*frames: Frame, endpoint: str = "inventory/device") -> Dialogue:
    """A dialogue: a client sends these frames at once and disconnects."""

    def dialogue(port: int) -> bytes:
        client = Client(port, endpoint)
        client.send(*frames)
        return client.disconnect()

    return dialogue


def text_dialogue(*payloads: str) -> Dialogue:
    """A client of the text endpoint sends each payload in a frame and closes: a server answers all of them before.

    Bars separate the fields of a message, and a plus ends it.
    """
    separators = str.maketrans("|+", "\x1f\x1e")
    frames = [Frame(TEXT, payload.translate(separators).encode()) for payload in payloads]

    def dialogue(port: int) -> bytes:
        client = Client(port, PATH)
        client.send(*frames, Frame(CLOSE))
        return client.receive_rest(SOON)

    return dialogue


def text_call(identifier: str, message: bytes, name: str = "inventory/device") -> str:
    """A call as a message of the text protocol."""
    return f"P|REQ|{name}|{identifier}|O{message.decode()}+"


def two_clients_alternate(port: int) -> bytes:
    first, second = Client(port), Client(port)
    for client, identifier in ((first, FIRST), (second, SECOND)):
        client.send(open_call(identifier))
        client.receive()
    return first.disconnect() + second.disconnect()


def client_waits_for_the_end(port: int) -> bytes:
    client = Client(port)
    client.send(Frame(CLOSE))
    return client.receive_rest(3.0)  # a server that ends the connection does so at once


def client_is_silent(port: int) -> bytes:
    client = Client(port)
    client.send(LIST)
    client.receive()
    time.sleep(0.6)  # longer than the fault allows; no event to wait for
    client.send(LIST)
    return client.disconnect()


DIALOGUES: Sequence[Dialogue] = (
    sending(LIST),
    sending(LIST, endpoint="scheduler/queue"),
    sending(Frame(TEXT, call(), fin=False), Frame(CONTINUATION, b" ")),
    sending(Frame(TEXT, call(), fin=False), Frame(PING, b"within"), Frame(CONTINUATION, b" ")),
    sending(Frame(PING, b"x" * 100)),
    sending(LIST, Frame(PING, b"behind")),
    sending(open_call(FIRST), open_call(SECOND)),
    sending(TWICE),
    sending(Frame(TEXT, b"[" * 200)),
    sending(Frame(TEXT, b"{}")),
    sending(Frame(BINARY, call())),
    sending(Frame(CLOSE, b"\x03\xe8")),
    sending(Frame(CLOSE)),
    sending(Frame(TEXT, b"\xff")),
    sending(Frame(TEXT, b"", rsv=4)),
    sending(Frame(TEXT, b" " * (MAX_BODY + 1))),
    two_clients_alternate,
    client_waits_for_the_end,
    client_is_silent,
)
OPENED, REFUSED = call("OPEN", objectid=FIRST), call("OPEN", objectid="nothing")
TEXT_DIALOGUES: Sequence[Dialogue] = (
    text_dialogue(*LOGIN, text_call("1", OPENED), text_call("2", REFUSED)),
    text_dialogue(*LOGIN, text_call("1", OPENED, "unknown")),
    text_dialogue(*LOGIN, text_call("1", OPENED) + text_call("2", call("OPEN", objectid=SECOND))),
    text_dialogue(*LOGIN, "C|PI+"),
    text_dialogue(*LOGIN, "P|NOPE+", "Q|REQ+", text_call("1", OPENED)),
    text_dialogue(LOGIN[0], 'A|REQ|{"username": "nobody", "password": "wrong"}+'),
    text_dialogue(LOGIN[0], text_call("1", OPENED)),
)


@contextmanager
def serving(*changes: Change) -> Iterator[int]:
    served = SocketReference("bitvis", changes)
    try:
        yield int(served.api.target.url.split(":")[2].split("/")[0])
    finally:
        served.stop()


@cache
def honest(dialogues: Sequence[Dialogue]) -> list[bytes]:
    with serving() as port:
        return [dialogue(port) for dialogue in dialogues]


@pytest.mark.parametrize("name", WIRE)
def test_every_change_of_the_protocol_is_visible(name: str) -> None:
    dialogues = TEXT_DIALOGUES if HOOK in WIRE[name].hooks else DIALOGUES
    with serving(WIRE[name]) as port:
        assert any(dialogue(port) != expected for dialogue, expected in zip(dialogues, honest(dialogues), strict=True))


@pytest.mark.parametrize("dialogues", [DIALOGUES, TEXT_DIALOGUES], ids=["calls", "text_protocol"])
def test_an_honest_server_sends_the_same_each_time(dialogues: Sequence[Dialogue]) -> None:
    with serving() as port:
        assert [dialogue(port) for dialogue in dialogues] == honest(dialogues)


def test_a_change_on_an_unknown_hook_is_refused() -> None:
    with pytest.raises(ValueError, match="on: expected some of request, open, ping"):
        fault("BITVIS-PROTO-1", on="pong")


def test_a_bug_in_a_change_ends_its_connection_and_no_other(capfd: pytest.CaptureFixture[str]) -> None:
    def bug(*_: object) -> Reply:
        raise ZeroDivisionError

    with serving(Change("bug", "fault", (), "It raises.", bug, hooks=("ping",), needs_socket=True)) as port:
        assert sending(Frame(PING), LIST)(port).endswith(Frame(CLOSE, b"\x03\xf3", masked=False).encode())
        assert sending(LIST)(port) == honest(DIALOGUES)[0]
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_request_over_http_has_one_frame_and_no_call_before_it() -> None:
    assert Request("GET", "/").arrival == (TEXT, 1, 0)
