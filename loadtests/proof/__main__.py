"""`python -m loadtests.proof`: checks that load runs find the faults that only load shows, and blame nobody else.

Rule: the runs are what users run: Locust's own runner, the journeys of `loadtests/<api>.py`, and the reference in
another process with the fault switched on. A run ends as soon as a clause of the fault is violated, or when its time
is over. If the reference of an API has no load faults, the output says so; a run on the unchanged reference must find
nothing all the same. Then the load generator gets into trouble in each way that `troubles` lists, and no run may pass
or blame the target for it; `--api` leaves this out. Exit code 0 when all faults were found, nothing on unchanged
references and variants, and nobody was blamed for a trouble, 1 when not, 2 for wrong usage. `--variants` adds the
variants of each reference.
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
from typing import Any

import gevent
import locust  # patches the standard library, so it comes before whatever opens sockets
from locust.env import Environment

import contracts
from fixtures import reference
from fixtures.mailbox_process import running_mailbox
from fixtures.targets import embedded_references
from loadtests.distributed.roles import EMBEDDED_OPTION
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin.listeners import attach, register
from loadtests.proof.trouble_runs import TroubleTrial, run_trouble
from loadtests.proof.troubles import TROUBLES
from loadtests.targets.run_targets import RunTarget
from loadtests.user.contract_user import ContractUser
from loadtests.user.discovery import user_class_of

USERS = 40
FAULT_SECONDS = 12.0  # at most, for a run with a fault
HONEST_SECONDS = 4.0  # for a run with the unchanged reference
MIN_REQUESTS = 500  # fewer responses are no evidence
VARIANT_SECONDS = 1.5  # for a run with a variant


@dataclass(frozen=True, slots=True)
class LoadTrial:
    """The result of one load run. change: name of the fault or variant, "" for the unchanged reference. seconds: until
    a clause of the fault was violated, or until its end.
    """

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
        """caught or missed for a fault; fine or blamed for an unchanged reference or a variant."""
        if self.kind != "fault":
            return "blamed" if self.failures or not self.requests else "fine"
        return "caught" if set(self.clauses) & set(self.blamed) else "missed"

    def line(self) -> str:
        """One line for a terminal."""
        name = f"{self.api}.{self.change}" if self.change else f"{self.api} (honest)"
        others = [reason for reason in (*self.blamed, *self.failures) if reason not in self.clauses]
        also = f"; also {', '.join(dict.fromkeys(others))}" if others else ""
        cost = f"{self.seconds:5.1f} s {self.requests:6} requests"
        return f"{self.verdict:7} {name:62} {cost}  {', '.join(self.clauses[:1])}{also}"


def user_class(api: str) -> type[ContractUser]:
    """The class of users of that API, in its locustfile, without a pause between journeys."""
    defined_class = user_class_of(api)
    assert defined_class is not None, f"loadtests/{api}.py defines no class of users"
    return type(defined_class.__name__, (defined_class,), {"wait_time": locust.constant(0)})


def run_trial(api: str, kind: str, change: str, most: float) -> LoadTrial:
    """A load run against the reference of that API with that change, of at most so many seconds."""
    package = reference.load(api)
    clauses: tuple[str, ...] = package.LOAD_FAULTS[change].clauses if kind == "fault" else ()
    options = [f"--{kind}", f"{api}.{change}"] if change else []
    with running_mailbox() as post, embedded_references([api], post["smtp"], options) as targets:
        with _run(api, RunTarget(targets[api].url, post["http"])) as state:
            began = time.perf_counter()
            while not set(clauses) & _blamed(state) and not _is_over(state, time.perf_counter() - began, most):
                gevent.sleep(0.05)
            seconds = time.perf_counter() - began
        result = state.finish()
    operations = result.operations if result else []
    return LoadTrial(
        api,
        kind,
        change,
        clauses,
        tuple(sorted(_blamed(state))),
        sum(operation.requests for operation in operations),
        tuple(sorted({reason for operation in operations for reason in operation.failures})),
        round(seconds, 2),
    )


def _is_over(state: RunState, seconds: float, most: float) -> bool:
    """Whether the run has lasted long enough; on a busy machine, with few responses by then, it may take longer."""
    return seconds >= most and (state.validators.cost.count >= MIN_REQUESTS or seconds >= 5 * most)


def _blamed(state: RunState) -> set[str]:
    return {clause for _, clause in state.validators.findings}


@contextmanager
def _run(api: str, place: RunTarget) -> Iterator[RunState]:
    """A run of that API's users, stopped when the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        options = Namespace(results=folder, judge="all", rate="", arrivals="poisson", arrivals_seed="1", run_time=None)
        setattr(options, EMBEDDED_OPTION, [api])
        environment = Environment(
            user_classes=[user_class(api)],
            host=place.host,
            parsed_options=options,
            stop_timeout=5,
        )
        register(environment.events)
        state = attach(environment)
        state.target = place
        runner = environment.create_local_runner()
        runner.start(USERS, spawn_rate=USERS)
        try:
            yield state
        finally:
            runner.stop()
            runner.quit()


def run_trials(
    apis: Sequence[str], only: Sequence[str], most: float, variants: bool = False, sample: int | None = None
) -> Iterator[LoadTrial]:
    """Run a trial for each unchanged reference, each fault under load and, with `variants`, each variant.

    only: names of the changes to try, all when empty. sample: how many faults of each API to try, None for all.
    """
    for api in apis:
        user_class(api).generate_corpus()
        package = reference.load(api)
        planned = [
            ("honest", "", HONEST_SECONDS),
            *(("fault", fault, most) for fault in [*package.LOAD_FAULTS][:sample]),
        ]
        planned += [("variant", variant, VARIANT_SECONDS) for variant in package.VARIANTS] if variants else []
        for kind, change, seconds in planned:
            if not only or change in only or f"{api}.{change}" in only:
                yield run_trial(api, kind, change, seconds)


def troubled(only: Sequence[str], sample: int | None = None) -> Iterator[TroubleTrial]:
    """Run each trouble of the load generator, or those of these names, and print a line for each."""
    for trouble in TROUBLES[:sample]:
        if not only or trouble.name in only or f"generator.{trouble.name}" in only:
            trial = run_trouble(trouble)
            print(trial.line(), flush=True)
            yield trial


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials and print a line for each; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.proof", description="Checks that load runs find faults.")
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="only these APIs (repeatable)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only these faults or troubles (repeatable)"
    )
    parser.add_argument("--seconds", type=float, default=FAULT_SECONDS, help="for each fault (default: %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="N faults of each API, and N troubles (default: all)")
    parser.add_argument("--variants", action="store_true", help="also against all variants")
    parser.add_argument("--json", metavar="FILE", help="file for the trials, as JSON")
    options = parser.parse_args(arguments)
    done: list[LoadTrial] = []
    apis = options.api or contracts.apis()
    for api in apis:
        if not reference.load(api).LOAD_FAULTS:
            print(f"{api} has no faults that only load shows: nothing to prove", flush=True)
    for trial in run_trials(apis, options.only, options.seconds, options.variants, options.sample):
        print(trial.line(), flush=True)
        done.append(trial)
    troubles = list(troubled(options.only, options.sample)) if not options.api else []
    if not done and not troubles:
        known = "names that `python -m fixtures.reference --list` shows"
        parser.exit(2, f"--only: expected {known}; got {', '.join(options.only)}\n")
    trials: list[LoadTrial | TroubleTrial] = [*done, *troubles]
    if options.json:
        records: list[dict[str, Any]] = [{**asdict(trial), "verdict": trial.verdict} for trial in trials]
        with open(options.json, "w") as file:
            json.dump(records, file, indent=1)
    bad = [trial for trial in trials if trial.verdict in ("missed", "blamed")]
    faults = [trial.verdict for trial in done if trial.kind == "fault"]
    excused = [trial.verdict for trial in troubles].count("excused")
    print(
        f"{faults.count('caught')} of {len(faults)} load faults caught,"
        f" {excused} of {len(troubles)} troubles of the load generator blamed on nobody"
    )
    print(f"{len(trials) - len(bad)} of {len(trials)} as expected")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
