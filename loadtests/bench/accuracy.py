"""`python -m loadtests.bench accuracy`: compares the times that tools report with the true times of a known server.

Exit codes: 0 when all was measured, even if a target is missed; 2 for wrong usage and when a tool is missing or failed;
130 after ^C.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtests.bench import accuracy_table, tools
from loadtests.bench.accuracy_clients import CLIENTS, NAMES, Client
from loadtests.bench.process import ProgramFailed
from loadtests.bench.timed_run import PERIOD, TimedRun, run_timed

RATE = 200.0  # per second, at the server that freezes
STEADY = 5  # seconds at each rate, at the server that does not freeze


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="rounds (default 3)")
    parser.add_argument(
        "--periods", type=int, default=2, metavar="N", help=f"periods of {PERIOD} s that each run lasts (default 2)"
    )
    parser.add_argument("--only", action="append", choices=list(NAMES), help="only this tool (repeatable)")


def main(options: argparse.Namespace) -> int:
    """Measure, print and write the table; return the exit code."""
    chosen = [client for client in CLIENTS if client.name in (options.only or NAMES)]
    troubles = tools.missing_tools({client.name: client.needs for client in chosen})
    for trouble in troubles.values():
        print(f"bench: {trouble}", file=sys.stderr)
    runs: list[TimedRun] = []
    path = accuracy_table.write(options.out, runs, troubles)
    for number in range(1, options.rounds + 1):
        for run in _round(chosen, number, options.periods * PERIOD, troubles):
            runs.append(run)
            times = ", ".join(f"{name} {value:,.1f}" for name, value in run.reported.times.items())
            print(f"{number}/{options.rounds} {run.client:14} {run.rate:,.0f}/s: {times} ms", flush=True)
            path = accuracy_table.write(options.out, runs, troubles)  # also for an interrupted comparison
    print(path.read_text())
    print(path)
    return 2 if troubles else 0


def _round(chosen: Sequence[Client], number: int, seconds: int, troubles: dict[str, str]) -> Iterator[TimedRun]:
    """Run each tool once at the server that freezes, and those with `rates` at each rate at the one that does not.

    A tool that fails is left out of later runs and noted in `troubles`.
    """
    steady = sorted({rate for client in chosen for rate in client.rates})
    for rate, duration, freezes in [(RATE, seconds, True), *((rate, STEADY, False) for rate in steady)]:
        for client in chosen:
            if client.name in troubles or not (freezes or rate in client.rates):
                continue
            with tempfile.TemporaryDirectory(prefix="flowproof-") as name:
                try:
                    yield run_timed(client, number, rate, duration, freezes, Path(name))
                except ProgramFailed as failure:
                    troubles[client.name] = str(failure)
                    print(f"bench: {client.name}: {failure}", file=sys.stderr)
