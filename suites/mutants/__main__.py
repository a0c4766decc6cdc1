"""`python -m suites.mutants`: mutates flowproof's own modules and lists the mutants that its self-tests do not kill."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from suites.mutants.code_mutants import changes
from suites.mutants.mutated_modules import ROOT, TARGETS, Target, digest, files, sample_target
from suites.mutants.mutation_run import Mutant, MutationRunFailed, run
from suites.mutants.survivors import Score, read_list, scores

LEAST = 0.95
OUT = ROOT / "reports" / "out"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 when at least 95 % are killed in every module, 1 when not, 2 when the run broke off.

    A sample is too small for a share: it fails when a mutant survives that is not listed.
    """
    options = _options(arguments)
    targets = [target for target in TARGETS if not options.target or target.name in options.target]
    chosen = None
    if options.sample:
        targets = [sample_target(targets)]
        chosen = sample(targets[0], options.sample)
    started = time.monotonic()
    mutants: list[Mutant] = []
    try:
        listed = read_list()
        for target in targets:
            print(f"{target.name}: {len(files(target.modules))} modules", flush=True)
            mutants += run(target, options.folder / target.name, options.jobs, chosen)
    except (MutationRunFailed, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    table = scores(mutants, listed)
    options.out.mkdir(parents=True, exist_ok=True)
    page = options.out / "mutants.md"
    page.write_text(markdown(table, time.monotonic() - started), "utf-8")
    for line in console(table):
        print(line)
    print(os.path.relpath(page))
    if options.sample:
        return 1 if not table or any(score.new for score in table) else 0
    return 0 if table and all(score.share >= LEAST for score in table) else 1


def sample(target: Target, count: int) -> dict[str, list[int]]:
    """`count` mutants of that target as numbers by module, chosen by the content of its modules."""
    mutants = [(module, number) for module in target.modules for number in range(len(changes(module, ROOT)))]
    mutants.sort(key=lambda mutant: digest([target], f"{mutant[0]} {mutant[1]}"))
    chosen: dict[str, list[int]] = {}
    for module, number in mutants[:count]:
        chosen.setdefault(module, []).append(number)
    return chosen


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m suites.mutants", description=__doc__)
    names = [target.name for target in TARGETS]
    parser.add_argument("--target", action="append", choices=names, help="only this target (repeatable)")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="N mutants of one target, chosen by the content of its modules"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "mutants", help="folder for mutated copies")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for mutants.md")
    return parser.parse_args(arguments)


def console(table: Sequence[Score]) -> list[str]:
    """A line for each module below 95 % or with survivors that are not listed, these survivors, then the total."""
    lines = []
    for score in table:
        if score.share < LEAST or score.new:
            lines.append(f"{score.module}: {score.share:.1%} of {score.killed + len(score.open)} killed")
        lines += [f"    {_change(mutant)}" for mutant in score.new]
    total = total_of(table)
    counted = total.killed + len(total.open)
    lines.append(f"mutants: {total.killed} of {counted} killed ({total.share:.1%}), {len(table)} modules")
    return lines


def total_of(table: Sequence[Score]) -> Score:
    """The sums of all modules."""
    return Score(
        "all",
        sum(score.killed for score in table),
        sum(score.wording for score in table),
        sum(score.listed for score in table),
        tuple(mutant for score in table for mutant in score.open),
        tuple(mutant for score in table for mutant in score.new),
    )


def markdown(table: Sequence[Score], seconds: float) -> str:
    """The scores as a Markdown table, then the open survivors."""
    lines = [
        "# Mutants of flowproof's own code",
        "",
        f"Run in {seconds:.0f} s. A timeout counts as killed; `wording only` is a change of texts for people;",
        "the reasons of listed survivors are in `suites/mutants/survivors.yaml`.",
        "",
        "| module | killed | open | share | wording only | listed |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for score in [*table, total_of(table)]:
        numbers = f"{score.killed} | {len(score.open)} | {score.share:.1%} | {score.wording} | {score.listed}"
        lines.append(f"| {score.module} | {numbers} |")
    lines += ["", "## Open survivors", ""]
    lines += [f"- `{mutant.module}`: {_change(mutant)}" for score in table for mutant in score.open]
    return "\n".join(lines) + "\n"


def _change(mutant: Mutant) -> str:
    return f"`{' '.join(mutant.removed)}` → `{' '.join(mutant.added)}` ({mutant.outcome})"


if __name__ == "__main__":
    sys.exit(main())
