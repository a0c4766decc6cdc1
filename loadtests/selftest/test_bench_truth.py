"""True waits at a server with known delays: the closed form equals a simulation, and the server keeps to the model."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from loadtests.bench import sinks, timed_run
from loadtests.bench.payloads import http_validator
from loadtests.bench.true_latency import (
    PERCENTILES,
    after_freeze,
    analytic_percentile,
    even_arrivals,
    percentile,
    percentiles,
    true_waits,
)

DELAY, FREEZE, PERIOD = 0.005, 1.0, 10.0
GET = b"GET /v2/tasks/1?organization_id=52 HTTP/1.1\r\nHost: localhost\r\n\r\n"


def stepped(arrival: float, delay: float, start: float, end: float, step: float) -> float:
    """The wait of one request by simulation: a server that reads, counts the delay and sends, unless it is frozen."""
    now, read_at = arrival, None
    while True:
        if not start <= now < end:
            if read_at is None:
                read_at = now
            if now - read_at >= delay - step / 2:
                return now - arrival
        now += step


@pytest.mark.parametrize("arrival", [0.0, 1.7, 1.9947, 1.9953, 1.999, 2.0, 2.3, 2.9985, 3.0, 5.0])
def test_a_wait_equals_that_of_a_simulated_server(arrival: float) -> None:
    step = 0.0005
    (wait,) = true_waits([arrival], DELAY, [(2.0, 3.0)])
    assert wait == pytest.approx(stepped(arrival, DELAY, 2.0, 3.0, step), abs=2 * step)


@pytest.mark.parametrize("name", list(PERCENTILES))
def test_the_closed_form_is_that_of_many_arrivals(name: str) -> None:
    start = 4.5
    measured = percentiles(true_waits(even_arrivals(0.0, 50_000, PERIOD), DELAY, [(start, start + FREEZE)]))
    assert measured[name] == pytest.approx(analytic_percentile(PERCENTILES[name], DELAY, FREEZE, PERIOD), abs=0.0005)


@pytest.mark.parametrize(("delay", "freeze", "period"), [(0.02, 0.5, 4.0), (0.1, 0.1, 1.0), (0.001, 2.0, 5.0)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.9, 0.97, 0.999])
def test_the_closed_form_holds_for_other_servers(delay: float, freeze: float, period: float, share: float) -> None:
    start = period / 3
    waits = sorted(true_waits(even_arrivals(0.0, 20_000, period), delay, [(start, start + freeze)]))
    assert percentile(waits, share) == pytest.approx(analytic_percentile(share, delay, freeze, period), abs=0.003)


def test_nothing_waits_for_a_server_that_never_freezes() -> None:
    assert true_waits(even_arrivals(0.0, 100, 1), DELAY, []) == pytest.approx([DELAY] * 100)


def test_a_freeze_ends_before_its_end_is_reached() -> None:
    assert [after_freeze(moment, [(1.0, 2.0)]) for moment in (0.9, 1.0, 1.9, 2.0)] == [0.9, 2.0, 2.0, 2.0]


def test_an_even_stream_has_equal_gaps() -> None:
    assert even_arrivals(5.0, 4, 1) == [5.0, 5.25, 5.5, 5.75]


def test_a_percentile_is_a_value_that_this_share_does_not_exceed() -> None:
    ordered = [float(number) for number in range(1, 101)]
    assert [percentile(ordered, share) for share in (0.01, 0.5, 0.99, 0.999, 1.0)] == [1.0, 50.0, 99.0, 100.0, 100.0]


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def send_at_once(url: str, count: int = 1) -> tuple[float, bytes]:
    """Seconds until so many requests, sent at once, have their responses, and the body of the last one."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        started = time.perf_counter()
        connection.sendall(GET * count)
        got = b""
        while got.count(b'"task":') < count or not got.endswith(b"}}"):
            data = connection.recv(65536)
            assert data, "the server closed the connection"
            got += data
        return time.perf_counter() - started, got.rpartition(b"\r\n\r\n")[2]


def test_the_server_responds_no_sooner_than_its_delay(tmp_path: Path) -> None:
    with timed_run.delayed_server(tmp_path, False) as (url, ask):
        seconds, body = send_at_once(url)
        assert seconds >= timed_run.DELAY
        assert http_validator().is_valid(json.loads(body))
        assert ask()["requests"] == 1


def test_the_server_responds_to_every_request_of_one_packet(tmp_path: Path) -> None:
    with timed_run.delayed_server(tmp_path, False) as (url, ask):
        send_at_once(url, 20)
        assert ask()["requests"] == 20


def test_the_server_stands_still_when_it_said_it_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed_run, "FREEZE", 0.3)
    monkeypatch.setattr(timed_run, "PHASE", 0.2)
    with timed_run.delayed_server(tmp_path, True) as (url, ask):
        before = time.perf_counter()
        while not (long := [(start, end) for start, end in ask()["still"] if end - start >= 0.3]):
            send_at_once(url)  # also while it is frozen: the response comes afterwards
        origin = ask()["origin"]
        assert origin >= before
        assert long[0][0] >= origin + 0.2 - timed_run.DELAY


def test_the_count_is_sent_to_whoever_connects(tmp_path: Path) -> None:
    with timed_run.delayed_server(tmp_path, False) as (url, _):
        assert sinks.is_listening(int(url.rpartition(":")[2]))
