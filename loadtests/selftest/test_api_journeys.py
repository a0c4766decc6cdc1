"""The journeys as people run them: what they cover, what they refuse, and what only several workers can find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from fixtures.targets import embedded_references
from loadtests.selftest.locust_run import (
    PATIENCE,
    Lines,
    distributed_options,
    running_locust,
    server,
    tell_to_end,
    until_told,
    wait_until,
)

ROOT = Path(__file__).parents[2]
KNOWN = [
    name
    for name in os.environ
    if name.startswith(("LOCUST_", "LOAD_", *(f"{api.upper()}_" for api in contracts.apis())))
]

LISTING = """
import json, sys
from importlib import import_module
facts = {}
for api in sys.argv[1:]:
    module = import_module("loadtests." + api)
    user = next(value for value in vars(module).values() if getattr(value, "api", "") == api)
    facts[api] = {"count": len(user.tasks), "operations": user.operations, "labels": user.rpc_calls}
print(json.dumps(facts))
"""

pytestmark = pytest.mark.xdist_group("api-journeys")  # one process describes all of them


def clean() -> dict[str, str]:
    """This process's environment without the settings that the tests themselves were started with."""
    return {name: value for name, value in os.environ.items() if name not in KNOWN} | {"PYTHONPATH": str(ROOT)}


def run_code(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs that Python code to its end."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean(), capture_output=True, text=True, timeout=300, check=False)


def locust(api: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A run of an API's journeys to its end."""
    options = ["-f", f"loadtests/{api}.py", "--headless", *arguments]
    return server().run("locust", options, clean() | environ, PATIENCE)


@cache
def described() -> dict[str, Any]:
    """How many journeys each API has by weight, and what they send; by the API's name."""
    process = run_code(LISTING, *contracts.apis())
    assert process.returncode == 0, process.stderr
    facts: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return facts


@pytest.mark.parametrize("api", [api for api in contracts.apis() if api != "bitvis"])
def test_the_journeys_send_every_operation(api: str) -> None:
    named = set(described()[api]["operations"])
    assert {operation.id for operation in load_contract(api).operations.values()} == named


def test_the_journeys_send_every_method_at_every_endpoint() -> None:
    rpc_contract = load_rpc_contract("bitvis")
    assert rpc_contract is not None
    documented = {label for label, call in rpc_contract.calls.items() if call.served_if is None}
    assert set(described()["bitvis"]["labels"]) == documented


@pytest.mark.parametrize("api", contracts.apis())
def test_the_weights_of_the_journeys_come_to_100(api: str) -> None:
    assert described()[api]["count"] == 100


@contextmanager
def served(api: str, *options: str) -> Iterator[str]:
    with embedded_references([api], "127.0.0.1:1", options) as targets:
        yield targets[api].url


def test_a_host_beyond_loopback_is_refused_before_anything_is_sent() -> None:
    process = locust("getflow", "-u", "1", "-t", "1s", "--host", "http://flow.example/getflow")
    assert process.returncode == 2
    assert 'set LOAD_PERMITTED_BY="name, YYYY-MM-DD"' in process.stderr
    assert "Traceback" not in process.stderr


def test_an_unknown_value_of_judge_is_refused() -> None:
    process = locust("getflow", "-u", "1", "-t", "1s", "--judge", "some")
    assert process.returncode == 2
    assert "--judge: expected all, status, or sample=N" in process.stderr


READING = """
import json, sys
from locust.env import Environment
from fixtures.targets import Target
from fixtures import reference
from loadtests.distributed.run_state import RunState
from loadtests.user.contract_user import WRITES
from loadtests.getflow import Getflow
target = Target("getflow", sys.argv[1], reference.load("getflow").KNOWN, writes=False, embedded=False)
state = RunState(Environment(user_classes=[Getflow]))
Getflow.prepare(state, target, "")
journeys = state.prepared[Getflow].journeys
print(json.dumps(sorted({task.__name__ for task in journeys if WRITES in getattr(task, "locust_tag_set", ())})))
print(json.dumps(sorted({task.__name__ for task in journeys})))
"""


def test_journeys_that_write_are_left_out_where_writing_is_not_allowed() -> None:
    with served("getflow") as url:
        process = run_code(READING, url)
    assert process.returncode == 0, process.stderr
    writing, left = map(json.loads, process.stdout.splitlines()[-2:])
    assert writing == []
    assert left == ["look_at_lists", "look_at_records", "make_mistakes", "read_all_pages"]


def across_workers(lines: Lines) -> list[dict[str, Any]]:
    """The figures of what only several workers together show."""
    operations = [operation for line in lines for operation in line.get("operations", ())]
    return [operation for operation in operations if operation["transport"] == "across workers"]


def test_what_only_two_workers_together_can_see_fails_the_run(tmp_path: Path) -> None:
    """Each worker has one user that never pauses; the ids that one receives, the other has received as well."""
    text = "from loadtests.getflow import Getflow\n" + until_told(tmp_path, users=2)
    options = f"--headless --only-summary --rate 40 -T mistakes {distributed_options()}"
    with (
        served("getflow", "--fault", "getflow.makes_request_ids_of_the_time") as url,
        running_locust(tmp_path, url, text, options) as load_run,
    ):
        wait_until(lambda: load_run.has_ended or across_workers(load_run.lines()), "a value of two workers")
        tell_to_end(tmp_path)
        load_run.wait()
    operations = across_workers([load_run.result])
    assert [set(operation["failures"]) for operation in operations] == [{"GETFLOW-ERR-3"}], load_run.output[-3000:]
    assert load_run.process.returncode == 1


def test_a_storm_of_429_is_a_cause_and_breaks_no_clause(tmp_path: Path) -> None:
    with served("getflow", "--fault", "getflow.turns_away_in_html_above_a_rate") as url:
        process = locust("getflow", "-u", "60", "-r", "60", "-t", "4s", "--host", url, "--results", str(tmp_path))
    facts = json.loads((tmp_path / "verdict.json").read_text())
    assert (facts["verdict"], facts["clauses_broken"]) == ("fail", {}), process.stdout[-3000:]
    (cause,) = facts["causes"]
    assert cause.startswith("turned away (429): ")
    assert facts["statuses"]["429"] == facts["failures"]["turned away (429)"] > 0
    assert cause in process.stdout + process.stderr


def test_a_sample_of_one_in_a_hundred_finds_what_breaks_every_response(tmp_path: Path) -> None:
    with served("getflow", "--fault", "getflow.answers_html_media_type") as url:
        process = locust(
            "getflow", "-u", "2", "-r", "2", "-t", "3s", "--judge", "sample=100", "--host", url,
            "--results", str(tmp_path),
        )  # fmt: skip
    facts = json.loads((tmp_path / "verdict.json").read_text())
    assert "GETFLOW-SHAPE-1" in facts["clauses_broken"], process.stdout[-3000:]


def test_tokens_are_in_no_output_and_no_file(tmp_path: Path) -> None:
    with served("getflow", "--fault", "getflow.loses_one_of_two_updates") as url:
        process = locust(
            "getflow", "-u", "30", "-r", "30", "-t", "4s", "--host", url, "--results", str(tmp_path),
            GETFLOW_TOKEN="6c1b92e04f7d4d1a8a35c7b0e2f4d918",
        )  # fmt: skip
    texts = [process.stdout, process.stderr, *(path.read_text() for path in tmp_path.iterdir())]
    assert any("Bearer ***" in text for text in texts), process.stdout[-2000:] + process.stderr[-2000:]
    assert not any("6c1b92e04f7d4d1a8a35c7b0e2f4d918" in text for text in texts)
