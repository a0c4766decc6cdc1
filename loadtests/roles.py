"""What a process is in a run: alone it plays and gathers; with others the master gathers what the workers play.

All of them are told the same by `wiring.py`: begin, stopping, end, forget (statistics were reset), change (of the
rate).
"""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from typing import Any

from locust.env import Environment

from loadtests.node import Counted, Line, Node, recorder
from loadtests.open_model import plans
from loadtests.results import Folder, Run
from reports.load.result import Result

ACROSS = "across workers"  # the transport of what no single request shows
EMBEDDED = "flow_embedded"  # the option that says whose target is our reference, which lives as long as the master
ROOT = Path(__file__).resolve().parents[1] / "reports" / "out" / "load"

logger = logging.getLogger(__name__)


class Role:
    """Common to all: run and result of a process that gathers, node of one that plays."""

    run: Run | None = None
    result: Result | None = None
    node: Node | None = None
    path: Path | None = None  # of the last run's folder

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._runs = 0

    def begin(self) -> None:
        """The test starts."""

    def stopping(self) -> None:
        """The test is being stopped; journeys under way may still end."""
        if self.run is not None:
            self.run.stopping()
        if self.node is not None:
            self.node.halt()

    def end(self) -> None:
        """All users have stopped."""

    def forget(self) -> None:
        """Statistics were reset."""
        if self.node is not None:
            self.node.forget()
        if self.run is not None:
            self.run.forget()

    def change(self, rate: str) -> None:
        """Open arrivals come at another rate from now on: of all classes together, all workers together."""
        if self.node is not None:
            self.node.change(self.plans(rate))

    def found(self, operation: str, reason: str, number: int) -> None:
        """Count failures that show only when all workers are looked at together."""

    def plans(self, rate: str = "") -> dict[str, Any]:
        """The plans of arrivals of this run's classes. Raises ValueError for options that are no plan."""
        options = self.environment.parsed_options
        known = rate or getattr(options, "rate", None) or ""
        kind = getattr(options, "arrivals", None) or "poisson"
        return plans(playing(self.environment), known, kind, getattr(options, "arrivals_seed", None) or 1)

    def new_run(self, workers: int) -> Run:
        """A run with a folder of its own, described by the options that matter and hold no secret."""
        options = self.environment.parsed_options
        named = getattr(options, "results", None)
        self._runs += 1
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        if named:
            path = Path(named) if self._runs == 1 else Path(f"{named}-{self._runs}")
        else:
            path = _unused(ROOT / f"{name}-{re.sub(r'[^0-9A-Za-z_]', '', Path(str(self.environment.locustfile)).stem)}")
        shape = self.environment.shape_class
        timed = shape if shape is not None else options
        planned = getattr(timed, "run_time", None)
        described = {
            "users": getattr(options, "num_users", None),
            "spawn_rate": getattr(options, "spawn_rate", None),
            "shape": type(shape).__name__ if shape is not None else None,
            "arrivals": {name: vars(plan) for name, plan in self.plans().items()},
            "classes": [each.__name__ for each in self.environment.user_classes],
            "apis": sorted({api for each in self.environment.user_classes if (api := getattr(each, "api", ""))}),
            "embedded": getattr(options, EMBEDDED, []),
            **getattr(shape, "described", {}),
        }
        self.path = path
        return Run(path.name, Folder(path), planned, workers, described)


class Lone(Role):
    """A process without others."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.node: Node = Node(environment, "local", self._take)

    def begin(self) -> None:
        self.run = self.new_run(workers=1)
        self.node.begin(self.run.result.name, self.plans())

    def end(self) -> None:
        if self.run is not None:
            self.node.end()
            self.result = self.run.end(lost=[])
            self.run = None

    def found(self, operation: str, reason: str, number: int) -> None:
        now = time.perf_counter_ns()
        for _ in range(number):
            recorder.slot(operation, ACROSS).failed(reason, now, now, now)

    def _take(self, line: Line, counted: Counted) -> None:
        if self.run is not None:
            self.run.take(line, counted)


def playing(environment: Environment) -> list[Any]:
    """The classes whose users play journeys."""
    return [each for each in environment.user_classes if hasattr(each, "arrivals")]


def _unused(path: Path) -> Path:
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
