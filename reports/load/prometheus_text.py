"""Writes metrics in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from reports.load.live_metrics import BOUNDS, COUNTER, Metric, Point, Times

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SUFFIXES = {"s": "_seconds"}
ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus_text(metrics: Iterable[Metric]) -> str:
    """All metrics; units and the suffix of counters become parts of the names, as Prometheus has them."""
    return "".join(f"{line}\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = metric.name.replace(".", "_") + SUFFIXES.get(metric.unit, "")
    name += "_total" if metric.kind == COUNTER else ""
    yield f"# HELP {name} {metric.description}"
    yield f"# TYPE {name} {metric.kind}"
    for point in metric.points:
        yield from _samples(name, point)


def _samples(name: str, point: Point) -> Iterator[str]:
    if not isinstance(point.value, Times):
        yield f"{name}{_labels(point.labels)} {point.value:.12g}"
        return
    ends = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    for end, number in zip(ends, accumulate(point.value.buckets), strict=True):
        yield f"{name}_bucket{_labels({**point.labels, 'le': end})} {number}"
    yield f"{name}_sum{_labels(point.labels)} {point.value.total:.12g}"
    yield f"{name}_count{_labels(point.labels)} {point.value.number}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in labels.items()) + "}"
