"""Tests of findings about what no document says: they wait for the end of a test, and are never lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import contracts
from contracts.clauses import clauses
from contracts.exchange import Exchange, Request, Response
from contracts.judge.http_judge import Finding
from fixtures.http_client import Unreachable
from fixtures.target_api import Api, MissingPrecondition
from suites.mutation.reference_apis import in_process_api
from suites.reporting import postponed_findings
from suites.reporting.failures import ContractViolation
from suites.reporting.postponed_findings import raise_or_postpone

EXCHANGE = Exchange(Request("GET", "http://127.0.0.1:1/x", ()), Response(200, (), b"{}"))


def clause_of(api: str, *grades: str) -> str:
    """The first clause of that API with one of these grades."""
    return next(name for name, clause in clauses(api).items() if clause.grade in grades)


STATED = {api: clause_of(api, "stated") for api in contracts.apis()}
UNSTATED = {api: clause_of(api, "inferred", "public") for api in contracts.apis()}


def finding(clause: str) -> Finding:
    return Finding(clause, "a member", "none", EXCHANGE)


def ended(api: Api, end: Callable[[], Any]) -> Any:
    """What the hook makes of a test of that API which ends so."""
    hook = postponed_findings.pytest_runtest_call(SimpleNamespace(funcargs={"api": api}))  # type: ignore[arg-type]
    next(hook)
    try:
        value = end()
    except BaseException as error:
        return hook.throw(error)
    with pytest.raises(StopIteration) as stopped:
        hook.send(value)
    return stopped.value.value


@pytest.mark.parametrize("name", UNSTATED)
def test_what_no_document_says_waits(name: str) -> None:
    api = in_process_api(name)
    raise_or_postpone([finding(UNSTATED[name])], api)
    assert [it.clause for it in api.postponed] == [UNSTATED[name]]


@pytest.mark.parametrize("name", STATED)
def test_what_a_document_says_is_reported_at_once(name: str) -> None:
    api = in_process_api(name)
    with pytest.raises(ContractViolation):
        raise_or_postpone([finding(UNSTATED[name]), finding(STATED[name])], api)
    assert api.postponed == []


def test_nothing_waits_where_no_response_came() -> None:
    api = in_process_api("getflow")
    lost = replace(EXCHANGE, response=replace(EXCHANGE.response, error="closed"))
    with pytest.raises(ContractViolation):
        raise_or_postpone([replace(finding(UNSTATED["getflow"]), exchange=lost)], api)


def test_what_waited_is_reported_when_the_test_has_ended_well() -> None:
    api = in_process_api("getflow")
    api.postponed.append(finding(UNSTATED["getflow"]))
    with pytest.raises(ContractViolation, match=UNSTATED["getflow"]):
        ended(api, lambda: None)


def test_what_waited_is_reported_when_the_test_is_skipped() -> None:
    def skip() -> None:
        raise MissingPrecondition("no such record")

    api = in_process_api("getflow")
    api.postponed.append(finding(UNSTATED["getflow"]))
    with pytest.raises(ContractViolation, match=UNSTATED["getflow"]):
        ended(api, skip)


def test_what_waited_is_reported_when_the_test_cannot_read_the_response() -> None:
    api = in_process_api("getflow")
    api.postponed.append(finding(UNSTATED["getflow"]))
    with pytest.raises(ContractViolation, match=UNSTATED["getflow"]):
        ended(api, lambda: {}["data"])


def test_a_target_out_of_reach_is_no_finding() -> None:
    def disconnect() -> None:
        raise Unreachable("nobody answers")

    api = in_process_api("getflow")
    api.postponed.append(finding(UNSTATED["getflow"]))
    with pytest.raises(Unreachable):
        ended(api, disconnect)


def test_a_test_that_fails_reports_its_failure_alone() -> None:
    def fail() -> None:
        raise AssertionError("the promise is broken")

    api = in_process_api("getflow")
    api.postponed.append(finding(UNSTATED["getflow"]))
    with pytest.raises(AssertionError, match="the promise is broken"):
        ended(api, fail)


def test_a_test_without_such_findings_ends_as_it_did() -> None:
    assert ended(in_process_api("getflow"), lambda: 5) == 5
