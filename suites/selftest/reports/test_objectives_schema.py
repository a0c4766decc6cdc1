"""The JSON Schema of objectives accepts and refuses the same files as the strict reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import contracts
from contracts.yaml_reader import UsageError
from reports.load.slo import read_objectives

ROOT = Path(__file__).parents[3]
SCHEMA = jsonschema_rs.Draft202012Validator(
    json.loads((contracts.FOLDER / "schema" / "objectives.schema.json").read_text("utf-8"))
)
OPERATION, REFUSED = "GET /tasks", "GET /tasks (refused)"
METRICS = (
    "errors", "violations", "dropped", "throughput", "breakpoint", "samples", "p95", "p99.9", "p100", "p0", "p0.5",
    "p5.", "p007", "P95", "mean", "max", "all p95", "good max", "corrected mean", "service p50", "first p99",
    "connect max", "all errors", "latency", "operations", "journeys",
    "abort",
)  # fmt: skip
VALUES = (
    "1 %", "0.5%", "1", "500 ms", "1.5 s", "2µs", "3 us", "4 min", "50 /s", "50/s", "50  /s", ".5 s", "5. s", "-1 %",
    "1 %x", 1, 0, 7, "7", "07", True, False, "yes", "no", "maybe", "", [], {}, {"p95": "1 s"},
)  # fmt: skip
metrics = st.dictionaries(st.sampled_from(METRICS), st.sampled_from(VALUES), max_size=3)
named = st.dictionaries(st.sampled_from(["visit", OPERATION]), metrics, max_size=2)
of_operations = st.dictionaries(st.sampled_from([OPERATION, REFUSED]), metrics)
apis = st.builds(
    lambda own, operations, journeys: own | operations | journeys,
    metrics,
    st.just({})
    | st.fixed_dictionaries({"operations": st.dictionaries(st.sampled_from([OPERATION, REFUSED]), metrics)}),
    st.just({}) | st.fixed_dictionaries({"journeys": named}),
)
documents = st.builds(
    lambda run, sections: {"run": run} | sections,
    metrics.map(lambda run: {"errors": "1 %"} | run) | metrics,
    st.fixed_dictionaries(
        {},
        optional={
            "apis": st.dictionaries(st.just("getflow"), apis),
            "operations": named,
            "journeys": named,
            "steps": named,
            "tags": named,
            "extra": st.just({}),
        },
    ),
)
REAL_FAULTS = ({"apis": {"getflow": {"errors": "1 %"}}}, {"run": {}}, {"run": None}, [], "run", {"run": {"errors": 1}})


def is_read(path: Path, document: Any) -> bool:
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    try:
        read_objectives(path, lambda _: [OPERATION])
    except UsageError:
        return False
    return True


@given(documents)
@settings(max_examples=200, deadline=None)
def test_reader_and_schema_agree(tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "slo.yaml"
    assert SCHEMA.is_valid(document) == is_read(path, document)


@pytest.mark.parametrize("metric", METRICS)
def test_reader_and_schema_agree_on_each_metric(tmp_path: Path, metric: str) -> None:
    for value in VALUES:
        for document in (
            {"run": {"errors": "1 %"} | {metric: value}},
            {"run": {"errors": "1 %"}, "apis": {"getflow": {metric: value}}},
            {"run": {"errors": "1 %"}, "journeys": {"visit": {metric: value}}},
            {"run": {"errors": "1 %"}, "operations": {"visit": {metric: value}}},
            {"run": {"errors": "1 %"}, "steps": {"visit": {metric: value}}},
            {"run": {"errors": "1 %"}, "tags": {"visit": {metric: value}}},
        ):
            assert SCHEMA.is_valid(document) == is_read(tmp_path / "slo.yaml", document), document


@pytest.mark.parametrize("document", REAL_FAULTS, ids=repr)
def test_both_refuse_what_is_no_file_of_objectives(tmp_path: Path, document: Any) -> None:
    assert (SCHEMA.is_valid(document), is_read(tmp_path / "slo.yaml", document)) == (False, False)


def test_the_published_objectives_name_the_schema_and_keep_to_it() -> None:
    path = ROOT / "loadtests" / "slo.yaml"
    first, _, _ = path.read_text("utf-8").partition("\n")
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == contracts.FOLDER / "schema" / "objectives.schema.json"
    assert SCHEMA.is_valid(yaml.safe_load(path.read_text("utf-8")))
