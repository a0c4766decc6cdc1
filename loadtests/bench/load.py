"""`python -m loadtests.bench load`: what a request costs, generator by generator, round by round.

Exit codes: 0 when all was measured, whatever the targets say, 2 for misuse and when a generator is missing or failed,
130 after ^C. `--only` leaves the others out.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loadtests.bench import load_table, tools
from loadtests.bench.generators import GENERATORS, NAMES, Generator
from loadtests.bench.measure import FIRST, Run, measure
from loadtests.bench.payloads import http_answer, websocket_answer
from loadtests.bench.process import Failed, cores
from loadtests.bench.sinks import NEEDS, SINKS, Sink

CONNECTIONS = 64


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this comparison."""
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(default 5)")
    parser.add_argument("--seconds", type=float, default=2.5, metavar="S", help="of each window (default 2.5)")
    parser.add_argument("--only", action="append", choices=list(NAMES), help="only this generator (repeatable)")


def main(options: argparse.Namespace) -> int:
    """Measures, prints and writes the table; returns the exit code."""
    chosen = [one for one in GENERATORS if one.name in (options.only or NAMES)]
    troubles = tools.missing({one.name: (*one.needs, NEEDS[one.transport]) for one in chosen})
    for trouble in troubles.values():
        print(f"bench: {trouble}", file=sys.stderr)
    facts = {
        "rounds": options.rounds,
        "seconds": options.seconds,
        "first": FIRST,
        "connections": CONNECTIONS,
        "body": len(http_answer("100000").encode()),
        "message": len(websocket_answer().encode()),
    }
    names = [one.name for one in chosen]
    path = load_table.write(options.out, [], troubles, names, facts)
    for runs in _rounds(chosen, options.rounds, options.seconds, troubles):
        path = load_table.write(options.out, runs, troubles, names, facts)  # an interrupted comparison is one as well
    print(path.read_text())
    print(path)
    return 2 if troubles else 0


def _rounds(
    chosen: Sequence[Generator], rounds: int, seconds: float, troubles: dict[str, str]
) -> Iterator[Sequence[Run]]:
    """All runs so far, after each round. A generator that fails is left out from then on and is in `troubles`."""
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(prefix="flowproof-") as name, contextlib.ExitStack() as stack:
        sinks: Mapping[str, Sink] = {
            transport: stack.enter_context(SINKS[transport](Path(name) / transport, cores()[0]))
            for transport in {one.transport: None for one in chosen if one.name not in troubles}
        }
        for number in range(1, rounds + 1):
            for generator in chosen:
                if generator.name in troubles:
                    continue
                folder = Path(name) / f"{generator.name}-{number}"
                try:
                    run = measure(generator, sinks[generator.transport], number, cores(), CONNECTIONS, seconds, folder)
                except Failed as failure:
                    troubles[generator.name] = str(failure)
                    print(f"bench: {generator.name}: {failure}", file=sys.stderr)
                    continue
                runs.append(run)
                told = f"{run.cost:.2f} CPU-ms for 1,000, {run.rate:,.0f}/s, others {100 * run.others:.0f} %"
                print(f"{number}/{rounds} {generator.name:16} {told}", flush=True)
            yield runs
