"""One run of one side against a new reference: what was sent and judged, and how long it took.

Rule: every process that a function starts is ended by it, also after an error. Runs share nothing, except that warm
runs share the cached cases.
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

from contracts.openapi import load_contract
from fixtures.reference import load
from suites.bench import stock_schemathesis

ROOT = Path(__file__).parents[2]
STOP_TIMEOUT = 10.0  # seconds a reference may take to write its requests
STOCK = "stock"
CACHED_SIDES = ("warm", "deep")
SIDE_NAMES = {
    STOCK: "stock `schemathesis run`",
    "cold": "ours, nothing cached",
    "warm": "ours, cases cached",
    "deep": "ours, cases cached, `--effort deep`",
}


@dataclass(frozen=True)
class Run:
    """One run. `sent` and `distinct` requests were answered; `judged` are the distinct ones that were judged.

    `seconds` is the process's wall time, `cpu` its processor time (which other programs on the machine disturb less),
    `starting` the seconds until its first request, `sending` those from there to its last response.
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


def run(api: str, side: str, seed: int, cache: Path, first: bool = False) -> Run:
    """Runs that side once. `cache` is the folder of cases that warm runs share; the `first` one fills it.

    Raises RuntimeError with the side's output when it failed.
    """
    with tempfile.TemporaryDirectory(prefix="flowproof-") as scratch:
        folder = Path(scratch)
        port = _free_port()
        with _served(api, port, folder / "requests.json") as url:
            command = _command(api, side, seed, url, folder, cache, port)
            started = time.perf_counter()
            used = _cpu()
            output, code = _finished(command, folder)
            seconds, cpu = time.perf_counter() - started, _cpu() - used
        if code not in (stock_schemathesis.COMPLETED_CODES if side == STOCK else (0,)):
            raise RuntimeError(f"{side} on {api} ended with {code}: {' '.join(command)}\n{output[-2000:]}")
        count = json.loads((folder / "requests.json").read_text())
        requests: list[str] = count["requests"]
        if side == STOCK:
            judged, findings = requests, 0
        else:
            report = json.loads((folder / "ours.json").read_text())
            if report["sent"] != len(requests):
                raise RuntimeError(f"{side} on {api}: {report['sent']} requests sent, {len(requests)} answered")
            if report["generated"] and side in CACHED_SIDES and not first:
                raise RuntimeError(
                    f"{side} on {api}: no cases were cached; did a file of the project change meanwhile?"
                )
            judged, findings = [requests[number] for number in report["judged"]], len(report["findings"])
        starting, sending = count["first"] - started, count["last"] - count["first"]  # one clock for all processes
        return Run(
            api, side, len(requests), len(set(requests)), len(set(judged)), seconds, cpu, starting, sending, findings
        )


def _command(api: str, side: str, seed: int, url: str, folder: Path, cache: Path, port: int) -> list[str]:
    contract = load_contract(api)
    if side == STOCK:
        return stock_schemathesis.command(contract, url, load(api).KNOWN, seed)
    effort, store = (
        ("default", folder / "cases") if side == "cold" else ("deep" if side == "deep" else "default", cache)
    )
    line = [sys.executable, "-m", "suites.bench.conformance_run", "--api", api, "--url", url, "--effort", effort]
    line += ["--server", str(stock_schemathesis.usable_server(contract)), "--smtp", str(port), "--store", str(store)]
    return [*line, "--seed", str(seed if side == "cold" else 0), "--out", str(folder / "ours.json")]


def _finished(command: Sequence[str], folder: Path) -> tuple[str, int]:
    """The command's output and its exit code."""
    work = folder / "work"
    work.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # otherwise our code, unlike installed packages, is compiled at each start
    with (folder / "output").open("w+") as output:
        process = subprocess.Popen(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            code = process.wait()
        finally:
            _end(process)
        output.seek(0)
        return output.read(), code


@contextlib.contextmanager
def _served(api: str, port: int, out: Path) -> Iterator[str]:
    """Yield the URL of a counting reference; it is stopped and has written its requests when the block ends."""
    command = [
        sys.executable,
        "-m",
        "suites.bench.counting_reference",
        "--api",
        api,
        "--smtp",
        str(port),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"the reference did not start (exit code {process.wait(STOP_TIMEOUT)}): {' '.join(command)}"
            )
        yield json.loads(line)[api]
    finally:
        _end(process)


def _cpu() -> float:
    """Processor seconds of all ended child processes; a run's reference ends after this was read."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    """A free port for the target's mails; a run listens there only when it needs to read them."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port
