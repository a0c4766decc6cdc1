"""What a document states for a parameter that is left out is tried by the plain request, whatever is generated."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

import pytest

import contracts
from contracts.clauses import Clause, clauses
from contracts.openapi import load_contract
from fixtures.corpus import EFFORTS, corpus
from fixtures.target_api import Api
from suites.bitvis import test_http, test_methods
from suites.bitvis.client import ADDRESS, DEVICE
from suites.flowback import test_get_user, test_list_users, test_pages, test_register
from suites.getflow import test_pagination, test_views
from suites.getflow.client import ACCOUNTS, LISTS, TASKS
from suites.getflow.record_factory import RecordFactory
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import ContractViolation

OMISSION = re.compile(r"^\w* ?[Ww]ithout |, without one |\bunless\b|\bleft out, and all together")
REFUSAL = re.compile(r"\b(refused|works?|need)\b")  # what is required, or needed for nothing, has no default

PLAIN_CASES: dict[tuple[str, str], tuple[ModuleType, Callable[[Api], None]]] = {  # by (clause, fault)
    ("BITVIS-METH-LIST-1", "lists_twenty_five_at_most"): (
        test_methods,
        lambda api: test_methods.test_list_returns_every_object(api, ObservedReadings(api), DEVICE),
    ),
    ("BITVIS-METH-LIST-1", "remembers_the_last_filter"): (
        test_methods,
        lambda api: test_methods.test_list_does_not_depend_on_earlier_calls(api, ADDRESS),
    ),
    ("BITVIS-HTTP-9", "lists_without_the_slash"): (
        test_http,
        lambda api: test_http.test_without_its_slash_a_path_ends_in_an_object_id(api, ADDRESS, "LIST"),
    ),
    ("FLOWBACK-REG-4", "takes_any_code"): (test_register, test_register.test_no_account_without_the_mailed_code),
    ("FLOWBACK-LIST-16", "wants_a_limit_with_a_page"): (
        test_list_users,
        lambda api: test_list_users.test_every_parameter_is_optional(api, ObservedReadings(api)),
    ),
    ("FLOWBACK-LIST-19", "begins_with_the_second_row_without_parameters"): (
        test_pages,
        test_pages.test_page_defaults_to_1_and_offset_to_0,
    ),
    ("FLOWBACK-LIST-19", "takes_a_page_left_out_for_the_last"): (
        test_pages,
        test_pages.test_page_defaults_to_1_and_offset_to_0,
    ),
    ("FLOWBACK-GET-4", "shows_the_first_user_as_current"): (
        test_get_user,
        lambda api: test_get_user.test_without_an_id_the_owner_of_the_key_is_returned(api, ObservedReadings(api)),
    ),
    ("GETFLOW-VIEW-6", "plain_list_hides_its_last_row"): (
        test_views,
        lambda api: test_views.test_view_defaults_to_default(api, LISTS),
    ),
    ("GETFLOW-PAGE-2", "plain_lists_show_fifty_of_sixty_tasks"): (
        test_pagination,
        lambda api: test_pagination.test_cursor_defaults_to_0_and_limit_to_25(api, TASKS),
    ),
    ("GETFLOW-PAGE-2", "plain_accounts_begin_with_the_second"): (
        test_pagination,
        lambda api: test_pagination.test_cursor_defaults_to_0_and_limit_to_25(api, ACCOUNTS),
    ),
    ("GETFLOW-PAGE-5", "latest_activity_is_late"): (
        test_pagination,
        lambda api: test_pagination.test_the_latest_activity_comes_first(api, RecordFactory(api), TASKS),
    ),
}


def states_a_default(clause: Clause) -> bool:
    """Whether the clause says what comes when something is left out that may be left out."""
    return clause.check != "none" and bool(OMISSION.search(clause.says)) and not REFUSAL.search(clause.says)


def test_each_stated_default_has_a_plain_case() -> None:
    stated = {name for api in contracts.apis() for name, clause in clauses(api).items() if states_a_default(clause)}
    assert stated == {clause for clause, _ in PLAIN_CASES}


@pytest.mark.parametrize(("clause", "fault"), PLAIN_CASES)
def test_a_wrong_default_is_caught_without_generated_cases(
    monkeypatch: pytest.MonkeyPatch, clause: str, fault: str
) -> None:
    module, check = PLAIN_CASES[clause, fault]
    monkeypatch.setattr(module, "for_all", lambda *_, **__: None, raising=False)
    check(in_process_api(clause.split("-")[0].lower()))
    with pytest.raises(AssertionError) as raised:
        check(in_process_api(clause.split("-")[0].lower(), (fault,)))
    assert not isinstance(raised.value, ContractViolation) or clause in raised.value.clauses


@pytest.mark.parametrize("api", contracts.apis())
def test_the_first_documented_request_has_nothing_optional(api: str) -> None:
    cases = corpus(api, EFFORTS["quick"], 0)
    for operation in load_contract(api).operations.values():
        required = {(part.location, part.name) for part in operation.parameters if part.required}
        plain, *_ = cases.examples(operation)
        sent = {(location, name) for location, values in plain.parameters.items() for name in values}
        assert sent == required, operation.label
