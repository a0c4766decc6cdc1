"""The verdict of a load run: no pass without evidence, and no fail for a target that was measured badly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from reports.load import report_files, verdict_text
from reports.load.load_verdict import LoadVerdict, limiting_operation
from reports.load.operation_statistics import FailedRequest
from reports.load.slo import read_objectives as objectives
from suites.selftest.reports.load_sample import FIT, MS, line, tally, write

LATE = FIT | {"reasons": ["journeys started late"]}
DROPPED = {"Getflow": {"started": 90, "dropped": 10, "planned": 100.0}}


def judged(
    folder: Path, slo: str, times: Sequence[float] = (), failures: Mapping[str, int] | None = None, **more: Any
) -> LoadVerdict:
    """A run of 10 s, each with these times and failures; `more` is of its lines, plan or result."""
    plan = {
        name: more.pop(name)
        for name in ("apis", "arrivals_planned", "workers", "complete", "notes", "result", "plan")
        if name in more
    }
    if "arrivals_planned" in plan:
        plan["arrivals"] = plan.pop("arrivals_planned")
    changes = plan.pop("result", {}) | ({"notes": plan.pop("notes")} if "notes" in plan else {})
    name = f"{plan['apis'][0]} GET /tasks" if "apis" in plan else "GET /tasks"
    lines = [line(at, [tally(name, times, failures)], **more) for at in range(10)]
    write(folder / "run", lines, **plan.pop("plan", {}), **plan)
    if changes:
        known = json.loads((folder / "run" / "result.json").read_text())
        (folder / "run" / "result.json").write_text(json.dumps(known | changes))
    (folder / "slo.yaml").write_text(slo)
    return report_files.write_reports(folder / "run", folder / "slo.yaml")


ERRORS = "run: {errors: 1 %}"


def test_a_run_that_keeps_its_objectives_passes_with_a_margin(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 1 %, p95: 100 ms}", [20.0] * 50)
    errors, p95 = judgement.outcomes
    assert (judgement.verdict, judgement.exit_code, errors.margin) == ("pass", 0, 1.0)
    assert p95.margin == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(
    ("slo", "failures", "verdict"),
    [
        ("run: {errors: 1 %, p95: 10 ms}", {}, "fail"),
        ("run: {errors: 1 %, service p95: 12 ms}", {}, "pass"),
        ("run: {errors: 1 %, max: 19 ms}", {}, "fail"),
        ("run: {errors: 1 %, mean: 21 ms}", {}, "pass"),
        ("run: {errors: 1 %, throughput: 60 /s}", {}, "fail"),
        ("run: {errors: 1 %, throughput: 50 /s}", {}, "pass"),
        (ERRORS, {"status 500": 1}, "fail"),
        ("run: {errors: 5 %, violations: 0 %}", {"status 500": 1}, "pass"),
        ("run: {errors: 5 %, violations: 0 %}", {"GETFLOW-ERR-1": 1}, "fail"),
    ],
)
def test_each_metric_is_judged(tmp_path: Path, slo: str, failures: dict[str, int], verdict: str) -> None:
    assert judged(tmp_path, slo, [20.0] * 50, failures).verdict == verdict


@pytest.mark.parametrize(
    ("slo", "times", "verdict"),
    [
        ("run: {errors: 1 %, p99: 100 ms}", [20.0], "inconclusive"),
        ("run: {errors: 1 %, p99: 100 ms, samples: 10}", [20.0], "pass"),
        ("run: {errors: 1 %, p99: 100 ms}", [200.0], "inconclusive"),  # 10 slow ones could still be the slowest 1 %
        ("run: {errors: 1 %, p99: 100 ms}", [200.0, 200.0], "fail"),  # of 1000 samples, 20 would be too many
        ("run: {errors: 1 %, p95: 100 ms}", [], "inconclusive"),
    ],
    ids=["too few", "as few as stated", "too few to blame", "enough to blame", "none"],
)
def test_few_samples_are_no_evidence(tmp_path: Path, slo: str, times: list[float], verdict: str) -> None:
    assert judged(tmp_path, slo, times).verdict == verdict


def test_an_operation_that_never_came_is_no_evidence(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 1 %}\noperations: {GET /task: {p95: 1 s}}", [20.0] * 50)
    assert (judgement.verdict, judgement.outcomes[1].why) == (
        "inconclusive",
        "no request was made; did you mean GET /tasks?",
    )


def test_objectives_of_apis_that_were_not_loaded_are_left_out(tmp_path: Path) -> None:
    slo = "run: {errors: 1 %}\napis: {getflow: {p95: 1 s}, bitvis: {p95: 1 ns}}".replace("1 ns", "1 us")
    judgement = judged(tmp_path, slo, [20.0] * 50, apis=["getflow"])
    assert (judgement.verdict, [str(outcome.objective.scope) for outcome in judgement.outcomes]) == (
        "pass",
        ["run", "getflow"],
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"complete": False}, "no end mark"),
        ({"workers": 2}, "1 of 2 workers played"),
        ({"health": LATE}, "journeys started late"),
        ({"arrivals": DROPPED, "arrivals_planned": {"Getflow": {}}}, "were dropped"),
    ],
    ids=["killed", "a worker less", "unfit", "dropped"],
)
def test_an_incomplete_run_never_passes(tmp_path: Path, more: dict[str, Any], text: str) -> None:
    judgement = judged(tmp_path, ERRORS, [20.0] * 50, **more)
    assert (judgement.verdict, judgement.exit_code) == ("inconclusive", 3)
    assert any(text in reason for reason in judgement.reasons)


@pytest.mark.parametrize(("limit", "verdict"), [("20 %", "pass"), ("5 %", "fail")])
def test_dropped_arrivals_are_judged_by_an_objective_for_them(tmp_path: Path, limit: str, verdict: str) -> None:
    slo = f"run: {{errors: 1 %, dropped: {limit}}}"
    judgement = judged(tmp_path, slo, [20.0] * 50, arrivals=DROPPED, arrivals_planned={"Getflow": {}})
    assert judgement.verdict == verdict


@pytest.mark.parametrize(
    ("metric", "verdict"),
    [
        ("max: 4 s", "fail"),
        ("good max: 4 s", "pass"),
        ("p99.9: 4 s, samples: 100", "fail"),
        ("good p99.9: 4 s, samples: 100", "pass"),
        ("all p95: 4 s", "pass"),
        ("all p99: 4 s, samples: 100", "fail"),
        ("p99: 4 s, samples: 100", "pass"),
    ],
)
def test_a_slow_failure_counts_in_the_tail(tmp_path: Path, metric: str, verdict: str) -> None:
    """2 of 100 responses are a 503 after 5 s; without them all take 20 ms."""
    slow = tally("GET /tasks", [20.0] * 98)
    slow.record_failures([FailedRequest("status 503", 0, 0, 5_000_000_000, 0)] * 2)
    write(tmp_path / "run", [line(at, [slow]) for at in range(10)])
    (tmp_path / "slo.yaml").write_text(f"run: {{errors: 5 %, {metric}}}")
    assert report_files.write_reports(tmp_path / "run", tmp_path / "slo.yaml").verdict == verdict


TAIL = {"late_p50_ms": 0.1, "late_p99_ms": 0.1, "late_p99_9_ms": 400.0, "late_p99_99_ms": 450.0, "late_max_ms": 500.0}


@pytest.mark.parametrize(
    ("objective", "health", "verdict"),
    [
        ("p99.9: 100 ms", TAIL, "inconclusive"),
        ("good p99.9: 100 ms", TAIL, "inconclusive"),
        ("max: 100 ms", TAIL, "inconclusive"),
        ("p99: 100 ms", TAIL, "fail"),
        ("p99.9: 100 ms", {}, "fail"),
        ("p99.9: 100 ms", TAIL | {"late_p99_9_ms": 300.0}, "fail"),
        ("service p99.9: 100 ms", TAIL, "fail"),
        ("service p99.9: 100 ms", {"stalled_share": 0.002, "longest_stall_ms": 450.0}, "inconclusive"),
        ("service p99: 100 ms", {"stalled_share": 0.002, "longest_stall_ms": 450.0}, "fail"),
        ("service max: 100 ms", {"stalled_share": 0.00001, "longest_stall_ms": 450.0}, "inconclusive"),
    ],
)
def test_lateness_at_the_percentile_of_an_objective_excuses_its_miss(
    tmp_path: Path, objective: str, health: dict[str, float], verdict: str
) -> None:
    """2 % of the responses take 450 ms, service half of that or, where it is judged, as long."""
    times = [20.0] * 98 + [450.0 * (2 if objective.startswith("service") else 1)] * 2
    slo = f"run: {{errors: 1 %, {objective}, samples: 100}}"
    assert judged(tmp_path, slo, times, health=FIT | health).verdict == verdict


def test_an_api_that_nobody_played_is_no_evidence(tmp_path: Path) -> None:
    judgement = judged(tmp_path, ERRORS, [20.0] * 50, apis=["getflow", "bitvis"])
    reason = "bitvis: no request was made, although the plan has it; use more --users or a longer run"
    assert (judgement.verdict, judgement.reasons) == ("inconclusive", (reason,))


@pytest.mark.parametrize(("users", "verdict"), [(0, "inconclusive"), (1, "pass")])
def test_a_class_of_which_no_user_was_spawned_is_no_evidence(tmp_path: Path, users: int, verdict: str) -> None:
    plan = {"journey_classes": ["Reader", "Writer"]}
    judgement = judged(tmp_path, ERRORS, [20.0] * 50, spawned={"Reader": 3, "Writer": users}, plan=plan)
    reasons = () if users else ("Writer: no user was spawned; use more --users",)
    assert (judgement.verdict, judgement.reasons) == (verdict, reasons)


LOST = {"lost": ["worker 1"]}
EARLY = {"Getflow": {"started": 90, "dropped": 10, "dropped_while_spawning": 10, "planned": 100.0}}
DROPS = "run: {errors: 1 %, dropped: 5 %}"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"health": LATE}, "journeys started late"),
        ({"result": LOST}, "worker 1 vanished"),
        ({"result": {"left": ["worker 1"]}}, "worker 1 left before the end"),
        ({"arrivals": EARLY}, "Getflow: 10 of 100 arrivals were dropped while users were being spawned"),
    ],
    ids=["unfit", "lost", "left", "spawning"],
)
@pytest.mark.parametrize("slo", [DROPS, "run: {errors: 1 %, throughput: 60 /s, dropped: 99 %}"], ids=["drops", "rate"])
def test_a_load_that_the_generator_did_not_make_blames_nobody(
    tmp_path: Path, slo: str, more: dict[str, Any], text: str
) -> None:
    judgement = judged(tmp_path, slo, [20.0] * 50, arrivals_planned={"Getflow": {}}, **{"arrivals": DROPPED} | more)
    assert [judgement.verdict, any(text in reason for reason in judgement.reasons)] == ["inconclusive", True]


def test_arrivals_that_found_all_users_busy_fail(tmp_path: Path) -> None:
    judgement = judged(tmp_path, DROPS, [20.0] * 50, arrivals_planned={"Getflow": {}}, arrivals=DROPPED)
    assert judgement.verdict == "fail"


def test_an_unfit_generator_blames_no_target_for_its_own_lateness(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 1 %, p95: 1 ms}", [20.0] * 50, health=LATE)
    assert judgement.verdict == "inconclusive"


def test_an_unfit_generator_excuses_no_violation(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 9 %, violations: 0 %}", [20.0] * 50, {"GETFLOW-ERR-1": 1}, health=LATE)
    assert judgement.verdict == "fail"


def test_a_validator_that_failed_breaks_the_run(tmp_path: Path) -> None:
    assert judged(tmp_path, "run: {errors: 50 %}", [20.0] * 50, {"judge broke: KeyError": 1}).exit_code == 2


def test_a_journey_that_raised_breaks_the_run(tmp_path: Path) -> None:
    judgement = judged(tmp_path, ERRORS, [20.0] * 50, notes={"exceptions": {"local": {"LookupError: x": 3}}})
    assert (judgement.verdict, judgement.reasons) == ("broken", ("a journey raised LookupError: x (3 times)",))


def test_a_target_without_any_connection_is_unreachable(tmp_path: Path) -> None:
    assert judged(tmp_path, ERRORS, [], {"connect: refused": 5}).exit_code == 4


def test_a_violation_across_workers_counts(tmp_path: Path) -> None:
    notes = {"across workers": {"GETFLOW-ID-1": ["twice"]}}
    assert judged(tmp_path, "run: {errors: 9 %, violations: 0 %}", [20.0] * 50, notes=notes).verdict == "fail"


@pytest.mark.parametrize(
    ("note", "verdict"),
    [
        ({"highest": 100.0, "missed": 105.0, "limited_by": "GET /tasks", "why": "", "steps": []}, "pass"),
        ({"highest": 0.0, "missed": 1.0, "limited_by": "GET /tasks", "why": "", "steps": []}, "fail"),
        (
            {"highest": 100.0, "missed": None, "limited_by": "", "why": "the generator was late", "steps": []},
            "inconclusive",
        ),
    ],
)
def test_a_search_has_a_verdict_of_its_own(tmp_path: Path, note: dict[str, Any], verdict: str) -> None:
    lines = [line(at, [tally("GET /tasks", [9000.0] * 50)]) for at in range(10)]
    folder = write(tmp_path / "run", lines, search=True)
    known = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(known | {"notes": {"breakpoint": {"search": note}}}))
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %, p95: 1 ms}")
    assert report_files.write_reports(folder, tmp_path / "slo.yaml").verdict == verdict


@pytest.mark.parametrize(
    ("slo", "highest", "verdict"),
    [
        ("run: {errors: 1 %, breakpoint: 400 /s}", 399.0, "fail"),
        ("run: {errors: 1 %, breakpoint: 400 /s}", 400.0, "pass"),
        ("run: {errors: 1 %}", 9.9, "fail"),
        ("run: {errors: 1 %}", 10.0, "pass"),
    ],
)
def test_a_search_fails_below_its_floor(tmp_path: Path, slo: str, highest: float, verdict: str) -> None:
    """The floor is an objective, or the first rate of the search."""
    note = {"highest": highest, "missed": highest * 1.05, "limited_by": "", "why": "", "steps": []}
    plan = {"search": True, "rate": 10.0}
    judgement = judged(tmp_path, slo, [20.0] * 50, plan=plan, notes={"breakpoint": {"search": note}})
    (outcome,) = judgement.outcomes
    assert (judgement.verdict, outcome.verdict, outcome.measured) == (verdict, verdict, highest)


def test_a_floor_says_nothing_of_a_run_that_searches_nothing(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 1 %, breakpoint: 400 /s}", [20.0] * 50)
    assert (judgement.verdict, [outcome.objective.metric for outcome in judgement.outcomes]) == ("pass", ["errors"])


def test_the_limiting_operation_is_the_one_with_most_slow_answers(tmp_path: Path) -> None:
    both = [tally("GET /tasks", [20.0] * 50), tally("POST /tasks", [300.0] * 30)]
    folder = write(tmp_path / "run", [line(at, both) for at in range(10)])
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %, p95: 100 ms}")
    assert (
        limiting_operation(report_files.write_reports(folder, tmp_path / "slo.yaml"))
        == "POST /tasks over http (run p95)"
    )


def test_all_forms_show_the_same_verdict(tmp_path: Path) -> None:
    judgement = judged(tmp_path, "run: {errors: 1 %, p95: 10 ms}", [20.0] * 50)
    folder = tmp_path / "run"
    cases = ElementTree.parse(folder / "junit.xml").getroot()
    assert json.loads((folder / "verdict.json").read_text())["verdict"] == "fail"
    assert (cases.get("tests"), cases.get("failures"), cases.get("errors")) == ("3", "1", "0")
    assert "| run p95 | at most 10 ms | 20 ms | 2 times the limit | ❌ fail |" in (folder / "verdict.md").read_text()
    assert verdict_text.console_lines(judgement)[-1] == "load: fail: 2 objectives, 1 missed; an objective was missed"
    assert ">fail</span>" in (folder / "load.html").read_text()


def test_a_verdict_can_be_made_again_from_the_folder_alone(tmp_path: Path) -> None:
    first = judged(tmp_path, "run: {errors: 1 %, p95: 10 ms}", [20.0] * 50)
    assert verdict_text.to_json(report_files.write_reports(tmp_path / "run")) == verdict_text.to_json(first)
    assert objectives(tmp_path / "run" / report_files.OBJECTIVES_COPY).objectives == first.objectives.objectives


def journeys(folder: Path, slo: str, name: str = "read_all_tasks", **more: Any) -> LoadVerdict:
    """A run of 10 s whose journeys take 200 ms, outcome in 51 failing, and whose requests take 20 ms."""
    played = tally(name, [200.0] * 50, {"GET /tasks: status 500": 1})
    played.transport = "getflow"
    return judged(folder, slo, [20.0] * 50, journeys=[played.to_json()], apis=["getflow"], **more)


def slo_of_journey(objective: str, name: str = "read_all_tasks") -> str:
    return f"run: {{errors: 1 %, max: 100 ms}}\napis: {{getflow: {{journeys: {{{name}: {{{objective}}}}}}}}}"


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("p95: 300 ms", "pass"),
        ("p95: 100 ms", "fail"),
        ("errors: 3 %", "pass"),
        ("errors: 1 %", "fail"),
        ("throughput: 50 /s", "pass"),
        ("throughput: 60 /s", "fail"),
        ("p99.9: 300 ms", "inconclusive"),
    ],
)
def test_journeys_are_judged_apart_from_requests(tmp_path: Path, rule: str, verdict: str) -> None:
    judgement = journeys(tmp_path, slo_of_journey(rule))
    assert [outcome.verdict for outcome in judgement.outcomes] == ["pass", "pass", verdict]


def test_a_journey_that_was_never_played_to_its_end_is_no_evidence(tmp_path: Path) -> None:
    outcome = journeys(tmp_path, slo_of_journey("p95: 1 s", "read_all_task")).outcomes[-1]
    assert (outcome.verdict, outcome.why) == ("inconclusive", "no journey ended; did you mean read_all_tasks?")


def test_a_missed_objective_of_a_journey_names_it_and_the_request_that_failed(tmp_path: Path) -> None:
    outcome = journeys(tmp_path, slo_of_journey("errors: 1 %")).outcomes[-1]
    why = "mostly read_all_tasks of getflow: 10 of 510, 10 of them GET /tasks: status 500"
    assert (str(outcome.objective.scope), outcome.why) == ("getflow journey read_all_tasks", why)


def test_journeys_are_in_the_summary_and_on_the_page(tmp_path: Path) -> None:
    journeys(tmp_path, slo_of_journey("p95: 300 ms"))
    row = "| read_all_tasks | getflow | 510 | 10 | 51.0 | 200 |"
    assert row in (tmp_path / "run" / "verdict.md").read_text()
    assert "<h2>Journeys</h2>" in (tmp_path / "run" / "load.html").read_text()
    (objective,) = json.loads((tmp_path / "run" / "verdict.json").read_text())["objectives"][-1:]
    assert (objective["journey"], objective["operation"]) == ("read_all_tasks", "")


def note_on_validation(validated: int, responses: int, **more: Any) -> dict[str, Any]:
    return {"judging": {"local": {"mode": "sample=100", "answers": responses, "validated": validated, **more}}}


NO_VIOLATIONS = "run: {errors: 100 %, violations: 1 %}"


def test_a_run_without_a_validated_response_is_no_evidence(tmp_path: Path) -> None:
    judgement = judged(tmp_path, NO_VIOLATIONS, [20.0] * 50, notes=note_on_validation(0, 500))
    assert (judgement.verdict, judgement.outcomes[1].why) == (
        "inconclusive",
        "no response was validated by its contract; leave out --judge status",
    )


def test_a_run_that_looked_at_the_status_alone_is_no_evidence(tmp_path: Path) -> None:
    assert judged(tmp_path, NO_VIOLATIONS, [20.0] * 50, apis=["getflow"], plan={"judge": "status"}).exit_code == 3


def test_a_sample_is_judged_by_what_it_contained(tmp_path: Path) -> None:
    """5 of 10 were refused, which are 0.1 % of all requests."""
    note = note_on_validation(10, 500, sampled={"GET /tasks": [10, 5]})
    judgement = judged(tmp_path, NO_VIOLATIONS, [20.0] * 500, {"GETFLOW-ERR-1": 1}, notes=note)
    assert (judgement.verdict, judgement.outcomes[1].measured) == ("fail", 0.5)


def test_the_number_of_validated_responses_is_in_all_forms(tmp_path: Path) -> None:
    judgement = judged(tmp_path, NO_VIOLATIONS, [20.0] * 50, notes=note_on_validation(15, 500))
    line = "15 of 500 responses were validated by their contract (sample=100)"
    texts = [(tmp_path / "run" / name).read_text() for name in ("verdict.md", "junit.xml")]
    assert [line in text for text in (*texts, "\n".join(verdict_text.console_lines(judgement)))] == [True] * 3
    facts = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert facts["validated"] == {"mode": "sample=100", "validated": 15, "responses": 500}
    assert "15 of 500 responses (sample=100)" in (tmp_path / "run" / "load.html").read_text()


STORM = [FailedRequest(f"GETFLOW-ERR-{number % 13}", 0, 0, MS, 0, 429) for number in range(390)]
STORM += [FailedRequest("timeout", 0, 0, MS, 0)] * 10


def test_statuses_and_reasons_are_in_all_forms(tmp_path: Path) -> None:
    """390 requests were turned away, which broke 13 clauses; 10 had no response."""
    stormy = tally("GET /tasks", [20.0] * 600)
    stormy.record_failures(STORM)
    write(tmp_path / "run", [line(0, [stormy])])
    (tmp_path / "slo.yaml").write_text("run: {errors: 1 %}")
    judgement = report_files.write_reports(tmp_path / "run", tmp_path / "slo.yaml")
    facts = json.loads((tmp_path / "run" / "verdict.json").read_text())
    assert facts["statuses"] == {"good": 600, "429": 390, "no response": 10}
    assert facts["failures"]["GETFLOW-ERR-1"] == 30
    assert facts["causes"] == ["turned away (429): 390 of 1000 requests"]
    assert facts["objectives"][0]["why"].endswith("400 of 1000, 390 of them turned away (429)")
    console = "\n".join(verdict_text.console_lines(judgement))
    assert (
        "  turned away (429): 390 of 1000 requests\n  600 requests: good\n  390 requests: failed with status 429"
        in console
    )
    text, page, cases = ((tmp_path / "run" / name).read_text() for name in ("verdict.md", "load.html", "junit.xml"))
    assert "| 429 | 390 |" in text
    assert "| GETFLOW-ERR-1 | 30 |" in text
    assert "- turned away (429): 390 of 1000 requests" in text
    assert "<tr><td>429</td><td>390</td></tr>" in page
    assert "turned away (429): 390 of 1000 requests" in page
    assert '<property name="status 429" value="390" />' in cases
    assert '<property name="cause" value="turned away (429): 390 of 1000 requests" />' in cases


def test_a_run_without_failures_has_no_table_of_them(tmp_path: Path) -> None:
    judged(tmp_path, ERRORS, [20.0] * 50)
    texts = [(tmp_path / "run" / name).read_text() for name in ("verdict.md", "load.html", "junit.xml")]
    assert ["Statuses" in text or "<properties>" in text for text in texts] == [False] * 3


def test_what_was_sent_again_is_in_the_verdict(tmp_path: Path) -> None:
    operation = tally("GET /tasks", [20.0] * 50)
    operation.resent = 3
    write(tmp_path / "run", [line(at, [operation]) for at in range(2)])
    (tmp_path / "slo.yaml").write_text(ERRORS)
    judgement = report_files.write_reports(tmp_path / "run", tmp_path / "slo.yaml")
    sentence = "6 requests were sent again, since the server closed their reused connections before a response"
    assert f"  {sentence}" in verdict_text.console_lines(judgement)
    assert sentence in (tmp_path / "run" / "load.html").read_text()
