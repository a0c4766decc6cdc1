"""The comparison as Markdown and JSON: medians, with the smallest and the largest of all rounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from suites.bench.throughput import SIDE_NAMES, STOCK, Run

HEAD = """# Distinct judged requests a second

Each round runs every side once, one after the other, each against a reference of its own that has just been started,
in one process with one worker. A counter inside the reference counts for all: requests are the same when method,
target, body and headers are equal (apart from headers that an API ignores). For ours only judged requests count, not
those that create a record first; for stock, all do. "Times stock" is computed within each round, per second and,
since other programs on the machine disturb that less, per second of processor time. Medians of {rounds} rounds,
smallest and largest in brackets.

"""
COLUMNS = ("API", "", "requests", "distinct, judged", "whole run, s", "to the first request, s", "sending, s")
RATES = ("judged a second", "times stock", "CPU, s", "times stock by CPU")
RunValue = Callable[[Run], float]


def speed(run: Run) -> float:
    """Distinct judged requests a second of the whole run."""
    return run.judged / run.seconds


def cpu_speed(run: Run) -> float:
    """Distinct judged requests a second of processor time."""
    return run.judged / run.cpu


def markdown(runs: Sequence[Run]) -> str:
    """The table as Markdown."""
    rounds = max((len(_of(runs, run.api, run.side)) for run in runs), default=0)
    lines = [_line([*COLUMNS, *RATES]), "|---|---|" + "---:|" * (len(COLUMNS) + len(RATES) - 2)]
    for api in dict.fromkeys(run.api for run in runs):
        lines += [_row(runs, api, side) for side in dict.fromkeys(run.side for run in runs if run.api == api)]
    return HEAD.format(rounds=rounds) + "\n".join(lines) + "\n"


def write(folder: Path, runs: Sequence[Run]) -> Path:
    """Writes bench-contract.md and bench-contract.json; returns the first one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench-contract.json").write_text(json.dumps([asdict(run) for run in runs], indent=1))
    path = folder / "bench-contract.md"
    path.write_text(markdown(runs))
    return path


def ratios(runs: Sequence[Run], api: str, side: str, value: RunValue = speed) -> list[float]:
    """That side's value by stock's, round by round; [] when stock was not run."""
    pairs = zip(_of(runs, api, side), _of(runs, api, STOCK), strict=False)
    return [value(ours) / value(stock) for ours, stock in pairs]


def _row(runs: Sequence[Run], api: str, side: str) -> str:
    ours = _of(runs, api, side)

    def all_of(value: RunValue, digits: int) -> str:
        return _spread([value(run) for run in ours], digits)

    counts = [all_of(lambda run: run.sent, 0), all_of(lambda run: run.judged, 0)]
    times = [all_of(value, 2) for value in (_seconds, lambda run: run.starting, lambda run: run.sending)]
    rates = [all_of(speed, 0), _spread(ratios(runs, api, side), 1)]
    spent = [all_of(lambda run: run.cpu, 2), _spread(ratios(runs, api, side, cpu_speed), 1)]
    return _line([api, SIDE_NAMES[side], *counts, *times, *rates, *spent])


def _seconds(run: Run) -> float:
    return run.seconds


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: Sequence[float], digits: int) -> str:
    """Median (smallest to largest), without brackets when all are the same."""
    if not values:
        return ""
    least, middle, most = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if least == most else f"{middle} ({least} to {most})"


def _of(runs: Sequence[Run], api: str, side: str) -> list[Run]:
    return [run for run in runs if (run.api, run.side) == (api, side)]
