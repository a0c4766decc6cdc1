"""Master and workers of one run, which exchange Locust's custom messages, with names that begin with `flow-`.

What a worker must know when it begins (the run, its folder, the worker's name and share) travels among the options of
Locust's own message to spawn users: a worker that has just connected would not receive a custom message yet.

`flow-share`: which part of the arrivals is the worker's. `flow-rate`: other rates from now on. `flow-finish`: stop the
users and send the last line. `flow-line`: a worker's figures of a second.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import gevent
from locust import runners
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner, WorkerRunner

from loadtests.distributed import locust_stats
from loadtests.distributed.load_generator import Line, LoadGenerator, Notes, Statistics
from loadtests.distributed.roles import ACROSS_WORKERS, Role
from loadtests.distributed.run_results import Run, RunFolder
from reports.load.operation_statistics import FailedRequest, OperationStatistics

BEGIN_OPTION = "flow_begin"
SHARE_MESSAGE, RATE_MESSAGE, FINISH_MESSAGE, LINE_MESSAGE = "flow-share", "flow-rate", "flow-finish", "flow-line"
PATIENCE = 10.0  # seconds to wait for last lines, beyond the time that users may take to stop
GONE_PATIENCE = 3.0  # seconds to wait for the last line of a worker that has quit
SECOND = 1_000_000_000
NO_INSTRUCTIONS = {"run": "", "worker": "worker", "folder": "", "index": 0, "share": (0, 1), "rate": "", "age": 0.0}
MASTER_TIMEOUT = 6  # seconds without a heartbeat after which workers end themselves; Locust's own default is 60

logger = logging.getLogger(__name__)


class WorkerRole(Role):
    """Runs users, and sends a line a second to the master."""

    def __init__(self, environment: Environment, runner: WorkerRunner, notes: Notes) -> None:
        super().__init__(environment)
        self.generator: LoadGenerator = LoadGenerator(environment, "worker", self._send, notes)
        self._runner = runner
        self._folder: RunFolder | None = None
        runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_TIMEOUT
        runner.register_message(SHARE_MESSAGE, self._on_share)
        runner.register_message(RATE_MESSAGE, self._on_rate)
        runner.register_message(FINISH_MESSAGE, self._on_finish, concurrent=True)

    def begin(self) -> None:
        options = self.environment.parsed_options
        instructions: dict[str, Any] = getattr(options, BEGIN_OPTION, {}).get(self._runner.client_id, NO_INSTRUCTIONS)
        self.generator.worker = instructions["worker"]
        if instructions["folder"]:
            name = f"seconds-{instructions['index']}.jsonl"
            self._folder = RunFolder(Path(instructions["folder"]), name, self.secrets)
        self.generator.begin(instructions["run"], self.plans(instructions["rate"]), int(instructions["age"] * SECOND))
        self.generator.set_share(*instructions["share"])

    def end(self) -> None:
        self.generator.end()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _on_share(self, msg: Message, **_: Any) -> None:
        self.generator.set_share(*msg.data["share"])

    def _on_rate(self, msg: Message, **_: Any) -> None:
        self.change_rate(msg.data["rate"])

    def _on_finish(self, **_: Any) -> None:
        self._runner.stop()

    def _send(self, line: Line, _: Statistics) -> None:
        if self._folder is not None:
            self._folder.append(line)
        try:
            self._runner.send_message(LINE_MESSAGE, line)
        except RPCError as error:
            logger.warning("a line of figures did not reach the master: %s", error)


class MasterRole(Role):
    """Collects figures, shares out the arrivals among the connected workers, and notices which are missing."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        super().__init__(environment)
        self._runner = runner
        self._worker_names: dict[str, str] = {}  # of the workers of this run, by client id
        self._instructions: dict[str, dict[str, Any]] = {}  # likewise
        self._sharing: list[str] = []  # client ids of the workers that share the arrivals
        self._rate = ""  # set by `change_rate`
        self._plans_began = 0.0  # seconds (monotonic)
        self._previous_run: Run | None = None  # its lines may still come
        self._share_watcher: gevent.Greenlet[[], None] | None = None
        runner.register_message(LINE_MESSAGE, self._on_line)

    def begin(self) -> None:
        clients = self._connected()
        expected = getattr(self.environment.parsed_options, "expect_workers", None) or 1
        self.run = self.new_run(workers=max(len(clients), expected))
        self._worker_names = {}
        self._instructions = {}
        setattr(self.environment.parsed_options, BEGIN_OPTION, self._instructions)
        self._rate, self._plans_began = "", time.monotonic()
        self._sharing = clients
        for index, client in enumerate(clients):
            self._instruct(client, (index, len(clients)), age=0.0)
        self._share_watcher = gevent.spawn(self._watch_workers)

    def end(self) -> None:
        if self.run is None:
            return
        if self._share_watcher is not None:
            self._share_watcher.kill()
        self._collect_last_lines()
        self._previous_run, self.run = self.run, None
        self._close(self._previous_run)

    def change_rate(self, rate: str) -> None:
        self.plans(rate)  # raises here, where the caller hears it
        self._rate, self._plans_began = rate, time.monotonic()
        self._runner.send_message(RATE_MESSAGE, {"rate": rate})

    def worker_connected(self, client: str) -> None:
        if self.run is not None and client not in self._worker_names:
            connected = len(self._connected())
            self._instruct(client, (connected, connected + 1), time.monotonic() - self._plans_began)

    def count_failures(self, operation: str, reason: str, number: int) -> None:
        run = self.run or self._previous_run
        if run is None:
            return
        statistics = OperationStatistics(operation, ACROSS_WORKERS)
        statistics.record_failures([FailedRequest(reason, 0, 0, 0, 0)] * number)
        now = time.time()
        locust_stats.add_statistics(self.environment.stats, [statistics], int(now))
        line = {"run": run.result.name, "worker": "master", "second": int(now), "from": now, "to": now, "users": 0}
        self._add_line(line | {"operations": [statistics.to_json()], "arrivals": {}, "health": {}})

    def _connected(self) -> list[str]:
        """The client ids of the workers that can run users, by their number."""
        clients = self._runner.clients
        connected = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        return sorted(connected, key=self._runner.get_worker_index)

    def _instruct(self, client: str, share: tuple[int, int], age: float) -> None:
        """Prepare what the worker finds among the options when it is told to spawn users. age: of the plans, in s."""
        assert self.run is not None
        index: int = self._runner.get_worker_index(client)  # type: ignore[no-untyped-call] # Locust's
        self._worker_names[client] = f"worker {index}"
        self._instructions[client] = {
            "run": self.run.result.name,
            "worker": self._worker_names[client],
            "index": index,
            "folder": str(self.run.folder.path.resolve()),
            "share": share,
            "rate": self._rate,
            "age": age,
        }

    def _share_arrivals(self) -> None:
        """Divide the arrivals among the connected workers, if these have changed."""
        clients = [client for client in self._connected() if client in self._worker_names]
        if clients == self._sharing:
            return
        self._sharing = clients
        for index, client in enumerate(clients):
            self._runner.send_message(SHARE_MESSAGE, {"share": [index, len(clients)]}, client)

    def _watch_workers(self) -> None:
        while True:
            gevent.sleep(1)
            self._share_arrivals()

    def _on_line(self, msg: Message, **_: Any) -> None:
        self._add_line(msg.data)

    def _add_line(self, line: Line) -> None:
        if self.run is not None:
            self.run.add_line(line)
        elif self._previous_run is not None:
            self._previous_run.add_line(line)
            self._close(self._previous_run)

    def _close(self, run: Run) -> None:
        self.result = run.end(lost=[name for name in self._worker_names.values() if name not in run.ended])

    def _collect_last_lines(self) -> None:
        """Have the workers stop, and wait for their last lines, which hold the journeys that were still running.

        Locust itself waits half a second, so what users do in their `--stop-timeout` would be lost.
        """
        assert self.run is not None
        deadline = time.monotonic() + PATIENCE + self.environment.stop_timeout
        gone_deadline = time.monotonic() + GONE_PATIENCE
        for client in self._awaited(with_gone=False):
            self._runner.send_message(FINISH_MESSAGE, {}, client)
        while time.monotonic() < deadline and self._awaited(with_gone=time.monotonic() < gone_deadline):
            gevent.sleep(0.05)

    def _awaited(self, with_gone: bool) -> list[str]:
        """The client ids of workers whose last line has not come; with those that have quit, if asked for."""
        assert self.run is not None
        waiting = [client for client, name in self._worker_names.items() if name not in self.run.ended]
        clients = self._runner.clients
        present = {client for client in clients if clients[client].state != STATE_MISSING}
        return [client for client in waiting if client in present or (with_gone and client not in clients)]
