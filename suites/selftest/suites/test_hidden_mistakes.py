"""Facts about two mistakes of which a target refuses only one: the other one must not hide it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.exchange import Exchange, Request
from fixtures.corpus import EFFORTS, corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.test_two_mistakes import test_two_mistakes_are_refused_like_one as check
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

check.__test__ = False  # type: ignore[attr-defined]


def check_list_of_events(monkeypatch: pytest.MonkeyPatch, edit: Callable[[str], str]) -> Api:
    """Sends pairs of mistakes to the list of events, whose server sees the URL as `edit` makes it."""
    api = in_process_api("flowapp")
    send = api.client.send

    def edited(request: Request) -> Exchange:
        return send(replace(request, url=edit(request.url)))

    monkeypatch.setattr(api.client, "send", edited)
    check(api, corpus("flowapp", EFFORTS["quick"], 0), api.contract.find("listEvents"))
    return api


def test_an_ignored_mistake_beside_a_refused_one_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    api = check_list_of_events(monkeypatch, lambda url: url)
    assert api.exchange_count > 2


def test_a_refused_mistake_that_another_one_hides_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def hide(url: str) -> str:
        """Without the period where the other parameter is wrong, too."""
        return re.sub(r"period=[^&]*&?", "", url) if "simple_analytics" in url else url

    with pytest.raises(ContractViolation) as raised:
        check_list_of_events(monkeypatch, hide)
    assert raised.value.clauses == ("FLOWAPP-LIST-4",)


def test_without_a_mistake_that_is_refused_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingPrecondition, match="refuses no two mistakes"):
        check_list_of_events(monkeypatch, lambda url: url.partition("?")[0])


def test_mistakes_in_what_tells_operations_apart_are_not_compared_with_one_alone() -> None:
    api = in_process_api("bitvis", variants=("takes_the_method_from_the_verb",))
    operation = api.contract.find("operationCollectionGet LIST by query")
    with pytest.raises((MissingPrecondition, ContractViolation)) as raised:
        check(api, corpus("bitvis", EFFORTS["quick"], 0), operation)
    assert raised.type is MissingPrecondition
