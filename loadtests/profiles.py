"""Profiles of load as data: `--profile NAME` out of profiles.yaml or `--profiles FILE`, phases of rates, or a search.

Rule: strict, as objectives are: what is not understood is an error with file and line. A profile is open: journeys
arrive whether or not earlier ones have ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from loadtests.engine.health import LIMITS, MS, Limits
from reports.load.strict import Strict

FILE = Path(__file__).parent / "profiles.yaml"
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
SHARE = {"%": 0.01}
RATE = {"/s": 1.0}
TOLD = "flow_limits"  # the option
FITNESS = {"late": (SECONDS | {"ms": 0.001}, "a time such as 10 ms"), "stalled": (SHARE, "a share such as 2 %")}


@dataclass(frozen=True, slots=True)
class Phase:
    """So many seconds in which the rate goes in a straight line from `first` to `last`, as shares of the profile's."""

    name: str
    seconds: float
    first: float
    last: float
    judged: bool


@dataclass(frozen=True, slots=True)
class Search:
    """How the highest rate that keeps the objectives is looked for.

    step: seconds that a rate is measured; settle: seconds before, which are not; precision: how near, as a share;
    confirm: how often the rates at both ends are measured; most: journeys a second, where to give up.
    """

    step: float
    settle: float
    precision: float
    confirm: int
    most: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of load test. `rate`: journeys a second that shares are of; `users`: most journeys at once.

    limits: what the generator keeps to, for its figures to count.
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
        """How long its phases last."""
        return sum(phase.seconds for phase in self.phases)

    def scaled(self, factor: float, rate: float | None = None, users: int | None = None) -> Profile:
        """The profile with all times stretched by a factor, at another rate, with other users.

        A higher rate alone takes as many more users with it: else its arrivals would find nobody idle.
        """
        phases = tuple(replace(phase, seconds=phase.seconds * factor) for phase in self.phases)
        search = self.search
        if search is not None:
            search = replace(search, step=search.step * factor, settle=search.settle * factor)
        rate = rate or self.rate
        users = users or max(self.users, ceil(self.users * rate / self.rate))
        return replace(self, phases=phases, search=search, rate=rate, users=users)

    def course(self) -> str:
        """The rates over time as `--rate` has them."""
        points = []
        begin = 0.0
        for phase in self.phases:
            end = begin + phase.seconds
            points += [(begin, phase.first), (end, phase.last)]
            begin = end
        return ",".join(f"{at:g}:{share * self.rate:g}" for at, share in points)

    def described(self) -> dict[str, Any]:
        """What a run's plan says of it; times in seconds since the arrivals began."""
        spans = []
        begin = 0.0
        for phase in self.phases:
            spans.append({"name": phase.name, "begin": begin, "end": begin + phase.seconds, "judged": phase.judged})
            begin += phase.seconds
        known: dict[str, Any] = {"profile": self.name, "rate": self.rate, "users": self.users, "phases": spans}
        return known | ({"search": True} if self.search else {})


def tell(options: object, limits: Limits) -> None:
    """Leave among the options what the generator keeps to: Locust sends them to the workers, who have no profile."""
    setattr(options, TOLD, asdict(limits))


def limits(options: object) -> Limits:
    """What the generator keeps to in a run with these options of Locust's."""
    told = getattr(options, TOLD, None)
    return Limits(**told) if told else LIMITS


def read(path: Path = FILE) -> dict[str, Profile]:
    """All profiles of a file by name. Raises Misuse for what is not understood."""
    return dict(_File(path, "--profiles").profiles())


class _File(Strict):
    """One file of profiles being read."""

    def profiles(self) -> Iterator[tuple[str, Profile]]:
        for name, node in self.section(self.root).items():
            given = self.section(node, ("why", "rate", "users", "phases", "search", "generator"))
            if {"why", "rate", "users"} - set(given) or ("phases" in given) == ("search" in given):
                raise self.wrong(node, f"{name} needs why, rate and users, and either phases or search")
            rate = self.amount(given["rate"], RATE, "a rate such as 20 /s")
            profile = Profile(name, self.text(given["why"]), rate, self.count(given["users"]))
            if "generator" in given:
                profile = replace(profile, limits=self.limits(given["generator"]))
            if "search" in given:
                yield name, replace(profile, search=self.search(given["search"]))
            else:
                yield name, replace(profile, phases=tuple(map(self.phase, self.items(given["phases"]))))

    def phase(self, node: yaml.Node) -> Phase:
        given = self.section(node, ("name", "lasts", "at", "from", "to", "judged"))
        if {"name", "lasts"} - set(given) or not ({"at"} <= set(given)) ^ ({"from", "to"} <= set(given)):
            raise self.wrong(node, "a phase has name and lasts, and either at, or from and to")
        ends = [given["at"]] * 2 if "at" in given else [given["from"], given["to"]]
        first, last = (self.amount(end, SHARE, "a share of the rate such as 100 %") for end in ends)
        lasts = self.amount(given["lasts"], SECONDS, "a time such as 30 s")
        return Phase(self.text(given["name"]), lasts, first, last, self.yes(given.get("judged")))

    def limits(self, node: yaml.Node) -> Limits:
        given = self.section(node, tuple(FITNESS))
        said = {name: self.amount(value, *FITNESS[name]) for name, value in given.items()}
        late = round(said.get("late", LIMITS.late / MS / 1000) * 1000 * MS)
        return replace(LIMITS, late=late, pause=max(late, LIMITS.pause), stalled=said.get("stalled", LIMITS.stalled))

    def search(self, node: yaml.Node) -> Search:
        names = ("step", "settle", "precision", "confirm", "most")
        given = self.section(node, names)
        if set(given) != set(names):
            raise self.wrong(node, f"a search has {', '.join(names)}")
        return Search(
            self.amount(given["step"], SECONDS, "a time such as 15 s"),
            self.amount(given["settle"], SECONDS, "a time such as 5 s"),
            self.amount(given["precision"], SHARE, "a share such as 5 %"),
            self.count(given["confirm"]),
            self.amount(given["most"], RATE, "a rate such as 1000 /s"),
        )

    def yes(self, node: yaml.Node | None) -> bool:
        if node is None:
            return True
        found = {"yes": True, "true": True, "no": False, "false": False}.get(str(node.value))
        if found is None:
            raise self.wrong(node, "expected yes or no")
        return found
