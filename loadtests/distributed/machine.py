"""Describes the machine that generates load, so that runs of different machines are not taken for comparable.

Rule: nothing belongs in it that differs between runs of one machine or containers of one kind, such as a name.
"""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

CPU_FILE = Path("/proc/cpuinfo")


def description() -> dict[str, str | int]:
    """System, model of the processor, cores that this process may use, and version of Python."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def _processor() -> str:
    with suppress(OSError):
        if match := re.search(r"^model name\s*:\s*(.+)$", CPU_FILE.read_text("utf-8"), re.MULTILINE):
            return match[1]
    return platform.processor()
