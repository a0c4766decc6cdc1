"""What vendors promise: their documents as data, and the code that reads them and judges exchanges by them.

Nothing here knows a target, a socket or a test runner. Every folder in here with YAML files is the contract of one
API; the folder's name is the API's name everywhere. README.md explains the format.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def apis() -> list[str]:
    """The names of all APIs that have a contract, even an incomplete one."""
    return sorted({path.parent.name for path in FOLDER.glob("*/*.yaml")})
