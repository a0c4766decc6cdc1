"""What one process plays in a run: the engine's loop, its recorder, its arrivals, and a line of figures each second.

A line is everything that happened since the line before; all lines of all processes together are the run.
"""

from __future__ import annotations

import gc
import inspect
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment

from loadtests import locust_stats, profiles
from loadtests.engine.arrivals import Plan
from loadtests.engine.health import Health
from loadtests.engine.hub import attach
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import Recorder
from loadtests.open_model import Conductor
from reports.load.tally import Tally

SECOND = 1_000_000_000
TICK = SECOND // 100  # between two flushes: short, so that none of them holds up an answer
BREATH = SECOND // 1000  # of longer work, and then as long in which answers are read

Line = dict[str, Any]
Counted = tuple[list[Tally], list[Tally]]  # of requests, and of journeys

logger = logging.getLogger(__name__)

recorder = Recorder()
"""The slots of this process; they stay good from run to run."""

journeys = Recorder()
"""The same for whole journeys: `operation` is the journey's name, `transport` whose it is, an API or a class of users.

They are counted apart, for the totals of requests have no place for them, and Locust's figures neither.
"""

_closing: dict[str, Callable[[], Any]] = {}


def at_end(name: str, closing: Callable[[], Any]) -> None:
    """Call `closing` on each playing process after its last journey; the result's notes have its JSON by `name`."""
    _closing[name] = closing


class Node:
    """This process in one run.

    worker: its name in the figures; index: which of the workers it is; deliver: is given each line, and what is
    written there once more as it was counted.
    """

    def __init__(self, environment: Environment, worker: str, deliver: Callable[[Line, Counted], None]) -> None:
        self.worker = worker
        self.index = 0
        self.loop = Loop()
        self.health = Health()
        self.conductors: dict[str, Conductor] = {}
        self._environment = environment
        self._deliver = deliver
        self._hub = attach(self.loop)
        self._run_name = ""
        self._second = 0
        self._from = 0.0
        self._dropped: dict[str, int] = {}
        self._forgotten = 0  # times that statistics were reset
        self._over = Event()
        self._breathed = 0  # when answers were last read in between
        self._pump: gevent.Greenlet[[], None] | None = None

    def begin(self, run: str, plans: Mapping[str, Plan], age: int = 0) -> None:
        """Count from now for that run; whatever was recorded before is forgotten. age: of the plans, in ns."""
        limits = profiles.limits(self._environment.parsed_options)
        self._run_name = run
        recorder.begin()
        journeys.begin()
        recorder.watch = locust_stats.watch(self._environment)
        self.health = Health(limits)
        self.conductors = {name: Conductor(name, plan, self.loop, self.health, age) for name, plan in plans.items()}
        self._dropped = dict.fromkeys(plans, 0)
        self._from = time.time()
        self._second = int(self._from)
        gc.collect()
        inspect.stack()  # Locust looks at it when it stops: the first time takes 20 ms in which no answer would be read
        gc.freeze()  # what is there now stays; looking through all of it again and again would hold up answers
        self._over.clear()
        self._pump = gevent.spawn(self._run)

    def share(self, index: int, of: int) -> None:
        """Play this share of the arrivals."""
        self.index = index
        for conductor in self.conductors.values():
            conductor.share(index, of)

    def change(self, plans: Mapping[str, Plan]) -> None:
        """Go over to other plans of arrivals, from now on."""
        for name, conductor in self.conductors.items():
            if name in plans:
                conductor.change(plans[name])

    def halt(self) -> None:
        """Start no arrivals any more: the test is stopping. Without a `--stop-timeout` it is over now."""
        for conductor in self.conductors.values():
            conductor.halt()
        if not self._environment.stop_timeout:
            recorder.cut(self.loop.turned)
            journeys.cut(self.loop.turned)

    def end(self) -> None:
        """Deliver the last line."""
        if self._pump is None:
            return
        self._over.set()
        self._pump.join()
        self._pump = None
        self.halt()
        gc.unfreeze()
        self._close_second(last=True)

    def forget(self) -> None:
        """Count anew from now: statistics were reset."""
        self._forgotten += 1
        recorder.take()
        journeys.take()

    def _notes(self) -> dict[str, Any]:
        notes = {}
        for name, closing in _closing.items():
            try:
                notes[name] = closing()
            except Exception as wrong:  # of a locustfile; the figures are to be kept all the same
                logger.exception("the notes of %s", name)
                self.health.broken.append(f"the notes of {name} could not be taken: {type(wrong).__name__}")
        return notes

    def _run(self) -> None:
        try:
            self._pump_on()
        except Exception as wrong:
            logger.exception("the figures of each second")
            self.health.broken.append(f"the figures of each second broke off: {type(wrong).__name__}")

    def _pump_on(self) -> None:
        due = time.perf_counter_ns()
        while True:
            due = max(due + TICK, time.perf_counter_ns())
            if self._over.wait((due - time.perf_counter_ns()) / SECOND):
                return
            self._turn(due)
            if int(time.time()) != self._second:
                self._close_second(last=False)

    def _turn(self, due: int) -> None:
        self.health.turn(time.perf_counter_ns() - due)
        recorder.flush()
        journeys.flush()

    def _close_second(self, last: bool) -> None:
        """Deliver what was counted since the last time; while users play, in pieces between which answers are read."""
        notes = {"last": True, "notes": self._notes()} if last else {}
        self.health.turn(0)
        self.health.measure()
        operations, played = counted = recorder.take(), journeys.take()
        self._breathed = time.perf_counter_ns()
        line, second, forgotten = self._line(), self._second, self._forgotten
        self._from = time.time()
        self._second = int(self._from)
        for tally in operations:
            line["operations"].append(tally.to_json())
            if recorder.watch is None and forgotten == self._forgotten:
                locust_stats.add(self._environment.stats, [tally], second)
            self._breathe(last)
        for tally in played:
            line["journeys"].append(tally.to_json())
            self._breathe(last)
        self._show_dropped()
        recorder.watch = locust_stats.watch(self._environment)
        if forgotten != self._forgotten:  # meanwhile
            line |= {"operations": [], "journeys": []}
            counted = [], []
        self._deliver(line | notes, counted)

    def _line(self) -> Line:
        """Everything but the figures of operations and journeys."""
        return {
            "run": self._run_name,
            "worker": self.worker,
            "second": self._second,
            "from": round(self._from, 3),
            "to": round(time.time(), 3),
            "users": self._environment.runner.user_count if self._environment.runner else 0,
            "operations": [],
            "journeys": [],
            "arrivals": {
                name: {"started": conductor.started, "dropped": conductor.dropped, "planned": conductor.planned()}
                for name, conductor in self.conductors.items()
            },
            "health": self.health.to_json(),
        }

    def _breathe(self, last: bool) -> None:
        """Let answers be read and counted, if that was not just now, unless the run is over."""
        now = time.perf_counter_ns()
        if last or now - self._breathed < BREATH:
            return
        gevent.sleep(BREATH / SECOND)
        self._turn(now + BREATH)
        self._breathed = time.perf_counter_ns()

    def _show_dropped(self) -> None:
        """What was dropped appears among Locust's failures."""
        for name, conductor in self.conductors.items():
            new = conductor.dropped - self._dropped[name]
            if new:
                locust_stats.dropped(self._environment.stats, name, new, self._second)
                self._dropped[name] = conductor.dropped
