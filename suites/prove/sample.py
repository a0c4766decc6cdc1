"""A sample of the changes that rotates with the content: other files, other sample; the same files, the same one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fixtures.reference.protocol import Change

ROOT = Path(__file__).parents[2]
CONTENT = ("contracts", "fixtures", "suites")


def of(changes: Sequence[tuple[str, Change]], count: int) -> list[tuple[str, Change]]:
    """`count` of these changes, or all when there are fewer."""
    salt = _content()
    return sorted(changes, key=lambda one: hashlib.sha256(f"{salt}{one[0]}.{one[1].name}".encode()).hexdigest())[:count]


def _content() -> str:
    files = sorted(
        path
        for top in CONTENT
        for path in (ROOT / top).rglob("*")
        if path.suffix in (".py", ".yaml") and path.is_file()
    )
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()
