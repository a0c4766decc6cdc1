"""What a test does when the run may not send all of its requests: findings are kept, and without any it is no pass."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from contracts.exchange import Exchange, Request, Response
from contracts.judge.http_judge import Finding
from fixtures.pace import BudgetUsedUp, NotTested, Throttled, TooManyWrongCredentials
from suites.generic.http_conformance import findings_of
from suites.generic.rpc_conformance import RpcChecker

FINDING = Finding("GETFLOW-ERR-1", "a", "b", Exchange(Request("GET", "/"), Response(200)))
Outcome = NotTested | list[Finding]


class Checks:
    """The outcome of each check in turn."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)

    def __call__(self, *_: Any) -> list[Finding]:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, NotTested):
            raise outcome
        return outcome


def http_findings(checks: Checks) -> list[Any]:
    cases: Any = [SimpleNamespace(title=str(number)) for number in range(len(checks.outcomes))]
    api: Any = SimpleNamespace(drop_vanished_values=lambda: False)
    return findings_of(api, api, cases, checks)


def rpc_findings(checks: Checks) -> list[Any]:
    messages: Any = [SimpleNamespace(title=str(number)) for number in range(len(checks.outcomes))]
    nothing: Any = None
    api: Any = SimpleNamespace(drop_vanished_values=lambda: False)
    return RpcChecker(api, nothing, nothing, nothing).findings(messages, checks)


both = pytest.mark.parametrize("findings", [http_findings, rpc_findings])


@both
def test_findings_before_the_end_of_a_budget_are_kept(findings: Any) -> None:
    assert len(findings(Checks([FINDING], BudgetUsedUp("used up")))) == 1


@both
@pytest.mark.parametrize("reason", [BudgetUsedUp("x"), Throttled("x"), TooManyWrongCredentials("x")])
def test_without_findings_the_test_is_not_made(findings: Any, reason: NotTested) -> None:
    with pytest.raises(type(reason)):
        findings(Checks([], reason))


@both
def test_after_the_end_of_a_budget_nothing_is_tried(findings: Any) -> None:
    checks = Checks(BudgetUsedUp("x"), [FINDING])
    with pytest.raises(BudgetUsedUp):
        findings(checks)
    assert len(checks.outcomes) == 1


@both
def test_after_wrong_credentials_other_cases_are_sent(findings: Any) -> None:
    assert len(findings(Checks(TooManyWrongCredentials("x"), [FINDING]))) == 1
