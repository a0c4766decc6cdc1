"""What a case of the proof shows, and the figures that are made of many cases."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case. problems: what is not as it must be, in lines. measures: what was counted, by name; seconds: it took.

    What a case that raised has not counted is 0.
    """

    name: str
    problems: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def measure(self, name: str) -> float:
        """What was counted under that name."""
        return self.measures.get(name, 0.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the proof, with its goal and whether it is reached."""

    title: str
    value: str
    goal: str
    is_reached: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Cases by name, a function that runs one, and the figures of those that were run."""

    summary: str
    names: Callable[[], list[str]]
    run: Callable[[str], CaseResult]
    figures: Callable[[Sequence[CaseResult]], list[Figure]]
    prepare: Callable[[Sequence[str]], None] = lambda _: None  # what all processes share


def share_figure(title: str, results: Sequence[CaseResult], measure: str, goal: float) -> Figure:
    """The share of the cases whose measure is not 0; the goal is a share too."""
    count = sum(bool(result.measure(measure)) for result in results)
    text = f"{count} of {len(results)} ({count / len(results):.1%})"
    return Figure(title, text, f"{goal:.0%}", count >= goal * len(results))


def most_figure(title: str, values: Sequence[float], unit: str, goal: float) -> Figure:
    """The largest value, which may be the goal at most."""
    largest = max(values, default=0.0)
    return Figure(title, f"{largest:.4g} {unit}", f"at most {goal:g} {unit}", largest <= goal)


def median_figure(title: str, values: Sequence[float], unit: str, goal: float) -> Figure:
    """The median, which may be the goal at most."""
    median = statistics.median(values) if values else 0.0
    return Figure(title, f"{median:.4g} {unit}", f"at most {goal:g} {unit}", median <= goal)
