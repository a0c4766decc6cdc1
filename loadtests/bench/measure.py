"""Measures one generator at full speed: its CPU and the requests that the server counted in a steady window.

Rule: start-up, imports and warm-up are outside the window. A generator whose requests are refused, or that stops before
the window ends, gives an error instead of a figure.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from loadtests.bench import cpu
from loadtests.bench.generators import Generator, Workload
from loadtests.bench.process import Program, running, wait_until
from loadtests.bench.sinks import Sink

FIRST = 500  # requests after which it counts as started
BEGINS = 60.0  # seconds within which they must have come
WARM = 2.0  # seconds of warm-up after them, before the window
QUIET = 0.05  # share of a core that other programs may take during a window
WINDOWS = 3  # measured at most, when none of them is quiet


@dataclass(frozen=True)
class Measurement:
    """The measurement of one window of one round.

    cpu: seconds; system: those of them that the kernel used. others: the share of a core that other programs took; the
    larger one of the generator's and the server's core.
    """

    generator: str
    round: int
    requests: int
    seconds: float
    cpu: float
    others: float
    system: float = 0.0

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
    system: float
    others: tuple[float, float]  # CPU seconds of other programs on the generator's and the server's core


def measure(
    generator: Generator,
    sink: Sink,
    number: int,
    cores: tuple[int, int],
    connections: int,
    seconds: float,
    folder: Path,
) -> Measurement:
    """Run that generator once, with the server on the first of these cores.

    Raises ToolMissing, and ProgramFailed when the generator did not do its work.
    """
    folder.mkdir(parents=True)
    command = generator.command(Workload(sink.url, connections, folder))
    with running(command, folder, cores[1], generator.environment) as program:
        before = sink.count()
        wait_until(lambda: sink.count() - before > FIRST, BEGINS, program, f"{FIRST} requests have a response")
        time.sleep(WARM)
        sink.refused()  # before its load a generator may ask whose server this is
        windows: list[Measurement] = []
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


def _window(
    name: str, number: int, program: Program, sink: Sink, cores: tuple[int, int], seconds: float
) -> Measurement:
    first = _sample(program, sink, cores)
    time.sleep(seconds)
    last = _sample(program, sink, cores)
    duration, requests = last.seconds - first.seconds, last.requests - first.requests
    if requests <= 0:
        raise program.failed(f"no request got a response within {seconds:g} s")
    others = [(after - before) / duration for before, after in zip(first.others, last.others, strict=True)]
    return Measurement(
        name, number, requests, duration, last.cpu - first.cpu, max(0.0, *others), last.system - first.system
    )


def _sample(program: Program, sink: Sink, cores: tuple[int, int]) -> _Sample:
    now, requests = time.perf_counter(), sink.count()
    user, system = cpu.user_and_system_seconds(program.session)
    generator_cpu, server_cpu = user + system, cpu.cpu_seconds(sink.program.session)
    others = (cpu.core_busy_seconds(cores[1]) - generator_cpu, cpu.core_busy_seconds(cores[0]) - server_cpu)
    return _Sample(now, requests, generator_cpu, system, others)
