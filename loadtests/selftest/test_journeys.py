"""The journeys as people run them: what they cover, what they refuse, and what only several workers can find."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.document import contract
from contracts.rpc import rpc
from fixtures.targets import embedded
from loadtests.selftest.trial import free_port

ROOT = Path(__file__).parents[2]
KNOWN = [
    name
    for name in os.environ
    if name.startswith(("LOCUST_", "LOAD_", *(f"{api.upper()}_" for api in contracts.apis())))
]

LISTING = """
import json, sys
from importlib import import_module
module = import_module("loadtests." + sys.argv[1])
user = next(one for one in vars(module).values() if getattr(one, "api", "") == sys.argv[1])
told = {task.__name__: sorted(getattr(task, "locust_tag_set", ())) for task in user.tasks}
print(json.dumps({"journeys": told, "count": len(user.tasks), "operations": user.operations, "labels": user.labels}))
"""


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, without the settings that the tests themselves were started with."""
    clean = {name: value for name, value in os.environ.items() if name not in KNOWN}
    clean["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=clean | environ, capture_output=True, text=True, timeout=120, check=False
    )


def locust(api: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "locust", "-f", f"loadtests/{api}.py", "--headless", *arguments, **environ)


def described(api: str) -> dict[str, Any]:
    told = run("-c", LISTING, api)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("api", [api for api in contracts.apis() if api != "bitvis"])
def test_the_journeys_send_every_operation(api: str) -> None:
    named = set(described(api)["operations"])
    assert {operation.id for operation in contract(api).operations.values()} == named


def test_the_journeys_send_every_method_at_every_endpoint() -> None:
    found = rpc("bitvis")
    assert found is not None
    assert set(described("bitvis")["labels"]) == set(found.calls)


@pytest.mark.parametrize("api", contracts.apis())
def test_the_weights_of_the_journeys_come_to_100(api: str) -> None:
    assert described(api)["count"] == 100


@contextmanager
def served(api: str, *options: str) -> Iterator[str]:
    with embedded([api], "127.0.0.1:1", options) as targets:
        yield targets[api].url


def test_a_host_beyond_loopback_is_refused_before_anything_is_sent() -> None:
    told = locust("getflow", "-u", "1", "-t", "1s", "--host", "http://flow.example/getflow")
    assert told.returncode == 2
    assert 'set LOAD_PERMITTED_BY="name, YYYY-MM-DD"' in told.stderr
    assert "Traceback" not in told.stderr


def test_an_unknown_way_of_judging_is_refused() -> None:
    told = locust("getflow", "-u", "1", "-t", "1s", "--judge", "some")
    assert told.returncode == 2
    assert "--judge: expected all, status, or sample=N" in told.stderr


READING = """
import json, sys
from fixtures.targets import Target
from fixtures import reference
from loadtests.judges import Judges
from loadtests.targets import Place
from loadtests.play import WRITES
from loadtests.getflow import Getflow
target = Target("getflow", sys.argv[1], reference.load("getflow").KNOWN, writes=False, embedded=False)
Getflow.prepare(target, Judges(), Place())
print(json.dumps(sorted({task.__name__ for task in Getflow.tasks if WRITES in getattr(task, "locust_tag_set", ())})))
print(json.dumps(sorted({task.__name__ for task in Getflow.tasks})))
"""


def test_journeys_that_write_are_left_out_where_writing_is_not_allowed() -> None:
    with served("getflow") as url:
        told = run("-c", READING, url)
    assert told.returncode == 0, told.stderr
    writing, left = map(json.loads, told.stdout.splitlines()[-2:])
    assert writing == []
    assert left == ["look_at_lists", "look_at_records", "make_mistakes", "read_all_pages"]


def test_what_only_two_workers_together_can_see_fails_the_run(tmp_path: Path) -> None:
    """Each worker has one user, who never rests; what one of them is told, the other has been told as well."""
    port = str(free_port())
    where = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    with served("getflow", "--fault", "getflow.makes_request_ids_of_the_time") as url:
        told = locust(
            "getflow", "-u", "2", "-r", "2", "-t", "5s", "--rate", "40", "--processes", "2", "--host", url, *where,
            "--results", str(tmp_path), "-T", "mistakes",
        )  # fmt: skip
    result = json.loads((tmp_path / "result.json").read_text())
    across = [one for one in result["operations"] if one["transport"] == "across workers"]
    assert [set(one["failures"]) for one in across] == [{"GETFLOW-ERR-3"}], told.stdout[-3000:]
    assert told.returncode == 1


def test_tokens_are_in_no_output_and_no_file(tmp_path: Path) -> None:
    with served("getflow", "--fault", "getflow.turns_away_in_html_above_a_rate") as url:
        told = locust(
            "getflow", "-u", "30", "-r", "30", "-t", "4s", "--host", url, "--results", str(tmp_path),
            GETFLOW_TOKEN="getflow-reference-token",
        )  # fmt: skip
    texts = [told.stdout, told.stderr, *(path.read_text() for path in tmp_path.iterdir())]
    assert any("Bearer ***" in text for text in texts), told.stdout[-2000:] + told.stderr[-2000:]
    assert not any("getflow-reference-token" in text for text in texts)
