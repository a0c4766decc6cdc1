"""Who may import whom: contracts nothing, references only themselves, fixtures contracts, and so on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("contracts", "fixtures", "suites", "loadtests", "reports")
ALLOWED = {
    "contracts": {"contracts"},
    "fixtures/reference": {"fixtures.reference"},
    "fixtures": {"contracts", "fixtures"},
    "reports": {"contracts", "reports"},
    "loadtests": {"contracts", "fixtures", "reports", "loadtests"},
    "suites": {"contracts", "fixtures", "reports", "suites"},
}
FOREIGN = {"contracts": {"pytest", "locust", "allure"}, "fixtures": {"pytest", "locust", "allure"}}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield base
            if base in OURS:
                yield from (f"{base}.{alias.name}" for alias in node.names)


def files() -> list[str]:
    found = (path for top in OURS for path in (ROOT / top).rglob("*.py"))
    return sorted(str(path.relative_to(ROOT)) for path in found if "reports/out" not in str(path))


def layer(path: str) -> str:
    return "fixtures/reference" if path.startswith("fixtures/reference/") else path.split("/")[0]


@pytest.mark.parametrize("path", files())
def test_a_file_imports_only_from_below(path: str) -> None:
    here = layer(path)
    ours = {name for name in imports(ROOT / path) if name.split(".")[0] in OURS}
    wrong = {name for name in ours if not any(name == top or name.startswith(f"{top}.") for top in ALLOWED[here])}
    if here == "fixtures/reference":
        wrong -= {"fixtures"}
    assert wrong == set()


@pytest.mark.parametrize("path", files())
def test_contracts_and_fixtures_know_no_runner(path: str) -> None:
    foreign = FOREIGN.get(path.split("/")[0], set())
    assert {name.split(".")[0] for name in imports(ROOT / path)} & foreign == set()


@pytest.mark.parametrize("path", files())
def test_a_file_opens_with_its_rule(path: str) -> None:
    assert ast.get_docstring(ast.parse((ROOT / path).read_text())), "a docstring on top says what the file is for"
