"""Bare frames on kept connections: a socket is never trusted after anything but an answer came on it."""

from __future__ import annotations

import threading

import pytest
from websockets.sync.server import ServerConnection

from fixtures.api import Api, Lacking
from fixtures.client import Unreachable
from fixtures.reference.bitvis.data import KNOWN
from fixtures.targets import Target, embedded
from fixtures.transports import Transport, transport
from suites.selftest.test_socket import serving


def at(url: str, timeout: float = 5.0) -> Transport:
    """Bare frames to a server of the test's own."""
    return transport(Api(Target("bitvis", url, KNOWN, True, False)), "websocket", timeout)


def test_connection_is_kept_from_call_to_call() -> None:
    seen: list[ServerConnection] = []

    def counts(connection: ServerConnection) -> None:
        seen.append(connection)
        number = len(seen)
        for _ in connection:
            connection.send(str(number))

    with serving(counts) as url:
        rpc = at(url)
        bodies = [rpc.call(endpoint, "LIST").answer.body for endpoint in ("a/b", "a/b", "c/d", "a/b")]
        rpc.close()
    assert bodies == [b"1", b"1", b"2", b"1"]


def test_dropped_connection_is_opened_again() -> None:
    gone = threading.Event()

    def leaves(connection: ServerConnection) -> None:
        connection.send(connection.recv())
        connection.socket.close()
        gone.set()

    with serving(leaves) as url:
        rpc = at(url)
        first = rpc.call("a/b", "LIST").answer
        assert gone.wait(5)
        second = rpc.call("a/b", "LIST").answer
    assert (first.error, second.error) == (None, None)


def test_late_answer_is_not_given_to_the_next_call() -> None:
    seen: list[ServerConnection] = []
    asked_again = threading.Event()

    def late_at_first(connection: ServerConnection) -> None:
        seen.append(connection)
        number = len(seen)
        for _ in connection:
            if number > 1:
                asked_again.set()
            assert asked_again.wait(5)
            connection.send(str(number))

    with serving(late_at_first) as url:
        rpc = at(url, timeout=0.2)
        first = rpc.call("a/b", "LIST").answer
        second = rpc.call("a/b", "LIST").answer
        rpc.close()
    assert first.error == "no answer within the time limit"
    assert second.body == b"2"


def test_answer_that_nobody_asked_for_ends_the_connection() -> None:
    twice = threading.Event()

    def answers_twice(connection: ServerConnection) -> None:
        connection.send(connection.recv())
        connection.send("once more")
        twice.set()
        connection.recv()

    with serving(answers_twice) as url:
        rpc = at(url)
        rpc.call("a/b", "LIST")
        assert twice.wait(5)
        exchange = rpc.call("a/b", "OPEN", "x")
        rpc.close()
    assert exchange.answer.body == exchange.sent.body


def test_pings_do_not_hold_up_the_end_of_a_wait() -> None:
    over = threading.Event()

    def only_pings(connection: ServerConnection) -> None:
        connection.recv()
        while not over.is_set():
            connection.ping().wait(0.05)

    with serving(only_pings) as url:
        rpc = at(url, timeout=0.3)
        error = rpc.call("a/b", "LIST").answer.error
        over.set()
    assert error == "no answer within the time limit"


def test_server_without_bare_frames_is_what_the_target_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded(["flowapp"], "127.0.0.1:9") as targets:
        rpc = at(targets["flowapp"].url)
        with pytest.raises(Lacking, match=r"takes no bare frames: .*404 \(BITVIS-AMB-27\)"):
            rpc.call("a/b", "LIST")
        monkeypatch.setenv("BITVIS_READING_27", "bare")
        assert rpc.call("a/b", "LIST").answer.status == 404


def test_nobody_there_is_unreachable() -> None:
    with serving(lambda _: None) as url:
        pass
    with pytest.raises(Unreachable, match="no websocket"):
        at(url).call("a/b", "LIST")
