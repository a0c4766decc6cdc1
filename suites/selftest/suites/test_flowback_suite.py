"""Facts about the suite of Flowback: a test that had nothing to compare is skipped or fails, but never passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from contracts.exchange import Exchange, Request, Response
from fixtures.in_process_client import InProcessClient
from fixtures.target_api import Api, MissingPrecondition
from suites.flowback import test_get_user, test_page_envelope, test_pages, test_verify_register
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import ContractViolation

Change = Callable[[Request, Response], Response]


class ChangedClient:
    """A client of the reference that changes every response before the suite sees it."""

    def __init__(self, change: Change) -> None:
        self.client = InProcessClient("flowback")
        self.change = change

    def send(self, request: Request) -> Exchange:
        """Send the request and change its response."""
        exchange = self.client.send(request)
        return replace(exchange, response=self.change(request, exchange.response))


def changed_api(change: Change) -> Api:
    """The API at a reference whose responses are changed."""
    client = ChangedClient(change)
    return Api(client.client.target, client, run="0")


def parameters(request: Request) -> dict[str, list[str]]:
    """The query parameters of a request for the list, {} for another one."""
    url = urlsplit(request.url)
    return parse_qs(url.query) if url.path.endswith("/users") else {}


def with_json(response: Response, **members: Any) -> Response:
    """The response with these members of its JSON object set."""
    return replace(response, body=json.dumps(response.json() | members).encode())


def without_previous(request: Request, response: Response) -> Response:
    """No page of the list has a previous link."""
    return with_json(response, previous=False) if urlsplit(request.url).path.endswith("/users") else response


def refuses_every_offset(request: Request, response: Response) -> Response:
    """A request for the list is refused if it has an offset and a limit below the largest."""
    query = parameters(request)
    if "offset" not in query or query.get("page") == ["2"]:
        return response
    return Response(400, (("content-type", "application/json"),), b'{"detail": "No."}')


def lists_only_the_caller(request: Request, response: Response) -> Response:
    """The list has one user, the owner of the key."""
    if not urlsplit(request.url).path.endswith("/users"):
        return response
    return with_json(response, count=1, data=[{"id": 7, "username": "mira", "profile_image": None}])


def test_without_previous_links_there_is_nothing_to_follow() -> None:
    with pytest.raises(MissingPrecondition, match="no link to follow"):
        test_page_envelope.test_previous_leads_to_the_page_before(changed_api(without_previous))


def test_count_is_not_judged_by_refused_pages_alone() -> None:
    with pytest.raises(ContractViolation) as caught:
        test_page_envelope.test_count_is_that_of_the_whole_list(changed_api(refuses_every_offset))
    assert caught.value.clauses == ("FLOWBACK-LIST-1",)


def forty_users(request: Request, response: Response) -> Response:
    """The list has 40 users in one page at most, links name no limit, and nothing tells what a higher limit does."""
    if not urlsplit(request.url).path.endswith("/users") or response.status != 200:
        return response
    return with_json(response, count=40, next=False, previous=False, data=response.json()["data"][:40])


def test_a_silent_clamp_of_forty_users_is_not_judged() -> None:
    api = changed_api(forty_users)
    with pytest.raises(MissingPrecondition, match="tells no limit"):
        test_pages.test_a_limit_of_51_is_refused_or_clamped(api, ObservedReadings(api))
    with pytest.raises(MissingPrecondition, match="do not tell the limit"):
        test_pages.test_links_tell_a_limit_of_50_at_most(api)


def test_a_refused_limit_shows_without_51_users() -> None:
    api = in_process_api("flowback", variants=("refuses_a_limit_above_fifty", "has_forty_users"))
    readings = ObservedReadings(api)
    test_pages.test_a_limit_of_51_is_refused_or_clamped(api, readings)
    assert readings.seen["FLOWBACK-AMB-7"] == "refused"


def test_a_clamp_that_links_tell_shows_without_51_users() -> None:
    api = in_process_api("flowback", variants=("has_forty_users",))
    readings = ObservedReadings(api)
    test_pages.test_a_limit_of_51_is_refused_or_clamped(api, readings)
    assert readings.seen["FLOWBACK-AMB-7"] == "clamped"


def test_other_users_are_needed_to_see_their_emails() -> None:
    api = changed_api(lists_only_the_caller)
    with pytest.raises(MissingPrecondition, match="a second user"):
        test_get_user.test_every_user_has_the_documented_members(api, ObservedReadings(api))


def test_an_accepted_weak_password_is_no_failed_attempt() -> None:
    api = in_process_api("flowback", variants=("takes_any_password_when_verifying",))
    readings = ObservedReadings(api)
    with pytest.raises(MissingPrecondition, match="this attempt did not fail"):
        test_verify_register.test_code_stays_valid_after_a_failed_attempt(api, readings, "1234")
    assert readings.seen["FLOWBACK-AMB-24"] == "accepted"
