"""Starts programs on a core of their own and ends them, with everything they started.

Rule: whoever starts a process ends it, whatever happens. What a program says goes to a file and is told when it fails.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from loadtests.bench import cpu

ROOT = Path(__file__).parents[2]
ENDS = 10.0  # seconds that a program may take to end by itself
TELLS = 1500  # characters of what a program said
QUIET = {  # nothing may leave this machine
    "ARTILLERY_DISABLE_TELEMETRY": "true",
    "K6_NO_USAGE_REPORT": "true",
    "NO_UPDATE_NOTIFIER": "1",
    "PYTHONPATH": str(ROOT),
}


class Failed(Exception):
    """A program did not do what it was started for; the message holds the last lines of what it said."""


class Program:
    """A running program: `session` is its process id, and the one that all it starts carry."""

    def __init__(self, process: subprocess.Popen[bytes], command: Sequence[str], said: Path) -> None:
        self.process = process
        self.session = process.pid
        self._command = command
        self._said = said

    def alive(self) -> bool:
        """Whether its first process still runs."""
        return self.process.poll() is None

    def said(self) -> str:
        """All that it said so far, standard output and errors."""
        return self._said.read_text("utf-8", "replace")

    def failed(self, what: str) -> Failed:
        """That failure, told with its command and its last words."""
        return Failed(f"{what}\n  command: {' '.join(self._command)}\n  said: {self.said()[-TELLS:].strip()}")

    def ended(self, seconds: float) -> int:
        """Its exit code, once it has ended by itself. Raises Failed when it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failed(f"still running after {seconds:g} s") from None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Asks it to end, ends what is left of its session by force, and returns the exit code of its first process."""
        if self.alive():
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDS)
        deadline = time.monotonic() + ENDS
        while (left := cpu.members(self.session)) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        return self.process.wait()


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, core: int | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """That command at work in `folder`, kept to `core` with all it starts; gone when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "said.txt"
    with said.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **QUIET, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=None if core is None else _pinned(core),
        )
    program = Program(process, command, said)
    try:
        yield program
    finally:
        program.end()


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module under this Python."""
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def until(condition: Callable[[], bool], seconds: float, program: Program, what: str) -> None:
    """Waits until that condition holds. Raises Failed when the program ends before it does, or time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if not program.alive():
            raise program.failed(f"ended with exit code {program.process.returncode} before {what}")
        if time.monotonic() > deadline:
            raise program.failed(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def cores() -> tuple[int, int]:
    """The cores for the server and for the generator; they are one and the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def _pinned(core: int) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, {core})
