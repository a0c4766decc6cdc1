"""Runs the suites against one change of a reference, or with one other seed, each in a fork of a prepared session.

Rule: the test that caught a fault before comes first, then those of its clauses, then the quickest; its trial ends when
one of its clauses is blamed. A variant's trial runs every test. A test that ends in anything but an assertion is
broken, whatever it ran against. A change of the websocket protocol is served on sockets and tried by the tests that use
a websocket: no other test can see it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from contracts.clauses import clauses
from contracts.reader.document_lines import OF_THE_DOCUMENT
from fixtures.reference.protocol import Change
from fixtures.target_api import Api
from reports.mutation import kill_table
from reports.mutation.kill_table import Complaint, MutationResult
from reports.results.blocked_tests import separate_blocked
from reports.results.causes import causes_of
from suites import hypothesis_profiles
from suites.mutation.reference_apis import honest_apis, in_process_api, socket_reference
from suites.reporting import pytest_plugin
from suites.reporting.result_recorder import RESULTS
from suites.reporting.tried_prerequisites import TriedPrerequisites
from suites.run_checks import APIS_UNDER_TEST

SECONDS = pytest.StashKey[float]()  # that a test took when it last ran, which was against an honest reference
CAUSES = pytest.StashKey[bool]()  # whether every test runs against a fault, to see how many causes are reported
SMALL = pytest.StashKey[bool]()  # whether the references are small, and somebody's
CAUGHT_BY = pytest.StashKey[Mapping[tuple[str, str], str]]()  # by API and fault, the test function of an earlier run
CLAUSES = pytest.StashKey[frozenset[str]]()  # that a test checks
TESTS = pytest.StashKey[dict[str, list[pytest.Item]]]()  # that need no socket, by API
WEBSOCKET_TESTS = pytest.StashKey[dict[str, list[pytest.Item]]]()  # by API


def note_tests(session: pytest.Session) -> None:
    """Notes what trials need to know of the tests: which need no socket, by API, and the clauses of each."""
    stash = session.config.stash
    stash[WEBSOCKET_TESTS], stash[TESTS] = {}, {}
    for item in session.items:
        item.stash[CLAUSES] = frozenset(pytest_plugin.clauses_of(item))
        if not item.get_closest_marker("sockets"):
            stash[TESTS].setdefault(pytest_plugin.api_name(item), []).append(item)


def never(_: Complaint) -> bool:
    """No complaint is enough: every test runs."""
    return False


def in_process_tests(session: pytest.Session) -> list[pytest.Item]:
    """The tests that need no socket."""
    return [item for item in session.items if not item.get_closest_marker("sockets")]


@dataclass(frozen=True)
class HonestSocketRun:
    """The complaints of an API's tests about its honest reference on a socket, and the tests that use a websocket.

    seconds: by the id of each such test, what it took.
    """

    complaints: tuple[Complaint, ...]
    seconds: Mapping[str, float]


Trial = tuple[str, Callable[[], MutationResult]]  # its name, and what runs in the fork


def trials(session: pytest.Session, changes: Sequence[tuple[str, Change]], seeds: Sequence[int]) -> list[Trial]:
    """A trial of each (api, change), and with each seed one of the unchanged references and of each minimal variant."""
    of_changes: list[Trial] = [
        (f"{api}.{change.kind}.{change.name}", partial(run_change, session, api, change)) for api, change in changes
    ]
    of_minimal: list[Trial] = [
        (f"{api}.seed.{change.name} {seed}", partial(run_minimal_variant, session, api, change, seed))
        for api, change in changes
        if change.minimal
        for seed in seeds
    ]
    return [*of_changes, *of_minimal, *((f"all.seed.{seed}", partial(run_seed, session, seed)) for seed in seeds)]


def run_trials(waiting: Sequence[Trial], jobs: int) -> Iterator[MutationResult]:
    """Yield the result of each trial as it ends; `jobs` run at a time."""
    remaining = list(reversed(waiting))
    running: dict[int, Path] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while remaining or running:
                while remaining and len(running) < jobs:
                    name, run = remaining.pop()
                    path = Path(folder) / name
                    running[fork(run, path)] = path
                pid, status = os.wait()
                if pid in running:
                    yield _read_result(running.pop(pid), status)
        finally:
            for pid in running:  # only when this is interrupted
                os.kill(pid, signal.SIGKILL)


def run_seed(session: pytest.Session, seed: int) -> MutationResult:
    """Runs every test against the honest references, with requests generated from another seed."""
    _generate_from(session, seed)
    apis = honest_apis(seed, session.config.stash.get(SMALL, False))
    session.config.stash[APIS_UNDER_TEST] = dict(apis)
    complaints, skipped, seconds = run_tests(session, in_process_tests(session), never)
    requests = sum(api.exchange_count for api in apis.values())
    return MutationResult("all", str(seed), "seed", (), "other requests", tuple(complaints), requests, seconds, skipped)


def run_minimal_variant(session: pytest.Session, name: str, change: Change, seed: int) -> MutationResult:
    """Runs the API's tests against that variant, with requests generated from another seed."""
    _generate_from(session, seed)
    result = run_change(session, name, change, seed)
    return replace(result, name=f"{change.name} {seed}", kind="seed", clauses=())


def _generate_from(session: pytest.Session, seed: int) -> None:
    session.config.option.seed = seed
    hypothesis_profiles.load_profile(seed)


def fork(run: Callable[[], MutationResult | HonestSocketRun], path: Path) -> int:
    """Starts a process that writes the result to `path`; returns its id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)  # the process that forked it says what became of the run
    try:
        path.write_text(json.dumps(asdict(run())))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _read_result(path: Path, status: int) -> MutationResult:
    if status or not path.exists():
        api, kind, name = path.name.split(".", 2)
        message = f"its process ended with status {status}"
        return MutationResult(api, name, kind, ("",), "", (Complaint("the trial itself", (), message, broken=True),))
    return kill_table.parse_mutation_result(json.loads(path.read_text()))


def run_change(session: pytest.Session, name: str, change: Change, seed: int = 0) -> MutationResult:
    """Runs the API's tests against a reference with that change, whose own random choices follow `seed`."""
    small = session.config.stash.get(SMALL, False)
    if change.needs_socket:
        api, items = socket_reference(name, [change], small).api, session.config.stash[WEBSOCKET_TESTS][name]
    else:
        faults, variants = ((change.name,), ()) if change.kind == "fault" else ((), (change.name,))
        api, items = in_process_api(name, faults, variants, seed, small), session.config.stash[TESTS][name]

    needs_causes = change.kind == "fault" and session.config.stash.get(CAUSES, False)
    if needs_causes:
        session.config.stash[RESULTS].prerequisites = TriedPrerequisites(None, is_strict=True)
    records = session.config.stash[RESULTS].findings
    records.clear()

    def is_enough(complaint: Complaint) -> bool:
        return (
            not needs_causes
            and change.kind == "fault"
            and (complaint.broken or bool(set(complaint.clauses) & set(change.clauses)))
        )

    caught_by = session.config.stash.get(CAUGHT_BY, {}).get((name, change.name), "")
    ordered = own_tests_first(items, change, caught_by)
    complaints, skipped, seconds = run_against(session, api, ordered, is_enough)
    if change.minimal:
        complaints = [complaint for complaint in complaints if is_about_the_document(complaint)]
    return MutationResult(
        *(name, change.name, change.kind, change.clauses, change.summary),
        *(tuple(complaints), api.exchange_count, seconds, skipped),
        tuple(cause.clauses for cause in causes_of(separate_blocked(records))) if needs_causes else None,
    )


def is_about_the_document(complaint: Complaint) -> bool:
    """Whether a complaint is our own error, or blames the first of its clauses for what the document says.

    Complaints about readings count, too: a variant follows one of their meanings.
    """
    if complaint.broken:
        return True
    main = complaint.clauses[0]
    clause = clauses(main.split("-")[0].lower()).get(main)
    return clause is None or clause.grade in OF_THE_DOCUMENT


RunOutcome = tuple[list[Complaint], int, float]  # complaints, number of skipped tests, seconds
StopCondition = Callable[[Complaint], bool]


def run_against(
    session: pytest.Session,
    api: Api,
    items: Sequence[pytest.Item],
    is_enough: StopCondition,
    after: Callable[[pytest.Item], None] = lambda _: None,
) -> RunOutcome:
    """Runs these tests with that API in place of the honest one in this process."""
    honest = session.config.stash[APIS_UNDER_TEST]
    session.config.stash[APIS_UNDER_TEST] = {**honest, api.target.api: api}
    try:
        return run_tests(session, items, is_enough, after)
    finally:
        session.config.stash[APIS_UNDER_TEST] = honest


def run_tests(
    session: pytest.Session,
    items: Sequence[pytest.Item],
    is_enough: StopCondition,
    after: Callable[[pytest.Item], None] = lambda _: None,
) -> RunOutcome:
    """Runs these tests until a complaint is enough; calls `after` after each."""
    complaints: list[Complaint] = []
    skipped = 0
    started = time.perf_counter()
    session._setupstate.teardown_exact(None)  # session fixtures of the run before belong to another reference
    for number, item in enumerate(items):
        next_item = items[number + 1] if number + 1 < len(items) else None
        begun = time.perf_counter()
        complaint, was_skipped = _run_test(item, next_item)
        item.stash[SECONDS] = time.perf_counter() - begun
        after(item)
        skipped += was_skipped
        if complaint:
            complaints.append(complaint)
            if is_enough(complaint):
                break
    return complaints, skipped, time.perf_counter() - started


def own_tests_first(items: Iterable[pytest.Item], change: Change, caught_by: str = "") -> list[pytest.Item]:
    """The test function of that name, tests of the change's clauses, the rest; in each group the quickest first."""

    def rank(item: pytest.Item) -> tuple[bool, int, float]:
        clauses = item.stash[CLAUSES]
        rank = next((rank for rank, clause in enumerate(change.clauses) if clause in clauses), len(change.clauses))
        return getattr(item, "originalname", "") != caught_by, rank, item.stash.get(SECONDS, 0.0)

    return sorted(items, key=rank)


def _run_test(item: pytest.Item, next_item: pytest.Item | None) -> tuple[Complaint | None, bool]:
    """Runs one test by pytest's own protocol: its complaint, and whether it was skipped."""
    if hasattr(item, "_initrequest"):
        item._initrequest()  # as for a rerun
    reports = runtestprotocol(item, nextitem=next_item, log=False)
    for report in reports:
        item.config.stash[RESULTS].pytest_runtest_logreport(report)
        if report.failed:
            blamed = tuple(str(value) for name, value in report.user_properties if name == "blamed")
            return Complaint(item.nodeid, blamed, report.longreprtext, not blamed), False
    return None, any(report.skipped for report in reports)
