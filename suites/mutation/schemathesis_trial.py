"""Runs stock Schemathesis against the same faults and variants, to compare its failures with ours.

Rule: each run is a process in a new folder against a new reference on a socket, with the same seed. A fault is killed
when the run reports a (kind of failure, operation) that it does not report for the honest reference; what it reports
for the honest one, and what it adds on a variant, are false alarms.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.openapi import load_contract
from fixtures.reference.protocol import Change
from fixtures.smtp_sink import MailSink
from fixtures.targets import embedded_references
from suites.bench import stock_schemathesis
from suites.mutation import rotating_sample

SAMPLED_FAULTS = 40
SAMPLED_VARIANTS = 12
SEED = 1
RUN_TIMEOUT = 900.0  # seconds of one run, after which it is stopped
HONEST = "honest"


@dataclass(frozen=True)
class ToolRun:
    """One run. `kind` is fault, variant or honest; `new` are the failures that the honest reference does not have."""

    api: str
    name: str
    kind: str
    failures: frozenset[stock_schemathesis.Failure]
    requests: int
    seconds: float
    new: frozenset[stock_schemathesis.Failure] = frozenset()
    stopped: bool = False


def default_sample(changes: Sequence[tuple[str, Change]]) -> list[tuple[str, Change]]:
    """The sample that runs unless the options choose another: it changes with the content of the project."""
    kinds = {"fault": SAMPLED_FAULTS, "variant": SAMPLED_VARIANTS}
    sampled: list[tuple[str, Change]] = []
    for kind, count in kinds.items():
        of_kind = [(api, change) for api, change in changes if change.kind == kind]
        sampled += rotating_sample.sample(of_kind, count)
    return sampled


def run_tool(changes: Sequence[tuple[str, Change]], jobs: int, report: Callable[[ToolRun], None]) -> list[ToolRun]:
    """Runs it on the honest reference of each API, then on each change; calls `report` with every run as it ends.

    Raises SchemathesisNotFound, and RuntimeError when a run fails. No process is left running, however the call ends.
    """
    stock_schemathesis.executable()
    apis = sorted({api for api, _ in changes})
    with MailSink("127.0.0.1", 0) as sink, _Runs(jobs, sink.address) as runs:
        honest = {run.api: run for run in runs.all([(api, HONEST, HONEST) for api in apis], report)}

        def with_new(run: ToolRun) -> ToolRun:
            return replace(run, new=run.failures - honest[run.api].failures)

        waiting = [(api, change.name, change.kind) for api, change in changes]
        of_changes = [with_new(run) for run in runs.all(waiting, lambda run: report(with_new(run)))]
    return [*honest.values(), *of_changes]


class _Runs:
    """Runs of Schemathesis, `jobs` at a time; all have ended when the block ends. Mails go to `smtp`."""

    def __init__(self, jobs: int, smtp: str) -> None:
        self._smtp = smtp
        self._pool = ThreadPoolExecutor(jobs)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._over = False

    def __enter__(self) -> _Runs:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._over = True
            for process in self._running:
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def all(self, waiting: Sequence[tuple[str, str, str]], report: Callable[[ToolRun], None]) -> Iterator[ToolRun]:
        """Yield the run of each (api, name, kind) as it ends."""
        futures = [self._pool.submit(self._run, *names) for names in waiting]
        for future in as_completed(futures):
            run = future.result()
            report(run)
            yield run

    def _run(self, api: str, name: str, kind: str) -> ToolRun:
        changes = [] if kind == HONEST else [f"--{kind}={api}.{name}"]
        with (
            tempfile.TemporaryDirectory(prefix="flowproof-") as folder,
            embedded_references([api], self._smtp, changes) as targets,
        ):
            report = Path(folder) / "report.json"
            target = targets[api]
            more = ("--report", "json", "--report-json-path", str(report))
            command = stock_schemathesis.command(load_contract(api), target.url, target.settings, SEED, *more)
            started = time.perf_counter()
            code = self._finished(command, folder)
            seconds = time.perf_counter() - started
            if code is None:
                return ToolRun(api, name, kind, frozenset(), 0, seconds, stopped=True)
            if code not in stock_schemathesis.COMPLETED_CODES:
                output = (Path(folder) / "output").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"schemathesis on {api}.{name} ended with {code}\n{output}")
            failures, requests = stock_schemathesis.failures(report)
            return ToolRun(api, name, kind, frozenset(failures), requests, seconds)

    def _finished(self, command: Sequence[str], folder: str) -> int | None:
        """The command's exit code, None when it was stopped after RUN_TIMEOUT."""
        with (Path(folder) / "output").open("wb") as output:
            with self._lock:
                if self._over:
                    raise RuntimeError("interrupted")
                process = subprocess.Popen(
                    command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
                )
                self._running.add(process)
            try:
                return process.wait(RUN_TIMEOUT)
            except subprocess.TimeoutExpired:
                return None
            finally:
                process.kill()
                process.wait()
                with self._lock:
                    self._running.discard(process)
