"""The role of a master: shares out the arrivals, writes the figures of its workers, and notices which are missing."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import gevent
from locust.env import Environment
from locust.rpc import Message
from locust.runners import STATE_MISSING, MasterRunner

from loadtests.distributed import locust_stats
from loadtests.distributed.figures_file import Minute
from loadtests.distributed.figures_sum import Statistics
from loadtests.distributed.roles import ACROSS_WORKERS, Role, phase_begins
from loadtests.distributed.run_messages import (
    BEGIN_OPTION,
    FINISH_MESSAGE,
    LINE_MESSAGE,
    PREPARED_MESSAGE,
    RATE_MESSAGE,
    RESET_MESSAGE,
    SHARE_MESSAGE,
)
from loadtests.distributed.run_results import Run
from reports.load.load_result import STATISTICS_FIELDS
from reports.load.operation_statistics import FailedRequest, OperationStatistics

PATIENCE = 10.0  # seconds to wait for last lines, beyond the time that users may take to stop
GONE_PATIENCE = 3.0  # seconds to wait for the last line of a worker that has quit


class MasterRole(Role):
    """Collects figures, shares out the arrivals among the connected workers, and notices which are missing."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        super().__init__(environment)
        self._runner = runner
        self._worker_names: dict[str, str] = {}  # of the workers of this run, by client id
        self._instructions: dict[str, dict[str, Any]] = {}  # likewise
        self._preparing: set[str] = set()  # client ids of the workers that prepare the run
        self._sharing: list[str] = []  # client ids of the workers that share the arrivals
        self._rate = ""  # set by `change_rate`
        self._plans_began = 0.0  # seconds (monotonic)
        self._previous_run: Run | None = None  # its lines may still come
        self._is_reset = False
        self._share_watcher: gevent.Greenlet[[], None] | None = None
        runner.register_message(LINE_MESSAGE, self._on_line)
        runner.register_message(PREPARED_MESSAGE, self._on_prepared)

    def begin(self) -> None:
        clients = self._connected()
        expected = getattr(self.environment.parsed_options, "expect_workers", None) or 1
        self.run = self.new_run(workers=max(len(clients), expected))
        self._worker_names = {}
        self._instructions = {}
        setattr(self.environment.parsed_options, BEGIN_OPTION, self._instructions)
        self._rate, self._plans_began = "", time.monotonic()
        self._is_reset = False
        self._sharing, self._preparing = clients, set(clients)
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

    def reset(self) -> None:
        super().reset()
        self._is_reset = True
        self._runner.send_message(RESET_MESSAGE, {})

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
        run.add_line(line | {"operations": [statistics.to_json()], "arrivals": {}, "health": {}})
        if run is not self.run:
            self._close(run)

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
            "phase_begins": phase_begins(self.environment),
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
            self._await_preparation()
            locust_stats.forget_old_seconds(self.environment.stats)
            locust_stats.end_caches(self.environment)

    def _on_prepared(self, msg: Message, **_: Any) -> None:
        if self.run is not None and msg.data["run"] == self.run.result.name:
            self._preparing.discard(msg.node_id)
            self._await_preparation()

    def _await_preparation(self) -> None:
        """Notice when the workers that are still connected have prepared the run."""
        if self._preparing.isdisjoint(self._connected()):
            self.prepared.set()

    def _on_line(self, msg: Message, **_: Any) -> None:
        run = self.run or self._previous_run
        if run is None:
            return
        head, minute, totals = msg.data["head"], msg.data["minute"], msg.data["totals"]
        is_added = run.add_summed_line(head, msg.data["text"], Minute(*minute) if minute else None)
        if is_added and totals is not None:
            run.set_totals(head["worker"], partial(_decoded, totals))
        if run is not self.run:
            self._close(run)

    def _close(self, run: Run) -> None:
        workers = self._worker_names.values()
        lost = [name for name in workers if name not in run.ended]
        self.result = run.end(lost, unsummed=list(workers) if self._is_reset else lost)

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


def _decoded(totals: dict[str, Any]) -> Statistics:
    operations, journeys = ([OperationStatistics.from_json(it) for it in totals[kind]] for kind in STATISTICS_FIELDS)
    return operations, journeys
