"""Reads the recorded traffic of `--from` before a run, which then lasts as long as the recording.

Rule: what may change something is sent only with `LOAD_WRITES=1`, and anything to another host than loopback only with
`LOAD_PERMITTED_BY`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust.stats import console_logger

from contracts.errors import UsageError
from fixtures.server_identity import is_loopback
from loadtests.distributed.run_state import RunState
from loadtests.targets.run_targets import PERMIT_HINT, permitted_by
from loadtests.traffic.traffic_file import Traffic, read_traffic
from reports.load.load_result import TRAFFIC_NOTE
from reports.results.verdicts import EXIT_CODES

WRITES_VARIABLE = "LOAD_WRITES"
MARGIN = 2.0  # seconds of a run before and after the recording
SPAWN_RATE = 100


def on_init(state: RunState, **_: Any) -> None:
    """Reads the traffic, and plans the run; a file that cannot be played ends the process with one line."""
    environment, options = state.environment, state.environment.parsed_options
    plays = any(getattr(user_class, "plays_traffic", False) for user_class in environment.user_classes)
    path = getattr(options, "from_file", "")
    if options is None or not (plays or path):
        return
    try:
        state.traffic = _read(path, plays, environment.host or "")
    except UsageError as error:
        print(error, file=sys.stderr)
        state.resources.close()
        raise SystemExit(EXIT_CODES["misuse"]) from None
    seconds = state.traffic.seconds / options.speed
    options.run_time = options.run_time or int(seconds + MARGIN) + 1
    options.num_users = options.num_users or max(getattr(options, "expect_workers", 1) or 1, _forked(options))
    options.spawn_rate = options.spawn_rate or SPAWN_RATE
    state.add_note(TRAFFIC_NOTE, lambda: _note(state))
    console_logger.info(f"--from {path}: {len(state.traffic.requests)} requests in {seconds:.1f} s")
    for reason, number in state.traffic.left_out.items():
        console_logger.info(f"  {number} left out: {reason}")


def _forked(options: Any) -> int:
    """How many workers this command forks."""
    number: int = getattr(options, "processes", None) or 1
    return number if number > 0 else os.cpu_count() or 1


def _read(path: str, plays: bool, host: str) -> Traffic:
    if not path:
        raise UsageError("--from: expected a HAR file or an access log to play, got none")
    if not plays:
        raise UsageError("--from: expected the locustfile loadtests/replay.py, which plays traffic, got another one")
    if not host:
        raise UsageError("--host: expected the URL of the server to play the traffic at, got none")
    if not is_loopback(urlsplit(host).hostname or "") and not permitted_by(os.environ):
        raise UsageError(f"{host} is not on loopback, and nobody has permitted a load there: set {PERMIT_HINT}")
    return read_traffic(Path(path), host, os.environ.get(WRITES_VARIABLE, "").strip() == "1")


def _note(state: RunState) -> dict[str, Any]:
    """What was played in this process."""
    counts = state.players[0].counts if state.players else {"planned": 0, "sent": 0, "answered": 0}
    return {**counts, "left_out": dict(state.traffic.left_out) if state.traffic is not None else {}}
