"""What the engine saw, per operation and transport: appended in the hot path, counted into histograms in bulk.

Memory does not grow with the number of requests, names or error texts: what exceeds a bound is counted under `OTHER`.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns

from reports.load.tally import Failed, Tallies, Tally, bounded

LONGEST_REASON = 200  # characters
HUNG = 1_000_000_000  # ns that a request waits before it can be called unanswered
UNANSWERED = "unanswered when its user was stopped"
NEVER = 1 << 62

Watch = Callable[["Slot", "list[tuple[int, int, int, int, int]]", "list[Failed]"], None]


class Slot:
    """Where the engine puts what it saw of one operation on one transport until the next flush.

    The hot path does `slot.times.append((intended, sent, first, done, size))`, `slot.connects.append(ns)` and
    `slot.failed(…)`. The lists stay the same objects for ever.

    longest: ns that an answer of this run took, from the intended start, as far as it was counted.
    """

    __slots__ = ("connects", "failures", "longest", "operation", "times", "transport")

    def __init__(self, operation: str, transport: str) -> None:
        self.operation = operation
        self.transport = transport
        self.times: list[tuple[int, int, int, int, int]] = []
        self.connects: list[int] = []
        self.failures: list[Failed] = []
        self.longest = 0

    def failed(self, reason: str, intended: int, sent: int, done: int, size: int = 0) -> None:
        """Note a request without a good answer. `reason` comes out of a small set; what is too long is cut."""
        self.failures.append(Failed(reason[:LONGEST_REASON], intended, sent, done, size))

    def given_up(self, intended: int, sent: int) -> None:
        """Note a request whose user is stopped before its answer.

        Most are merely cut and count as nothing. One that has waited for longer than any answer took may wait for ever:
        it failed, or a target that hangs at the end of a run would look well.
        """
        now = perf_counter_ns()
        if self.hangs(now - intended):
            self.failed(UNANSWERED, intended, sent, now)

    def hangs(self, age: int) -> bool:
        """Whether a request that has waited for so many ns has waited longer than all before, and a second at least."""
        return age > max(self.longest, HUNG)

    def __repr__(self) -> str:
        return f"Slot({self.operation!r}, {self.transport!r})"


class Recorder:
    """The slots of a process. `flush` often, so that no list grows long; `take` what was counted since the last take.

    watch: is given what a flush drains, before it is counted: for whoever wants each request by itself.
    """

    def __init__(self) -> None:
        self.watch: Watch | None = None
        self._cut = NEVER
        self._slots: dict[tuple[str, str], Slot] = {}
        self._counted = Tallies()

    def slot(self, operation: str, transport: str) -> Slot:
        """The slot of that operation: always the same object, good for the life of the process."""
        key = bounded(self._slots, operation, transport)
        if key not in self._slots:
            self._slots[key] = Slot(*key)
        return self._slots[key]

    def begin(self) -> None:
        """Forget what was recorded: another run begins."""
        self.take()
        self._cut = NEVER
        for slot in self._slots.values():
            slot.longest = 0

    def cut(self, moment: int) -> None:
        """What is under way then counts no more: its answer is read by a process that is busy stopping its users."""
        self._cut = min(self._cut, moment)

    def _within(self, slot: Slot, times: list[tuple[int, int, int, int, int]]) -> list[tuple[int, int, int, int, int]]:
        """What was over before the cut, was begun behind it, or had seemed to hang."""
        cut = self._cut
        return [one for one in times if one[3] <= cut or one[1] > cut or slot.hangs(cut - one[0])]

    def flush(self) -> None:
        """Count what the slots hold."""
        for slot in self._slots.values():
            if slot.times or slot.failures or slot.connects:
                self._drain(slot)

    def _drain(self, slot: Slot) -> None:
        times, failures, connects = slot.times.copy(), slot.failures.copy(), slot.connects.copy()
        slot.times.clear()
        slot.failures.clear()
        slot.connects.clear()
        if self._cut != NEVER:
            times = self._within(slot, times)
        if self.watch is not None:
            self.watch(slot, times, failures)
        tally = self._counted.of(slot.operation, slot.transport)
        if times:
            tally.take(times)
            slot.longest = max(slot.longest, tally.corrected.max)
        if failures:
            tally.fail(failures)
        if connects:
            tally.connect.record_many(connects)

    def take(self) -> list[Tally]:
        """What was counted since the last time, only where something was; the counting begins anew."""
        self.flush()
        taken = [tally for tally in self._counted.all() if tally]
        self._counted.clear()
        return taken
