"""Masks secrets in what Locust prints, logs and shows: its tables, its web UI, its files, and users' exceptions.

Rule: a process masks what it writes itself; what a worker sends to its master, the master masks.
"""

from __future__ import annotations

from typing import Any

from contracts.secret_mask import mask_secrets
from fixtures.masked_output import mask_output
from loadtests.distributed.run_state import RunState


def on_init(state: RunState, **_: Any) -> None:
    """Masks from now on, also in the list of exceptions that Locust shows and writes."""
    mask_output(state.secrets)
    runner: Any = state.environment.runner
    if runner is None:
        return
    log_exception = runner.log_exception

    def log_masked(node_id: str, msg: str, formatted_tb: str) -> None:
        log_exception(node_id, mask_secrets(msg, state.secrets), mask_secrets(formatted_tb, state.secrets))

    runner.log_exception = log_masked
