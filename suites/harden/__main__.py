"""`python -m suites.harden misbehaviour`: runs every way to misbehave against the suites and a load run.

The exit code is 1 if a run was not as expected. `--sample N` takes a sample that rotates with the day.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from fixtures.misbehaviour.way import Way
from fixtures.misbehaviour.ways import WAYS
from suites.harden.misbehaviour_matrix import MODES, MatrixRow, run_way

HONEST = {"getflow": "honest", "bitvis": "hints_before_the_handshake"}  # API -> the way to compare its memory with


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the matrix, prints a line for each run and the counts; returns the exit code."""
    options = _parser().parse_args(arguments)
    unknown = set(options.only) - set(WAYS)
    if unknown:
        print(
            f"--only: expected ways, got {', '.join(sorted(unknown))}; python -m fixtures.misbehaviour --list shows all"
        )
        return 2
    ways = [WAYS[name] for name in options.only or WAYS]
    if options.sample:
        day = datetime.now(UTC).date().toordinal()
        ways = random.Random(options.seed if options.seed is not None else day).sample(
            ways, min(options.sample, len(ways))
        )
    with tempfile.TemporaryDirectory(prefix="flowproof-harden-") as temporary:
        rows = list(_run_all(ways, options, options.folder or Path(temporary)))
    wrong = [row for row in rows if row.problems]
    print(f"{len(ways)} ways, {len(rows)} runs, {len(rows) - len(wrong)} as expected, {len(wrong)} not")
    return 1 if wrong else 0


def _run_all(ways: Sequence[Way], options: argparse.Namespace, folder: Path) -> Iterator[MatrixRow]:
    """Each run, printed when it has ended; first an honest one for each API and mode, whose memory is the measure."""
    modes = options.mode or list(MODES)
    honest: dict[tuple[str, str], float] = {}
    for api in sorted({way.api for way in ways}):
        for mode in modes:
            row = run_way(WAYS[HONEST[api]], mode, folder / f"honest-{api}-{mode}", None)
            print(row, flush=True)
            honest[api, mode] = row.rss
            yield row

    def run(task: tuple[Way, str]) -> MatrixRow:
        way, mode = task
        row = run_way(way, mode, folder / f"{way.name}-{mode}", honest[way.api, mode])
        print(row, flush=True)
        return row

    with ThreadPoolExecutor(options.jobs) as pool:
        yield from pool.map(run, [(way, mode) for way in ways for mode in modes])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m suites.harden", description="Runs flowproof against what it must bear.")
    add = parser.add_argument
    add("what", choices=["misbehaviour"], help="servers that misbehave")
    add("--sample", type=int, default=0, metavar="N", help="only N ways, others each day (default: all)")
    add("--seed", type=int, help="of the sample, instead of the day")
    add("--only", action="append", default=[], metavar="WAY", help="only this way (repeatable)")
    add("--mode", action="append", choices=MODES, help="only this mode (default: both)")
    add("--jobs", type=int, default=1, metavar="N", help="runs at the same time (default: 1)")
    add("--folder", type=Path, help="where results and outputs are kept (default: nowhere)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
