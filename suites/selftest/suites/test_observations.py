"""Observations are kept apart from checks: conditions of which one always holds check nothing."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

import contracts
from contracts.errors import ContractError
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import ContractViolation

ROOT = Path(__file__).parents[3]
Truth = Callable[[Mapping[str, bool]], bool]  # the truth of an expression, given that of its atoms
OPPOSITES = {ast.NotEq: ast.Eq, ast.NotIn: ast.In, ast.IsNot: ast.Is, ast.GtE: ast.Lt, ast.LtE: ast.Gt}
MODULES = sorted(
    str(path.relative_to(ROOT))
    for folder in ("generic", *contracts.apis())
    for path in (ROOT / "suites" / folder).glob("*.py")
)


def truth_of(node: ast.expr, atoms: set[str]) -> Truth:
    """The truth function of an expression; its atoms are added to `atoms` as source text."""
    if isinstance(node, ast.Lambda):
        return truth_of(node.body, atoms)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        constant = node.value
        return lambda _: constant
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        operand = truth_of(node.operand, atoms)
        return lambda values: not operand(values)
    if isinstance(node, ast.BoolOp):
        parts = [truth_of(part, atoms) for part in node.values]
        combine = all if isinstance(node.op, ast.And) else any
        return lambda values: combine(part(values) for part in parts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bool":
        return truth_of(node.args[0], atoms)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in OPPOSITES:
        opposite = truth_of(ast.Compare(node.left, [OPPOSITES[type(node.ops[0])]()], node.comparators), atoms)
        return lambda values: not opposite(values)
    atom = ast.unparse(node)
    atoms.add(atom)
    return lambda values: values[atom]


def is_exhaustive(call: ast.Call) -> bool:
    """Whether one of the call's conditions holds whatever its atoms are."""
    atoms: set[str] = set()
    conditions = [truth_of(keyword.value, atoms) for keyword in call.keywords]
    names = sorted(atoms)
    assignments = (dict(zip(names, row, strict=True)) for row in itertools.product([False, True], repeat=len(names)))
    return all(any(holds(values) for holds in conditions) for values in assignments)


def calls_of(method: str, node: ast.AST) -> Iterator[ast.Call]:
    """Every call of a method of that name within the node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == method:
            yield inner


def marks_of(test: ast.FunctionDef) -> set[str]:
    """The names of the decorators of a test that are called with arguments."""
    calls = (node.func for node in test.decorator_list if isinstance(node, ast.Call))
    return {call.id for call in calls if isinstance(call, ast.Name)}


def marked_tests() -> list[tuple[str, set[str]]]:
    """The tests of all modules as MODULE: NAME, with the names of their marks."""
    return [
        (f"{module}: {test.name}", marks_of(test))
        for module in MODULES
        for test in ast.parse((ROOT / module).read_text()).body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
    ]


def test_a_check_of_a_reading_can_fail() -> None:
    exhaustive = [
        f"{module}:{call.lineno}"
        for module in MODULES
        for call in calls_of("one_of", ast.parse((ROOT / module).read_text()))
        if call.keywords and is_exhaustive(call)
    ]
    assert exhaustive == [], "one of these conditions always holds: use readings.observe(...)"


def test_a_test_that_only_observes_says_so() -> None:
    tests = marked_tests()
    assert [test for test, marks in tests if ("observation" in marks) != (": test_observe_" in test)] == []
    assert [test for test, marks in tests if {"observation", "clause"} <= marks] == [], "an observation or a check"


@pytest.mark.parametrize(
    ("call", "exhaustive"),
    [
        ("readings.one_of('R', a=x, b=not x)", True),
        ("readings.one_of('R', a=x, b=True)", True),
        ("readings.one_of('R', a=x, b=y)", False),
        ("readings.one_of('R', a=x == 1, b=x != 1)", True),
        ("readings.one_of('R', a=x == 1, b=x != 2)", False),
        ("readings.one_of('R', a=lambda: x in y, b=lambda: x not in y)", True),
        ("readings.one_of('R', a=x < 1, b=x >= 1)", True),
        ("readings.one_of('R', a=x < 1, b=x > 1)", False),
        ("readings.one_of('R', a=x and y, b=not x, c=not y)", True),
        ("readings.one_of('R', a=x or y, b=not x and bool(z))", False),
        ("readings.one_of('R', a=x is None, b=bool(x is not None))", True),
    ],
)
def test_exhaustive_conditions_are_recognised(call: str, exhaustive: bool) -> None:
    (parsed,) = calls_of("one_of", ast.parse(call))
    assert is_exhaustive(parsed) is exhaustive


@pytest.fixture
def readings() -> ObservedReadings:
    return ObservedReadings(in_process_api("getflow"))


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fixes the meaning "refused" of GETFLOW-AMB-6."""
    monkeypatch.setenv("GETFLOW_READING_6", "refused")


def test_the_first_meaning_that_holds_is_recorded(readings: ObservedReadings) -> None:
    assert readings.one_of("GETFLOW-AMB-6", ignored=False, refused=lambda: True) == "refused"
    assert readings.observe("GETFLOW-AMB-7", ignored=True, refused=True) == "ignored"
    assert readings.seen == {"GETFLOW-AMB-6": "refused", "GETFLOW-AMB-7": "ignored"}


def test_only_an_observation_counts_as_one(readings: ObservedReadings) -> None:
    readings.one_of("GETFLOW-AMB-6", refused=True)
    readings.record_meaning("GETFLOW-AMB-20", "served")
    readings.observe("GETFLOW-AMB-7", ignored=True, refused=False)
    assert readings.observations == ["GETFLOW-AMB-7"]


def test_a_check_that_no_meaning_fits_blames_the_target_on_the_reading(readings: ObservedReadings) -> None:
    with pytest.raises(ContractViolation, match="none of them") as caught:
        readings.one_of("GETFLOW-AMB-6", ignored=False, refused=False)
    assert caught.value.clauses == ("GETFLOW-AMB-6",)


def test_an_observation_that_no_meaning_fits_is_an_error_of_the_test(readings: ObservedReadings) -> None:
    with pytest.raises(LookupError, match="GETFLOW-AMB-6: none of ignored, refused holds"):
        readings.observe("GETFLOW-AMB-6", ignored=False, refused=False)
    assert readings.observations == []


@pytest.mark.usefixtures("fixed")
@pytest.mark.parametrize("method", ["one_of", "observe"])
def test_another_meaning_than_the_fixed_one_is_a_finding(readings: ObservedReadings, method: str) -> None:
    with pytest.raises(ContractViolation, match="the meaning refused, which this run fixes"):
        getattr(readings, method)("GETFLOW-AMB-6", ignored=True, refused=False)
    assert readings.is_allowed("GETFLOW-AMB-6", "refused")
    assert not readings.is_allowed("GETFLOW-AMB-6", "ignored")


@pytest.mark.parametrize("method", ["one_of", "observe"])
def test_a_meaning_or_reading_that_does_not_exist_is_our_mistake(readings: ObservedReadings, method: str) -> None:
    with pytest.raises(ContractError, match="GETFLOW-AMB-6: expected one of the meanings refused, ignored, got 'odd'"):
        getattr(readings, method)("GETFLOW-AMB-6", odd=True)
    with pytest.raises(ContractError, match=r"GETFLOW-AMB-999: contracts/getflow/readings.yaml has no such reading"):
        getattr(readings, method)("GETFLOW-AMB-999", odd=True)
