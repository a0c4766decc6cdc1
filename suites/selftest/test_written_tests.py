"""Tests that are written do run: no function of a test module is out of use because of its name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXTS = {path: path.read_text("utf-8") for top in ("suites", "loadtests") for path in (ROOT / top).rglob("*.py")}
RUN_BY_PYTEST = re.compile(r"test_|pytest_")


def functions(path: Path) -> Iterator[str]:
    """The functions of a module that pytest does not call by itself: neither tests nor hooks nor fixtures."""
    for node in ast.parse(TEXTS[path]).body:
        if isinstance(node, ast.FunctionDef) and not RUN_BY_PYTEST.match(node.name) and not is_fixture(node):
            yield node.name


def is_fixture(function: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_every_function_of_a_test_module_is_a_test_or_is_used() -> None:
    names = Counter(name for text in TEXTS.values() for name in re.findall(r"\w+", text))
    modules = [path for path in TEXTS if path.name.startswith("test_")]
    assert [f"{path.name}: {name}" for path in modules for name in functions(path) if names[name] < 2] == []
