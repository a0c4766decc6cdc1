"""`python -m loadtests.prove`: does a load run find the faults that only load shows, and leave honest servers alone?

Rule: as people run it: Locust's own runner, the journeys of `loadtests/<api>.py`, the reference in another process with
the fault switched on. A run ends as soon as the fault's clause is blamed, or when its time is over. Exit code 0 when
all faults were found and nobody honest was blamed, 1 when not, 2 for misuse. `--variants` adds the honest references
that use the freedom of their documents.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import gevent
import locust  # patches the standard library, so it comes before whatever opens sockets
from locust.env import Environment

import contracts
from fixtures import reference
from fixtures.targets import embedded
from loadtests.conduct import Conduct
from loadtests.judges import Judges
from loadtests.mailbox import mailbox
from loadtests.play import Plays
from loadtests.targets import Place
from loadtests.wiring import current, finish

USERS = 40
SECONDS = 12.0  # that a fault is given to show itself
HONEST = 4.0  # seconds that an honest reference is watched
ENOUGH = 500  # answers without which a run says little
BRIEF = 1.5  # seconds that each variant of it is watched


@dataclass(frozen=True, slots=True)
class Trial:
    """One load run: what was blamed, and after how many seconds. `change` is a fault or a variant, "" for neither."""

    api: str
    kind: str  # fault, variant or honest
    change: str
    clauses: tuple[str, ...]
    blamed: tuple[str, ...]
    requests: int
    failures: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """caught, missed, or for an honest server: fine, blamed."""
        if self.kind != "fault":
            return "blamed" if self.failures or not self.requests else "fine"
        return "caught" if set(self.clauses) & set(self.blamed) else "missed"

    def line(self) -> str:
        """The trial for people."""
        name = f"{self.api}.{self.change}" if self.change else f"{self.api} (honest)"
        others = [one for one in (*self.blamed, *self.failures) if one not in self.clauses]
        beside = f"; also {', '.join(dict.fromkeys(others))}" if others else ""
        counted = f"{self.seconds:5.1f} s {self.requests:6} requests"
        return f"{self.verdict:7} {name:62} {counted}  {', '.join(self.clauses[:1])}{beside}"


def users_of(api: str) -> type[Plays]:
    """The class of users of that API, in its locustfile, without a pause between journeys."""
    module = import_module(f"loadtests.{api}")
    found = next(one for one in vars(module).values() if isinstance(one, type) and getattr(one, "api", "") == api)
    return type(found.__name__, (found,), {"wait_time": locust.constant(0)})


def trial(api: str, kind: str, change: str, most: float) -> Trial:
    """A load run against the reference of that API with that change, of at most so many seconds."""
    package = reference.load(api)
    clauses: tuple[str, ...] = package.LOAD_FAULTS[change].clauses if kind == "fault" else ()
    options = [f"--{kind}", f"{api}.{change}"] if change else []
    with mailbox() as post, embedded([api], post["smtp"], options) as targets:
        with _run(api, Place(targets[api].url, post["http"])) as environment:
            began = time.perf_counter()
            while not set(clauses) & _blamed() and not _is_over(time.perf_counter() - began, most):
                gevent.sleep(0.05)
            seconds = time.perf_counter() - began
        result = finish(environment)
    operations = result.operations if result else []
    return Trial(
        api,
        kind,
        change,
        clauses,
        tuple(sorted(_blamed())),
        sum(one.requests for one in operations),
        tuple(sorted({reason for one in operations for reason in one.failures})),
        round(seconds, 2),
    )


def _is_over(seconds: float, most: float) -> bool:
    """Whether the run has lasted long enough; on a busy machine, with few answers by then, it may take longer."""
    return seconds >= most and (Conduct.judges.meter.count >= ENOUGH or seconds >= 5 * most)


def _blamed() -> set[str]:
    return {clause for _, clause in Conduct.judges.found}


@contextmanager
def _run(api: str, place: Place) -> Iterator[Environment]:
    """A run of that API's users, stopped when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        options = Namespace(results=folder, judge="all", rate="", arrivals="poisson", arrivals_seed="1", run_time=None)
        environment = Environment(
            user_classes=[users_of(api)], events=locust.events, host=place.host, parsed_options=options, stop_timeout=5
        )
        runner = environment.create_local_runner()
        Conduct.place, Conduct.judges = place, Judges()  # the run makes its own, a moment later
        runner.start(USERS, spawn_rate=USERS)
        try:
            yield environment
        finally:
            runner.stop()
            current(environment)
            runner.quit()


def trials(
    apis: Sequence[str], only: Sequence[str], most: float, variants: bool = False, sample: int | None = None
) -> Iterator[Trial]:
    """A trial for each honest reference and for each fault that only load shows, and if asked for each variant.

    `sample` is how many faults of each API are tried, None for all.
    """
    for api in apis:
        package = reference.load(api)
        planned = [("honest", "", HONEST), *(("fault", fault, most) for fault in [*package.LOAD_FAULTS][:sample])]
        planned += [("variant", variant, BRIEF) for variant in package.VARIANTS] if variants else []
        for kind, change, seconds in planned:
            if not only or change in only or f"{api}.{change}" in only:
                yield trial(api, kind, change, seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the trials and prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.prove", description="Proves the load journeys.")
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="of these APIs only (repeatable)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="these faults only (repeatable)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each fault (default: %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="N faults of each API (default: all)")
    parser.add_argument("--variants", action="store_true", help="also against all variants")
    parser.add_argument("--json", metavar="FILE", help="write the trials there")
    options = parser.parse_args(arguments)
    done: list[Trial] = []
    apis = options.api or contracts.apis()
    for one in trials(apis, options.only, options.seconds, options.variants, options.sample):
        print(one.line(), flush=True)
        done.append(one)
    if not done:
        known = "names that `python -m fixtures.reference --list` shows"
        parser.exit(2, f"--only: expected {known}; got {', '.join(options.only)}\n")
    if options.json:
        told: list[dict[str, Any]] = [{**asdict(one), "verdict": one.verdict} for one in done]
        with open(options.json, "w") as file:
            json.dump(told, file, indent=1)
    bad = [one for one in done if one.verdict in ("missed", "blamed")]
    print(f"{len(done) - len(bad)} of {len(done)} as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
