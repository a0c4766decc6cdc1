"""A run against a target that breaks a promise only under load is red, and everything it leaves says where and why."""

from __future__ import annotations

import html
import json
import re
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from fixtures.targets import embedded
from loadtests.selftest.trial import Trial, ended

NOBODY = "127.0.0.1:9"  # no mail is sent by these APIs
SLO = "run: {{errors: 100 %, violations: 0.01 %}}\napis: {{{api}: {{violations: 0.01 %}}}}"
OPTIONS = "--headless --loglevel WARNING --profile smoke --scale 0.4 --rate 80"


BITVIS = """
from loadtests import bitvis

class Bitvis(bitvis.Bitvis):
    def way(self, *but):
        return "websocket"
"""


class Red(NamedTuple):
    """A run that met a fault: what is said of it beside the figures, by file, and whom it should blame."""

    trial: Trial
    rule: str
    place: str  # an operation and its transport, as a pattern
    clause: str

    def text(self, name: str) -> str:
        return html.unescape((self.trial.results / name).read_text("utf-8"))

    @property
    def missed(self) -> dict[str, Any]:
        """The objective that names it in verdict.json."""
        objectives = json.loads(self.text("verdict.json"))["objectives"]
        (found,) = [one for one in objectives if f"{one['scope']} {one['metric']}" == self.rule]
        return dict(found)


CASES = {
    "getflow.loses_one_of_two_updates": (
        "from loadtests.getflow import Getflow",
        r"GET \S*/tasks/\{task_id\} over http",
        "GETFLOW-REC-2",
    ),
    "bitvis.errorids_come_round_again": (BITVIS, r"\S+/\S+ [A-Z]+ \(refused\) over websocket", "BITVIS-RESP-8"),
}


@pytest.fixture(scope="module", params=CASES, ids=lambda name: name.partition(".")[0])
def red(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Red:
    api = request.param.partition(".")[0]
    text, place, clause = CASES[request.param]
    folder = tmp_path_factory.mktemp(api)
    slo = folder / "slo.yaml"
    slo.write_text(SLO.format(api=api))
    with embedded([api], NOBODY, ["--fault", request.param]) as targets:
        trial = ended(folder, targets[api].url, text, f"{OPTIONS} --slo {slo}")
    return Red(trial, f"{api} violations", place, clause)


def test_it_fails(red: Red) -> None:
    assert red.trial.process.returncode == 1, red.trial.output[-3000:]
    assert json.loads(red.text("verdict.json"))["verdict"] == "fail"


def test_a_log_without_tables_has_verdict_finding_and_curl_line(red: Red) -> None:
    said = red.trial.output
    assert "load: fail" in said
    assert re.search(rf"^{red.clause}: ", said, re.MULTILINE)
    assert re.search(r"^ +try it +\S", said, re.MULTILINE)
    assert "corrected (ms)" not in said
    assert "# reqs" not in said


def test_the_margin_says_by_how_much_the_limit_was_missed(red: Red) -> None:
    one = red.missed
    assert (one["verdict"], one["limit"]) == ("fail", 0.0001)
    assert one["margin"] == pytest.approx((one["limit"] - one["measured"]) / one["limit"])


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
def test_the_other_forms_tell_the_margin(red: Red, name: str) -> None:
    assert f"{red.missed['margin']:+.0%}" in red.text(name)


def test_junit_counts_what_was_missed(red: Red) -> None:
    suite = ElementTree.parse(red.trial.results / "junit.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("2", "0")
