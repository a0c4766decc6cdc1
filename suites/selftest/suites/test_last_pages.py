"""Where pages name the next one, a page that is named must have a row: an endless list is found by every walk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixtures.target_api import Api
from suites.flowback import test_page_envelope
from suites.getflow import test_pagination
from suites.getflow.client import WORKSPACES
from suites.getflow.pagination import all_records
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import ContractViolation


def last_users(api: Api) -> None:
    test_page_envelope.test_the_last_page_names_no_next_one(api, ObservedReadings(api))


def last_workspaces(api: Api) -> None:
    test_pagination.test_a_linked_page_has_records(api, ObservedReadings(api), WORKSPACES)


ENDLESS: list[tuple[str, str, Callable[[Api], None]]] = [
    ("flowback", "links_on_from_the_last_page", last_users),
    ("flowback", "links_from_a_full_last_page_to_an_empty_one", last_users),
    ("getflow", "every_page_names_a_next_one", last_workspaces),
    ("getflow", "full_last_page_links_to_an_empty_one", last_workspaces),
]


@pytest.mark.parametrize(("name", "fault", "check"), ENDLESS, ids=[fault for _, fault, _ in ENDLESS])
def test_a_next_page_that_has_no_row_is_caught(name: str, fault: str, check: Callable[[Api], None]) -> None:
    check(in_process_api(name))
    with pytest.raises(AssertionError):
        check(in_process_api(name, (fault,)))


def test_a_walk_without_end_is_a_finding_of_the_last_page() -> None:
    api = in_process_api("getflow", ("every_page_names_a_next_one",))
    with pytest.raises(ContractViolation) as raised:
        all_records(api, WORKSPACES)
    assert raised.value.clauses == ("GETFLOW-PAGE-10",)
    assert len(api.exchanges) < 10
