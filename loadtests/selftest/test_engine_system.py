"""What the engine asks of the system: timers, readiness queues, TLS in memory."""

from __future__ import annotations

import ctypes
import select
import ssl
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from fixtures.network_routes import DIRECT, Route, tls_text
from loadtests.engine import poller as polling
from loadtests.engine import timer as timing
from loadtests.engine.exchange_types import Address, Response
from loadtests.engine.poller import READ, WRITE, Kqueue
from loadtests.engine.timer import Timer, create_timer
from loadtests.engine.tls import Tls, tls_reason
from loadtests.selftest.fake_loop import request_to

# ------------------------------------------------------------------------------------------------ timers


class Libc:
    """libc whose timer has that number; it remembers its calls."""

    def __init__(self, number: int = 5) -> None:
        self.number = number
        self.calls: list[tuple[Any, ...]] = []

    def timerfd_create(self, *arguments: int) -> int:
        self.calls.append(arguments)
        return self.number

    def timerfd_settime(self, fd: int, flags: int, spec: Any, previous: None) -> None:
        new = spec._obj
        self.calls.append((fd, flags, new.interval_s, new.interval_ns, new.value_s, new.value_ns, previous))


@pytest.mark.parametrize(
    ("when", "seconds", "nanoseconds"),
    [(None, 0, 0), (0, 0, 1), (-5, 0, 1), (2, 0, 2), (999_999_999, 0, 999_999_999), (3_000_000_007, 3, 7)],
)
def test_timer_is_set_once_to_an_absolute_time(when: int | None, seconds: int, nanoseconds: int) -> None:
    libc: Any = Libc()
    timer = Timer(libc, 5)
    timer.set(when)
    assert (timer.fileno(), libc.calls) == (5, [(5, 1, 0, 0, seconds, nanoseconds, None)])


@pytest.mark.parametrize(
    ("clock", "libc", "number"),
    [
        (timing._CLOCK, Libc(), 5),
        (timing._CLOCK, Libc(0), 0),
        (timing._CLOCK, Libc(-1), None),
        (timing._CLOCK, object(), None),
        ("mach_absolute_time()", Libc(), None),
    ],
    ids=["Linux", "first descriptor", "no descriptor", "no timerfd", "another clock"],
)
def test_timer_is_created_where_the_system_has_one(
    monkeypatch: pytest.MonkeyPatch, clock: str, libc: Any, number: int | None
) -> None:
    names: list[Any] = []
    monkeypatch.setattr(
        time, "get_clock_info", lambda name: SimpleNamespace(implementation={"perf_counter": clock}[name])
    )
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: libc if (name, use_errno) == (None, True) else names)
    timer = create_timer()
    assert (timer.fileno() if timer else None) == number
    if timer:
        assert (libc.calls, timer._libc) == ([(1, 0o2004000)], libc)


# ------------------------------------------------------------------------------------------------ queues


class Change(NamedTuple):
    ident: int
    filter: int
    flags: int = 0


class Queue:
    """kqueue that remembers what it is called with, and returns the scripted events."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.events: list[Change] = []

    def fileno(self) -> int:
        return 3

    def close(self) -> None:
        self.calls.append("close")

    def control(self, *arguments: Any) -> list[Change]:
        self.calls.append(arguments)
        return self.events


def test_filters_are_added_and_deleted_as_the_mask_changes() -> None:
    queue: Any = Queue()
    poller = Kqueue(queue, Change)
    for mask in (READ, READ, READ | WRITE, WRITE):
        (poller.modify if queue.calls else poller.register)(7, mask)
    poller.unregister(7)
    read, write = -1, -2
    assert queue.calls == [
        ([Change(7, read, 1)], 0, 0),
        ([Change(7, write, 1)], 0, 0),
        ([Change(7, read, 2)], 0, 0),
        ([Change(7, write, 2)], 0, 0),
    ]
    with pytest.raises(KeyError):
        poller.modify(7, READ)


@pytest.mark.parametrize(("timeout", "wait"), [(-1.0, None), (0.0, 0.0), (0.5, 0.5)])
def test_events_of_filters_are_those_of_masks(timeout: float, wait: float | None) -> None:
    queue: Any = Queue()
    queue.events = [Change(7, -1), Change(8, -2)]
    assert Kqueue(queue, Change).poll(timeout, 10) == [(7, READ), (8, WRITE)]
    assert queue.calls == [(None, 10, wait)]


def system_with(monkeypatch: pytest.MonkeyPatch, *, has_gevent: bool, **names: Any) -> None:
    """Let the system have these names in `select`; with gevent, only its originals have them."""

    def get_original(module: str, name: str) -> Any:
        assert module == "select"
        try:
            return names[name]
        except KeyError:
            raise AttributeError(name) from None

    gevent = SimpleNamespace(get_original=get_original) if has_gevent else None
    monkeypatch.setitem(sys.modules, "gevent.monkey", gevent)  # type: ignore[arg-type] # None: not imported
    monkeypatch.setitem(sys.modules, "select", SimpleNamespace(**({} if has_gevent else names)))  # type: ignore[arg-type]


@pytest.mark.parametrize("has_gevent", [True, False])
def test_best_queue_of_the_system_is_used(monkeypatch: pytest.MonkeyPatch, has_gevent: bool) -> None:
    queue = Queue()
    system_with(monkeypatch, has_gevent=has_gevent, epoll=lambda: "epoll", kqueue=lambda: queue, kevent=Change)
    assert polling.poller() == "epoll"
    system_with(monkeypatch, has_gevent=has_gevent, kqueue=lambda: queue, kevent=Change)
    kqueue = polling.poller()
    kqueue.register(7, READ)
    kqueue.close()
    assert (kqueue.fileno(), queue.calls) == (3, [([Change(7, -1, 1)], 0, 0), "close"])


@pytest.mark.parametrize("has_gevent", [True, False])
def test_system_without_queue_is_named(monkeypatch: pytest.MonkeyPatch, has_gevent: bool) -> None:
    system_with(monkeypatch, has_gevent=has_gevent)
    with pytest.raises(OSError, match=r"^the load engine needs epoll \(Linux\) or kqueue"):
        polling.poller()


def test_queue_of_this_system_reports_what_is_ready() -> None:
    queue = polling.poller()
    assert queue.poll(0, 1) == []
    assert select.select([queue.fileno()], [], [], 0) == ([], [], [])
    queue.close()


# ------------------------------------------------------------------------------------------------ TLS


class TlsObject:
    """`SSLObject` that does what a test says: exceptions are raised, other values returned."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.written: list[bytes] = []

    def do_handshake(self) -> None:
        self.read(0)

    def read(self, size: int) -> Any:
        assert size in (0, 65536)
        following = self.script.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    def write(self, data: bytes) -> None:
        self.written.append(data)


class Context:
    """Wraps into the scripted object; remembers for which host."""

    def __init__(self, *script: Any) -> None:
        self.scripted = TlsObject(*script)
        self.wrapped: tuple[Any, ...] = ()

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_hostname: str) -> TlsObject:
        self.wrapped = (incoming, outgoing, server_hostname)
        return self.scripted


def tls(*script: Any) -> tuple[Tls, Context]:
    context: Any = Context(*script)
    return Tls(context, "h"), context


def test_handshake_goes_on_until_it_is_over() -> None:
    stream, context = tls(ssl.SSLWantReadError(), None)
    assert [stream.handshake(data) for data in (b"ab", b"c")] == [False, True]
    incoming, _, host = context.wrapped
    assert (incoming.read(), host, stream.close_notified) == (b"abc", "h", False)


def test_ciphertext_that_waits_is_sent_with_that_of_the_text() -> None:
    stream, context = tls()
    assert stream.has_output is False
    context.wrapped[1].write(b"x")
    assert (stream.has_output, stream.encrypt(b""), context.scripted.written) == (True, b"x", [])
    assert (stream.encrypt(b"text"), context.scripted.written, stream.has_output) == (b"", [b"text"], False)


@pytest.mark.parametrize(
    ("script", "plain", "is_end"),
    [
        ([b"a", b"b", ssl.SSLWantReadError()], b"ab", False),
        ([b"a", ssl.SSLZeroReturnError()], b"a", True),
        ([b"a", b""], b"a", True),
    ],
    ids=["more to come", "end", "empty"],
)
def test_records_are_read_until_there_is_no_other(script: list[Any], plain: bytes, is_end: bool) -> None:
    stream, context = tls(*script)
    assert (stream.decrypt(b"record"), stream.close_notified) == (plain, is_end)
    assert context.wrapped[0].read() == b"record"


def verification_error(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = message
    return error


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "x")
    error.reason = reason
    return error


REFUSED = tls_text(alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"))


@pytest.mark.parametrize(
    ("error", "route", "reason"),
    [
        (verification_error("Hostname mismatch, h"), DIRECT, "certificate: Hostname mismatch"),
        (verification_error("a, b, c"), Route("getflow"), "certificate: a; see GETFLOW_CA"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Route("getflow"), f"{REFUSED}; see GETFLOW_CLIENT_CERT"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), DIRECT, REFUSED),
        (alert("WRONG_VERSION_NUMBER"), Route("getflow"), tls_text(alert("WRONG_VERSION_NUMBER"))),
    ],
)
def test_failure_names_the_option_that_may_help(error: ssl.SSLError, route: Route, reason: str) -> None:
    assert tls_reason(error, route) == reason


# ------------------------------------------------------------------------------------------------ addresses


def test_request_has_its_defaults() -> None:
    address = Address("http", "h", 80)
    request = request_to(address)
    assert (request.address, request.validator, request.payload) == (address, None, b"{}")
    assert (request.timeout_ns, request.is_head, request.rpc_name) == (30_000_000_000, False, "")
    other = request_to(address, is_head=True, rpc_name="x", timeout_ns=1, validator=str)
    assert other.validator is str
    assert (other.timeout_ns, other.is_head, other.rpc_name) == (1, True, "x")


def test_response_is_written_with_its_time() -> None:
    response = Response(200, [(b"a", b"1"), (b"a", b"2")], b"abc", None, 1_000_000, 0, 0, 3_500_000)
    assert repr(response) == "Response(200, None, 3 B, 2.500 ms)"
    assert (response.header(b"a"), response.header(b"b"), response.parsed_body) == (b"1", None, None)


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("HTTP://Host/path?a=b", Address("http", "host", 80), "host"),
        ("https://h:8443", Address("https", "h", 8443), "h:8443"),
        ("ws://h:0", Address("ws", "h", 0, "/"), "h:0"),
        ("wss://[::1]/a%20b?c=d", Address("wss", "::1", 443, "/a%20b?c=d"), "[::1]"),
        ("deepstream://h:6020/~", Address("deepstream", "h", 6020, "/~"), "h:6020"),
    ],
)
def test_address_of_a_url_is_direct(url: str, address: Address, authority: str) -> None:
    parsed = Address.from_url(url)
    assert (parsed, parsed.authority) == (address, authority)
    assert (parsed.next_hop, parsed.is_tunnel) == ((address.host, address.port), False)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://h/", "^the URL 'ftp://h/' must begin with one of http://, https://, ws://, wss://, "),
        ("http:///", "^the URL must name a host and carry no credentials, such as http://127.0.0.1:8080$"),
        ("http://@h/", "^the URL must name a host and carry no credentials"),
        ("http://h:x/", "^cannot read the URL 'http://h:x/': "),
        ("ws://h/a b", "^the path of the URL 'ws://h/a b' must be percent-encoded ASCII$"),
        ("ws://h/\x7f", "must be percent-encoded ASCII$"),
        ("ws://h/å", "must be percent-encoded ASCII$"),
    ],
)
def test_url_that_names_no_address_is_explained(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Address.from_url(url)


PROXIED, TRUSTING = Route("getflow", "http://127.0.0.1:3128"), Route("getflow", None, Path("ca.pem"))


@pytest.mark.parametrize(
    ("url", "route", "needed", "is_tunnel"),
    [
        ("http://h", PROXIED, PROXIED, False),
        ("https://h", PROXIED, PROXIED, True),
        ("ws://h", PROXIED, PROXIED, True),
        ("http://h", TRUSTING, None, False),
        ("https://h", TRUSTING, TRUSTING, False),
        ("https://h", DIRECT, None, False),
    ],
)
def test_route_is_kept_where_it_makes_a_difference(
    url: str, route: Route, needed: Route | None, is_tunnel: bool
) -> None:
    address = Address.from_url(url, route)
    assert (address.route, address.is_tunnel) == (needed, is_tunnel)
    assert address.next_hop == (("127.0.0.1", 3128) if needed is PROXIED else ("h", address.port))
