"""Master and workers of one run. They speak by Locust's custom messages, whose names begin with `flow-`.

What a worker must know when it begins (the run, its folder, the worker's name and share) travels with Locust's own
message to spawn users, among the options: a worker that has just connected would not hear a message of ours yet.

`flow-share`: which part of the arrivals is the
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
from loadtests.node import Counted, Line, Node
from loadtests.results import Folder, Run
from loadtests.roles import ACROSS, Role
from reports.load.tally import Failed, Tally

BEGIN = "flow_begin"  # the option
SHARE, RATE, FINISH, LINE = "flow-share", "flow-rate", "flow-finish", "flow-line"
PATIENCE = 10.0  # seconds to wait for last lines, beyond what users are granted to stop
GONE = 3.0  # seconds to wait for the last line of a worker that has quit
SECOND = 1_000_000_000
UNTOLD = {"run": "", "worker": "worker", "folder": "", "index": 0, "share": (0, 1), "rate": "", "age": 0.0}
MASTER_DEAD = 6  # seconds without a heartbeat after which workers end themselves; Locust would wait 60

logger = logging.getLogger(__name__)


class Worker(Role):
    """Plays, and sends a line a second to the master."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        super().__init__(environment)
        self.node: Node = Node(environment, "worker", self._send)
        self._runner = runner
        self._folder: Folder | None = None
        runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_DEAD
        runner.register_message(SHARE, self._on_share)
        runner.register_message(RATE, self._on_rate)
        runner.register_message(FINISH, self._on_finish, concurrent=True)

    def begin(self) -> None:
        options = self.environment.parsed_options
        told: dict[str, Any] = getattr(options, BEGIN, {}).get(self._runner.client_id, UNTOLD)
        self.node.worker = told["worker"]
        if told["folder"]:
            self._folder = Folder(Path(told["folder"]), f"seconds-{told['index']}.jsonl")
        self.node.begin(told["run"], self.plans(told["rate"]), int(told["age"] * SECOND))
        self.node.share(*told["share"])

    def end(self) -> None:
        self.node.end()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _on_share(self, msg: Message, **_: Any) -> None:
        self.node.share(*msg.data["share"])

    def _on_rate(self, msg: Message, **_: Any) -> None:
        self.change(msg.data["rate"])

    def _on_finish(self, **_: Any) -> None:
        self._runner.stop()

    def _send(self, line: Line, _: Counted) -> None:
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
        self._rate = ""  # given by `change`
        self._since = 0.0  # when the plans of arrivals began
        self._last: Run | None = None  # the run before, whose lines may still come
        self._watch: gevent.Greenlet[[], None] | None = None
        runner.register_message(LINE, self._on_line)
        environment.events.worker_connect.add_listener(self._on_connect)  # type: ignore[no-untyped-call] # Locust's

    def begin(self) -> None:
        there = self._there()
        expected = getattr(self.environment.parsed_options, "expect_workers", None) or 1
        self.run = self.new_run(workers=max(len(there), expected))
        self._names = {}
        self._told: dict[str, dict[str, Any]] = {}
        setattr(self.environment.parsed_options, BEGIN, self._told)
        self._rate, self._since = "", time.monotonic()
        self._shared = there
        for place, client in enumerate(there):
            self._welcome(client, (place, len(there)), age=0.0)
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
        self._rate, self._since = rate, time.monotonic()
        self._runner.send_message(RATE, {"rate": rate})

    def _there(self) -> list[str]:
        clients = self._runner.clients
        here = [client.id for client in (*clients.ready, *clients.spawning, *clients.running)]
        return sorted(here, key=self._runner.get_worker_index)

    def _welcome(self, client: str, share: tuple[int, int], age: float) -> None:
        assert self.run is not None
        index: int = self._runner.get_worker_index(client)  # type: ignore[no-untyped-call] # Locust's
        self._names[client] = f"worker {index}"
        self._told[client] = {
            "run": self.run.result.name,
            "worker": self._names[client],
            "index": index,
            "folder": str(self.run.folder.path.resolve()),
            "share": share,
            "rate": self._rate,
            "age": age,
        }

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
            there = len(self._there())
            self._welcome(client_id, (there, there + 1), time.monotonic() - self._since)

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
