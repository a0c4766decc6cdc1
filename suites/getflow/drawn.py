"""What the tests of getflow draw from: names, dates, queries.

Rule: what is called valid keeps the contract; what is called wrong is wrong under every reading.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contracts.operation import Parameter
from fixtures.api import Api
from suites.getflow.dialect import (
    Kind,
    Row,
    ask,
    body,
)

LETTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs"))

# Texts without space at their ends, in the form that servers normalise to: what is sent is what must come back.
NAMES: SearchStrategy[str] = st.text(LETTERS, min_size=1, max_size=40).filter(
    lambda text: text == " ".join(unicodedata.normalize("NFC", text).split())
)

DAYS: SearchStrategy[str] = st.dates(datetime(1990, 1, 1).date(), datetime(2037, 12, 31).date()).map(
    lambda day: day.isoformat()
)
MOMENTS: SearchStrategy[str] = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
)

_WORDS = ("tomorrow", "now", "yesterday", "next week", "May 15, 2017", "Mon, 15 May 2017 16:58:39 GMT", "none", "-")
_NO_SUCH_DAY = ("2017-02-30", "2017-02-29", "2017-04-31", "2017-13-01", "2017-00-10", "2017-05-00", "2017-05-32")
_NO_SUCH_TIME = ("2017-05-15T25:00:00Z", "2017-05-15T16:60:00Z", "2017-05-15T16:58:61Z")


def _turned(text: str) -> SearchStrategy[str]:
    """A calendar date in the ways that people write it, none of them of ISO 8601."""
    year, month, day = text.split("-")
    return st.sampled_from(
        [f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{day}-{month}-{year}", f"{year}/{month}/{day}"]
    )


NO_DATES: SearchStrategy[str] = st.one_of(
    DAYS.flatmap(_turned),
    st.sampled_from(_WORDS),
    st.sampled_from(_NO_SUCH_DAY),
    st.sampled_from(_NO_SUCH_TIME),
    st.integers(10**9, 4 * 10**9).map(str),
    st.text(st.characters(categories=("L",)), min_size=1, max_size=12).filter(lambda text: text.lower() != "null"),
)
NO_DATE_VALUES: SearchStrategy[Any] = NO_DATES | st.integers(10**9, 2 * 10**9) | st.sampled_from([True, [], {}])


def instant(text: Any) -> datetime | None:
    """The moment that a date or a date and time names, a date its midnight in UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def same_instant(sent: str, got: Any) -> bool:
    """Whether what came back names the moment that was sent; a leap of fractions is none."""
    one, other = instant(sent), instant(got)
    return one is not None and other is not None and abs(one - other) < timedelta(seconds=1)


def known_ids(api: Api, kind: Kind) -> list[int]:
    """Some ids of that kind; none when its list cannot be read."""
    found = body(ask(api, kind, "list", query={"limit": 100})).get(kind.plural)
    listed: list[Row] = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return [row["id"] for row in listed if isinstance(row.get("id"), int)]


def queries(api: Api, kind: Kind, action: str = "list", wrong: bool = False) -> SearchStrategy[dict[str, Any]]:
    """Any choice of the parameters that an action has besides the organisation; with `wrong` also broken values."""
    drawn = {
        one.name: _values(api, one)
        for one in kind.operation(action).parameters
        if one.place == "query" and one.name != "organization_id"
    }
    if wrong:
        broken = st.sampled_from(["", "abc", "-1", "1.5", "ü", "2017-02-30", "null"])
        drawn = {name: values | broken for name, values in drawn.items()} | {"no_such_parameter": st.just("1")}
    return st.fixed_dictionaries({}, optional=drawn)


def _values(api: Api, parameter: Parameter) -> SearchStrategy[Any]:
    schema = parameter.schema
    if parameter.name == "cursor":
        return st.integers(0, 40)
    if parameter.known:
        kind = Kind(parameter.known["pointer"].split("/")[1])
        return st.sampled_from(known_ids(api, kind) or [1])
    if schema.get("type") == "array":
        return subsets(schema["items"]["enum"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _TYPED[schema.get("format", schema["type"])](schema)


_TYPED: dict[str, Callable[[Any], SearchStrategy[Any]]] = {
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "boolean": lambda _: st.sampled_from(["true", "false"]),
    "date-time": lambda _: MOMENTS,
}


def subsets(names: list[str]) -> SearchStrategy[str]:
    """Any of these names in any order, separated by commas, at least one."""
    return st.lists(st.sampled_from(names), min_size=1, unique=True).map(",".join)
