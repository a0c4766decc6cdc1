"""`python -m suites.harden`: proves that runs are true and harmless, with real processes.

Every case is printed with what is wrong with it. Exit codes: 0 when all is as expected, 1 when something is not, 2 for
wrong usage.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from suites.harden import departures_matrix, kill_check, leak_check, misbehaviour_matrix, misuse_matrix, ways_out_matrix
from suites.mutation.rotating_sample import sample_of_names


@dataclass(frozen=True)
class Matrix:
    """Cases by name, and a function that runs one in a folder and returns what is wrong, in lines."""

    summary: str
    names: Callable[[], list[str]]
    run: Callable[[str, Path], list[str]]


MATRICES = {
    "misuse": Matrix("settings and options that nobody can mean", misuse_matrix.names, misuse_matrix.run),
    "misbehaviour": Matrix("servers that misbehave", misbehaviour_matrix.names, misbehaviour_matrix.run),
    "departures": Matrix(
        "deployments that depart from their documents", departures_matrix.names, departures_matrix.run
    ),
    "leaks": Matrix("servers that echo secrets", leak_check.names, leak_check.run),
    "kills": Matrix("runs that are ended by a signal", kill_check.names, kill_check.run),
    "ways-out": Matrix("connections to other places than the target", ways_out_matrix.names, ways_out_matrix.run),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the matrices that the options name, by default all; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    for name in options.matrices:
        if name not in MATRICES:
            parser.error(f"expected {', '.join(MATRICES)}, got {name!r}")
    wrong = 0
    summaries = []
    with TemporaryDirectory(prefix="flowproof-harden-") as temporary:
        for name in options.matrices or MATRICES:
            matrix = MATRICES[name]
            cases = _chosen(matrix.names(), options)
            if not cases:
                parser.error(f"--only: expected a part of a case's name, got {options.only!r}")
            failed = _run_all(matrix, cases, (options.folder or Path(temporary)) / name, options.jobs)
            wrong += failed
            summaries.append(f"{name:13} {len(cases)} cases, {failed} not as expected")
    print(*summaries, sep="\n")
    return 1 if wrong else 0


def _chosen(names: list[str], options: argparse.Namespace) -> list[str]:
    chosen = [name for name in names if options.only in name]
    return sample_of_names(chosen, options.sample) if options.sample else chosen


def _run_all(matrix: Matrix, cases: Sequence[str], folder: Path, jobs: int) -> int:
    """How many of the cases are not as expected."""

    def run(case: str) -> bool:
        began = time.monotonic()
        problems = matrix.run(case, folder / re.sub(r"[^\w.-]+", "_", case)[:80])
        state = "wrong" if problems else "ok"
        print(f"{state:6} {case}  {time.monotonic() - began:.1f} s", *problems, sep="\n       ", flush=True)
        return bool(problems)

    with ThreadPoolExecutor(jobs) as pool:
        return sum(pool.map(run, cases))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m suites.harden", description="Runs flowproof against what it must bear.")
    texts = "; ".join(f"{name}: {matrix.summary}" for name, matrix in MATRICES.items())
    parser.add_argument("matrices", nargs="*", metavar="MATRIX", help=f"{texts} (default: all)")
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="N cases each, chosen by the project's content"
    )
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with that text in their name")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at the same time (default: 1)")
    parser.add_argument("--folder", type=Path, help="where results and output are kept (default: nowhere)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
