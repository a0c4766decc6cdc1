"""Tries every way to connect out of a guarded process, to an address on loopback that belongs to no target.

Rule: a way is refused by the guard itself, and nothing arrives.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

from suites.harden.measured_process import ROOT

ELSEWHERE = "127.0.0.2"  # on loopback, and no target's
REFUSED = "AddressNotPermitted"
SECONDS = 120.0


def names() -> list[str]:
    """The ways that were tried."""
    return list(_outcomes())


def run(name: str, _: Path) -> list[str]:
    """What became of that way, if it was not refused."""
    outcome = _outcomes()[name]
    return [] if outcome == REFUSED else [f"expected {REFUSED}, got {outcome or 'no exception'}"]


@cache
def _outcomes() -> dict[str, str]:
    """The exception that ended each way. Raises RuntimeError when something arrived."""
    with socket.create_server((ELSEWHERE, 0)) as listening:
        place = [ELSEWHERE, str(listening.getsockname()[1])]
        tried = subprocess.run(
            [sys.executable, "-m", "loadtests.selftest.ways_out", *place, "guarded"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=SECONDS,
            check=True,
        )  # fmt: skip
        listening.setblocking(False)
        try:
            listening.accept()
        except BlockingIOError:
            outcomes: dict[str, str] = json.loads(tried.stdout)
            return outcomes
    raise RuntimeError("a connection arrived where none is permitted")
