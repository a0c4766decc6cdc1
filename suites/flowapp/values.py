"""What is generated for flowapp: titles, names that break CSV and encodings, and times around the present.

Rule: everything here keeps the contract; nothing lies so near to a moment that the time of a request decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hypothesis import strategies as st

from contracts.document import contract

QUARTER = timedelta(minutes=15)
NEAR = timedelta(minutes=10)  # so close to now, nobody can say what a server's clock makes of it
ZONES = contract("flowapp").schemas["NewEvent"]["properties"]["timezone"]["enum"]

_PLAIN = st.characters(categories=["L", "N", "P", "S"], codec="utf-8")
_SPECIAL = st.sampled_from(list(""" ,;"'&<>|%\\/=+-@#_ÅßéЖ東🎈"""))

TITLES = st.text(_SPECIAL | _PLAIN, min_size=1, max_size=40).filter(lambda text: text.strip() == text)
NAMES = st.text(_SPECIAL | _PLAIN, min_size=1, max_size=30).filter(lambda text: text.strip() == text)

_BREAKING = st.text(_SPECIAL | st.sampled_from(["\n", "\r", "\t"]) | _PLAIN, min_size=1, max_size=20)
BREAKING_NAMES = st.builds(  # with line ends inside, formula characters in front, white space around
    "{}{}{}".format,
    st.sampled_from(["", "=", "+", "-", "@", " ", "'"]),
    _BREAKING,
    st.sampled_from(["", " ", '"', ",", "\r\n"]),
).filter(lambda text: bool(text.strip()))


@dataclass(frozen=True)
class Moment:
    """An event's time as seen from now: it began so many quarters of an hour ago, or begins in so many."""

    period: str
    near: int  # quarters of an hour from now to its start, or from its end to now
    lasts: int  # quarters of an hour; for a current event those that are left
    zone: str

    def members(self, now: datetime) -> dict[str, Any] | None:
        """The members of its creation; None where the clocks of its zone show the start's time twice."""
        length = self.lasts + (self.near if self.period == "current" else 0)
        before = {"past": self.near + self.lasts, "current": self.near, "future": -self.near}[self.period]
        wall = (now - before * QUARTER).astimezone(ZoneInfo(self.zone)).replace(microsecond=0, fold=0)
        if wall.utcoffset() != wall.replace(fold=1).utcoffset():
            return None
        date, time = wall.strftime("%Y-%m-%d"), wall.strftime("%H:%M:%S")
        return {"date": date, "time": time, "timezone": self.zone, "duration": length / 4}


MOMENTS = st.builds(
    Moment,
    st.sampled_from(["current", "future", "past"]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(ZONES),
)


def period_of(row: dict[str, Any], now: datetime) -> str | None:
    """The period of a listed event at `now` by its own members; None when they do not tell, or not for sure."""
    try:
        wall = datetime.fromisoformat(f"{row['date']}T{row['time']}").replace(tzinfo=ZoneInfo(row["timezone"]))
        start = wall.astimezone(UTC)
        end = start + timedelta(hours=row["duration"])
    except (KeyError, ValueError, TypeError, OverflowError, ZoneInfoNotFoundError, OSError):
        return None
    if wall.utcoffset() != wall.replace(fold=1).utcoffset() or min(abs(start - now), abs(end - now)) < NEAR:
        return None
    return "future" if now < start else "current" if now < end else "past"
