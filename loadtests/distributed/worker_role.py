"""The role of a worker: runs users, adds up their figures, and sends a line of them to the master each second."""

from __future__ import annotations

import logging
import time
from functools import cache
from pathlib import Path
from typing import Any

from locust import argument_parser, runners
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc import Message
from locust.runners import WorkerRunner

from loadtests.distributed.figures_sum import FiguresSum, Line, Statistics, encode_line
from loadtests.distributed.load_generator import LoadGenerator, Notes
from loadtests.distributed.roles import Role
from loadtests.distributed.run_messages import (
    BEGIN_OPTION,
    FINISH_MESSAGE,
    LINE_MESSAGE,
    PREPARED_MESSAGE,
    RATE_MESSAGE,
    RESET_MESSAGE,
    SHARE_MESSAGE,
)
from loadtests.distributed.run_results import RunFolder
from reports.load.load_result import STATISTICS_FIELDS
from reports.load.run_lines import NUMBER_KEY

TOTALS_INTERVAL = 5.0  # seconds between two totals of a worker, at least
TOTALS_EFFORT = 10  # the master, which decodes the totals of all workers, takes one part in so many of its time for it
SECOND = 1_000_000_000
NO_INSTRUCTIONS = {
    "run": "",
    "worker": "worker",
    "folder": "",
    "index": 0,
    "share": (0, 1),
    "rate": "",
    "age": 0.0,
    "phase_begins": (),
}
MASTER_TIMEOUT = 6  # seconds without a heartbeat after which workers end themselves; Locust's own default is 60

logger = logging.getLogger(__name__)


def keep_default_arguments() -> None:
    """Have Locust work out its default arguments once. Calling this again changes nothing.

    Locust does it for each option of each message to spawn users, which takes 80 ms in which no response is read.
    """
    if not hasattr(argument_parser.default_args_dict, "cache_info"):
        argument_parser.default_args_dict = cache(argument_parser.default_args_dict)


class WorkerRole(Role):
    """Runs users, and sends a line a second to the master."""

    def __init__(self, environment: Environment, runner: WorkerRunner, notes: Notes) -> None:
        super().__init__(environment)
        self.generator: LoadGenerator = LoadGenerator(environment, "worker", self._send, notes)
        self._runner = runner
        self._folder: RunFolder | None = None
        self._sum = FiguresSum(self.generator.yield_to_responses)
        self._totals_due = 0.0
        runners.MASTER_HEARTBEAT_TIMEOUT = MASTER_TIMEOUT
        keep_default_arguments()
        runner.register_message(SHARE_MESSAGE, self._on_share)
        runner.register_message(RATE_MESSAGE, self._on_rate)
        runner.register_message(RESET_MESSAGE, self._on_reset)
        runner.register_message(FINISH_MESSAGE, self._on_finish, concurrent=True)

    def begin(self) -> None:
        options = self.environment.parsed_options
        instructions: dict[str, Any] = getattr(options, BEGIN_OPTION, {}).get(self._runner.client_id, NO_INSTRUCTIONS)
        self.generator.worker = instructions["worker"]
        if instructions["folder"]:
            name = f"seconds-{instructions['index']}.jsonl"
            self._folder = RunFolder(Path(instructions["folder"]), name, self.secrets)
        self._sum = FiguresSum(
            self.generator.yield_to_responses, self.secrets, instructions["phase_begins"], instructions["age"]
        )
        self._totals_due = time.monotonic() + TOTALS_INTERVAL
        self.generator.begin(instructions["run"], self.plans(instructions["rate"]), int(instructions["age"] * SECOND))
        self.generator.set_share(*instructions["share"])

    def end_preparation(self) -> None:
        try:
            self._runner.send_message(PREPARED_MESSAGE, {"run": self.generator.run_name})
        except RPCError as error:
            logger.warning("the master was not told that the run is prepared: %s", error)

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

    def reset(self) -> None:
        super().reset()
        self._sum.clear()

    def _on_reset(self, **_: Any) -> None:
        self._sum.clear()

    def _send(self, line: Line, statistics: Statistics) -> None:
        minute, text = self._sum.add(line, statistics), encode_line(line, self.secrets)
        if self._folder is not None:
            self._folder.append_text(text, line["worker"], line[NUMBER_KEY])
            if minute is not None:
                self._folder.append_minute(minute)
        head = {name: value for name, value in line.items() if name not in STATISTICS_FIELDS}
        try:
            totals = self._encoded_totals(is_last="last" in line)
            self._runner.send_message(LINE_MESSAGE, {"head": head, "text": text, "minute": minute, "totals": totals})
        except RPCError as error:
            logger.warning("a line of figures did not reach the master: %s", error)

    def _encoded_totals(self, is_last: bool) -> dict[str, Any] | None:
        """The totals so far, now and then: the master decodes those of all workers."""
        began = time.monotonic()
        if not is_last and began < self._totals_due:
            return None
        totals = self._sum.encode_current()
        effort = (time.monotonic() - began) * TOTALS_EFFORT * self.generator.workers
        self._totals_due = began + max(TOTALS_INTERVAL, effort)
        return totals
