"""The file of what is accepted: reading, its errors, writing, and which file applies."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import contracts
from contracts.errors import UsageError
from reports.results.acceptances import (
    Acceptance,
    AcceptanceList,
    acceptances_file,
    acceptances_of,
    read_acceptances,
    write_acceptances,
)

TODAY = date(2026, 11, 29)
DAY = date(2027, 3, 1)
ID, OTHER, THIRD = "4f3c0a91b27e", "00000000000e", "123456789012"
ENTRY = Acceptance(ID, "ticket 812", "Ann Lee", DAY, "GETFLOW-ERR-10", "A parameter: it is named.", (OTHER,))
FIELDS = f"id: {ID}, reason: ticket, by: Ann, until: 2027-03-01"


def written(folder: Path, text: str) -> Path:
    path = folder / "accepted.yaml"
    path.write_text(text)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "accepted.yaml"
    write_acceptances(path, [ENTRY], TODAY)
    assert read_acceptances(path, TODAY) == (ENTRY,)


def test_a_file_that_is_not_there_accepts_nothing(tmp_path: Path) -> None:
    assert read_acceptances(tmp_path / "accepted.yaml", TODAY) == ()


def test_an_empty_list_accepts_nothing(tmp_path: Path) -> None:
    assert read_acceptances(written(tmp_path, "[]\n"), TODAY) == ()


@pytest.mark.parametrize("identifier", [OTHER, THIRD, "012345670123", "12e456789012"])
def test_an_id_that_looks_like_a_number_is_a_text(tmp_path: Path, identifier: str) -> None:
    path = written(tmp_path, f"- {{{FIELDS.replace(ID, identifier)}}}")
    assert read_acceptances(path, TODAY)[0].id == identifier


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "it is empty"),
        ("id: 1", 1, "got names with values, expected a list of acceptances"),
        (f"- {{{FIELDS}, note: x}}", 1, "'note' is unknown here: expected one of id, clause, what"),
        (f"- {{{FIELDS}, id: {ID}}}", 1, "'id' stands here twice"),
        (f"- {{{FIELDS.replace(ID, 'abc')}}}", 1, "id: got 'abc', expected the id that the report shows"),
        (f"- {{{FIELDS.replace('reason: ticket', 'reason: ')}}}", 1, "reason: got '', expected a few words"),
        (f"- {{{FIELDS.replace('by: Ann, ', '')}}}", 1, "'by' is missing: expected the name of who accepts it"),
        (f"- {{{FIELDS.replace(', until: 2027-03-01', '')}}}", 1, "'until' is missing: expected the last day"),
        (f"-\n  {FIELDS.replace(', ', chr(10) + '  ').replace('2027-03-01', '2027-13-01')}", 5, "until: got '2027-13"),
        (f"- {{{FIELDS.replace('2027-03-01', '1.3.2027')}}}", 1, "until: got '1.3.2027', expected the last day"),
        (f"- {{{FIELDS.replace('2027-03-01', '2027-05-29')}}}", 1, "at most 180 days ahead, so not after 2027-05-28"),
        (f"- {{{FIELDS}}}\n- {{{FIELDS}}}", 2, f"{ID} is accepted in line 1 too: expected once"),
        (f"- {{{FIELDS.replace(ID, OTHER)}}}\n- {{{FIELDS}, also: [{OTHER}]}}", 2, f"{OTHER} is accepted in line 1"),
        ("- [", 1, "this is no YAML"),
    ],
)
def test_a_file_that_is_not_understood_is_an_error_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)) as raised:
        read_acceptances(written(tmp_path, text), TODAY)
    assert not line or f"accepted.yaml, line {line}: " in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_last_day_may_be_180_days_ahead(tmp_path: Path) -> None:
    path = written(tmp_path, f"- {{{FIELDS.replace('2027-03-01', '2027-05-28')}}}")
    assert read_acceptances(path, TODAY)[0].until == TODAY + timedelta(180)


COMMENTED = f"""# of the nightly run
# by the team
- id: {THIRD}
  reason: ticket 1  # closed soon
  by: Ann
  until: 2027-01-01

# asked twice
- id: {ID}
  reason: >
    a long
    story

  by: Ann
  until: 2027-01-01
# the end
- {{id: "{OTHER}", reason: x, by: Bo, until: 2027-01-02}}
"""


def test_comments_and_order_of_others_stay(tmp_path: Path) -> None:
    path = written(tmp_path, COMMENTED)
    write_acceptances(path, [replace(ENTRY, also=())], TODAY)
    text = path.read_text()
    assert text.startswith(COMMENTED.partition("# asked twice")[0])
    assert text.index("# the end") < text.index(OTHER) < text.index(ID)
    assert "a long" not in text
    assert [entry.id for entry in read_acceptances(path, TODAY)] == [THIRD, OTHER, ID]


def test_an_entry_with_one_of_the_ids_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, COMMENTED)
    write_acceptances(path, [ENTRY], TODAY)
    assert [entry.id for entry in read_acceptances(path, TODAY)] == [THIRD, ID]


def test_entries_in_one_line_are_sorted(tmp_path: Path) -> None:
    path = written(tmp_path, f"[{{{FIELDS}}}, {{{FIELDS.replace(ID, THIRD)}}}]\n")
    write_acceptances(path, [replace(ENTRY, id=OTHER, also=())], TODAY)
    assert [entry.id for entry in read_acceptances(path, TODAY)] == [OTHER, THIRD, ID]


def test_an_empty_list_is_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, "# nothing yet\n[]\n")
    write_acceptances(path, [ENTRY], TODAY)
    assert path.read_text().startswith("# nothing yet\n- id: ")
    assert read_acceptances(path, TODAY) == (ENTRY,)


def test_a_file_that_is_not_understood_is_not_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path, "- {id: x}\n")
    with pytest.raises(UsageError, match="id: got 'x'"):
        write_acceptances(path, [ENTRY], TODAY)
    assert path.read_text() == "- {id: x}\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["accepted.yaml"]


@pytest.mark.parametrize(("days", "is_found"), [(-1, False), (0, True), (1, True)])
def test_an_acceptance_holds_until_its_last_day(days: int, is_found: bool) -> None:
    entry = replace(ENTRY, until=TODAY + timedelta(days))
    accepted = AcceptanceList("", TODAY, (entry,))
    assert accepted.find([OTHER]) == (entry if is_found else None)
    assert accepted.overdue_of("getflow") == (() if is_found else (entry,))


def test_an_acceptance_of_another_api_is_not_told() -> None:
    accepted = AcceptanceList("", TODAY, (replace(ENTRY, until=date(2026, 1, 1)),))
    assert accepted.overdue_of("flowapp") == ()


def test_a_list_is_the_same_after_json() -> None:
    accepted = AcceptanceList("/a/accepted.yaml", TODAY, (ENTRY, replace(ENTRY, id=THIRD, also=())))
    assert AcceptanceList.from_json(accepted.to_json()) == accepted


def test_the_file_is_beside_the_target_file(tmp_path: Path) -> None:
    environ = {"GETFLOW_TARGET": str(tmp_path / "staging.yaml"), "GETFLOW_URL": "http://flow.example"}
    assert acceptances_file("getflow", environ) == tmp_path / "accepted.yaml"


def test_the_file_is_with_the_contract_without_a_target_file() -> None:
    environ = {"GETFLOW_URL": "http://flow.example"}
    assert acceptances_file("getflow", environ) == contracts.FOLDER / "getflow" / "accepted.yaml"


def test_nothing_is_accepted_of_our_reference() -> None:
    assert acceptances_file("getflow", {}) is None
    assert acceptances_of("getflow", {}, TODAY).find([ID]) is None


def test_a_fresh_file_in_the_checkout_names_its_schema() -> None:
    folder = contracts.FOLDER.parent / ".cache"
    folder.mkdir(exist_ok=True)
    path = folder / "accepted.yaml"
    try:
        write_acceptances(path, [ENTRY], TODAY)
        (schema,) = re.findall(r"\$schema=(\S+)", path.read_text())
        assert (folder / schema).resolve() == contracts.FOLDER / "schema" / "accepted.schema.json"
    finally:
        path.unlink(missing_ok=True)
