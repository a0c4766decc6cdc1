"""The comparison of costs as Markdown for people and JSON for machines.

Rule: every generator that was asked for has a line, also the one that is missing or failed.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from loadtests.bench.figures import TARGETS, met, of, ratios, spread, values
from loadtests.bench.generators import GENERATORS, NAMES
from loadtests.bench.measure import QUIET, WARM, WINDOWS, Run
from loadtests.bench.sinks import HTTP, WEBSOCKET

HEAD = """# What a request costs its generator

CPU is user and system time of the generator with all its processes, by the kernel; requests are counted by the server;
both over {seconds:g} s in steady state, {warm:g} s after the first {first}. The generator has one core, the server
another. {connections} connections, one request in flight on each, closed loop. Every generator ran once in each round,
one after the other: {rounds} rounds; medians, smallest and largest in brackets. "Busy" is the generator's share of its
core, "others" what other programs took of its or the server's core: of {windows} windows the quietest counts, or the
first with {quiet:.0%} or less. Where "others" is not near 0, cheap generators look dearer than they are.

Answers are {body} bytes of JSON over HTTP (nginx) and {message} over the websocket (picows). wrk, hey and autocannon
repeat one request; the others send a different one each time. k6 has no schema validator: its check compares the
members by hand. {machine}.
"""
COLUMNS = ("", "CPU-ms for 1,000 requests", "requests a second", "busy", "others")
WORDS = {HTTP: "HTTP", WEBSOCKET: "Websocket calls"}
VERDICTS = {True: "met", False: "missed", None: "not measured"}


def markdown(
    runs: Sequence[Run], troubles: Mapping[str, str], asked: Sequence[str], facts: Mapping[str, object]
) -> str:
    """The tables. `troubles` are what the generators that have no figure have instead."""
    lines = [HEAD.format(warm=WARM, windows=WINDOWS, quiet=QUIET, machine=machine(), **facts)]
    for transport, words in WORDS.items():
        names = [one.name for one in GENERATORS if one.transport == transport and one.name in asked]
        if names:
            lines += [f"## {words}\n", row(COLUMNS), "|---|" + "---:|" * (len(COLUMNS) - 1)]
            lines += [_generator(runs, name, troubles) for name in names]
            lines.append("")
    targets = [target for target in TARGETS if target.ours in asked]
    if targets:
        lines += ["## Targets\n", row(("", "CPU a request, times", "at most", "")), "|---|---:|---:|---|"]
    for target in targets:
        words = f"{WORDS[NAMES[target.ours].transport]}: {target.words}"
        lines.append(row((words, spread(ratios(runs, target), 3), f"{target.limit:g}", VERDICTS[met(runs, target)])))
    return "\n".join(lines) + "\n"


def write(
    folder: Path, runs: Sequence[Run], troubles: Mapping[str, str], asked: Sequence[str], facts: Mapping[str, object]
) -> Path:
    """Writes bench-load.md and bench-load.json; returns the first one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    targets = [{**asdict(target), "ratios": ratios(runs, target), "met": met(runs, target)} for target in TARGETS]
    told = [{**asdict(run), "cost": run.cost, "rate": run.rate} for run in runs]
    whole = {"facts": {**facts, "machine": machine()}, "runs": told, "targets": targets, "troubles": dict(troubles)}
    (folder / "bench-load.json").write_text(json.dumps(whole, indent=1))
    path = folder / "bench-load.md"
    path.write_text(markdown(runs, troubles, asked, facts))
    return path


def machine() -> str:
    """What it was measured on."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return f"{len(models)} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}"


def row(cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def _generator(runs: Sequence[Run], name: str, troubles: Mapping[str, str]) -> str:
    mine, title = of(runs, name), NAMES[name].title
    if name in troubles:
        title += f" ({troubles[name].splitlines()[0]})"
    cost, rate = values(mine, lambda run: run.cost), values(mine, lambda run: run.rate)
    busy, others = values(mine, lambda run: 100 * run.cpu / run.seconds), values(mine, lambda run: 100 * run.others)
    shares = [f"{text} %" if text else "" for text in (spread(busy, 0), spread(others, 0))]
    return row((title, spread(cost, 2), spread(rate, 0), *shares))
