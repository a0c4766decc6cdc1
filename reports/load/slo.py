"""Reads service level objectives from YAML: limits for a whole load run, an API, an operation or a journey.

    run:
      errors: 1 %                 # requests without a good response, at most; every file must state it
      violations: 0 %             # failures that name a clause of a contract
      dropped: 0 %                # open arrivals that found all users busy
      breakpoint: 400 /s          # journeys a second that a search must reach; its first rate if nothing is stated
    apis:
      getflow:
        p95: 500 ms               # of good responses, from when a request was due to its last byte
        p99.9: 2 s                # from p99.9 on, and for max, of all responses: failed ones and time-outs too
        all p95: 600 ms           # of all responses; `good max` of good ones alone
        operations:
          GET /tasks:
            service p99: 300 ms   # from when it was sent; also `first` and `connect`
            samples: 500          # fewer good responses are no evidence for its percentiles
        journeys:
          read_all_pages:         # its name in loadtests/getflow.py
            p95: 2 s              # from when the journey was due to its end, if all its responses were good
            errors: 1 %           # journeys with a response that was not good
    operations:                   # of locustfiles without a contract, by their name in the statistics
      GET /visit:
        throughput: 50 /s         # good responses a second, at least
    journeys:                     # of locustfiles without a contract
      visit:
        max: 5 s
        abort: true               # end the run as soon as an objective of this section can no longer be met
    steps:                        # what journeys time as one, by the name of the step
      checkout:
        p95: 1 s                  # from its begin to its end, pauses included
    tags:                         # all requests with a tag
      reading:
        p95: 200 ms

An editor with a YAML language server completes and checks such a file by `contracts/schema/objectives.schema.json`.

Rule: reading is strict. Everything unknown is an error with file, line and what was expected; there are no defaults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import yaml

from contracts.yaml_reader import UsageError, YamlReader
from reports.load.load_run import operation_names

TIME_METRIC = re.compile(r"(?:(all|good|corrected|service|first|connect) )?(?:p(\d+(?:\.\d+)?)|(mean|max))")
THROUGHPUT, BREAKPOINT = RATES = ("throughput", "breakpoint")  # metrics that have a minimum
SERIES = {"good": "corrected"}  # what a word in a metric means, if not the series of its name
OF_ALL = 99.9  # percentiles from this one on are of all responses unless a word says otherwise
JOURNEY_WORDS = (None, "all", "good")  # in a metric of a journey
UNITS = {"µs": 1e3, "us": 1e3, "ms": 1e6, "s": 1e9}  # in ns
RUN, API, OPERATION, JOURNEY, STEP, TAG = "run", "api", "operation", "journey", "step", "tag"
METRICS = (
    "p95 (any percentile), mean, max, with `all`, `good`, `service`, `first` or `connect` before it, errors,"
    " violations, throughput"
)
JOURNEY_METRICS = "p95 (any percentile), mean, max, with `all` or `good` before it, errors, throughput"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an objective applies to.

    kind: run, api, operation, journey, step or tag. api: "" for all but an API and its operations and journeys.
    operation: the name of the operation, journey, step or tag.
    """

    kind: str
    api: str = ""
    operation: str = ""

    def __str__(self) -> str:
        name = self.operation if self.kind == OPERATION else f"{self.kind} {self.operation}"
        return {RUN: "run", API: self.api}.get(self.kind, f"{self.api} {name}".strip())


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective.

    limit: in ns, a share of 1, or a rate per second, depending on the metric. line: its line in the file. series: which
    times it limits, as in `OperationStatistics.times`, "" for other metrics. percent: 100 for the maximum, None for the
    mean. samples: how many samples the file demands, or None. abort: whether the run ends once it can no longer be met.
    """

    scope: Scope
    metric: str
    limit: float
    line: int
    series: str = ""
    percent: float | None = None
    samples: int | None = None
    abort: bool = False

    @property
    def is_time(self) -> bool:
        """Whether it limits times."""
        return bool(self.series)

    @property
    def is_lower_bound(self) -> bool:
        """Whether the limit is a minimum."""
        return self.metric in RATES


@dataclass(frozen=True, slots=True)
class ObjectivesFile:
    """All objectives of a file, in its order."""

    path: Path
    objectives: tuple[Objective, ...]


def read_objectives(path: Path, operations_of: Callable[[str], Collection[str]] = operation_names) -> ObjectivesFile:
    """Read that file; `operations_of` returns the operations of an API, none for an unknown one. Raises UsageError."""
    return ObjectivesFile(path, tuple(_ObjectivesReader(path, operations_of).objectives()))


class _ObjectivesReader(YamlReader):
    """Reads one file of objectives."""

    def __init__(self, path: Path, operations_of: Callable[[str], Collection[str]]) -> None:
        super().__init__(path, "--slo")
        self.operations_of = operations_of

    def objectives(self) -> Iterator[Objective]:
        sections = self.mapping(self.root, ("run", "apis", "operations", "journeys", "steps", "tags"))
        run = list(self.metrics(sections["run"], Scope(RUN), ())) if "run" in sections else []
        if not any(objective.metric == "errors" for objective in run):
            raise UsageError(f"{self.path}: `run` must say how many `errors` are allowed, such as errors: 1 %")
        yield from run
        for name, node in self.mapping(sections["apis"]).items() if "apis" in sections else ():
            operations = self.operations_of(name)
            if not operations:
                raise self.error(node, f"{name!r} is no API: expected the name of a folder in contracts/")
            yield from self.metrics(node, Scope(API, name), operations)
        for name, node in self.mapping(sections["operations"]).items() if "operations" in sections else ():
            yield from self.metrics(node, Scope(OPERATION, "", name), ())
        yield from self.journeys(sections.get("journeys"), "")
        for section, kind in (("steps", STEP), ("tags", TAG)):
            for name, node in self.mapping(sections[section]).items() if section in sections else ():
                yield from self.metrics(node, Scope(kind, "", name), ())

    def journeys(self, node: yaml.Node | None, api: str) -> Iterator[Objective]:
        """The objectives of journeys; whether a journey exists is checked where they are run."""
        for name, metrics in self.mapping(node).items() if node is not None else ():
            yield from self.metrics(metrics, Scope(JOURNEY, api, name), ())

    def metrics(self, node: yaml.Node, scope: Scope, operations: Collection[str]) -> Iterator[Objective]:
        """The objectives of one scope, and for an API those of its operations and journeys."""
        entries = self.mapping(node)
        of_operations, of_journeys = (
            entries.pop(name, None) if operations else None for name in ("operations", "journeys")
        )
        samples_node = entries.pop("samples", None)
        samples = self.positive_integer(samples_node) if samples_node is not None else None
        abort_node = entries.pop("abort", None)
        abort = self.boolean(abort_node) if abort_node is not None else False
        for name, value in entries.items():
            yield replace(self.objective(scope, name, value), samples=samples, abort=abort)
        for name, value in self.mapping(of_operations).items() if of_operations is not None else ():
            operation = name.removesuffix(" (refused)")
            if operation not in operations:
                raise self.error(value, f"{scope.api} has no operation {name!r}{_hint(operation, operations)}")
            yield from self.metrics(value, Scope(OPERATION, scope.api, name), ())
        yield from self.journeys(of_journeys, scope.api)

    def objective(self, scope: Scope, name: str, node: yaml.Node) -> Objective:
        line = node.start_mark.line + 1
        is_journey = scope.kind in (JOURNEY, STEP)
        if name == "errors" or (name == "dropped" and scope.kind == RUN) or (name == "violations" and not is_journey):
            return Objective(scope, name, self.quantity(node, {"%": 0.01}, "a share such as 1 %"), line)
        if name == THROUGHPUT or (name == BREAKPOINT and scope.kind == RUN):
            return Objective(scope, name, self.quantity(node, {"/s": 1.0}, "a rate such as 50 /s"), line)
        match = TIME_METRIC.fullmatch(name)
        if (
            match is None
            or (match[2] and not 0 < float(match[2]) < 100)
            or (is_journey and match[1] not in JOURNEY_WORDS)
        ):
            known = JOURNEY_METRICS if is_journey else METRICS + (", dropped, breakpoint" if scope.kind == RUN else "")
            raise self.error(node, f"{name!r} is no metric of {scope}: expected {known}")
        percent = {"mean": None, "max": 100.0}[match[3]] if match[3] else float(match[2])
        limit = self.quantity(node, UNITS, "a time such as 500 ms")
        word = match[1] or ("all" if percent is not None and percent >= OF_ALL else "good")
        return Objective(scope, name, limit, line, SERIES.get(word, word), percent)


def _hint(name: str, operations: Collection[str]) -> str:
    near = get_close_matches(name, operations, 3)
    return f"; did you mean {' or '.join(near)}?" if near else f": expected one such as {min(operations)}"
