"""Detects changes at places that have a name, not a path: pages, parameters, headers' values, CSV, RPC, walks, clauses,
readings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime

from contracts.behaviour.array_order import is_other_order
from contracts.behaviour.behaviour import Address
from reports.drift.behaviour_comparison import Comparison, Difference
from reports.drift.outcome_kinds import kind_of_refusals
from reports.drift.outcome_text import Outcome, parse_outcome

Words = Sequence[tuple[str, str]]  # a word in the place of a behaviour, and the kind of change that it means
NUMBER = re.compile(r"\d+")
STRICT = ("refus", "reject", "error", "strict", "invalid")
PAGE: Words = (
    ("style", "style of pages"),
    ("default size", "default size"),
    ("default order", "order of a list"),
    ("default", "default changed"),
    ("stable", "order not stable"),
    ("past the end", "past the end"),
    ("small size", "filter without effect"),
    ("end", "end of pages"),
    ("next", "style of pages"),
    ("", "style of pages"),
)
PARAMETER: Words = (
    ("include", "include without effect"),
    ("expand", "include without effect"),
    ("embed", "include without effect"),
    ("view", "include without effect"),
    ("analytics", "include without effect"),
    ("fields", "include without effect"),
    ("sort", "order of a list"),
    ("order", "order of a list"),
    ("", "filter without effect"),
)
HEADER_VALUE: Words = (
    ("content-type", "media type of the answer"),
    ("content-encoding", "compression"),
    ("access-control-", "cross-origin access"),
    ("retry-after", "time to retry"),
    ("etag", "conditional requests"),
    ("last-modified", "conditional requests"),
    ("deprecation", "end announced"),
    ("sec-websocket", "subprotocol or extension"),
    ("location", "form of a URL"),
    ("link", "style of pages"),
    ("", "constant changed"),
)
CSV: Words = (
    ("columns", "column gone or renamed"),
    ("column ", "form of a column"),
    ("order of rows", "order of rows"),
    ("rows", "order of rows"),
    ("byte order mark", "charset of CSV"),
    ("charset", "charset of CSV"),
    ("line end", "line end of CSV"),
    ("header row", "header row of CSV"),
    ("empty cell", "empty cell of CSV"),
    ("", "way of writing CSV"),
)
RPC: Words = (
    ("handshake", "handshake"),
    ("correlation", "correlation"),
    ("order", "order of replies"),
    ("pipelin", "order of replies"),
    ("unsolicited", "unsolicited frames"),
    ("unasked", "unsolicited frames"),
    ("greeting", "unsolicited frames"),
    ("largest", "largest frame"),
    ("frame", "type of frames"),
    ("unknown", "unknown RPC method"),
    ("subprotocol", "subprotocol or extension"),
    ("extension", "subprotocol or extension"),
    ("envelope", "error envelope changed"),
    ("", "connection closed"),
)
CONNECTION: Words = (
    ("json", "way of writing a response"),
    ("framing", "way of writing a response"),
    ("header names", "way of writing a response"),
    ("keep-alive", "connection closed"),
    ("idle", "connection closed"),
    ("", "constant changed"),
)


def place_differences(comparison: Comparison, left: Sequence[Address]) -> Iterator[Difference]:
    """Differences at these addresses whose record and present are both known."""
    defaults = list(_default_differences(comparison, left))
    yield from defaults
    explained = {address for default in defaults for address in (default.address, *default.explains)}
    for address in (it for it in left if it not in explained):
        if address.family in CLASSIFIED and address in comparison.before and address in comparison.after:
            before, after = comparison.values(address)
            if before != after and (kind := CLASSIFIED[address.family](address.place, before, after)):
                yield Difference(kind, address, before, after, address.place)


def _default_differences(comparison: Comparison, left: Sequence[Address]) -> Iterator[Difference]:
    """Parameters of which another value changes nothing now: it is what is answered without the parameter."""
    flipped = [it for it in left if it.family == "parameter" and " " in it.place]
    old = [it for it in flipped if comparison.values(it) == ("ignored", "honoured")]
    new = [it for it in flipped if comparison.values(it) == ("honoured", "ignored")]
    for address in new:
        name, _, value = address.place.partition(" ")
        same = [it for it in old if it.operation == address.operation and it.place.startswith(f"{name} ")]
        if same and len([it for it in new if it.operation == address.operation]) == 1:
            yield Difference("default changed", address, same[0].place.partition(" ")[2], value, name, tuple(same))


def _by_word(words: Words) -> Callable[[str, str, str], str]:
    return lambda place, _before, _after: next(kind for word, kind in words if word in place.lower())


def _page(place: str, before: str, after: str) -> str:
    if place.startswith("beyond"):
        return (
            "beyond the limit refused" if _is_refused(after)
            else "beyond the limit accepted" if _is_refused(before)
            else "limit tightened" if before == "honoured"
            else "limit widened" if after == "honoured" else ""
        )  # fmt: skip
    if place.startswith("largest"):
        is_lower = _is_refused(after) or (not _is_refused(before) and _number(after) < _number(before))
        return "limit tightened" if is_lower else "limit widened"
    if place.startswith("total"):
        is_right = after.endswith("right") and (before.endswith("wrong") or before in ("absent", "none"))
        return "total right" if is_right else "total wrong"
    if place.startswith("order with"):
        return "order of a list" if is_other_order(before, after) else ""
    if place == "parameters of next":
        return "form of a URL"
    if place == "next" and "URL" in before and "URL" in after:
        return "form of a URL"
    return _by_word(PAGE)(place, before, after)


def _is_refused(text: str) -> bool:
    return text.startswith("refused")


def _parameter(place: str, before: str, after: str) -> str:
    if before != "refused" and after == "refused":
        return "value no longer accepted" if " " in place else "valid request refused"
    if before == "refused":
        return "value accepted"
    if after == "honoured":
        return ""  # there are enough records now that it has an effect
    return _by_word(PARAMETER)(place, before, after)


def _header_value(place: str, before: str, after: str) -> str:
    if place in ("cache-control", "pragma", "expires", "vary"):
        return _caching(before, after)
    if "limit" in place and _number(before) >= 0 and _number(after) >= 0:
        return "rate limit lowered" if _number(after) < _number(before) else "rate limit raised"
    if place == "sunset":
        return "end moved earlier" if _is_earlier(before, after) else "end announced"
    return _by_word(HEADER_VALUE)(place, before, after)


def _caching(before: str, after: str) -> str:
    """A cache that may keep more, or longer, than before is looser."""
    ranks = {"no-store": 0, "no-cache": 1, "must-revalidate": 2, "private": 3, "public": 5}

    def freedom(text: str) -> tuple[int, int]:
        rank = min((rank for word, rank in ranks.items() if word in text), default=4)
        age = re.search(r"max-age=(\d+)", text)
        return rank, int(age[1]) if age else 0

    return "caching tightened" if freedom(after) < freedom(before) else "caching loosened"


def _is_earlier(before: str, after: str) -> bool:
    try:
        return parsedate_to_datetime(after) < parsedate_to_datetime(before)
    except (TypeError, ValueError):
        return False


def _number(text: str) -> int:
    match = NUMBER.search(text)
    return int(match[0]) if match else -1


def _csv(place: str, before: str, after: str) -> str:
    if place == "order of rows" and not is_other_order(before, after):
        return ""
    if place != "columns":
        return _by_word(CSV)(place, before, after)
    was, now = before.split(", "), after.split(", ")
    if "none" in (before, after):
        return "header row of CSV"
    if set(was) - set(now):
        return "column gone or renamed"
    if now[: len(was)] == was:
        return "column new at the end"
    return "column new in between" if set(now) - set(was) else "columns in another order"


def _walk(place: str, before: str, after: str) -> str:
    if place.endswith("mail"):
        return "form of a text"
    if place.endswith("of the login"):
        thing = place.partition("s ")[0]
        return f"{thing} new" if set(before.split(", ")) <= set(after.split(", ")) else f"{thing} gone"
    if place in ("login", "delete while it holds another"):
        return _of_outcomes(parse_outcome(before), parse_outcome(after))
    if place == "delete, then delete":
        return "second deletion answered otherwise"
    if place.endswith("create the same"):
        return "same key twice answered otherwise"
    if after.startswith(("changed", "without", "not shown")) or before.startswith(("changed", "without", "not shown")):
        return "record reads back changed"
    return "write takes effect later" if ", then " in place else ""  # the outcome of a single step is a question's


def _of_outcomes(before: Outcome, after: Outcome) -> str:
    if before.is_refused and after.is_refused:
        return kind_of_refusals(before, after)
    return "valid request refused" if after.is_refused else "refused operation works" if before.is_refused else ""


def _clause(_place: str, before: str, after: str) -> str:
    return {("kept", "broken"): "clause broken", ("broken", "kept"): "clause kept again"}.get((before, after), "")


def _reading(_place: str, before: str, after: str) -> str:
    was, now = (any(word in text.lower() for word in STRICT) for text in (before, after))
    return "reading more permissive" if was and not now else "reading stricter"


CLASSIFIED: Mapping[str, Callable[[str, str, str], str]] = {
    "page": _page,
    "parameter": _parameter,
    "header value": _header_value,
    "csv": _csv,
    "rpc": _by_word(RPC),
    "walk": _walk,
    "connection": _by_word(CONNECTION),
    "clause": _clause,
    "reading": _reading,
    "message": lambda _place, _before, after: "error as a page" if "<html" in after.lower() else "wording of an error",
    "equality": lambda _place, _before, _after: "transports differ",
}
"""By family the name of the kind of change from place, before and after; "" for none."""
