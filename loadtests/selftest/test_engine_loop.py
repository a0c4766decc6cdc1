"""The loop alone and inside gevent's hub: order, timers, fairness, and systems that lack what Linux has."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loadtests.engine import loop as looping
from loadtests.engine.exchange_types import Address
from loadtests.engine.loop import Handler, Loop
from loadtests.engine.poller import READ, WRITE, Kqueue

ROOT = Path(__file__).parents[2]


def test_timers_fire_in_order_and_never_early() -> None:
    loop = Loop()
    fired: list[tuple[str, int]] = []
    start = time.perf_counter_ns()
    for name, after in (("c", 3_000_000), ("a", 1_000_000), ("b", 1_000_000)):
        loop.call_at(start + after, lambda when, name=name: fired.append((name, time.perf_counter_ns() - when)))  # type: ignore[misc]
    loop.run(lambda: len(fired) == 3)
    loop.close()
    assert [name for name, _ in fired] == ["a", "b", "c"]
    assert all(late >= 0 for _, late in fired)


def test_deferred_calls_run_in_order_and_not_at_once() -> None:
    loop = Loop()
    ran: list[int] = []
    for number in range(3):
        loop.call_soon(lambda number=number: ran.append(number))  # type: ignore[misc] # the default binds it
    assert ran == []
    loop.run_once()
    loop.close()
    assert ran == [0, 1, 2]


def test_an_iteration_ends_even_if_each_call_defers_another() -> None:
    loop = Loop()
    ran: list[int] = []

    def again(when: int = 0) -> None:
        ran.append(when)
        loop.call_soon(again)
        loop.call_at(time.perf_counter_ns(), again)

    again()
    for _ in range(10):
        loop.run_once()
    loop.close()
    assert 10 <= len(ran) < 10 * 2 * looping.MAX_EVENTS


def test_slow_iterations_get_smaller_and_full_ones_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(64)]
    handled: list[int] = []
    for client, theirs in pairs:
        loop.register(client, READ, handled.append)
        theirs.send(b"x")
    sizes = []
    monkeypatch.setattr(looping, "ITERATION_SLICE", 0)
    for speed in (1 << 62, 1 << 62, 1 << 62, -1, -1, -1):  # no iteration is slow, then each is
        monkeypatch.setattr(looping, "LONG_ITERATION", speed)
        before = len(handled)
        loop.run_once()
        sizes.append(len(handled) - before)
    for client, theirs in pairs:
        loop.unregister(client)
        theirs.close()
    loop.close()
    assert sizes == [16, 32, 64, 64, 64, 32]


@pytest.mark.parametrize(("piece", "expected"), [(1 << 62, 80), (0, 16)])
def test_a_busy_iteration_polls_again_until_its_time_is_over(
    monkeypatch: pytest.MonkeyPatch, piece: int, expected: int
) -> None:
    """Each of 16 sockets has its next byte as soon as one was read, five times."""
    monkeypatch.setattr(looping, "ITERATION_SLICE", piece)
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(looping.MIN_EVENTS)]
    handled: list[int] = []

    def reader(client: socket.socket, theirs: socket.socket) -> Handler:
        def read(mask: int) -> None:
            handled.append(mask)
            if len(client.recv(1)) and len(handled) <= 4 * len(pairs):
                theirs.send(b"x")

        return read

    for client, theirs in pairs:
        loop.register(client, READ, reader(client, theirs))
        theirs.send(b"x")
    loop.run_once()
    for client, theirs in pairs:
        loop.unregister(client)
        theirs.close()
    loop.close()
    assert len(handled) == expected


def test_a_socket_unregistered_within_an_iteration_gets_no_event_of_it() -> None:
    loop = Loop()
    (a, far_a), (b, far_b) = socket.socketpair(), socket.socketpair()
    handled: list[str] = []

    def first(name: str, other: socket.socket) -> None:
        handled.append(name)
        loop.unregister(other)

    loop.register(a, READ, lambda _: first("a", b))
    loop.register(b, READ, lambda _: first("b", a))
    far_a.send(b"x")
    far_b.send(b"x")
    loop.run_once()
    rest = a if handled == ["a"] else b
    loop.unregister(rest)
    loop.close()
    far_a.close()
    far_b.close()
    assert handled in (["a"], ["b"])
    assert (a.fileno(), b.fileno()) == (-1, -1)


def test_waiting_in_vain_is_an_error() -> None:
    loop = Loop()
    with pytest.raises(TimeoutError, match="in vain"):
        loop.run(lambda: False, timeout=0.01)
    loop.close()


def test_an_expired_timer_does_not_keep_firing() -> None:
    """Once nothing is due any more, the loop's descriptor is quiet: gevent would spin on it."""
    loop = Loop()
    fired: list[int] = []
    loop.call_at(time.perf_counter_ns() + 1_000_000, fired.append)
    loop.run(lambda: bool(fired))
    readable, _, _ = select.select([loop.fileno()], [], [], 0)
    loop.close()
    assert readable == []


def test_without_a_timer_descriptor_wake_is_called_with_the_next_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looping, "create_timer", lambda: None)
    loop = Loop()
    wake_times: list[int | None] = []
    loop.wake = wake_times.append
    loop.call_at(20, lambda _: None)
    loop.call_at(30, lambda _: None)
    loop.call_at(10, lambda _: None)
    loop.call_soon(lambda: None)
    loop.run_once()
    loop.close()
    assert wake_times == [20, 10, 0, None]


HUB = """
from gevent import monkey; monkey.patch_all()
import sys, time, gevent
{setup}
from loadtests.engine.gevent_adapter import attach
from loadtests.selftest.peers import engine_client
with engine_client() as client:
    attached = attach(client.loop)
    ended, late = [], []
    def journey():
        for _ in range(20):
            due = time.perf_counter_ns() + 2_000_000
            yield 0.002
            late.append(time.perf_counter_ns() - due)
        response = yield client.request(sys.argv[1])
        assert response.error == "connect: connection refused", response
    client.user.run(journey(), 0, ended.append)
    ticks = 0
    with gevent.Timeout(20):
        while not ended:
            gevent.sleep(0.001)
            ticks += 1
    assert client.user.exception is None, client.user.exception
    before = client.loop.iterations
    attached.detach()
    gevent.sleep(0.01)
    assert client.loop.iterations == before
    assert min(late) >= 0 and ticks > 0, (late, ticks)
    print("fine")
"""
NO_ALARM = "from loadtests.engine import loop; loop.create_timer = lambda: None"


@pytest.mark.parametrize("setup", ["", NO_ALARM], ids=["alarm of its own", "gevent's timer"])
def test_the_loop_runs_in_a_patched_gevent_beside_greenlets(setup: str) -> None:
    code = HUB.format(setup=setup)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # and never listens; nobody else gets the port
        url = f"http://127.0.0.1:{refusing.getsockname()[1]}/"
        done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


class _Change(NamedTuple):
    ident: int
    filter: int
    flags: int = 0


class _Queue:
    """kqueue as far as the engine uses it: what was registered is ready at once."""

    def __init__(self) -> None:
        self.registered: set[tuple[int, int]] = set()
        self.fileno = self.close = lambda: 0

    def control(self, changes: list[_Change] | None, most: int, timeout: float | None) -> list[_Change]:
        for change in changes or []:
            key = (change.ident, change.filter)
            (self.registered.add if change.flags == Kqueue.ADD else self.registered.remove)(key)
        assert timeout is None or timeout >= 0
        return [_Change(*key) for key in sorted(self.registered)][:most]


def test_the_kqueue_poller_returns_the_events_of_epoll() -> None:
    queue: Any = _Queue()
    poller = Kqueue(queue, _Change)
    poller.register(7, WRITE)
    assert poller.poll(0, 10) == [(7, WRITE)]
    poller.modify(7, READ | WRITE)
    assert sorted(poller.poll(-1, 10)) == [(7, READ), (7, WRITE)]
    poller.modify(7, READ)
    assert poller.poll(0.5, 10) == [(7, READ)]
    poller.unregister(7)
    assert poller.poll(0, 10) == []


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("http://127.0.0.1:8080/api/v2", Address("http", "127.0.0.1", 8080), "127.0.0.1:8080"),
        ("HTTPS://Example.com", Address("https", "example.com", 443), "example.com"),
        ("ws://h/a%20b?c=d", Address("ws", "h", 80, "/a%20b?c=d"), "h"),
        ("wss://[::1]:444", Address("wss", "::1", 444, "/"), "[::1]:444"),
        ("deepstream://h:6020/deepstream", Address("deepstream", "h", 6020, "/deepstream"), "h:6020"),
    ],
)
def test_an_address_is_read_from_its_url(url: str, address: Address, authority: str) -> None:
    assert (Address.from_url(url), Address.from_url(url).authority) == (address, authority)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("127.0.0.1:8080", "must begin with one of"),
        ("ftp://h/", "must begin with one of"),
        ("http:///path", "must name a host"),
        ("http://user:secret@h/", "carry no credentials"),
        ("http://h:port/", "cannot read"),
        ("ws://h/å", "percent-encoded ASCII"),
        ("ws://h/a b", "percent-encoded ASCII"),
    ],
)
def test_a_wrong_url_is_explained_without_its_password(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        Address.from_url(url)
    assert "secret" not in str(raised.value)
