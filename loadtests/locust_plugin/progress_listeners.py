"""Says while a load run goes on how it goes: a line that a terminal redraws, and that a log gets four times a minute.

Rule: it takes the place of the table that Locust prints every two seconds, and is quiet where that would be, with
`--loglevel WARNING`. Objectives at risk are those that the figures so far miss.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import gevent
from locust.runners import WorkerRunner
from locust.stats import console_logger

from contracts.errors import UsageError
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin.verdict_listeners import objectives
from reports.load.load_result import NS_PER_MS, PLAN_FILE
from reports.load.load_run import LoadRun
from reports.load.objective_outcomes import FAIL, is_relevant, judge_objective
from reports.load.scope import merge_statistics
from reports.load.slo import Objective, read_objectives

SECONDS_IN_LOG, SECONDS_ON_TERMINAL = 15.0, 2.0  # between two lines
MAX_AT_RISK = 3  # objectives that the line names
CLEAR = "\r\x1b[K"


def on_test_start(state: RunState, **_: Any) -> None:
    """Begins the lines of a run without a web UI."""
    environment = state.environment
    prints = environment.web_ui is None and not isinstance(environment.runner, WorkerRunner)
    if prints and state.has_role and console_logger.isEnabledFor(logging.INFO):
        state.progress = gevent.spawn(_print_lines, state)


def on_test_stop(state: RunState, **_: Any) -> None:
    """Ends the line before the tables are printed."""
    if state.progress is not None:
        state.progress.kill()
        state.progress = None
        if sys.stdout.isatty():
            sys.stdout.write(CLEAR)


def _print_lines(state: RunState) -> None:
    is_terminal = sys.stdout.isatty()
    listed, requests, before = run_objectives(state), 0, time.monotonic()
    while True:
        gevent.sleep(SECONDS_ON_TERMINAL if is_terminal else SECONDS_IN_LOG)
        result = state.current_result()
        if result is None or state.folder is None:
            continue
        run = LoadRun(state.folder, read_plan(state), result, False, (), ())
        number = sum(operation.requests for operation in result.operations)
        now = time.monotonic()
        text = progress_text(run, listed, (number - requests) / (now - before))
        requests, before = number, now
        if is_terminal:
            sys.stdout.write(CLEAR + text)
            sys.stdout.flush()
        else:
            console_logger.info(text)


def run_objectives(state: RunState) -> Sequence[Objective]:
    """The objectives of the run; none if nothing asks for a verdict."""
    file = objectives(state.environment)
    try:
        return read_objectives(file).objectives if file else ()
    except UsageError:
        return ()  # the run has ended with this error before its first journey


def run_so_far(state: RunState) -> LoadRun | None:
    """The run so far, or the last one, as a whole: all phases count. None before the first."""
    result = state.current_result()
    if result is None or state.folder is None:
        return None
    return LoadRun(state.folder, {**read_plan(state), "phases": ()}, result, False, (), ())


def read_plan(state: RunState) -> Mapping[str, Any]:
    """What `plan.json` says of the run; empty if it cannot be read."""
    try:
        plan: Mapping[str, Any] = json.loads((state.folder / PLAN_FILE).read_text("utf-8")) if state.folder else {}
    except (OSError, ValueError):
        return {}
    return plan


def progress_text(run: LoadRun, listed: Sequence[Objective], rate: float) -> str:
    """The line, such as "load: steady, 45 of 330 s, 214 requests/s, p95 12.3 ms, 3 failed, at risk: run p95".

    rate: requests a second since the last line.
    """
    result = run.result
    statistics = merge_statistics(result.operations)
    parts = [_phase(run), f"{rate:,.0f} requests/s"]
    if statistics.corrected.count:
        parts.append(f"p95 {statistics.corrected.percentile(95) / NS_PER_MS:.3g} ms")
    parts.append(f"{statistics.failed.count:,} failed")
    if missed := missed_so_far(run, listed):
        rest = len(missed) - MAX_AT_RISK
        parts.append(f"at risk: {', '.join(missed[:MAX_AT_RISK])}{f' and {rest} more' if rest > 0 else ''}")
    return f"load: {', '.join(parts)}"


def _phase(run: LoadRun) -> str:
    """The phase of the profile and the time in the run."""
    now, phases = run.result.seconds, run.plan.get("phases", ())
    if not phases:
        return f"{now:.0f} s"
    phase, last = next((phase for phase in phases if now < phase["end"]), phases[-1]), phases[-1]["end"]
    return f"{phase['name']}, {min(now, last):.0f} of {last:.0f} s"


def missed_so_far(run: LoadRun, listed: Sequence[Objective]) -> list[str]:
    """The objectives that the figures so far miss, of all phases together."""
    so_far = LoadRun(run.path, {**run.plan, "phases": ()}, run.result, False, (), ())
    outcomes = (judge_objective(it, so_far, False) for it in listed if is_relevant(it, so_far))
    return [f"{it.objective.scope} {it.objective.metric}" for it in outcomes if it.verdict == FAIL]
