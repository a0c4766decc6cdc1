"""Roles of processes: a local process runs users and collects figures; a master only collects, its workers run users.

All roles have methods for the same events: begin, stopping, end, reset (of statistics), change_rate.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from gevent.event import Event
from locust.env import Environment

from loadtests.distributed import machine
from loadtests.distributed.figures_sum import FiguresSum, Line, Statistics, encode_line
from loadtests.distributed.load_generator import LoadGenerator, Notes
from loadtests.distributed.run_results import Run, RunFolder
from loadtests.profiles.arrival_scheduler import arrival_plans
from loadtests.targets.run_targets import RunTarget, run_acceptances, url_of
from reports.load.load_causes import ACCEPTANCES_KEY
from reports.load.load_result import LoadResult
from reports.load.shown_again import JOURNEY_TAGS_KEY

ACROSS_WORKERS = "across workers"  # the transport of failures that no single request shows
EMBEDDED_OPTION = "flow_embedded"  # the option with the APIs whose target is our reference, started for the run
LOCAL = "local"  # the name of the only process in the figures
OUR_REFERENCE = "our reference"  # as the target of an API
RESULTS_ROOT = Path(__file__).resolve().parents[2] / "reports" / "out" / "load"


class Role:
    """Common to all roles. A process that collects has a run and a result, one that runs users a load generator.

    prepared, spawned: set once every process has prepared the run, and once all its users are there.
    """

    run: Run | None = None
    result: LoadResult | None = None
    generator: LoadGenerator | None = None
    folder: Path | None = None  # of the last run
    secrets: Sequence[str] = ()  # masked in what is written

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.prepared, self.spawned = Event(), Event()
        self._runs = 0

    def begin(self) -> None:
        """The test starts."""

    def end_preparation(self) -> None:
        """This process has prepared the run."""

    def stopping(self) -> None:
        """The test is being stopped; running journeys may still end."""
        if self.run is not None:
            self.run.stopping()
        if self.generator is not None:
            self.generator.halt_arrivals()

    def end(self) -> None:
        """All users have stopped."""

    def reset(self) -> None:
        """Statistics were reset."""
        if self.generator is not None:
            self.generator.reset()
        if self.run is not None:
            self.run.reset()

    def change_rate(self, rate: str) -> None:
        """Change the arrival rate of all classes and workers together. Raises ValueError for an invalid rate."""
        if self.generator is not None:
            self.generator.change_plans(self.plans(rate))

    def count_failures(self, operation: str, reason: str, number: int) -> None:
        """Count failures that only all workers together show."""

    def worker_connected(self, client: str) -> None:
        """A worker has connected to this master."""

    def plans(self, rate: str = "") -> dict[str, Any]:
        """The plan of arrivals of each class, by its name. Raises ValueError for options that are no valid plan."""
        options = self.environment.parsed_options
        rates = rate or getattr(options, "rate", None) or ""
        kind = getattr(options, "arrivals", None) or "poisson"
        return arrival_plans(
            journey_classes(self.environment), rates, kind, getattr(options, "arrivals_seed", None) or 1
        )

    def new_run(self, workers: int) -> Run:
        """A run with a folder of its own, described by the options that matter and hold no secret."""
        options = self.environment.parsed_options
        named = getattr(options, "results", None)
        self._runs += 1
        if named:
            folder = Path(named) if self._runs == 1 else Path(f"{named}-{self._runs}")
        else:
            locustfile = re.sub(r"[^0-9A-Za-z_]", "", Path(str(self.environment.locustfile)).stem)
            folder = _unused_path(RESULTS_ROOT / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{locustfile}")
        shape = self.environment.shape_class
        planned = getattr(shape if shape is not None else options, "run_time", None)
        user_classes = self.environment.user_classes
        apis = sorted({api for user_class in user_classes if (api := getattr(user_class, "api", ""))})
        embedded = getattr(options, EMBEDDED_OPTION, [])
        run_target = RunTarget(self.environment.host or "", embedded=tuple(embedded))
        accepted = run_acceptances(apis, run_target, os.environ, date.today())
        description = {
            "users": getattr(options, "num_users", None),
            "spawn_rate": getattr(options, "spawn_rate", None),
            "shape": type(shape).__name__ if shape is not None else None,
            "arrivals": {name: vars(plan) for name, plan in self.plans().items()},
            "classes": [user_class.__name__ for user_class in user_classes],
            "journey_classes": [user_class.__name__ for user_class in journey_classes(self.environment)],
            JOURNEY_TAGS_KEY: _journey_tags(journey_classes(self.environment)),
            "apis": apis,
            "embedded": embedded,
            "judge": getattr(options, "judge", "all"),
            "targets": self._targets(),
            ACCEPTANCES_KEY: {api: entries.to_json() for api, entries in accepted.items()},
            "machine": machine.description(),
            "revision": machine.revision(os.environ, Path(str(self.environment.locustfile or ".")).parent),
            **getattr(shape, "description", {}),
        }
        self.folder = folder
        return Run(folder.name, RunFolder(folder, secrets=self.secrets), planned, workers, description)

    def _targets(self) -> dict[str, str]:
        """The URL of each API or, without a contract, class of users; our references, at any port, have a name."""
        environment = self.environment
        embedded = getattr(environment.parsed_options, EMBEDDED_OPTION, [])
        apis = [api for user_class in environment.user_classes if (api := getattr(user_class, "api", ""))]
        targets = {}
        for user_class in environment.user_classes:
            api = getattr(user_class, "api", "")
            if not api:
                targets[user_class.__name__] = environment.host or user_class.host or ""
            elif api in embedded:
                targets[api] = OUR_REFERENCE
            else:
                targets[api] = url_of(api, apis, environment.host or "", os.environ)
        return targets


class LocalRole(Role):
    """The role of a process that runs its users without a master."""

    def __init__(self, environment: Environment, notes: Notes) -> None:
        super().__init__(environment)
        self.generator: LoadGenerator = LoadGenerator(environment, LOCAL, self._add_line, notes)
        self._sum: FiguresSum | None = None

    def begin(self) -> None:
        self.run = self.new_run(workers=1)
        self._sum = FiguresSum(self.generator.yield_to_responses, self.secrets, phase_begins(self.environment))
        self.run.set_totals(LOCAL, self._sum.current)
        self.generator.begin(self.run.result.name, self.plans())

    def end_preparation(self) -> None:
        self.prepared.set()

    def end(self) -> None:
        if self.run is not None:
            self.generator.end()
            self.result = self.run.end(lost=[])
            self.run = None

    def count_failures(self, operation: str, reason: str, number: int) -> None:
        now = time.perf_counter_ns()
        for _ in range(number):
            self.generator.recorder.samples_of(operation, ACROSS_WORKERS).record_failure(reason, now, now, now)

    def reset(self) -> None:
        super().reset()
        if self._sum is not None:
            self._sum.clear()

    def _add_line(self, line: Line, statistics: Statistics) -> None:
        if self.run is not None and self._sum is not None:
            minute = self._sum.add(line, statistics)
            self.run.add_summed_line(line, encode_line(line, self.secrets), minute)


def phase_begins(environment: Environment) -> list[float]:
    """The seconds after the first arrivals at which phases of the profile begin."""
    phases = getattr(environment.shape_class, "description", {}).get("phases", ())
    return [phase["begin"] for phase in phases]


def journey_classes(environment: Environment) -> list[Any]:
    """The classes of this environment whose users run journeys."""
    return [user_class for user_class in environment.user_classes if hasattr(user_class, "arrivals")]


def _journey_tags(classes: Sequence[Any]) -> dict[str, list[str]]:
    """The tags of each journey, by its name."""
    tasks = [task for user_class in classes for task in user_class.tasks]
    return {task.__name__: sorted(getattr(task, "locust_tag_set", ())) for task in tasks}


def _unused_path(path: Path) -> Path:
    unused, number = path, 1
    while unused.exists():
        number += 1
        unused = path.with_name(f"{path.name}-{number}")
    return unused
