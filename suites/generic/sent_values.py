"""Whether a value that a response shows is the one that was sent.

Rule: additional members of an object are fine, and an instant may be written in another way; nothing else may differ.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from contracts.operation import Schema

MOMENTS = ("date", "date-time")  # formats of texts that stand for an instant


def is_equivalent(sent: Any, received: Any) -> bool:
    """Whether both say the same, where a text that looks like an instant may be one."""
    if isinstance(sent, dict) and isinstance(received, dict):
        return all(name in received and is_equivalent(value, received[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(received, list):
        return len(sent) == len(received) and all(map(is_equivalent, sent, received))
    if sent == received:
        return True
    is_text = isinstance(sent, str) and isinstance(received, str)
    return is_text and _instant(sent) == _instant(received) is not None


def is_kept(schema: Schema, sent: Any, received: Any) -> bool:
    """Whether a member of that schema comes back as it was sent: a text is an instant only where its format says so."""
    if isinstance(sent, str) and schema.get("format") not in MOMENTS:
        return bool(sent == received)
    return is_equivalent(sent, received)


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
