"""Resolves the names of hosts: again from time to time, as a name may get other addresses, and spread over all of them.

Rule: only the first look-up of a name blocks. Later ones are made by a thread of the system, whose result replaces the
addresses for connections to come; a look-up that fails leaves them as they are.
"""

from __future__ import annotations

import sys
from _socket import SOCK_STREAM, getaddrinfo  # the C functions: gevent's patching does not reach them
from collections.abc import Callable
from random import randrange
from time import perf_counter_ns
from typing import Any

from fixtures import network_guard

LIFETIME = 10_000_000_000  # ns after which a name is looked up again when a connection is opened
STARTS = 1 << 16  # each process begins with another of the addresses

SocketAddress = tuple[int, Any]  # address family, and what connect() takes


class Resolver:
    """The addresses of hosts, by host and port."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, int], _Host] = {}

    def addresses(self, host: str, port: int) -> list[SocketAddress]:
        """The addresses of a host in the order in which to try them, each time beginning with another one.

        Families keep the order of the system. Raises OSError if the name is unknown at the first look-up.
        """
        known = self._hosts.get((host, port))
        if known is None:
            known = self._hosts[host, port] = _Host(look_up(host, port))
        elif perf_counter_ns() - known.looked_up > LIFETIME:
            known.looked_up = perf_counter_ns()
            start_thread(known.look_up_again, (host, port))
        return known.next_order()


class _Host:
    """The addresses of one host by family, and which of them comes first next time."""

    __slots__ = ("_families", "_turn", "looked_up")

    def __init__(self, addresses: list[SocketAddress]) -> None:
        self._families = _by_family(addresses)
        self._turn = randrange(STARTS)
        self.looked_up = perf_counter_ns()

    def next_order(self) -> list[SocketAddress]:
        self._turn += 1
        order: list[SocketAddress] = []
        for addresses in self._families:
            first = self._turn % len(addresses)
            order += addresses[first:] + addresses[:first]
        return order

    def look_up_again(self, host: str, port: int) -> None:
        try:
            self._families = _by_family(look_up(host, port))
        except OSError:
            return


def _by_family(addresses: list[SocketAddress]) -> list[list[SocketAddress]]:
    families: dict[int, list[SocketAddress]] = {}
    for family, address in addresses:
        families.setdefault(family, []).append((family, address))
    return list(families.values())


def look_up(host: str, port: int) -> list[SocketAddress]:
    """Look up a host now, which blocks, and permit connections to its addresses. Raises OSError for an unknown name."""
    infos = getaddrinfo(host, port, 0, SOCK_STREAM)
    network_guard.admit(host, port, (str(address[0]) for *_, address in infos))
    return [(family, address) for family, _, _, _, address in infos]


def start_thread(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Call the function in a thread of the system, also where gevent has replaced threads by greenlets."""
    gevent = sys.modules.get("gevent.monkey")
    name = "start_new_thread"
    start = gevent.get_original("_thread", name) if gevent else getattr(sys.modules["_thread"], name)
    start(function, arguments)
