"""How many causes a run reports for one fault, and whether the worst one is right: what `--causes` has to prove.

Rule: each fault is reported as MAX_CAUSES causes at most, and as one at the median; the worst of them names a clause
that the fault breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from reports.mutation.kill_table import MutationResult

MAX_CAUSES = 3
MEDIAN = 1
COLUMNS = ("causes of a fault", "faults", "median", "most", f"above {MAX_CAUSES}", "another clause first")


def table(results: Sequence[MutationResult]) -> list[str]:
    """A line for each API and one for all, under their heads; nothing where no trial counted causes."""
    counted = _counted(results)
    apis = sorted({result.api for result in counted})
    rows = [_row(api, [result for result in counted if result.api == api]) for api in apis]
    rows += [_row("all", counted)] if counted else []
    cells = [COLUMNS, *rows] if rows else []
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))] if cells else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def problems(results: Sequence[MutationResult]) -> list[str]:
    """A line for each fault that is reported otherwise, and one for a median that is too high."""
    counted = _counted(results)
    middle = median(map(_number, counted)) if counted else MEDIAN
    too_high = [f"median {middle:g} causes, expected {MEDIAN}"] if middle > MEDIAN else []
    return [*too_high, *(problem for result in counted for problem in _problems_of(result))]


def _problems_of(result: MutationResult) -> Iterator[str]:
    name = f"{result.api}.{result.name}"
    if _number(result) > MAX_CAUSES:
        clauses = ", ".join(cause[0] for cause in result.causes or () if cause)
        yield f"{name}: {_number(result)} causes, expected at most {MAX_CAUSES}: {clauses}"
    if not result.is_first_cause_right:
        first = next(iter((result.causes or ((),))[0]), "none")
        yield f"{name}: the first cause is about {first}, expected {' or '.join(result.clauses)}"


def _row(name: str, results: Sequence[MutationResult]) -> tuple[str, ...]:
    numbers = [_number(result) for result in results]
    many = sum(number > MAX_CAUSES for number in numbers)
    wrong = sum(not result.is_first_cause_right for result in results)
    return name, str(len(results)), f"{median(numbers):g}", str(max(numbers)), str(many), str(wrong)


def _counted(results: Sequence[MutationResult]) -> list[MutationResult]:
    """The faults that every test ran against, by API and name; one that no test caught has no cause to look at."""
    counted = [result for result in results if result.causes]
    return sorted(counted, key=lambda result: (result.api, result.name))


def _number(result: MutationResult) -> int:
    return len(result.causes or ())
