"""Stock Schemathesis on one of our contracts: its command line and its JSON report.

Rule: it runs with its defaults apart from a seed, one worker and our credentials, and in a new folder each time, since
it stores earlier runs. It reads the same OpenAPI document; it cannot send the headers that some servers need.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import contracts
from contracts.openapi import Contract
from fixtures.cases import credential_parameter

COMPLETED_CODES = (0, 1)  # its exit codes after a complete run: no failures, failures


class SchemathesisNotFound(Exception):
    """`schemathesis` is not installed."""


def executable(python: str = sys.executable) -> str:
    """The path of the `schemathesis` that is installed with this Python. Raises SchemathesisNotFound."""
    path = shutil.which("schemathesis", path=str(Path(python).parent))
    if path is None:
        raise SchemathesisNotFound(
            f"no schemathesis installed for {python}: install it there (python -m pip install schemathesis)"
        )
    return path


def usable_server(contract: Contract) -> int:
    """The number of the first server that needs no headers of its own. Raises LookupError when all do."""
    servers = contract.document.get("servers") or [{"url": "/"}]
    for number, server in enumerate(servers):
        if not server.get("x-headers"):
            return number
    raise LookupError(f"{contract.api}: every server of its document needs headers of its own")


def command(contract: Contract, url: str, settings: Mapping[str, str], seed: int, *more: str) -> list[str]:
    """The command line of a run against the API at `url`; it has to run in a new folder."""
    servers = contract.document.get("servers") or [{"url": "/"}]
    base = url + servers[usable_server(contract)]["url"].rstrip("/")
    line = [executable(), "run", str(contracts.FOLDER / contract.api / "openapi.yaml"), "--url", base]
    line += ["--seed", str(seed), "--workers", "1", "--no-color", *more]
    for scheme in contract.security_schemes.values():
        location, name, value = credential_parameter(scheme, "valid", settings)
        if location == "header":
            return [*line, "-H", f"{name}: {value}"]
    return line


Failure = tuple[str, str]  # the type of failure and the operation


def failures(report: Path) -> tuple[set[Failure], int]:
    """The (type of failure, operation) pairs of a run's JSON report, and how many requests it generated."""
    content: Mapping[str, Any] = json.loads(report.read_text())
    kinds = {(failure["type"], operation) for failure in content["failures"] for operation in failure["operations"]}
    return kinds, content["test_cases"]["generated"]
