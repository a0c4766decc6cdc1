"""Ends a run as soon as an objective with `abort: true` can no longer be met.

Rule: such a run has failed, and its verdict says which objective ended it and when. A search goes on, since its steps
are there to miss objectives.
"""

from __future__ import annotations

from typing import Any

import gevent
from locust.runners import WorkerRunner

from loadtests.distributed.judged_part import JudgedPart
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin.progress_listeners import read_plan, run_objectives
from reports.load.feasibility import is_lost
from reports.load.load_result import ABORT_NOTE
from reports.load.objective_outcomes import judge_objective
from reports.load.slo import Objective
from reports.load.verdict_text import outcome_cells

INTERVAL = 1.0  # seconds between two looks


def on_test_start(state: RunState, **_: Any) -> None:
    """Begins to watch the objectives of the run that can end it."""
    if isinstance(state.environment.runner, WorkerRunner) or not state.has_role:
        return
    watched = [objective for objective in run_objectives(state) if objective.abort]
    if watched and not read_plan(state).get("search"):
        state.watcher = gevent.spawn(_watch, state, watched)


def on_test_stop(state: RunState, **_: Any) -> None:
    """Ends the watch."""
    if state.watcher is not None:
        state.watcher.kill()
        state.watcher = None


def _watch(state: RunState, watched: list[Objective]) -> None:
    if state.folder is None:
        return
    part = JudgedPart(state.folder, read_plan(state))
    while True:
        gevent.sleep(INTERVAL)
        result = state.current_result()
        so_far = part.update(result) if result is not None else None
        if result is None or so_far is None:
            continue
        lost = next((objective for objective in watched if is_lost(objective, *so_far)), None)
        if lost is not None:
            name, limit, measured, *_ = outcome_cells(judge_objective(lost, so_far[0], False))
            why = f"{name} can no longer be met: {limit}, measured {measured}"
            result.notes[ABORT_NOTE] = {"run": {"after": result.seconds, "why": why}}
            state.watcher = None  # it ends by itself
            state.stop_test(why)
            return
