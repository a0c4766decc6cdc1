"""Sends metrics to an OpenTelemetry collector, by the exporter and the variables that Locust's `--otel` uses."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from reports.load.live_metrics import BOUNDS, COUNTER, HISTOGRAM, Metric, Point, Times

PROTOCOL_VARIABLES = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
ENDPOINT_VARIABLES = tuple(f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT" for signal in ("", "METRICS_", "TRACES_", "LOGS_"))
DEFAULT_ENDPOINTS = ("http://localhost:4317", "http://localhost:4318")  # of gRPC and HTTP
EXPORTER_MODULES = {
    name: f"opentelemetry.exporter.otlp.proto.{part}.metric_exporter"
    for name, part in (("grpc", "grpc"), ("http/protobuf", "http"), ("http", "http"))
}

logger = logging.getLogger(__name__)


def collector_urls(environ: Mapping[str, str]) -> list[str]:
    """Where exporters may send what they have."""
    return [*filter(None, map(environ.get, ENDPOINT_VARIABLES)), *DEFAULT_ENDPOINTS]


def create_exporter(environ: Mapping[str, str]) -> Any | None:
    """The exporter of metrics; None, with a warning where that is no wish, if there is none to be had."""
    kinds = {kind.strip().lower() for kind in environ.get("OTEL_METRICS_EXPORTER", "otlp").split(",")}
    if "otlp" not in kinds:
        return None
    protocol = next(filter(None, map(environ.get, PROTOCOL_VARIABLES)), "grpc").strip().lower()
    try:
        return import_module(EXPORTER_MODULES[protocol]).OTLPMetricExporter()
    except (KeyError, ImportError):
        logger.warning(
            f"--otel: expected an exporter for OTEL_EXPORTER_OTLP_PROTOCOL={protocol}, got none; set http/protobuf,"
            " or install opentelemetry-exporter-otlp-proto-grpc"
        )
        return None


def export(exporter: Any, metrics: Iterable[Metric], run: str, started: float) -> bool:
    """Send these metrics of a run that began then (s since the epoch); whether the collector has taken them."""
    from opentelemetry.sdk.metrics import export as sdk  # only for those who use it: it takes a second to import
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    began, now = int(started * 1e9), time.time_ns()
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "locust"), "flowproof.run": run})
    listed = [sdk.Metric(it.name, it.description, it.unit, _data(sdk, it, began, now)) for it in metrics if it.points]
    scope = sdk.ScopeMetrics(InstrumentationScope("flowproof"), listed, "")
    data = sdk.MetricsData([sdk.ResourceMetrics(resource, [scope], "")])
    return bool(exporter.export(data) is sdk.MetricExportResult.SUCCESS)


def _data(sdk: Any, metric: Metric, began: int, now: int) -> Any:
    cumulative = sdk.AggregationTemporality.CUMULATIVE
    if metric.kind == HISTOGRAM:
        return sdk.Histogram([_histogram(sdk, point, began, now) for point in metric.points], cumulative)
    points = [sdk.NumberDataPoint(dict(point.labels), began, now, point.value) for point in metric.points]
    return sdk.Sum(points, cumulative, True) if metric.kind == COUNTER else sdk.Gauge(points)


def _histogram(sdk: Any, point: Point, began: int, now: int) -> Any:
    times = point.value
    assert isinstance(times, Times)
    return sdk.HistogramDataPoint(
        dict(point.labels), began, now, times.number, times.total, times.buckets, BOUNDS, min=None, max=None
    )
