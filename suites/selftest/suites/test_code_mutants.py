"""Tests of how our own code is mutated: which changes there are, and that functions in use get them."""

from __future__ import annotations

import importlib.util
import os
import signal
from pathlib import Path
from types import ModuleType

import pytest

from suites.mutants.code_mutants import CodeChange, changes
from suites.mutants.code_swap import LiveFunctions
from suites.mutants.forks import Fork, in_forks

MODULE = '''
from functools import cache

LIMIT = 3

def above(value: int, limit: int = 3, *, really: bool = True) -> bool:
    """Whether it is above."""
    return really and value > limit

@cache
def doubled(value):
    return value * 2

class Base:
    def name(self):
        return "base"

class Box(Base):
    size = 1

    @property
    def name(self):
        return super().name() + str(self.__size())

    @classmethod
    def next_size(cls):
        def inner():
            return cls.size + 1
        return inner()

    def __size(self):
        return len([1, 2])
'''


@pytest.fixture
def code(tmp_path: Path) -> ModuleType:
    """The module, imported from a file in `tmp_path`."""
    path = tmp_path / "code.py"
    path.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("code_to_mutate", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def change(tmp_path: Path, added: str) -> CodeChange:
    """The change that adds that line."""
    (match,) = [mutation for mutation in changes("code.py", tmp_path) if mutation.lines()[1] == (added,)]
    return match


@pytest.mark.usefixtures("code")
def test_changes_are_within_functions_and_leave_types_and_decorators(tmp_path: Path) -> None:
    names = {change.function.qualified_name for change in changes("code.py", tmp_path)}
    assert names == {"above", "doubled", "Base.name", "Box.name", "Box.next_size"}
    lines = {line for change in changes("code.py", tmp_path) for line in change.lines()[1]}
    assert "return really and value >= limit" in lines
    assert "return really or value > limit" in lines
    assert not any("LIMIT" in line or "@" in line or "Whether" in line for line in lines)


@pytest.mark.parametrize(
    ("added", "expression"),
    [
        ("return really and value >= limit", "code.above(3)"),
        ("def above(value: int, limit: int = 4, *, really: bool = True) -> bool:", "not code.above(4)"),
        ("def above(value: int, limit: int = 3, *, really: bool = False) -> bool:", "not code.above(4)"),
        ("return value * 3", "code.doubled(2) == 6"),
        ('return "XXbaseXX"', 'code.Box().name == "XXbaseXX2"'),
        ("return super().name() - str(self.__size())", "raises(lambda: code.Box().name)"),
        ("return cls.size - 1", "code.Box.next_size() == 0"),
    ],
)
def test_function_in_use_gets_the_change(code: ModuleType, tmp_path: Path, added: str, expression: str) -> None:
    def raises(read: object) -> bool:
        with pytest.raises(TypeError):
            read()  # type: ignore[operator]
        return True

    names = {"code": code, "raises": raises}
    changed = change(tmp_path, added)
    if "raises" not in expression:
        assert not eval(expression, names)
        code.doubled.cache_clear()
    LiveFunctions(str(tmp_path)).swap(changed.function, changed.after)
    assert eval(expression, names)


def test_unchanged_function_reports_that_it_is_entered(code: ModuleType, tmp_path: Path) -> None:
    entered: list[tuple[str, str, int]] = []
    functions = LiveFunctions(str(tmp_path))
    for function, source in {mutation.function: mutation.before for mutation in changes("code.py", tmp_path)}.items():
        functions.prepare_report(function, source)
    functions.report(lambda *key: entered.append(key))
    assert (code.above(4), code.doubled(1), code.Box().name) == (True, 2, "base2")
    assert entered == [
        ("code.py", "above", 6),
        ("code.py", "doubled", 10),
        *(("code.py", "Box.name", 21), ("code.py", "Base.name", 15)),
    ]


def test_function_of_another_file_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("def above():\n    return 1\n")
    (only, *_) = changes("other.py", tmp_path)
    assert only.function not in LiveFunctions(str(tmp_path))


def busy() -> None:
    while True:
        pass


def test_forks_give_their_results() -> None:
    forks = [(number, Fork(lambda number=number: number * 2)) for number in range(5)]
    assert sorted(in_forks(forks, 2)) == [(number, 0, number * 2) for number in range(5)]


@pytest.mark.parametrize(
    ("fork", "status"),
    [
        (Fork(lambda: 1 // 0), 1),
        (Fork(busy, cpu=0.05), -signal.SIGPROF),
        (Fork(signal.pause, wall=0.05), -signal.SIGALRM),
        (Fork(lambda: os.kill(os.getpid(), signal.SIGKILL)), -signal.SIGKILL),
    ],
    ids=["exception", "CPU time", "waiting", "signal"],
)
def test_fork_without_result_ends_with_a_status(fork: Fork, status: int) -> None:
    assert list(in_forks([("key", fork)], 1)) == [("key", status, None)]
