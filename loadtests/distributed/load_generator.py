"""Generates load in one process: the engine's loop, recorders, arrival schedulers, and a line of figures a second.

A line holds everything that happened since the line before; all lines of all processes together are the run.
"""

from __future__ import annotations

import gc
import inspect
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from loadtests.distributed import locust_stats
from loadtests.distributed.figures_sum import Line, Statistics
from loadtests.engine.arrival_plan import ArrivalPlan
from loadtests.engine.gevent_adapter import attach
from loadtests.engine.health import GeneratorHealth
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import Recorder
from loadtests.profiles import load_profile
from loadtests.profiles.arrival_scheduler import ArrivalScheduler
from reports.load.run_lines import NUMBER_KEY

SECOND = 1_000_000_000
FLUSH_INTERVAL = SECOND // 100  # ns between two flushes: so short that none of them delays the reading of responses
CLEANING_INTERVAL = 10  # lines between two times that old numbers by second are removed
MAX_WORK = SECOND // 1000  # ns that longer work may take before responses are read for as long

Notes = Mapping[
    str, Callable[[], Any]
]  # by name: functions that return a note of this process, as JSON, at the end of a run

gevent.config.track_greenlet_tree = False  # who has spawned a greenlet takes 2 kB of each user

logger = logging.getLogger(__name__)


class LoadGenerator:
    """The load generator of one process.

    worker: its name in the figures; run_name: of the run that has begun; index: its number among the `workers`;
    deliver: receives each line, and the same statistics as objects, which saves the receiver from parsing them;
    spawned: the number of users by class; recorder: of requests; journey_recorder: of whole journeys, with the
    journey's name as operation and its API, or class of users, as transport, and of steps; is_late: whether it has
    joined a run that had begun. Journeys have a recorder of their own because they belong neither to the totals of
    requests nor to Locust's figures.
    """

    def __init__(
        self, environment: Environment, worker: str, deliver: Callable[[Line, Statistics], None], notes: Notes
    ) -> None:
        self.worker = worker
        self.index, self.workers = 0, 1
        self.is_late = False
        self.loop = Loop()
        self.recorder = Recorder()
        self.journey_recorder = Recorder()
        self.health = GeneratorHealth()
        self.schedulers: dict[str, ArrivalScheduler] = {}
        self.spawned: Counter[str] = Counter()
        self._environment = environment
        self._deliver = deliver
        self._notes = notes
        self._adapter = attach(self.loop)
        self.run_name = ""
        self._second = 0
        self._from = 0.0
        self._dropped: dict[str, int] = {}
        self._resets = 0  # how often statistics were reset
        self._ended = Event()
        self._yielded_at = 0  # ns, when responses were last read during longer work
        self._lines = 0  # delivered in this run
        self._is_ending = False
        self._flusher: gevent.Greenlet[[], None] | None = None

    def begin(self, run: str, plans: Mapping[str, ArrivalPlan], age: int = 0) -> None:
        """Count from now for that run; earlier records are forgotten. age: how long ago the plans began, in ns."""
        limits = load_profile.limits_of(self._environment.parsed_options)
        self.run_name = run
        self.is_late = age > 0
        self.recorder.reset()
        self.journey_recorder.reset()
        self.recorder.observer = locust_stats.request_event_observer(self._environment)
        self.health = GeneratorHealth(limits)
        self.schedulers = {
            name: ArrivalScheduler(
                name, plan, self.loop, self.health, age, load_profile.awaits_spawning(self._environment.parsed_options)
            )
            for name, plan in plans.items()
        }
        self.spawned.clear()
        self._dropped = dict.fromkeys(plans, 0)
        self._from = time.time()
        self._second = int(self._from)
        self._lines, self._is_ending = 0, False
        gc.collect()
        inspect.stack()  # Locust calls it when it stops, and the first call blocks for 20 ms
        gc.freeze()  # collecting what exists now again and again would delay the reading of responses
        self._ended.clear()
        self._flusher = gevent.spawn(self._run_flusher)

    def all_spawned(self) -> None:
        """All users of the run are spawned, in every process."""
        for scheduler in self.schedulers.values():
            scheduler.all_spawned()

    def set_share(self, index: int, of: int) -> None:
        """Generate only the arrivals of that worker (from 0) among so many."""
        self.index, self.workers = index, of
        for scheduler in self.schedulers.values():
            scheduler.set_share(index, of)

    def change_plans(self, plans: Mapping[str, ArrivalPlan]) -> None:
        """Follow other plans of arrivals from now on."""
        for name, scheduler in self.schedulers.items():
            if name in plans:
                scheduler.change_plan(plans[name])

    def halt_arrivals(self) -> None:
        """Start no arrivals any more, since the test is stopping. Without a `--stop-timeout` the run is over now."""
        for scheduler in self.schedulers.values():
            scheduler.halt()
        if not self._environment.stop_timeout:
            self.recorder.cut_off(self.loop.iteration_ended)
            self.journey_recorder.cut_off(self.loop.iteration_ended)

    def end(self) -> None:
        """Deliver the last line."""
        if self._flusher is None:
            return
        self._ended.set()
        self._flusher.join()
        self._flusher = None
        self.halt_arrivals()
        gc.unfreeze()
        self._is_ending = True
        self._close_second()

    def reset(self) -> None:
        """Start counting again from now, since Locust's statistics were reset."""
        self._resets += 1
        self.recorder.take()
        self.recorder.take_tags()
        self.journey_recorder.take()

    def _take_notes(self) -> dict[str, Any]:
        notes = {}
        for name, note in self._notes.items():
            try:
                notes[name] = note()
            except Exception as error:  # an error in a locustfile must not lose the figures
                logger.exception("the notes of %s", name)
                self.health.internal_errors.append(f"the notes of {name} could not be taken: {type(error).__name__}")
        return notes

    def _run_flusher(self) -> None:
        try:
            self._flush_repeatedly()
        except Exception as error:
            logger.exception("the figures of each second")
            self.health.internal_errors.append(f"the figures of each second broke off: {type(error).__name__}")

    def _flush_repeatedly(self) -> None:
        scheduled = time.perf_counter_ns()
        while True:
            scheduled = max(scheduled + FLUSH_INTERVAL, time.perf_counter_ns())
            if self._ended.wait((scheduled - time.perf_counter_ns()) / SECOND):
                return
            self._flush(scheduled)
            if int(time.time()) != self._second:
                self._close_second()

    def _flush(self, scheduled: int) -> None:
        self.health.record_delays(time.perf_counter_ns() - scheduled)
        self.recorder.flush()
        self.journey_recorder.flush()

    def _close_second(self) -> None:
        """Deliver what was counted since the last time; during a run in pieces, between which responses are read."""
        notes = {"last": True, "notes": self._take_notes()} if self._is_ending else {}
        self.health.record_delays(0)
        self.health.measure()
        operations = self.recorder.take()
        journeys = self.journey_recorder.take() + self.recorder.take_tags()
        statistics = operations, journeys
        self._yielded_at = time.perf_counter_ns()
        line, second, resets = self._line(), self._second, self._resets
        self._from = time.time()
        self._second = int(self._from)
        for operation in operations:
            line["operations"].append(operation.to_json())
            if self.recorder.observer is None and resets == self._resets:
                locust_stats.add_statistics(self._environment.stats, [operation], second)
            self.yield_to_responses()
        for journey in journeys:
            line["journeys"].append(journey.to_json())
            self.yield_to_responses()
        self._report_dropped()
        if self._lines % CLEANING_INTERVAL == CLEANING_INTERVAL - 1:
            locust_stats.forget_old_seconds(self._environment.stats)
            locust_stats.end_caches(self._environment)
        self.recorder.observer = locust_stats.request_event_observer(self._environment)
        if resets != self._resets:  # in the meantime
            line |= {"operations": [], "journeys": []}
            statistics = [], []
        self._lines += 1
        self._deliver(line | notes, statistics)

    def _line(self) -> Line:
        """Everything but the figures of operations and journeys."""
        return {
            "run": self.run_name,
            "worker": self.worker,
            NUMBER_KEY: self._lines,
            "second": self._second,
            "from": round(self._from, 3),
            "to": round(time.time(), 3),
            "users": self._environment.runner.user_count if self._environment.runner else 0,
            "spawned": dict(self.spawned),
            "operations": [],
            "journeys": [],
            "arrivals": {
                name: {
                    "started": scheduler.started,
                    "dropped": scheduler.dropped,
                    "dropped_while_spawning": scheduler.dropped_while_spawning,
                    "planned": scheduler.planned(),
                }
                for name, scheduler in self.schedulers.items()
            },
            "health": self.health.to_json(),
        }

    def yield_to_responses(self) -> None:
        """Let responses be read and counted, unless that was done just now or the run is over."""
        now = time.perf_counter_ns()
        if self._is_ending or now - self._yielded_at < MAX_WORK:
            return
        gevent.sleep(MAX_WORK / SECOND)
        self._flush(now + MAX_WORK)
        self._yielded_at = time.perf_counter_ns()

    def _report_dropped(self) -> None:
        """Show dropped arrivals among Locust's failures."""
        for name, scheduler in self.schedulers.items():
            new = scheduler.dropped - self._dropped[name]
            if new:
                locust_stats.add_dropped(self._environment.stats, name, new, self._second)
                self._dropped[name] = scheduler.dropped
