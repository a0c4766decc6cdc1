"""Facts about the proof of drift runs: the states that are served, the noise, the verdict on a seed, the table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.behaviour.behaviour import Address
from contracts.exchange import Request
from fixtures.reference import apis, load
from fixtures.reference.protocol import Request as ServedRequest
from fixtures.reference.protocol import json_reply
from reports.drift.changes import Change
from suites.drift_proof import change_cases, noise, pair_cases, silence_cases
from suites.drift_proof.drift_seeds import Seed
from suites.drift_proof.proof_case import CaseResult, Figure, median_figure, most_figure, share_figure
from suites.drift_proof.proof_table import result_line, text_table, write_part
from suites.drift_proof.seed_cases import judged
from suites.drift_proof.served_state import PLAIN_DAY, Clock, State, served

GONE = load("getflow").DRIFTS["tasks_have_no_note"]
NOTE = Address("GET /v2/tasks", "200", "presence", "/tasks/*/note_content")
SEED = Seed("getflow", (), (GONE,), 48, "breaking", "GET */tasks", ("presence",), "/tasks/*/note_content")


def reported(number: int = 48, severity: str = "breaking", place: Address = NOTE) -> Change:
    return Change(
        id="0" * 12,
        number=number,
        kind="member gone",
        severity=severity,  # type: ignore[arg-type]
        operation=place.operation,
        places=(place,),
        before="always",
        after="never",
        clause="",
        clause_line="",
        question="",
        is_confirmed=True,
    )


# The verdict on a seed


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        ([], 0),
        ([reported(place=NOTE._replace(operation="GET /v2/lists"))], 0),
        ([reported(number=49)], 1),
        ([reported(place=NOTE._replace(family="kind"))], 2),
        ([reported(severity="risky")], 3),
        ([reported()], 4),
        ([reported(number=50), reported()], 4),
        ([reported(number=49), reported(severity="risky")], 3),
    ],
)
def test_a_seed_is_judged_by_kind_address_and_severity(changes: list[Change], verdicts: int) -> None:
    assert judged(SEED, changes) == ["detected", "right kind", "right address", "right severity"][:verdicts]


# States


def test_a_state_is_served_with_its_changes() -> None:
    path = "/v2/tasks?organization_id=52&limit=1"
    bodies = []
    for changes in ((), (GONE,)):
        with served(State("getflow", changes)) as ([api], _):
            token = (("authorization", f"Bearer {api.setting('TOKEN')}"),)
            bodies.append(api.client.send(Request("GET", api.target.url + path, token)).response.json()["tasks"][0])
    assert set(bodies[0]) - set(bodies[1]) == {"note_content"}


def test_another_account_has_another_token() -> None:
    tokens = []
    for other in (False, True):
        with served(State("getflow", other_account=other)) as ([api], _):
            tokens.append(api.setting("TOKEN"))
    known = load("getflow").KNOWN
    assert tokens == [known["TOKEN"], known["OTHER_TOKEN"]]


def test_a_clock_can_be_put_forward() -> None:
    clock = Clock(PLAIN_DAY)
    clock.put_forward(3600)
    assert timedelta(hours=1) <= clock.now() - PLAIN_DAY < timedelta(hours=1, minutes=1)


# Noise


@pytest.mark.parametrize("api", apis())
def test_noise_of_order_shuffles_a_list(api: str) -> None:
    path, member = noise.LISTS[api]
    rows = list(range(20))
    change = noise.shuffled(api, 1)
    reply = change.behaviour(None, ServedRequest("GET", f"/x{path}"), lambda _: json_reply(200, {member: rows}))
    assert reply.json()[member] != rows
    assert sorted(reply.json()[member]) == rows


def test_a_busy_server_refuses_a_request_in_two_hundred() -> None:
    change = noise.busy(1)
    statuses = [
        change.behaviour(None, ServedRequest("GET", "/"), lambda _: json_reply(200, {})).status for _ in range(4000)
    ]
    assert 5 <= statuses.count(503) <= 45


def test_every_condition_is_tried_twenty_times_at_every_api() -> None:
    assert len(silence_cases.names()) == 20 * len(silence_cases.CONDITIONS) * len(apis())


def test_there_are_all_pairs_of_thirty_drifts() -> None:
    assert len(pair_cases.names()) == 30 * 29 // 2


# The table


RESULTS = [CaseResult("a", (), {"seen": 1.0, "lines": 4}), CaseResult("b", ("not seen",), {"seen": 0.0, "lines": 9})]


def test_a_share_counts_the_cases() -> None:
    assert share_figure("seen", RESULTS, "seen", 0.5) == Figure("seen", "1 of 2 (50.0%)", "50%", True)


def test_a_share_below_its_goal_is_not_reached() -> None:
    assert not share_figure("seen", RESULTS, "seen", 0.51).is_reached


def test_the_largest_value_may_be_the_goal() -> None:
    assert most_figure("lines", [4, 9], "lines", 9) == Figure("lines", "9 lines", "at most 9 lines", True)


def test_a_median_above_its_goal_is_not_reached() -> None:
    assert not median_figure("lines", [4, 9, 9], "lines", 5).is_reached


def test_the_table_marks_what_is_not_reached() -> None:
    figures = [Figure("seen", "1 of 2", "100%", False), Figure("alarms", "0", "0", True)]
    assert text_table(figures).splitlines() == [
        "figure  measured  goal",
        "seen    1 of 2    100%  not reached",
        "alarms  0         0",
    ]


def test_a_case_says_what_is_wrong_with_it() -> None:
    assert result_line(replace(RESULTS[1], seconds=2.0)) == "wrong     2.0 s  b\n    not seen"


def test_a_part_is_written_with_its_cases(tmp_path: Path) -> None:
    write_part(tmp_path / "out" / "seeds.json", "command", RESULTS, [Figure("seen", "1 of 2", "100%", False)])
    content = json.loads((tmp_path / "out" / "seeds.json").read_text())
    assert (content["command"], [case["name"] for case in content["cases"]]) == ("command", ["a", "b"])
    assert content["figures"] == [{"title": "seen", "value": "1 of 2", "goal": "100%", "is_reached": False}]


def test_a_variant_that_is_reported_as_a_broken_clause_misses_a_goal() -> None:
    results = [
        CaseResult("fault", (), {"fault": 1, "seen": 1, "names its clause": 0}),
        CaseResult("variant", (), {"fault": 0, "seen": 1, "blamed": 1}),
    ]
    assert {it.title: it.is_reached for it in change_cases.figures(results)} == {
        "faults seen": True,
        "faults whose clause is named": False,
        "variants seen": True,
        "variants not seen": True,
        "variants reported as broken clauses": False,
    }


def test_figures_are_of_those_that_were_run() -> None:
    results = [CaseResult("variant", (), {"seen": 1})]
    assert [it.title for it in change_cases.figures(results)] == [
        "variants seen",
        "variants not seen",
        "variants reported as broken clauses",
    ]


@pytest.mark.parametrize(("listed", "is_reached"), [(1, True), (0, False)])
def test_a_variant_may_be_unseen_where_it_cannot_be_seen(listed: int, is_reached: bool) -> None:
    results = [
        CaseResult("seen", (), {"seen": 1}),
        CaseResult("unseen", (), {"seen": 0, "not seen for a reason": listed}),
    ]
    figure = next(it for it in change_cases.figures(results) if it.title == "variants not seen")
    assert (figure.value, figure.is_reached) == (f"1, of which {listed} cannot be seen", is_reached)
