"""Writes the comparison of costs as Markdown and JSON.

Rule: every requested generator has a row, also one that is missing or failed.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from loadtests.bench.figures import TARGETS, cost_ratios, is_met, runs_of, spread_text, values
from loadtests.bench.generators import GENERATORS, NAMES
from loadtests.bench.measure import QUIET, WARM, WINDOWS, Measurement
from loadtests.bench.sinks import ENGINE, HTTP, WEBSOCKET

HEAD = """# What a request costs its generator

CPU is user and system time of the generator with all its processes, by the kernel; requests are counted by the server;
both over {seconds:g} s in steady state, {warm:g} s after the first {first}. The generator has one core, the server
another. {connections} connections, one request in flight on each, closed loop. Every generator ran once in each round,
one after the other: {rounds} rounds; medians, smallest and largest in brackets. "Busy" is the generator's share of its
core, "others" the share that other programs used of its core or the server's. Up to {windows} windows are measured: the
first with {quiet:.0%} of "others" or less counts, otherwise the one with the least. Where "others" is not near 0, the
cost of cheap generators is overestimated.

Responses are {body} bytes of JSON over HTTP (nginx) and {message} by websocket (picows). wrk, hey and autocannon
repeat one request; the others send a different one each time. k6 has no schema validator: its check compares the
members by hand. {machine}.
"""
COLUMNS = ("", "CPU-ms for 1,000 requests", "requests a second", "busy", "others")
WORDS = {HTTP: "HTTP", WEBSOCKET: "Websocket calls", ENGINE: "Calls through a deepstream engine"}
VERDICTS = {True: "met", False: "missed", None: "not measured"}


def markdown(
    runs: Sequence[Measurement], troubles: Mapping[str, str], selected: Sequence[str], facts: Mapping[str, object]
) -> str:
    """The tables. troubles: why a generator has no figures. selected: names of the requested generators."""
    lines = [HEAD.format(warm=WARM, windows=WINDOWS, quiet=QUIET, machine=machine(), **facts)]
    for transport, words in WORDS.items():
        names = [
            generator.name
            for generator in GENERATORS
            if generator.transport == transport and generator.name in selected
        ]
        if names:
            lines += [f"## {words}\n", row(COLUMNS), "|---|" + "---:|" * (len(COLUMNS) - 1)]
            lines += [_generator(runs, name, troubles) for name in names]
            lines.append("")
    targets = [target for target in TARGETS if target.ours in selected]
    if targets:
        lines += ["## Targets\n", row(("", "CPU a request, times", "at most", "")), "|---|---:|---:|---|"]
    for target in targets:
        words = f"{WORDS[NAMES[target.ours].transport]}: {target.words}"
        lines.append(
            row((words, spread_text(cost_ratios(runs, target), 3), f"{target.limit:g}", VERDICTS[is_met(runs, target)]))
        )
    return "\n".join(lines) + "\n"


def write(
    folder: Path,
    runs: Sequence[Measurement],
    troubles: Mapping[str, str],
    selected: Sequence[str],
    facts: Mapping[str, object],
) -> Path:
    """Write bench-load.md and bench-load.json; return the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [
        {**asdict(target), "ratios": cost_ratios(runs, target), "met": is_met(runs, target)} for target in TARGETS
    ]
    records = [{**asdict(run), "cost": run.cost, "rate": run.rate} for run in runs]
    content = {
        "facts": {**facts, "machine": machine()},
        "runs": records,
        "targets": targets,
        "troubles": dict(troubles),
    }
    (folder / "bench-load.json").write_text(json.dumps(content, indent=1))
    path = folder / "bench-load.md"
    path.write_text(markdown(runs, troubles, selected, facts))
    return path


def machine() -> str:
    """The machine that it was measured on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return f"{len(models)} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}"


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def _generator(runs: Sequence[Measurement], name: str, troubles: Mapping[str, str]) -> str:
    mine, title = runs_of(runs, name), NAMES[name].title
    if name in troubles:
        title += f" ({troubles[name].splitlines()[0]})"
    cost, rate = values(mine, lambda run: run.cost), values(mine, lambda run: run.rate)
    busy, others = values(mine, lambda run: 100 * run.cpu / run.seconds), values(mine, lambda run: 100 * run.others)
    shares = [f"{text} %" if text else "" for text in (spread_text(busy, 0), spread_text(others, 0))]
    return row((title, spread_text(cost, 2), spread_text(rate, 0), *shares))
