"""Plays a profile on Locust: `--profile NAME` and `--scale F`, as a load shape that holds the users and ends the run.

`--profile` is Locust's own option, which to it is a label: here the label has a meaning.
Rule: the users are only who can play; when journeys start is the profile's rate. What a search found is a note of the
run, so that its reports can be made again.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from math import isfinite
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import console_logger

from loadtests import profiles
from loadtests.gate import DEFAULT, objectives
from loadtests.profiles import Profile, Search
from loadtests.roles import playing
from loadtests.search import Bracket
from loadtests.wiring import change_rate, current, folder
from reports.load import slo
from reports.load.result import SECONDS
from reports.load.steps import Tail
from reports.load.strict import Misuse
from reports.load.verdict import FAIL, INCONCLUSIVE, PASS, SEARCH, Judged, limiting

SPAWNED = 100  # users a second, at least
SOON = 10.0  # seconds until all are there, however many
CALM = 2.0  # seconds without a missed objective after which an overloaded target counts as recovered
LATE = 1.5  # seconds until the last line of a second has come
LONGEST = 10  # steps that one rate may take, and so may the rest after an overload

Tick = tuple[int, float] | None


class Course(LoadTestShape):
    """All users at once, for as long as the phases last."""

    abstract = True  # Locust makes none by itself

    def __init__(self, profile: Profile) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Locust's
        self.profile = profile
        self.described = profile.described()
        self.run_time: float | None = profile.seconds
        self._ready: float | None = None

    def tick(self) -> Tick:
        """The users, until the phases are over, which begin when the users are there."""
        seconds: float = self.get_run_time()  # type: ignore[no-untyped-call] # Locust's
        if self._ready is not None and seconds < self._ready:
            self._ready = None  # another run from the web UI
        if self._ready is None and spawned(self, self.profile.users, seconds):
            self._ready = seconds
        if self._ready is not None and seconds - self._ready >= self.profile.seconds:
            return None
        return self.profile.users, pace(self.profile.users)


def pace(users: int) -> float:
    """How many of so many users are spawned a second."""
    return max(SPAWNED, users / SOON)


def spawned(shape: LoadTestShape, users: int, seconds: float) -> bool:
    """Whether the users are there, or should have been for long; some may have stopped at once."""
    there = shape.runner is not None and shape.runner.user_count >= users
    return there or seconds > 10 + 2 * users / pace(users)


class Breakpoint(LoadTestShape):
    """All users at once, and one rate after the other until the search is over."""

    abstract = True  # Locust makes none by itself

    def __init__(self, profile: Profile, search: Search, environment: Environment) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Locust's
        self.profile = profile
        self.described = profile.described()
        self.run_time = None
        self.search = search
        self._environment = environment
        self._objectives = slo.read(objectives(environment) or DEFAULT)
        self._walk: gevent.Greenlet[..., None] | None = None

    def tick(self) -> Tick:
        """The users, until the search is over."""
        seconds = self.get_run_time()  # type: ignore[no-untyped-call] # Locust's
        if self._walk is None and spawned(self, self.profile.users, seconds):
            self._walk = gevent.spawn(self._look)
        if self._walk is not None and self._walk.dead:
            self._walk = None
            return None
        return self.profile.users, pace(self.profile.users)

    def _look(self) -> None:
        bracket = Bracket(self.profile.rate, self.search.most, self.search.precision, self.search.confirm)
        steps: list[dict[str, Any]] = []
        why = ""
        path = folder(self._environment)
        assert path is not None, "a run has begun before its users have"
        tail = Tail(path / SECONDS, self.described)
        while bracket.rate is not None and not why:
            rate = bracket.rate
            judged = self._measure(tail, rate)
            guilty = limiting(judged)
            steps.append({"rate": rate, "verdict": judged.verdict, "limited_by": guilty})
            console_logger.info(f"breakpoint: {rate:.4g} journeys/s: {judged.verdict} {guilty}".rstrip())
            if judged.verdict in (PASS, FAIL):
                bracket.came(judged.verdict == PASS)
            else:
                told = [*judged.reasons, *(one.why for one in judged.outcomes if one.why)]
                why = f"at {rate:.4g} journeys/s: {'; '.join(told)}"
            if judged.verdict == FAIL:
                self._rest(tail)
        limits = [step["limited_by"] for step in steps if step["rate"] == bracket.bad and step["limited_by"]]
        found = {
            "highest": bracket.good,
            "missed": bracket.bad,
            "limited_by": (limits or [""])[0],
            "why": why,
            "steps": steps,
        }
        result = current(self._environment)
        if result is not None:
            result.notes[SEARCH] = {"search": found}

    def _measure(self, tail: Tail, rate: float) -> Judged:
        change_rate(self._environment, f"{rate:g}")
        gevent.sleep(self.search.settle)
        begin = time.time()
        for steps in range(1, LONGEST + 1):
            end = begin + steps * self.search.step
            gevent.sleep(max(0.0, end + LATE - time.time()))
            judged = tail.judged(self._objectives, begin, end)
            if judged.verdict != INCONCLUSIVE or judged.reasons:
                break  # else more samples may do
        return judged

    def _rest(self, tail: Tail) -> None:
        """The first rate again, until what the overload left behind is gone."""
        change_rate(self._environment, f"{self.profile.rate / 2:g}")
        until = time.time() + LONGEST * self.search.step
        gevent.sleep(self.search.settle)
        while time.time() < until:
            gevent.sleep(CALM + LATE)
            now = time.time()
            if tail.judged(self._objectives, now - CALM - LATE, now).verdict != FAIL:
                return


OURS = (Course, Breakpoint)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number above 0, such as 0.1, got {text!r}")
    return factor


def _options(parser: LocustArgumentParser, **_: Any) -> None:
    parser.set_defaults(profile=os.environ.get("LOAD_PROFILE"))  # Locust has the option, as a label of runs
    parser.add_argument(
        "--scale",
        type=_factor,
        default=1.0,
        env_var="LOAD_SCALE",
        include_in_web_ui=False,
        help="Stretches all times of the --profile by this factor; --rate replaces its rate, --users its users",
    )
    parser.add_argument(
        "--profiles",
        metavar="FILE",
        default=str(profiles.FILE),
        env_var="LOAD_PROFILES",
        include_in_web_ui=False,
        help=f"Where the --profile is; without it loadtests/{profiles.FILE.name}: {', '.join(profiles.read())}",
    )


def _on_init(environment: Environment, **_: Any) -> None:
    """Makes the profile the shape of the run; on a worker nothing, for the master tells it the rate."""
    options = environment.parsed_options
    if options is None or not options.profile or not playing(environment):
        return
    if isinstance(environment.runner, WorkerRunner):
        return
    try:
        environment.shape_class = shape = made(environment, options.profile, options.rate, options.num_users)
    except Misuse as wrong:
        print(wrong, file=sys.stderr)
        raise SystemExit(2) from None
    shape.runner = environment.runner


def made(environment: Environment, name: str, rate: str, users: int | None = None) -> Course | Breakpoint:
    """The shape of a profile, at that rate and with those users if any; the options get the course.

    Raises Misuse for what clashes.
    """
    options = environment.parsed_options
    assert options is not None
    known = profiles.read(Path(options.profiles))
    if name not in known:
        raise Misuse(f"--profile: expected one of {', '.join(known)}, got {name!r}")
    if environment.shape_class is not None and not isinstance(environment.shape_class, OURS):
        raise Misuse("--profile: the locustfile has a load shape of its own; leave out one of the two")
    try:
        given = float(rate) if rate else None
    except ValueError:
        raise Misuse(f"--rate: with --profile expected a number of journeys a second, got {rate!r}") from None
    if given is not None and not (given > 0 and isfinite(given)):
        raise Misuse("--rate: with --profile expected a number above 0")
    profile = known[name].scaled(options.scale, given, users)
    profiles.tell(options, profile.limits)
    if profile.search is None:
        options.rate = profile.course()
        return Course(profile)
    options.rate = f"{profile.rate:g}"
    return Breakpoint(profile, profile.search, environment)


for _hook, _listener in ((events.init_command_line_parser, _options), (events.init, _on_init)):
    _hook.add_listener(_listener)  # type: ignore[no-untyped-call] # Locust has no types here
