"""What vendors promise: their documents as data, and the code that reads them and judges exchanges by them.

Nothing here knows a target, a socket or a test runner. Every folder in here with YAML files is the contract of one
API; the folder's name is the API's name everywhere. README.md explains the format.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


def apis() -> list[str]:
    """The names of all APIs that have a contract, even an incomplete one."""
    return list(_apis_in(FOLDER))


@cache  # it is called for every test, and no contract comes while a process runs
def _apis_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted({path.parent.name for path in folder.glob("*/*.yaml")}))
