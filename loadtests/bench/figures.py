"""Computes medians with their spread, ratios within rounds, and whether the targets are met.

Rule: two generators are compared within each round, under the same conditions, and the median of these ratios counts.
Where a target names several tools, the cheapest one of each round is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.bench.measure import Measurement


@dataclass(frozen=True)
class Target:
    """The CPU cost of `ours` must be at most `limit` times that of the cheapest of `others`."""

    ours: str
    others: tuple[str, ...]
    limit: float
    words: str


TARGETS: Sequence[Target] = (
    Target("ours", ("k6",), 0.15, "status only, against k6 without checks"),
    Target("ours-judged", ("k6-judged",), 0.3, "every response validated, against k6 with an equal check and Trend"),
    Target("ours", ("locust-fast",), 0.1, "status only, against stock Locust (FastHttpUser)"),
    Target("ours", ("wrk",), 1.5, "status only, against wrk"),
    Target("ours-2", ("ours",), 1.05, "two worker processes, against one"),
    Target("ws-ours", ("ws-k6", "ws-k6x"), 0.5, "status only, against k6 without checks (its better module)"),
    Target(
        "ws-ours-judged",
        ("ws-k6-judged", "ws-k6x-judged"),
        0.25,
        "every response validated, against k6 with an equal check and Trend (its better module)",
    ),
    Target("ws-ours", ("ws-locust",), 0.1, "status only, against stock Locust (plain websocket-client)"),
    Target("engine-text-ours", ("engine-ours",), 1.3, "status only, against ours by the engine's JSON protocol"),
    Target("ws-ours-2", ("ws-ours",), 1.05, "two worker processes, against one"),
)


def runs_of(runs: Iterable[Measurement], generator: str) -> list[Measurement]:
    """The measurements of that generator, in order."""
    return [run for run in runs if run.generator == generator]


def cost_ratios(runs: Sequence[Measurement], target: Target) -> list[float]:
    """Our cost divided by that of the cheapest of the others, for each round in which all of them ran."""
    quotients = []
    for ours in runs_of(runs, target.ours):
        others = [run.cost for run in runs if run.round == ours.round and run.generator in target.others]
        if len(others) == len(target.others):
            quotients.append(ours.cost / min(others))
    return quotients


def spread_text(values: Sequence[float], digits: int) -> str:
    """Median (smallest to largest), without the bracket when all are equal; "" without values."""
    if not values:
        return ""
    smallest, middle, largest = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if smallest == largest else f"{middle} ({smallest} to {largest})"


def is_met(runs: Sequence[Measurement], target: Target) -> bool | None:
    """Whether the median of the ratios meets the target; None when nothing was measured."""
    quotients = cost_ratios(runs, target)
    return median(quotients) <= target.limit if quotients else None


def values(runs: Iterable[Measurement], value: Callable[[Measurement], float]) -> list[float]:
    """That value of each run."""
    return [value(run) for run in runs]
