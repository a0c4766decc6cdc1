"""Names why a connection could not be opened: by the target's doing, or for want of something on this machine.

Rule: what the load generator lacks is no failure of the target. Such reasons begin with `GENERATOR_FAILURE`, make the
run inconclusive, and say what to raise.
"""

from __future__ import annotations

import errno
import os

from reports.load.operation_statistics import GENERATOR_FAILURE

ADVICE = {
    errno.EMFILE: "too many open files (EMFILE); raise ulimit -n, or use more workers",
    errno.ENFILE: "the system has too many open files (ENFILE); raise fs.file-max",
    errno.EADDRNOTAVAIL: "no free port (EADDRNOTAVAIL); widen net.ipv4.ip_local_port_range, or use more machines",
    errno.ENOBUFS: "no buffer space (ENOBUFS); raise net.ipv4.tcp_mem, or use fewer users",
    errno.ENOMEM: "out of memory (ENOMEM); use fewer users, or more machines",
}


def is_own(code: int) -> bool:
    """Whether this error number means that the load generator's machine has run out of something."""
    return code in ADVICE


def reason(stage: str, code: int) -> str:
    """The reason for an error number at a stage such as `connect`."""
    if code in ADVICE:
        return f"{GENERATOR_FAILURE}{ADVICE[code]}"
    return f"{stage}: {os.strerror(code).lower()}"
