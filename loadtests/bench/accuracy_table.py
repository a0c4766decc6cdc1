"""The comparison of reported times as Markdown for people and JSON for machines.

Rule: what a tool reports stands above the truth that its own server knew, and every tool that was asked for has a line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from loadtests.bench.clients import BARE, NAMES
from loadtests.bench.load_table import VERDICTS, machine, row
from loadtests.bench.timed import DELAY, FREEZE, MS, PERIOD, Timed
from loadtests.bench.truth import PERCENTILES, analytic

HEAD = """# How true the reported times are

The server answers after {delay:g} ms, and in each {period} s stands still for {freeze:g} s; it has one core, the tool
another. Truth is what an even stream of the planned rate waits for, whether or not earlier requests were answered:
computed for the moments at which each run's server really stood still, and beside it in closed form. Percentiles as the
tools report them, in ms; medians of the rounds; in brackets what they say too much or too little. "True" is what is
within {share:.0%} or {ms:g} ms of the truth at every percentile. "Starts late" is how much later than planned ours says
its journeys started, p50 and p99, "busy" its share of its core. "Others" is what other programs, the kernel's own
threads among them, took of the tool's or the server's core, in ms a second: 4 of them, taken at one go, delay the
slowest 0.4 % of the requests, and no tool can know: the client that does nothing else but send, spinning in between,
shows what is left for any. {machine}.
"""
CLOSE_SHARE, CLOSE_MS = 0.02, 1.0  # an error is small when it is below either
FULL = 0.9  # of a core: beyond that a generator measures itself
SHARE_OF_HELD = 0.8
PUNCTUAL, LATE_MS = 10_000.0, 1.0
Group = Sequence[Timed]


def markdown(runs: Group, troubles: Mapping[str, str]) -> str:
    """The tables; `troubles` are what the tools that have no figure have instead."""
    lines = [
        HEAD.format(delay=DELAY * MS, period=PERIOD, freeze=FREEZE, share=CLOSE_SHARE, ms=CLOSE_MS, machine=machine())
    ]
    head = ("", "a second", "requests", *PERCENTILES, "starts late", "dropped", "busy", "others, ms/s", "verdict")
    for freezes, words in ((True, "A server that freezes"), (False, "A server that does not")):
        mine = [run for run in runs if run.freezes == freezes]
        if runs and not mine:
            continue
        lines += [f"## {words}\n", row(head), "|---|" + "---:|" * (len(head) - 2) + "---|"]
        if freezes:
            exact = [f"{analytic(share, DELAY, FREEZE, PERIOD) * MS:,.1f}" for share in PERCENTILES.values()]
            lines.append(row(("truth, in closed form", "", "", *exact, "", "", "", "", "")))
        for key in dict.fromkeys((run.rate, run.client) for run in mine):
            lines.append(_line([run for run in mine if (run.rate, run.client) == key]))
        lines.append("")
    found = targets(runs)
    if found:
        lines += ["## Targets of ours\n", row(("", "found", "")), "|---|---|---|"]
        lines += [row((words, told, VERDICTS[is_met])) for words, told, is_met in found]
        lines.append("")
    lines += [f"{NAMES[name].title}: {trouble}\n" for name, trouble in troubles.items()]
    return "\n".join(lines)


def targets(runs: Group) -> list[tuple[str, str, bool | None]]:
    """Each target of ours in words, what was found, and whether it is met; [] when ours did not run."""
    groups = _by_rate(runs, "ours")
    return [_true_times(groups, _by_rate(runs, BARE)), _punctual(groups)] if groups else []


def _by_rate(runs: Group, client: str) -> dict[float, Group]:
    mine = [run for run in runs if run.client == client and not run.freezes]
    return {rate: [run for run in mine if run.rate == rate] for rate in sorted({run.rate for run in mine})}


def _true_times(groups: Mapping[float, Group], bare: Mapping[float, Group]) -> tuple[str, str, bool | None]:
    """A rate is held when nothing is dropped and no more of the core is taken than a generator's health allows."""
    held = [rate for rate, group in groups.items() if not _of(group, "dropped") and _of(group, "busy") <= FULL]
    due = [rate for rate in groups if rate <= SHARE_OF_HELD * max(held, default=0.0)]
    wrong, too = _wrong({rate: groups[rate] for rate in due}), _wrong(bare)
    told = f"holds {max(held, default=0.0):,.0f} a second; {f'wrong at {wrong}' if wrong else 'true up to there'}"
    if wrong and too:
        told += f"; at {too} so is a client that does nothing else"
    return f"times true up to {SHARE_OF_HELD:.0%} of the rate that it holds", told, not wrong if due else None


def _wrong(groups: Mapping[float, Group]) -> str:
    return ", ".join(f"{rate:,.0f}" for rate, group in groups.items() if not close(group))


def _punctual(groups: Mapping[float, Group]) -> tuple[str, str, bool | None]:
    words = f"99 % start less than {LATE_MS:g} ms late, up to {PUNCTUAL:,.0f} a second"
    late = [_of(group, "late_p99_ms") for rate, group in groups.items() if rate <= PUNCTUAL]
    return (words, f"{max(late):.2f} ms", max(late) < LATE_MS) if late else (words, "", None)


def close(group: Group) -> bool:
    """Whether every percentile's median error is within 2 % or 1 ms of the truth."""
    return all(
        abs(_error(group, name)) <= max(CLOSE_MS, CLOSE_SHARE * median(run.truth[name] for run in group))
        for name in PERCENTILES
    )


def write(folder: Path, runs: Group, troubles: Mapping[str, str]) -> Path:
    """Writes bench-accuracy.md and bench-accuracy.json; returns the first one's path."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"machine": machine(), "runs": [asdict(run) for run in runs], "troubles": dict(troubles)}
    (folder / "bench-accuracy.json").write_text(json.dumps(whole, indent=1))
    path = folder / "bench-accuracy.md"
    path.write_text(markdown(runs, troubles))
    return path


def _line(group: Group) -> str:
    first = group[0]
    times = [
        f"{median(run.reported.times[name] for run in group):,.1f} ({_error(group, name):+,.1f})"
        for name in PERCENTILES
    ]
    count = f"{median(run.reported.count for run in group):,.0f}"
    late = " ".join(_note(group, name, 2) for name in ("late_p50_ms", "late_p99_ms")).strip()
    verdict = "true" if close(group) else "wrong"
    others = f"{median(run.others for run in group) * MS:.0f}"
    notes = (late, _note(group, "dropped", 0), _note(group, "busy", 2), others)
    return row((NAMES[first.client].title, f"{first.rate:,.0f}", count, *times, *notes, verdict))


def _of(group: Group, name: str) -> float:
    """The median of what ours says of itself under that name."""
    return median(run.reported.notes[name] for run in group)


def _note(group: Group, name: str, digits: int) -> str:
    """The median of what the tool says of itself under that name, "" where it says nothing."""
    said = [run.reported.notes[name] for run in group if name in run.reported.notes]
    return f"{median(said):,.{digits}f}" if said else ""


def _error(group: Group, name: str) -> float:
    return median(run.error(name) for run in group)
