"""Explains a bare `assert` that failed: what was expected, what was received, and which exchange shows it.

Rule: the words that the test has for it are what was received; without words the two sides of the comparison are shown,
never Python's own account of the statement.
"""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from contracts.exchange import Exchange
from fixtures.target_api import Api

SUITES = Path(__file__).parents[1]
MAX_SHOWN = 300  # characters of a value
SAYS_LITTLE = 24  # characters of a value, at most, that needs an explanation
EXPECTED_BY = {  # what a comparison expects of its left side
    "==": "{}",
    "is": "{}",
    "!=": "another value than {}",
    "is not": "another value than {}",
    "in": "one of {}",
    "not in": "none of {}",
    "<": "less than {}",
    "<=": "at most {}",
    ">": "more than {}",
    ">=": "at least {}",
}


class Comparison(NamedTuple):
    """The operator of a comparison that failed, and its two sides."""

    operator: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class FailedAssertion:
    """What was expected and received, "" where the statement does not say; the exchange at fault, None for none."""

    expected: str
    received: str
    exchange: Exchange | None


def explain(
    error: BaseException, exchanges: Sequence[Exchange], comparison: Comparison | None = None
) -> FailedAssertion:
    """Explains the assertion. exchanges: those of the test, in order; comparison: the last one that failed in it."""
    words = _words(error)
    exchange = exchange_at_fault(error, exchanges)
    if comparison is None or f" {comparison.operator} " not in str(error):
        return FailedAssertion("", words or (shown(exchange) if exchange else ""), exchange)
    operator, received, wanted = comparison
    source = _comparison_at(error)
    if operator in ("==", "is") and source and _is_literal(source.left) and not _is_literal(source.comparators[0]):
        received, wanted = wanted, received
    expected = EXPECTED_BY.get(operator, "{}").format(shown(wanted))
    return FailedAssertion(expected, words or _with_source(shown(received), source), exchange)


def shown(value: object) -> str:
    """The value for people: an exchange by status and body, what is empty as "none", anything else as Python has it."""
    if isinstance(value, Exchange):
        text = f"{value.response.status}: {value.response.text()}"
    else:
        text = "none" if value is None or (isinstance(value, list | tuple | set | dict) and not value) else repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _words(error: BaseException) -> str:
    """The message of the statement, without what pytest adds; "" when there is none."""
    lines: list[str] = []
    for line in str(error).split("\n"):
        if line.startswith("assert "):
            break
        lines.append(line)
    return "\n".join(lines).strip()


def exchange_at_fault(error: BaseException, exchanges: Sequence[Exchange]) -> Exchange | None:
    """The last exchange that a variable of the failed statement holds, else of its function, else the last of all.

    A statement that sends requests itself, such as `assert not listed_names(api, name)`, is about the last of all.
    """
    for frame, line in reversed(list(_frames(error.__traceback__))):
        held = {name: value for name, value in frame.f_locals.items() if isinstance(value, Exchange)}
        names = {node.id for node in _nodes(frame, line) if isinstance(node, ast.Name)}
        used = [value for name, value in held.items() if name in names]
        if exchanges and not used and _sends_requests(frame, line):
            return exchanges[-1]
        if used or held:
            return max(used or held.values(), key=lambda exchange: _place(exchange, exchanges))
    return exchanges[-1] if exchanges else None


def _sends_requests(frame: FrameType, line: int) -> bool:
    """Whether the condition of the failed statement is given an API, to which it then sends requests."""
    conditions = [node.test for node in _nodes(frame, line) if isinstance(node, ast.Assert)]
    names = {node.id for condition in conditions for node in ast.walk(condition) if isinstance(node, ast.Name)}
    return any(isinstance(frame.f_locals.get(name), Api) for name in names)


def held_exchanges(error: BaseException) -> list[Exchange]:
    """The exchanges that the innermost function with any holds, also in lists and dictionaries."""
    for frame, _ in reversed(list(_frames(error.__traceback__))):
        values = [part for value in frame.f_locals.values() for part in _parts(value)]
        if held := [value for value in values if isinstance(value, Exchange)]:
            return held
    return []


def _parts(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else (value,)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    """The frames of the suites that the error went through, each with its line, the outermost first."""
    while traceback is not None:
        if Path(traceback.tb_frame.f_code.co_filename).is_relative_to(SUITES):
            yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _comparison_at(error: BaseException) -> ast.Compare | None:
    """The first comparison of the failed statement: a literal on its left is what was expected."""
    for frame, line in list(_frames(error.__traceback__))[-1:]:
        return next((node for node in _nodes(frame, line) if isinstance(node, ast.Compare)), None)
    return None


def _with_source(received: str, source: ast.Compare | None) -> str:
    """A short value, which says little alone, with what the test computes there."""
    if source is None or len(received) > SAYS_LITTLE:
        return received
    sides = (source.left, source.comparators[0])
    computed = next((ast.unparse(side) for side in sides if not _is_literal(side)), "")
    return f"{received}, as {computed}" if computed else received


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(map(_is_literal, node.elts))
    return isinstance(node, ast.Constant)


def _nodes(frame: FrameType, line: int) -> list[ast.AST]:
    """The parts of the statement at that line, from the outside in."""
    code = frame.f_code
    statements = [node for node in _statements(code.co_filename, code.co_firstlineno) if _covers(node, line)]
    innermost = min(statements, key=lambda node: (node.end_lineno or node.lineno) - node.lineno, default=None)
    return list(ast.walk(innermost)) if innermost else []


@cache
def _statements(file: str, first: int) -> list[ast.stmt]:
    """The statements of the function that begins at that line, else of the file: a comprehension is a part of one."""
    lines = linecache.getlines(file)
    try:
        return _parsed(inspect.getblock(lines[first - 1 :]), first)
    except SyntaxError:
        return _parsed(lines, 1)


def _parsed(lines: Sequence[str], first: int) -> list[ast.stmt]:
    is_indented = "".join(lines[:1]).startswith((" ", "\t"))
    tree = ast.parse("".join(["if True:\n", *lines] if is_indented else lines))
    ast.increment_lineno(tree, first - 1 - is_indented)
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno >= first]


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _place(exchange: Exchange, exchanges: Sequence[Exchange]) -> int:
    return next((number for number, known in enumerate(exchanges) if known is exchange), -1)
