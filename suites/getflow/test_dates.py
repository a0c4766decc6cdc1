"""Dates and times in requests: document lines 83 to 86."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    KINDS,
    LISTS,
    TASKS,
    VERSIONINGS,
    Record,
    RecordKind,
    codes_and_attributes,
    is_success,
    refusal_problems,
    require_known,
    response_text,
    send,
    single_record,
)
from suites.getflow.pagination import all_records
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import persistent
from suites.getflow.strategies import (
    INVALID_DATE_VALUES,
    INVALID_DATES,
    ISO_DATE_TIMES,
    ISO_DATES,
    instant,
    same_instant,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

pytestmark = pytest.mark.bug_kind("clock")

clause = pytest.mark.clause

DATE_ATTRIBUTES = [(TASKS, "due_on"), (TASKS, "starts_on"), (LISTS, "starts_on"), (LISTS, "ends_on")]
FILTERS = ["created_after", "created_before", "updated_after", "updated_before", "completed_after"]
DATE_MEMBERS = ("created_at", "updated_at", "completed_at", "due_on", "starts_on", "ends_on")
OTHER_FORMS = {  # further forms of ISO 8601, each with the moment that it names
    "2017-05-15T16:58:39+01:00": "2017-05-15T15:58:39Z",
    "2017-05-15T16:58:39-09:30": "2017-05-16T02:28:39Z",
    "2017-05-15T16:58:39.250Z": "2017-05-15T16:58:39Z",
    "2017-05-15T16:58Z": "2017-05-15T16:58:00Z",
    "20170515T165839Z": "2017-05-15T16:58:39Z",
    "20170515": "2017-05-15T00:00:00Z",
    "2017-W20-1": "2017-05-15T00:00:00Z",
    "2017-135": "2017-05-15T00:00:00Z",
}


def _send_date(
    api: Api,
    factory: RecordFactory,
    attribute: tuple[RecordKind, str],
    own_records: dict[RecordKind, Any],
    action: str,
    value: Any,
) -> Exchange:
    """Sends the value as that date attribute, in a creation or in an update of our own record."""
    kind, name = attribute
    required = factory.required_attributes(kind) if action == "create" else {}
    return send(api, kind, action, own_records[kind]["id"], attributes={**required, name: value})


def _assert_accepted(api: Api, factory: RecordFactory, values: Any, clause_id: str) -> None:
    """Asserts that every date attribute accepts these values and has the same moment when it is read again."""
    own_records = {kind: factory.create(kind) for kind in (TASKS, LISTS)}

    def check(attribute: tuple[RecordKind, str], value: str, action: str) -> None:
        kind, name = attribute
        exchange = _send_date(api, factory, attribute, own_records, action, value)
        require_known(api, exchange, name)
        returned = single_record(api, exchange, kind, clause_id)
        if action == "create":
            factory.delete_later(kind, returned["id"])
        read = single_record(api, send(api, kind, "read", returned["id"]), kind, clause_id)
        for received in (returned[name], read[name]):
            assert same_instant(value, received), f"{name}: sent {value}, received {received!r}"

    for_all(
        check,
        24,
        attribute=st.sampled_from(DATE_ATTRIBUTES),
        value=values,
        action=st.sampled_from(["update", "create"]),
    )


@clause("GETFLOW-DATE-2")
def test_every_date_attribute_accepts_a_calendar_date(api: Api, factory: RecordFactory) -> None:
    """Every date attribute of tasks and lists accepts any calendar date of 1990 to 2037 and returns that day."""
    _assert_accepted(api, factory, ISO_DATES, "GETFLOW-DATE-2")


@clause("GETFLOW-DATE-3")
def test_every_date_attribute_accepts_a_moment_in_utc(api: Api, factory: RecordFactory) -> None:
    """Every date attribute of tasks and lists accepts any second of 1990 to 2037 in UTC and returns that moment."""
    _assert_accepted(api, factory, ISO_DATE_TIMES, "GETFLOW-DATE-3")


@clause("GETFLOW-DATE-2")
def test_filters_accept_calendar_dates(api: Api) -> None:
    """Every filter by time accepts calendar dates, whichever way the version is named."""

    def check(name: str, value: str, versioning: int) -> None:
        exchange = send(api, TASKS, "list", query={name: value, "limit": 1}, versioning=versioning)
        require_known(api, exchange, name)
        assert is_success(exchange), f"{name}={value}: {response_text(exchange)}"

    for_all(check, 12, name=st.sampled_from(FILTERS), value=ISO_DATES, versioning=st.sampled_from(VERSIONINGS))


@clause("GETFLOW-DATE-3")
def test_filters_divide_tasks_at_a_moment(api: Api) -> None:
    """A filter by a moment divides the tasks at that moment, to the second."""
    tasks = all_records(api, TASKS, "GETFLOW-DATE-3")
    creation_times = sorted({str(task["created_at"]) for task in tasks if instant(task.get("created_at"))})

    def mismatching_tasks(name: str, value: str, expected_tasks: list[Record]) -> set[tuple[Any, str]]:
        shown = {task["id"] for task in all_records(api, TASKS, "GETFLOW-DATE-3", **{name: value})}
        boundary, is_after = instant(value), name.endswith("after")
        mismatches = set()
        for task in expected_tasks:
            moment = instant(task.get("created_at"))
            if (
                moment
                and boundary
                and moment != boundary
                and ((moment > boundary) == is_after) != (task["id"] in shown)
            ):
                mismatches.add((task["id"], str(task["created_at"])))
        return mismatches

    def check(name: str, value: str) -> None:
        exchange = send(api, TASKS, "list", query={name: value, "limit": 1})
        require_known(api, exchange, name)
        assert is_success(exchange), f"{name}={value}: {response_text(exchange)}"
        if not name.startswith("created"):
            return
        mismatches = mismatching_tasks(name, value, tasks)
        if mismatches:
            mismatches = (
                persistent(lambda: mismatching_tasks(name, value, all_records(api, TASKS, "GETFLOW-DATE-3")))
                & mismatches
            )
        assert not mismatches, f"{name}={value} wrongly shows or omits {sorted(mismatches)[:5]}"

    moments = st.sampled_from(creation_times) | ISO_DATE_TIMES if creation_times else ISO_DATE_TIMES
    for_all(check, 12, name=st.sampled_from(FILTERS), value=moments)
    if not creation_times:
        raise MissingPrecondition("no task has a creation time, so no filter divides the tasks")


@clause("GETFLOW-DATE-1")
def test_an_invalid_date_is_refused_and_not_stored(api: Api, factory: RecordFactory) -> None:
    """A value that is not an ISO 8601 date is refused by its attribute's name, and nothing is created or changed."""
    own_records = {kind: factory.create(kind, starts_on="2017-05-15") for kind in (TASKS, LISTS)}
    refused_names: set[str] = set()

    def check(attribute: tuple[RecordKind, str], value: Any, action: str) -> None:
        kind, name = attribute
        exchange = _send_date(api, factory, attribute, own_records, action, value)
        require_known(api, exchange, name)
        assert not is_success(exchange), f"{name} took {value!r}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-DATE-1")
        reported = codes_and_attributes(exchange)
        assert ("invalid_attribute", name) in reported, f"{name} {value!r}: {reported}"
        if action == "create":
            refused_names.add(json.loads(exchange.request.body)[kind.singular]["name"])
        if action == "update":
            read = single_record(api, send(api, kind, "read", own_records[kind]["id"]), kind, "GETFLOW-DATE-1")
            assert read[name] == own_records[kind][name], f"{name} {value!r} was refused, and is {read[name]!r}"

    actions = st.sampled_from(["update", "create"])
    for_all(check, 60, attribute=st.sampled_from(DATE_ATTRIBUTES), value=INVALID_DATE_VALUES, action=actions)
    for kind in own_records:
        created = [row["id"] for row in all_records(api, kind, "GETFLOW-DATE-1") if row.get("name") in refused_names]
        assert not created, f"refused {kind} that were created: {created[:5]}"


@clause("GETFLOW-DATE-1")
def test_filters_refuse_invalid_dates(api: Api) -> None:
    """Every filter by time refuses a value that is not a date, by the parameter's name."""

    def check(name: str, value: str, versioning: int) -> None:
        exchange = send(api, TASKS, "list", query={name: value, "limit": 1}, versioning=versioning)
        require_known(api, exchange, name)
        assert not is_success(exchange), f"{name} took {value!r}"
        refusal_problems(api, exchange, "GETFLOW-DATE-1")
        reported = codes_and_attributes(exchange)
        assert ("invalid_attribute", name) in reported, f"{name}={value}: {reported}"

    for_all(check, 30, name=st.sampled_from(FILTERS), value=INVALID_DATES, versioning=st.sampled_from(VERSIONINGS))


@clause("GETFLOW-DATE-3")
def test_other_forms_of_iso_8601_name_their_moment(
    api: Api, factory: RecordFactory, readings: ObservedReadings
) -> None:
    """Offsets, fractions, the basic format, week and ordinal dates are refused, or read as the moment they name."""
    own_task = factory.create(TASKS)
    refused_forms = []
    for form, moment in OTHER_FORMS.items():
        exchange = send(api, TASKS, "update", own_task["id"], attributes={"due_on": form})
        if not is_success(exchange):
            require_known(api, exchange, "due_on")
            refusal_problems(api, exchange, "GETFLOW-DATE-3")
            refused_forms.append(form)
            continue
        received = single_record(api, send(api, TASKS, "read", own_task["id"]), TASKS, "GETFLOW-DATE-3")["due_on"]
        if not same_instant(moment, received):
            raise violation(api, "GETFLOW-DATE-3", f"{form} refused, or stored as {moment}", repr(received))
    readings.observe("GETFLOW-AMB-22", all=not refused_forms, shown=bool(refused_forms))


@clause("GETFLOW-DATE-3")
def test_dates_in_responses_are_texts(api: Api, readings: ObservedReadings) -> None:
    """Dates of all records are texts or null; whether they are in ISO 8601 is observed."""
    dates = {
        value
        for kind in KINDS
        for record in all_records(api, kind, "GETFLOW-DATE-3")
        for name, value in record.items()
        if name in DATE_MEMBERS and value is not None
    }
    if not dates:
        raise MissingPrecondition("no record has a date")
    not_texts = [value for value in dates if not isinstance(value, str)]
    assert not not_texts, f"dates that are not texts: {not_texts[:5]}"
    readings.observe("GETFLOW-AMB-21", iso=all(instant(value) for value in dates), any_text=True)
