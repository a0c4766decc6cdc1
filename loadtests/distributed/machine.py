"""Describes the machine that generates load, and says how many connections it can open.

Rule: nothing belongs in the description that differs between runs of one machine or containers of one kind, such as a
name: runs of different machines are not taken for comparable.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

CPU_FILE = Path("/proc/cpuinfo")
OPEN_FILES = Path("/proc/self/fd")
REVISION_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")  # of GitHub Actions and GitLab CI
PORT_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def description() -> dict[str, str | int]:
    """System, model of the processor, cores that this process may use, and version of Python."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def revision(environ: Mapping[str, str], folder: Path) -> str:
    """The revision that a CI server builds, or else of the checkout with that folder; "" outside of any."""
    if known := next(filter(None, map(environ.get, REVISION_VARIABLES)), ""):
        return known
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=folder, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):  # there is no git, or no such folder
        return ""
    return described.stdout.strip()


def _processor() -> str:
    with suppress(OSError):
        if match := re.search(r"^model name\s*:\s*(.+)$", CPU_FILE.read_text("utf-8"), re.MULTILINE):
            return match[1]
    return platform.processor()


def missing_capacity(connections: int) -> str:
    """Why this process cannot open so many more connections to one address, and what to raise; "" if it can."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(OPEN_FILES.iterdir())) if OPEN_FILES.exists() else 0
    if soft != resource.RLIM_INFINITY and used + connections > soft:
        return (
            f"the load generator may open {soft} files and has {used} open, but {connections} users need a connection"
            f" each: raise ulimit -n to {used + connections} or more, or use more workers"
        )
    with suppress(OSError, ValueError):
        first, last = map(int, PORT_RANGE_FILE.read_text("ascii").split())
        if connections > last - first + 1:
            return (
                f"this machine has {last - first + 1} ports for connections to one address, but {connections} users"
                " need one each: widen net.ipv4.ip_local_port_range, or use more machines"
            )
    return ""
