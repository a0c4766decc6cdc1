"""A sample of faults and variants that rotates with the content of the project: the same files give the same sample."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fixtures.reference.protocol import Change

ROOT = Path(__file__).parents[2]
CONTENT = ("contracts", "fixtures", "suites")


def sample(changes: Sequence[tuple[str, Change]], count: int) -> list[tuple[str, Change]]:
    """`count` of these (api, change), or all when there are fewer."""
    content = _content_digest()

    def rank(api_and_change: tuple[str, Change]) -> str:
        api, change = api_and_change
        return hashlib.sha256(f"{content}{api}.{change.name}".encode()).hexdigest()

    return sorted(changes, key=rank)[:count]


def _content_digest() -> str:
    files = sorted(
        path
        for folder in CONTENT
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml") and path.is_file()
    )
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()
