"""`python -m suites.drift_proof`: proves that drift runs name what changed, and are silent otherwise.

Every case is printed with what is wrong with it, and the figures at the end. Exit codes: 0 when every goal is reached,
1 when one is not, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from suites.drift_proof import change_cases, pair_cases, presence_cases, seed_cases, silence_cases
from suites.drift_proof.proof_case import CaseResult, Figure, Part
from suites.drift_proof.proof_table import result_line, text_table, write_part
from suites.mutation.rotating_sample import sample_of_names

OUT = Path(__file__).parents[2] / "reports" / "out" / "prove-drift"
PARTS = {
    "seeds": Part(
        "seeded changes of the references", seed_cases.names, seed_cases.run, seed_cases.figures, seed_cases.prepare
    ),
    "silence": Part(
        "what is no change", silence_cases.names, silence_cases.run, silence_cases.figures, silence_cases.prepare
    ),
    "changes": Part(
        "faults and variants", change_cases.names, change_cases.run, change_cases.figures, change_cases.prepare
    ),
    "questions": Part(
        "faults and variants, by questions alone",
        change_cases.names,
        change_cases.run_questions,
        change_cases.figures_of_questions,
        change_cases.prepare_questions,
    ),
    "pairs": Part("two changes at once", pair_cases.names, pair_cases.run, pair_cases.figures, pair_cases.prepare),
    "presence": Part(
        "members that are left out now and then", presence_cases.names, presence_cases.run, presence_cases.figures
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the parts that the options name, by default all; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    options = parser.parse_args(given)
    for name in options.parts:
        if name not in PARTS:
            parser.error(f"expected {', '.join(PARTS)}, got {name!r}")
    figures: list[Figure] = []
    for name in options.parts or PARTS:
        chosen = _chosen(PARTS[name].names(), options)
        if not chosen:
            continue
        results = list(_run_all(PARTS[name], chosen, options.jobs))
        of_part = PARTS[name].figures(results)
        command = shlex.join(["python", "-m", "suites.drift_proof", *given])
        write_part(options.out / f"{name}.json", command, results, of_part)
        figures += of_part
    if not figures:
        parser.error(f"--only: expected a part of a case's name, got {options.only!r}")
    print(text_table(figures))
    return 0 if all(figure.is_reached for figure in figures) else 1


def _run_all(part: Part, names: Sequence[str], jobs: int) -> Iterator[CaseResult]:
    """Runs the cases in forks of this process, which inherit what they share; yields each as it ends."""
    part.prepare(names)
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        for result in pool.imap_unordered(partial(_result_of, part.run), names):
            print(result_line(result), flush=True)
            yield result


def _result_of(run: Callable[[str], CaseResult], name: str) -> CaseResult:
    """The result of a case; one that raises is wrong, and measures nothing."""
    try:
        return run(name)
    except Exception as error:  # whatever it is, the other cases are run
        return CaseResult(name, (f"raised {type(error).__name__}: {' '.join(str(error).split())}",))


def _chosen(names: Sequence[str], options: argparse.Namespace) -> list[str]:
    """The names that --only and --sample leave."""
    matching = [name for name in names if not options.only or any(text in name for text in options.only)]
    return sample_of_names(matching, options.sample) if options.sample else matching


def _parser() -> argparse.ArgumentParser:
    parts = "; ".join(f"{name}: {part.summary}" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(prog="python -m suites.drift_proof", description=f"{__doc__} Parts: {parts}.")
    parser.add_argument("parts", nargs="*", help="parts of the proof, by default all")
    parser.add_argument("--only", action="append", metavar="TEXT", help="cases with TEXT in their name (repeatable)")
    parser.add_argument("--sample", type=int, metavar="N", help="N cases of each part, chosen by the project's content")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the cases and figures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
