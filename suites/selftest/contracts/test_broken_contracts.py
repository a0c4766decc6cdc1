"""A broken contract is ours: one line names file, line, what stands there and what was expected."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import contracts
from contracts.clauses import clauses, readings
from contracts.contract_check import problems
from contracts.errors import ContractError, UsageError
from contracts.openapi import load_contract
from suites.selftest.contracts.contract_break import ASYNCAPI, CLAUSES, OPENAPI, READINGS, Break
from suites.selftest.contracts.list_breaks import LIST_BREAKS
from suites.selftest.contracts.operation_breaks import OPERATION_BREAKS
from suites.selftest.contracts.rule_breaks import RULE_BREAKS
from suites.selftest.contracts.small_contract import write_contract

NUMBERS = itertools.count(1)  # contracts are read once by name, so each test has a name of its own


BREAKS = [*LIST_BREAKS, *OPERATION_BREAKS, *RULE_BREAKS]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an API whose contract is whole, in a folder of contracts of its own."""
    monkeypatch.setattr(contracts, "FOLDER", tmp_path)
    name = f"todo{next(NUMBERS)}"
    write_contract(tmp_path, name)
    return name


def named(text: str, api: str) -> str:
    """The text about the API todo as one about this API."""
    return text.replace("TODO-", f"{api.upper()}-").replace("todo", api)


def edit(api: str, broken: Break) -> Path:
    """Breaks the contract; the broken file."""
    path = contracts.FOLDER / api / broken.file
    text = path.read_text()
    assert named(broken.old, api) in text, f"the table expects {broken.old!r} in {broken.file}"
    path.write_text(text.replace(named(broken.old, api), named(broken.new, api), 1))
    return path


def test_whole_contract_has_no_problem(api: str) -> None:
    assert problems(api) == []
    assert load_contract(api).operations


@pytest.mark.parametrize("api_name", contracts.apis())
def test_contract_of_ours_has_no_problem(api_name: str) -> None:
    assert problems(api_name) == []


def test_ways_to_break_a_contract_are_many_and_different() -> None:
    assert len({broken.name for broken in BREAKS}) == len(BREAKS) >= 40


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name)
def test_broken_contract_is_reported_in_one_line(broken: Break, api: str) -> None:
    path = edit(api, broken)
    message = problems(api)[0]
    place, _, reason = message.removeprefix(f"{path}, line ").partition(": ")
    lines = path.read_text().splitlines()
    assert message.startswith(f"{path}, line "), message
    assert named(broken.at, api) in lines[int(place) - 1], message
    assert named(broken.words, api) in reason, message
    assert "\n" not in message


@pytest.mark.parametrize("name", [CLAUSES, READINGS, OPENAPI, ASYNCAPI])
@pytest.mark.parametrize("text", ["", "# nothing\n", "5\n", "\0"])
def test_file_without_content_is_named(name: str, text: str, api: str) -> None:
    (contracts.FOLDER / api / name).write_text(text)
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / name}")


@pytest.mark.parametrize("name", [CLAUSES, READINGS, OPENAPI])
def test_missing_file_is_named(name: str, api: str) -> None:
    (contracts.FOLDER / api / name).unlink()
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / name} is missing: expected")


def test_file_in_another_encoding_is_named(api: str) -> None:
    (contracts.FOLDER / api / CLAUSES).write_bytes("- id: ü".encode("latin-1"))
    assert problems(api)[0].startswith(f"{contracts.FOLDER / api / CLAUSES} cannot be read: ")


def test_api_without_readings_has_an_empty_list(api: str) -> None:
    (contracts.FOLDER / api / READINGS).write_text("[]\n")
    assert readings(api) == {}


def test_broken_contract_stops_no_other(api: str, tmp_path: Path) -> None:
    sound_api = f"todo{next(NUMBERS)}"
    write_contract(tmp_path, sound_api)
    (contracts.FOLDER / api / READINGS).unlink()
    assert contracts.apis() == sorted([api, sound_api])
    assert problems(api) != []
    assert problems(sound_api) == []


def test_folder_without_openapi_document_is_a_broken_contract_and_not_overlooked(api: str) -> None:
    (contracts.FOLDER / api / OPENAPI).unlink()
    assert api in contracts.apis()


def test_every_mistake_of_a_file_is_reported(api: str) -> None:
    path = contracts.FOLDER / api / CLAUSES
    path.write_text(path.read_text().replace("grade: stated", "grade: sure").replace("check: fixture", "check: eyes"))
    assert [message.partition(" got ")[2][:6] for message in problems(api)[:2]] == ["'sure'", "'eyes'"]


def test_loading_a_broken_contract_is_a_usage_error(api: str) -> None:
    (contracts.FOLDER / api / CLAUSES).unlink()
    for load in (clauses, load_contract):
        with pytest.raises(ContractError) as error:
            load(api)
        assert isinstance(error.value, UsageError)


def test_unknown_operation_is_answered_with_the_names_that_are_close(api: str) -> None:
    with pytest.raises(ContractError, match="has no operation 'getNot': expected one of getNote"):
        load_contract(api).find("getNot")
