"""The same faults and variants against stock Schemathesis: what it finds, beside what we find.

Rule: each run is a process in a fresh folder against a fresh reference on a socket, with the same seed. A fault is
killed when the run tells of a (kind of failure, operation) that it does not tell of the honest reference; so what it
says of the honest one, and what it adds on a variant, are false alarms.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from contracts.document import contract
from fixtures.mail import MailSink
from fixtures.reference.protocol import Change
from fixtures.targets import embedded
from suites.bench import stock
from suites.prove import sample

FAULTS = 40
VARIANTS = 12
SEED = 1
LONGEST = 900.0  # seconds of one run; then it is stopped and has found nothing
HONEST = "honest"


@dataclass(frozen=True)
class Told:
    """One run: kind is fault, variant or honest; `failures` are all that it told of, `new` those the honest lack."""

    api: str
    name: str
    kind: str
    failures: frozenset[stock.Failure]
    requests: int
    seconds: float
    new: frozenset[stock.Failure] = frozenset()
    stopped: bool = False


def chosen(changes: Sequence[tuple[str, Change]]) -> list[tuple[str, Change]]:
    """The sample that is run unless another one is asked for: it changes with the content of the project."""
    kinds = {"fault": FAULTS, "variant": VARIANTS}
    return [one for kind, count in kinds.items() for one in sample.of([c for c in changes if c[1].kind == kind], count)]


def compare(changes: Sequence[tuple[str, Change]], jobs: int, each: Callable[[Told], None]) -> list[Told]:
    """A run for the honest reference of each API, then one for each change; `each` is told of every one as it ends.

    Raises stock.Absent, and RuntimeError when a run fails. However it is left, no process stays behind.
    """
    stock.executable()
    apis = sorted({api for api, _ in changes})
    with MailSink("127.0.0.1", 0) as sink, _Runs(jobs, sink.address) as runs:
        honest = {told.api: told for told in runs.all([(api, HONEST, HONEST) for api in apis], each)}

        def judged(told: Told) -> Told:
            new = told.failures - honest[told.api].failures
            return Told(**{**vars(told), "new": new})

        waiting = [(api, change.name, change.kind) for api, change in changes]
        found = [judged(told) for told in runs.all(waiting, lambda told: each(judged(told)))]
    return [*honest.values(), *found]


class _Runs:
    """Runs of Schemathesis, `jobs` at a time; all of them are gone when the block ends. Mails go to `smtp`."""

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

    def all(self, waiting: Sequence[tuple[str, str, str]], each: Callable[[Told], None]) -> Iterator[Told]:
        """What each (api, name, kind) told, as they end."""
        for future in as_completed([self._pool.submit(self._run, *one) for one in waiting]):
            told = future.result()
            each(told)
            yield told

    def _run(self, api: str, name: str, kind: str) -> Told:
        changes = [] if kind == HONEST else [f"--{kind}={api}.{name}"]
        with (
            tempfile.TemporaryDirectory(prefix="flowproof-") as folder,
            embedded([api], self._smtp, changes) as targets,
        ):
            report = Path(folder) / "report.json"
            target = targets[api]
            more = ("--report", "json", "--report-json-path", str(report))
            command = stock.command(contract(api), target.url, target.settings, SEED, *more)
            started = time.perf_counter()
            code = self._finished(command, folder)
            seconds = time.perf_counter() - started
            if code is None:
                return Told(api, name, kind, frozenset(), 0, seconds, stopped=True)
            if code not in stock.ENDED:
                said = (Path(folder) / "said").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"schemathesis on {api}.{name} ended with {code}\n{said}")
            failures, requests = stock.failures(report)
            return Told(api, name, kind, frozenset(failures), requests, seconds)

    def _finished(self, command: Sequence[str], folder: str) -> int | None:
        """The command's exit code, None when it had to be stopped for taking too long."""
        with (Path(folder) / "said").open("wb") as said:
            with self._lock:
                if self._over:
                    raise RuntimeError("interrupted")
                process = subprocess.Popen(
                    command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
                )
                self._running.add(process)
            try:
                return process.wait(LONGEST)
            except subprocess.TimeoutExpired:
                return None
            finally:
                process.kill()
                process.wait()
                with self._lock:
                    self._running.discard(process)
