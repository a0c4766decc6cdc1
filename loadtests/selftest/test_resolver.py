"""A name is looked up again without blocking the loop, and connections are spread over all of its addresses."""

from __future__ import annotations

import threading
from collections import Counter
from socket import AF_INET, AF_INET6, SOCK_STREAM
from typing import Any

import pytest

from loadtests.engine import resolver
from loadtests.engine.resolver import LIFETIME, Resolver
from loadtests.selftest.peers import OK, always, engine_client, scripted_server

NAME = "pool.invalid"


class Names:
    """A name server: the addresses of any name, how often it was asked for them and in which thread."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.threads: list[int] = []
        self.answered = threading.Event()

    def look_up(self, _host: str, port: int, *_: int) -> list[Any]:
        self.threads.append(threading.get_ident())
        try:
            if not self.addresses:
                raise OSError("no such name")
            families = [AF_INET6 if ":" in address else AF_INET for address in self.addresses]
            pairs = zip(families, self.addresses, strict=True)
            return [(family, SOCK_STREAM, 6, "", (address, port)) for family, address in pairs]
        finally:
            self.answered.set()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names("192.0.2.1", "192.0.2.2", "192.0.2.3")
    monkeypatch.setattr(resolver, "getaddrinfo", known.look_up)
    return known


class Clock:
    now = 1_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(resolver, "perf_counter_ns", lambda: clock.now)
    return clock


def first_addresses(resolving: Resolver, number: int) -> list[str]:
    return [resolving.addresses(NAME, 80)[0][1][0] for _ in range(number)]


def test_each_address_comes_first_in_its_turn(names: Names) -> None:
    resolving = Resolver()
    assert Counter(first_addresses(resolving, 30)) == dict.fromkeys(names.addresses, 10)
    assert {address for _, (address, _) in resolving.addresses(NAME, 80)} == set(names.addresses)
    assert len(names.threads) == 1


def test_families_keep_their_order(names: Names) -> None:
    names.addresses = ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"]
    resolving = Resolver()
    for _ in range(4):
        families = [family for family, _ in resolving.addresses(NAME, 80)]
        assert families == [AF_INET6, AF_INET6, AF_INET, AF_INET]


def looked_up_again(names: Names, resolving: Resolver, clock: Clock, *addresses: str) -> None:
    """Let the name have other addresses, and wait until a thread has asked for them."""
    names.addresses = list(addresses)
    names.answered.clear()
    clock.now += LIFETIME + 1
    resolving.addresses(NAME, 80)
    assert names.answered.wait(60)


def test_a_name_is_looked_up_again_by_a_thread_of_its_own(names: Names, clock: Clock) -> None:
    resolving = Resolver()
    first_addresses(resolving, 1)
    clock.now += LIFETIME
    first_addresses(resolving, 3)
    assert len(names.threads) == 1
    looked_up_again(names, resolving, clock, "192.0.2.9")
    while first_addresses(resolving, 1) != ["192.0.2.9"]:  # until the thread has stored what it got
        pass
    assert (len(names.threads), names.threads[1] != names.threads[0]) == (2, True)


def test_a_look_up_that_fails_keeps_the_addresses(names: Names, clock: Clock) -> None:
    resolving = Resolver()
    before = set(first_addresses(resolving, 3))
    looked_up_again(names, resolving, clock)
    assert set(first_addresses(resolving, 3)) == before


def test_an_unknown_name_is_an_error_at_the_first_look_up(names: Names) -> None:
    names.addresses = []
    with pytest.raises(OSError, match="no such name"):
        Resolver().addresses(NAME, 80)


def test_connections_of_the_engine_are_spread_over_both_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = always(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n", 1), ends=True)
    with scripted_server(closing) as first, scripted_server(closing) as second, engine_client() as client:
        ports = (first.port, second.port)
        infos = [(AF_INET, SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(resolver, "getaddrinfo", lambda *_: infos)
        responses = client.ask(*[client.request(f"http://{NAME}/") for _ in range(6)])
        assert [response.error for response in responses] == [None] * 6
        assert (first.connections, second.connections) == (3, 3)
