"""Facts about what the questions of the plan show of a changed reference, and which change a comparison makes of it."""

from __future__ import annotations

import pytest

from contracts.behaviour.behaviour import Address, Behaviour, Family, Observation, share
from fixtures.reference import load
from reports.drift.changes import changes
from reports.drift.record import Record
from suites.drift_proof.api_observation import ApiObserver, record_header
from suites.drift_proof.drift_seeds import TABLES
from suites.drift_proof.served_state import State, served

USERS, TASKS = "GET /users", "GET /v2/tasks"
REGISTRANTS = "GET /api/v1/reports/events/sessions/registrants/{sessionToken}"


def shown(api: str, label: str, change: str) -> dict[tuple[Family, str], str]:
    """By family and place, what one observation of the operation shows of the reference with that change, if any."""
    kind, _, name = change.partition(".")
    applied = (getattr(load(api), TABLES[kind])[name],) if change else ()
    with served(State(api, applied, labels=label)) as (clients, _), ApiObserver(clients, label) as observer:
        behaviours = observer.observe(label)
    assert behaviours is not None
    return {(address.family, address.place): it.value for address, it in behaviours.items()}


@pytest.mark.parametrize(
    ("api", "label", "change", "place", "value"),
    [
        ("flowback", USERS, "", ("page", "default size"), "20"),
        ("flowback", USERS, "variant.shows_fifty_by_default", ("page", "default size"), "50"),
        ("flowback", USERS, "", ("page", "largest size"), "50"),
        ("flowback", USERS, "drift.pages_have_25_rows_at_most", ("page", "largest size"), "25"),
        ("flowback", USERS, "", ("page", "end"), "empty"),
        ("flowback", USERS, "variant.ends_with_null", ("page", "end"), "null"),
        ("flowback", USERS, "variant.ends_with_nothing", ("page", "end"), "absent"),
        ("flowback", USERS, "fault.counts_the_rows_of_the_page", ("page", "total"), "count wrong"),
        ("getflow", TASKS, "", ("parameter", "view owned"), "honoured"),
        ("getflow", TASKS, "", ("parameter", "view default"), "ignored"),
        ("getflow", TASKS, "fault.view_is_ignored", ("parameter", "view owned"), "ignored"),
        ("flowapp", REGISTRANTS, "", ("access", "other account"), "404 application/json 404"),
        ("flowapp", "POST /api/v1/registrants", "", ("access", "no credentials"), "200 application/json"),
    ],
)
def test_an_observation_shows(api: str, label: str, change: str, place: tuple[Family, str], value: str) -> None:
    assert shown(api, label, change).get(place) == value


def test_another_account_that_sees_a_record_is_shown() -> None:
    behaviours = shown("flowapp", REGISTRANTS, "fault.other_account_reads_registrants")
    assert behaviours["access", "other account"].startswith("200")


def named(before: Observation, after: Observation) -> list[tuple[int, str]]:
    """Number and severity of each change between what was recorded and what is seen."""
    return [(it.number, it.severity) for it in changes(Record(record_header("flowback"), before, {}), after)]


def outcomes(valid: str, wrong: str, denied: str) -> dict[Address, Behaviour]:
    """The outcomes of a documented request, of a mistake and of one without credentials."""
    return {
        Address(USERS, "", "outcome", "valid: as documented"): Behaviour(valid),
        Address(USERS, "", "outcome", "wrong type: query limit"): Behaviour(wrong),
        Address(USERS, "", "access", "no credentials"): Behaviour(denied),
    }


@pytest.mark.parametrize(
    ("after", "number"),
    [
        (outcomes("404", "404", "404"), 1),
        (outcomes("308 to absolute http URL", "308 to absolute http URL", "308 to absolute http URL"), 3),
        (outcomes("405", "405", "405"), 7),
        (outcomes("415", "415", "415"), 31),
    ],
)
def test_what_all_valid_requests_show_is_one_change(after: Observation, number: int) -> None:
    assert [it for it, _ in named(outcomes("200", "400", "401"), after)] == [number]


def test_a_header_that_comes_more_often_is_new() -> None:
    address = Address(USERS, "200", "header", "x-request-id")
    assert named({address: share(32, 80)}, {address: share(80, 80)}) == [(91, "additive")]


@pytest.mark.parametrize(("before", "after"), [(32, 80), (80, 32), (32, 0), (0, 32), (16, 64)])
def test_how_many_pages_have_another_one_behind_them_is_no_change(before: int, after: int) -> None:
    address = Address(USERS, "200", "header", "link")
    assert named({address: share(before, 80)}, {address: share(after, 80)}) == []


@pytest.mark.parametrize(("before", "after", "change"), [(80, 0, (90, "breaking")), (0, 80, (91, "additive"))])
def test_links_that_no_page_has_any_more_or_that_all_have_are_a_change(
    before: int, after: int, change: tuple[int, str]
) -> None:
    address = Address(USERS, "200", "header", "link")
    assert named({address: share(before, 80)}, {address: share(after, 80)}) == [change]


def test_all_sightings_of_a_share_are_evidence() -> None:
    address = Address(USERS, "200", "null", "/data/*/profile_image")
    assert named({address: share(16, 80)}, {address: share(0, 294)}) == [(55, "cosmetic")]


def test_another_default_of_a_parameter_is_one_change() -> None:
    old, new = (Address(TASKS, "", "parameter", f"view {name}") for name in ("default", "unassigned"))
    before = {old: Behaviour("ignored"), new: Behaviour("honoured")}
    assert named(before, {old: Behaviour("honoured"), new: Behaviour("ignored")}) == [(28, "breaking")]


def test_a_parameter_that_has_an_effect_on_more_records_is_no_change() -> None:
    address = Address(USERS, "", "parameter", "limit")
    assert named({address: Behaviour("ignored")}, {address: Behaviour("honoured")}) == []
