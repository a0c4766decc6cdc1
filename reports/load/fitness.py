"""Judges from the figures that load generators keep of themselves whether they were fit to measure.

Rule: the delays of a generator are not the target's. They excuse a time that was missed by no more than they explain,
and never a time that was met.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NS_IN_MS = 1_000_000
LATENESS = {"late_p50_ms": 50.0, "late_p99_ms": 99.0, "late_p99_9_ms": 99.9, "late_p99_99_ms": 99.99}
"""Figures of a generator with the delay (ms) that so many per cent of its starts did not exceed."""
LATE_SHARE = 0.01  # of the starts of a span that may be late

Health = Mapping[str, Any]


def own_delay(healths: Iterable[Health], percent: float, is_from_start: bool) -> float:
    """The delay (ns) that the generators may have added to that percentile; of the worst of them.

    is_from_start: whether the times count from the intended start, so that late starts are in them.
    """
    delays = [0.0]
    for health in healths:
        if is_from_start:
            figure = next((name for name, known in LATENESS.items() if known >= percent), "late_max_ms")
            delays.append(health.get(figure, health.get("late_max_ms", 0.0)))
        if health.get("stalled_share", 0.0) * 100 >= 100 - percent:
            delays.append(health.get("longest_stall_ms", 0.0))
    return max(delays) * NS_IN_MS


def span_reasons(before: Health, healths: Sequence[Health], seconds: float) -> list[str]:
    """Why a generator was not fit within a span: its figures before it, and of each second within.

    seconds: how long the span was.
    """
    if not healths or "limits" not in healths[-1]:
        return []
    last, limits = healths[-1], healths[-1]["limits"]
    starts, late, stalled = (last[name] - before.get(name, 0) for name in ("starts", "late_starts", "stalled_s"))
    busiest = max(health["cpu_window"] for health in healths)
    reasons = list(last["errors"])
    if late > LATE_SHARE * starts:
        reasons.append(
            f"journeys started late: {late / starts:.1%} by more than {limits['late_ms']:g} ms"
            f" (allowed {LATE_SHARE:.0%}); use more workers or a lower rate"
        )
    if stalled > limits["stalled"] * seconds:
        reasons.append(
            f"the generator stood still {stalled / seconds:.1%} of the time (allowed {limits['stalled']:.0%});"
            " look for blocking calls in the locustfile and for other work on this machine"
        )
    if busiest > limits["cpu"]:
        reasons.append(
            f"the generator used {busiest:.0%} of a core (allowed {limits['cpu']:.0%});"
            " use more workers (--processes) or fewer users"
        )
    return reasons
