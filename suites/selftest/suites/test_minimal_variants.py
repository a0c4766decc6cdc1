"""A server that keeps what its document states or shows, and nothing else, is not blamed for anything that it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.clauses import clauses
from fixtures.reference import load

ROOT = Path(__file__).parents[3]
OF_DOCUMENTS = ("stated", "example")


def test_other_seeds_run_against_the_references_and_each_minimal_variant(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "suites.mutation", "--jobs", "1", "--out", str(tmp_path), "--effort", "quick"]
    names = "flowback.minimal,flowback.takes_a_username_twice"
    run = subprocess.run(
        [*command, "--api", "flowback", "--seeds", "2", "--only", names, "suites/flowback/test_uniqueness.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    results = json.loads((tmp_path / "kill-table.json").read_text())["results"]
    seeds = {(result["api"], result["name"]) for result in results if result["kind"] == "seed"}
    assert seeds == {("all", "1"), ("all", "2"), ("flowback", "minimal 1"), ("flowback", "minimal 2")}


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback"])
def test_own_tests_blame_no_minimal_variant_for_what_the_document_says(api: str, tmp_path: Path) -> None:
    names = [name for name, change in load(api).VARIANTS.items() if change.minimal]
    assert names
    command = [sys.executable, "-m", "suites.mutation", "--jobs", "1", "--out", str(tmp_path)]
    chosen = ",".join(f"{api}.{name}" for name in names)
    run = subprocess.run(
        [*command, "--api", api, "--only", chosen, f"suites/{api}"],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    table = json.loads((tmp_path / "kill-table.json").read_text())
    assert (len(table["results"]), table["honest"]) == (len(names), []), run.stdout[-2000:] + run.stderr[-2000:]
    complaints = [complaint for result in table["results"] for complaint in result["complaints"]]
    grades = {name: clause.grade for name, clause in clauses(api).items()}
    wrong = [complaint for complaint in complaints if complaint["broken"] or _grade(complaint, grades) in OF_DOCUMENTS]
    assert [(complaint["test"], complaint["clauses"]) for complaint in wrong] == []


def _grade(complaint: dict[str, list[str]], grades: dict[str, str]) -> str | None:
    """The grade of the first clause that a complaint blames; None for a reading."""
    return grades.get(complaint["clauses"][0])
