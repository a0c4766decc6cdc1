"""Whether the generator itself was fit to measure: late, busy, short of sessions, or with a clock that jumped.

An unfit generator measures itself and blames the target, so a run with reasons against it proves nothing either way.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.load.histogram import Histogram

SECOND = 1_000_000_000
MS = 1_000_000
WINDOW = 5  # seconds over which the share of the processor is averaged


@dataclass(frozen=True)
class Limits:
    """What a fit generator keeps to.

    late: ns by which 99 % of the journeys may start after their time; cpu: share of one core, averaged over `WINDOW`;
    pause: ns without a turn that count as a stall; stalled: share of the run that may be stalls; step: ns by which
    the wall clock may move against the monotonic one.
    """

    late: int = 10 * MS
    cpu: float = 0.9
    pause: int = 20 * MS
    stalled: float = 0.02
    step: int = 100 * MS


LIMITS = Limits()


class Health:
    """What one process notices of itself during a run. Times are ns; clocks are asked in `sample` alone."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.late: list[int] = []  # appended by whoever starts a journey: actual start less intended start
        self.lateness = Histogram()
        self.broken: list[str] = []  # what of our own went wrong
        self.stalled = 0
        self.began = self._now = time.perf_counter_ns()
        self._cpu_began = self._cpu_now = time.process_time_ns()
        self._offset = time.time_ns() - self.began
        self.step = 0
        self.busiest = 0.0
        self._samples: deque[tuple[int, int]] = deque([(self.began, self._cpu_now)])

    def turn(self, overdue: int) -> None:
        """A periodic turn came `overdue` ns late."""
        self.lateness.record_many(self.late)
        self.late.clear()
        if overdue > self.limits.pause:
            self.stalled += overdue

    def sample(self, now: int, cpu: int, wall: int) -> None:
        """Once a second: the monotonic clock, the processor time of this process and the wall clock."""
        self._now, self._cpu_now = now, cpu
        moved = wall - now - self._offset
        if abs(moved) > abs(self.step):
            self.step = moved
        self._samples.append((now, cpu))
        while now - self._samples[0][0] > WINDOW * SECOND * 1.1:
            self._samples.popleft()
        then, used = self._samples[0]
        if now - then >= WINDOW * SECOND * 0.9:
            self.busiest = max(self.busiest, (cpu - used) / (now - then))

    def measure(self) -> None:
        """`sample` of the clocks as they are."""
        self.sample(time.perf_counter_ns(), time.process_time_ns(), time.time_ns())

    def to_json(self) -> dict[str, Any]:
        """Figures of the run so far: milliseconds and shares, and the reasons against them."""
        lasted = max(self._now - self.began, 1)
        share = (self._cpu_now - self._cpu_began) / lasted
        p50, p99 = self.lateness.percentiles([50, 99])
        figures = {
            "starts": self.lateness.count,
            "late_p50_ms": p50 / MS,
            "late_p99_ms": p99 / MS,
            "late_max_ms": self.lateness.max / MS,
            "stalled_share": self.stalled / lasted,
            "cpu_share": share,
            "cpu_busiest": self.busiest or share,
            "clock_step_ms": self.step / MS,
        }
        return {name: round(value, 4) for name, value in figures.items()} | {"reasons": self.reasons(figures)}

    def reasons(self, figures: Mapping[str, float]) -> list[str]:
        """Why these figures of a process void its measurements; none if they do not."""
        limits = self.limits
        found = self.broken.copy()
        if figures["late_p99_ms"] * MS > limits.late:
            found.append(
                f"journeys started late: 1 in 100 by more than {figures['late_p99_ms']:.1f} ms"
                f" (allowed {limits.late / MS:g} ms); use more workers or a lower rate"
            )
        if figures["cpu_busiest"] > limits.cpu:
            found.append(
                f"the generator used {figures['cpu_busiest']:.0%} of a core (allowed {limits.cpu:.0%});"
                " use more workers (--processes) or fewer users"
            )
        if figures["stalled_share"] > limits.stalled:
            found.append(
                f"the generator stood still {figures['stalled_share']:.1%} of the time (allowed {limits.stalled:.0%});"
                " look for blocking calls in the locustfile and for other work on this machine"
            )
        if abs(figures["clock_step_ms"]) * MS > limits.step:
            found.append(f"the wall clock moved by {figures['clock_step_ms']:.0f} ms during the run; is it being set?")
        return found
