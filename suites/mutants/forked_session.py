"""One pytest session for many mutants: imports the code and collects the tests once, then forks for each mutant.

The session itself runs no test, so no cache holds what unchanged code returned. A first round runs each test in a
fork of its own, and notes which functions it enters and how long it takes. A mutant then gets the tests that enter
its function, but for slow ones, the fastest first, until one fails.

`mutation_run` starts `python -m suites.mutants.forked_session REQUEST RESULTS` in a copy of the checkout: paths of
files, JSON {"modules", "tests", "chosen", "jobs"} and JSON lines {"module", "number", "outcome", "removed", "added"}.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any, TextIO

import pytest
from hypothesis import Phase, settings

from suites.mutants.code_mutants import CodeChange, Function, changes
from suites.mutants.code_swap import LiveFunctions
from suites.mutants.forks import SIGNALS_OF_LIMITS, Fork, in_forks
from suites.mutants.mutation_run import KILLED, SURVIVED, TIMEOUT, UNTESTED

WITHOUT = ("allure_pytest", "cacheprovider", "xdist")
SLOW_CPU, SLOW_WALL = 2.0, 60.0  # seconds; a test that takes longer is not used: a mutant must fail a fast one
CPU_FACTOR, CPU_CONSTANT = 10, 2.0  # of the tests' clean time; seconds
WALL_FACTOR, WALL_CONSTANT = 20, 20.0


@dataclass(frozen=True)
class CleanRun:
    """A test without mutant: the functions that it enters, and the seconds of CPU and in all that it takes."""

    passed: bool
    functions: frozenset[Function]
    cpu: float
    wall: float


class ForkedSession:
    """The pytest plugin that replaces the loop over tests by forks."""

    def __init__(self, request: dict[str, Any], results: TextIO) -> None:
        self._request = request
        self._root = Path.cwd()
        self._results = results
        self._failed = False
        self.problem = ""

    def pytest_collection(self) -> None:
        """Before tests are imported: a failing example need not be shrunk, nor be kept."""
        settings.register_profile("mutants", settings(), phases=(Phase.explicit, Phase.generate), database=None)
        settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a failure."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Runs the tests without a mutant, then with each mutant."""
        if session.testsfailed:
            self.problem = "the tests could not be collected"
            return True
        session.config.pluginmanager.unregister(name="terminalreporter")
        gc.unfreeze()  # the suite's conftest has frozen what is searched for functions and caches here
        all_changes = [change for module in self._request["modules"] for change in self._changes(module)]
        for module in self._request["modules"]:
            importlib.import_module(module.removesuffix(".py").replace("/", "."))
        self._live = LiveFunctions(str(self._root))
        self._caches = [
            value for value in gc.get_objects() if isinstance(value, _lru_cache_wrapper) and self._ours(value)
        ]
        for function, change in {change.function: change for _, change in all_changes}.items():
            self._live.prepare_report(function, change.before)
        gc.collect()
        gc.freeze()
        clean = self._clean_runs(session.items)
        failing = [item.nodeid for item in session.items if not clean[item].passed]
        if failing:
            self.problem = f"{len(failing)} tests fail without a mutant: {', '.join(failing[:10])}"
            return True
        self._mutants(all_changes, clean)
        return True

    def _changes(self, module: str) -> list[tuple[int, CodeChange]]:
        chosen = self._request["chosen"]
        return [
            (number, change)
            for number, change in enumerate(changes(module, self._root))
            if chosen is None or number in chosen.get(module, ())
        ]

    def _ours(self, cached: Any) -> bool:
        code = getattr(getattr(cached, "__wrapped__", None), "__code__", None)
        return code is not None and code.co_filename.startswith(str(self._root))

    def _clean_runs(self, items: Sequence[pytest.Item]) -> dict[Any, CleanRun]:
        forks = ((item, Fork(lambda item=item: self._clean_run(item), SLOW_CPU, SLOW_WALL)) for item in items)  # type: ignore[misc]
        runs = {}
        for item, status, run in in_forks(forks, self._request["jobs"]):
            is_slow = -status in SIGNALS_OF_LIMITS
            runs[item] = run if status == 0 else CleanRun(is_slow, frozenset(), 0, 0)
        return runs

    def _clean_run(self, item: pytest.Item) -> CleanRun:
        reached: set[Function] = set()
        self._live.report(lambda *key: reached.add(Function(*key)))
        cpu, wall = time.process_time(), time.perf_counter()
        passed = self._passes([item])
        return CleanRun(passed, frozenset(reached), time.process_time() - cpu, time.perf_counter() - wall)

    def _passes(self, items: Sequence[pytest.Item]) -> bool:
        for cached in self._caches:
            cached.cache_clear()
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                return False
        return True

    def _mutants(self, all_changes: list[tuple[int, CodeChange]], clean: dict[Any, CleanRun]) -> None:
        tests: dict[Function, list[Any]] = {}
        for item, run in sorted(clean.items(), key=lambda entry: entry[1].cpu):
            for function in run.functions:
                tests.setdefault(function, []).append(item)
        forks = self._forks(all_changes, tests, clean)
        for (number, change), status, passed in in_forks(forks, self._request["jobs"]):
            self._note(number, change, _outcome(status, passed))
        for number, change in all_changes:
            if change.function not in tests:
                self._note(number, change, UNTESTED)

    def _forks(
        self, all_changes: list[tuple[int, CodeChange]], tests: dict[Function, list[Any]], clean: dict[Any, CleanRun]
    ) -> Iterator[tuple[tuple[int, CodeChange], Fork]]:
        for number, change in all_changes:
            items = tests.get(change.function)
            if items:
                cpu = sum(clean[item].cpu for item in items) * CPU_FACTOR + CPU_CONSTANT
                wall = sum(clean[item].wall for item in items) * WALL_FACTOR + WALL_CONSTANT
                yield (number, change), Fork(lambda change=change, items=items: self._mutated(change, items), cpu, wall)  # type: ignore[misc]

    def _mutated(self, change: CodeChange, items: Sequence[pytest.Item]) -> bool:
        self._live.swap(change.function, change.after)
        return self._passes(items)

    def _note(self, number: int, change: CodeChange, outcome: str) -> None:
        removed, added = change.lines() if outcome in (SURVIVED, UNTESTED) else ((), ())
        module = change.function.path
        entry = {"module": module, "number": number, "outcome": outcome, "removed": removed, "added": added}
        print(json.dumps(entry), file=self._results, flush=True)


def _outcome(status: int, passed: bool | None) -> str:
    if -status in SIGNALS_OF_LIMITS:
        return TIMEOUT
    return SURVIVED if passed else KILLED


def main(request: Path, results: Path) -> int:
    """The exit code: 0 when every mutant was run, 1 when the tests fail without any."""
    content = json.loads(request.read_text("utf-8"))
    options = [option for name in WITHOUT for option in ("-p", f"no:{name}")]
    with results.open("w", encoding="utf-8") as file:
        plugin = ForkedSession(content, file)
        status = pytest.main([*options, "-q", "-s", "--assert=plain", "--tb=native", *content["tests"]], [plugin])
    if plugin.problem:
        print(plugin.problem, file=sys.stderr)
    return 1 if plugin.problem or status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED) else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
