"""The failure of a behaviour test: what changed, in the words of the report, with a command that shows it."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.exchange import Exchange, as_curl
from contracts.judge.http_judge import Finding
from fixtures.questions.asking import QuestionLog
from fixtures.target_api import Api
from reports.drift.changes import Change, sentence
from reports.results.finding_record import OF_BEHAVIOUR
from suites.reporting.failures import ContractViolation


class BehaviourChanged(ContractViolation):
    """The target behaves otherwise than recorded. It blames no clause: severities decide, not grades."""


def changed_behaviour(api: Api, changes: Sequence[Change], log: QuestionLog) -> BehaviourChanged:
    """The failure for these changes, which break clients."""
    texts, findings = [], []
    for change in changes:
        exchange = exchange_of(log, change)
        texts.append(_text(api, change, exchange))
        if exchange is not None:
            expected = f"as recorded: {change.before}"
            findings.append((Finding("", expected, sentence(change), exchange, kind=OF_BEHAVIOUR), None))
    return BehaviourChanged("\n".join(texts), [], findings)


def exchange_of(log: QuestionLog, change: Change) -> Exchange | None:
    """The exchange that shows the change: of its question, or of the step of a walk; else the last one."""
    for address in change.places:
        if address in log.exchanges:
            return log.exchanges[address]
    by_title = {answer.title: answer.exchange for answer in log.answers}
    return by_title.get(change.question) or next(reversed(by_title.values()), None)


def _text(api: Api, change: Change, exchange: Exchange | None) -> str:
    parts = {
        "severity": change.severity,
        "document": f"{change.clause}, {change.clause_line}" if change.clause else "is silent",
        "recorded": change.before,
        "received": change.after,
        "try it": as_curl(exchange, api.secrets, api.secret_variables) if exchange else "",
    }
    lines = [f"  {name:<10} {text}" for name, text in parts.items() if text]
    return "\n".join([sentence(change), *lines])
