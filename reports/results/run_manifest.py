"""The manifest of a pytest run: its id, what it set out to test, and whether it came to its end.

Rule: `run.json` says `complete: false` from the start, so a run that was killed cannot look green. Every write
replaces the whole file at once. A folder has one run: who begins or announces another one empties it first, and only
what carries the id of the manifest counts.

`announce` says that a run is about to begin, so that a pytest that never gets so far is noticed. The pytest plugin
calls, in this order:

    begin(results) -> id                                  pytest_configure, except in an xdist worker, which gets the id
    start(results, id, expected, environment, …)          pytest_collection_finish, except in an xdist controller, which
                                                          collects nothing; all workers write the same
    finish(results, id, exit_status, problems)            pytest_sessionfinish, except in an xdist worker

    {"run": "5b6c…", "begun": true, "expected": {"getflow": 120}, "environment": {"seed": "7"}, "complete": true,
     "exit_status": 0, "problems": [], "misuse": [], "broken": {}, "is_selection": false, "bug_kinds": {},
     "acceptances": {"getflow": {"file": "…/accepted.yaml", "day": "2026-11-29", "entries": []}}, "is_strict": false}
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

from reports.results.acceptances import AcceptanceList

MANIFEST = "run.json"
RECORDS_PREFIX = "outcomes-"  # of files with the outcomes of tests (result_log.py)
LEFTOVERS = "leftovers.json"  # of what the run's records became, by fixtures/cleanup.py
COUNTERS_PREFIX = "coverage-"  # of files that reports/coverage/counter_files.py writes
PREREQUISITES_PREFIX = "prerequisites-"  # of files that say whether a target has what tests stand on
UNREACHABLE_PREFIX = "unreachable-"  # of files that say which API does not answer (unreachable_apis.py)


class BugKind(TypedDict):
    """A kind of bug. rule: what must hold. reasons: by API and operation, why it is not tried there, or ""."""

    rule: str
    reasons: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class RunManifest:
    """run: id of the run. begun: whether pytest came so far, or the run is only announced.

    expected: number of collected tests per API. problems: failures outside a test, such as a failed import. misuse:
    errors of the user that were known before any test. broken: for each API whose contract cannot be read, the reason
    in one line. is_selection: whether the user asked for some tests only (`-k`, `-m` or paths), so that an API without
    collected tests is not missing. bug_kinds: the kinds of bugs that tests look for. began, ended: seconds since 1970,
    in UTC; 0 for none. acceptances: by API, what was accepted of its target (`AcceptanceList.to_json`). is_strict:
    whether warnings and vanished acceptances fail the run.
    """

    expected: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    exit_status: int | None = None
    problems: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    is_selection: bool = False
    misuse: list[str] = field(default_factory=list)
    run: str = ""
    begun: bool = True
    bug_kinds: dict[str, BugKind] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0
    acceptances: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_strict: bool = False

    @property
    def accepted(self) -> dict[str, AcceptanceList]:
        """By API, what was accepted of its target. Raises ValueError where that is not as `start` writes it."""
        try:
            return {api: AcceptanceList.from_json(content) for api, content in self.acceptances.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"acceptances: {error!r}") from error

    @property
    def span(self) -> tuple[float, float]:
        """When the run began and ended; the end of a run that has none is its beginning."""
        return self.began, max(self.began, self.ended)


def announce(results: Path) -> str:
    """Empty `results` and say that a run is about to begin there; return its id. Raises ValueError as `clear` does."""
    manifest = RunManifest(run=uuid.uuid4().hex, begun=False)
    clear(results)
    _write(results, manifest)
    return manifest.run


def begin(results: Path) -> str:
    """Empty `results` and say that a run has begun: the announced one, else another. Return its id.

    Raises ValueError as `clear` does.
    """
    try:
        announced = read(results)
    except ValueError:
        announced = None
    run = announced.run if announced and not announced.begun else uuid.uuid4().hex
    clear(results)
    _write(results, RunManifest(run=run, began=time.time()))
    return run


def clear(results: Path) -> None:
    """Make `results` an empty folder; raises ValueError when it holds a file that no pytest run wrote."""
    if results.is_dir():
        strangers = [entry.name for entry in results.iterdir() if not _is_from_a_run(entry)]
        if strangers:
            raise ValueError(f"{results} holds other files than results ({strangers[0]}): name another folder")
        shutil.rmtree(results)
    results.mkdir(parents=True, exist_ok=True)


def refuse(results: Path, run: str, error: str) -> None:
    """Write that the run cannot begin, because of that error of the user."""
    if manifest := _current(results, run):
        _write(results, replace(manifest, misuse=[*manifest.misuse, error]))


def start(
    results: Path,
    run: str,
    expected: Mapping[str, int],
    environment: Mapping[str, str],
    broken: Mapping[str, str] = MappingProxyType({}),
    is_selection: bool = False,
    bug_kinds: Mapping[str, BugKind] = MappingProxyType({}),
    acceptances: Mapping[str, AcceptanceList] = MappingProxyType({}),
    is_strict: bool = False,
) -> None:
    """Write what the run is about to test; calling it again with the same values changes nothing."""
    if manifest := _current(results, run):
        texts = {name: str(value) for name, value in environment.items()}
        _write(
            results,
            replace(
                manifest,
                expected=dict(expected),
                environment=texts,
                broken=dict(broken),
                is_selection=is_selection,
                bug_kinds=dict(bug_kinds),
                acceptances={api: accepted.to_json() for api, accepted in acceptances.items()},
                is_strict=is_strict,
            ),
        )


def finish(results: Path, run: str, exit_status: int, problems: Sequence[str] = ()) -> None:
    """Write that pytest came to its end; it ran everything when its exit status is 0 or 1 and there are no problems."""
    if manifest := _current(results, run):
        complete = int(exit_status) in (0, 1) and not problems
        manifest = replace(manifest, complete=complete, exit_status=int(exit_status), ended=time.time())
        _write(results, replace(manifest, problems=list(problems)))


def read(results: Path) -> RunManifest | None:
    """Read the manifest; None when there is none. Raises ValueError when the file is not a manifest."""
    try:
        text = (results / MANIFEST).read_text("utf-8")
    except FileNotFoundError:
        return None
    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("expected"), dict):
        raise ValueError(f"{MANIFEST} does not say which tests were expected")
    try:
        manifest = RunManifest(**content)
        _ = manifest.accepted
    except (TypeError, ValueError) as error:
        raise ValueError(f"{MANIFEST}: {error}") from error
    return manifest


def _current(results: Path, run: str) -> RunManifest | None:
    """The manifest of that run; None when another one has begun in the folder, of which this run may say nothing."""
    manifest = read(results)
    return manifest if manifest and manifest.run == run else None


def _write(results: Path, manifest: RunManifest) -> None:
    results.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=results, prefix=MANIFEST, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1, ensure_ascii=False)
    os.replace(name, results / MANIFEST)


def _is_from_a_run(entry: Path) -> bool:
    """Whether pytest, Allure or this package wrote that file."""
    parts = ("-result.json", "-container.json", "-globals.json", "-attachment", MANIFEST, LEFTOVERS)
    prefixes = (RECORDS_PREFIX, COUNTERS_PREFIX, PREREQUISITES_PREFIX, UNREACHABLE_PREFIX)
    return entry.is_file() and (any(part in entry.name for part in parts) or entry.name.startswith(prefixes))
