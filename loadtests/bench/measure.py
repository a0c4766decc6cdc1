"""One measurement: a generator at full speed on its core, its CPU and the server's count over a steady window.

Rule: start-up, imports and warming up lie outside the window; a generator whose requests are refused, or that stops
before the window does, gives no figure but an error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from loadtests.bench import cpu
from loadtests.bench.generators import Generator, Work
from loadtests.bench.process import Program, running, until
from loadtests.bench.sinks import Sink

FIRST = 500  # requests that say that it has begun
BEGINS = 60.0  # seconds it may take for them
WARM = 2.0  # seconds between them and the window
QUIET = 0.05  # share of a core that other programs may take during a window
WINDOWS = 3  # at most, where none of them is quiet


@dataclass(frozen=True)
class Run:
    """What a window of one round showed.

    `others` is the share of its core that other programs took, of the generator's or the server's, whichever is larger.
    """

    generator: str
    round: int
    requests: int
    seconds: float
    cpu: float
    others: float

    @property
    def cost(self) -> float:
        """CPU-ms of the generator for 1,000 requests."""
        return self.cpu / self.requests * 1e6

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True)
class _Sample:
    seconds: float
    requests: int
    cpu: float
    strange: tuple[float, float]  # CPU seconds of other programs on the generator's and the server's core


def measure(
    generator: Generator,
    sink: Sink,
    number: int,
    cores: tuple[int, int],
    connections: int,
    seconds: float,
    folder: Path,
) -> Run:
    """Runs that generator once, the server being on the first of these cores.

    Raises tools.Missing, and process.Failed when it did not do its work.
    """
    folder.mkdir(parents=True)
    command = generator.command(Work(sink.url, connections, folder))
    with running(command, folder, cores[1], generator.environment) as program:
        before = sink.count()
        until(lambda: sink.count() - before > FIRST, BEGINS, program, f"{FIRST} requests were answered")
        time.sleep(WARM)
        windows: list[Run] = []
        while len(windows) < WINDOWS and not any(run.others <= QUIET for run in windows):
            windows.append(_window(generator.name, number, program, sink, cores, seconds))
        if not program.alive():
            raise program.failed(f"ended with exit code {program.process.returncode} while it was measured")
        code = program.end()
        if generator.ends_with and code not in generator.ends_with:
            raise program.failed(f"exit code {generator.ends_with[0]} expected, got {code}: were there failures?")
        refused = sink.refused()
        if refused:
            raise program.failed(f"the server refused a request: {refused}")
    return min(windows, key=lambda run: run.others)


def _window(name: str, number: int, program: Program, sink: Sink, cores: tuple[int, int], seconds: float) -> Run:
    first = _sample(program, sink, cores)
    time.sleep(seconds)
    last = _sample(program, sink, cores)
    took, requests = last.seconds - first.seconds, last.requests - first.requests
    if requests <= 0:
        raise program.failed(f"no request was answered within {seconds:g} s")
    strange = [(after - before) / took for before, after in zip(first.strange, last.strange, strict=True)]
    return Run(name, number, requests, took, last.cpu - first.cpu, max(0.0, *strange))


def _sample(program: Program, sink: Sink, cores: tuple[int, int]) -> _Sample:
    now, requests = time.perf_counter(), sink.count()
    mine, its = cpu.spent(program.session), cpu.spent(sink.program.session)
    strange = (cpu.busy(cores[1]) - mine, cpu.busy(cores[0]) - its)
    return _Sample(now, requests, mine, strange)
