"""`python -m suites.prove`: the whole suite against every fault and every variant, and the kill table.

Exit codes: 0 when all faults are caught on their own clauses and no variant is blamed, 1 when not, 2 for misuse.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import contracts
from fixtures.reference import load
from fixtures.reference.protocol import Change
from suites.prove import against, beside, sample, table, trial

ROOT = Path(__file__).parents[2]
OUT = ROOT / "reports" / "out" / "prove"


class Prover:
    """A pytest plugin: in place of one run of the tests it makes a trial of every change."""

    def __init__(self, changes: Sequence[tuple[str, Change]], seeds: Sequence[int], jobs: int) -> None:
        self.changes = changes
        self.seeds = seeds
        self.jobs = jobs
        self.honest: list[trial.Complaint] = []
        self.results: list[trial.Result] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the honest references first, then each change in a process of its own."""
        if not session.items:
            return True
        started = time.perf_counter()
        self.honest = trial.warm(session)
        seconds = time.perf_counter() - started
        print(f"\nhonest: {len(session.items)} tests, {len(self.honest)} complaints, {seconds:.1f} s")
        for result in trial.results(trial.trials(session, self.changes, self.seeds), self.jobs):
            self.results.append(result)
            print(table.line(result), flush=True)
        return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Proves the suites and writes the kill table; returns the exit code."""
    options = _options(arguments)
    changes = _chosen(options)
    if options.against:
        options.out.mkdir(parents=True, exist_ok=True)
        return beside.main(changes, options.jobs, options.out, _which(options, changes))
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
    seconds = time.perf_counter() - started
    table.write(options.out, prover.results, prover.honest, seconds)
    print(table.summary(prover.results, prover.honest, seconds))
    print(os.path.relpath(options.out / "kill-table.md"))
    good = not prover.honest and all(result.verdict in ("caught", "ok") for result in prover.results)
    return 0 if good and prover.results else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
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
    parser.add_argument("tests", nargs="*", help="paths of tests, by default all suites")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[tuple[str, Change]]:
    everything = [
        (api, change)
        for api in options.api or contracts.apis()
        for changes in (load(api).FAULTS, load(api).VARIANTS)
        for change in changes.values()
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
