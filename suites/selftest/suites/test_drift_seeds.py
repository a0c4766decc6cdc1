"""Facts about the seeded changes: their numbers, names and addresses, and errors in their files."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from contracts.asyncapi import load_rpc_contract
from contracts.behaviour.behaviour import Address
from contracts.openapi import load_contract
from contracts.yaml_reader import UsageError
from fixtures.reference import apis, load
from suites.drift_proof.drift_seeds import NUMBERS, read_seeds
from suites.drift_proof.unseen_variants import unseen_variants

SEEDS = read_seeds()


def labels(api: str) -> set[str]:
    """The labels of the API's operations and calls."""
    contract, rpc = load_contract(api), load_rpc_contract(api)
    return {operation.label for operation in contract.operations.values()} | {
        call.label for call in (rpc.calls.values() if rpc else ())
    }


def test_there_are_seeds_of_nearly_every_kind() -> None:
    assert len(SEEDS) >= 150
    assert len({seed.number for seed in SEEDS}) >= 110


def test_numbers_are_those_of_the_kinds() -> None:
    assert {seed.number for seed in SEEDS} <= set(NUMBERS)


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(seed.name for seed in SEEDS).items() if count > 1] == []


@pytest.mark.parametrize("api", apis())
def test_every_operation_of_a_seed_exists(api: str) -> None:
    patterns = {seed.operation for seed in SEEDS if seed.api == api}
    assert {pattern for pattern in patterns if not any(fnmatchcase(label, pattern) for label in labels(api))} == set()


@pytest.mark.parametrize("api", apis())
def test_every_drift_is_a_seed(api: str) -> None:
    seeded = {change.name for seed in SEEDS if seed.api == api for change in (*seed.before, *seed.after)}
    assert set(load(api).DRIFTS) - seeded == set()


def test_a_seed_changes_something() -> None:
    assert [seed.name for seed in SEEDS if seed.before == seed.after] == []


SEED = "{change: drift.tasks_have_no_note, kind: 48, severity: breaking, operation: GET */tasks, family: presence}"


def written(folder: Path, text: str) -> Path:
    (folder / "getflow.yaml").write_text(f"# seeds\n- {text}\n")
    return folder


def test_a_seed_is_named_after_its_change(tmp_path: Path) -> None:
    (seed,) = read_seeds(written(tmp_path, SEED))
    assert (seed.name, seed.place) == ("getflow.tasks_have_no_note", "*")
    assert ([change.name for change in seed.before], [change.name for change in seed.after]) == (
        [],
        ["tasks_have_no_note"],
    )


def test_an_undone_change_is_recorded(tmp_path: Path) -> None:
    (seed,) = read_seeds(written(tmp_path, SEED.replace("change", "undone")))
    assert (seed.name, seed.after) == ("getflow.honest after tasks_have_no_note", ())


@pytest.mark.parametrize(
    ("operation", "family", "is_at"),
    [("GET /v2/tasks", "presence", True), ("GET /lists", "presence", False), ("GET /tasks", "kind", False)],
)
def test_a_seed_knows_its_addresses(tmp_path: Path, operation: str, family: str, is_at: bool) -> None:
    (seed,) = read_seeds(written(tmp_path, SEED))
    address = Address(operation, "200", family, "/tasks/*/note_content")  # type: ignore[arg-type]
    assert seed.is_at(address) == is_at


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("drift.tasks_have_no_note", "drift.x", "line 2: expected KIND.NAME of a fault, variant, drift of getflow"),
        ("breaking", "bad", "line 2: expected one of breaking, risky, additive, cosmetic, repaired, got 'bad'"),
        ("presence", "x", "line 2: expected one of outcome, .* got 'x'"),
        ("48", "0", "line 2: expected a whole number from 1"),
        ("kind", "number", "line 2: 'number' is unknown"),
    ],
)
def test_an_error_in_a_seed_names_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_seeds(written(tmp_path, SEED.replace(old, new)))


def test_few_variants_cannot_be_seen() -> None:
    total = sum(len(load(api).VARIANTS) for api in apis())
    assert 0 < len(unseen_variants()) <= 0.05 * total


def test_a_variant_that_does_not_exist_cannot_be_listed(tmp_path: Path) -> None:
    file = tmp_path / "unseen.yaml"
    file.write_text("- reason: none\n  variants: [flowback.is_no_variant]\n")
    with pytest.raises(UsageError, match=r"line 2: expected API\.NAME of a variant, got 'flowback.is_no_variant'"):
        unseen_variants(file)
