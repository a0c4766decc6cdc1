"""The kill table's page shows every fault, what is not as expected first, and which mutation run it shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from reports.allure import report_page
from reports.mutation import kill_table, kill_table_markdown, kill_table_page, tool_comparison
from reports.mutation.kill_table import KillTable, MutationResult
from reports.mutation.loading import Loaded
from suites.mutation import __main__ as prove
from suites.mutation import kill_table_files
from suites.selftest.reports.kill_sample import (
    CLAUSE,
    OTHER,
    READING,
    RESULTS,
    VERDICTS,
    change,
    comparison,
    complaint,
    kill_table_of,
)

PUBLISHED = kill_table_markdown.parse((kill_table.PUBLISHED / kill_table.MARKDOWN_NAME).read_text("utf-8"))
HOSTILE = "</script></pre><img src=//evil.example onerror=alert(1)>\"'&"
SHOWN_TEST = "getflow/test_errors.py::test_missing_parameter_is_named[limit|name]"


def html(table: KillTable, is_published: bool = False) -> str:
    return kill_table_page.render_page(Loaded(table, is_published), Loaded(comparison()))


def rows(text: str) -> list[tuple[str, str]]:
    """The class and the id of each result's row, in the page's order."""
    return re.findall(r'<(?:tr|div) class="?(row(?: bad)?)"? id="([^"]+)"', text)


def row_of(name: str) -> str:
    (row,) = re.findall(rf'<tr class=row id="{re.escape(name)}">.*?</tr>', html(kill_table_of()))
    return unescape(row.replace("<wbr>", ""))


def test_each_verdict_follows_from_the_complaints() -> None:
    assert tuple(result.verdict for result in RESULTS) == VERDICTS


def test_json_reads_back_as_it_was_written() -> None:
    written = kill_table_of(honest=(complaint(CLAUSE),))
    assert kill_table.parse_kill_table(kill_table.to_json(written)) == written
    assert tool_comparison.parse_comparison(tool_comparison.comparison_json(comparison())) == comparison()


@pytest.mark.parametrize("table", [kill_table_of(), PUBLISHED], ids=["sample", "published"])
def test_every_change_has_one_row(table: KillTable) -> None:
    expected = sorted(f"{result.api}.{result.name}" for result in table.results)
    assert sorted(name for _, name in rows(html(table))) == expected


def test_a_row_has_fault_clause_test_seconds_and_requests() -> None:
    row = row_of("getflow.names_the_wrong_attribute")
    parts = [">caught<", "What names_the_wrong_attribute does.", f">{CLAUSE}<", SHOWN_TEST, ">0.2<", ">1,234<"]
    assert [part for part in parts if part not in row] == []


def test_what_is_not_as_expected_is_red_and_stands_first() -> None:
    order = rows(html(kill_table_of(*reversed(RESULTS))))
    wrong = ["getflow.ends_in_an_error", "getflow.nobody_complains", "getflow.blames_another"]
    assert order[:4] == [("row bad", name) for name in [*wrong, "getflow.blamed_for_nothing"]]
    assert {kind for kind, _ in order[4:]} == {"row"}


def test_variants_stand_below_all_faults() -> None:
    names = [name for _, name in rows(html(kill_table_of()))]
    assert names[-2:] == ["getflow.clamps_the_limit", "all.3"]


def test_a_complaint_about_an_unchanged_reference_stands_before_everything() -> None:
    text = html(kill_table_of(honest=(complaint(CLAUSE, message="the reference is blamed"),)))
    assert text.index("the reference is blamed") < text.index('id="getflow.ends_in_an_error"')


def test_a_table_that_is_as_expected_has_no_section_of_the_rest() -> None:
    assert "Not as expected" not in html(kill_table_of(RESULTS[4]))


def test_the_counts_are_those_of_the_results() -> None:
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd></div>", html(kill_table_of())))
    assert tiles == {
        "faults caught": "3 of 6",
        "variants without complaint": "1 of 2",
        "runs with other requests without complaint": "1 of 1",
        "complaints, unchanged references": "0",
        "seconds in all": "99",
    }


def test_a_tile_is_red_when_a_result_is_not_as_expected() -> None:
    assert "<div class=bad><dt>faults caught</dt>" in html(kill_table_of())
    assert "<div><dt>faults caught</dt>" in html(kill_table_of(RESULTS[4]))


def test_observations_are_counted_apart_from_checks() -> None:
    assert "321 checks and 12 observations, which kill nothing;" in html(kill_table_of())


def test_a_part_of_all_changes_says_so() -> None:
    part = replace(kill_table_of(), changes={"getflow": {"fault": 100, "variant": 7}})
    assert "Only a part was run. Faults and variants that were run: 7 of 107 in getflow." in html(part)
    assert "Only a part" not in html(kill_table_of())


def test_hostile_text_is_escaped() -> None:
    evil = MutationResult(
        HOSTILE, HOSTILE, "fault", (HOSTILE,), HOSTILE, (complaint(HOSTILE, message=HOSTILE),), 1, 0.1
    )
    missed = replace(evil, complaints=())
    both = comparison()
    row = replace(both.rows[0], api=HOSTILE, name=HOSTILE, theirs=replace(both.rows[0].theirs, says=HOSTILE))
    provenance = replace(both.made, command=HOSTILE, python=HOSTILE)
    text = kill_table_page.render_page(
        Loaded(replace(kill_table_of(evil, missed, honest=evil.complaints), made=provenance), problem=HOSTILE),
        Loaded(replace(both, made=provenance, tool=HOSTILE, sample=HOSTILE, rows=(row,)), problem=HOSTILE),
    )
    assert "<img" not in text
    assert "</script></pre>" not in text
    assert text.count("<script>") == text.count("</script>") == 1
    assert report_page.foreign_references(text) == []


def test_an_unknown_clause_is_shown_without_a_promise() -> None:
    row = row_of("getflow.is_of_an_unknown_clause")
    assert "GETFLOW-GONE-1" in row
    assert "<summary>promise" not in row.replace("promise and finding", "")


def test_a_clause_of_another_api_has_its_row() -> None:
    stranger = change("breaks_another_api", "fault", complaint(CLAUSE), api="flowback")
    assert rows(html(kill_table_of(stranger))) == [("row", "flowback.breaks_another_api")]


def test_an_api_that_no_contract_names_has_its_rows() -> None:
    unknown = change("breaks_it", "fault", complaint("TODO-GEN-1"), clause="TODO-GEN-1", api="todo")
    text = html(kill_table_of(unknown))
    assert rows(text) == [("row", "todo.breaks_it")]
    assert "<h2>todo: faults caught</h2>" in text


def test_the_page_says_how_it_was_made_and_how_to_make_another() -> None:
    text = html(kill_table_of())
    assert "Made 2026-01-02 03:04 UTC by <code>python -m suites.mutation</code>: 321 checks" in text
    assert "2 processes on 4 cores, Python 3.11.1." in text
    assert "the mutation run made here (<code>prove/kill-table.json</code>). To make a new one: <code>tox -e pr" in text
    assert "the published mutation run (<code>reports/kill-table.md</code>)" in html(kill_table_of(), is_published=True)


def test_a_problem_with_the_file_made_here_is_shown() -> None:
    assert "<p class=missing>it cannot be read</p>" in kill_table_page.render_page(
        Loaded(kill_table_of(), True, "it cannot be read"), Loaded(None)
    )


def test_totals_of_both_tools_leave_out_the_unchanged_references() -> None:
    ours, theirs = tool_comparison.totals(comparison().rows)
    assert (ours.killed, ours.faults, ours.blamed, ours.alarms, ours.requests, ours.seconds) == (2, 2, 0, 0, 56, 3.0)
    assert (theirs.killed, theirs.blamed, theirs.variants, theirs.alarms, theirs.requests) == (1, 1, 1, 2, 120)
    cells = "<td>Schemathesis 4.0</td><td class=n>1 of 2</td><td class=n>1 of 1</td><td class=n>2</td>"
    assert cells in html(kill_table_of())


def test_without_a_kill_table_the_page_says_how_to_make_one() -> None:
    text = kill_table_page.render_page(Loaded(None), Loaded(None))
    assert "There is no kill table to show. To make a new one: <code>tox -e prove</code>" in text


def test_without_a_comparison_the_page_names_the_published_one() -> None:
    assert "<code>reports/against-schemathesis.md</code>" in kill_table_page.render_page(Loaded(None), Loaded(None))


def test_a_mutation_run_leaves_json_markdown_and_the_page(tmp_path: Path) -> None:
    kill_table_files.write(tmp_path, kill_table_of())
    assert {path.name for path in tmp_path.iterdir()} == {"kill-table.md", "kill-table.json", "kill-table.html"}
    assert kill_table.parse_kill_table((tmp_path / kill_table.FILE_NAME).read_text("utf-8")) == kill_table_of()
    stored = json.loads((tmp_path / kill_table.FILE_NAME).read_text("utf-8"))
    assert [result["verdict"] for result in stored["results"]] == list(VERDICTS)
    assert "getflow.nobody_complains" in (tmp_path / "kill-table.html").read_text("utf-8")


def test_only_the_markdown_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kill_table, "PUBLISHED", tmp_path)
    assert kill_table_files.publish(kill_table_of()) == [tmp_path / "kill-table.md"]
    published = kill_table_markdown.parse((tmp_path / "kill-table.md").read_text("utf-8"))
    assert published == kill_table_markdown.published_form(kill_table_of())


@pytest.mark.parametrize("part", [["--api", "getflow"], ["--only", "a"], ["--sample", "3"], ["suites/getflow"]])
def test_a_part_is_not_published(part: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        prove.main(["--publish", *part])
    assert "a part is not published" in capsys.readouterr().err


def test_results_are_ordered_by_their_verdict() -> None:
    late = change("a", "fault", complaint(CLAUSE))
    assert kill_table_files.sort_results([late, *reversed(RESULTS)])[0].verdict == "broken"
    assert [result.verdict for result in kill_table_files.sort_results(RESULTS)] == list(VERDICTS)


def test_a_mutation_run_that_was_cut_short_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut_short(_: list[str], plugins: list[prove.MutationRun]) -> int:
        plugins[0].results.append(RESULTS[4])
        return 2

    monkeypatch.setenv("HYPOTHESIS_PROFILE", "ci")  # the mutation run sets it
    monkeypatch.setattr(prove.pytest, "main", cut_short)
    assert prove.main(["--only", "counts_pages_from_zero,gives_a_single_row_bare", "--out", str(tmp_path)]) == 1
    assert "1 of 2 trials ended" in capsys.readouterr().err
    assert "Only a part was run" in (tmp_path / "kill-table.html").read_text("utf-8")


def with_causes(name: str, *causes: tuple[str, ...]) -> MutationResult:
    """The result of a fault that every test ran against, with these causes."""
    return replace(change(name, "fault", complaint(CLAUSE)), causes=causes)


MANY = with_causes("has_many_causes", (CLAUSE,), (OTHER,), (READING,), ("GETFLOW-ERR-3",))
FEW = [with_causes("has_one_cause", (OTHER, CLAUSE)), with_causes("is_blamed_on_another", (OTHER,))]


def test_causes_are_read_as_they_were_written() -> None:
    written = kill_table_of(MANY, *FEW)
    assert kill_table.parse_kill_table(kill_table.to_json(written)) == written


def test_the_json_says_how_many_causes_there_are_and_whether_the_first_is_right() -> None:
    records = json.loads(kill_table.to_json(kill_table_of(MANY, *FEW)))["results"]
    assert [record["number_of_causes"] for record in records] == [4, 1, 1]
    assert [record["is_first_cause_right"] for record in records] == [True, True, False]


def test_the_summary_counts_causes_and_names_what_is_not_as_it_should_be() -> None:
    lines = kill_table_files.summary(kill_table_of(MANY, *FEW)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("causes"))
    assert lines[start : start + 5] == [
        "causes of a fault  faults  median  most  above 3  another clause first",
        "getflow            3       1       4     1        1",
        "all                3       1       4     1        1",
        f"    getflow.has_many_causes: 4 causes, expected at most 3: {CLAUSE}, {OTHER}, {READING}, GETFLOW-ERR-3",
        f"    getflow.is_blamed_on_another: the first cause is about {OTHER}, expected {CLAUSE}",
    ]


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        (((CLAUSE,),), 0),
        (((OTHER, CLAUSE),), 0),
        (((OTHER,), (CLAUSE,)), 1),
        (((CLAUSE,), (OTHER,)), 1),
        (((CLAUSE,), (OTHER,), (READING,), ("GETFLOW-ERR-3",)), 1),
    ],
)
def test_the_exit_code_says_whether_causes_are_few_and_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, causes: tuple[tuple[str, ...], ...], code: int
) -> None:
    def count_causes(_: list[str], plugins: list[prove.MutationRun]) -> int:
        plugins[0].results.append(with_causes("counts_pages_from_zero", *causes))
        return 0

    monkeypatch.setenv("HYPOTHESIS_PROFILE", "ci")  # the mutation run sets it
    monkeypatch.setattr(prove.pytest, "main", count_causes)
    options = ["--causes", "--only", "counts_pages_from_zero", "--out", str(tmp_path)]
    assert prove.main(options) == code


def test_the_summary_has_no_causes_where_no_trial_counted_them() -> None:
    assert "causes" not in kill_table_files.summary(kill_table_of())
