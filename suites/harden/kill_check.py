"""Kills contract, prove, load and report runs by signals at random moments, and checks what they leave behind.

Rule: what was recorded before the signal stays readable; the report that follows says that the run was incomplete, and
never that it passed; nothing that the run started is alive a few seconds later.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).parents[2]
MARK = "FLOWPROOF_KILL_CHECK"  # an environment variable by which the processes of a run are recognized
PATIENCE = 15.0  # seconds that the processes of a run may take to end
MAX_WAIT = 120.0  # seconds that a first result, or a report, may take
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
KILLS = 54  # six of each kind of run by each signal
INCOMPLETE = (1, 2, 3, 4)  # exit codes of a report about a run that was cut short: anything but a pass


@dataclass(frozen=True)
class RunKind:
    """A kind of run: its command, the command that reports on it, and the files by which its first result shows.

    seconds: how long after its first result it may be ended.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    report: Callable[[Path], Sequence[str]] | None
    first_result: str
    seconds: float


def _contract(folder: Path) -> list[str]:
    selection = ["-k", "getflow and not load", "-n", "2", "--dist", "loadgroup"]
    return ["pytest", "suites", "-q", "-p", "no:cacheprovider", f"--alluredir={folder / 'results'}", *selection]


def _load(folder: Path) -> list[str]:
    return ["locust", "-f", "loadtests/getflow.py", *LOAD_OPTIONS, "--results", str(folder / "run")]


def _prove(folder: Path) -> list[str]:
    return ["suites.mutation", "--api", "flowback", "--out", str(folder / "prove")]


LOAD_OPTIONS = ("--headless", "--loglevel", "WARNING", "--profile", "smoke")
KINDS = (
    RunKind(
        "contract",
        _contract,
        lambda folder: ["reports", "--results", str(folder / "results"), "--out", str(folder / "out"), "--no-html"],
        "results/*",
        8.0,
    ),
    RunKind(
        "load",
        _load,
        lambda folder: ["reports", "--load", str(folder / "run"), "--out", str(folder / "out"), "--no-html"],
        "run/seconds.jsonl",
        8.0,
    ),
    RunKind("prove", _prove, None, "prove/trials.jsonl", 10.0),
)


def names() -> list[str]:
    """KILLS kills, as "kind SIGNAL number"."""
    combined = [f"{kind.name} {name.name}" for kind in KINDS for name in SIGNALS]
    return [f"{combined[number % len(combined)]} {number}" for number in range(KILLS)]


def run(name: str, folder: Path) -> list[str]:
    """What is wrong after a kill. The instant is drawn anew each time, half of them after the first result."""
    kind_name, signal_name, number = name.split()
    kind = next(kind for kind in KINDS if kind.name == kind_name)
    seconds = random.uniform(0, kind.seconds)
    print(f"    after {seconds:.2f} s")
    return kill(folder, kind, signal.Signals[signal_name], seconds, after_results=int(number) % 2 == 0)


def kill(folder: Path, kind: RunKind, name: signal.Signals, seconds: float, after_results: bool) -> list[str]:
    """End one run by that signal, so many seconds after it began or after its first result; returns what is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = uuid4().hex
    with (folder / "console.txt").open("wb") as console:
        process = subprocess.Popen(
            [sys.executable, "-m", *kind.command(folder)],
            cwd=ROOT,
            env=os.environ | {MARK: mark, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if after_results:
            _wait_until(lambda: _has_result(folder, kind) or process.poll() is not None)
        _wait_until(lambda: process.poll() is not None, seconds)
        was_running = process.poll() is None
        _send(process, name)
        code = process.wait(MAX_WAIT)
    problems = [*_left_running(mark), *(_report_problems(folder, kind) if was_running else ())]
    if was_running and code == 0:
        problems.append("the run that was ended has exit code 0")
    return problems


def _send(process: subprocess.Popen[bytes], name: signal.Signals) -> None:
    """As people send them: ^C reaches every process of the terminal, the others the one that was started."""
    if process.poll() is None:
        (os.killpg if name == signal.SIGINT else os.kill)(process.pid, name)


def _has_result(folder: Path, kind: RunKind) -> bool:
    return any(path.is_dir() or path.stat().st_size for path in folder.glob(kind.first_result))


def _wait_until(condition: Callable[[], Any], seconds: float = MAX_WAIT) -> bool:
    """Whether the condition holds within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _left_running(mark: str) -> list[str]:
    """The processes with that mark that do not end; they are killed."""
    _wait_until(lambda: not marked_processes(mark), PATIENCE)
    left = marked_processes(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return [f"still running: {command}" for command in left.values()]


def marked_processes(mark: str) -> dict[int, str]:
    """Command lines by process id of the processes that were started with that mark."""
    processes = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                is_marked = f"{MARK}={mark}".encode() in (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:  # it has ended
                continue
            if is_marked and command:  # a zombie has none
                processes[int(entry.name)] = command
    return processes


def _report_problems(folder: Path, kind: RunKind) -> list[str]:
    """What is wrong with the report on a run that was cut short."""
    if kind.report is None:
        return _prove_problems(folder)
    report = subprocess.run(
        [sys.executable, "-m", *kind.report(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=MAX_WAIT,
        check=False,
    )
    problems = []
    if report.returncode not in INCOMPLETE:
        problems.append(f"the report has exit code {report.returncode}")
    if "Traceback" in report.stderr:
        problems.append(f"the report failed: {report.stderr.strip().splitlines()[-1]}")
    return problems


def _prove_problems(folder: Path) -> list[str]:
    """What is wrong with the files of a mutation run that was cut short."""
    problems = []
    tables = [path.name for path in (folder / "prove").glob("kill-table.*")]
    if tables and "broke off" not in (folder / "console.txt").read_text(errors="replace"):
        problems.append("a kill table, as if the run were complete")
    trials = folder / "prove" / "trials.jsonl"
    lines = trials.read_text().splitlines(keepends=True) if trials.exists() else []
    try:
        for line in lines:
            if line.endswith("\n"):  # else the process was killed while it wrote
                json.loads(line)
    except ValueError as error:
        problems.append(f"{trials.name}: {error}")
    return problems
