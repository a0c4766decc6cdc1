"""Tests of mutation testing our own code: targets and samples, which survivors count, and the score."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.mutants import mutated_modules, survivors
from suites.mutants.__main__ import console, markdown, total_of
from suites.mutants.mutmut_run import (
    KILLED,
    SURVIVED,
    TIMEOUT,
    UNTESTED,
    Mutant,
    MutationRunFailed,
    changed,
    configuration,
    outcome,
)

DIFF = """--- a.py
+++ a.py
@@ -1,3 +1,3 @@
 def limit(value):
-    if value > 3:
+    if value >= 3:
         return 1"""


def mutant(outcome: str, removed: str = "a", added: str = "b", module: str = "m.py") -> Mutant:
    return Mutant(module, "name", outcome, (removed,), (added,))


@pytest.mark.parametrize("target", mutated_modules.TARGETS, ids=lambda target: target.name)
def test_a_target_has_modules_and_tests(target: mutated_modules.Target) -> None:
    assert mutated_modules.files(target.modules)
    for pattern in target.tests:
        assert list(mutated_modules.ROOT.glob(pattern)), pattern


def test_a_sample_has_the_requested_number_of_modules() -> None:
    chosen = mutated_modules.sample(mutated_modules.TARGETS, 3)
    assert sum(len(target.modules) for target in chosen) == 3
    assert chosen == mutated_modules.sample(mutated_modules.TARGETS, 3)


def test_a_sample_names_tests_of_its_own_targets_only() -> None:
    for chosen in mutated_modules.sample(mutated_modules.TARGETS, 5):
        original = next(target for target in mutated_modules.TARGETS if target.name == chosen.name)
        assert chosen.tests == original.tests
        assert set(chosen.modules) <= set(mutated_modules.files(original.modules))


def test_a_proven_module_is_one_that_is_mutated() -> None:
    mutated = {path for target in mutated_modules.TARGETS for path in mutated_modules.files(target.modules)}
    assert set(mutated_modules.PROVEN) <= mutated


def test_configuration_names_every_module_and_test() -> None:
    target = mutated_modules.Target("t", ("contracts/json_pointer.py",), ("suites/selftest/test_house.py",))
    lines = [line.strip() for line in configuration(target).splitlines()]
    assert lines[lines.index("only_mutate =") + 1] == "contracts/json_pointer.py"
    assert lines[lines.index("pytest_add_cli_args_test_selection =") + 1] == "suites/selftest/test_house.py"


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, SURVIVED), (1, KILLED), (3, KILLED), (-11, KILLED), (33, UNTESTED), (36, TIMEOUT), (152, TIMEOUT)],
)
def test_an_exit_code_is_an_outcome(code: int, expected: str) -> None:
    assert outcome(code) == expected


def test_a_mutant_without_exit_code_means_that_the_run_broke_off() -> None:
    with pytest.raises(MutationRunFailed, match="broke off"):
        outcome(None)


def test_changed_lines_of_a_difference() -> None:
    assert changed(DIFF) == (("if value > 3:",), ("if value >= 3:",))


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
    (score,) = survivors.scores(mutants, frozenset({("m.py", "x = 1", "x = 2")}))
    assert (score.killed, score.wording, score.listed, len(score.open)) == (19, 1, 1, 1)
    assert score.share == 19 / 20


def test_a_module_whose_mutants_do_not_count_has_the_full_score() -> None:
    (score,) = survivors.scores([mutant(SURVIVED, 'f("two words")', 'f("XXtwo wordsXX")')], frozenset())
    assert score.share == 1.0


def test_scores_are_by_module_in_order() -> None:
    mutants = [mutant(KILLED, module="b.py"), mutant(KILLED, module="a.py")]
    assert [score.module for score in survivors.scores(mutants, frozenset())] == ["a.py", "b.py"]


def test_open_survivors_of_a_module_below_95_percent_are_shown() -> None:
    table = survivors.scores([mutant(KILLED), mutant(SURVIVED, "if a > b:", "if a >= b:")], frozenset())
    assert console(table) == [
        "m.py: 50.0% of 2 killed",
        "    `if a > b:` → `if a >= b:` (survived)",
        "mutants: 1 of 2 killed (50.0%), 1 modules",
    ]


def test_the_page_sums_up_all_modules() -> None:
    table = survivors.scores([mutant(KILLED, module="a.py"), mutant(SURVIVED, module="b.py")], frozenset())
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
