"""Runs one tool at a server with known delays, and computes the true times beside those that it reports.

Rule: the true times follow from the planned rate and the moments at which the server stood still, on purpose or because
the machine was busy.
"""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.bench import cpu, true_latency
from loadtests.bench.accuracy_clients import Client, Reported
from loadtests.bench.generators import Workload
from loadtests.bench.process import cores, free_port, python_command, running, wait_until
from loadtests.bench.sinks import is_listening, read_all

DELAY = 0.005  # seconds
FREEZE, PERIOD, PHASE = 1.0, 10, 4.5  # seconds: length of a freeze, from one to the next, before the first
STARTS, ENDS = 20.0, 60.0  # seconds
MS = 1000


@dataclass(frozen=True)
class TimedRun:
    """Times in ms. truth: how long an open client waits at this very server; late: how late its responses were sent.

    sent: number of requests with a response; rate: planned requests a second; others: share that other programs used of
    the tool's core or the server's, whichever is larger.
    """

    client: str
    round: int
    rate: float
    freezes: bool
    reported: Reported
    truth: Mapping[str, float]
    late: Mapping[str, float]
    sent: int
    others: float

    def error(self, name: str) -> float:
        """The reported time minus the true one, for that percentile."""
        return self.reported.times[name] - self.truth[name]


def run_timed(client: Client, number: int, rate: float, seconds: int, freezes: bool, folder: Path) -> TimedRun:
    """Runs that tool once. Raises ProgramFailed when it did not do its work."""
    with delayed_server(folder / "server", freezes) as (url, ask):
        mine = folder / "client"
        mine.mkdir()
        command = client.command(Workload(url, client.users, mine), rate, seconds)
        began, before = time.perf_counter(), _foreign_cpu_seconds(ask()["cpu"])
        with running(command, mine, cores()[1], client.environment(rate)) as program:
            code = program.wait(seconds + ENDS)
            if code not in client.ends:
                raise program.failed(f"ended with exit code {code}")
            reported = client.read(mine)
        record = ask()
        elapsed, after = time.perf_counter() - began, _foreign_cpu_seconds(record["cpu"])
    others = max(0.0, *((end - start) / elapsed for start, end in zip(before, after, strict=True)))
    still = [(start, end) for start, end in record["still"]]
    true = true_latency.percentiles(
        true_latency.true_waits(true_latency.even_arrivals(record["origin"], rate, seconds), DELAY, still)
    )
    return TimedRun(
        client.name,
        number,
        rate,
        freezes,
        reported,
        _in_ms(true),
        _in_ms(record["late"]),
        int(record["requests"]),
        others,
    )


def _foreign_cpu_seconds(server: float) -> tuple[float, float]:
    """CPU seconds so far of all other programs than the tools and that server, on the tool's and the server's core."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu.core_busy_seconds(cores()[1]) - ended.ru_utime - ended.ru_stime, cpu.core_busy_seconds(
        cores()[0]
    ) - server


@contextlib.contextmanager
def delayed_server(folder: Path, freezes: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """The server with known delays: its URL, and a function that returns its record so far."""
    port, record_port = free_port(), free_port()
    known = [str(value) for value in (DELAY, FREEZE if freezes else 0, PERIOD, PHASE)]
    with running(
        python_command("loadtests.bench.serve_delayed", str(port), str(record_port), *known), folder, cores()[0]
    ) as server:
        wait_until(lambda: is_listening(port), STARTS, server, "the server with known delays listens")
        yield f"http://127.0.0.1:{port}", lambda: json.loads(read_all(record_port))


def _in_ms(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: value * MS for name, value in seconds.items()}
