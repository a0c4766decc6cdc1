"""`python -m suites.mutation`: runs the suites against every fault and every variant, and writes the kill table.

Exit codes: 0 when all faults are caught on their own clauses and no variant is blamed, 1 when not, 2 for a usage error
or a broken contract. With `--causes` also 1 when a fault is reported as too many causes, or another clause comes first.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

import contracts
from fixtures.corpus import EFFORTS
from fixtures.reference import load
from fixtures.reference.protocol import Change
from reports.mutation.kill_table import (
    EXPECTED_VERDICTS,
    Complaint,
    KillTable,
    MutationResult,
    Provenance,
    catching_tests,
)
from reports.mutation.loading import load_kill_table
from suites.mutation import (
    group_trial,
    honest_run,
    kill_table_files,
    reported_causes,
    rotating_sample,
    schemathesis_trial,
    small_references,
    trial,
    variant_groups,
    versus_schemathesis,
)
from suites.mutation.variant_groups import Group, group_name
from suites.reporting.broken_contracts import find_broken
from suites.run_checks import APIS_UNDER_TEST

ROOT = Path(__file__).parents[2]
VARIANTS_AT_ONCE = 24
OUT = ROOT / "reports" / "out" / "prove"


class MutationRun:
    """A pytest plugin that runs a trial of every change in place of one run of the tests."""

    def __init__(
        self,
        changes: Sequence[tuple[str, Change]],
        seeds: Sequence[int],
        jobs: int,
        out: Path,
        small: bool,
        causes: bool,
        group: int,
    ) -> None:
        self.changes = changes
        self.out = out
        self.seeds = seeds
        self.jobs = jobs
        self.small = small
        self.causes = causes
        self.group = group
        self.caught_by: Mapping[tuple[str, str], str] = {}  # by API and fault, the test function of an earlier run
        self.tests = 0  # checks; observations cannot fail and kill nothing
        self.observations = 0
        self.honest: list[Complaint] = []
        self.results: list[MutationResult] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Says that no test goes to a target, so that none needs settings, nor a mailbox that receives mail."""
        config.stash[APIS_UNDER_TEST] = {}
        config.stash[trial.CAUGHT_BY] = self.caught_by
        config.stash[trial.SMALL] = self.small
        config.stash[trial.CAUSES] = self.causes

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the tests against the honest references first, then against each change in a process of its own."""
        if not session.items:
            return True
        self.observations = sum(item.get_closest_marker("observation") is not None for item in session.items)
        self.tests = len(session.items) - self.observations
        started = time.perf_counter()
        self.honest = honest_run.run_honest(
            session, sorted({api for api, change in self.changes if change.needs_socket})
        )
        seconds = time.perf_counter() - started
        print(f"\nhonest: {self.tests} tests, {len(self.honest)} complaints, {seconds:.1f} s")
        groups = variant_groups.groups_of(self.changes, self.group)
        together = {(api, change.name) for api, changes in groups for change in changes}
        alone = [(api, change) for api, change in self.changes if (api, change.name) not in together]
        for result in trial.run_trials(trial.trials(session, alone, self.seeds), self.jobs):
            self._note(result)
        self.run_groups(session, groups)
        return True

    def run_groups(self, session: pytest.Session, groups: Sequence[Group]) -> None:
        """Runs a trial of each group; variants that it sets aside are tried again, in groups of half the size."""
        most = self.group
        while groups:
            most = max(most // 2, 1)
            groups = variant_groups.groups_of(self._run_groups(session, groups), most)

    def _run_groups(self, session: pytest.Session, groups: Sequence[Group]) -> list[tuple[str, Change]]:
        """Runs a trial of each group; the variants that are set aside."""
        named = {f"{api}.{group_name(changes)}": (api, changes) for api, changes in groups if len(changes) > 1}
        alone = [(api, change) for api, changes in groups if len(changes) == 1 for change in changes]
        trials = [group_trial.trial_of(session, group) for group in named.values()]
        aside: list[tuple[str, Change]] = []
        for result in trial.run_trials([*trials, *trial.trials(session, alone, ())], self.jobs):
            group = named.get(f"{result.api}.{result.name}")
            if group is None:
                self._note(result)
                continue
            api, changes = group
            aside += [(api, change) for change in changes if change.name in result.set_aside]
            for line in kill_table_files.set_aside_lines(result):
                print(line, flush=True)
            for of_variant in variant_groups.result_of_each(group, result):
                self._note(of_variant)
        return aside

    def _note(self, result: MutationResult) -> None:
        self.results.append(result)
        kill_table_files.append_result(self.out, result)
        print(kill_table_files.result_line(result), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the mutation test of the suites and writes the kill table; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _options(given)
    broken = find_broken(os.environ)
    apis = [api for api in options.api or contracts.apis() if api not in broken]
    changes = _changes(options, apis)
    provenance = _provenance(given, options.jobs)
    if options.against:
        options.out.mkdir(parents=True, exist_ok=True)
        sample = _sample_text(changes, apis, is_named=bool(options.only))
        return versus_schemathesis.main(changes, provenance, options.out, sample, options.publish)
    started = time.perf_counter()
    group = 1 if options.publish else options.group
    seeds = range(1, options.seeds + 1)
    run = MutationRun(changes, seeds, options.jobs, options.out, options.small, options.causes, group)
    earlier = load_kill_table(options.out).value
    run.caught_by = catching_tests(earlier) if earlier else {}
    kill_table_files.begin(options.out)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sampled = sorted({api for api, _ in changes}) if options.sample else None  # other tests have nothing to prove
    code = _run_pytest(run, options, options.api or sampled)
    if not run.results and changes:
        print(f"no trial ran: pytest ended with {code!r}", file=sys.stderr)
        return 2
    seconds = round(time.perf_counter() - started, 1)
    results = kill_table_files.sort_results(run.results)
    table = KillTable(provenance, seconds, run.tests, _totals(apis), tuple(run.honest), results, run.observations)
    kill_table_files.write(options.out, table)
    print(kill_table_files.summary(table))
    for api, problem in broken.items():
        print(f"{api} was not tested, because its contract is broken: {problem}", file=sys.stderr)
    trials = len(changes) + options.seeds * (1 + sum(change.minimal for _, change in changes))
    if len(results) < trials:
        print(f"the mutation run broke off: {len(results)} of {trials} trials ended", file=sys.stderr)
        return 1
    written = [options.out / name for name in ("kill-table.md", "kill-table.html")]
    for path in (*written, *(kill_table_files.publish(table) if options.publish else ())):
        print(os.path.relpath(path))
    if broken:
        return 2
    check = _are_as_expected_of_small_ones if options.small else _are_as_expected
    are_causes_few = not reported_causes.problems(results)
    return 0 if results and not table.honest and check(results) and are_causes_few else 1


def _are_as_expected(results: Sequence[MutationResult]) -> bool:
    return all(result.verdict in EXPECTED_VERDICTS for result in results)


def _are_as_expected_of_small_ones(results: Sequence[MutationResult]) -> bool:
    """Says what can show at small references, and what is not as it must be."""
    needs = small_references.needed_records()
    problems = small_references.problems(results, needs)
    print(small_references.summary(results, needs), *problems, sep="\n")
    return not problems


def _run_pytest(run: MutationRun, options: argparse.Namespace, apis: Sequence[str] | None) -> int | pytest.ExitCode:
    """Runs the tests of these APIs, without any of all."""
    os.environ["HYPOTHESIS_PROFILE"] = "prove"  # the profile that does not shrink failures
    tests = options.tests or [str(ROOT / "suites")]
    only = ["-k", " or ".join(apis)] if apis else []
    quiet = [
        f"--effort={options.effort}",
        "--strict",  # a fault counts as caught on a clause of any grade: its severity is no matter of the proof
        "-q",
        "-p",
        "no:allure_pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "--no-header",
        "--no-summary",
    ]
    return pytest.main([*tests, *quiet, *only], plugins=[run])


def _provenance(given: Sequence[str], jobs: int) -> Provenance:
    command = shlex.join(["python", "-m", "suites.mutation", *given])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Provenance(now, command, jobs, os.cpu_count() or 1, platform.python_version())


def _totals(apis: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many faults and variants each API has, whether they were chosen or not."""
    return {api: {"fault": len(load(api).FAULTS), "variant": len(load(api).VARIANTS)} for api in apis}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m suites.mutation", description=__doc__)
    parser.add_argument("--api", action="append", choices=contracts.apis(), help="only this API (repeatable)")
    parser.add_argument("--only", metavar="NAMES", help="only these faults and variants, separated by commas")
    parser.add_argument(
        "--against",
        choices=["schemathesis"],
        help="run stock Schemathesis against them instead, and compare its results with ours (by default on "
        f"{schemathesis_trial.SAMPLED_FAULTS} faults and {schemathesis_trial.SAMPLED_VARIANTS} variants, "
        "chosen as by --sample)",
    )
    parser.add_argument("--sample", type=int, metavar="N", help="N of them, chosen by the content of the project")
    parser.add_argument(
        "--seeds",
        type=int,
        default=0,
        metavar="N",
        help="N runs of the honest references, and of each chosen minimal variant, with other requests",
    )
    parser.add_argument("--effort", choices=EFFORTS, default="default", help="how many requests are generated")
    parser.add_argument(
        "--jobs",
        type=int,
        default=(os.cpu_count() or 1) + 1,
        help="processes at a time, by default one more than there are processors: trials on sockets wait a lot",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the kill table")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="also write the files of reports/ that are committed; only for all faults and variants",
    )
    parser.add_argument(
        "--small", action="store_true", help="references with few records, of which a run knows no optional setting"
    )
    parser.add_argument(
        "--causes",
        action="store_true",
        help="run every test against each fault, and count the reported causes",
    )
    parser.add_argument(
        "--group",
        type=int,
        default=VARIANTS_AT_ONCE,
        help="how many variants are tried at once; each alone where a test complains, and for --publish",
    )
    parser.add_argument("tests", nargs="*", help="paths of tests, by default all suites")
    options = parser.parse_args(arguments)
    if options.small and options.against:
        parser.error("--small: expected no --against: stock Schemathesis is not run at small references")
    if options.publish and (options.small or options.api or options.only or options.sample or options.tests):
        parser.error("--publish: expected no --small, --api, --only, --sample or tests: a part is not published")
    return options


def _changes(options: argparse.Namespace, apis: Sequence[str]) -> list[tuple[str, Change]]:
    """The faults and variants that the options choose, as (api, change)."""
    changes: list[tuple[str, Change]] = [
        (api, change)
        for api in apis
        for of_kind in (load(api).FAULTS, load(api).VARIANTS)
        for change in of_kind.values()
        # Schemathesis speaks HTTP only, and knows no grades
        if not (options.against and (change.needs_socket or change.minimal))
    ]
    if options.only:
        return _named(changes, set(options.only.split(",")))
    if options.against and not options.sample:
        return schemathesis_trial.default_sample(changes)
    return rotating_sample.sample(changes, options.sample) if options.sample else changes


def _named(changes: Sequence[tuple[str, Change]], names: set[str]) -> list[tuple[str, Change]]:
    """The changes with these names, alone or behind their API's; exits with 2 for a name that none has."""
    chosen = [(api, change) for api, change in changes if names & {change.name, f"{api}.{change.name}"}]
    unknown = names - {name for api, change in chosen for name in (change.name, f"{api}.{change.name}")}
    if unknown:
        print(f"--only: no fault or variant is called {', '.join(sorted(unknown))}", file=sys.stderr)
        raise SystemExit(2)
    return chosen


def _sample_text(changes: Sequence[tuple[str, Change]], apis: Sequence[str], is_named: bool) -> str:
    """Which changes these are, in words."""
    counts = Counter(change.kind for _, change in changes)
    origin = "given by name" if is_named else "a sample chosen by the content of the project"
    return f"{counts['fault']} faults and {counts['variant']} variants of {', '.join(apis)}, {origin}"


if __name__ == "__main__":
    sys.exit(main())
