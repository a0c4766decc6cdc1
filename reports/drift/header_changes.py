"""Detects which headers responses have gained or lost."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.behaviour.behaviour import Address
from reports.drift.behaviour_comparison import Comparison, Difference

HEADER_GONE = {
    "location": "documented header gone",
    "content-disposition": "documented header gone",
    "www-authenticate": "documented header gone",
    "link": "documented header gone",
    "etag": "conditional requests",
    "last-modified": "conditional requests",
    "cache-control": "caching loosened",
    "content-encoding": "compression",
    "retry-after": "time to retry",
    "deprecation": "end announced",
    "sunset": "end announced",
    "sec-websocket-protocol": "subprotocol or extension",
    "sec-websocket-extensions": "subprotocol or extension",
}
HEADER_NEW = {
    "content-encoding": "compression",
    "deprecation": "end announced",
    "sunset": "end announced",
    "cache-control": "caching tightened",
    "sec-websocket-protocol": "subprotocol or extension",
    "sec-websocket-extensions": "subprotocol or extension",
}


def header_kind(name: str, is_new: bool) -> str:
    """The kind of change that a header which comes or goes is."""
    if is_new:
        return HEADER_NEW.get(name, "header new")
    cross_origin = name.startswith("access-control-")
    return "cross-origin access" if cross_origin else HEADER_GONE.get(name, "header gone")


def header_differences(comparison: Comparison) -> Iterator[Difference]:
    """Headers that are gone or new in answers that are seen before and now."""
    for address in comparison.differing:
        answer = (address.operation, address.answer)
        if address.family != "header" or answer not in comparison.answers_before & comparison.answers_after:
            continue
        before, after = comparison.before.get(address), comparison.after.get(address)
        value = address._replace(family="header value")
        if before and not after and before.value == "always":
            yield Difference(
                header_kind(address.place, is_new=False), address, "always there", "gone", address.place, (value,)
            )
        elif after and not before and after.value == "always":
            yield Difference(
                header_kind(address.place, is_new=True), address, "not there", _new_value(comparison, value),
                address.place, (value,)
            )  # fmt: skip


def _new_value(comparison: Comparison, address: Address) -> str:
    """What a new header says; of an announced end that is the day."""
    return comparison.values(address)[1] or "always there"
