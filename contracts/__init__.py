"""What is promised: the vendors' documents as data, and the little code that reads and judges by them.

Rule: nothing here knows a target, a socket or a test runner. Every folder in here with an `openapi.yaml` is one
API; its name is the API's name everywhere.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def apis() -> list[str]:
    """The names of all APIs that have a contract."""
    return sorted(folder.parent.name for folder in HERE.glob("*/openapi.yaml"))
