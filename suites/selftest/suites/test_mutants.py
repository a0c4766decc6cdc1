"""Tests of mutation testing our own code: targets and samples, which survivors count, and the score."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.mutants import mutated_modules, survivors
from suites.mutants.__main__ import console, main, markdown, sample, total_of
from suites.mutants.mutation_run import KILLED, SURVIVED, TIMEOUT, UNTESTED, Mutant, MutationRunFailed, run

POINTER = mutated_modules.Target(
    "pointer", ("contracts/json_pointer.py",), ("suites/selftest/contracts/test_json_pointer.py",)
)


def mutant(outcome: str, removed: str = "a", added: str = "b", module: str = "m.py") -> Mutant:
    return Mutant(module, 0, outcome, (removed,), (added,))


@pytest.mark.parametrize("target", mutated_modules.TARGETS, ids=lambda target: target.name)
def test_a_target_has_modules_and_tests(target: mutated_modules.Target) -> None:
    assert mutated_modules.files(target.modules)
    for pattern in target.tests:
        assert list(mutated_modules.ROOT.glob(pattern)), pattern


def test_a_sample_has_the_requested_number_of_mutants_of_proven_modules() -> None:
    target = mutated_modules.sample_target(mutated_modules.TARGETS)
    assert target.modules
    assert set(target.modules) <= set(mutated_modules.PROVEN)
    chosen = sample(target, 7)
    assert chosen == sample(target, 7)
    assert set(chosen) <= set(target.modules)
    assert sum(map(len, chosen.values())) == 7


def test_other_content_gives_another_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "contracts" / "json_pointer.py"
    path.parent.mkdir()
    monkeypatch.setattr(mutated_modules, "ROOT", tmp_path)
    digests = set()
    for content in ("a", "b", "a"):
        path.write_text(content)
        digests |= {mutated_modules.digest([POINTER], name) for name in ("first", "second")}
    assert len(digests) == 4


def test_a_proven_module_is_one_that_is_mutated() -> None:
    mutated = {path for target in mutated_modules.TARGETS for path in mutated_modules.files(target.modules)}
    assert set(mutated_modules.PROVEN) <= mutated


def test_mutants_of_a_module_are_run_in_a_copy(tmp_path: Path) -> None:
    mutants = run(POINTER, tmp_path / "copy", 2, {"contracts/json_pointer.py": [0, 3]})
    assert [(entry.number, entry.outcome) for entry in mutants] == [(0, KILLED), (3, KILLED)]


def test_tests_that_do_not_exist_end_the_run(tmp_path: Path) -> None:
    target = mutated_modules.Target("none", POINTER.modules, ("suites/selftest/contracts/no_test_here.py",))
    with pytest.raises(MutationRunFailed, match="none: expected tests"):
        run(target, tmp_path / "copy", 1)


def test_unknown_target_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--target", "nothing"])
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("removed", "added"),
    [
        ('raise ValueError("a limit is missing")', 'raise ValueError("XXa limit is missingXX")'),
        ('yield f"status {code} is wrong", 1', 'yield f"STATUS {code} IS WRONG", 1'),
        ('", ".join(names)', '"XX, XX".join(names)'),
    ],
)
def test_a_change_of_prose_is_wording(removed: str, added: str) -> None:
    assert survivors.changes_wording_only(mutant(SURVIVED, removed, added))


@pytest.mark.parametrize(
    ("removed", "added"),
    [
        ('schema.get("type")', 'schema.get("XXtypeXX")'),
        ("if a > b:", "if a >= b:"),
        ('raise ValueError("a limit is missing")', "raise ValueError(None)"),
        ('yield f"status {code} is wrong", 1', 'yield f"status {code} is wrong", 2'),
        ("if a and (", "if a or ("),
    ],
)
def test_a_change_of_code_or_wire_data_is_no_wording(removed: str, added: str) -> None:
    assert not survivors.changes_wording_only(mutant(SURVIVED, removed, added))


def test_score_counts_what_changes_behaviour() -> None:
    mutants = [
        *[mutant(KILLED)] * 18,
        mutant(TIMEOUT),
        mutant(SURVIVED, "if a > b:", "if a >= b:"),
        mutant(UNTESTED, "x = 1", "x = 2"),
        mutant(SURVIVED, 'f("two words")', 'f("XXtwo wordsXX")'),
    ]
    (score,) = survivors.scores(mutants, {("m.py", "x = 1", "x = 2"): "equivalent"})
    assert (score.killed, score.wording, score.listed, len(score.open)) == (19, 1, 1, 1)
    assert score.share == 19 / 20


def test_survivor_that_is_listed_as_open_counts_but_is_not_new() -> None:
    mutants = [mutant(KILLED), mutant(SURVIVED, "x = 1", "x = 2"), mutant(SURVIVED, "y = 1", "y = 2")]
    (score,) = survivors.scores(mutants, {("m.py", "x = 1", "x = 2"): survivors.OPEN})
    assert (score.killed, score.listed, len(score.open), [entry.added for entry in score.new]) == (
        1,
        0,
        2,
        [("y = 2",)],
    )


def test_a_module_whose_mutants_do_not_count_has_the_full_score() -> None:
    (score,) = survivors.scores([mutant(SURVIVED, 'f("two words")', 'f("XXtwo wordsXX")')], {})
    assert score.share == 1.0


def test_scores_are_by_module_in_order() -> None:
    mutants = [mutant(KILLED, module="b.py"), mutant(KILLED, module="a.py")]
    assert [score.module for score in survivors.scores(mutants, {})] == ["a.py", "b.py"]


def test_survivors_that_are_not_listed_are_shown() -> None:
    table = survivors.scores([mutant(KILLED), mutant(SURVIVED, "if a > b:", "if a >= b:")], {})
    assert console(table) == [
        "m.py: 50.0% of 2 killed",
        "    `if a > b:` → `if a >= b:` (survived)",
        "mutants: 1 of 2 killed (50.0%), 1 modules",
    ]


def test_the_page_sums_up_all_modules() -> None:
    table = survivors.scores([mutant(KILLED, module="a.py"), mutant(SURVIVED, module="b.py")], {})
    assert total_of(table).share == 0.5
    assert "| all | 1 | 1 | 50.0% | 0 | 0 |" in markdown(table, 3.2).splitlines()
    assert "- `b.py`: `a` → `b` (survived)" in markdown(table, 3.2).splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "- {module: m.py, from: a, to: b}",
        "- {module: m.py, from: a, to: b, why: ''}",
        "- {module: 1, from: a, to: b, why: c}",
    ],
)
def test_a_listed_survivor_has_a_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "survivors.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"survivors\.yaml: entry 1: expected module, from, to and why"):
        survivors.read_list(path)


def test_listed_survivors_name_modules_that_are_mutated() -> None:
    mutated = {path for target in mutated_modules.TARGETS for path in mutated_modules.files(target.modules)}
    assert {module for module, _, _ in survivors.read_list()} <= mutated
