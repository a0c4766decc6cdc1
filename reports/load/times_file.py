"""Keeps the times of load runs in `times.yaml`: a line for each operation and percentile, a number for each run.

Rule: only runs of one plan and target stand in one file, so that they differ by chance alone.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from contracts.yaml_reader import UsageError, YamlReader
from reports.load.load_result import NS_PER_MS
from reports.load.load_run import LoadRun
from reports.load.load_verdict import search_note
from reports.load.plan_comparison import PLAN_KEYS
from reports.load.recorded_times import CAPACITY, PERCENTILES, Row

OPTION = "--times"
MOST_RUNS = 30  # that are kept, the newest
FEW = 20  # responses of an operation, at least, for its percentiles
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
HEADING = "# Logarithms of times in ms, and of rates a second, of load runs with one plan; the oldest run first."


@dataclass(frozen=True, slots=True)
class RecordedTimes:
    """plan: digest of what the runs share. runs: their names. figures: logarithms by row, as many as there are runs."""

    plan: str
    runs: tuple[str, ...]
    figures: Mapping[Row, tuple[float, ...]]


def plan_digest(run: LoadRun) -> str:
    """12 hex digits of all that runs must have in common to be compared."""
    content = json.dumps({key: run.plan.get(key) for key in PLAN_KEYS}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def figures_of(run: LoadRun) -> dict[Row, float]:
    """The logarithms of a run: percentiles of each operation with enough responses, and the capacity of a search."""
    figures: dict[Row, float] = {}
    for statistics in run.judged_operations:
        if statistics.corrected.count >= FEW:
            name = f"{statistics.operation} over {statistics.transport}"
            times = statistics.corrected.percentiles(PERCENTILES)
            figures |= {
                (name, f"p{percent}"): _logarithm(ns / NS_PER_MS)
                for percent, ns in zip(PERCENTILES, times, strict=True)
                if ns
            }
    note = search_note(run)
    if note and note["highest"]:
        figures["", CAPACITY] = _logarithm(note["highest"])
    return figures


def add_run(recorded: RecordedTimes | None, run: LoadRun) -> RecordedTimes:
    """The times with those of another run; rows that not all runs have are dropped. Raises UsageError."""
    figures, digest = figures_of(run), plan_digest(run)
    if recorded is None:
        return RecordedTimes(digest, (run.result.name,), {row: (value,) for row, value in figures.items()})
    check_plan(recorded, run)
    if run.result.name in recorded.runs:
        raise UsageError(f"{run.path}: {run.result.name} is recorded already: expected another run")
    kept = {row: (*values, figures[row])[-MOST_RUNS:] for row, values in recorded.figures.items() if row in figures}
    return RecordedTimes(digest, (*recorded.runs, run.result.name)[-MOST_RUNS:], kept)


def check_plan(recorded: RecordedTimes, run: LoadRun) -> None:
    """Raises UsageError unless the run has the plan and target of those that are recorded."""
    if recorded.plan != plan_digest(run):
        raise UsageError(
            f"{run.path}: expected a run with the plan, target and machine of those recorded ({recorded.plan}), got"
            f" {plan_digest(run)}: name another file with {OPTION}"
        )


def write_times(path: Path, recorded: RecordedTimes) -> None:
    """Write the file at once. Raises OSError."""
    lines = [HEADING, f"plan: {json.dumps(recorded.plan)}", f"runs: {json.dumps(list(recorded.runs))}", "figures:"]
    for operation in sorted({row[0] for row in recorded.figures}):
        lines.append(f"  {json.dumps(operation, ensure_ascii=False)}:")
        lines += [
            f"    {figure}: [{', '.join(f'{value:.3f}' for value in values)}]"
            for (name, figure), values in sorted(recorded.figures.items())
            if name == operation
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_text("\n".join(lines) + "\n", "utf-8")
    fresh.replace(path)


def read_times(path: Path) -> RecordedTimes:
    """The times in that file. Raises UsageError with file and line."""
    reader = YamlReader(path, OPTION)
    parts = reader.mapping(reader.root, ("plan", "runs", "figures"))
    missing = [name for name in ("plan", "runs", "figures") if name not in parts]
    if missing:
        raise UsageError(f"{path}: expected {', '.join(missing)} as well; record the runs anew")
    runs = tuple(reader.text(node) for node in reader.items(parts["runs"]))
    return RecordedTimes(reader.text(parts["plan"]), runs, dict(_figures(reader, parts["figures"], len(runs))))


def _figures(reader: YamlReader, node: yaml.Node, runs: int) -> Iterator[tuple[Row, tuple[float, ...]]]:
    for operation, inner in reader.mapping(node).items():
        for figure, values in reader.mapping(inner, (*(f"p{it}" for it in PERCENTILES), CAPACITY)).items():
            items: Sequence[yaml.Node] = reader.items(values)
            if len(items) != runs:
                raise reader.error(values, f"expected {runs} numbers, one for each run, got {len(items)}")
            yield (operation, figure), tuple(_number(reader, item) for item in items)


def _number(reader: YamlReader, node: yaml.Node) -> float:
    text = reader.text(node)
    if not NUMBER.fullmatch(text):
        raise reader.error(node, f"expected a number, got {text!r}")
    return float(text)


def _logarithm(value: float) -> float:
    return round(math.log(value), 3)
