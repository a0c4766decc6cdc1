"""From runs to figures: medians with their spread, ratios within rounds, and the targets.

Rule: two generators are compared within each round, where both met the same machine, and the median of those ratios
counts. Where a target names several tools, the one that is cheapest in that round is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.bench.measure import Run


@dataclass(frozen=True)
class Target:
    """CPU for a request of `ours` must be at most `limit` times that of the cheapest of `others`."""

    ours: str
    others: tuple[str, ...]
    limit: float
    words: str


TARGETS: Sequence[Target] = (
    Target("ours", ("k6",), 0.15, "status only, against k6 without checks"),
    Target("ours-judged", ("k6-judged",), 0.3, "every answer judged, against k6 with an equal check and Trend"),
    Target("ours", ("locust-fast",), 0.1, "status only, against stock Locust (FastHttpUser)"),
    Target("ours", ("wrk",), 1.5, "status only, against wrk"),
    Target("ours-2", ("ours",), 1.05, "two worker processes, against one"),
    Target("ws-ours", ("ws-k6", "ws-k6x"), 0.5, "status only, against k6 without checks (its better module)"),
    Target(
        "ws-ours-judged",
        ("ws-k6-judged", "ws-k6x-judged"),
        0.25,
        "every answer judged, against k6 with an equal check and Trend (its better module)",
    ),
    Target("ws-ours", ("ws-locust",), 0.1, "status only, against stock Locust (plain websocket-client)"),
    Target("ws-ours-2", ("ws-ours",), 1.05, "two worker processes, against one"),
)


def of(runs: Iterable[Run], generator: str) -> list[Run]:
    """The runs of that generator, in order."""
    return [run for run in runs if run.generator == generator]


def ratios(runs: Sequence[Run], target: Target) -> list[float]:
    """Cost of ours by that of the cheapest of the others, for each round in which all of them ran."""
    found = []
    for ours in of(runs, target.ours):
        others = [run.cost for run in runs if run.round == ours.round and run.generator in target.others]
        if len(others) == len(target.others):
            found.append(ours.cost / min(others))
    return found


def spread(values: Sequence[float], digits: int) -> str:
    """Median (smallest to largest), the bracket left out when all are the same; "" without values."""
    if not values:
        return ""
    least, middle, most = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return middle if least == most else f"{middle} ({least} to {most})"


def met(runs: Sequence[Run], target: Target) -> bool | None:
    """Whether the median of the ratios keeps the target; None when nothing was measured."""
    found = ratios(runs, target)
    return median(found) <= target.limit if found else None


def values(runs: Iterable[Run], value: Callable[[Run], float]) -> list[float]:
    """That value of each run."""
    return [value(run) for run in runs]
