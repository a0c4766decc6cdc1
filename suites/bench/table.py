"""The comparison as Markdown and JSON: medians, with the smallest and the largest of all rounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from suites.bench.run import NAMES, STOCK, Run

HEAD = """# Distinct judged requests a second

Each round runs every side once, one after the other, each against a reference of its own that has just been started,
in one process with one worker. A counter inside the reference counts for all: requests are the same when method,
target, body and headers are (headers that say nothing to an API aside). Ours counts only what was judged, not the
records that a request needs first; of stock's, all. Medians of {rounds} rounds, smallest and largest in brackets.

| API | | requests | distinct | judged, distinct | whole run, s | CPU, s | sending, s | judged a second | times stock |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|
"""


def markdown(runs: Sequence[Run]) -> str:
    """The table; the ratio is taken within each round."""
    rounds = max((len(_of(runs, run.api, run.side)) for run in runs), default=0)
    rows = [_row(runs, api, side) for api in _names(run.api for run in runs) for side in _names(_sides(runs, api))]
    return HEAD.format(rounds=rounds) + "\n".join(rows) + "\n"


def write(folder: Path, runs: Sequence[Run]) -> Path:
    """Writes bench-contract.md and bench-contract.json; returns the first one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench-contract.json").write_text(json.dumps([asdict(run) for run in runs], indent=1))
    path = folder / "bench-contract.md"
    path.write_text(markdown(runs))
    return path


def ratios(runs: Sequence[Run], api: str, side: str) -> list[float]:
    """That side's speed by stock's, round by round; [] when stock was not run."""
    pairs = zip(_of(runs, api, side), _of(runs, api, STOCK), strict=False)
    return [ours.speed / stock.speed for ours, stock in pairs]


def _row(runs: Sequence[Run], api: str, side: str) -> str:
    ours = _of(runs, api, side)

    def spread(value: Callable[[Run], float], digits: int) -> str:
        return _spread([value(run) for run in ours], digits)

    cells = [
        api,
        NAMES[side],
        spread(lambda run: run.sent, 0),
        spread(lambda run: run.distinct, 0),
        spread(lambda run: run.judged, 0),
        spread(lambda run: run.seconds, 2),
        spread(lambda run: run.cpu, 2),
        spread(lambda run: run.sending, 2),
        spread(lambda run: run.speed, 0),
        _spread(ratios(runs, api, side), 1),
    ]
    return f"| {' | '.join(cells)} |"


def _spread(values: Sequence[float], digits: int) -> str:
    """Median (smallest to largest), the bracket left out when all are the same."""
    if not values:
        return ""
    least, middle, most = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if least == most else f"{middle} ({least} to {most})"


def _of(runs: Sequence[Run], api: str, side: str) -> list[Run]:
    return [run for run in runs if (run.api, run.side) == (api, side)]


def _sides(runs: Sequence[Run], api: str) -> Iterable[str]:
    return (run.side for run in runs if run.api == api)


def _names(found: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(found))
