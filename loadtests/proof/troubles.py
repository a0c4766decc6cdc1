"""What can go wrong with a load generator: each trouble is brought about in a real run against a correct reference.

Rule: none of them is the target's doing. A trouble is `excused` when the run neither passes nor blames the target, and
its verdict says what was wrong.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

CLOSED = "-u 8 -r 8 -t 5s"
OPEN = "--rate 30 -u 60 -t 5s"
DISTRIBUTED = f"{OPEN} --processes 2"
TAIL = "run: {errors: 1 %, violations: 0 %, max: 60 ms}"

PREAMBLE = """
import errno, itertools, time
from types import SimpleNamespace
import gevent
from gevent.monkey import get_original
from locust import constant, events
from loadtests.flowapp import Flowapp
from loadtests.user.journey_user import journey

Flowapp.wait_time = constant(0.05)

def spawn(function):
    events.test_start.add_listener(lambda environment, **_: gevent.spawn(function, environment))
    return function
"""
EXHAUSTED = """
from loadtests.engine import byte_stream
numbers = itertools.count()

class Exhausted(byte_stream.socket):
    def connect_ex(self, address):
        return errno.NAME if next(numbers) % 3 else super().connect_ex(address)

byte_stream.socket = Exhausted
"""
BLOCKED = """
@spawn
def block(_):
    while True:
        gevent.sleep(PAUSE)
        get_original("time", "sleep")(SECONDS)
"""
BUSY = """
@spawn
def compute(_):
    while True:
        end = time.perf_counter() + 0.05
        while time.perf_counter() < end:
            pass
        gevent.sleep(0.0005)
"""
FEW_FILES = """
import resource

def limit(**_):
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
"""
CLOCK = """
from loadtests.engine import health

@spawn
def jump(_):
    gevent.sleep(2)
    clocks = SimpleNamespace(**{name: getattr(time, name) for name in ("perf_counter_ns", "process_time_ns")})
    health.time = SimpleNamespace(**vars(clocks), time_ns=lambda: time.time_ns() + 3_000_000_000)
"""
FULL_DISK = """
from loadtests.distributed import run_results
append, lines = run_results.RunFolder.append_text, itertools.count()

def append_until_full(self, *line):
    if next(lines) == 2:
        self._fail(OSError(errno.ENOSPC, "No space left on device"))
    append(self, *line)

run_results.RunFolder.append_text = append_until_full
"""
STOPPED = """
@spawn
def stop(environment):
    gevent.sleep(2)
    environment.runner.quit()
"""
RAISING = """
class Raising(Flowapp):
    @journey(weight=1)
    def fail(self):
        yield 0.01
        raise LookupError("no such key")
del Flowapp
"""
BROKEN_VALIDATOR = """
from loadtests.validation import validators

def broken(request, response):
    raise RuntimeError("a mistake of ours")

validators.Validators._timed = lambda self, validator: broken
"""
SECOND_CLASS = """
class Second(Flowapp):
    pass
"""


class RunningLoad(Protocol):
    """A load run that goes on: the process of Locust, and the folder of its results."""

    pid: int
    results: Path

    def workers(self) -> list[int]:
        """The process ids of its workers."""


Meddle = Callable[[RunningLoad], None]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble. says: what the verdict says of it; code: added to the locustfile; options: of Locust; objectives:
    instead of the usual ones; meddle: called while the run goes on; spoil: called with its folder when it is over.
    """

    name: str
    says: str
    code: str = ""
    options: str = CLOSED
    objectives: str = ""
    meddle: Meddle | None = None
    spoil: Callable[[Path], None] | None = None


def kill_a_worker(run: RunningLoad) -> None:
    """End a worker by SIGKILL."""
    os.kill(run.workers()[0], signal.SIGKILL)


def end_a_worker(run: RunningLoad) -> None:
    """End a worker by SIGTERM, as the system does."""
    os.kill(run.workers()[0], signal.SIGTERM)


def kill_the_run(run: RunningLoad) -> None:
    """End the run by SIGKILL."""
    os.kill(run.pid, signal.SIGKILL)


def freeze_the_run(run: RunningLoad) -> None:
    """Stop the process for a second, as a busy hypervisor does."""
    os.kill(run.pid, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(run.pid, signal.SIGCONT)


def lose_half_of_the_seconds(folder: Path) -> None:
    """Remove every other line of figures."""
    path = folder / "seconds.jsonl"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[::2]), "utf-8")


def exhausted(name: str) -> str:
    """A locustfile in which two of three connections fail with that error number."""
    return EXHAUSTED.replace("NAME", name)


def blocked(pause: float, seconds: float) -> str:
    """A locustfile that blocks its process for so many seconds after each pause."""
    return BLOCKED.replace("PAUSE", str(pause)).replace("SECONDS", str(seconds))


TROUBLES = (
    Trouble("has_no_files", "too many open files (EMFILE)", exhausted("EMFILE")),
    Trouble("leaves_the_system_without_files", "too many open files (ENFILE)", exhausted("ENFILE")),
    Trouble("has_no_ports", "no free port (EADDRNOTAVAIL)", exhausted("EADDRNOTAVAIL")),
    Trouble("has_no_buffers", "no buffer space (ENOBUFS)", exhausted("ENOBUFS")),
    Trouble("has_no_memory", "out of memory (ENOMEM)", exhausted("ENOMEM")),
    Trouble(
        "has_too_few_files_for_its_users",
        "raise ulimit -n",
        FEW_FILES.replace("FILES", "100", 1) + "events.init.add_listener(limit)\n",
        "-u 300 -r 300 -t 5s",
    ),
    Trouble("is_blocked_by_its_locustfile", "stood still", blocked(0.2, 0.15)),
    Trouble("starts_its_arrivals_late", "started late", blocked(0.3, 0.9), OPEN),
    Trouble("drops_arrivals_since_it_is_late", "not fit to measure", blocked(0.2, 1.5), "--rate 30 -u 4 -t 6s"),
    Trouble("is_late_once_and_judged_by_the_maximum", "late by", blocked(3.0, 0.4), OPEN, TAIL),
    Trouble("computes_between_its_requests", "stood still", BUSY, "-u 8 -r 8 -t 8s"),
    Trouble("spawns_a_user_a_second", "while users were being spawned", "", "--rate 60 -u 60 -r 1 -t 5s"),
    Trouble("has_a_clock_that_jumps", "the wall clock moved", CLOCK),
    Trouble("has_no_room_on_its_disk", "no end mark", FULL_DISK),
    Trouble("is_stopped_too_early", "was cut short", STOPPED, "-u 8 -r 8 -t 30s"),
    Trouble("is_frozen_for_a_second", "stood still", meddle=freeze_the_run),
    Trouble("loses_a_worker", "vanished", options=DISTRIBUTED, meddle=kill_a_worker),
    Trouble("lets_a_worker_go", "left before the end", options=DISTRIBUTED, meddle=end_a_worker),
    Trouble("is_killed", "no end mark", meddle=kill_the_run),
    Trouble("loses_half_of_its_seconds", "figures are missing", spoil=lose_half_of_the_seconds),
    Trouble("validates_nothing", "no response was validated", options=f"{CLOSED} --judge status"),
    Trouble("plays_one_of_two_classes", "no user was spawned", SECOND_CLASS, "-u 1 -r 1 -t 5s"),
    Trouble("has_too_few_samples", "samples", "", CLOSED, "run: {errors: 1 %, violations: 0 %, p99.99: 1 s}"),
    Trouble("has_a_journey_that_raises", "no such key", RAISING),
    Trouble("has_a_validator_that_raises", "judge broke", BROKEN_VALIDATOR),
)
