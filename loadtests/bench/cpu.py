"""Reads from /proc how much CPU a generator and all its processes have used.

Rule: the figures are the kernel's. Each generator is started in a session of its own, so its processes are those of
that session, even if their parent has changed.
"""

from __future__ import annotations

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds; proc(5) counts in these
ENDED = ("Z", "X")  # zombie and dead processes
STATE, SESSION, USER, CHILDREN_SYSTEM = (
    0,
    3,
    11,
    14,
)  # places in /proc/<pid>/stat behind the name, from 0 (proc_pid_stat(5))


def cpu_seconds(session: int) -> float:
    """CPU seconds (user and system) of the live processes of a session and of the children they have waited for.

    A process that ends without a parent in the session that waits for it is lost from the sum.
    """
    return sum(user_and_system_seconds(session))


def user_and_system_seconds(session: int) -> tuple[float, float]:
    """The same in its two parts: what the programs used themselves, and what the kernel used for them."""
    user = system = 0
    for _, _, ticks in _processes(session):
        user += ticks[0] + ticks[2]
        system += ticks[1] + ticks[3]
    return user * TICK, system * TICK


def members(session: int) -> list[int]:
    """The ids of the live processes of a session, in ascending order."""
    return sorted(pid for pid, state, _ in _processes(session) if state not in ENDED)


def core_busy_seconds(core: int) -> float:
    """CPU seconds that this core has worked since boot, for all processes (proc_stat(5))."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) * TICK
    raise LookupError(f"/proc/stat knows no core {core}")


def _processes(session: int) -> list[tuple[int, str, list[int]]]:
    """Id, state and ticks of each process of a session: user, system, and those of children that were waited for."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(entry)
            if len(fields) > CHILDREN_SYSTEM and int(fields[SESSION]) == session:
                ticks = [int(field) for field in fields[USER : CHILDREN_SYSTEM + 1]]
                processes.append((int(entry.name), fields[STATE], ticks))
    return processes


def _stat(process: Path) -> list[str]:
    """The fields after the name, which may contain blanks and brackets; [] when the process has ended."""
    try:
        text = (process / "stat").read_text("utf-8", "replace")
    except OSError:  # FileNotFoundError, or ESRCH while it ends
        return []
    return text.rpartition(")")[2].split()
