"""Stock Schemathesis on one of our contracts: its command line, and what it says.

Rule: its defaults, but a seed, one worker and our credentials; a fresh folder for each run, since it remembers
earlier ones. It reads the same OpenAPI document; a server that needs headers of its own it cannot speak to.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import contracts
from contracts.document import Contract
from fixtures.cases import credential

ENDED = (0, 1)  # its exit codes when it ran to its end: nothing found, something found


class Absent(Exception):
    """There is no `schemathesis` to compare with."""


def executable(python: str = sys.executable) -> str:
    """The command of the Schemathesis that is installed beside this Python. Raises Absent."""
    found = shutil.which("schemathesis", path=str(Path(python).parent))
    if found is None:
        raise Absent(f"no schemathesis beside {python}: install it there (python -m pip install schemathesis)")
    return found


def server_of(whole: Contract) -> int:
    """The number of the first server that needs no headers of its own. Raises LookupError when all do."""
    servers = whole.document.get("servers") or [{"url": "/"}]
    for number, server in enumerate(servers):
        if not server.get("x-headers"):
            return number
    raise LookupError(f"{whole.api}: every server of its document needs headers of its own")


def command(whole: Contract, url: str, settings: Mapping[str, str], seed: int, *more: str) -> list[str]:
    """The command line of a run against the API at `url`; it is meant to run in a fresh folder."""
    servers = whole.document.get("servers") or [{"url": "/"}]
    base = url + servers[server_of(whole)]["url"].rstrip("/")
    line = [executable(), "run", str(contracts.HERE / whole.api / "openapi.yaml"), "--url", base]
    line += ["--seed", str(seed), "--workers", "1", "--no-color", *more]
    for scheme in whole.schemes.values():
        place, name, value = credential(scheme, "valid", settings)
        if place == "header":
            return [*line, "-H", f"{name}: {value}"]
    return line


Failure = tuple[str, str]  # its type, and the operation


def failures(report: Path) -> tuple[set[Failure], int]:
    """What a run's JSON report tells: the kinds of failure by operation, and how many requests it made up."""
    told: Mapping[str, Any] = json.loads(report.read_text())
    found = {(failure["type"], operation) for failure in told["failures"] for operation in failure["operations"]}
    return found, told["test_cases"]["generated"]
