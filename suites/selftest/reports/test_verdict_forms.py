"""The verdict of a load run as table, Markdown, JSON and JUnit, letter by letter, from a run made in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from reports import summary
from reports.load.load_result import LoadResult
from reports.load.load_run import LoadRun
from reports.load.load_verdict import LoadVerdict
from reports.load.missed_objectives import brief_lines, markdown_lines
from reports.load.objective_outcomes import Outcome
from reports.load.operation_statistics import OperationStatistics
from reports.load.scope import AS_STEP
from reports.load.slo import Objective, ObjectivesFile, Scope
from reports.load.verdict_junit import junit
from reports.load.verdict_text import (
    console_lines,
    evidence_lines,
    format_value,
    markdown,
    outcome_cells,
    search_lines,
    to_facts,
    to_json,
)
from reports.results.records import RunRecords
from suites.selftest.reports.load_sample import tally

MS = 1_000_000
P95 = Objective(Scope("run"), "p95", 100 * MS, 3, "corrected", 95.0)
ERRORS = Objective(Scope("run"), "errors", 0.01, 2)
RATE = Objective(Scope("api", "getflow"), "throughput", 50.0, 5)
OF_OPERATION = Objective(Scope("operation", "getflow", "GET /tasks"), "max", 2_000 * MS, 7, "corrected", 100.0)
OF_JOURNEY = Objective(Scope("journey", "", "visit"), "p99", 5_000 * MS, 9, "corrected", 99.0)
MET, MISSED = Outcome(P95, "pass", 20.0 * MS), Outcome(ERRORS, "fail", 0.25, "mostly a|b: <i>\nc")
UNKNOWN = Outcome(RATE, "inconclusive", None, "no request was made")


def judged(
    *outcomes: Outcome,
    verdict: str = "pass",
    reasons: tuple[str, ...] = (),
    operations: tuple[OperationStatistics, ...] = (),
    journeys: tuple[OperationStatistics, ...] = (),
    seconds: float = 10.0,
    search: dict[str, Any] | None = None,
) -> LoadVerdict:
    """A verdict of a run in memory."""
    result = LoadResult("evening", 0.0, None, 1, seconds, operations=list(operations), journeys=list(journeys))
    if search is not None:
        result.notes = {"breakpoint": {"search": search}}
    run = LoadRun(Path("run"), {"apis": ["getflow"]}, result, True, (), ())
    return LoadVerdict(run, ObjectivesFile(Path("slo.yaml"), ()), outcomes, reasons, verdict)


VIOLATED = tally("GET /tasks", [20.0] * 199 + [40.0], {"GETFLOW-ERR-1: x": 2, "status 500": 1})


@pytest.mark.parametrize(
    ("objective", "value", "text"),
    [
        (P95, 12.3456 * MS, "12.3 ms"),
        (P95, 999.4 * MS, "999 ms"),
        (P95, 1_000.0 * MS, "1 s"),
        (P95, 12_345.6 * MS, "12.35 s"),
        (RATE, 123.4567, "123.46 /s"),
        (ERRORS, 0.12345, "12.3 %"),
        (ERRORS, 0.0, "0 %"),
    ],
)
def test_value_has_the_unit_of_its_metric(objective: Objective, value: float, text: str) -> None:
    assert format_value(objective, value) == text


@pytest.mark.parametrize(
    ("outcome", "cells"),
    [
        (MET, ("run p95", "at most 100 ms", "20 ms", "80 % to spare", "pass")),
        (MISSED, ("run errors", "at most 1 %", "25 %", "25 times the limit", "fail")),
        (Outcome(ERRORS, "fail", 0.0138), ("run errors", "at most 1 %", "1.38 %", "38 % too much", "fail")),
        (Outcome(RATE, "fail", 40.0), ("getflow throughput", "at least 50 /s", "40 /s", "20 % too little", "fail")),
        (UNKNOWN, ("getflow throughput", "at least 50 /s", "-", "-", "inconclusive")),
        (Outcome(OF_JOURNEY, "pass", 1.0), ("journey visit p99", "at most 5 s", "1e-06 ms", "100 % to spare", "pass")),
    ],
)
def test_outcome_is_a_row(outcome: Outcome, cells: tuple[str, ...]) -> None:
    assert outcome_cells(outcome) == cells


def test_console_has_table_reasons_clauses_and_verdict() -> None:
    verdict = judged(MET, MISSED, UNKNOWN, verdict="fail", reasons=("1 of 2 workers played",), operations=(VIOLATED,))
    assert console_lines(verdict) == [
        "objective           limit           measured  margin              verdict",
        "run p95             at most 100 ms  20 ms     80 % to spare       pass",
        "run errors          at most 1 %     25 %      25 times the limit  fail",
        "getflow throughput  at least 50 /s  -         -                   inconclusive",
        "  run errors: mostly a|b: <i>\nc",
        "  getflow throughput: no request was made",
        "  1 of 2 workers played",
        "  GETFLOW-ERR-1 broken 2 times",
        "  200 requests: good",
        "  3 requests: no response",
        "  2 failed: GETFLOW-ERR-1: x",
        "  1 failed: status 500",
        "load: fail: 3 objectives, 1 missed; an objective was missed",
    ]


def test_report_repeats_what_was_missed_and_no_table() -> None:
    verdict = judged(MET, MISSED, UNKNOWN, verdict="fail", reasons=("1 of 2 workers played",))
    assert brief_lines(verdict) == [
        f"  run errors: at most 1 %, measured 25 %, 25 times the limit; {MISSED.why}",
        "  1 of 2 workers played",
        "load: fail: 3 objectives, 1 missed; an objective was missed",
    ]


def test_summary_lists_missed_objectives() -> None:
    records = RunRecords((), None, ())
    of_loads = {"smoke": markdown_lines(judged(MET, MISSED, verdict="fail"))}
    page = summary.markdown([], records, "fail", loads={"smoke": "fail", "evening": "pass"}, of_loads=of_loads)
    expected = (
        "- smoke: ❌ fail\n  - run errors: at most 1 %, measured 25 %, 25 times the limit; mostly a|b: &lt;i> c\n"
    )
    assert expected + "- evening: ✅ pass" in page


@pytest.mark.parametrize(
    ("verdict", "meaning"),
    [
        ("pass", "every objective was met"),
        ("broken", "our own part failed, so nothing is sure"),
        ("inconclusive", "not enough evidence"),
    ],
)
def test_last_line_says_what_the_verdict_means(verdict: str, meaning: str) -> None:
    assert console_lines(judged(verdict=verdict))[-1] == f"load: {verdict}: 0 objectives, 0 missed; {meaning}"


@pytest.mark.parametrize("verdict", ["unreachable", "misuse"])
def test_run_that_ended_before_its_first_journey_has_one_line(verdict: str) -> None:
    assert console_lines(judged(verdict=verdict, reasons=("a", "b"))) == [f"load: {verdict}: a; b"]
    assert console_lines(judged(MET, verdict=verdict, reasons=("a", "b")))[-3:-1] == ["  a", "  b"]


@pytest.mark.parametrize(
    ("measured", "margin"),
    [(0.01, "0 % to spare"), (0.0199, "99 % too much"), (0.02, "2 times the limit"), (0.029, "2.9 times the limit")],
)
def test_a_limit_that_is_reached_is_kept(measured: float, margin: str) -> None:
    assert outcome_cells(Outcome(ERRORS, "pass", measured))[3] == margin


def with_evidence() -> LoadVerdict:
    """A run whose users waited, sent requests again, were turned away, and found an accepted violation."""
    limited = tally("GET /tasks", [20.0] * 3, {"status 429": 1})
    limited.statuses, limited.resent = {"429": 1}, 4
    verdict = judged(MET, operations=(limited,))
    accepted = [{"id": "0123456789ab", "reason": "ticket 812", "by": "Ann", "until": "2027-03-01"}]
    verdict.run.plan["acceptances"] = {"getflow": {"file": "a.yaml", "day": "2026-11-29", "entries": accepted}}
    verdict.run.result.health = {
        "w1": {"backoffs": 2, "backoff_s": 1.25},
        "w2": {"backoffs": 1, "backoff_s": 0.5},
        "w3": {},
    }
    cause = {"api": "getflow", "clause": "GETFLOW-ERR-1", "what": "x <y", "number": 2, "command": COMMAND}
    causes = [cause | {"id": name} for name in ACCEPTED]
    verdict.run.result.notes = {
        "causes": {"w1": causes},
        "judging": {"w1": {"mode": "all", "validated": 3, "answers": 4}},
    }
    return verdict


ACCEPTED = {"0123456789ab": "until 2027-03-01: ticket 812 (Ann)", "ba9876543210": ""}
EVIDENCE = [
    "3 of 4 responses were validated by their contract (all)",
    "users waited 3 times, 1.75 s in all, before they connected again to a target that refused",
    "4 requests were sent again, since the server closed their reused connections before a response",
]
COMMAND = "printf 'a' | curl --data-binary @- 'http://127.0.0.1:1/<a|b>'"
VIOLATIONS = [
    "accepted until 2027-03-01: ticket 812 (Ann); cause 0123456789ab, 2 times: GETFLOW-ERR-1: x <y",
    "cause ba9876543210, 2 times: GETFLOW-ERR-1: x <y",
]
SHOWN_VIOLATIONS = [line for violation in VIOLATIONS for line in (violation, f"  try it  {COMMAND}")]


def test_verdict_says_what_it_is_based_on() -> None:
    assert evidence_lines(with_evidence()) == EVIDENCE
    assert evidence_lines(judged(MET)) == []


def test_console_and_report_say_how_to_try_each_violation() -> None:
    for lines in (console_lines(with_evidence()), brief_lines(with_evidence())):
        assert [line.removeprefix("  ") for line in lines][-5:-1] == SHOWN_VIOLATIONS


def test_page_has_evidence_and_causes() -> None:
    page = markdown(with_evidence())
    listed = "\n".join(f"- {line}" for line in EVIDENCE)
    for line in VIOLATIONS:
        assert f"\n- {line.replace('<', '&lt;')}\n\n  ```sh\n  {COMMAND}\n  ```\n" in page
    assert f"\n\n## Evidence\n\n{listed}\n" in page
    assert "\n\n## Violations\n\n- accepted until" in page
    assert "\n\n## Causes\n\n- turned away (429): 1 of 4 requests\n" in page


@pytest.mark.parametrize(("owner", "shown"), [(AS_STEP, True), ("getflow", False)])
def test_page_explains_steps_and_tags_where_there_are_any(owner: str, shown: bool) -> None:
    verdict = judged(MET)
    verdict.run.result.journeys = [OperationStatistics("a", owner)]
    verdict.run.result.journeys[0].corrected.record_many([1])
    assert ("Steps count from their begin" in markdown(verdict)) is shown


def test_facts_name_what_is_accepted_and_validated() -> None:
    facts = to_facts(with_evidence())
    assert {cause["id"]: cause["accepted"] for cause in facts["violation_causes"]} == ACCEPTED
    assert facts["validated"] == {"mode": "all", "validated": 3, "responses": 4}
    assert facts["causes"] == ["turned away (429): 1 of 4 requests"]


@pytest.mark.parametrize(
    ("note", "lines"),
    [
        (None, []),
        ({}, []),
        (
            {"highest": 123.456, "missed": None, "limited_by": ""},
            ["highest rate that keeps the objectives: 123.5 journeys/s"],
        ),
        (
            {"highest": 10.0, "missed": 12.5, "limited_by": "GET /tasks (run p95)"},
            [
                "highest rate that keeps the objectives: 10 journeys/s",
                "at 12.5 journeys/s they are missed: GET /tasks (run p95)",
            ],
        ),
        (
            {"highest": 0.0, "missed": 1.23456, "limited_by": ""},
            [
                "highest rate that keeps the objectives: 0 journeys/s",
                "at 1.235 journeys/s they are missed: not always by the same",
            ],
        ),
    ],
)
def test_search_is_described_by_its_highest_and_its_missed_rate(note: dict[str, Any] | None, lines: list[str]) -> None:
    verdict = judged(search=note)
    assert search_lines(verdict) == lines
    assert console_lines(verdict)[1:-1] == lines


JOURNEY = tally("read_all", [10.0] * 99 + [1_234.567], {"status 500": 1})
JOURNEY.transport = "getflow"
PAGE = """\
# load: ❌ fail

An objective was missed.

| objective | limit | measured | margin | verdict | |
|---|--:|--:|--:|---|---|
| run p95 | at most 100 ms | 20 ms | 80 % to spare | ✅ pass |  |
| run errors | at most 1 % | 25 % | 25 times the limit | ❌ fail | mostly a\\|b: &lt;i> c |

## Highest rate

- highest rate that keeps the objectives: 7 journeys/s

## Also

- 1 of 2 &lt;workers> played

## Clauses broken

- GETFLOW-ERR-1: 2 times

## Statuses and reasons

| status | requests |
|---|--:|
| good | 200 |
| no response | 3 |

| reason of failure | requests |
|---|--:|
| GETFLOW-ERR-1: x | 2 |
| status 500 | 1 |

## Journeys

Times in ms from when a journey was due to its end, if all its responses were good; max is of all journeys.

| journey | of | played | failed | per s | p50 | p95 | p99 | p99.9 | max |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|
| read_all | getflow | 101 | 1 | 10.1 | 10.01 | 10.01 | 10.01 | 1235 | 1235 |

## Operations

Times in ms of good responses, from when they were due; max also of failed ones; service from the send.

| operation | transport | requests | failed | per s | p50 | p95 | p99 | p99.9 | max | service p99 |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| GET /tasks | http | 203 | 3 | 20.3 | 20.02 | 20.02 | 20.02 | 40 | 40 | 10.01 |
"""


def test_page_has_objectives_reasons_and_figures() -> None:
    verdict = judged(
        MET,
        MISSED,
        verdict="fail",
        reasons=("1 of 2 <workers> played",),
        operations=(VIOLATED,),
        journeys=(JOURNEY,),
        search={"highest": 7.0, "missed": None, "limited_by": ""},
    )
    assert markdown(verdict) == PAGE


def test_page_without_journeys_and_reasons_has_the_operations_alone() -> None:
    page = markdown(judged(MET, operations=(tally("GET /tasks", [2.0]),), seconds=0.0))
    assert [line for line in page.splitlines() if line.startswith("#")] == ["# load: ✅ pass", "## Operations"]
    assert page.endswith("| GET /tasks | http | 1 | 0 | 0.0 | 2 | 2 | 2 | 2 | 2 | 1 |\n")


def test_reasons_of_a_run_that_is_no_evidence_are_named_so() -> None:
    page = markdown(judged(MET, verdict="inconclusive", reasons=("the run was cut short",)))
    assert "\n\n## Why the run is no evidence\n\n- the run was cut short\n" in page


def test_facts_have_names_units_and_figures() -> None:
    outcomes = (
        MET,
        MISSED,
        UNKNOWN,
        Outcome(OF_OPERATION, "fail", 3_000.0 * MS),
        Outcome(OF_JOURNEY, "pass", 1.0 * MS),
    )
    note = {"highest": 7.0, "missed": None, "limited_by": ""}
    verdict = judged(*outcomes, verdict="fail", reasons=("x",), operations=(VIOLATED,), search=note)
    facts = to_facts(verdict)
    objectives = facts.pop("objectives")
    assert facts == {
        "verdict": "fail",
        "exit_code": 1,
        "run": "evening",
        "apis": ["getflow"],
        "seconds": 10.0,
        "judged_seconds": 10.0,
        "reasons": ["x"],
        "clauses_broken": {"GETFLOW-ERR-1": 2},
        "statuses": {"good": 200, "no response": 3},
        "failures": {"GETFLOW-ERR-1: x": 2, "status 500": 1},
        "causes": [],
        "violation_causes": [],
        "validated": None,
        "search": note,
    }
    names = ("scope", "api", "operation", "journey", "metric", "unit", "limit", "measured", "verdict", "why", "line")
    assert [tuple(entry[name] for name in names) for entry in objectives] == [
        ("run", "", "", "", "p95", "ms", 100.0, 20.0, "pass", "", 3),
        ("run", "", "", "", "errors", "share", 0.01, 0.25, "fail", MISSED.why, 2),
        ("getflow", "getflow", "", "", "throughput", "a second", 50.0, None, "inconclusive", UNKNOWN.why, 5),
        ("getflow GET /tasks", "getflow", "GET /tasks", "", "max", "ms", 2_000.0, 3_000.0, "fail", "", 7),
        ("journey visit", "", "", "visit", "p99", "ms", 5_000.0, 1.0, "pass", "", 9),
    ]
    assert [entry["margin"] for entry in objectives] == [0.8, -24.0, None, -0.5, pytest.approx(0.9998)]


def test_json_is_the_facts_for_people_too() -> None:
    verdict = judged(MET, reasons=("é",))
    text = to_json(verdict)
    assert json.loads(text) == to_facts(verdict)
    assert text.startswith('{\n "verdict": "pass",\n "exit_code": 0,\n')
    assert text.endswith("}\n")
    assert '"é"' in text


def test_junit_has_a_case_for_each_objective_and_the_run() -> None:
    bare = Outcome(ERRORS, "fail", 0.25)
    outcomes = (MET, MISSED, UNKNOWN, Outcome(OF_JOURNEY, "pass", 1.0), bare, UNKNOWN)
    text = junit(judged(*outcomes, verdict="fail", reasons=("first", "second")))
    root = ElementTree.fromstring(text.encode())
    (suite,) = root
    assert text.startswith("<?xml version='1.0' encoding=")
    assert text.endswith("</testsuites>\n")
    assert "\n  <testsuite " in text
    totals = {"tests": "7", "failures": "2", "errors": "3"}
    assert (root.tag, root.attrib) == ("testsuites", {"name": "flowproof load"} | totals)
    assert (suite.tag, suite.attrib) == ("testsuite", {"name": "load evening"} | totals)
    assert [(case.tag, case.get("classname"), case.get("name")) for case in suite] == [
        ("testcase", "load.run", "run p95 at most 100 ms"),
        ("testcase", "load.run", "run errors at most 1 %"),
        ("testcase", "load.getflow", "getflow throughput at least 50 /s"),
        ("testcase", "load.journey", "journey visit p99 at most 5 s"),
        ("testcase", "load.run", "run errors at most 1 %"),
        ("testcase", "load.getflow", "getflow throughput at least 50 /s"),
        ("testcase", "load.run", "the run is complete and its generator was fit"),
    ]
    problems = [(problem.tag, problem.attrib) for case in suite for problem in case]
    assert problems == [
        ("failure", {"type": "fail", "message": f"measured 25 %; 25 times the limit; {MISSED.why}"}),
        ("error", {"type": "inconclusive", "message": f"measured -; {UNKNOWN.why}"}),
        ("failure", {"type": "fail", "message": "measured 25 %; 25 times the limit"}),
        ("error", {"type": "inconclusive", "message": f"measured -; {UNKNOWN.why}"}),
        ("error", {"type": "fail", "message": "first"}),
    ]
    assert suite[-1][0].text == "first\nsecond"


def test_junit_of_a_pass_has_no_problems() -> None:
    root = ElementTree.fromstring(junit(judged(MET)).encode())
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "2",
        "failures": "0",
        "errors": "0",
    }
    assert not list(root.iter("failure"))
    assert not list(root.iter("error"))


def test_junit_has_evidence_causes_and_failures_as_properties() -> None:
    root = ElementTree.fromstring(junit(with_evidence()).encode())
    (properties,) = root.iter("properties")
    assert [(entry.tag, entry.get("name"), entry.get("value")) for entry in properties] == [
        *(("property", "evidence", line) for line in EVIDENCE),
        *(("property", "violation", line.strip()) for line in SHOWN_VIOLATIONS),
        ("property", "cause", "turned away (429): 1 of 4 requests"),
        ("property", "status good", "3"),
        ("property", "status 429", "1"),
        ("property", "failed: status 429", "1"),
    ]
