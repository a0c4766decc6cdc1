"""Writes the comparison of reported and true times as Markdown and JSON.

Rule: each tool's report is compared with the true times of its own run, and every requested tool has a row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from loadtests.bench.accuracy_clients import BARE, NAMES
from loadtests.bench.cost_table import VERDICTS, machine, row
from loadtests.bench.timed_run import DELAY, FREEZE, MS, PERIOD, TimedRun
from loadtests.bench.true_latency import PERCENTILES, analytic_percentile

HEAD = """# How true the reported times are

The server responds after {delay:g} ms, and is frozen for {freeze:g} s in each {period} s; it has one core, the tool
another. The truth is how long requests wait that are sent evenly at the planned rate, whether or not earlier ones have
got their responses: computed from the moments at which the server of each run was really frozen, and in closed form in
a row of its own. Percentiles are those that the tools report, in ms, as medians of the rounds; the brackets have their
error. "True" means within {share:.0%} or {ms:g} ms of the truth at every percentile. "Starts late" is our own figure of
how much later than planned journeys started, p50 and p99; "busy" is the tool's share of its core. "Others" is the time
that other programs and the kernel's threads used of the tool's or the server's core, in ms a second: 4 ms in one piece
delay the slowest 0.4 % of the requests, which no tool can notice. The bare client, which only sends and spins in
between, shows the error that remains for any tool. {machine}.
"""
CLOSE_SHARE, CLOSE_MS = 0.02, 1.0  # an error is small when it is below either
FULL = 0.9  # of a core: above that a generator measures its own delays
SHARE_OF_HELD = 0.8
PUNCTUAL, LATE_MS = 10_000.0, 1.0
Group = Sequence[TimedRun]


def markdown(runs: Group, troubles: Mapping[str, str]) -> str:
    """The tables; `troubles` says why a tool has no figures."""
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
            exact = [f"{analytic_percentile(share, DELAY, FREEZE, PERIOD) * MS:,.1f}" for share in PERCENTILES.values()]
            lines.append(row(("truth, in closed form", "", "", *exact, "", "", "", "", "")))
        for key in dict.fromkeys((run.rate, run.client) for run in mine):
            lines.append(_line([run for run in mine if (run.rate, run.client) == key]))
        lines.append("")
    results = targets(runs)
    if results:
        lines += ["## Targets of ours\n", row(("", "found", "")), "|---|---|---|"]
        lines += [row((words, result, VERDICTS[is_met])) for words, result, is_met in results]
        lines.append("")
    lines += [f"{NAMES[name].title}: {trouble}\n" for name, trouble in troubles.items()]
    return "\n".join(lines)


def targets(runs: Group) -> list[tuple[str, str, bool | None]]:
    """Each of our targets in words, the result, and whether it is met; [] when ours did not run."""
    groups = _by_rate(runs, "ours")
    return [_true_times(groups, _by_rate(runs, BARE)), _punctual(groups)] if groups else []


def _by_rate(runs: Group, client: str) -> dict[float, Group]:
    mine = [run for run in runs if run.client == client and not run.freezes]
    return {rate: [run for run in mine if run.rate == rate] for rate in sorted({run.rate for run in mine})}


def _true_times(groups: Mapping[float, Group], bare: Mapping[float, Group]) -> tuple[str, str, bool | None]:
    """A rate is held when nothing is dropped and the generator uses at most FULL of its core, its limit of health."""
    held = [rate for rate, group in groups.items() if not _of(group, "dropped") and _of(group, "busy") <= FULL]
    relevant = [rate for rate in groups if rate <= SHARE_OF_HELD * max(held, default=0.0)]
    wrong_rates, bare_wrong_rates = (
        _rates_with_wrong_times({rate: groups[rate] for rate in relevant}),
        _rates_with_wrong_times(bare),
    )
    truth = f"wrong at {wrong_rates}" if wrong_rates else "true up to there"
    result = f"holds {max(held, default=0.0):,.0f} a second; {truth}"
    if wrong_rates and bare_wrong_rates:
        result += f"; at {bare_wrong_rates} so is a client that does nothing else"
    return (
        f"times true up to {SHARE_OF_HELD:.0%} of the rate that it holds",
        result,
        not wrong_rates if relevant else None,
    )


def _rates_with_wrong_times(groups: Mapping[float, Group]) -> str:
    return ", ".join(f"{rate:,.0f}" for rate, group in groups.items() if not is_close(group))


def _punctual(groups: Mapping[float, Group]) -> tuple[str, str, bool | None]:
    words = f"99 % start less than {LATE_MS:g} ms late, up to {PUNCTUAL:,.0f} a second"
    late = [_of(group, "late_p99_ms") for rate, group in groups.items() if rate <= PUNCTUAL]
    return (words, f"{max(late):.2f} ms", max(late) < LATE_MS) if late else (words, "", None)


def is_close(group: Group) -> bool:
    """Whether every percentile's median error is within 2 % or 1 ms of the truth."""
    return all(
        abs(_error(group, name)) <= max(CLOSE_MS, CLOSE_SHARE * median(run.truth[name] for run in group))
        for name in PERCENTILES
    )


def write(folder: Path, runs: Group, troubles: Mapping[str, str]) -> Path:
    """Write bench-accuracy.md and bench-accuracy.json; return the path of the former."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "runs": [asdict(run) for run in runs], "troubles": dict(troubles)}
    (folder / "bench-accuracy.json").write_text(json.dumps(content, indent=1))
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
    verdict = "true" if is_close(group) else "wrong"
    others = f"{median(run.others for run in group) * MS:.0f}"
    notes = (late, _note(group, "dropped", 0), _note(group, "busy", 2), others)
    return row((NAMES[first.client].title, f"{first.rate:,.0f}", count, *times, *notes, verdict))


def _of(group: Group, name: str) -> float:
    """The median of that figure that our runs report about the load generator."""
    return median(run.reported.notes[name] for run in group)


def _note(group: Group, name: str, digits: int) -> str:
    """The median of that figure in the tool's reports about itself, or "" without one."""
    values = [run.reported.notes[name] for run in group if name in run.reported.notes]
    return f"{median(values):,.{digits}f}" if values else ""


def _error(group: Group, name: str) -> float:
    return median(run.error(name) for run in group)
