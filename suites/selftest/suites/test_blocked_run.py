"""Runs at targets that lack what tests stand on, or depart in ways that no target file names: real runs and reports."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fixtures import reference
from fixtures.departing.departing_server import departing_server
from fixtures.departing.deployment import Deployment, Incoming, Outgoing, copy_of
from fixtures.departing.deployments import by_name
from suites.harden.departures_matrix import inherited
from suites.selftest.free_port import free_address
from suites.selftest.python_runs import run_module

MAILING = ("flowback",)
pytestmark = pytest.mark.xdist_group("blocked runs")  # several tests read one run
GENERIC = "suites/generic/test_operations.py"
LOST = "suites/generic/test_lost_writes.py"
IGNORED = "suites/generic/test_ignored_parameters.py"


@dataclass(frozen=True)
class BlockedRun:
    """A run: its exit code, what it and the reports printed, and the reports of the API."""

    code: int
    output: str
    report: str
    facts: dict[str, Any]
    junit: ElementTree.Element
    folder: Path

    @property
    def clauses(self) -> list[str]:
        """The clauses of the causes."""
        return [cause["clause"] for cause in self.facts["causes"]]


def run(folder: Path, deployments: Sequence[Deployment], *options: str) -> BlockedRun:
    """A run at these deployments without a target file; the options are those of pytest."""
    api = deployments[0].api
    mail = free_address()
    with departing_server(api, deployments, mail) as server:
        allowed = {f"{api.upper()}_{name}": value for name, value in (("WRITES", "1"), ("RATE", "0"))}
        allowed |= {f"{api.upper()}_SMTP": mail} if api in MAILING else {}
        environ = {**inherited(), **server.environ, **allowed}
        plain = [*options, "-q", "-p", "no:cacheprovider", "--effort", "quick", "-k", api]
        process = run_module("pytest", [*plain, f"--alluredir={folder / 'results'}"], environ, 300)
    reporting = ["--no-html", "--results", str(folder / "results"), "--out", str(folder / "out"), "--expect", api]
    text = run_module("reports", reporting, environ).stdout
    facts = json.loads((folder / "out" / "summary.json").read_text())["apis"][api]
    junit = ElementTree.parse(folder / "out" / "junit.xml").getroot()
    return BlockedRun(process.returncode, process.stdout, text, facts, junit, folder)


@pytest.fixture(
    scope="module",
    params=[pytest.param((), id="one process"), pytest.param(("-n", "2"), id="two workers", marks=pytest.mark.slow)],
)
def refused(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BlockedRun:
    """A run at a target that refuses whatever lacks a header that no document knows."""
    deployments = by_name()["flowback: a needed header"]
    tests = [GENERIC, "suites/flowback/test_errors.py", "suites/flowback/test_get_user.py"]
    return run(tmp_path_factory.mktemp("refused"), deployments, *tests, *request.param)


def test_what_refuses_everything_is_one_cause(refused: BlockedRun) -> None:
    assert refused.clauses == ["FLOWBACK-LIST-1"]
    assert refused.facts["causes"][0]["example"]["received"] == "406: a header is missing"


def test_a_test_fails_only_for_the_broken_clause(refused: BlockedRun) -> None:
    failed = {finding["test"].partition("::")[0] for finding in refused.facts["findings"]}
    assert failed <= {GENERIC, "prerequisites"}
    assert refused.facts["counts"]["blocked"] > refused.facts["counts"]["failed"]
    assert (refused.code, refused.facts["verdict"]) == (1, "fail")


def test_a_list_is_tried_once_in_a_run_and_kept_with_its_exchange(refused: BlockedRun) -> None:
    (path,) = (refused.folder / "results").glob("prerequisites-*-reading.json")
    states = {entry["name"]: (entry["state"], entry["exchange"]) for entry in json.loads(path.read_text())}
    assert {name: state for name, (state, _) in states.items()} == {"key": "ok", "list": "broken"}
    assert "406" in states["list"][1]
    assert reference.load("flowback").KNOWN["TOKEN"] not in path.read_text()
    lines = [line for file in path.parent.glob("outcomes-*.jsonl") for line in file.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    assert [it["node"] for it in records if it["prerequisite"] == "list"] == ["prerequisites::flowback[list]"]


def test_the_console_and_junit_name_what_is_blocked(refused: BlockedRun) -> None:
    (cause,) = refused.facts["causes"]
    assert f"  blocks     {len(cause['blocked'])} tests: " in refused.report
    assert " blocked" in refused.output.splitlines()[-1]
    cases = {it.get("name"): it.find("skipped[@type='blocked']") for it in refused.junit.iter("testcase")}
    reasons = {name: it.get("message", "") for name, it in cases.items() if it is not None}
    assert set(cause["blocked"]) == {name for name in reasons if not str(name).startswith("prerequisites::")}
    assert all(reason.startswith("blocked by FLOWBACK-LIST-1, cause ") for reason in reasons.values())


def test_the_console_says_what_the_letters_stand_for(refused: BlockedRun) -> None:
    last_line = refused.output.splitlines()[-1]
    letters = re.search(r"^of (\d+) tests with the letter F, (\d+) failed; (\d+) were blocked", refused.output, re.M)
    assert letters is not None
    assert int(letters[1]) == int(letters[2]) + int(letters[3])
    assert f"{letters[2]} failed" in last_line


REFUSED = Outgoing(401, [("Content-Type", "application/json")], {"code": 401, "message": "no"}, b"")
KEYLESS = [Deployment("refuses keys", "flowapp", "", lambda _: copy_of(REFUSED))]


def test_a_refused_key_is_one_cause(tmp_path: Path) -> None:
    result = run(tmp_path, KEYLESS, GENERIC, "suites/flowapp/test_surveys.py")
    assert result.clauses == ["FLOWAPP-AUTH-1"]
    assert result.facts["counts"]["blocked"] > result.facts["counts"]["failed"]


def test_a_departure_that_the_preflight_knows_hides_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, by_name()["flowapp: slashes"], GENERIC, "suites/flowapp/test_events_list.py")
    assert result.clauses == ["FLOWAPP-LIST-1"]
    assert result.facts["counts"].get("blocked", 0) == 0
    assert result.facts["counts"]["failed"] == 1, "the departure itself"
    assert result.code == 1
    assert "the run goes on with trailing_slash: always, which is a finding" in result.output


@pytest.mark.slow
def test_workers_go_on_with_it_as_well(tmp_path: Path) -> None:
    tests = "suites/flowapp/test_events_list.py"
    result = run(tmp_path, by_name()["flowapp: slashes"], tests, "suites/flowapp/test_operator_list.py", "-n", "2")
    assert (result.clauses, result.facts["counts"]["failed"]) == (["FLOWAPP-LIST-1"], 1)


def _wrap_lists(incoming: Incoming, outgoing: Outgoing) -> None:
    members = outgoing.value if isinstance(outgoing.value, dict) else {}
    if incoming.method == "GET" and isinstance(members.get("data"), list):
        outgoing.value = {"code": members.get("code"), "result": {"items": members["data"]}}


def _answer_creations_without_a_body(incoming: Incoming, outgoing: Outgoing) -> None:
    if incoming.method == "POST" and incoming.path.endswith("/event") and outgoing.status < 300:
        outgoing.status, outgoing.value, outgoing.body = 202, None, b""
        outgoing.headers = [pair for pair in outgoing.headers if pair[0].lower() != "content-type"]


def test_two_departures_that_nobody_has_named_are_two_causes(tmp_path: Path) -> None:
    deployments = [
        Deployment("wrapped lists", "flowapp", "", answer=_wrap_lists),
        Deployment("creations without a body", "flowapp", "", answer=_answer_creations_without_a_body),
    ]
    tests = ("list", "info", "creation")
    result = run(tmp_path, deployments, GENERIC, *(f"suites/flowapp/test_event{_plural(it)}.py" for it in tests))
    causes = {cause["operations"][0]: cause for cause in result.facts["causes"]}
    assert sorted(causes) == ["GET /api/v1/events/sessions", "POST /api/v1/event"]
    assert causes["POST /api/v1/event"]["blocked"]


def _plural(name: str) -> str:
    return f"_{name}" if name == "creation" else f"s_{name}"


def _ignore_parameters(incoming: Incoming) -> None:
    dropped = {"/user": ("id",), "/users": ("limit",)}.get(incoming.path, ())
    incoming.query = [pair for pair in incoming.query if pair[0] not in dropped]


def _lose_updates(incoming: Incoming) -> None:
    if incoming.method == "PUT" and isinstance(incoming.value, dict):
        incoming.value = {kind: {"name": "lost"} for kind in incoming.value}


def _rename_envelopes(_: Incoming, outgoing: Outgoing) -> None:
    if isinstance(outgoing.value, dict):
        outgoing.value = {"result": {"items": outgoing.value}}


def test_a_lost_write_is_blamed_without_the_envelope(tmp_path: Path) -> None:
    deployments = [Deployment("loses", "getflow", "", _lose_updates, _rename_envelopes)]
    result = run(tmp_path, deployments, LOST)
    warned = {it["test"].partition("::")[2].partition("[")[0] for it in result.facts["warnings"]}  # it is inferred
    assert "test_what_was_updated_is_there_beside_the_rest" in warned
    assert "test_what_was_created_is_there" not in warned


def _answer_with_bare_lists(_: Incoming, outgoing: Outgoing) -> None:
    if isinstance(outgoing.value, dict) and "data" in outgoing.value:
        rows = [{**row, "ID": row.pop("id")} for row in outgoing.value["data"]]
        outgoing.value = {"pages": 9, "page": {"rows": rows}} if outgoing.value.get("count", 1) else outgoing.value


def test_an_ignored_id_and_an_ignored_limit_are_blamed_without_the_envelope(tmp_path: Path) -> None:
    deployments = [Deployment("ignores", "flowback", "", _ignore_parameters, _answer_with_bare_lists)]
    result = run(tmp_path, deployments, IGNORED)
    failed = {finding["test"].partition("::")[2].partition("[")[0]: finding for finding in result.facts["findings"]}
    assert {"test_a_page_is_no_larger_than_asked_for", "test_another_id_shows_another_record"} <= set(failed)
