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

ROOT = Path(__file__).parents[2]


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
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        killer = threading.Timer(time_limit, os.killpg, [process.pid, signal.SIGKILL])
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    return MeasuredProcess(process.returncode, seconds, usage.ru_maxrss / 1024, output.read_text(errors="replace"))
