"""Load faults: a load run finds them, and a single client that waits for each response does not."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import contracts
from contracts.exchange import Exchange, Request, Response
from contracts.openapi import load_contract
from fixtures import reference
from fixtures.corpus import EFFORTS, corpus
from fixtures.reference.protocol import Change, World, handler_with_changes
from fixtures.reference.protocol import Request as ServedRequest
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import Target
from loadtests.selftest.locust_run import PATIENCE, server

ROOT = Path(__file__).parents[2]
SAMPLE = 2  # faults of each API; `python -m loadtests.proof` tries all
TrialsOf = Callable[[str], list[dict[str, Any]]]
FAULTS = [(api, change) for api in contracts.apis() for change in reference.load(api).LOAD_FAULTS.values()]


@pytest.fixture(scope="module")
def trials_of(tmp_path_factory: pytest.TempPathFactory) -> TrialsOf:
    """The trials of a sample of an API's faults, run once."""

    @cache
    def trials(api: str) -> list[dict[str, Any]]:
        out = tmp_path_factory.mktemp("prove") / "trials.json"
        command = [sys.executable, "-m", "loadtests.proof", "--api", api, "--sample", str(SAMPLE), "--json", str(out)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        assert out.exists(), run.stdout[-3000:] + run.stderr[-3000:]
        records: list[dict[str, Any]] = json.loads(out.read_text())
        return records

    return trials


@pytest.mark.slow
@pytest.mark.parametrize("api", contracts.apis())
def test_a_load_run_finds_each_fault_on_its_clause(api: str, trials_of: TrialsOf) -> None:
    verdicts = {trial["change"]: trial["verdict"] for trial in trials_of(api) if trial["kind"] == "fault"}
    expected = min(SAMPLE, len(reference.load(api).LOAD_FAULTS))
    assert list(verdicts.values()) == ["caught"] * expected, verdicts


@pytest.mark.slow
@pytest.mark.parametrize("api", contracts.apis())
def test_a_load_run_finds_nothing_on_an_unchanged_reference(api: str, trials_of: TrialsOf) -> None:
    (honest,) = [trial for trial in trials_of(api) if trial["kind"] == "honest"]
    assert honest["failures"] == honest["blamed"] == []
    assert honest["requests"] > 100


@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback", "getflow"])
def test_the_four_vendors_apis_have_faults_under_load(api: str) -> None:
    assert len(reference.load(api).LOAD_FAULTS) >= 3


def test_there_are_forty_load_faults() -> None:
    assert len(FAULTS) >= 40


@pytest.mark.parametrize("api", contracts.apis())
def test_load_faults_are_no_faults_of_the_suites(api: str) -> None:
    package = reference.load(api)
    assert not set(package.LOAD_FAULTS) & set(package.FAULTS)
    assert {change.kind for change in package.LOAD_FAULTS.values()} <= {"load fault"}


class PatientClient:
    """One client on one connection of a reference in this process, to which `change` applies."""

    def __init__(self, api: str, change: Change | None) -> None:
        package = reference.load(api)
        world = World(now=lambda: datetime.now(UTC), random=random.Random(0))
        self.target = Target(api, f"http://127.0.0.1:1/{api}", package.KNOWN, writes=True, embedded=True)
        self._answer = handler_with_changes(package.create(world), [change] if change else [])

    def send(self, sent: Request) -> Exchange:
        parts = urlsplit(sent.url)
        headers = tuple((name.lower(), value) for name, value in sent.headers)
        path = parts.path.removeprefix(f"/{self.target.api}")
        reply = self._answer(
            ServedRequest(sent.method, path, parts.query, headers, sent.body, connection="127.0.0.1:2")
        )
        return Exchange(sent, Response(reply.status, tuple(reply.headers), reply.body))


def statuses(api: str, change: Change | None) -> list[Any]:
    """Status and size of every response to the minimal requests of that API, each made three times."""
    client = PatientClient(api, change)
    target_api, responses = Api(client.target, client, run="1"), []
    for operation in load_contract(api).operations.values():
        for _ in range(3):
            try:
                response = target_api.send(operation, corpus(api, EFFORTS["quick"], 0).minimal(operation)).response
            except MissingPrecondition:
                continue
            responses.append((operation.label, response.status, len(response.body)))
    return responses


@pytest.mark.parametrize(("api", "change"), FAULTS, ids=[f"{api}.{change.name}" for api, change in FAULTS])
def test_a_client_that_waits_for_each_response_never_meets_one(api: str, change: Change) -> None:
    assert statuses(api, change) == statuses(api, None)


def test_the_references_list_them_separately() -> None:
    run = server().run("fixtures.reference", ["--list", "--api", "getflow"], os.environ, PATIENCE)
    (line,) = [line for line in run.stdout.splitlines() if "loses_one_of_two_updates" in line]
    assert "GETFLOW-REC-2" in line
    assert line.endswith("(under load)")
