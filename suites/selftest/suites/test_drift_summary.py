"""Tests of what a run's observations become: records, comparisons, and the clauses and readings of its other tests."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from contracts.behaviour.behaviour import Address, Behaviour, share
from reports.drift.record import Record, RecordHeader
from reports.drift.record_files import read_record
from reports.results.result_log import ResultRecord
from suites.drift import run_behaviours
from suites.drift.drift_summary import ApiObservations, compare_observations, record_observations, unreachable_result
from suites.drift.observation_files import (
    FIRST,
    SECOND,
    StoredObservation,
    read_observations,
    write_observation,
)
from suites.selftest.reports.test_reports import leave

GET, PUT = "GET /users", "POST /login"
OUTCOME = Address(GET, "", "outcome", "valid: as documented")
RATE = Address(GET, "200", "presence", "/name")
KIND = {Address(GET, "200", "kind", "/"): Behaviour("object", 40, 40)}


def observation(turn: str = FIRST, operation: str = GET, **facts: str) -> StoredObservation:
    """An observation in which the outcomes of the operation's questions are these."""
    behaviours = {
        Address(operation, "", "outcome", f"valid: {name}"): Behaviour(value) for name, value in facts.items()
    }
    return StoredObservation("flowback", operation, turn, "http://a.example", "0" * 12, "small", 0.0, behaviours)


def observed(folder: Path, *observations: StoredObservation, **facts: str) -> ApiObservations:
    clauses = {Address("", "", "clause", name.replace("_", "-")): Behaviour(value) for name, value in facts.items()}
    return ApiObservations("flowback", folder, observations, clauses)


def with_outcomes(record: Record, operation: str) -> dict[str, str]:
    return {it.place: value.value for it, value in record.steady.items() if it.operation == operation}


def test_what_both_turns_show_is_steady(tmp_path: Path) -> None:
    record, ended = record_observations(
        observed(tmp_path, observation(a="200", b="404"), observation(SECOND, a="200", b="500")), None
    )
    assert with_outcomes(record, GET) == {"valid: a": "200"}
    assert [address.place for address in record.unsteady] == ["valid: b"]
    assert (ended.is_recorded, ended.watched, ended.unsteady) == (True, 1, 1)
    assert read_record(tmp_path) == record


def test_an_operation_that_was_observed_once_is_not_recorded(tmp_path: Path) -> None:
    record, ended = record_observations(observed(tmp_path, observation(a="200")), None)
    assert (dict(record.steady), ended.inconclusive) == ({}, {GET: "observed only once"})


def test_a_rate_that_differs_between_turns_is_unsteady(tmp_path: Path) -> None:
    turns = [
        StoredObservation("flowback", GET, turn, "", "0" * 12, "full", 0.0, {**KIND, RATE: share(count, 40)})
        for turn, count in ((FIRST, 38), (SECOND, 12))
    ]
    record, _ = record_observations(observed(tmp_path, *turns), None)
    assert record.unsteady[RATE] == ("30 %", "95 %")


def test_recording_again_keeps_operations_that_were_not_observed(tmp_path: Path) -> None:
    first, _ = record_observations(
        observed(tmp_path, observation(operation=PUT, a="200"), observation(SECOND, operation=PUT, a="200")), None
    )
    record, _ = record_observations(observed(tmp_path, observation(a="200"), observation(SECOND, a="200")), first)
    assert {address.operation for address in record.steady} == {GET, PUT}


def record_of(**outcomes: str) -> Record:
    header = RecordHeader("flowback", "http://a.example", "0" * 12, "0" * 12, "small", "0", (date(2026, 1, 1),))
    return Record(header, observation(**outcomes).behaviours, {})


def test_a_comparison_names_confirmed_changes(tmp_path: Path) -> None:
    ended = compare_observations(observed(tmp_path, observation(a="404 text/plain")), record_of(a="200 text/plain"))
    assert [(change.places[0].place, change.is_confirmed) for change in ended.changes] == [("valid: a", True)]


def test_operations_that_were_not_selected_are_not_compared(tmp_path: Path) -> None:
    ended = compare_observations(observed(tmp_path, observation(operation=PUT, a="200")), record_of(a="200"))
    assert (ended.changes, ended.not_comparable) == ((), 0)


def test_an_operation_with_few_comparable_behaviours_is_inconclusive(tmp_path: Path) -> None:
    ended = compare_observations(observed(tmp_path, observation(a="200")), record_of(a="200", b="200", c="200"))
    assert (ended.not_comparable, ended.inconclusive) == (2, {GET: "few answers"})


def test_a_clause_that_is_broken_now_is_a_change(tmp_path: Path) -> None:
    clause = Address("", "", "clause", "FLOWBACK-AUTH-3")
    record = record_of(a="200")
    record = Record(record.header, {**record.steady, clause: Behaviour("kept")}, {})
    ended = compare_observations(observed(tmp_path, observation(a="200"), FLOWBACK_AUTH_3="broken"), record)
    assert [(change.clause, change.severity) for change in ended.changes] == [("FLOWBACK-AUTH-3", "breaking")]


def test_clauses_and_readings_of_a_run(tmp_path: Path) -> None:
    results = [
        ResultRecord("todo", "a", "a", "passed", ("TODO-LIST-1",), readings=("TODO-AMB-1: ignored",)),
        ResultRecord("todo", "b", "b", "failed", ("TODO-ERR-1",), ("TODO-ERR-1",)),
        ResultRecord("todo", "c", "c", "skipped", ("TODO-NOTE-1",)),
        ResultRecord("other", "d", "d", "passed", ("OTHER-LIST-1",)),
    ]
    shown = run_behaviours.of_run(leave(tmp_path / "results", *results), "todo")
    assert {(address.family, address.place): it.value for address, it in shown.items()} == {
        ("clause", "TODO-LIST-1"): "kept",
        ("clause", "TODO-ERR-1"): "broken",
        ("reading", "TODO-AMB-1"): "ignored",
    }


def test_an_unreachable_target_has_a_result_without_a_record(tmp_path: Path) -> None:
    ended = unreachable_result("flowback", tmp_path, None, "nobody answers")
    assert (ended.unreachable, ended.changes) == ("nobody answers", ())


def test_observations_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = observation(a="200")
    write_observation(tmp_path, written)
    (read,) = read_observations(tmp_path)
    assert json.dumps(sorted(read.behaviours)) == json.dumps(sorted(written.behaviours))
    assert asdict(read.behaviours[OUTCOME._replace(place="valid: a")])["value"] == "200"


def test_a_file_that_was_not_completed_is_no_observation(tmp_path: Path) -> None:
    write_observation(tmp_path, observation(a="200"))
    (path,) = tmp_path.rglob("*.json")
    path.rename(path.with_suffix(".part"))
    assert read_observations(tmp_path) == []


def test_recording_again_makes_what_differs_unsteady(tmp_path: Path) -> None:
    turns = observation(a="200"), observation(SECOND, a="200")
    record, _ = record_observations(observed(tmp_path, *turns), record_of(a="404"))
    assert set(record.unsteady[OUTCOME._replace(place="valid: a")]) == {"200", "404"}
