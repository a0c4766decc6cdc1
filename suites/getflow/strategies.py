"""Strategies for the tests of getflow: names, dates, queries.

Rule: what is called valid keeps the contract; what is called invalid is invalid under every reading.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contracts.operation import Parameter
from fixtures.target_api import Api
from suites.getflow.client import RecordKind, json_body, send

PRINTABLE_CHARACTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs"))

# Texts in normal form (NFC) without outer or repeated spaces: servers need not change them, so they come back equal.
NAMES: SearchStrategy[str] = st.text(PRINTABLE_CHARACTERS, min_size=1, max_size=40).filter(
    lambda text: text == " ".join(unicodedata.normalize("NFC", text).split())
)

ISO_DATES: SearchStrategy[str] = st.dates(datetime(1990, 1, 1).date(), datetime(2037, 12, 31).date()).map(
    lambda day: day.isoformat()
)
ISO_DATE_TIMES: SearchStrategy[str] = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
)

_NON_DATES = ("tomorrow", "now", "yesterday", "next week", "May 15, 2017", "Mon, 15 May 2017 16:58:39 GMT", "none", "-")
_IMPOSSIBLE_DAYS = ("2017-02-30", "2017-02-29", "2017-04-31", "2017-13-01", "2017-00-10", "2017-05-00", "2017-05-32")
_IMPOSSIBLE_TIMES = ("2017-05-15T25:00:00Z", "2017-05-15T16:60:00Z", "2017-05-15T16:58:61Z")


def _other_notations(text: str) -> SearchStrategy[str]:
    """A calendar date in common notations that are not ISO 8601."""
    year, month, day = text.split("-")
    return st.sampled_from(
        [f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{day}-{month}-{year}", f"{year}/{month}/{day}"]
    )


INVALID_DATES: SearchStrategy[str] = st.one_of(
    ISO_DATES.flatmap(_other_notations),
    st.sampled_from(_NON_DATES),
    st.sampled_from(_IMPOSSIBLE_DAYS),
    st.sampled_from(_IMPOSSIBLE_TIMES),
    st.integers(10**9, 4 * 10**9).map(str),
    st.text(st.characters(categories=["L"]), min_size=1, max_size=12).filter(lambda text: text.lower() != "null"),
)
INVALID_DATE_VALUES: SearchStrategy[Any] = (
    INVALID_DATES | st.integers(10**9, 2 * 10**9) | st.sampled_from([True, [], {}])
)


def instant(text: Any) -> datetime | None:
    """The moment that a date or a date and time names (a date: its midnight in UTC); None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def same_instant(sent_text: str, received: Any) -> bool:
    """Whether the value that was received names the moment that was sent, up to a fraction of a second."""
    sent_moment, received_moment = instant(sent_text), instant(received)
    return (
        sent_moment is not None
        and received_moment is not None
        and abs(sent_moment - received_moment) < timedelta(seconds=1)
    )


def known_ids(api: Api, kind: RecordKind) -> list[int]:
    """Some ids of that kind; none when its list cannot be read."""
    records = json_body(send(api, kind, "list", query={"limit": 100})).get(kind.plural)
    listed = records if isinstance(records, list) else []
    return [record["id"] for record in listed if isinstance(record, dict) and isinstance(record.get("id"), int)]


def queries(
    api: Api, kind: RecordKind, action: str = "list", with_invalid: bool = False
) -> SearchStrategy[dict[str, Any]]:
    """Any choice of an action's query parameters; `with_invalid` adds invalid values and an unknown name."""
    strategies = {
        parameter.name: _values(api, parameter)
        for parameter in kind.operation(action).parameters
        if parameter.location == "query" and parameter.name != "organization_id"
    }
    if with_invalid:
        invalid_values = st.sampled_from(["", "abc", "-1", "1.5", "ü", "2017-02-30", "null"])
        strategies = {name: values | invalid_values for name, values in strategies.items()} | {
            "no_such_parameter": st.just("1")
        }
    return st.fixed_dictionaries({}, optional=strategies)


def _values(api: Api, parameter: Parameter) -> SearchStrategy[Any]:
    schema = parameter.schema
    if parameter.name == "cursor":
        return st.integers(0, 40)
    if parameter.value_source:
        kind = RecordKind(parameter.value_source["pointer"].split("/")[1])
        return st.sampled_from(known_ids(api, kind) or [1])
    if schema.get("type") == "array":
        return comma_separated(schema["items"]["enum"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _TYPED[schema.get("format", schema["type"])](schema)


_TYPED: dict[str, Callable[[Any], SearchStrategy[Any]]] = {
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "boolean": lambda _: st.sampled_from(["true", "false"]),
    "date-time": lambda _: ISO_DATE_TIMES,
}


def comma_separated(names: list[str]) -> SearchStrategy[str]:
    """Any of these names in any order, separated by commas, at least one."""
    return st.lists(st.sampled_from(names), min_size=1, unique=True).map(",".join)
