"""Many workers of a load run in one process, which generate no load: they send a master the figures of a real one.

    python -m loadtests.bench.simulated_workers PORT WORKERS EXPECTED

Each sends heartbeats, Locust's own reports and its line of figures, for 1,200 requests a second to ten operations, as
`worker_role` does. At the end EXPECTED holds what the figures of all workers add up to, as JSON.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 - gevent has to patch first
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import __version__  # noqa: E402
from locust.rpc import Message, zmqrpc  # noqa: E402
from locust.stats import RequestStats  # noqa: E402

from loadtests.distributed import locust_stats  # noqa: E402
from loadtests.distributed.figures_sum import FiguresSum, Statistics, encode_line  # noqa: E402
from loadtests.distributed.run_messages import BEGIN_OPTION, FINISH_MESSAGE, LINE_MESSAGE  # noqa: E402
from loadtests.distributed.run_results import merge_entries  # noqa: E402
from loadtests.distributed.worker_role import TOTALS_INTERVAL  # noqa: E402
from reports.load.operation_statistics import OperationStatistics  # noqa: E402

OPERATIONS, REQUESTS = 10, 120  # and requests to each in a second
VARIANTS = 20  # different seconds
REPORT_INTERVAL = 3  # seconds between two of Locust's own reports
MS = 1_000_000
FIT = {"cpu_busiest": 0.5, "late_p99_ms": 0.3, "reasons": [], "errors": []}


@dataclass(frozen=True, slots=True)
class Second:
    """The figures of a second, as objects and encoded, and Locust's report of it."""

    figures: Statistics
    contents: dict[str, list[dict[str, Any]]]
    report: dict[str, Any]


def seconds_of_figures() -> list[Second]:
    """The figures of some seconds: times of one to a few hundred milliseconds."""
    randomness = random.Random(1)
    return [_second(randomness) for _ in range(VARIANTS)]


def _second(randomness: random.Random) -> Second:
    operations, stats = [], RequestStats()
    for number in range(OPERATIONS):
        operation = OperationStatistics(f"GET /operation/{number}", "http")
        times = [round(randomness.lognormvariate(3, 0.6) * MS) for _ in range(REQUESTS)]
        operation.record_successes([(0, ns // 50, ns - 1000, ns, 400) for ns in times])
        operations.append(operation)
    locust_stats.add_statistics(stats, operations, int(time.time()))
    report = {"stats": stats.serialize_stats(), "stats_total": stats.total.get_stripped_report(), "errors": {}}
    return Second((operations, []), {"operations": [it.to_json() for it in operations], "journeys": []}, report)


class SimulatedWorker:
    """One worker; `run` returns when its master tells it to quit."""

    def __init__(self, number: int, port: int, seconds: list[Second]) -> None:
        self.sum = FiguresSum(lambda: None)
        self._number = number
        self._id = f"simulated-{number}"
        self._client: Any = zmqrpc.Client("127.0.0.1", port, self._id)  # type: ignore[no-untyped-call] # Locust's
        self._seconds = seconds
        self._instructions: dict[str, Any] = {}
        self._lines = 0
        self._is_running = False
        self._from = time.time()

    def run(self) -> None:
        self._send("client_ready", __version__)
        beats = [gevent.spawn(self._beat), gevent.spawn(self._play)]
        while (message := self._client.recv()).type != "quit":
            if message.type == "spawn" and not self._instructions:
                self._begin(message.data)
            elif message.type == FINISH_MESSAGE and self._is_running:
                self._is_running = False
                self._send_line({"last": True, "notes": {}})
            elif message.type == "stop":
                self._send("client_stopped", None)
        gevent.killall(beats)

    def _begin(self, job: dict[str, Any]) -> None:
        self._instructions = job["parsed_options"][BEGIN_OPTION][self._id]
        counts = job["user_classes_count"]
        self._users = {"user_classes_count": counts, "user_count": sum(counts.values())}
        self._send("spawning", None)
        self._send("spawning_complete", self._users)
        self._from, self._is_running = time.time(), True

    def _beat(self) -> None:
        while True:
            state = "running" if self._is_running else "ready"
            self._send("heartbeat", {"state": state, "current_cpu_usage": 50, "current_memory_usage": 1})
            gevent.sleep(1)

    def _play(self) -> None:
        gevent.sleep(self._number / 50 % 1)
        while True:
            gevent.sleep(1)
            if self._is_running:
                self._send_line({})

    def _send_line(self, more: dict[str, Any]) -> None:
        second, now = self._seconds[(self._lines + self._number) % VARIANTS], time.time()
        head = {
            "run": self._instructions["run"], "worker": self._instructions["worker"], "number": self._lines,
            "second": int(self._from), "from": round(self._from, 3), "to": round(now, 3), "users": 1,
            "spawned": {"Visitor": 1}, "arrivals": {}, "health": FIT,
        } | more  # fmt: skip
        minute = self.sum.add(head, second.figures)
        is_due = more or self._lines % TOTALS_INTERVAL == 0
        totals = self.sum.encode_current() if is_due else None
        text = encode_line(head | second.contents, ())
        self._send(LINE_MESSAGE, {"head": head, "text": text, "minute": minute, "totals": totals})
        if self._lines % REPORT_INTERVAL == 0:
            self._send("stats", second.report | self._users)
        self._from = now
        self._lines += 1

    def _send(self, kind: str, data: Any) -> None:
        self._client.send(Message(kind, data, self._id))  # type: ignore[no-untyped-call] # Locust's


def main(port: int, workers: int, expected: Path) -> None:
    """Run so many workers of the master at that port."""
    seconds = seconds_of_figures()
    simulated = [SimulatedWorker(number, port, seconds) for number in range(workers)]
    gevent.joinall([gevent.spawn(worker.run) for worker in simulated], raise_error=True)
    entries = merge_entries(worker.sum.current()[0] for worker in simulated)
    expected.write_text(json.dumps([entry.to_json() for entry in entries]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
