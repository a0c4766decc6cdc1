"""Runs the suites and a load run against every departing deployment, and looks for its departures and nothing else.

Rule: with the target file that says how a deployment departs, exactly these departures are known findings and nothing
else is found. Without it, the preflight proposes the line to write, where a few requests can find it out; then exactly
these departures are findings, each as one cause, and nothing is blocked by them.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from fixtures.corpus.request_fields import needs_mail
from fixtures.departing.departing_server import ENGINE_PATH, departing_server, write_target_file
from fixtures.departing.deployment import Deployment
from fixtures.departing.deployments import by_name
from reports.results.verdicts import EXIT_CODES
from suites.harden.measured_process import MeasuredProcess, run_measured
from suites.harden.misuse_matrix import INHERITED

CONTRACT, LOAD, PREFLIGHT, UNAIDED = "contract", "load", "preflight", "unaided"
MODES = (CONTRACT, LOAD, PREFLIGHT, UNAIDED)
ALONE = (PREFLIGHT, UNAIDED)  # modes without a target file
PROPOSED = (  # what the preflight can find out; a constant header or the name of a key's header cannot be guessed
    "another scheme",
    "slashes",
    "another prefix",
    "a member's name",
    "an envelope's name",
    "nested members",
    "no slashes",
    "another media type",
    "login by mail",
    "other records",
)
NOT_SHOWN = (
    "getflow: a member's name",  # answers with another member in place of an optional one keep the document
    "getflow: other records",  # nothing is listed of an organisation that is not there
    "bitvis: other records",  # no list has points of presence
)
SELECTION = "test_documented_requests"  # of the suites, in runs whose preflight matters
PASS = "pass"
KILL_AFTER = 1_200.0  # seconds: a run that hangs is killed, and fails
PROFILES, OBJECTIVES = Path(__file__).with_name("profiles.yaml"), Path(__file__).with_name("slo.yaml")
INCONCLUSIVE = EXIT_CODES["inconclusive"]  # of a load run on a busy machine


def names() -> list[str]:
    """Every deployment, alone and in sets, in each mode, as "deployment, mode"."""
    known = by_name().items()
    return [f"{name}, {mode}" for name, deployments in known for mode in MODES if _is_tried(name, deployments, mode)]


def _is_tried(name: str, deployments: Sequence[Deployment], mode: str) -> bool:
    is_found_out = all(it.name in PROPOSED and it.name != "login by mail" for it in deployments)
    return mode not in ALONE or (is_found_out and name not in NOT_SHOWN)


def run(name: str, folder: Path, selection: str = "") -> list[str]:
    """What is wrong with a run against that deployment; `selection` chooses tests of its API."""
    deployment, _, mode = name.rpartition(", ")
    deployments = by_name()[deployment]
    api = deployments[0].api
    folder.mkdir(parents=True, exist_ok=True)
    smtp = f"127.0.0.1:{_free_port()}" if needs_mail(load_contract(api)) else ""
    with departing_server(api, deployments, smtp) as server:
        environ = {**inherited(), **server.environ, **_allowed(api, smtp), **_engine(api, server.url)}
        if mode not in ALONE:
            environ[f"{api.upper()}_TARGET"] = str(write_target_file(folder / "target.yaml", deployments))
            for name in _settings_in_file(deployments):
                environ.pop(f"{api.upper()}_{name}", None)
        if mode == LOAD:
            return list(_load_problems(api, deployments, folder, environ))
        chosen = f"{api} and ({selection or (SELECTION if mode == PREFLIGHT else api)})"
        process = _run_contract(api, folder, environ, chosen)
        if mode in ALONE:
            problems = _preflight_problems(deployments, process)
            return [*problems, *(_cause_problems(api, deployments, folder) if mode == UNAIDED else ())]
        return list(_contract_problems(api, deployments, folder, process))


def _settings_in_file(deployments: Sequence[Deployment]) -> Iterator[str]:
    """The settings that the target file has, in which the environment would win."""
    for deployment in deployments:
        yield from () if deployment.is_departure else yaml.safe_load(deployment.entry)["settings"]


def _departures(deployments: Sequence[Deployment]) -> int:
    return sum(deployment.is_departure for deployment in deployments)


def inherited() -> dict[str, str]:
    """The environment without settings of targets."""
    return {variable: value for variable, value in os.environ.items() if variable in INHERITED}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _allowed(api: str, smtp: str) -> dict[str, str]:
    """The variables that let a run do everything there, as fast as it can."""
    values = {"WRITES": "1", "RATE": "0", **({"SMTP": smtp} if smtp else {})}
    permit = {"LOAD_PERMITTED_BY": f"hardening, {date.today()}"}
    return {**permit, **{f"{api.upper()}_{name}": value for name, value in values.items()}}


def _engine(api: str, url: str) -> dict[str, str]:
    """The variable that has calls sent through the deployment's deepstream engine as well."""
    is_called = load_rpc_contract(api) is not None
    return {f"{api.upper()}_DEEPSTREAM": url.replace("http", "ws", 1) + ENGINE_PATH} if is_called else {}


def _run_contract(api: str, folder: Path, environ: Mapping[str, str], selection: str) -> MeasuredProcess:
    results = folder / "results"
    options = ["-q", "-p", "no:cacheprovider", "--effort", "quick", f"--alluredir={results}", "-k", selection]
    process = run_measured(["-m", "pytest", "suites", *options], environ, folder / "pytest.txt", KILL_AFTER)
    judging = ["-m", "reports", "--no-html", "--results", str(results), "--out", str(folder / "out"), "--expect", api]
    run_measured(judging, environ, folder / "verdict.txt", KILL_AFTER)
    return process


def _contract_problems(
    api: str, deployments: Sequence[Deployment], folder: Path, process: MeasuredProcess
) -> Iterator[str]:
    if process.code != 0:
        yield f"pytest: exit code {process.code}, expected 0; {folder / 'pytest.txt'}"
    summary = json.loads((folder / "out" / "summary.json").read_text())
    facts = summary["apis"][api]
    yield from (f"found {finding['message']}" for finding in facts["findings"])
    known = [finding["message"] for finding in facts["known"]]
    if len(known) != _departures(deployments):
        yield f"{len(known)} known findings, expected {_departures(deployments)}: {known}"
    yield from (f"expected to be needed: {message}" for message in known if "no longer needed" in message)
    if summary["verdict"] != PASS:
        yield f"verdict {summary['verdict']}, expected {PASS}: {facts['reasons']}"


def _cause_problems(api: str, deployments: Sequence[Deployment], folder: Path) -> Iterator[str]:
    """What is wrong with a run that nobody has told of the departures: each is one cause, and all else is tested."""
    facts = json.loads((folder / "out" / "summary.json").read_text())["apis"][api]
    causes = [f"{cause['clause']} at {cause['example']['slot']}" for cause in facts["causes"]]
    if len(causes) != _departures(deployments):
        yield f"{len(causes)} causes, expected {_departures(deployments)}: {causes}"
    yield from (f"found {it['message']}" for it in facts["findings"] if not it["test"].startswith("departures::"))
    if blocked := facts["counts"].get("blocked", 0):
        yield f"{blocked} tests were blocked, expected none"


def _load_problems(
    api: str, deployments: Sequence[Deployment], folder: Path, environ: Mapping[str, str]
) -> Iterator[str]:
    command = ["-m", "locust", "-f", f"loadtests/{api}.py", "--headless", "--profiles", str(PROFILES)]
    command += ["--profile", "hostile", "--slo", str(OBJECTIVES), "--results", str(folder / "load")]
    process = run_measured(command, environ, folder / "load.txt", KILL_AFTER)
    if process.code not in (0, INCONCLUSIVE):
        yield f"load: exit code {process.code}, expected 0; {folder / 'load.txt'}"
    known = process.output.count(f"{api} known: ")
    if known != _departures(deployments):
        yield f"{known} lines with known departures, expected {_departures(deployments)}"


def _preflight_problems(deployments: Sequence[Deployment], process: MeasuredProcess) -> Iterator[str]:
    proposed = list(_proposed(process.output))
    for deployment in deployments:
        expected = yaml.safe_load(deployment.entry)
        if expected not in proposed:
            yield f"expected the preflight to propose {deployment.entry}, got {proposed}"


def _proposed(output: str) -> Iterator[Any]:
    """The departures in the lines of the preflight, each as keyword and value."""
    moved: dict[str, str] = {}
    for line in output.splitlines():
        if line.startswith("  settings: "):
            yield yaml.safe_load(line)
        if line.startswith("  - "):
            entry = yaml.safe_load(line.removeprefix("  - "))
            yield entry
            if "move" in entry:  # one after the other, where the list and the single record are nested
                moved |= entry["move"]["answer"]
                yield {"move": {"answer": dict(moved)}}
            for side, names in entry.get("rename", {}).items() if isinstance(entry, dict) else ():
                yield {"rename": {side: {old.rpartition("/")[2]: new for old, new in names.items()}}}
