"""Strategies for flowapp: titles, names that break CSV and encodings, and times around the present.

Rule: everything here keeps the contract; no time lies so near to now that the duration of a request matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hypothesis import strategies as st

from contracts.openapi import load_contract

QUARTER_HOUR = timedelta(minutes=15)
CLOCK_TOLERANCE = timedelta(minutes=10)  # closer to now, clock differences could decide
TIMEZONES = load_contract("flowapp").schemas["NewEvent"]["properties"]["timezone"]["enum"]

_PLAIN = st.characters(categories=["L", "N", "P", "S"], codec="utf-8")
_SPECIAL = st.sampled_from(list(""" ,;"'&<>|%\\/=+-@#_ÅßéЖ東🎈"""))

TITLES = st.text(_SPECIAL | _PLAIN, min_size=1, max_size=40).filter(lambda text: text.strip() == text)
NAMES = st.text(_SPECIAL | _PLAIN, min_size=1, max_size=30).filter(lambda text: text.strip() == text)

_BREAKING = st.text(_SPECIAL | st.sampled_from(["\n", "\r", "\t"]) | _PLAIN, min_size=1, max_size=20)
CSV_BREAKING_NAMES = st.builds(  # with line ends, leading formula characters, outer white space
    "{}{}{}".format,
    st.sampled_from(["", "=", "+", "-", "@", " ", "'"]),
    _BREAKING,
    st.sampled_from(["", " ", '"', ",", "\r\n"]),
).filter(lambda text: bool(text.strip()))


@dataclass(frozen=True)
class EventTime:
    """An event's time relative to now: it begins in so many quarters of an hour, or began so many ago."""

    period: str
    offset_quarters: int  # quarters of an hour from now to its start, or from its end to now
    duration_quarters: int  # quarters of an hour; of a current event, the remaining ones
    timezone: str

    def event_members(self, now: datetime) -> dict[str, Any] | None:
        """The members of its creation at `now`; None where its time zone's clocks show the start twice."""
        quarters = self.duration_quarters + (self.offset_quarters if self.period == "current" else 0)
        before = {
            "past": self.offset_quarters + self.duration_quarters,
            "current": self.offset_quarters,
            "future": -self.offset_quarters,
        }[self.period]
        local_start = (now - before * QUARTER_HOUR).astimezone(ZoneInfo(self.timezone)).replace(microsecond=0, fold=0)
        if local_start.utcoffset() != local_start.replace(fold=1).utcoffset():
            return None
        date, time = local_start.strftime("%Y-%m-%d"), local_start.strftime("%H:%M:%S")
        return {"date": date, "time": time, "timezone": self.timezone, "duration": quarters / 4}


EVENT_TIMES = st.builds(
    EventTime,
    st.sampled_from(["current", "future", "past"]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(TIMEZONES),
)


def telling_zones(now: datetime) -> list[str]:
    """A time zone whose clocks are on summer time at `now`, and one whose offset is no full hour, if there are."""
    local_times = {name: now.astimezone(ZoneInfo(name)) for name in TIMEZONES}
    in_summer = [name for name, local in local_times.items() if local.dst()]
    uneven = [name for name, local in local_times.items() if local.utcoffset() % timedelta(hours=1)]  # type: ignore[operator]  # aware
    return [*in_summer[:1], *uneven[:1]]


def period_of(event: dict[str, Any], now: datetime) -> str | None:
    """The period of a listed event at `now`, by its own members; None when they do not say, or not for certain."""
    event = dict(event)  # here a missing member says no more than a wrong one
    try:
        local_start = datetime.fromisoformat(f"{event['date']}T{event['time']}").replace(
            tzinfo=ZoneInfo(event["timezone"])
        )
        start = local_start.astimezone(UTC)
        end = start + timedelta(hours=event["duration"])
    except (KeyError, ValueError, TypeError, OverflowError, ZoneInfoNotFoundError, OSError):
        return None
    if (
        local_start.utcoffset() != local_start.replace(fold=1).utcoffset()
        or min(abs(start - now), abs(end - now)) < CLOCK_TOLERANCE
    ):
        return None
    return "future" if now < start else "current" if now < end else "past"
