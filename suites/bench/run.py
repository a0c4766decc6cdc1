"""One run of one side against a fresh reference: what was sent and judged, and how long it took.

Rule: whoever starts a process ends it, whatever happens; nothing that a run writes is there for the next one but the
cases that a warm run is given.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.document import contract
from fixtures.reference import load
from suites.bench import stock

ROOT = Path(__file__).parents[2]
STOPS = 10.0  # seconds a reference may take to write down what it was asked
STOCK = "stock"
WARM = ("warm", "deep")
NAMES = {
    STOCK: "stock `schemathesis run`",
    "cold": "ours, no cases kept",
    "warm": "ours, cases kept",
    "deep": "ours, cases kept, `--effort deep`",
}


@dataclass(frozen=True)
class Run:
    """One run. `sent` and `distinct` requests had an answer, `judged` are the distinct ones that were judged.

    `seconds` are the whole process's, `cpu` those it had a processor (other programs on the machine change them less),
    `starting` those before its first request came, `sending` those from there to its last answer.
    """

    api: str
    side: str
    sent: int
    distinct: int
    judged: int
    seconds: float
    cpu: float
    starting: float
    sending: float
    findings: int


def run(api: str, side: str, seed: int, kept: Path, first: bool = False) -> Run:
    """One run of that side. `kept` is the folder of cases that a warm run is given; the `first` one fills it.

    Raises RuntimeError with what the side said when it did not end well.
    """
    with tempfile.TemporaryDirectory(prefix="flowproof-") as scratch:
        folder = Path(scratch)
        port = _free_port()
        with _served(api, port, folder / "asked.json") as url:
            command = _command(api, side, seed, url, folder, kept, port)
            started = time.perf_counter()
            used = _cpu()
            said, code = _finished(command, folder)
            seconds, cpu = time.perf_counter() - started, _cpu() - used
        if code not in (stock.ENDED if side == STOCK else (0,)):
            raise RuntimeError(f"{side} on {api} ended with {code}: {' '.join(command)}\n{said[-2000:]}")
        asked = json.loads((folder / "asked.json").read_text())
        requests: list[str] = asked["requests"]
        if side == STOCK:
            judged, findings = requests, 0
        else:
            told = json.loads((folder / "ours.json").read_text())
            if told["sent"] != len(requests):
                raise RuntimeError(f"{side} on {api}: {told['sent']} requests sent, {len(requests)} answered")
            if told["made"] and side in WARM and not first:
                raise RuntimeError(f"{side} on {api}: no cases were kept; did a file of the project change meanwhile?")
            judged, findings = [requests[number] for number in told["judged"]], len(told["findings"])
        starting, sending = asked["first"] - started, asked["last"] - asked["first"]  # one clock for all processes
        return Run(
            api, side, len(requests), len(set(requests)), len(set(judged)), seconds, cpu, starting, sending, findings
        )


def _command(api: str, side: str, seed: int, url: str, folder: Path, kept: Path, port: int) -> list[str]:
    whole = contract(api)
    if side == STOCK:
        return stock.command(whole, url, load(api).KNOWN, seed)
    effort, store = ("default", folder / "kept") if side == "cold" else ("deep" if side == "deep" else "default", kept)
    line = [sys.executable, "-m", "suites.bench.ours", "--api", api, "--url", url, "--effort", effort]
    line += ["--server", str(stock.server_of(whole)), "--smtp", str(port), "--store", str(store)]
    return [*line, "--seed", str(seed if side == "cold" else 0), "--out", str(folder / "ours.json")]


def _finished(command: Sequence[str], folder: Path) -> tuple[str, int]:
    """What the command said, and its exit code."""
    work = folder / "work"
    work.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or ours, unlike what is installed, is compiled at each start
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            code = process.wait()
        finally:
            _end(process)
        said.seek(0)
        return said.read(), code


@contextlib.contextmanager
def _served(api: str, port: int, out: Path) -> Iterator[str]:
    """The counted reference's URL; gone, with its count written, when the block ends."""
    command = [sys.executable, "-m", "suites.bench.counted", "--api", api, "--smtp", str(port), "--out", str(out)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the reference did not start (exit code {process.wait(STOPS)}): {' '.join(command)}")
        yield json.loads(line)[api]
    finally:
        _end(process)


def _cpu() -> float:
    """Processor seconds of all processes that ended here so far; the reference of a run ends after it was read."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """A port for the target's mails. Nobody listens there unless a run needs to read them."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port
