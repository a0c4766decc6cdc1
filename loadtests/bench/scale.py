"""`python -m loadtests.bench load --scale`: what grows with the length and width of load runs.

    tox -e bench-load -- --scale --before ../earlier       beside another checkout of flowproof

Each case runs in a process of its own, in each round once for each checkout, one after the other; a long one in the
first round alone. Medians of all rounds are written. The figures are CPU time and memory, not wall time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from loadtests.bench import scale_cases
from loadtests.bench.cost_table import machine, row
from loadtests.bench.figures import spread_text
from loadtests.bench.process import ROOT, ProgramFailed

NOW, BEFORE = "now", "before"
HEAD = """# What grows with the length and width of a load run

Medians of {rounds} rounds, smallest and largest in brackets; CPU time and memory of a process of its own for each
figure. "Before" is another checkout, measured in turn with this one. A day is read once. {machine}.
"""


class ScaleCase(NamedTuple):
    """A case: its name in `scale_cases`, what it measures, the unit, and the figure that it must stay below.

    is_long: it is measured once, and not of another checkout, which may need more memory than there is.
    """

    name: str
    words: str
    unit: str
    limit: float | None = None
    is_long: bool = False


CASES = (
    ScaleCase("arrivals", "An arrival at one of 50 workers", "CPU-µs"),
    ScaleCase("names-10", "Recording a request, 10 names in turn", "CPU-µs"),
    ScaleCase("names-900", "Recording a request, 900 names in turn", "CPU-µs"),
    ScaleCase("names-9000", "Recording a request, 9,000 names in turn", "CPU-µs"),
    ScaleCase("figures-10", "All figures of a request, 10 names, 2,000 requests a second", "CPU-µs"),
    ScaleCase("figures-9000", "All figures of a request, 9,000 names, 2,000 requests a second", "CPU-µs"),
    ScaleCase("master", "Master of 50 workers with 60,000 requests a second", "% of a core", 20.0),
    ScaleCase("growth", "Soak of 20 operations: Locust's statistics in an hour", "MB", 2.0),
    ScaleCase("soak", "Soak of 20 operations: a load generator's figures in the second hour", "MB", 2.0),
    ScaleCase("users-100", "An arrival, 100 users, 2,000 arrivals a second", "CPU-µs"),
    ScaleCase("users-9000", "An arrival, 9,000 users, 2,000 arrivals a second", "CPU-µs"),
    ScaleCase("idle", "One of 9,000 users with an idle websocket", "kB", 11.0),
    ScaleCase("reading-minutes", "Reading back 3 minutes of 8 workers", "MB"),
    ScaleCase("reading-day", "Reading back 24 hours of 8 workers", "MB", 200.0, is_long=True),
)
Figures = dict[tuple[str, str], list[float]]  # by case, and NOW or BEFORE


def measure(rounds: int, before: Path | None) -> Iterator[Figures]:
    """The figures of all cases, after each round. Raises ProgramFailed for a case that cannot be measured."""
    figures: Figures = {}
    checkouts = {NOW: ROOT} | ({BEFORE: before} if before else {})
    for number in range(1, rounds + 1):
        for case in CASES:
            for of, checkout in checkouts.items():
                if not case.is_long or (of == NOW and number == 1):
                    figure = run_case(case.name, checkout)
                    figures.setdefault((case.name, of), []).append(figure)
                    print(f"{number}/{rounds} {case.name:16} {of:6} {figure:10.2f} {case.unit}", flush=True)
        yield figures


def run_case(name: str, checkout: Path) -> float:
    """The figure of one case with the code of that checkout. Raises ProgramFailed."""
    command = [sys.executable, "-P", str(Path(scale_cases.__file__)), name]
    environ = os.environ | {"PYTHONPATH": str(checkout.resolve())}
    done = subprocess.run(command, env=environ, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        error = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise ProgramFailed(f"{name} cannot be measured in {checkout}: {error}")
    return float(json.loads(done.stdout))


def markdown(figures: Mapping[tuple[str, str], Sequence[float]], rounds: int) -> str:
    """The table; a limit that is missed is said."""
    lines = [HEAD.format(rounds=rounds, machine=machine()), row(("", "unit", BEFORE, NOW, "at most", ""))]
    lines.append("|---|---|---:|---:|---:|---|")
    for case in CASES:
        now = figures.get((case.name, NOW), ())
        limit = "" if case.limit is None else f"{case.limit:g}"
        verdict = "" if case.limit is None or not now else "met" if median(now) <= case.limit else "missed"
        before = spread_text(figures.get((case.name, BEFORE), ()), 1)
        lines.append(row((case.words, case.unit, before, spread_text(now, 1), limit, verdict)))
    return "\n".join(lines) + "\n"


def main(out: Path, rounds: int, before: Path | None) -> int:
    """Measure, print and write the table; returns the exit code."""
    if before is not None and not (before / "loadtests").is_dir():
        raise ProgramFailed(f"--before: expected a checkout of flowproof, got {before}")
    out.mkdir(parents=True, exist_ok=True)
    path = out / "bench-scale.md"
    for number, figures in enumerate(measure(rounds, before), 1):
        path.write_text(markdown(figures, number), "utf-8")  # also for an interrupted comparison
    print(path.read_text("utf-8"), path, sep="\n")
    return 0
