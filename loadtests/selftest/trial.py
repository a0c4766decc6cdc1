"""Runs of the real `locust` command on small locustfiles, as its users start them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds until a run that does not end is a failure

Lines = list[dict[str, Any]]


class Trial:
    """A run of Locust: its folder and what it printed."""

    def __init__(self, folder: Path, url: str, text: str, options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        locustfile = folder / "trial.py"
        locustfile.write_text(text)
        self.results = folder / "run"
        self._output = folder / "output.txt"
        command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--host", url, "--results", str(self.results)]
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [*command, *options.split()],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "LOAD_"))}
                | {"PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )

    def wait(self) -> int:
        """The exit code, when it has ended."""
        return self.process.wait(PATIENCE)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def result(self) -> dict[str, Any]:
        """What `result.json` says."""
        known: dict[str, Any] = json.loads((self.results / "result.json").read_text())
        return known

    def lines(self, name: str = "seconds.jsonl") -> Lines:
        """The whole lines of a file of figures; one that a killed process was writing is left out."""
        path = self.results / name
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def requests(self) -> dict[str, int]:
        """How many requests each operation made, by the result."""
        return {each["operation"]: each["summary"]["requests"] for each in self.result["operations"]}

    def workers(self) -> list[int]:
        """The process ids of the workers that the master forked, in no order."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]

    def kill(self) -> None:
        """End every process of this run, however it stands."""
        if group_alive(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def locust(folder: Path, url: str, text: str, options: str) -> Iterator[Trial]:
    """A run that is over, by force if need be, when the block ends."""
    trial = Trial(folder, url, text, options)
    try:
        yield trial
    finally:
        trial.kill()


def ended(folder: Path, url: str, text: str, options: str) -> Trial:
    """A run that has ended by itself; its exit code is in `process.returncode`."""
    with locust(folder, url, text, options) as trial:
        trial.wait()
    return trial


def distributed() -> str:
    """Options for two workers whose master listens where nobody else does."""
    port = free_port()
    return f"--processes 2 --master-bind-host 127.0.0.1 --master-bind-port {port} --master-port {port}"


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def until(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """What `condition` gives once it gives something. Raises TimeoutError that names what was waited for."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Whether that process runs; one that ended and was not yet waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_alive(group: int) -> bool:
    """Whether any process of that group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def total(lines: Lines, series: str = "corrected") -> int:
    """How many durations all lines hold together."""
    return sum(each[series]["count"] for line in lines for each in line.get("operations", ()) if series in each)


def aggregated(output: str) -> int:
    """The number of requests in the last summary that Locust printed."""
    return int(re.findall(r"^ +Aggregated +(\d+)", output, re.MULTILINE)[-2])
