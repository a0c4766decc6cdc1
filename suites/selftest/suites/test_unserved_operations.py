"""An operation that the target does not serve is the finding, where the document does not give its path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from contracts.exchange import Exchange
from suites.getflow.client import ACCOUNTS, ACTIVITIES, TASKS, RecordKind, send
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import violation
from suites.reporting.unserved_operations import UnservedOperations

STATED = "GETFLOW-ERR-11"


class WithoutPaths:
    """A client of the reference that has nothing at the paths for which `is_missing` holds; counts its requests."""

    def __init__(self, inner: Any, is_missing: Callable[[str], bool], status: int) -> None:
        self.inner, self.is_missing, self.status, self.count = inner, is_missing, status, 0

    def send(self, request: Any) -> Exchange:
        self.count += 1
        exchange: Exchange = self.inner.send(request)
        if not self.is_missing(urlsplit(request.url).path):
            return exchange
        return replace(exchange, response=replace(exchange.response, status=self.status, body=b"{}"))


def blamed_for(kind: RecordKind, status: int = 404, missing: str = "/") -> list[str]:
    """The clauses that are blamed where a list is refused and a stated clause is broken by that."""
    api = in_process_api("getflow")
    api._client = WithoutPaths(api._client, lambda path: missing in path, status)
    error = violation(api, STATED, "invalid_attribute", "another code", send(api, kind, "list", query={"limit": 101}))
    return list((UnservedOperations().explain(api, [], error) or error).clauses)


@pytest.mark.parametrize("status", [404, 405, 410, 501])
def test_a_list_that_is_not_there_is_the_finding(status: int) -> None:
    assert blamed_for(ACTIVITIES, status) == ["GETFLOW-SHAPE-2"]


def test_a_list_that_is_there_without_the_version_in_its_path_is_blamed_for_that() -> None:
    assert blamed_for(ACTIVITIES, missing="/v2/activities") == [STATED]


def test_another_refusal_stands() -> None:
    assert blamed_for(ACTIVITIES, 422) == [STATED]


def test_a_path_of_the_document_has_to_be_there() -> None:
    assert blamed_for(TASKS) == [STATED]


def test_a_served_operation_is_blamed_for_its_refusal() -> None:
    api = in_process_api("getflow")
    refused = send(api, ACCOUNTS, "list", query={"organization_id": "2147483000"})
    assert refused.response.status == 404
    assert UnservedOperations().explain(api, [], violation(api, STATED, "x", "y", refused)) is None


def test_a_failed_assertion_about_an_unserved_operation_is_explained_too() -> None:
    api = in_process_api("getflow")
    api._client = WithoutPaths(api._client, lambda path: "activities" in path, 404)
    send(api, ACTIVITIES, "list")
    explained = UnservedOperations().explain(api, [STATED], AssertionError("expected 1"))
    assert explained is not None
    assert explained.clauses == ("GETFLOW-SHAPE-2",)


def test_an_operation_is_tried_once() -> None:
    api = in_process_api("getflow")
    api._client = client = WithoutPaths(api._client, lambda path: "activities" in path, 404)
    unserved = UnservedOperations()
    for _ in range(3):
        unserved.explain(api, [STATED], violation(api, STATED, "x", "y", send(api, ACTIVITIES, "list")))
    assert client.count == 5  # three of the test, and one in each form of the operation
