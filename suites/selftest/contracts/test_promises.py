"""Clauses and readings as code uses them: citations, and the meaning that a run assumes."""

from __future__ import annotations

from pathlib import Path

import pytest

import contracts
from contracts.clauses import Clause, clauses, meaning_in_force, readings, sentence_and_citation
from contracts.errors import UsageError
from suites.selftest.contracts.small_contract import write_contract


def clause(line: str) -> Clause:
    return Clause("TODO-A-1", "notes", line, "stated", "wire", "It is so.")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("74", "line 74, stated"),
        ("5,7-9", "line 5,7-9, stated"),
        ("RFC 6455, 5.4", "RFC 6455, 5.4, stated"),
        ("", "no line, stated"),
    ],
)
def test_citation_names_line_and_grade(line: str, expected: str) -> None:
    assert clause(line).citation == expected


def test_clause_is_described_by_its_sentence_and_citation() -> None:
    known = clauses("getflow")["GETFLOW-CT-2"]
    assert sentence_and_citation("GETFLOW-CT-2") == (known.says, "line 17, stated")


def test_reading_is_described_by_its_question_and_line() -> None:
    question = readings("getflow")["GETFLOW-AMB-6"].question
    assert sentence_and_citation("GETFLOW-AMB-6") == (question, "line 73, the document leaves it open")


def test_reading_without_a_line_is_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_contract(tmp_path, "linelesstodo") / "readings.yaml"
    file.write_text(file.read_text().replace('line: "4"', 'line: ""'))
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    assert sentence_and_citation("LINELESSTODO-AMB-1") == ("What becomes of an unknown parameter?", "left open")


@pytest.mark.parametrize("identifier", ["GETFLOW-NONE-1", "OTHER-A-1", "timeout", ""])
def test_unknown_id_has_no_description(identifier: str) -> None:
    with pytest.raises(KeyError) as error:
        sentence_and_citation(identifier)
    assert error.value.args == (identifier,)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "any"),
        ({"GETFLOW_READING_6": "ignored"}, "ignored"),
        ({"GETFLOW_READING_6": "any"}, "any"),
        ({"GETFLOW_READING_7": "refused"}, "any"),
        ({"FLOWAPP_READING_6": "refused"}, "any"),
    ],
)
def test_meaning_in_force_is_the_environments_or_the_default(environ: dict[str, str], expected: str) -> None:
    assert meaning_in_force("GETFLOW-AMB-6", environ) == expected


def test_default_that_is_a_meaning_is_in_force() -> None:
    assert meaning_in_force("GETFLOW-AMB-1", {}) == "bearer"
    assert meaning_in_force("GETFLOW-AMB-1", {"GETFLOW_READING_1": "any"}) == "any"


@pytest.mark.parametrize("meaning", ["", "odd", "IGNORED"])
def test_meaning_that_a_reading_lacks_is_an_error_that_names_all(meaning: str) -> None:
    expected = f"GETFLOW_READING_6: expected one of refused, ignored, any, got {meaning!r}"
    with pytest.raises(UsageError, match=expected):
        meaning_in_force("GETFLOW-AMB-6", {"GETFLOW_READING_6": meaning})


def test_reading_without_meanings_keeps_its_default() -> None:
    untouched = next(reading.id for reading in readings("bitvis").values() if not reading.meanings)
    assert meaning_in_force(untouched, {}) == "none"
