"""Runs functions in forks of this process, several at a time, with limits of CPU time, waiting and memory."""

from __future__ import annotations

import os
import pickle
import resource
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

MEMORY = 4 << 30  # bytes of address space
SIGNALS_OF_LIMITS = (signal.SIGPROF, signal.SIGALRM)
Key = TypeVar("Key")


@dataclass(frozen=True)
class Fork:
    """What a fork does, and how long it may take: seconds of CPU, and seconds in all, most of which others may use."""

    work: Callable[[], Any]
    cpu: float = 0.0  # 0: no limit
    wall: float = 0.0


def in_forks(forks: Iterable[tuple[Key, Fork]], jobs: int) -> Iterator[tuple[Key, int, Any]]:
    """(key, exit status, result) of each fork, as they end.

    The status is that of `os.waitstatus_to_exitcode`: 0 with what `work` returned, 1 without result when it raised
    an exception, or the negative number of the signal that ended the fork.
    """
    running: dict[int, tuple[Key, int]] = {}
    for key, fork in forks:
        if len(running) >= jobs:
            yield _ended(running)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            _run(fork, writer)
        os.close(writer)
        running[pid] = (key, reader)
    while running:
        yield _ended(running)


def _ended(running: dict[int, tuple[Key, int]]) -> tuple[Key, int, Any]:
    """Waits for any fork. A result must fit into a pipe, since it is read when the fork has ended."""
    while True:
        pid, status = os.wait()
        if pid in running:
            break
    key, reader = running.pop(pid)
    with os.fdopen(reader, "rb") as pipe:
        os.set_blocking(pipe.fileno(), False)  # a process that the fork left behind may hold the other end
        content = pipe.read() or b""
    code = os.waitstatus_to_exitcode(status)
    return key, code, pickle.loads(content) if code == 0 else None


def _run(fork: Fork, writer: int) -> None:
    """Never returns."""
    status = 1
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        for number in SIGNALS_OF_LIMITS:
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, fork.cpu)
        signal.setitimer(signal.ITIMER_REAL, fork.wall)
        os.write(writer, pickle.dumps(fork.work()))
        status = 0
    finally:
        os._exit(status)
