"""Runs a command as a process of its own and measures it: seconds, peak memory, exit code and output."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parents[2]
# Linux counts the memory of whoever forks a process as that process's own until it executes another program. So a small
# program starts the measured one.
LAUNCHER = """
import os, resource, sys
status = os.waitpid(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)[1]
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
os.write(int(sys.argv[1]), f"{os.waitstatus_to_exitcode(status)} {peak}".encode())
"""


@dataclass(frozen=True)
class MeasuredProcess:
    """What a process did. code: exit code, or the negative number of the signal that ended it. rss: peak MiB of the
    largest process among it and its children.
    """

    code: int
    seconds: float
    rss: float
    output: str


def run_measured(
    command: Sequence[str], environ: Mapping[str, str], output: Path, time_limit: float
) -> MeasuredProcess:
    """Run the command in the project's folder; its output goes to that file. After `time_limit` seconds its process
    group is killed.
    """
    began = time.monotonic()
    with output.open("wb") as file, TemporaryFile("w+") as usage:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, str(usage.fileno()), sys.executable, *command],
            cwd=ROOT,
            env={**environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(usage.fileno(),),
            start_new_session=True,
        )
        killer = threading.Timer(time_limit, os.killpg, [process.pid, signal.SIGKILL])
        killer.start()
        code = process.wait()
        killer.cancel()
        usage.seek(0)
        code, kibibytes = map(int, (usage.read() or f"{code} 0").split())
    return MeasuredProcess(code, time.monotonic() - began, kibibytes / 1024, output.read_text(errors="replace"))
