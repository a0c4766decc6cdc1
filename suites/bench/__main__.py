"""`python -m suites.bench`: measures our suite and stock Schemathesis round by round, and writes the table.

Exit codes: 0 when everything was measured, 2 for a usage error or when a side did not run, 130 after ^C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import contracts
from suites.bench import stock_schemathesis, throughput_table
from suites.bench.throughput import CACHED_SIDES, ROOT, SIDE_NAMES, Run, run

OUT = ROOT / "reports" / "out" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench", description=__doc__)
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="repeatable (default getflow)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--side", action="append", choices=list(SIDE_NAMES), help="only this side (repeatable)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the table")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds: expected 1 or more, got {options.rounds}")
    runs: list[Run] = []
    try:
        stock_schemathesis.executable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        with tempfile.TemporaryDirectory(prefix="flowproof-") as cache:
            for api in options.api or ["getflow"]:
                for result in _measured(api, options.rounds, options.side or list(SIDE_NAMES), Path(cache)):
                    runs.append(result)
                    path = throughput_table.write(options.out, runs)  # after each run: an interrupted one loses nothing
    except (stock_schemathesis.SchemathesisNotFound, RuntimeError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    print(path.read_text())
    print(os.path.relpath(path))
    return 0


def _measured(api: str, rounds: int, sides: Sequence[str], cache: Path) -> Iterator[Run]:
    for side in sides:
        if side in CACHED_SIDES:
            run(api, side, 0, cache, first=True)
    for number in range(1, rounds + 1):
        for side in sides:
            result = run(api, side, number, cache)
            rate = f"{result.seconds:.2f} s, {throughput_table.speed(result):.0f}/s"
            numbers = f"{result.judged} distinct judged of {result.sent}, {rate}"
            print(f"{api} {number}/{rounds} {side:5} {numbers}, {result.findings} findings", flush=True)
            yield result


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
