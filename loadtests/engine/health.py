"""Decides whether the load generator was fit to measure: not late, too busy or stalled, and its clock did not jump.

An unfit generator measures its own delays and ascribes them to the target, so such a run is evidence for nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.load.fitness import LATENESS
from reports.load.histogram import Histogram

SECOND = 1_000_000_000
MS = 1_000_000
WINDOW = 5  # seconds over which the share of the processor is averaged


@dataclass(frozen=True)
class Limits:
    """What a fit generator stays within.

    late: ns by which 99 % of the journeys may start late; cpu: share of one core, averaged over `WINDOW`;
    pause: ns by which a periodic check may be overdue before that counts as a stall; stalled: share of the run that may
    be stalls; stalled_time: ns that all stalls of a run may last together, however long it is; late_seconds: seconds in
    most of whose starts journeys may be late; step: ns by which the wall clock may move against the monotonic one.
    """

    late: int = 10 * MS
    cpu: float = 0.9
    pause: int = 20 * MS
    stalled: float = 0.02
    stalled_time: int = 10 * SECOND
    late_seconds: int = 10
    step: int = 100 * MS


LIMITS = Limits()


class GeneratorHealth:
    """What a process observes of itself during a run. Times are ns; only `measure` reads clocks after the start."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.start_delays: list[
            int
        ] = []  # of journeys: actual start minus intended start; appended where journeys start
        self.start_delay_histogram = Histogram()
        self.internal_errors: list[str] = []  # failures of flowproof itself
        self.stalled = self.longest_stall = 0
        self.late_starts = self.late_seconds = 0
        self.backoffs = self.backoff_time = 0  # pauses of users whose connections were refused, and their ns
        self._starts_of_second = self._late_of_second = 0
        self.began = self._now = time.perf_counter_ns()
        self._cpu_began = self._cpu_now = time.process_time_ns()
        self._offset = time.time_ns() - self.began
        self.step = 0
        self.busiest = self.cpu_window = 0.0
        self._samples: deque[tuple[int, int]] = deque([(self.began, self._cpu_now)])

    def record_delays(self, overdue: int) -> None:
        """A periodic check came `overdue` ns late."""
        delays, limit = self.start_delays, self.limits.late
        late = sum([delay > limit for delay in delays])
        self.late_starts += late
        self._late_of_second += late
        self._starts_of_second += len(delays)
        self.start_delay_histogram.record_many(delays)
        delays.clear()
        if overdue > self.limits.pause:
            self.stalled += overdue
            self.longest_stall = max(self.longest_stall, overdue)

    def sample(self, now: int, cpu: int, wall: int) -> None:
        """Take the monotonic clock, the processor time of this process and the wall clock, once a second."""
        self._now, self._cpu_now = now, cpu
        step = wall - now - self._offset
        if abs(step) > abs(self.step):
            self.step = step
        self._samples.append((now, cpu))
        while now - self._samples[0][0] > WINDOW * SECOND * 1.1:
            self._samples.popleft()
        oldest, cpu_then = self._samples[0]
        if now - oldest >= WINDOW * SECOND * 0.9:
            self.cpu_window = (cpu - cpu_then) / (now - oldest)
            self.busiest = max(self.busiest, self.cpu_window)

    def measure(self) -> None:
        """Take a sample of the clocks now, which ends a second."""
        self.sample(time.perf_counter_ns(), time.process_time_ns(), time.time_ns())
        self.late_seconds += 2 * self._late_of_second > self._starts_of_second
        self._starts_of_second = self._late_of_second = 0

    def to_json(self) -> dict[str, Any]:
        """The figures of the run so far, in milliseconds and shares, and the reasons against them."""
        duration = max(self._now - self.began, 1)
        share = (self._cpu_now - self._cpu_began) / duration
        lateness = self.start_delay_histogram.percentiles(LATENESS.values())
        figures = {
            "starts": self.start_delay_histogram.count,
            "late_starts": self.late_starts,
            "late_seconds": self.late_seconds,
            **{name: delay / MS for name, delay in zip(LATENESS, lateness, strict=True)},
            "late_max_ms": self.start_delay_histogram.max / MS,
            "stalled_share": self.stalled / duration,
            "stalled_s": self.stalled / SECOND,
            "longest_stall_ms": self.longest_stall / MS,
            "backoffs": self.backoffs,
            "backoff_s": self.backoff_time / SECOND,
            "cpu_share": share,
            "cpu_window": self.cpu_window or share,
            "cpu_busiest": self.busiest or share,
            "clock_step_ms": self.step / MS,
        }
        limits = {"late_ms": self.limits.late / MS, "cpu": self.limits.cpu, "stalled": self.limits.stalled}
        return {name: round(value, 4) for name, value in figures.items()} | {
            "limits": limits,
            "errors": self.internal_errors.copy(),
            "reasons": self.reasons(figures),
        }

    def reasons(self, figures: Mapping[str, float]) -> list[str]:
        """Why these figures void the measurements of a process; empty if they do not."""
        limits = self.limits
        reasons = self.internal_errors.copy()
        if figures["late_p99_ms"] * MS > limits.late:
            reasons.append(
                f"journeys started late: 1 in 100 by more than {figures['late_p99_ms']:.1f} ms"
                f" (allowed {limits.late / MS:g} ms); use more workers or a lower rate"
            )
        if figures["cpu_busiest"] > limits.cpu:
            reasons.append(
                f"the generator used {figures['cpu_busiest']:.0%} of a core (allowed {limits.cpu:.0%});"
                " use more workers (--processes) or fewer users"
            )
        if figures["stalled_share"] > limits.stalled:
            reasons.append(
                f"the generator stood still {figures['stalled_share']:.1%} of the time (allowed {limits.stalled:.0%});"
                " look for blocking calls in the locustfile and for other work on this machine"
            )
        if figures["late_seconds"] > limits.late_seconds:
            reasons.append(
                f"most journeys started late for {figures['late_seconds']:.0f} s (allowed {limits.late_seconds} s);"
                " use more workers or a lower rate"
            )
        if figures["stalled_s"] * SECOND > limits.stalled_time:
            reasons.append(
                f"the generator stood still for {figures['stalled_s']:.1f} s in all"
                f" (allowed {limits.stalled_time / SECOND:g} s); look for other work on this machine"
            )
        if abs(figures["clock_step_ms"]) * MS > limits.step:
            reasons.append(
                f"the wall clock moved by {figures['clock_step_ms']:.0f} ms during the run; is it being set?"
            )
        return reasons
