"""Reads load profiles: `--profile NAME` from profiles.yaml or `--profiles FILE` has phases of rates, or a search.

Rule: anything unknown or invalid is an error with file and line; `contracts/schema/profiles.schema.json` says the same
to editors. A profile is an open model: journeys start whether or not earlier ones have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from contracts.yaml_reader import YamlReader
from loadtests.engine.health import LIMITS, MS, Limits

PROFILES_FILE = Path(__file__).parents[1] / "profiles.yaml"
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
SHARE = {"%": 0.01}
RATE = {"/s": 1.0}
LIMITS_OPTION = "flow_limits"
USERS_OPTION = "flow_users"
SPAWNING_OPTION = "flow_awaits_spawning"
MIN_SPAWN_RATE = 100  # users a second
MAX_SPAWN_TIME = 10.0  # seconds, for any number of users
LIMIT_UNITS = {"late": (SECONDS | {"ms": 0.001}, "a time such as 10 ms"), "stalled": (SHARE, "a share such as 2 %")}


@dataclass(frozen=True, slots=True)
class Phase:
    """A period of `seconds` in which the rate changes linearly from `first` to `last`, shares of the profile's rate."""

    name: str
    seconds: float
    first: float
    last: float
    judged: bool


@dataclass(frozen=True, slots=True)
class Search:
    """How to search for the highest rate that meets the objectives.

    step: seconds for which a rate is measured; settle: seconds before that; precision: difference between the highest
    rate that passes and the lowest that fails, as a share; confirm: how often each of these two is measured; max_rate:
    journeys a second at which the search ends.
    """

    step: float
    settle: float
    precision: float
    confirm: int
    max_rate: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of load test.

    rate: journeys a second, of which the phases have shares; users: how many journeys can run at once; limits: of the
    load generator, beyond which its figures do not count.
    """

    name: str
    why: str
    rate: float
    users: int
    phases: tuple[Phase, ...] = ()
    search: Search | None = None
    limits: Limits = LIMITS

    @property
    def seconds(self) -> float:
        """How long all phases last together."""
        return sum(phase.seconds for phase in self.phases)

    def scaled(self, factor: float, rate: float | None = None, users: int | None = None) -> Profile:
        """The profile with all times multiplied by a factor, at another rate, with another number of users.

        A higher rate alone raises the number of users in proportion; otherwise arrivals would find no idle user.
        """
        phases = tuple(replace(phase, seconds=phase.seconds * factor) for phase in self.phases)
        search = self.search
        if search is not None:
            search = replace(search, step=search.step * factor, settle=search.settle * factor)
        rate = rate or self.rate
        users = users or max(self.users, ceil(self.users * rate / self.rate))
        return replace(self, phases=phases, search=search, rate=rate, users=users)

    def rate_course(self) -> str:
        """The rates over time, written as for `--rate`."""
        points = []
        begin = 0.0
        for phase in self.phases:
            end = begin + phase.seconds
            points += [(begin, phase.first), (end, phase.last)]
            begin = end
        return ",".join(f"{at:g}:{share * self.rate:g}" for at, share in points)

    def description(self) -> dict[str, Any]:
        """The profile as `plan.json` describes it; times in seconds since the arrivals began."""
        phases = []
        begin = 0.0
        for phase in self.phases:
            phases.append({"name": phase.name, "begin": begin, "end": begin + phase.seconds, "judged": phase.judged})
            begin += phase.seconds
        description: dict[str, Any] = {"profile": self.name, "rate": self.rate, "users": self.users, "phases": phases}
        return description | ({"search": True} if self.search else {})


def set_limits(options: object, limits: Limits) -> None:
    """Store the limits of the load generator among the options, which Locust sends to the workers."""
    setattr(options, LIMITS_OPTION, asdict(limits))


def limits_of(options: object) -> Limits:
    """The limits of the load generator in a run with these options of Locust's."""
    limits = getattr(options, LIMITS_OPTION, None)
    return Limits(**limits) if limits else LIMITS


def spawn_rate(users: int) -> float:
    """How many users are spawned a second, of so many."""
    return max(MIN_SPAWN_RATE, users / MAX_SPAWN_TIME)


def set_users(options: object, users: int) -> None:
    """Store among the options how many users the profile has; 0 without a profile."""
    setattr(options, USERS_OPTION, users)


def users_of(options: object) -> int:
    """How many users the profile of a run with these options has; 0 without a profile."""
    users: int = getattr(options, USERS_OPTION, 0)
    return users


def await_spawning(options: object, is_awaited: bool) -> None:
    """Store among the options, which Locust sends to the workers, whether arrivals begin when all users are spawned."""
    setattr(options, SPAWNING_OPTION, is_awaited)


def awaits_spawning(options: object) -> bool:
    """Whether arrivals begin when all users are spawned, in a run with these options of Locust's."""
    return bool(getattr(options, SPAWNING_OPTION, False))


def read_profiles(path: Path = PROFILES_FILE) -> dict[str, Profile]:
    """All profiles of a file by name. Raises UsageError for an invalid file."""
    return dict(_ProfileReader(path, "--profiles").profiles())


class _ProfileReader(YamlReader):
    """Reads one file of profiles; each method reads one kind of node."""

    def profiles(self) -> Iterator[tuple[str, Profile]]:
        for name, node in self.mapping(self.root).items():
            given = self.mapping(node, ("why", "rate", "users", "phases", "search", "generator"))
            if {"why", "rate", "users"} - set(given) or ("phases" in given) == ("search" in given):
                raise self.error(node, f"{name} needs why, rate and users, and either phases or search")
            rate = self.quantity(given["rate"], RATE, "a rate such as 20 /s")
            profile = Profile(name, self.text(given["why"]), rate, self.positive_integer(given["users"]))
            if "generator" in given:
                profile = replace(profile, limits=self.limits(given["generator"]))
            if "search" in given:
                yield name, replace(profile, search=self.search(given["search"]))
            else:
                yield name, replace(profile, phases=tuple(map(self.phase, self.items(given["phases"]))))

    def phase(self, node: yaml.Node) -> Phase:
        given = self.mapping(node, ("name", "lasts", "at", "from", "to", "judged"))
        if {"name", "lasts"} - set(given) or set(given) & {"at", "from", "to"} not in ({"at"}, {"from", "to"}):
            raise self.error(node, "a phase has name and lasts, and either at, or from and to")
        ends = [given["at"]] * 2 if "at" in given else [given["from"], given["to"]]
        first, last = (self.quantity(end, SHARE, "a share of the rate such as 100 %") for end in ends)
        lasts = self.quantity(given["lasts"], SECONDS, "a time such as 30 s")
        return Phase(self.text(given["name"]), lasts, first, last, self.yes(given.get("judged")))

    def limits(self, node: yaml.Node) -> Limits:
        given = self.mapping(node, tuple(LIMIT_UNITS))
        limits = {name: self.quantity(value, *LIMIT_UNITS[name]) for name, value in given.items()}
        late = round(limits.get("late", LIMITS.late / MS / 1000) * 1000 * MS)
        return replace(LIMITS, late=late, pause=max(late, LIMITS.pause), stalled=limits.get("stalled", LIMITS.stalled))

    def search(self, node: yaml.Node) -> Search:
        names = ("step", "settle", "precision", "confirm", "most")
        given = self.mapping(node, names)
        if set(given) != set(names):
            raise self.error(node, f"a search has {', '.join(names)}")
        return Search(
            self.quantity(given["step"], SECONDS, "a time such as 15 s"),
            self.quantity(given["settle"], SECONDS, "a time such as 5 s"),
            self.quantity(given["precision"], SHARE, "a share such as 5 %"),
            self.positive_integer(given["confirm"]),
            self.quantity(given["most"], RATE, "a rate such as 1000 /s"),
        )

    def yes(self, node: yaml.Node | None) -> bool:
        if node is None:
            return True
        value = {"yes": True, "true": True, "no": False, "false": False}.get(str(node.value))
        if value is None:
            raise self.error(node, "expected yes or no")
        return value
