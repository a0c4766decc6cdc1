"""A test that finds nothing to compare does not pass: it is skipped with its reason, or fails.

The references' responses are altered before the test sees them: every list is empty, or no refusal reports a problem.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contracts.exchange import Exchange, Request
from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis import (
    test_devices,
    test_methods,
    test_parameters,
    test_sorting,
)
from suites.bitvis.client import DEVICE
from suites.flowapp import test_authentication, test_capabilities, test_events_list, test_surveys
from suites.getflow import (
    test_credentials,
    test_error_codes,
    test_errors,
    test_pagination_walks,
    test_record_lifecycle,
    test_related,
    test_views,
)
from suites.getflow.client import TASKS
from suites.getflow.record_factory import RecordFactory
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings

NO_RECORDS = [
    ("bitvis", test_devices.test_every_listed_device_has_its_members),
    ("bitvis", test_methods.test_list_does_not_depend_on_earlier_calls),
    ("bitvis", test_parameters.test_parameters_apply_to_one_call_only),
    ("bitvis", test_parameters.test_a_flag_that_is_false_or_absent_has_no_effect),
    ("bitvis", test_sorting.test_descending_is_the_reverse_of_ascending_or_refused),
    ("bitvis", test_sorting.test_sorting_without_a_key_follows_a_reading),
    ("flowapp", test_authentication.test_accounts_share_no_events),
    ("flowapp", test_authentication.test_accounts_share_no_operators),
    ("flowapp", test_capabilities.test_every_event_is_listed_once),
    ("flowapp", test_capabilities.test_a_period_lists_no_other_events),
    ("flowapp", test_events_list.test_listed_times_agree_with_the_period),
    ("flowapp", test_surveys.test_surveys_of_every_listed_session_are_served),
    ("getflow", test_credentials.test_lists_stay_within_the_organisation),
    ("getflow", test_pagination_walks.test_links_show_every_record_once),
    ("getflow", test_pagination_walks.test_links_keep_every_parameter),
    ("getflow", test_pagination_walks.test_cursors_set_by_hand_equal_links),
    ("getflow", test_pagination_walks.test_the_order_of_a_list_is_stable),
    ("getflow", test_record_lifecycle.test_attributes_have_their_types_in_every_record),
    ("getflow", test_related.test_include_adds_other_related_records),
    ("getflow", test_related.test_include_accepts_several_names_in_any_order),
    ("getflow", test_related.test_every_referenced_record_is_included),
    ("getflow", test_related.test_memberships_are_included_with_tasks_and_workspaces),
    ("getflow", test_related.test_an_included_record_equals_the_record),
    ("getflow", test_views.test_filtered_tasks_are_in_the_default_view),
    ("getflow", test_views.test_a_view_shows_part_of_the_default_view),
]
NO_PROBLEMS = [
    test_error_codes.test_a_repeated_request_is_refused_with_the_same_codes,
    test_error_codes.test_documented_failures_have_the_documented_codes,
    test_error_codes.test_observe_codes_of_other_failures,
    test_errors.test_messages_are_readable_by_end_users,
    test_errors.test_links_are_absolute_urls,
    test_errors.test_descriptions_repeat_or_extend_the_message,
    test_errors.test_a_problem_with_a_parameter_names_it,
    test_errors.test_a_repeated_request_is_refused_with_the_same_problems,
]


@dataclass
class AlteringClient:
    """A client that alters JSON responses and removes their links to the next page."""

    inner: Any
    alter: Callable[[Any], Any]

    def send(self, request: Request) -> Exchange:
        exchange: Exchange = self.inner.send(request)
        try:
            body = json.dumps(self.alter(exchange.response.json())).encode()
        except ValueError:  # a CSV report
            return exchange
        headers = tuple(field for field in exchange.response.headers if field[0].lower() != "link")
        return replace(exchange, response=replace(exchange.response, body=body, headers=headers))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def without_records(body: Any) -> Any:
    """A list response without its records; every other response as it is."""
    if isinstance(body, list):
        return []
    empty = {name: [] for name, value in body.items() if isinstance(value, list) and name != "errors"}
    return {**body, **empty, **({"count": 0} if "count" in body else {})}


def without_problems(body: Any) -> Any:
    """A refusal that reports no problem."""
    return {**body, "errors": []} if "errors" in body else body


def run(name: str, test: Callable[..., None], alter: Callable[[Any], Any]) -> None:
    """Calls the test with altered responses of the API's reference and with the fixtures that it takes."""
    api: Api = in_process_api(name)
    client: Any = AlteringClient(api._client, alter)
    api._client = client
    fixtures = {
        "api": api,
        "factory": RecordFactory(api),
        "readings": ObservedReadings(api),
        "kind": DEVICE if name == "bitvis" else TASKS,
        "view": "owned",
        "period": "past",
    }
    test(**{parameter: fixtures[parameter] for parameter in inspect.signature(test).parameters})


def names(value: Any) -> str:
    """The id of a case."""
    return value if isinstance(value, str) else value.__name__


@pytest.mark.parametrize(("name", "test"), NO_RECORDS, ids=names)
def test_empty_lists_do_not_pass(name: str, test: Callable[..., None]) -> None:
    with pytest.raises((MissingPrecondition, AssertionError)):
        run(name, test, without_records)


@pytest.mark.parametrize("test", NO_PROBLEMS, ids=names)
def test_refusals_without_problems_do_not_pass(test: Callable[..., None]) -> None:
    with pytest.raises((MissingPrecondition, AssertionError)):
        run("getflow", test, without_problems)
