"""Times several requests of a journey as one step."""

from __future__ import annotations

from time import perf_counter_ns
from types import TracebackType

from loadtests.engine.recorder import OperationSamples
from loadtests.engine.virtual_user import VirtualUser


class Step:
    """A context manager around the yields of a step: from its begin, or when its first request was due, to its end.

    The step has failed if a request within it has. One that the journey leaves by an exception, or in which the user is
    stopped, is not recorded.
    """

    def __init__(self, samples: OperationSamples, user: VirtualUser) -> None:
        self._samples = samples
        self._user = user
        self._begin = 0
        self._failure_before = ""

    def __enter__(self) -> None:
        self._begin = self._user.next_due or perf_counter_ns()
        self._failure_before, self._user.first_failure = self._user.first_failure, ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        failure = self._user.first_failure
        self._user.first_failure = self._failure_before or failure
        now = perf_counter_ns()
        if kind is None and failure:
            self._samples.record_failure(failure, self._begin, self._begin, now)
        elif kind is None:
            self._samples.times.append((self._begin, self._begin, now, now, 0))
