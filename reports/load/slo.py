"""Service level objectives, read from YAML: what a load run must keep to, for the whole run, an API or an operation.

    run:
      errors: 1 %                 # requests without a good answer, at most; every file says how many are allowed
      violations: 0 %             # of them those that a clause of a contract is blamed for
      dropped: 0 %                # open arrivals that found all users busy
    apis:
      getflow:
        p95: 500 ms               # corrected: from when a request was due to its last byte
        operations:
          GET /tasks:
            service p99: 300 ms   # from when it was sent; also `first` and `connect`
            samples: 500          # fewer good answers are no evidence for its percentiles
        journeys:
          read_all_pages:         # as loadtests/getflow.py calls it
            p95: 2 s              # from when the journey was due to its end, if all its answers were good
            errors: 1 %           # of its journeys those that met an answer that was not
    operations:                   # of locustfiles without a contract, by the name in the statistics
      GET /visit:
        throughput: 50 /s         # good answers a second, at least
    journeys:                     # of locustfiles without a contract, too
      visit:
        max: 5 s

Rule: strict. Whatever is not understood is an error with file, line and what was expected; nothing is a default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import yaml

from reports.load.run import labels
from reports.load.strict import Misuse, Strict

TIMED = re.compile(r"(?:(corrected|service|first|connect) )?(?:p(\d+(?:\.\d+)?)|(mean|max))")
UNITS = {"µs": 1e3, "us": 1e3, "ms": 1e6, "s": 1e9}  # in ns
RUN, API, OPERATION, JOURNEY = "run", "api", "operation", "journey"
METRICS = (
    "p95 (any percentile), mean, max, with `service`, `first` or `connect` before it, errors, violations, throughput"
)
OF_JOURNEYS = "p95 (any percentile), mean, max, errors, throughput"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule is about: kind run, api, operation or journey; `api` is "" where no contract is behind it.

    operation: its name, or the journey's.
    """

    kind: str
    api: str = ""
    operation: str = ""

    def __str__(self) -> str:
        name = f"journey {self.operation}" if self.kind == JOURNEY else self.operation
        return {RUN: "run", API: self.api}.get(self.kind, f"{self.api} {name}".strip())


@dataclass(frozen=True, slots=True)
class Rule:
    """One objective. `limit` is in ns, as a share of 1, or a second, by `metric`.

    series: of the times; percent: 100 stands for the maximum, None for the mean; samples: stated in the file, or None.
    """

    scope: Scope
    metric: str
    limit: float
    line: int
    series: str = ""
    percent: float | None = None
    samples: int | None = None

    @property
    def is_time(self) -> bool:
        """Whether it limits times."""
        return bool(self.series)

    @property
    def at_least(self) -> bool:
        """Whether the limit is the least and not the most."""
        return self.metric == "throughput"


@dataclass(frozen=True, slots=True)
class Objectives:
    """All rules of a file, in its order."""

    path: Path
    rules: tuple[Rule, ...]


def read(path: Path, known: Callable[[str], Collection[str]] = labels) -> Objectives:
    """The objectives in that file; `known` gives the operations of an API, none for what is no API. Raises Misuse."""
    return Objectives(path, tuple(_File(path, known).rules()))


class _File(Strict):
    """One file of objectives being read."""

    def __init__(self, path: Path, known: Callable[[str], Collection[str]]) -> None:
        super().__init__(path, "--slo")
        self.known = known

    def rules(self) -> Iterator[Rule]:
        sections = self.section(self.root, ("run", "apis", "operations", "journeys"))
        run = list(self.metrics(sections["run"], Scope(RUN), ())) if "run" in sections else []
        if not any(rule.metric == "errors" for rule in run):
            raise Misuse(f"{self.path}: `run` must say how many `errors` are allowed, such as errors: 1 %")
        yield from run
        for name, node in self.section(sections["apis"]).items() if "apis" in sections else ():
            operations = self.known(name)
            if not operations:
                raise self.wrong(node, f"{name!r} is no API: expected the name of a folder in contracts/")
            yield from self.metrics(node, Scope(API, name), operations)
        for name, node in self.section(sections["operations"]).items() if "operations" in sections else ():
            yield from self.metrics(node, Scope(OPERATION, "", name), ())
        yield from self.journeys(sections.get("journeys"), "")

    def journeys(self, node: yaml.Node | None, api: str) -> Iterator[Rule]:
        """The rules of journeys; which there are is for those to say who play them."""
        for name, below in self.section(node).items() if node is not None else ():
            yield from self.metrics(below, Scope(JOURNEY, api, name), ())

    def metrics(self, node: yaml.Node, scope: Scope, operations: Collection[str]) -> Iterator[Rule]:
        """The rules in one place, and for an API those of its operations and journeys."""
        given = self.section(node)
        below, played = (given.pop(name, None) if operations else None for name in ("operations", "journeys"))
        stated = given.pop("samples", None)
        samples = self.count(stated) if stated is not None else None
        for name, value in given.items():
            yield replace(self.rule(scope, name, value), samples=samples)
        for name, value in self.section(below).items() if below is not None else ():
            bare = name.removesuffix(" (refused)")
            if bare not in operations:
                raise self.wrong(value, f"{scope.api} has no operation {name!r}{_hint(bare, operations)}")
            yield from self.metrics(value, Scope(OPERATION, scope.api, name), ())
        yield from self.journeys(played, scope.api)

    def rule(self, scope: Scope, name: str, node: yaml.Node) -> Rule:
        line = node.start_mark.line + 1
        of_journey = scope.kind == JOURNEY
        if name == "errors" or (name == "dropped" and scope.kind == RUN) or (name == "violations" and not of_journey):
            return Rule(scope, name, self.amount(node, {"%": 0.01}, "a share such as 1 %"), line)
        if name == "throughput":
            return Rule(scope, name, self.amount(node, {"/s": 1.0}, "a rate such as 50 /s"), line)
        timed = TIMED.fullmatch(name)
        if timed is None or (timed[2] and not 0 < float(timed[2]) < 100) or (of_journey and timed[1]):
            known = OF_JOURNEYS if of_journey else METRICS + (", dropped" if scope.kind == RUN else "")
            raise self.wrong(node, f"{name!r} is no metric of {scope}: expected {known}")
        percent = {"mean": None, "max": 100.0}[timed[3]] if timed[3] else float(timed[2])
        limit = self.amount(node, UNITS, "a time such as 500 ms")
        return Rule(scope, name, limit, line, timed[1] or "corrected", percent)


def _hint(name: str, operations: Collection[str]) -> str:
    near = get_close_matches(name, operations, 3)
    return f"; did you mean {' or '.join(near)}?" if near else f": expected one such as {min(operations)}"
