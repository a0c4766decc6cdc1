"""`summary.json` is valid by its published schema, small for a green run, and has what a script needs of a red one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reports import summary_json
from reports.history.run_changes import update_history
from reports.results.records import RunRecords
from reports.results.result_log import ResultRecord
from reports.results.run_manifest import RunManifest
from reports.results.verdicts import judge, overall
from suites.selftest.reports.test_pipelines import CLAUSE, COMMAND, ENDS, ROOT

SCHEMA = json.loads((ROOT / "reports" / "summary.schema.json").read_text())
MAX_GREEN = 8 * 1024  # bytes
APIS = ("bitvis", "flowapp", "flowback", "getflow")
REASONS = [
    f"FLOWAPP_SETTING_{number} is not set: set it to the id of a record that nobody changes" for number in range(5)
]


def summary_of(tests: list[ResultRecord], folder: Path, **more: Any) -> str:
    environment = {"target of getflow": "https://api.example/v2"}
    manifest = {"expected": {"getflow": len(tests)}, "complete": True, "exit_status": 0, "environment": environment}
    records = RunRecords(tuple(tests), RunManifest(**manifest | more), ())
    verdicts = judge(records, [])
    changes = update_history(folder, verdicts, records)
    return summary_json.to_json(verdicts, records, overall(verdicts, records), {"smoke": "pass"}, changes)


@pytest.mark.parametrize("end", ENDS)
def test_summary_is_valid_by_its_schema(end: str, tmp_path: Path) -> None:
    tests, more = ENDS[end]
    content = json.loads(summary_of(tests, tmp_path, **more))
    assert content["verdict"] == end
    assert [error.message for error in jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(content)] == []


def test_schema_is_a_schema() -> None:
    assert jsonschema_rs.meta.is_valid(SCHEMA)


@pytest.mark.parametrize("member", ["verdict", "apis"])
def test_schema_refuses_a_summary_that_lacks(member: str, tmp_path: Path) -> None:
    content = json.loads(summary_of(*ENDS["fail"][:1], tmp_path))
    del content[member]
    assert not jsonschema_rs.Draft202012Validator(SCHEMA).is_valid(content)


def test_schema_describes_every_member_of_an_api_and_a_cause(tmp_path: Path) -> None:
    api = json.loads(summary_of(ENDS["fail"][0], tmp_path))["apis"]["getflow"]
    assert set(api) == set(SCHEMA["$defs"]["api"]["properties"])
    described = set(SCHEMA["$defs"]["cause"]["properties"]) | set(SCHEMA["$defs"]["cause_facts"]["properties"])
    assert set(api["causes"][0]) == described - {"acceptance"}
    assert set(api["since_last_run"]) == set(SCHEMA["$defs"]["since_last_run"]["properties"])


def test_cause_has_all_that_a_script_needs(tmp_path: Path) -> None:
    cause = json.loads(summary_of(ENDS["fail"][0], tmp_path))["apis"]["getflow"]["causes"][0]
    assert (cause["clause"], cause["citation"], cause["example"]["command"]) == (CLAUSE, "line 74, stated", COMMAND)


def test_green_summary_of_four_apis_is_small(tmp_path: Path) -> None:
    """As many tests as all suites have, and more reasons to skip some than a run without settings has."""
    tests = [
        ResultRecord(api, f"suites/{api}/test_{number}.py::test_a_fact[case]", "X", "passed", (f"{api}-X-{number}",))
        for api in APIS
        for number in range(500)
    ]
    tests += [
        ResultRecord(api, f"suites/{api}/test_s.py::test_{index}", "X", "skipped", (), message=reason)
        for api in APIS
        for index, reason in enumerate(REASONS)
    ]
    environment = {f"target of {api}": "https://api.example/a/long/path/v2" for api in APIS} | {"seed": "0"}
    text = summary_of(tests, tmp_path, expected=dict.fromkeys(APIS, 505), environment=environment)
    assert json.loads(text)["verdict"] == "pass"
    assert len(text.encode()) <= MAX_GREEN
