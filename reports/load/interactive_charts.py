"""Puts the course of a run into its page as charts that show values under the pointer and can be zoomed.

Rule: the page fetches nothing. uPlot (MIT, `uplot/LICENSE`), the script and the data are in the file, and a page
without scripts shows the plots that are drawn in it.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from reports.load.load_result import NS_PER_MS
from reports.load.load_verdict import LoadVerdict
from reports.load.plots import bands
from reports.load.slo import RUN, THROUGHPUT, Objective
from reports.load.time_series import time_series

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "uplot"
CHARTS = {
    "load": "Arrivals and users",
    "outcomes": "Responses by outcome",
    "times": "Corrected time of good responses; max of all",
    "errors": "Errors",
    "heat": "How long responses took: the stronger the colour, the more of them",
}
HINT = "Point at a chart to read its values; drag across it to zoom in, double-click to see the whole run again."


def chart_style() -> str:
    """The style sheet of the charts."""
    return (LIBRARY / "uPlot.min.css").read_text("utf-8")


def render_charts(judged: LoadVerdict, other_figures: str) -> str:
    """The places of the charts beside these other figures, their data and their script, as HTML."""
    places = "".join(
        f'<figure><figcaption>{escape(title)}</figcaption><div class="live" id="chart-{name}"></div></figure>'
        for name, title in CHARTS.items()
    )
    data = json.dumps(chart_data(judged), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    licence = (LIBRARY / "LICENSE").read_text("utf-8").strip()
    library = (LIBRARY / "uPlot.iife.min.js").read_text("utf-8")
    script = (FOLDER / "load_page.js").read_text("utf-8")
    return (
        f'<p class="hint">{HINT}</p><div class="lives">{places}{other_figures}</div>'
        f'<script type="application/json" id="run-data">{data}</script>'
        f"<script>/* uPlot\n{licence}\n*/\n{library}</script><script>{script}</script>"
    )


def chart_data(judged: LoadVerdict) -> dict[str, Any]:
    """The columns of the run, its phases, and the objectives of the whole run as lines."""
    phases = [
        {"name": band.name, "begin": band.begin, "end": band.end, "tinted": band.tinted} for band in bands(judged.run)
    ]
    return {
        **time_series(judged.run),
        "end": judged.run.result.seconds,
        "phases": phases,
        "objectives": [line for outcome in judged.outcomes if (line := _objective_line(outcome.objective))],
    }


def _objective_line(objective: Objective) -> dict[str, Any] | None:
    """The chart, name and value of an objective; None for one that no chart shows."""
    if objective.scope.kind != RUN:
        return None
    name = f"{objective.metric} objective"
    if objective.series in ("corrected", "all"):
        return {"chart": "times", "name": name, "value": objective.limit / NS_PER_MS}
    if objective.metric == "errors":
        return {"chart": "errors", "name": name, "value": 100 * objective.limit}
    if objective.metric == THROUGHPUT:
        return {"chart": "outcomes", "name": name, "value": objective.limit}
    return None
