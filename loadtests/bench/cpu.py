"""What a generator has used of a processor: its first process and all that it started, by /proc.

Rule: the kernel's own accounting, read from outside; a generator is started as a session of its own, so that its
processes are those of that session, whoever their parent has become.
"""

from __future__ import annotations

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds; proc(5) counts in these
ENDED = ("Z", "X")  # states of a process that is waited for, or not even that
STATE, SESSION, USER, CHILDREN_SYSTEM = (
    0,
    3,
    11,
    14,
)  # places in /proc/<pid>/stat behind the name, from 0 (proc_pid_stat(5))


def spent(session: int) -> float:
    """CPU seconds (user and system) of the live processes of that session, and of those they have waited for.

    A process that ends without being waited for by one of the session takes its share with it.
    """
    return sum(ticks for _, _, ticks in _processes(session)) * TICK


def members(session: int) -> list[int]:
    """The ids of the session's processes that have not ended, in ascending order."""
    return sorted(pid for pid, state, _ in _processes(session) if state not in ENDED)


def busy(core: int) -> float:
    """CPU seconds that this core has worked since it was started, for whomever (proc_stat(5))."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            return (user + nice + system + irq + softirq + steal) * TICK
    raise LookupError(f"/proc/stat knows no core {core}")


def _processes(session: int) -> list[tuple[int, str, int]]:
    """Id, state and ticks (also of children that were waited for) of each process of that session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(entry)
            if len(fields) > CHILDREN_SYSTEM and int(fields[SESSION]) == session:
                ticks = sum(int(field) for field in fields[USER : CHILDREN_SYSTEM + 1])
                found.append((int(entry.name), fields[STATE], ticks))
    return found


def _stat(process: Path) -> list[str]:
    """The fields behind the name, which may hold blanks and brackets itself; [] when the process has gone."""
    try:
        text = (process / "stat").read_text("utf-8", "replace")
    except OSError:  # FileNotFoundError, or ESRCH while it ends
        return []
    return text.rpartition(")")[2].split()
