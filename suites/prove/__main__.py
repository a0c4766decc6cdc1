"""`python -m suites.prove`: the whole suite against every fault and every variant, and the kill table.

Exit codes: 0 when all faults are caught on their own clauses and no variant is blamed, 1 when not, 2 for misuse.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

import contracts
from fixtures.reference import load
from fixtures.reference.protocol import Change
from reports.kills import GOOD, Complaint, Made, Proof, Result
from suites.prove import against, beside, sample, table, trial

ROOT = Path(__file__).parents[2]
OUT = ROOT / "reports" / "out" / "prove"


class Prover:
    """A pytest plugin: in place of one run of the tests it makes a trial of every change."""

    def __init__(self, changes: Sequence[tuple[str, Change]], seeds: Sequence[int], jobs: int) -> None:
        self.changes = changes
        self.seeds = seeds
        self.jobs = jobs
        self.tests = 0
        self.honest: list[Complaint] = []
        self.results: list[Result] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the honest references first, then each change in a process of its own."""
        if not session.items:
            return True
        self.tests = len(session.items)
        started = time.perf_counter()
        self.honest = trial.warm(session, sorted({api for api, change in self.changes if change.wire}))
        seconds = time.perf_counter() - started
        print(f"\nhonest: {self.tests} tests, {len(self.honest)} complaints, {seconds:.1f} s")
        for result in trial.results(trial.trials(session, self.changes, self.seeds), self.jobs):
            self.results.append(result)
            print(table.line(result), flush=True)
        return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Proves the suites and writes the kill table; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _options(given)
    changes = _chosen(options)
    made = _made(given, options.jobs)
    if options.against:
        options.out.mkdir(parents=True, exist_ok=True)
        return beside.main(changes, made, options.out, _which(options, changes), options.publish)
    started = time.perf_counter()
    prover = Prover(changes, range(1, options.seeds + 1), options.jobs)
    os.environ["HYPOTHESIS_PROFILE"] = "prove"  # what is found need not be made small here
    tests = options.tests or [str(ROOT / "suites")]
    only = [] if options.api is None else ["-k", " or ".join(options.api)]
    quiet = ["-q", "-p", "no:allure_pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--no-summary"]
    code = pytest.main([*tests, *quiet, *only], plugins=[prover])
    if not prover.results and changes:
        print(f"nothing was proven: pytest ended with {code!r}", file=sys.stderr)
        return 2
    seconds = round(time.perf_counter() - started, 1)
    results = table.ordered(prover.results)
    proof = Proof(made, seconds, prover.tests, _there_are(), tuple(prover.honest), results)
    table.write(options.out, proof)
    print(table.summary(proof))
    trials = len(changes) + options.seeds
    if len(results) < trials:
        print(f"the proof broke off: {len(results)} of {trials} trials ended", file=sys.stderr)
        return 1
    made_anew = [options.out / name for name in ("kill-table.md", "kill-table.html")]
    for path in (*made_anew, *(table.publish(proof) if options.publish else ())):
        print(os.path.relpath(path))
    good = not proof.honest and all(result.verdict in GOOD for result in results)
    return 0 if good and results else 1


def _made(given: Sequence[str], jobs: int) -> Made:
    command = shlex.join(["python", "-m", "suites.prove", *given])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Made(now, command, jobs, os.cpu_count() or 1, platform.python_version())


def _there_are() -> dict[str, dict[str, int]]:
    """How many faults and variants there are, by API, whatever was chosen."""
    return {api: {"fault": len(load(api).FAULTS), "variant": len(load(api).VARIANTS)} for api in contracts.apis()}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m suites.prove", description=__doc__)
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="only this API (repeatable)")
    parser.add_argument("--only", metavar="NAMES", help="only these faults and variants, by comma")
    parser.add_argument(
        "--against",
        choices=["schemathesis"],
        help="run stock Schemathesis against them instead, and print its column beside ours "
        f"(by default {against.FAULTS} faults and {against.VARIANTS} variants, chosen as by --sample)",
    )
    parser.add_argument("--sample", type=int, metavar="N", help="N of them, chosen by the content of the project")
    parser.add_argument(
        "--seeds", type=int, default=0, metavar="N", help="N runs of the honest references with other requests"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--out", type=Path, default=OUT, help="where the kill table goes")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="also write the files of reports/ that are committed; of all changes only",
    )
    parser.add_argument("tests", nargs="*", help="paths of tests, by default all suites")
    options = parser.parse_args(arguments)
    if options.publish and (options.api or options.only or options.sample or options.tests):
        parser.error("--publish: expected no --api, --only, --sample or tests: a part is not published")
    return options


def _chosen(options: argparse.Namespace) -> list[tuple[str, Change]]:
    everything = [
        (api, change)
        for api in options.api or contracts.apis()
        for changes in (load(api).FAULTS, load(api).VARIANTS)
        for change in changes.values()
        if not (options.against and change.wire)  # it speaks HTTP only, and could not see them
    ]
    if options.only:
        wanted = set(options.only.split(","))
        chosen = [(api, one) for api, one in everything if one.name in wanted or f"{api}.{one.name}" in wanted]
        unknown = wanted - {one.name for _, one in chosen} - {f"{api}.{one.name}" for api, one in chosen}
        if unknown:
            print(f"--only: no fault or variant is called {', '.join(sorted(unknown))}", file=sys.stderr)
            raise SystemExit(2)
        return chosen
    if options.against and not options.sample:
        return against.chosen(everything)
    return sample.of(everything, options.sample) if options.sample else everything


def _which(options: argparse.Namespace, changes: Sequence[tuple[str, Change]]) -> str:
    """What these changes are, in words."""
    counts = Counter(change.kind for _, change in changes)
    told = f"{counts['fault']} faults and {counts['variant']} variants of {', '.join(options.api or contracts.apis())}"
    return f"{told}, {'given by name' if options.only else 'a sample chosen by the content of the project'}"


if __name__ == "__main__":
    sys.exit(main())
