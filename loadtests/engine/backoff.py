"""Pauses a user whose connections are refused, twice as long each time, so that it does not try thousands of times.

Rule: it is for users of a closed model, who start the next request when they have the response to the last. Arrivals of
an open model come as planned, whatever the target does.
"""

from __future__ import annotations

from typing import Protocol

MS = 1_000_000
FIRST_PAUSE = 50 * MS
LONGEST_PAUSE = 2_000 * MS


class PauseCounter(Protocol):
    """Counts the pauses of all users of a process, and how long (ns) they were."""

    backoffs: int
    backoff_time: int


class Backoff:
    """The pauses of one user. Once it was not refused for as long as its last pause, it begins anew."""

    __slots__ = ("_counter", "_length", "_until")

    def __init__(self, counter: PauseCounter) -> None:
        self._counter = counter
        self._length = 0
        self._until = 0  # ns, when the last pause is over

    def pause(self, now: int) -> int:
        """How long (ns) to wait after a refusal at `now`; several at once share a pause."""
        if now < self._until:
            return self._until - now
        is_repeated = self._length and now - self._until < self._length
        self._length = min(2 * self._length, LONGEST_PAUSE) if is_repeated else FIRST_PAUSE
        self._until = now + self._length
        self._counter.backoffs += 1
        self._counter.backoff_time += self._length
        return self._length
