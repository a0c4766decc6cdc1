"""One run of one tool at a server with known delays: what it reports, and what was so.

Rule: the truth comes from the server and the plan: an even stream of the planned rate, laid over the moments at which
the server really stood still, on purpose or because the machine had other work.
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

from loadtests.bench import cpu, truth
from loadtests.bench.clients import Client, Reported
from loadtests.bench.generators import Work
from loadtests.bench.process import cores, free_port, python, running, until
from loadtests.bench.sinks import listening, told

DELAY = 0.005  # seconds
FREEZE, PERIOD, PHASE = 1.0, 10, 4.5  # seconds: so long, in each so many, from there on
STARTS, ENDS = 20.0, 60.0  # seconds
MS = 1000


@dataclass(frozen=True)
class Timed:
    """Times in ms. `truth` is what an open client sees of this very server; `late` how late its answers went out.

    `sent` are the requests that the server answered, at `rate` planned ones a second. `others` is the share of its core
    that other programs took, of the tool's or the server's, whichever is larger.
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
        """Reported less true, for that percentile."""
        return self.reported.times[name] - self.truth[name]


def timed(client: Client, number: int, rate: float, seconds: int, freezes: bool, folder: Path) -> Timed:
    """Runs that tool once. Raises process.Failed when it did not do its work."""
    with delayed(folder / "server", freezes) as (url, ask):
        mine = folder / "client"
        mine.mkdir()
        command = client.command(Work(url, client.users, mine), rate, seconds)
        began, before = time.perf_counter(), _strange(ask()["cpu"])
        with running(command, mine, cores()[1], client.environment(rate)) as program:
            code = program.ended(seconds + ENDS)
            if code not in client.ends:
                raise program.failed(f"ended with exit code {code}")
            reported = client.read(mine)
        seen = ask()
        took, after = time.perf_counter() - began, _strange(seen["cpu"])
    others = max(0.0, *((end - start) / took for start, end in zip(before, after, strict=True)))
    still = [(start, end) for start, end in seen["still"]]
    true = truth.percentiles(truth.waits(truth.even(seen["origin"], rate, seconds), DELAY, still))
    return Timed(
        client.name, number, rate, freezes, reported, _in_ms(true), _in_ms(seen["late"]), int(seen["requests"]), others
    )


def _strange(server: float) -> tuple[float, float]:
    """CPU seconds so far of others than our tools and that server, on the tool's and on the server's core."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu.busy(cores()[1]) - ended.ru_utime - ended.ru_stime, cpu.busy(cores()[0]) - server


@contextlib.contextmanager
def delayed(folder: Path, freezes: bool) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """The server with known delays: its URL, and how to ask what it saw."""
    port, told_port = free_port(), free_port()
    known = [str(value) for value in (DELAY, FREEZE if freezes else 0, PERIOD, PHASE)]
    with running(python("loadtests.bench.serve_delayed", str(port), str(told_port), *known), folder, cores()[0]) as one:
        until(lambda: listening(port), STARTS, one, "the server with known delays listens")
        yield f"http://127.0.0.1:{port}", lambda: json.loads(told(told_port))


def _in_ms(seconds: Mapping[str, float]) -> dict[str, float]:
    return {name: value * MS for name, value in seconds.items()}
