"""Judges the reply to a call: the envelope must be documented, and an invalid call refused by its rule.

The same for every transport: a judge returns findings and never raises for what a server
sent, and every finding names the clause that is broken. Parts of a single transport, such as an HTTP status, are
not judged here.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.asyncapi import Call, RpcContract
from contracts.exchange import Exchange, Response
from contracts.judge.http_judge import (
    REFUSED_OTHERWISE,
    WAS_ACCEPTED,
    WAS_REFUSED,
    Finding,
    finding_of,
    is_refusal,
    reported,
)
from contracts.judge.refusal_judge import InvalidCase, may_be_accepted, payload_problems, refusal_rule
from contracts.judge.schema_judge import schema_violations
from contracts.reader.document_lines import blamed_clause, of_operation

MAX_SHOWN = 200  # characters of a reply in a finding
SUCCEEDS = "a valid call succeeds"  # what a finding about a refusal expects


def judge_envelope(rpc: RpcContract, call: Call, exchange: Exchange) -> list[Finding]:
    """A finding for each part of the reply that its schema does not describe, [] when there is none."""
    return reported(rpc.contract, call, _envelope_findings(rpc, call, exchange))


def _envelope_findings(rpc: RpcContract, call: Call, exchange: Exchange) -> list[Finding]:
    response = exchange.response
    around = [call.reply_clause, *of_operation(rpc.contract, call.clauses)]
    if response.error:
        return [Finding(call.reply_clause, "a reply", response.error, exchange, kind="incomplete")]
    try:
        value = response.shared_json()
    except (ValueError, RecursionError) as error:
        received = f"{error}, {response.text()[:MAX_SHOWN]!r}"
        clause = blamed_clause(rpc.contract, around, call.reply_lines.get("payload", ""), "response")
        return [Finding(clause, "an envelope of JSON in UTF-8", received, exchange, None, "body", "syntax")]
    violations = schema_violations(rpc.contract, call.reply_schema, value, around)
    return [finding_of(violation, exchange) for violation in violations]


def judge_accepted(rpc: RpcContract, call: Call, exchange: Exchange, clause: str | None) -> list[Finding]:
    """Findings on the reply to a valid call that is no success or no documented envelope.

    A refusal is reported under `clause`; None: nothing demands that the call is accepted.
    """
    findings = judge_envelope(rpc, call, exchange)
    response = exchange.response
    if clause is None or response.error or not is_refusal(rpc.contract, response):
        return findings
    refused = Finding(clause, SUCCEEDS, _shorten(response), exchange, kind=WAS_REFUSED)
    return [*reported(rpc.contract, call, [refused]), *findings]


def judge_refused(
    rpc: RpcContract,
    call: Call,
    exchange: Exchange,
    case: InvalidCase,
    environ: Mapping[str, str],
    clause: str | None = None,
) -> list[Finding]:
    """Findings on the reply to a call that is invalid in this way, [] when it is as documented.

    `clause` demands the refusal in place of the rule's own, of a call that the document does not bear.
    Raises ContractError when the document has no rule for such a call.
    """
    rule = refusal_rule(rpc.contract, call, case)
    findings = judge_envelope(rpc, call, exchange)
    if exchange.response.error or "unstated" in rule:
        return findings
    clause = clause or rule["clause"]
    if not is_refusal(rpc.contract, exchange.response):
        if may_be_accepted(rule, environ):
            return findings
        received = _shorten(exchange.response)
        accepted = Finding(clause, f"a refusal ({case})", received, exchange, kind=WAS_ACCEPTED)
        return [*findings, *reported(rpc.contract, call, [accepted])]
    try:
        problems = list(payload_problems(rpc.contract, rule, case, exchange.response.shared_json()))
    except (ValueError, RecursionError):
        return findings  # judge_envelope has a finding about it already
    otherwise = [Finding(clause, *problem, exchange, kind=REFUSED_OTHERWISE) for problem in problems]
    return findings + reported(rpc.contract, call, otherwise)


def _shorten(response: Response) -> str:
    text = response.text()
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
