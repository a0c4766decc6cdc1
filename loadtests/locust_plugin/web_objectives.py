"""Adds to Locust's web UI a tab with the objectives of the run, and a link to its report."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from contracts.errors import UsageError
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin.progress_listeners import run_objectives, run_so_far
from reports.load.load_page import render_load_page
from reports.load.load_run import NoLoadRun, read_load_run
from reports.load.load_verdict import judge_run
from reports.load.objective_outcomes import is_relevant, judge_objective
from reports.load.slo import ObjectivesFile
from reports.load.verdict_text import outcome_cells

KEY, REPORT_PATH, STATISTICS_PATH = "objectives", "/load.html", "/stats/requests"
COLUMNS = {"name": "Objective", "limit": "Limit", "measured": "So far", "state": "State"}
STATES = {"pass": "met so far", "fail": "at risk", "inconclusive": "no evidence yet"}


def extend(state: RunState, ui: Any) -> None:
    """Add the tab and the link to that web UI."""
    update = ui.update_template_args

    def update_with_objectives() -> None:
        update()
        ui.template_args |= {
            "extended_tabs": [*ui.template_args.get("extended_tabs", ()), {"title": "Objectives", "key": KEY}],
            "extended_tables": [
                *ui.template_args.get("extended_tables", ()),
                {"key": KEY, "structure": [{"key": key, "title": title} for key, title in COLUMNS.items()]},
            ],
            "extended_csv_files": [
                *ui.template_args.get("extended_csv_files", ()),
                {"href": REPORT_PATH, "title": "Open the report of the run (load.html)"},
            ],
        }

    def add_objectives(response: Response) -> Response:
        if request.path == STATISTICS_PATH and response.is_json:
            content = json.loads(response.get_data())
            tables = [*content.get("extended_stats", ()), {"key": KEY, "data": objective_rows(state)}]
            response.set_data(json.dumps({**content, "extended_stats": tables}))
        return response

    ui.update_template_args = update_with_objectives
    ui.app.after_request(add_objectives)
    view = ui.auth_required_if_enabled(lambda: report(state))
    ui.app.add_url_rule(REPORT_PATH, "flowproof_report", view)


def objective_rows(state: RunState) -> list[dict[str, str]]:
    """A row for each objective of the run: its limit, what was measured so far, and whether it is at risk."""
    run = run_so_far(state)
    if run is None:
        return []
    rows = []
    for objective in run_objectives(state):
        if is_relevant(objective, run):
            name, limit, measured, _, verdict = outcome_cells(judge_objective(objective, run, False))
            rows.append({"name": name, "limit": limit, "measured": measured, "state": STATES[verdict]})
    return rows


def report(state: RunState) -> ResponseReturnValue:
    """The page of the run so far, or of the last one."""
    if state.folder is None:
        return render_load_page(None)
    try:
        run = read_load_run(state.folder)
        return render_load_page(judge_run(run, ObjectivesFile(state.folder, tuple(run_objectives(state)))))
    except (NoLoadRun, UsageError) as error:
        return Response(f"there is no report of this run: {error}\n", 404, content_type="text/plain")
