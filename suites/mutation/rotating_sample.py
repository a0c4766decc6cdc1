"""A sample that rotates with the content of the project: the same files give the same sample, on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fixtures.reference.protocol import Change

ROOT = Path(__file__).parents[2]
CONTENT = ("contracts", "fixtures", "suites")


def sample(changes: Sequence[tuple[str, Change]], count: int) -> list[tuple[str, Change]]:
    """`count` of these (api, change), or all when there are fewer."""
    by_name = {f"{api}.{change.name}": (api, change) for api, change in changes}
    return [by_name[name] for name in sample_of_names(list(by_name), count)]


def sample_of_names(names: Sequence[str], count: int, folders: Sequence[str] = CONTENT) -> list[str]:
    """`count` of these names, or all when there are fewer, by the content of the folders."""
    content = _content_digest(folders)
    return sorted(names, key=lambda name: hashlib.sha256(f"{content}{name}".encode()).hexdigest())[:count]


def _content_digest(folders: Sequence[str]) -> str:
    files = sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml") and path.is_file()
    )
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()
