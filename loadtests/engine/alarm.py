"""An alarm clock that is a descriptor: it turns readable at a time of `perf_counter_ns`, to some 50 µs.

Waiting for readiness itself is only told in whole milliseconds. Python has this clock from 3.13; before, libc is asked.
"""

from __future__ import annotations

import ctypes
import time

MONOTONIC, NONBLOCK_CLOEXEC, ABSOLUTE = 1, 0o2004000, 1  # of <time.h> and <sys/timerfd.h> on Linux
_CLOCK = "clock_gettime(CLOCK_MONOTONIC)"


class _Spec(ctypes.Structure):
    """struct itimerspec: an interval, which stays zero, and a time."""

    _fields_ = [(name, ctypes.c_long) for name in ("again_s", "again_ns", "s", "ns")]


class Alarm:
    """One timerfd."""

    def __init__(self, libc: ctypes.CDLL, fd: int) -> None:
        self._libc = libc
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def set(self, due: int | None) -> None:
        """Ring at `due` (at once if that is past), or never for None. It rings until it is set again."""
        seconds, rest = divmod(max(due, 1), 1_000_000_000) if due is not None else (0, 0)
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(_Spec(0, 0, seconds, rest)), None)


def alarm() -> Alarm | None:
    """A clock, or None on systems that have none such."""
    if time.get_clock_info("perf_counter").implementation != _CLOCK:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        fd = libc.timerfd_create(MONOTONIC, NONBLOCK_CLOEXEC)
    except AttributeError:
        return None
    return Alarm(libc, fd) if fd >= 0 else None
