"""The small references of a mutation run: few records, on a server of which the run knows only what it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import contracts
from contracts.exchange import Request
from fixtures.reference import load
from fixtures.target_api import Api
from reports.mutation.kill_table import Complaint, MutationResult
from suites.mutation import small_references
from suites.mutation.reference_apis import honest_apis, in_process_api, socket_reference


def get(api: Api, path: str, *headers: tuple[str, str]) -> Any:
    """The body of the response to a GET."""
    return api.client.send(Request("GET", f"{api.target.url}{path}", headers)).response.json()


def getflow_tasks(api: Api) -> int:
    key = ("Authorization", f"Bearer {api.target.settings['TOKEN']}")
    return len(get(api, "/v2/tasks?organization_id=52&limit=100", key)["tasks"])


def flowback_users(api: Api) -> int:
    return int(get(api, "/users", ("Authorization", api.target.settings["TOKEN"]))["count"])


def flowapp_events(api: Api) -> int:
    key = ("api-secret", api.target.settings["TOKEN"])
    return sum(
        len(get(api, f"/api/v1/events/sessions?period={period}", key)["data"])
        for period in ("past", "current", "future")
    )


def bitvis_devices(api: Api) -> int:
    token = api.target.settings["TOKEN"]
    return int(get(api, f"/api/inventory/inventory/device/?token={token}&method=LIST")["count"])


COUNTS: dict[str, tuple[Callable[[Api], int], int]] = {
    "getflow": (getflow_tasks, 60),
    "flowback": (flowback_users, 40),
    "flowapp": (flowapp_events, 2),
    "bitvis": (bitvis_devices, 3),
}


@pytest.mark.parametrize("name", COUNTS)
def test_small_reference_has_few_records(name: str) -> None:
    count, expected = COUNTS[name]
    assert count(in_process_api(name, small=True)) == expected
    assert count(in_process_api(name)) > expected


@pytest.mark.parametrize("name", COUNTS)
def test_small_reference_is_somebodys_server(name: str) -> None:
    target = honest_apis(small=True)[name].target
    assert not target.is_reference
    assert target.writes


def test_a_run_knows_only_what_it_must_of_a_small_reference() -> None:
    settings = {name: set(api.target.settings) for name, api in honest_apis(small=True).items()}
    assert {name: settings[name] for name in COUNTS} == {
        "getflow": {"TOKEN", "ORGANIZATION_ID"},
        "flowback": {"TOKEN", "USERNAME", "PASSWORD"},
        "flowapp": {"TOKEN"},
        "bitvis": {"TOKEN"},
    }
    assert set(settings) == set(contracts.apis())


def test_a_past_event_is_found_in_the_list_where_no_setting_names_one() -> None:
    api = in_process_api("flowapp", small=True)
    source = api.contract.find("reportSummary").parameters[0].value_source
    assert source is not None
    assert source["setting"] == "past_session_token"
    past = api.request("GET", "/api/v1/events/sessions", query={"period": "past"}).response.json()["data"]
    assert [api.known_value(source)] == [row["token"] for row in past]


def test_small_reference_behind_a_socket_is_somebodys_server() -> None:
    served = socket_reference("bitvis", small=True)
    try:
        assert not served.api.target.is_reference
        assert bitvis_devices(served.api) == 3
    finally:
        served.stop()


NEEDS = {"shop.hidden": "a second shop"}


def result(name: str, verdict: str, kind: str = "fault") -> MutationResult:
    complaints = {
        "caught": (Complaint("test", ("SHOP-1",), "wrong"),),
        "blamed": (Complaint("test", ("SHOP-2",), "wrong"),),
        "broken": (Complaint("test", (), "KeyError", broken=True),),
    }.get(verdict, ())
    fault = MutationResult("shop", name, kind, ("SHOP-1",), "", complaints)
    assert fault.verdict == verdict
    return fault


CAUGHT = [result(f"fault_{number}", "caught") for number in range(97)]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([result("hidden", "missed")], []),
        ([result(f"missed_{number}", "missed") for number in range(3)], []),
        (
            [result(f"missed_{number}", "missed") for number in range(4)],
            ["97 of 101 faults that can show are caught: expected 97%"],
        ),
        ([result("honest", "ok", "variant")], []),
        ([result("honest", "blamed", "variant")], ["shop.honest: blamed"]),
        ([result("bad", "broken")], ["shop.bad: broken"]),
        (
            [result("hidden", "caught")],
            ["shop.hidden: caught, although needed_records.yaml says that it needs a second shop"],
        ),
    ],
    ids=["hidden", "97 %", "96 %", "variant", "blamed variant", "broken", "listed but caught"],
)
def test_run_at_small_references_is_as_expected_when(others: list[MutationResult], expected: list[str]) -> None:
    assert small_references.problems([*CAUGHT, *others], NEEDS) == expected


def test_summary_says_what_hidden_faults_need() -> None:
    text = small_references.summary([*CAUGHT, result("hidden", "missed")], NEEDS)
    assert text == "small     97 of 97 faults that can show are caught\n          shop.hidden needs a second shop"


def test_only_faults_are_listed_as_hidden() -> None:
    known = {f"{name}.{fault}" for name in COUNTS for fault in load(name).FAULTS}
    assert set(small_references.needed_records()) <= known
