"""The client for frames: what a server may do to a connection becomes an exchange, and nothing is hidden."""

from __future__ import annotations

import json
import socket as sockets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from fixtures import inprocess, socket
from fixtures.client import Unreachable
from fixtures.inprocess import InProcess
from fixtures.reference.bitvis.data import KNOWN
from fixtures.targets import embedded

Talk = Callable[[ServerConnection], None]


@contextmanager
def serving(talk: Talk) -> Iterator[str]:
    """A server that talks so on each connection; its URL as an API's."""

    def guarded(connection: ServerConnection) -> None:
        try:
            talk(connection)
        except ConnectionClosed:
            return

    server: Server = serve(guarded, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()


def echo(connection: ServerConnection) -> None:
    for text in connection:
        connection.send(text)


def test_an_answer_is_kept_as_it_came() -> None:
    with serving(echo) as url:
        found = socket.call(url, "inventory/device", '{"name": "Götefred"}')
    assert found.answer.body == '{"name": "Götefred"}'.encode()
    assert (found.answer.status, found.answer.error) == (socket.SWITCHED, None)
    assert found.sent.url == f"ws{url.removeprefix('http')}/inventory/device"


def test_frames_of_one_call_share_a_connection() -> None:
    def count(connection: ServerConnection) -> None:
        for number, _ in enumerate(connection):
            connection.send(str(number))

    with serving(count) as url:
        first = socket.calls(url, "x", ["a", "b", "c"])
        second = socket.calls(url, "x", ["a", "b", "c"], at_once=True)
    assert [one.answer.body for one in first] == [one.answer.body for one in second] == [b"0", b"1", b"2"]


def test_frames_at_once_wait_for_no_answer() -> None:
    def wait_for_two(connection: ServerConnection) -> None:
        texts = [connection.recv(), connection.recv()]
        for text in texts:
            connection.send(text)

    with serving(wait_for_two) as url:
        found = socket.calls(url, "x", ["a", "b"], timeout=5, at_once=True)
    assert [one.answer.body for one in found] == [b"a", b"b"]


def test_text_that_is_not_utf_8_reaches_the_judge() -> None:
    def latin_1(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(b'{"name": "G\xf6tefred"}', text=True)
        connection.recv()

    with serving(latin_1) as url:
        answer = socket.call(url, "x", "{}").answer
    assert answer.error is None
    with pytest.raises(UnicodeDecodeError):
        answer.json()


def test_silence_ends_the_connection() -> None:
    def silent(connection: ServerConnection) -> None:
        connection.recv()
        connection.recv()

    started = time.perf_counter()
    with serving(silent) as url:
        found = socket.calls(url, "x", ["a", "b"], timeout=0.2)
    assert [one.answer.error for one in found] == ["no answer within the time limit"] * 2
    assert time.perf_counter() - started < 5


def test_a_closed_connection_is_an_error_of_the_exchange() -> None:
    def closes(connection: ServerConnection) -> None:
        connection.send(connection.recv())
        connection.recv()
        connection.close(1011)

    with serving(closes) as url:
        first, second, third = socket.calls(url, "x", ["a", "b", "c"])
    assert first.answer.error is None
    assert second.answer.error == third.answer.error == "connection closed before an answer came (close code 1011)"


def test_a_refused_handshake_is_the_answer() -> None:
    with embedded(["flowapp"], "127.0.0.1:9") as targets:
        (found,) = socket.calls(targets["flowapp"].url, "x", ["{}"])
    assert found.answer.status == 404
    assert "no websocket" in found.answer.text()


def test_nobody_there_is_unreachable() -> None:
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match=r"^unreachable: no websocket at ws://127\.0\.0\.1:"):
            socket.call(url, "x", "{}", timeout=2)


def test_sockets_and_process_give_the_same_exchanges() -> None:
    message = {"method": "LIST", "token": KNOWN["TOKEN"], "parameters": {"pagination": True, "pagination.size": 2}}
    texts = [json.dumps(message), json.dumps(message)]
    with embedded(["bitvis"], "127.0.0.1:9") as targets:
        over_sockets = socket.calls(targets["bitvis"].url, "address/address", texts)
    inside = inprocess.frames(InProcess("bitvis"), "address/address", texts)
    assert [one.answer for one in over_sockets] == [one.answer for one in inside]


def test_faults_apply_to_frames() -> None:
    text = json.dumps({"method": "LIST"})
    with embedded(["bitvis"], "127.0.0.1:9", ["--fault", "bitvis.wants_no_token_in_frames"]) as targets:
        over_sockets = socket.call(targets["bitvis"].url, "address/address", text)
    (inside,) = inprocess.frames(InProcess("bitvis", ["wants_no_token_in_frames"]), "address/address", [text])
    assert [one.answer.json()["success"] for one in (over_sockets, inside)] == [True, True]
