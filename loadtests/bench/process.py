"""Starts programs on a core of their own and ends them with all their child processes.

Rule: a process is always ended by the code that started it. Output goes to a file; the end of it is part of the error
when a program fails.
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
TAIL = 1500  # characters of output in an error
QUIET = {  # no tool may send usage statistics or look for updates
    "ARTILLERY_DISABLE_TELEMETRY": "true",
    "K6_NO_USAGE_REPORT": "true",
    "NO_UPDATE_NOTIFIER": "1",
    "PYTHONPATH": str(ROOT),
}


class ProgramFailed(Exception):
    """A program did not do its work; the message has the last lines of its output."""


class Program:
    """A running program. session: its process id, which is also the session id of all its children."""

    def __init__(self, process: subprocess.Popen[bytes], command: Sequence[str], output_file: Path) -> None:
        self.process = process
        self.session = process.pid
        self._command = command
        self._output_file = output_file

    def alive(self) -> bool:
        """Whether its first process is still running."""
        return self.process.poll() is None

    def output(self) -> str:
        """Its output so far, standard output and errors."""
        return self._output_file.read_text("utf-8", "replace")

    def failed(self, what: str) -> ProgramFailed:
        """An error with that message, the command and the end of the output."""
        return ProgramFailed(f"{what}\n  command: {' '.join(self._command)}\n  output: {self.output()[-TAIL:].strip()}")

    def wait(self, seconds: float) -> int:
        """Its exit code once it has ended by itself. Raises ProgramFailed when it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failed(f"still running after {seconds:g} s") from None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send the signal, kill what is left of its session, and return the exit code of its first process."""
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
    """Run that command in `folder`, bound to `core` with all its children, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    output_file = folder / "output.txt"
    with output_file.open("wb") as file:
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
    program = Program(process, command, output_file)
    try:
        yield program
    finally:
        program.end()


def python_command(module: str, *arguments: str) -> list[str]:
    """The command line of a module under this Python."""
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float, program: Program, what: str) -> None:
    """Wait for that condition. Raises ProgramFailed when the program ends before, or time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if not program.alive():
            raise program.failed(f"ended with exit code {program.process.returncode} before {what}")
        if time.monotonic() > deadline:
            raise program.failed(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


def cores() -> tuple[int, int]:
    """The cores for the server and for the generator; the same one where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def _pinned(core: int) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, {core})
