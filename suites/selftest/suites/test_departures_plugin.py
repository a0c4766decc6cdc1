"""Runs at departing targets: their departures are known findings, until their last day."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from contracts.openapi import load_contract
from fixtures.departing.departing_server import departing_server, write_target_file
from fixtures.departing.deployments import by_name
from fixtures.departures.departure import Departure
from fixtures.departures.keyword_reader import make_keyword
from suites.departures_plugin import departure_record
from suites.harden import departures_matrix
from suites.selftest.python_runs import run_module

TODAY = date(2026, 11, 29)
SLASHES = "flowapp: slashes"


def departure(last_day: date) -> Departure:
    keyword = make_keyword(load_contract("getflow"), "trailing_slash", "always")
    return Departure("trailing_slash", "trailing_slash: always", keyword, "GETFLOW-TASK-1", "ticket 812", last_day, 3)


@pytest.mark.parametrize(("days", "outcome"), [(-1, "failed"), (0, "known"), (30, "known")])
def test_a_departure_is_known_until_its_last_day(days: int, outcome: str) -> None:
    record = departure_record("getflow", departure(TODAY + timedelta(days)), True, TODAY)
    assert (record.outcome, record.departure) == (outcome, "trailing_slash: always")
    assert record.clauses == ("GETFLOW-TASK-1",)
    assert record.message.startswith("GETFLOW-TASK-1: the target departs by trailing_slash: always (ticket 812; until ")


@pytest.mark.parametrize(("needed", "is_said"), [(True, False), (None, False), (False, True)])
def test_a_departure_that_is_not_needed_is_said(needed: bool | None, is_said: bool) -> None:
    record = departure_record("getflow", departure(TODAY), needed, TODAY)
    assert ("no longer needed" in record.message) is is_said


@pytest.mark.parametrize(
    ("name", "selection"),
    [
        pytest.param(
            "flowapp: another scheme, another prefix, a member's name, contract",
            "test_documented or test_events",
            marks=pytest.mark.slow,
        ),
        ("flowback: login by mail, JSON for forms, another status, contract", "test_documented_requests or test_auth"),
        pytest.param("bitvis: page_rows, contract", "test_pagination", marks=pytest.mark.slow),
    ],
)
def test_with_its_file_a_deployment_has_its_departures_and_nothing_else(
    tmp_path: Path, name: str, selection: str
) -> None:
    assert departures_matrix.run(name.replace("page_rows", "pages for rows"), tmp_path, selection) == []


def test_without_its_file_the_preflight_proposes_it(tmp_path: Path) -> None:
    assert departures_matrix.run("flowapp: slashes, preflight", tmp_path, "test_events_list") == []


def test_a_run_after_the_last_day_fails(tmp_path: Path) -> None:
    deployments = by_name()[SLASHES]
    path = write_target_file(tmp_path / "target.yaml", deployments)
    path.write_text(re.sub(r"until: \S+", "until: 2026-01-01", path.read_text()))
    with departing_server("flowapp", deployments) as server:
        environ = {**server.environ, "FLOWAPP_TARGET": str(path), "FLOWAPP_RATE": "0"}
        options = ["-q", "-p", "no:cacheprovider", f"--alluredir={tmp_path / 'results'}"]
        process = run_module("pytest", ["suites/flowapp/test_operator_list.py", *options], _clean(environ))
    assert process.returncode == 1, process.stdout
    assert "flowapp overdue: FLOWAPP-LIST-1: the target departs by trailing_slash" in process.stdout
    lines = (tmp_path / "results").glob("*.jsonl")
    records = [json.loads(line) for file in lines for line in file.read_text().splitlines()]
    assert [it["outcome"] for it in records if it.get("departure")] == ["failed"]
    assert "failed" not in [it["outcome"] for it in records if not it.get("departure")]


def test_a_wrong_file_is_misuse_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text("url: http://127.0.0.1:9/flowapp\nsettings: {TOKEN: abc}")
    for module, *options in (
        ["pytest", "suites", "-q", "-k", "flowapp", f"--alluredir={tmp_path / 'results'}"],
        ["locust", "-f", "loadtests/flowapp.py", "--headless", "--profile", "smoke", "--loglevel", "ERROR"],
    ):
        process = run_module(module, options, _clean({"FLOWAPP_TARGET": str(path)}))
        output = process.stdout + process.stderr
        assert process.returncode == 2, output
        line = f"{path}, line 2: TOKEN is a secret: expected it in the environment only, as FLOWAPP_TOKEN"
        assert line in output
        assert "Traceback" not in output


def _clean(environ: dict[str, str]) -> dict[str, str]:
    """These variables, and those that every process needs."""
    return {**departures_matrix.inherited(), **environ}
