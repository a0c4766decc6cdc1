"""What a run says about meanings that an earlier run recorded: new, changed, not seen, or of another target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.errors import UsageError
from contracts.exchange import Exchange, Request, Response
from fixtures.pace import BudgetUsedUp
from fixtures.target_api import Api, MissingPrecondition
from suites.meaning_recorder import note_meaning
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation
from suites.reporting.readings_file import Key, read_readings
from suites.reporting.remembered_readings import ReadingsMemory, configure

KIND = "GET /tasks, unknown: query x"
READING: Key = ("GETFLOW-AMB-6", KIND)
OTHER: Key = ("GETFLOW-AMB-7", "GET /tasks")
GENERATED: Key = ("GETFLOW-AMB-7", "GET /tasks, not in enum: query view = a generated value")
HEAD = "reading,exchange,meanings\nGETFLOW_URL,,our reference\n"
REFUSED = HEAD + f'GETFLOW-AMB-6,"{KIND}",refused\n'


def memory_of(file: Path, content: str = REFUSED, is_strict: bool = False) -> ReadingsMemory:
    """What a run knows that starts with this content of the file."""
    file.write_text(content)
    return ReadingsMemory(file, read_readings(file), is_strict=is_strict)


def see(memory: ReadingsMemory, seen: Mapping[Key, Collection[str]], target: str = "our reference") -> None:
    """Reports these meanings, as a test does when it has run."""
    meanings = [[*key, meaning] for key, names in seen.items() for meaning in names]
    report: Any = SimpleNamespace(user_properties=[("seen_meanings", [target, *meanings])])
    memory.pytest_runtest_logreport(report)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "readings.csv"


def test_a_summary_counts_what_is_known_new_changed_and_not_seen(file: Path) -> None:
    memory = memory_of(file, REFUSED + "GETFLOW-AMB-9,x,served\nGETFLOW-AMB-8,x,prefix\nFLOWAPP-AMB-9,x,ignored\n")
    see(memory, {READING: ["accepted"], OTHER: ["refused"], ("GETFLOW-AMB-8", "x"): ["prefix"]})
    expected = "readings.csv: readings by kind of exchange: 1 as recorded, 1 new, 1 changed, 1 not seen"
    assert memory.summary_lines()[0] == expected


def test_a_change_names_the_line_and_what_to_do(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {READING: ["accepted"]})
    _, change, advice = memory.summary_lines()
    assert change == f"changed: GETFLOW-AMB-6: {KIND}: refused before (readings.csv, line 3), accepted now"
    assert advice == f"to accept a change, delete its line: the next run records it anew ({file})"


def test_a_meaning_beside_the_recorded_one_is_a_change(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {READING: ["refused", "accepted"]})
    assert "refused before (readings.csv, line 3), accepted and refused now" in memory.summary_lines()[1]


def test_one_of_several_recorded_meanings_is_no_change(file: Path) -> None:
    memory = memory_of(file, REFUSED.replace(",refused", ",accepted refused"))
    see(memory, {READING: ["accepted"]})
    assert "1 as recorded, 0 new, 0 changed, 0 not seen" in "".join(memory.summary_lines())


@pytest.mark.parametrize(("meanings", "changed"), [(["accepted", "refused"], 0), (["accepted"], 1)])
def test_generated_values_have_changed_when_none_of_them_is_as_before(
    meanings: list[str], changed: int, file: Path
) -> None:
    memory = memory_of(file, HEAD + f'GETFLOW-AMB-7,"{GENERATED[1]}",refused\n')
    see(memory, {GENERATED: meanings})
    assert f"{changed} changed" in memory.summary_lines()[0]


def test_two_meanings_in_one_run_are_both_recorded_and_reported(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {OTHER: ["refused"]})
    see(memory, {OTHER: ["ignored"]})
    assert memory.summary_lines()[1] == "several meanings: GETFLOW-AMB-7: GET /tasks: ignored and refused"
    memory.write(())
    assert read_readings(file).meanings[OTHER] == {"ignored", "refused"}


def test_many_changes_are_counted_after_the_first_twenty(file: Path) -> None:
    lines = "".join(f"GETFLOW-AMB-6,{number},refused\n" for number in range(23))
    memory = memory_of(file, HEAD + lines)
    see(memory, {("GETFLOW-AMB-6", str(number)): ["accepted"] for number in range(23)})
    summary = memory.summary_lines()
    assert sum(line.startswith("changed: ") for line in summary) == 20
    assert "… and 3 more" in summary


def test_readings_of_another_target_are_pointed_out(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {READING: ["refused"]}, target="https://flow.example")
    assert memory.summary_lines()[1:] == [
        "readings.csv has the readings of our reference, but getflow was tested at https://flow.example"
    ]


def test_an_empty_name_is_misuse(tmp_path: Path) -> None:
    folder = SimpleNamespace(dir=tmp_path)
    config: Any = SimpleNamespace(option=SimpleNamespace(readings=""), invocation_params=folder)
    with pytest.raises(UsageError, match="--readings: expected a file, got the folder"):
        configure(config)


def test_a_run_that_saw_nothing_says_so(file: Path) -> None:
    memory = memory_of(file)
    assert memory.summary_lines() == ["readings.csv: no meaning of a reading was seen, so nothing was recorded"]
    assert memory.write(()) == []
    assert file.read_text() == REFUSED


def test_what_another_run_has_recorded_meanwhile_stays(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {OTHER: ["refused"]})
    file.write_text(REFUSED + "GETFLOW-AMB-7,GET /tasks,ignored\nGETFLOW-AMB-9,x,served\n")
    assert memory.write(()) == []
    assert file.read_text() == REFUSED + "GETFLOW-AMB-7,GET /tasks,ignored\nGETFLOW-AMB-9,x,served\n"


def test_a_file_that_was_spoilt_meanwhile_is_left_alone_and_reported(file: Path) -> None:
    memory = memory_of(file)
    see(memory, {OTHER: ["refused"]})
    file.write_text("<<<<<<< HEAD\n")
    (problem,) = memory.write(())
    assert problem.startswith(f"what was seen could not be recorded: --readings: {file}, line 1: expected reading,")
    assert problem in memory.summary_lines()
    assert file.read_text() == "<<<<<<< HEAD\n"


@pytest.fixture
def api() -> Api:
    """An API whose present test saw a request accepted."""
    api = in_process_api("getflow")
    exchange = Exchange(Request("GET", f"{api.target.url}/tasks?x=1"), Response(200, (), b"{}"))
    note_meaning(api, *READING, "accepted", exchange)
    return api


def end_of_test(memory: ReadingsMemory, api: Api, error: Exception | None = None) -> list[tuple[str, str]]:
    """Ends a test of that API; returns its properties. Raises what the test ends with."""
    item: Any = SimpleNamespace(
        funcargs={"api": api}, user_properties=[], config=SimpleNamespace(option=SimpleNamespace(), args=[])
    )
    phase = memory.pytest_runtest_call(item)
    next(phase)
    if error:
        phase.throw(error)
    with pytest.raises(StopIteration):
        phase.send(None)
    return list(item.user_properties)


def test_a_test_that_saw_a_change_has_it_among_its_properties(file: Path, api: Api) -> None:
    ((name, text),) = end_of_test(memory_of(file), api)
    assert (name, text.partition(":")[0]) == ("reading_change", "GETFLOW-AMB-6")


def test_a_fixed_reading_is_not_compared(file: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GETFLOW_READING_6", "ignored")
    assert end_of_test(memory_of(file, is_strict=True), api) == []


def test_a_reading_that_is_fixed_to_any_is_compared(file: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GETFLOW_READING_6", "any")
    assert len(end_of_test(memory_of(file), api)) == 1


@pytest.mark.parametrize("reason", [None, MissingPrecondition("no record"), BudgetUsedUp("no budget")])
def test_a_strict_run_fails_a_test_that_saw_a_change(file: Path, api: Api, reason: Exception | None) -> None:
    with pytest.raises(ContractViolation) as failed:
        end_of_test(memory_of(file, is_strict=True), api, reason)
    assert failed.value.clauses == ("GETFLOW-AMB-6",)
    assert f"expected   refused ({KIND}), as recorded in readings.csv, line 3" in str(failed.value)
    assert "curl " in str(failed.value)


@pytest.mark.parametrize("is_strict", [False, True])
@pytest.mark.parametrize("reason", [AssertionError("a finding"), ZeroDivisionError("ours")])
def test_a_test_that_has_failed_keeps_its_failure(file: Path, api: Api, reason: Exception, is_strict: bool) -> None:
    with pytest.raises(type(reason)) as failed:
        end_of_test(memory_of(file, is_strict=is_strict), api, reason)
    assert "changed    GETFLOW-AMB-6" in failed.value.__notes__[0]


def test_a_run_that_is_not_strict_skips_as_before(file: Path, api: Api) -> None:
    with pytest.raises(MissingPrecondition):
        end_of_test(memory_of(file), api, MissingPrecondition("no record"))
