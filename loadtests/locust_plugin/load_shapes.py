"""Runs a profile with Locust: `--profile NAME` and `--scale F`, as a load shape that holds the users and ends the run.

`--profile` is an option of Locust itself, where it is only a label; flowproof gives it this meaning.
Rule: the users are only those who can run journeys; the profile's rate decides when journeys start. The result of a
search is a note of the run, so that its reports can be made again.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from math import isfinite
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape
from locust.runners import WorkerRunner
from locust.stats import console_logger

from contracts.errors import UsageError
from loadtests.distributed.roles import journey_classes
from loadtests.distributed.run_state import RunState, find_state
from loadtests.locust_plugin.verdict_listeners import DEFAULT_SLO, objectives
from loadtests.profiles import load_profile
from loadtests.profiles.load_profile import Profile, Search, spawn_rate
from loadtests.profiles.rate_search import RateSearch
from reports.load import slo
from reports.load.load_verdict import SEARCH_NOTE, LoadVerdict, limiting_operation
from reports.load.objective_outcomes import FAIL, INCONCLUSIVE, PASS
from reports.load.run_lines import SECONDS_FILE
from reports.load.search_steps import FiguresTail

RECOVERY_TIME = 2.0  # seconds without a missed objective after which an overloaded target counts as recovered
LINE_DELAY = 1.5  # seconds until the last line of a second has come
MAX_REPEATS = 3  # of a step during which the load generator was not fit
MAX_STEPS = 10  # steps at most for one rate, and for the recovery after an overload

Tick = tuple[int, float] | None


class ProfileShape(LoadTestShape):
    """All users at once, for as long as the phases last."""

    abstract = True  # so that Locust does not use it as the locustfile's shape

    def __init__(self, profile: Profile) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Locust's
        self.profile = profile
        self.description = profile.description()
        self.run_time: float | None = profile.seconds
        self._phases_began: float | None = None  # seconds since the run began

    def tick(self) -> Tick:
        """The users, until the phases are over, which begin when the users are spawned."""
        seconds: float = self.get_run_time()  # type: ignore[no-untyped-call] # Locust's
        if self._phases_began is not None and seconds < self._phases_began:
            self._phases_began = None  # the web UI has started another run
        if self._phases_began is None and are_spawned(self):
            self._phases_began = seconds
        if self._phases_began is not None and seconds - self._phases_began >= self.profile.seconds:
            return None
        return self.profile.users, spawn_rate(self.profile.users)


def are_spawned(shape: LoadTestShape) -> bool:
    """Whether every process has prepared the run, however long a slow target makes that last, and has its users."""
    state = find_state(shape.runner.environment) if shape.runner is not None else None
    return state is not None and state.role.prepared.is_set() and state.role.spawned.is_set()


class BreakpointShape(LoadTestShape):
    """All users at once, and one rate after the other until the search is over."""

    abstract = True  # so that Locust does not use it as the locustfile's shape

    def __init__(self, profile: Profile, search: Search, state: RunState) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Locust's
        self.profile = profile
        self.description = profile.description()
        self.run_time = None
        self.search = search
        self._state = state
        self._objectives = slo.read_objectives(objectives(state.environment) or DEFAULT_SLO)
        self._search_greenlet: gevent.Greenlet[..., None] | None = None

    def tick(self) -> Tick:
        """The users, until the search is over."""
        if self._search_greenlet is None and are_spawned(self):
            self._search_greenlet = gevent.spawn(self._search)
        if self._search_greenlet is not None and self._search_greenlet.dead:
            self._search_greenlet = None
            return None
        return self.profile.users, spawn_rate(self.profile.users)

    def _search(self) -> None:
        search = RateSearch(self.profile.rate, self.search.max_rate, self.search.precision, self.search.confirm)
        steps: list[dict[str, Any]] = []
        unfit: Counter[float] = Counter()
        why = ""
        folder = self._state.folder
        assert folder is not None, "a run begins before its users are spawned"
        tail = FiguresTail(folder / SECONDS_FILE, self.description)
        while search.rate is not None and not why:
            rate = search.rate
            verdict = self._measure(tail, rate)
            limited_by = limiting_operation(verdict)
            steps.append({"rate": rate, "verdict": verdict.verdict, "limited_by": limited_by})
            console_logger.info(f"breakpoint: {rate:.4g} journeys/s: {verdict.verdict} {limited_by}".rstrip())
            if verdict.verdict in (PASS, FAIL):
                search.record(verdict.verdict == PASS)
            elif verdict.run.result.unfit_reasons() and unfit[rate] < MAX_REPEATS:
                unfit[rate] += 1  # the same rate is measured again
            else:
                reasons = [*verdict.reasons, *(outcome.why for outcome in verdict.outcomes if outcome.why)]
                why = f"at {rate:.4g} journeys/s: {'; '.join(reasons)}"
            if verdict.verdict == FAIL:
                self._recover(tail)
        limits = [step["limited_by"] for step in steps if step["rate"] == search.lowest_failing and step["limited_by"]]
        note = {
            "highest": search.highest_passing,
            "missed": search.lowest_failing,
            "limited_by": (limits or [""])[0],
            "why": why,
            "steps": steps,
        }
        result = self._state.current_result()
        if result is not None:
            result.notes[SEARCH_NOTE] = {"search": note}

    def _measure(self, tail: FiguresTail, rate: float) -> LoadVerdict:
        self._state.change_rate(f"{rate:g}")
        gevent.sleep(self.search.settle)
        begin = time.time()
        for steps in range(1, MAX_STEPS + 1):
            end = begin + steps * self.search.step
            gevent.sleep(max(0.0, end + LINE_DELAY - time.time()))
            verdict = tail.judge_span(self._objectives, begin, end)
            if verdict.verdict != INCONCLUSIVE or verdict.reasons:
                break  # otherwise more samples may be enough
        return verdict

    def _recover(self, tail: FiguresTail) -> None:
        """Half of the first rate, until nothing is left of the overload."""
        self._state.change_rate(f"{self.profile.rate / 2:g}")
        deadline = time.time() + MAX_STEPS * self.search.step
        gevent.sleep(self.search.settle)
        while time.time() < deadline:
            gevent.sleep(RECOVERY_TIME + LINE_DELAY)
            now = time.time()
            if tail.judge_span(self._objectives, now - RECOVERY_TIME - LINE_DELAY, now).verdict != FAIL:
                return


PROFILE_SHAPES = (ProfileShape, BreakpointShape)


def on_init(state: RunState, **_: Any) -> None:
    """Makes the profile the shape of the run; not on a worker, which gets the rate from the master."""
    environment, options = state.environment, state.environment.parsed_options
    if options is None or not options.profile or not journey_classes(environment):
        return
    if isinstance(environment.runner, WorkerRunner):
        return
    try:
        environment.shape_class = shape = profile_shape(state, options.profile, options.rate, options.num_users)
    except UsageError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    shape.runner = environment.runner


def profile_shape(state: RunState, name: str, rate: str, users: int | None = None) -> ProfileShape | BreakpointShape:
    """The shape of a profile, at that rate and with those users if any are given; `options.rate` becomes its rates.

    Raises UsageError for options that do not go together.
    """
    environment, options = state.environment, state.environment.parsed_options
    assert options is not None
    profiles = load_profile.read_profiles(Path(options.profiles))
    if name not in profiles:
        raise UsageError(f"--profile: expected one of {', '.join(profiles)}, got {name!r}")
    if environment.shape_class is not None and not isinstance(environment.shape_class, PROFILE_SHAPES):
        raise UsageError("--profile: the locustfile has a load shape of its own; leave out one of the two")
    try:
        given = float(rate) if rate else None
    except ValueError:
        raise UsageError(f"--rate: with --profile expected a number of journeys a second, got {rate!r}") from None
    if given is not None and not (given > 0 and isfinite(given)):
        raise UsageError("--rate: with --profile expected a number above 0")
    profile = profiles[name].scaled(options.scale, given, users)
    load_profile.set_limits(options, profile.limits)
    load_profile.await_spawning(options, True)
    load_profile.set_users(options, profile.users)
    if profile.search is None:
        options.rate = profile.rate_course()
        return ProfileShape(profile)
    options.rate = f"{profile.rate:g}"
    return BreakpointShape(profile, profile.search, state)
