"""Master and workers of one run. They speak by Locust's custom messages, all of whose names begin with `flow-`.

`flow-begin`: a run, its folder and the worker's place in it. `flow-share`: which part of the arrivals is the
worker's. `flow-rate`: other rates from now on. `flow-finish`: stop the users and send the last line. `flow-line`: a
worker's figures of a second.
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

from loadtests import locust_stats
from loadtests.node import Line, Node
from loadtests.results import Folder, Run
from loadtests.roles import ACROSS, Role
from reports.load.tally import Failed, Tally

BEGIN, SHARE, RATE, FINISH, LINE = "flow-begin", "flow-share", "flow-rate", "flow-finish", "flow-line"
PATIENCE = 10.0  # seconds to wait for last lines, beyond what users are granted to stop
GONE = 3.0  # seconds to wait for the last line of a worker that has quit
MASTER_DEAD = 6  # seconds without a heartbeat after which workers end themselves; Locust would wait 60

logger = logging.getLogger(__name__)


class Worker(Role):
    """Plays, and sends a line a second to the master."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        super().__init__(environment)
        self.node: Node = Node(environment, "worker", self._send)
        self._runner = runner
        self._told: dict[str, Any] = {}
        self._folder: Folder | None = None
        runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_DEAD
        runner.register_message(BEGIN, self._on_begin)
        runner.register_message(SHARE, self._on_share)
        runner.register_message(RATE, self._on_rate)
        runner.register_message(FINISH, self._on_finish, concurrent=True)

    def begin(self) -> None:
        self.node.begin(self._told.get("run", ""), self.plans())
        self.node.share(*self._told.get("share", (0, 1)))

    def end(self) -> None:
        self.node.end()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _on_begin(self, msg: Message, **_: Any) -> None:
        self._told = msg.data
        self.node.worker = msg.data["worker"]
        self._folder = Folder(Path(msg.data["folder"]), f"seconds-{msg.data['index']}.jsonl")

    def _on_share(self, msg: Message, **_: Any) -> None:
        self._told["share"] = msg.data["share"]
        self.node.share(*msg.data["share"])

    def _on_rate(self, msg: Message, **_: Any) -> None:
        self.change(msg.data["rate"])

    def _on_finish(self, **_: Any) -> None:
        self._runner.stop()

    def _send(self, line: Line) -> None:
        if self._folder is not None:
            self._folder.append(line)
        try:
            self._runner.send_message(LINE, line)
        except RPCError as wrong:
            logger.warning("a line of figures did not reach the master: %s", wrong)


class Master(Role):
    """Gathers, shares out the arrivals among the workers that are there, and notices which are not."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        super().__init__(environment)
        self._runner = runner
        self._names: dict[str, str] = {}  # of the workers of this run, by their id
        self._shared: list[str] = []
        self._last: Run | None = None  # the run before, whose lines may still come
        self._watch: gevent.Greenlet[[], None] | None = None
        runner.register_message(LINE, self._on_line)
        environment.events.worker_connect.add_listener(self._on_connect)  # type: ignore[no-untyped-call] # Locust's

    def begin(self) -> None:
        there = self._there()
        expected = getattr(self.environment.parsed_options, "expect_workers", None) or 1
        self.run = self.new_run(workers=max(len(there), expected))
        self._names = {}
        self._shared = []
        for client in there:
            self._welcome(client)
        self._share()
        self._watch = gevent.spawn(self._look)

    def end(self) -> None:
        if self.run is None:
            return
        if self._watch is not None:
            self._watch.kill()
        self._gather()
        self._last, self.run = self.run, None
        self._close(self._last)

    def change(self, rate: str) -> None:
        self.plans(rate)  # says what is wrong with it here, where somebody hears it
        self._runner.send_message(RATE, {"rate": rate})

    def _there(self) -> list[str]:
        clients = self._runner.clients
        here = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        return sorted(here, key=self._runner.get_worker_index)

    def _welcome(self, client: str) -> None:
        if self.run is None:
            return
        index: int = self._runner.get_worker_index(client)  # type: ignore[no-untyped-call] # Locust's
        self._names[client] = f"worker {index}"
        told = {
            "run": self.run.result.name,
            "worker": self._names[client],
            "index": index,
            "folder": str(self.run.folder.path.resolve()),
        }
        self._runner.send_message(BEGIN, told, client)

    def _share(self) -> None:
        """Divide the arrivals among who is there, if that changed."""
        there = [client for client in self._there() if client in self._names]
        if there == self._shared:
            return
        self._shared = there
        for place, client in enumerate(there):
            self._runner.send_message(SHARE, {"share": [place, len(there)]}, client)

    def _look(self) -> None:
        while True:
            gevent.sleep(1)
            self._share()

    def _on_connect(self, client_id: str, **_: Any) -> None:
        if self.run is not None and client_id not in self._names:
            self._welcome(client_id)

    def found(self, operation: str, reason: str, number: int) -> None:
        run = self.run or self._last
        if run is None:
            return
        tally = Tally(operation, ACROSS)
        tally.fail([Failed(reason, 0, 0, 0, 0)] * number)
        now = time.time()
        locust_stats.add(self.environment.stats, [tally], int(now))
        line = {"run": run.result.name, "worker": "master", "second": int(now), "from": now, "to": now, "users": 0}
        self._take(line | {"operations": [tally.to_json()], "arrivals": {}, "health": {}})

    def _on_line(self, msg: Message, **_: Any) -> None:
        self._take(msg.data)

    def _take(self, line: Line) -> None:
        if self.run is not None:
            self.run.take(line)
        elif self._last is not None:
            self._last.take(line)
            self._close(self._last)

    def _close(self, run: Run) -> None:
        self.result = run.end(lost=[name for name in self._names.values() if name not in run.ended])

    def _gather(self) -> None:
        """Have the workers stop, and wait for their last lines: journeys that were under way are in them.

        Locust itself waits half a second, so what users do in their `--stop-timeout` would be lost.
        """
        assert self.run is not None
        until = time.monotonic() + PATIENCE + self.environment.stop_timeout
        gone_at = time.monotonic() + GONE
        for client in self._awaited(with_gone=False):
            self._runner.send_message(FINISH, {}, client)
        while time.monotonic() < until and self._awaited(with_gone=time.monotonic() < gone_at):
            gevent.sleep(0.05)

    def _awaited(self, with_gone: bool) -> list[str]:
        assert self.run is not None
        waiting = [client for client, name in self._names.items() if name not in self.run.ended]
        clients = self._runner.clients
        there = {client for client in clients if clients[client].state != STATE_MISSING}
        return [client for client in waiting if client in there or (with_gone and client not in clients)]
