"""Shows a run while it goes on: to Prometheus, to an OpenTelemetry collector, and in the web UI.

Rule: figures are taken from those that the process has added up anyway, every few seconds and not for each request, and
only where all workers come together.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import gevent
from gevent.pywsgi import WSGIServer
from locust.runners import WorkerRunner

from contracts.errors import UsageError
from contracts.secret_mask import mask_secrets
from fixtures.network_routes import permit_other_clients
from fixtures.setting_values import socket_address
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin import otlp_metrics, web_objectives
from loadtests.locust_plugin.progress_listeners import run_objectives, run_so_far
from reports.load.live_metrics import Metric, live_metrics
from reports.load.prometheus_text import CONTENT_TYPE, prometheus_text
from reports.results.verdicts import EXIT_CODES

PATH = "/metrics"
EXAMPLE = "127.0.0.1:9646"
INTERVAL_VARIABLE, INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL", "10000"  # ms between two exports
LAST_EXPORT = 15.0  # seconds that the last export may take

logger = logging.getLogger(__name__)


def on_init(state: RunState, **_: Any) -> None:
    """Begins to serve metrics, adds the objectives to the web UI, and lets exporters reach their collector."""
    options, ui = state.environment.parsed_options, state.environment.web_ui
    if getattr(options, "otel", False):
        for url in otlp_metrics.collector_urls(os.environ):
            permit_other_clients(url)
    if isinstance(state.environment.runner, WorkerRunner) or not state.has_role:
        return
    if ui is not None and ui.app is not None:
        require_login: Any = ui.auth_required_if_enabled
        view = require_login(lambda: (metrics_text(state), {"Content-Type": CONTENT_TYPE}))
        ui.app.add_url_rule(PATH, "flowproof_metrics", view)
        web_objectives.extend(state, ui)
    if address := getattr(options, "prometheus", ""):
        _serve(state, address)


def _serve(state: RunState, address: str) -> None:
    """Serve the metrics at that address until the process ends; one that cannot be had ends it at once."""
    try:
        place = socket_address("--prometheus", address, EXAMPLE)
        server = WSGIServer(place, lambda request, start: _respond(state, request, start), log=None, error_log=None)
        server.start()
    except (UsageError, OSError) as error:
        reason = f"--prometheus: expected a free address such as {EXAMPLE}, got {address}: {error}"
        print(error if isinstance(error, UsageError) else reason, file=sys.stderr)
        state.resources.close()
        raise SystemExit(EXIT_CODES["misuse"]) from None
    state.resources.callback(server.stop, timeout=0)
    logger.info(f"metrics for Prometheus at http://{server.server_host}:{server.server_port}{PATH}")


def _respond(state: RunState, request: dict[str, Any], start: Any) -> list[bytes]:
    if request["PATH_INFO"] != PATH:
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [f"the metrics are at {PATH}\n".encode()]
    start("200 OK", [("Content-Type", CONTENT_TYPE)])
    return [metrics_text(state).encode()]


def metrics_text(state: RunState) -> str:
    """The metrics of the run, or of the last one, as Prometheus reads them; nothing before the first."""
    return mask_secrets(prometheus_text(_metrics(state)), state.secrets)


def _metrics(state: RunState) -> list[Metric]:
    run, runner = run_so_far(state), state.environment.runner
    if run is None:
        return []
    return live_metrics(run, run_objectives(state), runner.user_count if runner is not None else 0, state.pause)


def on_test_start(state: RunState, **_: Any) -> None:
    """With `--otel`, begins to send the metrics to the collector."""
    is_worker = isinstance(state.environment.runner, WorkerRunner)
    if is_worker or not state.has_role or not getattr(state.environment.parsed_options, "otel", False):
        return
    if (exporter := otlp_metrics.create_exporter(os.environ)) is not None:
        state.exporter = gevent.spawn(_export_repeatedly, state, exporter)


def _export_repeatedly(state: RunState, exporter: Any) -> None:
    """Send the metrics again and again, and once more when the run has ended."""
    interval = float(os.environ.get(INTERVAL_VARIABLE) or INTERVAL) / 1000
    is_running = True
    while is_running:
        is_running = not state.run_ended.wait(interval)
        run = run_so_far(state)
        if run is not None:
            otlp_metrics.export(exporter, _metrics(state), run.result.name, run.result.started)


def on_test_stop(state: RunState, **_: Any) -> None:
    """Sends the last figures, which the run has added up by now."""
    if state.exporter is not None:
        state.run_ended.set()
        state.exporter.join(LAST_EXPORT)
        state.exporter = None
        state.run_ended.clear()
