"""Remembers which meanings a target was seen to use (`--readings FILE`), and says when it uses another one.

Rule: a run adds lines and changes none, so a change is reported until somebody deletes its line. Workers only compare;
the process that the user started writes the file, at once, when the run ends. A reading that the environment fixes is
judged by that alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from contracts.clauses import is_fixed
from contracts.errors import UsageError
from fixtures.corpus.invalid_requests import GENERATED
from fixtures.seen_meaning import SeenMeaning
from fixtures.target_api import Api
from fixtures.targets import Target
from suites.reporting import attachments, pytest_plugin
from suites.reporting.broken_contracts import BROKEN
from suites.reporting.failures import ContractViolation, violation
from suites.reporting.outcomes import ending_of
from suites.reporting.readings_file import (
    Key,
    RecordedReadings,
    read_readings,
    require_writable,
    write_readings,
)
from suites.reporting.result_recorder import CHANGE, NOT_JUDGED

MEMORY = pytest.StashKey["ReadingsMemory"]()
SEEN = "seen_meanings"  # property of pytest's report: the target, then (reading, exchange, meaning) of each
MAX_LINES = 20  # of each kind in the summary
Change = tuple[Key, frozenset[str], frozenset[str]]  # the meanings that are recorded, and those that were seen


def configure(config: pytest.Config) -> None:
    """Reads the file of `--readings`, if there is that option. Raises UsageError when it cannot be used."""
    if config.option.readings is None:
        return
    path = config.invocation_params.dir / config.option.readings
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        require_writable(path)
    broken: dict[str, str] = config.stash[BROKEN]
    recorded = read_readings(path, broken)
    memory = ReadingsMemory(path, recorded, is_strict=bool(config.getini("strict")))
    config.stash[MEMORY] = memory
    config.pluginmanager.register(memory, "flowproof_readings")


def write(config: pytest.Config) -> list[str]:
    """Adds to the file what was seen first in this run. Returns what went wrong, a sentence each."""
    memory = config.stash.get(MEMORY, None)
    broken: dict[str, str] = config.stash[BROKEN]
    return memory.write(broken) if memory and not hasattr(config, "workerinput") else []


def summary_lines(config: pytest.Config) -> list[str]:
    """What is new, changed, or was not seen, in lines for the console."""
    memory = config.stash.get(MEMORY, None)
    return memory.summary_lines() if memory else []


class ReadingsMemory:
    """A pytest plugin: compares what each test saw with the file, and collects what all processes saw."""

    def __init__(self, path: Path, recorded: RecordedReadings, *, is_strict: bool) -> None:
        self.path = path
        self.recorded = recorded
        self.is_strict = is_strict
        self.seen: dict[Key, set[str]] = {}
        self.targets: dict[str, str] = {}
        self.problems: list[str] = []  # why nothing could be recorded

    @pytest.hookimpl(wrapper=True, trylast=True)  # within the wrapper that turns exceptions into outcomes
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Says what the test saw that differs from the file; with `--strict` it fails, unless it has failed already."""
        try:
            result = yield
        except BaseException as error:
            changes = self._changes_in(item)
            if changes and self.is_strict and ending_of(error).outcome in NOT_JUDGED:
                raise self._violation(item, changes) from error
            for change in changes:
                error.add_note(f"  changed    {self._text(change)}")
            raise
        changes = self._changes_in(item)
        if changes and self.is_strict:
            raise self._violation(item, changes)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Adds to pytest's report what the test saw, for the process that writes the file."""
        report = yield
        api = pytest_plugin.api_under_test(item)
        if call.when != "teardown" and api and (seen := _free_meanings(api)):
            report.user_properties.append((SEEN, [_target_text(api.target), *map(list, seen)]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects what a test saw, in whichever process it ran."""
        for name, value in report.user_properties:
            if name != SEEN or not isinstance(value, list):
                continue
            target, *seen = value
            for reading, exchange, meaning in seen:
                self.seen.setdefault((reading, exchange), set()).add(meaning)
                self.targets[_api_of(reading)] = target

    def _changes_in(self, item: pytest.Item) -> list[Change]:
        """What the test saw that the file has otherwise; noted in the test's properties and in Allure's result."""
        api = pytest_plugin.api_under_test(item)
        changes = self._changes(_by_key(_free_meanings(api))) if api else []
        texts = [self._text(change) for change in changes]
        item.user_properties += [(CHANGE, text) for text in texts]
        if texts and pytest_plugin.results_folder(item.config):
            attachments.attach_changes(texts)
        return changes

    def _violation(self, item: pytest.Item, changes: Sequence[Change]) -> ContractViolation:
        """The failure of a test that saw these changes."""
        api = pytest_plugin.api_under_test(item)
        assert api is not None
        (reading, kind), before, now = changes[0]
        exchange = next(
            shown
            for meaning, shown in api.seen_meanings.items()
            if meaning[:2] == (reading, kind) and meaning[2] in now
        )
        line = self.recorded.lines[reading, kind]
        expected = f"{_listed(before)} ({kind}), as recorded in {self.path.name}, line {line}"
        error = violation(api, reading, expected, _listed(now), exchange)
        error.clauses = tuple(dict.fromkeys(change[0][0] for change in changes))
        for change in changes[1:]:
            error.add_note(f"  changed    {self._text(change)}")
        return error

    def _changes(self, seen: Mapping[Key, Collection[str]]) -> list[Change]:
        recorded = self.recorded.meanings
        return [
            (key, recorded[key], frozenset(meanings))
            for key, meanings in sorted(seen.items())
            if key in recorded and _differs(key, recorded[key], meanings)
        ]

    def _text(self, change: Change) -> str:
        (reading, kind), before, now = change
        line = f"{self.path.name}, line {self.recorded.lines[reading, kind]}"
        return f"{reading}: {kind}: {_listed(before)} before ({line}), {_listed(now)} now"

    def write(self, broken: Collection[str]) -> list[str]:
        """Adds to the file what it does not have yet; returns what went wrong, a sentence each.

        The file is read again, since another run may have added to it meanwhile.
        """
        if not self.seen.keys() - self.recorded.meanings.keys():
            return []
        try:
            recorded = read_readings(self.path, broken)
            recorded.add(self.seen, self.targets)
            write_readings(self.path, recorded)
        except (UsageError, OSError) as error:
            self.problems.append(f"what was seen could not be recorded: {error}")
        return self.problems

    def summary_lines(self) -> list[str]:
        """What was seen beside what is recorded, in lines for the console."""
        if not self.seen:
            return [f"{self.path.name}: no meaning of a reading was seen, so nothing was recorded"]
        recorded = self.recorded.meanings
        new = sorted(self.seen.keys() - recorded.keys())
        changes = self._changes(self.seen)
        unseen = [key for key in recorded.keys() - self.seen.keys() if _api_of(key[0]) in self.targets]
        as_recorded = len(self.seen) - len(new) - len(changes)
        counts = f"{as_recorded} as recorded, {len(new)} new, {len(changes)} changed, {len(unseen)} not seen"
        several = [(key, self.seen[key]) for key in new if len(self.seen[key]) > 1]
        return [
            f"{self.path.name}: readings by kind of exchange: {counts}",
            *_first_lines([f"changed: {self._text(change)}" for change in changes]),
            *_first_lines([f"several meanings: {key[0]}: {key[1]}: {_listed(names)}" for key, names in several]),
            *self._target_lines(),
            *self.problems,
            *([f"to accept a change, delete its line: the next run records it anew ({self.path})"] if changes else []),
        ]

    def _target_lines(self) -> Iterator[str]:
        """A line for each API whose meanings were recorded at another target."""
        for api, target in sorted(self.targets.items()):
            before = self.recorded.targets.get(api, target)
            if before != target:
                yield f"{self.path.name} has the readings of {before}, but {api} was tested at {target}"


def _differs(key: Key, before: Collection[str], now: Collection[str]) -> bool:
    """Whether a meaning is new, of generated values all: they are others in each run, and may differ in meaning."""
    unknown = set(now).difference(before)
    return unknown == set(now) if key[1].endswith(GENERATED) else bool(unknown)


def _free_meanings(api: Api) -> list[SeenMeaning]:
    """What the present test saw of readings that the environment leaves open."""
    return [seen for seen in api.seen_meanings if not is_fixed(seen.reading, os.environ)]


def _by_key(seen: Iterable[SeenMeaning]) -> dict[Key, set[str]]:
    meanings: dict[Key, set[str]] = {}
    for reading, exchange, meaning in seen:
        meanings.setdefault((reading, exchange), set()).add(meaning)
    return meanings


def _target_text(target: Target) -> str:
    """What the file calls a target: our reference has another port in each run."""
    return "our reference" if target.is_reference else target.url


def _api_of(reading: str) -> str:
    return reading.partition("-")[0].lower()


def _listed(meanings: Iterable[str]) -> str:
    return " and ".join(sorted(meanings))


def _first_lines(lines: Sequence[str]) -> list[str]:
    """The first of these lines, and how many others there are."""
    rest = len(lines) - MAX_LINES
    return [*lines[:MAX_LINES], *([f"… and {rest} more"] if rest > 0 else [])]
