"""Every clause is tested or says why not, every mark names a clause, and every fault and reading is about one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import contracts
from contracts import files
from contracts.clauses import clauses, readings
from contracts.document import contract
from fixtures.reference import load

SUITES = Path(__file__).parents[1]
ID = re.compile(r"\b[A-Z]+-[A-Z]+(?:-[A-Z]+)?-\d+\b")
ACROSS = {"equivalence", "model"}  # suites about all sections at once
every_api = pytest.mark.parametrize("api", contracts.apis())


@cache
def marked(api: str) -> dict[str, set[str]]:
    """The tests of `suites/<api>/` by the clause that they are marked with."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((SUITES / api).glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in _marks(node):
                    found[clause].add(f"{path.name}::{node.name}")
    return found


def _marks(function: ast.FunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "clause":
            yield from (one.value for one in decorator.args if isinstance(one, ast.Constant))


def texts(api: str) -> str:
    """All of that API's suites as text."""
    return "\n".join(path.read_text() for path in sorted((SUITES / api).glob("*.py")))


@every_api
def test_every_clause_that_a_server_can_break_has_a_test(api: str) -> None:
    due = {one.id for one in clauses(api).values() if one.check in ("wire", "fixture") and not one.untested}
    assert due - set(marked(api)) == set()


@every_api
def test_every_mark_names_a_clause_of_its_api(api: str) -> None:
    assert set(marked(api)) - set(clauses(api)) - set(readings(api)) == set()


@every_api
def test_no_clause_is_both_tested_and_untested(api: str) -> None:
    both = [one.id for one in clauses(api).values() if one.untested and one.id in marked(api)]
    assert both == []


@every_api
def test_every_duty_of_the_client_is_checked_on_ours(api: str) -> None:
    due = {one.id for one in clauses(api).values() if one.check == "client" and not one.untested}
    selftests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert due - set(marked(api)) - set(ID.findall(selftests)) == set()


@every_api
def test_every_tested_clause_is_broken_by_a_fault(api: str) -> None:
    broken = {clause for fault in load(api).FAULTS.values() for clause in fault.clauses}
    due = {one.id for one in clauses(api).values() if one.check in ("wire", "fixture") and not one.untested}
    assert due & set(marked(api)) - broken == set()


@every_api
def test_every_fault_and_variant_is_about_known_clauses(api: str) -> None:
    known = set(clauses(api)) | set(readings(api))
    package = load(api)
    for change in [*package.FAULTS.values(), *package.VARIANTS.values()]:
        assert change.clauses, change.name
        assert set(change.clauses) - known == set(), change.name
        assert change.summary, change.name


@every_api
def test_every_reading_that_touches_the_wire_is_consulted(api: str) -> None:
    """By a test that says which meaning it saw, or by a rule of the contract."""
    rules = "\n".join(path.read_text() for path in files.sources(contracts.HERE / api))
    consulted = set(ID.findall(texts(api))) | set(ID.findall(rules))
    due = {one.id for one in readings(api).values() if one.meanings}
    assert due - consulted == set()


@every_api
def test_rules_that_leave_a_choice_name_a_meaning_of_their_reading(api: str) -> None:
    wrong = []
    for rule in _rules(contract(api).document):
        for reading, meaning in (rule.get("accepted") or {}).items():
            if meaning not in readings(api)[reading].meanings:
                wrong.append((reading, meaning))
    assert wrong == []


def _rules(value: object) -> Iterator[dict[str, dict[str, str]]]:
    """Every mapping of the document that has `accepted` readings."""
    if isinstance(value, dict):
        if isinstance(value.get("accepted"), dict):
            yield value
        for inner in value.values():
            yield from _rules(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _rules(inner)


@every_api
def test_a_suite_is_named_after_a_section(api: str) -> None:
    sections = {one.section for one in clauses(api).values()}
    files = {path.stem.removeprefix("test_") for path in (SUITES / api).glob("test_*.py")}
    assert files - sections - ACROSS == set()
