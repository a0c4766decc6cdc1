"""`python -m loadtests.bench accuracy`: how true the reported times are, at a server whose delays are known.

Exit codes: 0 when all was measured, whatever the targets say, 2 for misuse and when a tool is missing or failed, 130
after ^C. `--only` leaves the others out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadtests.bench import accuracy_table, tools
from loadtests.bench.clients import CLIENTS, NAMES, Client
from loadtests.bench.process import Failed
from loadtests.bench.timed import PERIOD, Timed, timed

RATE = 200.0  # a second, at the server that freezes
STEADY = 5  # seconds at each rate of the one that does not


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this comparison."""
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default 3)")
    parser.add_argument("--periods", type=int, default=2, metavar="N", help=f"of {PERIOD} s each (default 2)")
    parser.add_argument("--only", action="append", choices=list(NAMES), help="only this tool (repeatable)")


def main(options: argparse.Namespace) -> int:
    """Measures, prints and writes the table; returns the exit code."""
    chosen = [client for client in CLIENTS if client.name in (options.only or NAMES)]
    troubles = tools.missing({client.name: client.needs for client in chosen})
    for trouble in troubles.values():
        print(f"bench: {trouble}", file=sys.stderr)
    runs: list[Timed] = []
    path = accuracy_table.write(options.out, runs, troubles)
    for number in range(1, options.rounds + 1):
        for run in _round(chosen, number, options.periods * PERIOD, troubles):
            runs.append(run)
            times = ", ".join(f"{name} {value:,.1f}" for name, value in run.reported.times.items())
            print(f"{number}/{options.rounds} {run.client:14} {run.rate:,.0f}/s: {times} ms", flush=True)
            path = accuracy_table.write(options.out, runs, troubles)  # an interrupted comparison is one as well
    print(path.read_text())
    print(path)
    return 2 if troubles else 0


def _round(chosen: Sequence[Client], number: int, seconds: int, troubles: dict[str, str]) -> Iterator[Timed]:
    """Each tool once at the server that freezes, and those that keep to a rate at each of the rates.

    A tool that fails is left out from then on and is in `troubles`.
    """
    steady = sorted({rate for client in chosen for rate in client.rates})
    for rate, lasting, freezes in [(RATE, seconds, True), *((rate, STEADY, False) for rate in steady)]:
        for client in chosen:
            if client.name in troubles or not (freezes or rate in client.rates):
                continue
            with tempfile.TemporaryDirectory(prefix="flowproof-") as name:
                try:
                    yield timed(client, number, rate, lasting, freezes, Path(name))
                except Failed as failure:
                    troubles[client.name] = str(failure)
                    print(f"bench: {client.name}: {failure}", file=sys.stderr)
