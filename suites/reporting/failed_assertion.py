"""Explains a bare `assert` that failed: what was expected, what was received, and which exchange shows it."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType

from contracts.exchange import Exchange

SUITES = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class FailedAssertion:
    """What was expected and received, and the exchange at fault, None where there was none."""

    expected: str
    received: str
    exchange: Exchange | None


def explain(error: BaseException, exchanges: Sequence[Exchange]) -> FailedAssertion:
    """Explains the assertion; `exchanges` are those of the test, in order."""
    received = next(iter(str(error).split("\n")), "")
    return FailedAssertion("", received, exchange_at_fault(error, exchanges))


def exchange_at_fault(error: BaseException, exchanges: Sequence[Exchange]) -> Exchange | None:
    """The last exchange that a variable of the failed statement holds, else of its function, else the last of all."""
    frames = [frame for frame in _frames(error.__traceback__) if _is_of_tests(frame[0])]
    for frame, line in reversed(frames):
        own = [value for value in frame.f_locals.values() if isinstance(value, Exchange)]
        named = [frame.f_locals.get(name) for name in _names_at(frame.f_code.co_filename, line)]
        used = [value for value in named if isinstance(value, Exchange)]
        if used or own:
            return max(used or own, key=lambda exchange: _place(exchange, exchanges))
    return exchanges[-1] if exchanges else None


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _is_of_tests(frame: FrameType) -> bool:
    return Path(frame.f_code.co_filename).is_relative_to(SUITES)


def _names_at(file: str, line: int) -> list[str]:
    """The variables of the statement at that line."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return []
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and _covers(node, line)]
    if not statements:
        return []
    innermost = min(statements, key=lambda node: (node.end_lineno or node.lineno) - node.lineno)
    return [node.id for node in ast.walk(innermost) if isinstance(node, ast.Name)]


def _covers(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _place(exchange: Exchange, exchanges: Sequence[Exchange]) -> int:
    return next((number for number, known in enumerate(exchanges) if known is exchange), -1)
