"""Every clause is tested or says why not, every mark names a clause, every fault and reading is about one."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts import loader
from contracts.asyncapi import Call, load_rpc_contract
from contracts.clauses import clauses, readings
from contracts.openapi import load_contract
from contracts.operation import Operation, Schema
from contracts.reader.document_parts import parts
from fixtures.reference import load

SUITES = Path(__file__).parents[2]
ID = re.compile(r"\b[A-Z][A-Z0-9_]*(?:-[A-Z][A-Z0-9]*)+-\d+\b")
ALL_SECTIONS = {"equivalence", "model"}  # suites that are about all sections at once
every_api = pytest.mark.parametrize("api", contracts.apis())


@cache
def marked(api: str) -> dict[str, set[str]]:
    """The tests of `suites/<api>/` by the clause that they are marked with."""
    tests: dict[str, set[str]] = defaultdict(set)
    for path in sorted((SUITES / api).glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in _marks(node):
                    tests[clause].add(f"{path.name}::{node.name}")
    return tests


def _marks(function: ast.FunctionDef) -> Iterator[str]:
    calls = [
        node for decorator in function.decorator_list for node in ast.walk(decorator) if isinstance(node, ast.Call)
    ]
    for call in calls:  # a decorator, or the mark of a parameter
        if ast.unparse(call.func).split(".")[-1] == "clause":
            yield from (str(it.value) for it in call.args if isinstance(it, ast.Constant))


@cache
def checked_by_generic_tests(api: str) -> frozenset[str]:
    """The clauses that the tests in `suites/generic/` blame, which therefore need no marked test of their own."""
    contract, rpc = load_contract(api), load_rpc_contract(api)
    blamed = {*_rule_clauses(contract.refusals), *contract.silent.values()}
    for operation in contract.operations.values():
        blamed |= set(_operation_clauses(operation))
    if rpc:
        blamed |= set(_rule_clauses(rpc.contract.refusals))
        for call in rpc.calls.values():
            blamed |= set(_call_clauses(call))
    return frozenset(blamed)


def _operation_clauses(operation: Operation) -> Iterator[str]:
    yield operation.clauses[0]  # what breaks no nearer clause is blamed on the first
    yield from _rule_clauses(operation.refusals)
    for parameter in operation.parameters:
        yield from _rule_clauses(parameter.refusals)
    yield from _schema_clauses([operation.body.schema] if operation.body else [])
    for response in operation.responses.values():
        yield from filter(None, [response.clause])
        yield from _schema_clauses(response.headers.values())
        yield from _schema_clauses(media["schema"] for media in response.content.values())


def _call_clauses(call: Call) -> Iterator[str]:
    yield from (call.clauses[0], call.reply_clause)
    yield from _rule_clauses(call.refusals)
    yield from _schema_clauses([call.reply_schema])


def _rule_clauses(rules: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from (rule["clause"] for rule in rules.values() if "clause" in rule)


def _schema_clauses(schemas: Iterable[Schema]) -> Iterator[str]:
    for _, part in parts(list(schemas)):
        if isinstance(part.get("x-clause"), str):
            yield part["x-clause"]
        yield from _rule_clauses(part.get("x-refusals", {}))


def decided_by_exchanges(api: str) -> set[str]:
    """The clauses that a server can break and that are not excused."""
    return {clause.id for clause in clauses(api).values() if clause.check in ("wire", "fixture")}


def suite_text(api: str) -> str:
    """All of that API's suite as text."""
    return "\n".join(path.read_text() for path in sorted((SUITES / api).glob("*.py")))


@every_api
def test_every_clause_that_a_server_can_break_has_a_test(api: str) -> None:
    assert decided_by_exchanges(api) - set(marked(api)) - checked_by_generic_tests(api) == set()


@every_api
def test_clauses_of_generic_tests_are_those_of_the_documents(api: str) -> None:
    text = "\n".join(path.read_text() for path in loader.source_files(contracts.FOLDER / api))
    assert checked_by_generic_tests(api)
    assert checked_by_generic_tests(api) <= set(ID.findall(text))


@every_api
def test_every_mark_names_a_clause_of_its_api(api: str) -> None:
    assert set(marked(api)) - set(clauses(api)) - set(readings(api)) == set()


@every_api
def test_no_clause_is_both_tested_and_untested(api: str) -> None:
    assert [clause.id for clause in clauses(api).values() if clause.untested and clause.id in marked(api)] == []


@every_api
def test_every_duty_of_the_client_is_checked_on_ours(api: str) -> None:
    duties = {clause.id for clause in clauses(api).values() if clause.check == "client"}
    selftests = "\n".join(path.read_text() for path in (SUITES / "selftest").rglob("test_*.py"))
    assert duties - set(marked(api)) - set(ID.findall(selftests)) == set()


@every_api
def test_every_tested_clause_is_broken_by_a_fault(api: str) -> None:
    broken = {clause for fault in load(api).FAULTS.values() for clause in fault.clauses}
    tested = set(marked(api)) | checked_by_generic_tests(api)
    assert decided_by_exchanges(api) & tested - broken == set()


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
    rules = "\n".join(path.read_text() for path in loader.source_files(contracts.FOLDER / api))
    consulted = set(ID.findall(suite_text(api))) | set(ID.findall(rules))
    assert {reading.id for reading in readings(api).values() if reading.meanings} - consulted == set()


@every_api
def test_a_suite_is_named_after_a_section(api: str) -> None:
    sections = {clause.section for clause in clauses(api).values()}
    files = {path.stem.removeprefix("test_") for path in (SUITES / api).glob("test_*.py")}
    assert files - sections - ALL_SECTIONS == set()
