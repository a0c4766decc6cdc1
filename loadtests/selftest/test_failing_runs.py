"""A run against a target that violates a clause only under load fails, and all its reports say where and why."""

from __future__ import annotations

import html
import json
import re
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from fixtures.targets import embedded_references
from loadtests.selftest.locust_run import LocustRun, finished_run

pytestmark = pytest.mark.xdist_group("failing-runs")  # one run serves several tests
NOBODY = "127.0.0.1:9"  # no mail is sent by these APIs
SLO = "run: {{errors: 100 %, violations: 0.01 %}}\napis: {{{api}: {{violations: 0.01 %}}}}"
OPTIONS = "--headless --loglevel WARNING --profile smoke --scale 0.3 --rate 80"


BITVIS = """
from loadtests import bitvis

class Bitvis(bitvis.Bitvis):
    def transport(self, *excluded):
        return "websocket"
"""


class Red(NamedTuple):
    """A run against a fault: the objective that it misses, and the operation and clause that its reports must name."""

    run: LocustRun
    rule: str
    place: str  # an operation and its transport, as a pattern
    clause: str

    def text(self, name: str) -> str:
        return html.unescape((self.run.results / name).read_text("utf-8"))

    @property
    def missed(self) -> dict[str, Any]:
        """The objective that names it in verdict.json."""
        objectives = json.loads(self.text("verdict.json"))["objectives"]
        (matching,) = [
            objective for objective in objectives if f"{objective['scope']} {objective['metric']}" == self.rule
        ]
        return dict(matching)


CASES = {
    "getflow.loses_one_of_two_updates": (
        "from loadtests.getflow import Getflow",
        r"getflow GET \S*/tasks/\{task_id\} over http",
        "GETFLOW-REC-2",
    ),
    "bitvis.errorids_come_round_again": (BITVIS, r"bitvis \S+/\S+ [A-Z]+ \(refused\) over websocket", "BITVIS-RESP-8"),
}


@pytest.fixture(scope="module", params=CASES, ids=lambda name: name.partition(".")[0])
def red(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Red:
    api = request.param.partition(".")[0]
    text, place, clause = CASES[request.param]
    folder = tmp_path_factory.mktemp(api)
    slo = folder / "slo.yaml"
    slo.write_text(SLO.format(api=api))
    with embedded_references([api], NOBODY, ["--fault", request.param]) as targets:
        run = finished_run(folder, targets[api].url, text, f"{OPTIONS} --slo {slo}")
    return Red(run, f"{api} violations", place, clause)


def test_the_run_fails(red: Red) -> None:
    assert red.run.process.returncode == 1, red.run.output[-3000:]
    assert json.loads(red.text("verdict.json"))["verdict"] == "fail"


def test_a_log_without_tables_has_verdict_finding_and_curl_line(red: Red) -> None:
    output = red.run.output
    assert "load: fail" in output
    assert re.search(rf"^{red.clause}: ", output, re.MULTILINE)
    assert re.search(r"^ +try it +\S", output, re.MULTILINE)
    assert "corrected (ms)" not in output
    assert "# reqs" not in output


def test_the_margin_says_by_how_much_the_limit_was_missed(red: Red) -> None:
    objective = red.missed
    assert (objective["verdict"], objective["limit"]) == ("fail", 0.0001)
    assert objective["margin"] == pytest.approx((objective["limit"] - objective["measured"]) / objective["limit"])


def test_the_clause_is_counted(red: Red) -> None:
    assert json.loads(red.text("verdict.json"))["clauses_broken"][red.clause] > 0


def test_verdict_json_names_operation_and_clause(red: Red) -> None:
    assert re.search(rf"mostly {red.place}: .*{red.clause}", red.missed["why"])


@pytest.mark.parametrize("name", ["verdict.md", "junit.xml", "load.html"])
def test_the_other_forms_name_rule_operation_and_clause(red: Red, name: str) -> None:
    rows = re.split(r"\n(?=\|)|(?=<testcase)|(?=<tr>)", red.text(name))
    (row,) = [row for row in rows if red.rule in row]
    assert re.search(rf"mostly {red.place}: .*{red.clause}", row)


@pytest.mark.parametrize("name", ["verdict.md", "junit.xml", "load.html"])
def test_the_other_forms_have_the_margin(red: Red, name: str) -> None:
    assert f"{1 - red.missed['margin']:.3g} times the limit" in red.text(name)


def test_junit_counts_what_was_missed(red: Red) -> None:
    verdict = json.loads(red.text("verdict.json"))
    missed = sum(objective["verdict"] == "fail" for objective in verdict["objectives"])
    suite = ElementTree.parse(red.run.results / "junit.xml").getroot()
    assert (suite.get("failures"), missed) == ("2", 2)
    assert suite.get("errors") == str(int(bool(verdict["reasons"])))
