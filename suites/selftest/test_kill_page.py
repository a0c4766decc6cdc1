"""The page of the kill table tells every fault, what is wrong before all else, and which proof it tells."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from reports import compared, kill_page, kills, page
from reports.kills import Found, Proof, Result
from suites.prove import __main__ as prove
from suites.prove import table
from suites.selftest.kill_sample import CLAUSE, RESULTS, VERDICTS, change, comparison, complaint, proof

PUBLISHED = kills.proof((kills.PUBLISHED / kills.NAME).read_text("utf-8"))
HOSTILE = "</script></pre><img src=//evil.example onerror=alert(1)>\"'&"


def html(found: Proof, is_published: bool = False) -> str:
    return kill_page.page(Found(found, is_published), Found(comparison()))


def rows(text: str) -> list[tuple[str, str]]:
    """The class and the id of each result's row, in the page's order."""
    return re.findall(r'<(?:tr|div) class="?(row(?: bad)?)"? id="([^"]+)"', text)


def test_each_verdict_follows_from_the_complaints() -> None:
    assert tuple(one.verdict for one in RESULTS) == VERDICTS


def test_a_proof_reads_back_as_it_was_written() -> None:
    written = proof(honest=(complaint(CLAUSE),))
    assert kills.proof(kills.text(written)) == written
    assert compared.comparison(compared.text(comparison())) == comparison()


def test_the_published_form_keeps_every_verdict_and_the_messages_of_what_is_wrong() -> None:
    short = kills.compact(proof())
    assert [one.verdict for one in short.results] == list(VERDICTS)
    messages = {one.name for one in short.results if any(each.message for each in one.complaints)}
    assert messages == {"ends_in_an_error", "blames_another", "blamed_for_nothing"}


@pytest.mark.parametrize("found", [proof(), PUBLISHED], ids=["sample", "published"])
def test_every_change_has_one_row(found: Proof) -> None:
    assert sorted(name for _, name in rows(html(found))) == sorted(f"{one.api}.{one.name}" for one in found.results)


def test_a_row_tells_fault_clause_test_seconds_and_requests() -> None:
    (row,) = re.findall(r'<tr class=row id="getflow.names_the_wrong_attribute">.*?</tr>', html(proof()))
    told = unescape(re.sub(r"<wbr>", "", row))
    says = [">caught<", "What names_the_wrong_attribute does.", f">{CLAUSE}<", TEST_SHOWN, ">0.2<", ">1,234<"]
    assert [one for one in says if one not in told] == []


TEST_SHOWN = "getflow/test_errors.py::test_missing_parameter_is_named[limit|name]"


def test_what_is_wrong_is_red_and_stands_first() -> None:
    found = rows(html(proof(*reversed(RESULTS))))
    wrong = ["getflow.ends_in_an_error", "getflow.nobody_complains", "getflow.blames_another"]
    assert found[:4] == [("row bad", name) for name in [*wrong, "getflow.blamed_for_nothing"]]
    assert {kind for kind, _ in found[4:]} == {"row"}


def test_variants_stand_below_all_faults() -> None:
    names = [name for _, name in rows(html(proof()))]
    assert names[-2:] == ["getflow.clamps_the_limit", "all.3"]


def test_a_complaint_about_an_honest_reference_stands_before_everything() -> None:
    text = html(proof(honest=(complaint(CLAUSE, message="the honest one is blamed"),)))
    assert text.index("the honest one is blamed") < text.index('id="getflow.ends_in_an_error"')


def test_a_proof_without_a_mark_has_no_section_of_wrongs() -> None:
    assert "What is wrong" not in html(proof(RESULTS[4]))


def test_the_counts_are_those_of_the_results() -> None:
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd></div>", html(proof())))
    assert tiles == {
        "faults caught": "3 of 6",
        "variants not blamed": "1 of 2",
        "runs with other requests not blamed": "1 of 1",
        "complaints, honest references": "0",
        "seconds in all": "99",
    }


def test_a_part_of_a_proof_says_so() -> None:
    part = replace(proof(), changes={"getflow": {"fault": 100, "variant": 7}})
    assert "Only a part was proven. Faults and variants that were run: 7 of 107 in getflow." in html(part)
    assert "Only a part" not in html(proof())


def test_hostile_text_is_escaped() -> None:
    evil = Result(HOSTILE, HOSTILE, "fault", (HOSTILE,), HOSTILE, (complaint(HOSTILE, message=HOSTILE),), 1, 0.1)
    missed = replace(evil, complaints=())
    both = comparison()
    row = replace(both.rows[0], api=HOSTILE, name=HOSTILE, theirs=replace(both.rows[0].theirs, says=HOSTILE))
    made = replace(both.made, command=HOSTILE, python=HOSTILE)
    text = kill_page.page(
        Found(replace(proof(evil, missed, honest=evil.complaints), made=made), problem=HOSTILE),
        Found(replace(both, made=made, tool=HOSTILE, sample=HOSTILE, rows=(row,)), problem=HOSTILE),
    )
    assert "<img" not in text
    assert "</script></pre>" not in text
    assert text.count("<script>") == text.count("</script>") == 1
    assert page.foreign_references(text) == []


def test_an_unknown_clause_is_shown_without_a_promise() -> None:
    (row,) = re.findall(r'<tr class=row id="getflow.is_of_an_unknown_clause">.*?</tr>', html(proof()))
    assert "GETFLOW-GONE-1" in row


def test_a_clause_of_another_api_has_its_row() -> None:
    stranger = change("breaks_another_api", "fault", complaint(CLAUSE), api="flowback")
    assert rows(html(proof(stranger))) == [("row", "flowback.breaks_another_api")]


def test_the_page_says_how_it_was_made_and_how_to_make_another() -> None:
    text = html(proof())
    assert "Made 2026-01-02 03:04 UTC by <code>python -m suites.prove</code>: 321 tests, 2 processes on 4 cores" in text
    assert (
        "the newest one made here (<code>prove/kill-table.json</code>). To make a new one: <code>tox -e prove<" in text
    )
    assert "the published one (<code>reports/kill-table.json</code>)" in html(proof(), is_published=True)


def test_both_sides_of_the_comparison_are_summed_without_the_honest() -> None:
    ours, theirs = compared.sums(comparison().rows)
    assert (ours.killed, ours.faults, ours.blamed, ours.alarms, ours.requests, ours.seconds) == (2, 2, 0, 0, 56, 3.0)
    assert (theirs.killed, theirs.blamed, theirs.variants, theirs.alarms, theirs.requests) == (1, 1, 1, 2, 120)
    assert "<td>Schemathesis 4.0</td><td class=n>1 of 2</td><td class=n>1 of 1</td><td class=n>2</td>" in html(proof())


def test_the_newest_proof_is_told_and_else_the_published(tmp_path: Path) -> None:
    found = kills.newest(tmp_path, kills.NAME, kills.proof)
    assert (found.what, found.is_published, found.problem) == (PUBLISHED, True, "")
    (tmp_path / kills.NAME).write_text(kills.text(proof()), "utf-8")
    assert kills.newest(tmp_path, kills.NAME, kills.proof) == Found(proof())


SPOILT = {
    "no JSON": "{",
    "another shape": "[]",
    "an older form": '{"seconds": 1, "honest": [], "results": []}',
    "no date": kills.text(proof()).replace("2026-01-02T", "yesterday "),
    "another kind": kills.text(proof()).replace('"variant"', '"idea"'),
    "no number": kills.text(proof()).replace("1234", '"many"'),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_cannot_be_read_is_told_and_is_no_proof(name: str, tmp_path: Path) -> None:
    (tmp_path / kills.NAME).write_text(SPOILT[name], "utf-8")
    found = kills.newest(tmp_path, kills.NAME, kills.proof)
    assert (found.what, found.is_published) == (PUBLISHED, True)
    assert f"{kills.NAME} cannot be read" in kill_page.page(found, Found(None))


def test_no_proof_at_all_says_how_to_make_one() -> None:
    text = kill_page.page(Found(None), Found(None))
    assert "There is none to show. To make a new one: <code>tox -e prove</code>" in text


def test_a_proof_leaves_json_markdown_and_the_page(tmp_path: Path) -> None:
    table.write(tmp_path, proof())
    assert {path.name for path in tmp_path.iterdir()} == {"kill-table.md", "kill-table.json", "kill-table.html"}
    assert kills.proof((tmp_path / kills.NAME).read_text("utf-8")) == proof()
    stored = json.loads((tmp_path / kills.NAME).read_text("utf-8"))
    assert [one["verdict"] for one in stored["results"]] == list(VERDICTS)
    assert "getflow.nobody_complains" in (tmp_path / "kill-table.html").read_text("utf-8")


def test_what_is_published_is_compact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "PUBLISHED", tmp_path)
    assert [path.name for path in table.publish(proof())] == ["kill-table.md", "kill-table.json"]
    assert kills.proof((tmp_path / kills.NAME).read_text("utf-8")) == kills.compact(proof())


@pytest.mark.parametrize("part", [["--api", "getflow"], ["--only", "a"], ["--sample", "3"], ["suites/getflow"]])
def test_a_part_is_not_published(part: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        prove.main(["--publish", *part])
    assert "a part is not published" in capsys.readouterr().err


def test_a_result_is_ordered_by_its_verdict() -> None:
    late = change("a", "fault", complaint(CLAUSE))
    assert table.ordered([late, *reversed(RESULTS)])[0].verdict == "broken"
    assert [one.verdict for one in table.ordered(RESULTS)] == list(VERDICTS)


def test_a_proof_that_broke_off_is_not_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken_off(_: list[str], plugins: list[prove.Prover]) -> int:
        plugins[0].results.append(RESULTS[4])
        return 2

    monkeypatch.setenv("HYPOTHESIS_PROFILE", "ci")  # the prover sets it
    monkeypatch.setattr(prove.pytest, "main", broken_off)
    assert prove.main(["--only", "counts_pages_from_zero,gives_a_single_row_bare", "--out", str(tmp_path)]) == 1
    assert "1 of 2 trials ended" in capsys.readouterr().err
    assert "Only a part was proven" in (tmp_path / "kill-table.html").read_text("utf-8")
