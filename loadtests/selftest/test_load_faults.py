"""Faults that only load shows: a load run finds them, one client that waits for its answers does not."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import contracts
from contracts.document import contract
from contracts.exchange import Answer, Exchange, Sent
from fixtures import reference
from fixtures.api import Api, Lacking
from fixtures.corpus import EFFORTS, corpus
from fixtures.reference.protocol import Change, Request, World, changed
from fixtures.targets import Target

ROOT = Path(__file__).parents[2]
SAMPLE = 2  # faults of each API; `python -m loadtests.prove` tries all
FAULTS = [(api, change) for api in contracts.apis() for change in reference.load(api).LOAD_FAULTS.values()]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The trials of a sample, by API."""
    out = tmp_path_factory.mktemp("prove") / "trials.json"
    command = [sys.executable, "-m", "loadtests.prove", "--sample", str(SAMPLE), "--json", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert out.exists(), run.stdout[-3000:] + run.stderr[-3000:]
    found: list[dict[str, Any]] = json.loads(out.read_text())
    return {api: [one for one in found if one["api"] == api] for api in contracts.apis()}


@pytest.mark.parametrize("api", contracts.apis())
def test_a_load_run_finds_each_fault_on_its_clause(api: str, trials: dict[str, list[dict[str, Any]]]) -> None:
    verdicts = {one["change"]: one["verdict"] for one in trials[api] if one["kind"] == "fault"}
    assert list(verdicts.values()) == ["caught"] * SAMPLE, verdicts


@pytest.mark.parametrize("api", contracts.apis())
def test_a_load_run_blames_nothing_on_an_honest_server(api: str, trials: dict[str, list[dict[str, Any]]]) -> None:
    (honest,) = [one for one in trials[api] if one["kind"] == "honest"]
    assert honest["failures"] == honest["blamed"] == []
    assert honest["requests"] > 100


@pytest.mark.parametrize("api", contracts.apis())
def test_every_api_has_some(api: str) -> None:
    assert len(reference.load(api).LOAD_FAULTS) >= 3


@pytest.mark.parametrize("api", contracts.apis())
def test_no_load_fault_is_asked_of_the_ordinary_suites(api: str) -> None:
    package = reference.load(api)
    assert not set(package.LOAD_FAULTS) & set(package.FAULTS)
    assert {change.kind for change in package.LOAD_FAULTS.values()} == {"load fault"}


class Patient:
    """One client on one connection of a reference in this process; `change` stands in front of it."""

    def __init__(self, api: str, change: Change | None) -> None:
        package = reference.load(api)
        world = World(now=lambda: datetime.now(UTC), random=random.Random(0))
        self.target = Target(api, f"http://127.0.0.1:1/{api}", package.KNOWN, writes=True, embedded=True)
        self._answer = changed(package.create(world), [change] if change else [])

    def send(self, sent: Sent) -> Exchange:
        parts = urlsplit(sent.url)
        headers = tuple((name.lower(), value) for name, value in sent.headers)
        path = parts.path.removeprefix(f"/{self.target.api}")
        reply = self._answer(Request(sent.method, path, parts.query, headers, sent.body, connection="127.0.0.1:2"))
        return Exchange(sent, Answer(reply.status, tuple(reply.headers), reply.body))


def statuses(api: str, change: Change | None) -> list[Any]:
    """The status and the size of every answer to the plain requests of that API, each made thrice."""
    client = Patient(api, change)
    asked, found = Api(client.target, client, run="1"), []
    for operation in contract(api).operations.values():
        for _ in range(3):
            try:
                answer = asked.send(operation, corpus(api, EFFORTS["quick"], 0).base(operation)).answer
            except Lacking:
                continue
            found.append((operation.label, answer.status, len(answer.body)))
    return found


@pytest.mark.parametrize(("api", "change"), FAULTS, ids=[f"{api}.{change.name}" for api, change in FAULTS])
def test_who_waits_for_each_answer_never_meets_one(api: str, change: Change) -> None:
    assert statuses(api, change) == statuses(api, None)


def test_the_references_list_them_apart() -> None:
    command = [sys.executable, "-m", "fixtures.reference", "--list", "--api", "getflow"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    (line,) = [line for line in run.stdout.splitlines() if "loses_one_of_two_updates" in line]
    assert "GETFLOW-REC-2" in line
    assert line.endswith("(under load)")
