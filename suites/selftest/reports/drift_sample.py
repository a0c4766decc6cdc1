"""A record of two operations, and a run that found changes of each severity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from contracts.behaviour.behaviour import Address, Behaviour, share
from reports.drift.changes import changes
from reports.drift.drift_results import DriftResult, confirmed, write
from reports.drift.record import Record, RecordHeader
from reports.drift.record_files import read_record, write_record

HEADER = RecordHeader(
    "getflow", "http://127.0.0.1:8000", "0" * 12, "f" * 12, "full", "0.1.0", (date(2026, 11, 12),), {}
)
LIST, CREATE = "GET /tasks", "POST /tasks"
MANY = 40


def text(family: str, place: str, value: str, answer: str = "200", operation: str = LIST) -> dict[Address, Behaviour]:
    """A behaviour that is no share."""
    return {Address(operation, answer, family, place): Behaviour(value, MANY, MANY)}  # type: ignore[arg-type]


def member(name: str, kind: str, **families: str) -> dict[Address, Behaviour]:
    """A member of a task that is always there."""
    path = f"/tasks/*/{name}"
    shares = {
        Address(LIST, "200", "presence", path): share(MANY, MANY),
        Address(LIST, "200", "null", path): share(0, MANY),
    }
    values = {key: it for family, value in families.items() for key, it in text(family, path, value).items()}
    return {**shares, **values, **text("kind", path, kind)}


MISSING, WRONG = "missing: query organization_id", "wrong credentials (token)"
SHAPE = {**text("kind", "/", "object"), **text("kind", "/tasks", "array"), **text("kind", "/tasks/*", "object")}
KEPT = {
    **SHAPE,
    **member("id", "number", number="whole"),
    **text("outcome", "valid: as documented", "200 application/json", ""),
    Address(LIST, "200", "header", "sunset"): share(MANY, MANY),
    **text("header value", "sunset", "Sat, 01 Jan 2033 00:00:00 GMT"),
}
BEFORE = {
    **KEPT,
    **member("assignee_id", "number", number="whole"),
    **member("due_on", "text", form="date"),
    **text("outcome", MISSING, "400 application/json missing_param organization_id", ""),
    **text("outcome", MISSING, "400 application/json missing_param organization_id", "", CREATE),
    **text("outcome", "unknown: query x", "400 application/json unknown x", ""),
    **text("access", WRONG, "401 application/json", ""),
    **text("message", "unknown: query x", "x is unknown", ""),
    **text("clause", "GETFLOW-ERR-18", "broken", "", ""),
}
AFTER = {
    **KEPT,
    **member("due_on", "text", form="date-time Z"),
    **member("labels", "array"),
    **text("outcome", MISSING, "422 application/json missing_param organization_id", ""),
    **text("outcome", MISSING, "422 application/json missing_param organization_id", "", CREATE),
    **text("outcome", "unknown: query x", "400 application/json unknown x", ""),
    **text("access", WRONG, "200 application/json", ""),
    **text("message", "unknown: query x", "there is no x", ""),
    **text("clause", "GETFLOW-ERR-18", "kept", "", ""),
}
UNSTEADY = {Address(LIST, "200", "order", "/tasks"): ("none", "up by id")}


def write_sample(out: Path, folder: Path, *, is_recorded: bool = False) -> DriftResult:
    """Write the record to `folder` and the result of the run to `out`/drift; return the result."""
    write_record(Record(HEADER, BEFORE, UNSTEADY), folder)
    record = read_record(folder)
    all_changes = () if is_recorded else tuple(map(confirmed, changes(record, AFTER)))
    curls = {change.id: "curl -H \"Authorization: Bearer $GETFLOW_TOKEN\" 'http://127.0.0.1:8000/tasks?limit=2'"
             for change in all_changes}  # fmt: skip
    result = DriftResult(
        api="getflow",
        target=HEADER.target,
        folder=str(folder),
        header=record.header,
        day=date(2026, 11, 27),
        plan=HEADER.plan,
        contract=HEADER.contract,
        is_recorded=is_recorded,
        changes=all_changes,
        watched=len(record.steady),
        unsteady=len(record.unsteady),
        curls=curls,
        responses={change.id: '{"tasks": [{"id": 1}]}' for change in all_changes[:2]},
        became_unsteady=() if is_recorded else ("GET /lists · 200 · order · /lists: up by id, then none",),
    )
    write(out / "drift" / "getflow.json", result)
    return result


def rewrite(out: Path, result: DriftResult, **values: object) -> None:
    """Write the result again, with other values."""
    write(out / "drift" / "getflow.json", replace(result, **values))  # type: ignore[arg-type]
