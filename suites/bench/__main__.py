"""`python -m suites.bench`: ours beside stock Schemathesis, round by round, and the table.

Exit codes: 0 when all was measured, 2 for misuse or when a side did not run, 130 after ^C.
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
from suites.bench import stock, table
from suites.bench.run import NAMES, ROOT, WARM, Run, run

OUT = ROOT / "reports" / "out" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m suites.bench", description=__doc__)
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="repeatable (default getflow)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--side", action="append", choices=list(NAMES), help="only this side (repeatable)")
    parser.add_argument("--out", type=Path, default=OUT, help="where the table goes")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"--rounds: expected 1 or more, got {options.rounds}")
    runs: list[Run] = []
    try:
        stock.executable()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        with tempfile.TemporaryDirectory(prefix="flowproof-") as kept:
            for api in options.api or ["getflow"]:
                for one in _measured(api, options.rounds, options.side or list(NAMES), Path(kept)):
                    runs.append(one)
                    path = table.write(options.out, runs)  # each time: an interrupted comparison is one all the same
    except (stock.Absent, RuntimeError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    print(path.read_text())
    print(os.path.relpath(path))
    return 0


def _measured(api: str, rounds: int, sides: Sequence[str], kept: Path) -> Iterator[Run]:
    for side in sides:
        if side in WARM:
            run(api, side, 0, kept, first=True)
    for number in range(1, rounds + 1):
        for side in sides:
            one = run(api, side, number, kept)
            told = f"{one.judged} distinct judged of {one.sent}, {one.seconds:.2f} s, {table.speed(one):.0f}/s"
            print(f"{api} {number}/{rounds} {side:5} {told}, {one.findings} findings", flush=True)
            yield one


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
