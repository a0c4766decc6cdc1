"""The kill table's Markdown, which is kept in git, reads back as what was written; anything else is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.mutation import kill_table
from reports.mutation.kill_table import Complaint, KillTable
from reports.mutation.kill_table_markdown import parse, published_form, render
from reports.mutation.loading import Loaded, load_comparison, load_kill_table
from suites.selftest.reports.kill_sample import CLAUSE, OTHER, RESULTS, VERDICTS, change, complaint, kill_table_of

FUNCTION = "test_missing_parameter_is_named"


@pytest.mark.parametrize(
    "table",
    [
        kill_table_of(),
        kill_table_of(honest=(complaint(CLAUSE, OTHER), complaint(broken=True))),
        kill_table_of(change("a", "fault", complaint(CLAUSE, OTHER))),
        kill_table_of(replace(RESULTS[4], summary="either | or")),
        kill_table_of(replace(RESULTS[4], clauses=(OTHER, CLAUSE))),
        kill_table_of(replace(RESULTS[7], clauses=())),
    ],
    ids=["every verdict", "complaints about references", "two clauses blamed", "a bar", "two clauses", "no clause"],
)
def test_what_is_written_reads_back(table: KillTable) -> None:
    assert parse(render(table)) == published_form(table)


def test_the_published_table_reads_back() -> None:
    text = (kill_table.PUBLISHED / kill_table.MARKDOWN_NAME).read_text("utf-8")
    table = parse(text)
    assert render(table) == text
    assert {result.verdict for result in table.results} == {"caught", "ok"}


def test_the_published_form_keeps_every_verdict() -> None:
    assert sorted(result.verdict for result in published_form(kill_table_of()).results) == sorted(VERDICTS)


def test_the_published_form_keeps_of_a_complaint_the_function_and_its_own_clauses() -> None:
    (result,) = published_form(kill_table_of(change("a", "fault", complaint(CLAUSE, OTHER)))).results
    assert result.complaints == (Complaint(FUNCTION, (CLAUSE,), ""),)


def test_an_error_of_a_test_stays_one() -> None:
    (result, *_) = parse(render(kill_table_of())).results
    assert (result.name, result.verdict) == ("ends_in_an_error", "broken")


def test_a_fault_has_one_line_with_clause_test_and_cost() -> None:
    row = (
        f"| names_the_wrong_attribute | What names_the_wrong_attribute does. | **{CLAUSE}** | {FUNCTION} | 0.2 | 1234 |"
    )
    assert row in render(kill_table_of()).splitlines()


def test_totals_count_what_is_as_expected_of_all_there_is() -> None:
    text = render(replace(kill_table_of(), changes={"getflow": {"fault": 100, "variant": 7}}))
    assert "| getflow | 2 of 100 | 1 of 7 |" in text.splitlines()


def test_observations_are_counted_apart_from_checks() -> None:
    assert "321 checks and 12 observations" in render(kill_table_of())


SPOILT = {
    "empty": ("", ""),
    "no date": ("Made 2026", "Made"),
    "another total": ("| getflow | 2 of 5 |", "| getflow | 3 of 5 |"),
    "another verdict": ("| missed |", "| caught |"),
    "a cell less": ("| 0.2 | 1234 |", "| 1234 |"),
    "a number that is none": ("1234 |", "many |"),
    "another section": ("## getflow: faults caught", "## getflow: faults seen"),
    "a line more": ("## getflow: faults caught", "A remark.\n\n## getflow: faults caught"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_another_text_is_refused(name: str) -> None:
    old, new = SPOILT[name]
    text = render(kill_table_of()).replace(old, new, 1) if old else ""
    with pytest.raises(ValueError, match=r"it (does|is)|a row"):
        parse(text)


def test_the_run_made_here_is_shown_and_else_the_published_one(tmp_path: Path) -> None:
    published = parse((kill_table.PUBLISHED / kill_table.MARKDOWN_NAME).read_text("utf-8"))
    assert load_kill_table(tmp_path) == Loaded(published, is_published=True)
    (tmp_path / kill_table.FILE_NAME).write_text(kill_table.to_json(kill_table_of()), "utf-8")
    assert load_kill_table(tmp_path) == Loaded(kill_table_of())


JSON = kill_table.to_json(kill_table_of())
SPOILT_JSON = {
    "no JSON": "{",
    "another shape": "[]",
    "an older form": '{"seconds": 1, "honest": [], "results": []}',
    "no date": JSON.replace("2026-01-02T", "yesterday "),
    "another kind": JSON.replace('"variant", "clauses"', '"idea", "clauses"'),
    "no number": JSON.replace("1234", '"many"'),
}


@pytest.mark.parametrize("name", SPOILT_JSON)
def test_a_file_that_cannot_be_read_is_reported_and_is_no_kill_table(name: str, tmp_path: Path) -> None:
    (tmp_path / kill_table.FILE_NAME).write_text(SPOILT_JSON[name], "utf-8")
    loaded = load_kill_table(tmp_path)
    assert loaded.is_published
    assert f"{kill_table.FILE_NAME} cannot be read" in loaded.problem


def test_without_any_kill_table_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill_table, "PUBLISHED", tmp_path)
    assert load_kill_table(tmp_path / "nowhere") == Loaded(None)
    assert load_comparison(tmp_path) == Loaded(None)
