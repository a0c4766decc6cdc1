"""Leaves the media type that most answers have out of the outcomes of a file, and puts it in again.

Rule: an outcome without any media type says so, since one that says nothing has the usual one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from contracts.behaviour.behaviour import Family

FAMILIES_WITH_OUTCOMES: tuple[Family, ...] = ("outcome", "access", "method")
FRAME = "frame"  # what begins with it has no media type
NONE = " without media type"
PARTS = re.compile(
    r"(?P<status>(?:\d{3}|frame)(?: refused)?)(?P<media> [\w.+*-]+/[\w.+*-]+(?:; [^ ;]+)*)?(?P<rest>(?:[ ,].*)?)",
    re.DOTALL,
)


def usual_media_type(outcomes: Iterable[str]) -> str:
    """The media type that most of these have, the first by name of several; "" for none."""
    matches = (PARTS.fullmatch(outcome) for outcome in outcomes)
    counts = Counter(match["media"].strip() for match in matches if match and match["media"])
    return min(counts, key=lambda media: (-counts[media], media), default="")


def shortened(outcome: str, usual: str) -> str:
    """The outcome as it is written in a file with that usual media type."""
    match = PARTS.fullmatch(outcome)
    if not usual or match is None:
        return outcome
    if outcome.startswith(FRAME):
        return outcome
    if not match["media"]:
        return match["status"] + NONE + match["rest"]
    short = match["status"] + match["rest"] if match["media"].strip() == usual else outcome
    return short if lengthened(short, usual) == outcome else outcome


def lengthened(text: str, usual: str) -> str:
    """The inverse of `shortened`."""
    match = PARTS.fullmatch(text)
    if not usual or match is None or match["media"] or text.startswith(FRAME):
        return text
    if match["rest"].startswith(NONE):
        return match["status"] + match["rest"].removeprefix(NONE)
    return f"{match['status']} {usual}{match['rest']}"
