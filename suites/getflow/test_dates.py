"""Dates and times that are passed in: document lines 83 to 86."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all, persists
from suites.getflow.dialect import (
    KINDS,
    LISTS,
    TASKS,
    WAYS,
    Kind,
    Row,
    ask,
    problems,
    record,
    refused,
    shown,
    succeeded,
)
from suites.getflow.drawn import DAYS, MOMENTS, NO_DATE_VALUES, NO_DATES, instant, same_instant
from suites.getflow.paging import whole
from suites.readings import Observed

clause = pytest.mark.clause

ATTRIBUTES = [(TASKS, "due_on"), (TASKS, "starts_on"), (LISTS, "starts_on"), (LISTS, "ends_on")]
FILTERS = ["created_after", "created_before", "updated_after", "updated_before", "completed_after"]
STAMPS = ("created_at", "updated_at", "completed_at", "due_on", "starts_on", "ends_on")
OTHER_FORMS = {  # more of ISO 8601, each with the moment that it names
    "2017-05-15T16:58:39+01:00": "2017-05-15T15:58:39Z",
    "2017-05-15T16:58:39-09:30": "2017-05-16T02:28:39Z",
    "2017-05-15T16:58:39.250Z": "2017-05-15T16:58:39Z",
    "2017-05-15T16:58Z": "2017-05-15T16:58:00Z",
    "20170515T165839Z": "2017-05-15T16:58:39Z",
    "20170515": "2017-05-15T00:00:00Z",
    "2017-W20-1": "2017-05-15T00:00:00Z",
    "2017-135": "2017-05-15T00:00:00Z",
}


def _set(api: Api, bench: Bench, spot: tuple[Kind, str], own: dict[Kind, Any], action: str, value: Any) -> Exchange:
    """Sends a date as that attribute, to a new record or to the one that is there."""
    kind, name = spot
    needed = bench.needs(kind) if action == "create" else {}
    return ask(api, kind, action, own[kind]["id"], sent={**needed, name: value})


def _taken(api: Api, bench: Bench, form: Any, due: str) -> None:
    """Every attribute that is a date takes each of these, and has the same moment when it is read again."""
    own = {kind: bench.make(kind) for kind in (TASKS, LISTS)}

    def holds(spot: tuple[Kind, str], value: str, action: str) -> None:
        kind, name = spot
        exchange = _set(api, bench, spot, own, action, value)
        assert succeeded(exchange), f"{name} {value}: {shown(exchange)}"
        told = record(api, exchange, kind, due)
        if action == "create":
            bench.keep(kind, told["id"])
        read = record(api, ask(api, kind, "read", told["id"]), kind, due)
        for came in (told.get(name), read.get(name)):
            assert same_instant(value, came), f"{name}: sent {value}, came back as {came!r}"

    for_all(holds, 24, spot=st.sampled_from(ATTRIBUTES), value=form, action=st.sampled_from(["update", "create"]))


@clause("GETFLOW-DATE-2")
def test_a_calendar_date_is_taken_wherever_a_date_is(api: Api, bench: Bench) -> None:
    """Any day of 1990 to 2037, in tasks and lists, new and changed, is kept and comes back as that day."""
    _taken(api, bench, DAYS, "GETFLOW-DATE-2")


@clause("GETFLOW-DATE-3")
def test_a_moment_in_utc_is_taken_wherever_a_date_is(api: Api, bench: Bench) -> None:
    """Any second of 1990 to 2037, in tasks and lists, new and changed, is kept and comes back as that instant."""
    _taken(api, bench, MOMENTS, "GETFLOW-DATE-3")


@clause("GETFLOW-DATE-2")
def test_filters_take_calendar_dates(api: Api) -> None:
    """Every filter by time does, both ways to name the version."""

    def holds(name: str, value: str, way: int) -> None:
        exchange = ask(api, TASKS, "list", query={name: value, "limit": 1}, way=way)
        assert succeeded(exchange), f"{name}={value}: {shown(exchange)}"

    for_all(holds, 12, name=st.sampled_from(FILTERS), value=DAYS, way=st.sampled_from(WAYS))


@clause("GETFLOW-DATE-3")
def test_filters_take_moments_and_mean_them(api: Api) -> None:
    """A filter by an instant divides the tasks at that instant, to the second."""
    everything = whole(api, TASKS, "GETFLOW-DATE-3")
    stamps = sorted({str(row["created_at"]) for row in everything if instant(row.get("created_at"))})

    def off(name: str, value: str, rows: list[Row]) -> set[tuple[Any, str]]:
        found = {row["id"] for row in whole(api, TASKS, "GETFLOW-DATE-3", **{name: value})}
        edge, after = instant(value), name.endswith("after")
        stamps = [(row["id"], str(row.get("created_at")), instant(row.get("created_at"))) for row in rows]
        told = [one for one in stamps if one[2] and edge and one[2] != edge]
        return {(one, text) for one, text, moment in told if ((moment > edge) == after) != (one in found)}

    def holds(name: str, value: str) -> None:
        exchange = ask(api, TASKS, "list", query={name: value, "limit": 1})
        assert succeeded(exchange), f"{name}={value}: {shown(exchange)}"
        if not name.startswith("created"):
            return
        found = off(name, value, everything)
        if found:
            found &= persists(lambda: off(name, value, whole(api, TASKS, "GETFLOW-DATE-3")))
        assert not found, f"{name}={value} shows or leaves out wrongly: {sorted(found)[:5]}"

    drawn = st.sampled_from(stamps) | MOMENTS if stamps else MOMENTS
    for_all(holds, 12, name=st.sampled_from(FILTERS), value=drawn)


@clause("GETFLOW-DATE-1")
def test_what_is_no_date_is_refused_and_not_kept(api: Api, bench: Bench) -> None:
    """In a creation or an update, what is not of ISO 8601 is refused by name, and nothing is made or changed."""
    own = {kind: bench.make(kind, starts_on="2017-05-15") for kind in (TASKS, LISTS)}
    refused_names: set[str] = set()

    def holds(spot: tuple[Kind, str], value: Any, action: str) -> None:
        kind, name = spot
        exchange = _set(api, bench, spot, own, action, value)
        assert not succeeded(exchange), f"{name} took {value!r}: {shown(exchange)}"
        refused(api, exchange, "GETFLOW-DATE-1")
        told = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
        assert ("invalid_attribute", name) in told, f"{name} {value!r}: {told}"
        if action == "create":
            refused_names.add(json.loads(exchange.sent.body)[kind.singular]["name"])
        if action == "update":
            read = record(api, ask(api, kind, "read", own[kind]["id"]), kind, "GETFLOW-DATE-1")
            assert read.get(name) == own[kind].get(name), f"{name} {value!r} was refused, and is {read.get(name)!r}"

    actions = st.sampled_from(["update", "create"])
    for_all(holds, 60, spot=st.sampled_from(ATTRIBUTES), value=NO_DATE_VALUES, action=actions)
    for kind in own:
        made = [row["id"] for row in whole(api, kind, "GETFLOW-DATE-1") if row.get("name") in refused_names]
        assert not made, f"refused {kind}, and made all the same: {made[:5]}"


@clause("GETFLOW-DATE-1")
def test_filters_refuse_what_is_no_date(api: Api) -> None:
    """Every filter by time refuses it by that parameter's name."""

    def holds(name: str, value: str, way: int) -> None:
        exchange = ask(api, TASKS, "list", query={name: value, "limit": 1}, way=way)
        assert not succeeded(exchange), f"{name} took {value!r}"
        refused(api, exchange, "GETFLOW-DATE-1")
        told = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
        assert ("invalid_attribute", name) in told, f"{name}={value}: {told}"

    for_all(holds, 30, name=st.sampled_from(FILTERS), value=NO_DATES, way=st.sampled_from(WAYS))


@clause("GETFLOW-DATE-3")
def test_other_forms_of_iso_8601_keep_their_moment(api: Api, bench: Bench, readings: Observed) -> None:
    """Offsets, fractions, the basic format, week and ordinal dates are refused, or taken for the moment they name."""
    own = bench.make(TASKS)
    refused_forms = []
    for form, moment in OTHER_FORMS.items():
        exchange = ask(api, TASKS, "update", own["id"], sent={"due_on": form})
        if not succeeded(exchange):
            refused(api, exchange, "GETFLOW-DATE-3")
            refused_forms.append(form)
            continue
        came = record(api, ask(api, TASKS, "read", own["id"]), TASKS, "GETFLOW-DATE-3").get("due_on")
        if not same_instant(moment, came):
            raise broken(api, "GETFLOW-DATE-3", f"{form} refused, or kept as {moment}", repr(came))
    readings.one_of("GETFLOW-AMB-22", all=not refused_forms, shown=bool(refused_forms))


@clause("GETFLOW-DATE-3")
def test_dates_in_answers_are_iso_8601_or_any_text(api: Api, readings: Observed) -> None:
    """What stands in the dates of all records is a text or nothing; whether it is of ISO 8601 is recorded."""
    found = {
        value
        for kind in KINDS
        for row in whole(api, kind, "GETFLOW-DATE-3")
        for name, value in row.items()
        if name in STAMPS and value is not None
    }
    assert all(isinstance(value, str) for value in found), f"{[one for one in found if not isinstance(one, str)][:5]}"
    readings.one_of("GETFLOW-AMB-21", iso=all(instant(value) for value in found), any_text=True)
