"""`python -m loadtests.bench load`: measures the CPU cost of a request for each load generator, in several rounds.

Exit codes: 0 when all was measured, even if a target is missed; 2 for wrong usage and when a generator is missing or
failed; 130 after ^C.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loadtests.bench import cost_table, floor, scale, tools
from loadtests.bench.generators import GENERATORS, NAMES, Generator
from loadtests.bench.measure import FIRST, Measurement, measure
from loadtests.bench.payloads import http_response, websocket_response
from loadtests.bench.process import ProgramFailed, cores
from loadtests.bench.sinks import NEEDS, SINKS, Sink

CONNECTIONS = 64


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this comparison."""
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=2.5, metavar="S", help="length of each measured window (default 2.5)"
    )
    parser.add_argument("--scale", action="store_true", help="measure what grows with length and width of runs instead")
    parser.add_argument("--floor", action="store_true", help="beside the least that a client in C needs, over HTTP")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="with --scale: compare with this checkout")
    parser.add_argument("--only", action="append", choices=list(NAMES), help="only this generator (repeatable)")


def main(options: argparse.Namespace) -> int:
    """Measure, print and write the table; return the exit code."""
    if options.scale:
        return scale.main(options.out, options.rounds, options.before)
    if options.floor:
        return _floor(options)
    chosen = [generator for generator in GENERATORS if generator.name in (options.only or NAMES)]
    troubles = tools.missing_tools(
        {generator.name: (*generator.needs, NEEDS[generator.transport]) for generator in chosen}
    )
    for trouble in troubles.values():
        print(f"bench: {trouble}", file=sys.stderr)
    facts = {
        "rounds": options.rounds,
        "seconds": options.seconds,
        "first": FIRST,
        "connections": CONNECTIONS,
        "body": len(http_response("100000").encode()),
        "message": len(websocket_response().encode()),
    }
    names = [generator.name for generator in chosen]
    path = cost_table.write(options.out, [], troubles, names, facts)
    for runs in _rounds(chosen, options.rounds, options.seconds, troubles):
        path = cost_table.write(options.out, runs, troubles, names, facts)  # also for an interrupted comparison
    print(path.read_text())
    print(path)
    return 2 if troubles else 0


def _floor(options: argparse.Namespace) -> int:
    """Measure the generators of the floor; return 2 where ours or the server is missing: others may well be."""
    troubles = tools.missing_tools({it.name: (*it.needs, NEEDS[it.transport]) for it in floor.GENERATORS})
    runs: Sequence[Measurement] = ()
    path = floor.write(options.out, runs, troubles, options.rounds, options.seconds)
    for runs in _rounds(floor.GENERATORS, options.rounds, options.seconds, troubles):
        path = floor.write(options.out, runs, troubles, options.rounds, options.seconds)
    print(path.read_text())
    print(path)
    return 2 if floor.OURS.keys() & troubles.keys() else 0


def _rounds(
    chosen: Sequence[Generator], rounds: int, seconds: float, troubles: dict[str, str]
) -> Iterator[Sequence[Measurement]]:
    """Yield all runs so far after each round; a generator that fails is left out later and noted in `troubles`."""
    runs: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="flowproof-") as name, contextlib.ExitStack() as stack:
        sinks: Mapping[str, Sink] = {
            transport: stack.enter_context(SINKS[transport](Path(name) / transport, cores()[0]))
            for transport in {generator.transport: None for generator in chosen if generator.name not in troubles}
        }
        for number in range(1, rounds + 1):
            for generator in chosen:
                if generator.name in troubles:
                    continue
                folder = Path(name) / f"{generator.name}-{number}"
                try:
                    run = measure(generator, sinks[generator.transport], number, cores(), CONNECTIONS, seconds, folder)
                except ProgramFailed as failure:
                    troubles[generator.name] = str(failure)
                    print(f"bench: {generator.name}: {failure}", file=sys.stderr)
                    continue
                runs.append(run)
                figures = f"{run.cost:.2f} CPU-ms for 1,000, {run.rate:,.0f}/s, others {100 * run.others:.0f} %"
                print(f"{number}/{rounds} {generator.name:16} {figures}", flush=True)
            yield runs
