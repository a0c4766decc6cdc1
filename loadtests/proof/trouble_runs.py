"""Runs each trouble of a load generator as users run Locust, and reads its verdict as CI does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.proof.troubles import PREAMBLE, Trouble

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds until a run that does not end is ended
BLAMING = ("pass", "fail", "unreachable")  # verdicts that a trouble must not have
LINES_BEFORE_MEDDLING = 2  # of each process
OPTIONS = "--headless --only-summary --loglevel WARNING"


@dataclass(frozen=True, slots=True)
class TroubleTrial:
    """The run with one trouble. reached: its verdict; reasons: what it says."""

    name: str
    says: str
    reached: str
    reasons: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """excused when the trouble is named and nobody else is blamed, else blamed."""
        is_named = any(self.says in reason for reason in self.reasons)
        return "excused" if is_named and self.reached not in BLAMING else "blamed"

    def line(self) -> str:
        """One line for a terminal."""
        return f"{self.verdict:7} {'generator.' + self.name:62} {self.seconds:5.1f} s  {self.reached}: {self.says}"


class LocustProcess:
    """A running Locust with a locustfile of its own."""

    def __init__(self, trouble: Trouble, folder: Path) -> None:
        self.results = folder / "run"
        (folder / "locustfile.py").write_text(PREAMBLE + trouble.code, "utf-8")
        options = [*OPTIONS.split(), *trouble.options.split(), "--results", str(self.results)]
        if trouble.objectives:
            (folder / "slo.yaml").write_text(trouble.objectives, "utf-8")
            options += ["--slo", str(folder / "slo.yaml")]
        if "--processes" in options:
            port = str(_free_port())
            options += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
        with (folder / "output.txt").open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", str(folder / "locustfile.py"), *options],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        self.pid = self._process.pid

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split()]

    def await_figures(self) -> None:
        """Wait until each process that runs users has written some lines, or the run is over."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            files = [*self.results.glob("seconds-*.jsonl")] or [*self.results.glob("seconds.jsonl")]
            if files and all(path.read_text("utf-8").count("\n") >= LINES_BEFORE_MEDDLING for path in files):
                return
            time.sleep(0.05)

    def end(self) -> None:
        """Wait for its end, and end by force what is left of it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def run_trouble(trouble: Trouble) -> TroubleTrial:
    """Run with that trouble, and read the verdict that its folder gives."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = LocustProcess(trouble, folder)
        try:
            if trouble.meddle is not None:
                process.await_figures()
                trouble.meddle(process)
        finally:
            process.end()
        if trouble.spoil is not None:
            trouble.spoil(process.results)
        facts = _judged(process.results)
        if not facts:
            facts = {"verdict": "broken", "reasons": [(folder / "output.txt").read_text("utf-8")[-500:]]}
    said = (*facts["reasons"], *(objective["why"] for objective in facts.get("objectives", ())))
    return TroubleTrial(trouble.name, trouble.says, facts["verdict"], said, round(time.monotonic() - began, 2))


def _judged(results: Path) -> dict[str, Any]:
    """The verdict, made from the folder: that of the run itself is missing when it was killed; {} without a run."""
    command = [
        sys.executable,
        "-m",
        "reports",
        "--load",
        str(results),
        "--no-html",
        "--out",
        str(results.parent / "out"),
    ]
    command += ["--results", str(results.parent / "none")]
    subprocess.run(command, cwd=ROOT, env=_environment(), capture_output=True, timeout=PATIENCE, check=False)
    path = results / "verdict.json"
    facts: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return facts


def _environment() -> dict[str, str]:
    """The environment without what would change a run."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LOCUST_", "LOAD_", "FLOWAPP_"))}
    return clean | {"PYTHONPATH": str(ROOT)}


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
