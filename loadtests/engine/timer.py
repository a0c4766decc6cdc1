"""A timer that is a file descriptor: it becomes readable at a time of `perf_counter_ns`, precise to some 50 µs.

Waiting for readiness itself takes whole milliseconds only. Python has this timer from 3.13 on; before, libc is called.
"""

from __future__ import annotations

import ctypes
import time

MONOTONIC, NONBLOCK_CLOEXEC, ABSOLUTE = 1, 0o2004000, 1  # of <time.h> and <sys/timerfd.h> on Linux
_CLOCK = "clock_gettime(CLOCK_MONOTONIC)"


class _TimerSpec(ctypes.Structure):
    """struct itimerspec: an interval, which stays zero, and the time of expiry."""

    _fields_ = [(name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns")]


class Timer:
    """One timerfd."""

    def __init__(self, libc: ctypes.CDLL, fd: int) -> None:
        self._libc = libc
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def set(self, when: int | None) -> None:
        """Fire at `when` (ns; at once if that is past), or never for None. It stays readable until it is set again."""
        seconds, nanoseconds = divmod(max(when, 1), 1_000_000_000) if when is not None else (0, 0)
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(_TimerSpec(0, 0, seconds, nanoseconds)), None)


def create_timer() -> Timer | None:
    """A timer, or None on systems without timerfd."""
    if time.get_clock_info("perf_counter").implementation != _CLOCK:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        fd = libc.timerfd_create(MONOTONIC, NONBLOCK_CLOEXEC)
    except AttributeError:
        return None
    return Timer(libc, fd) if fd >= 0 else None
