"""Judges what answered a call: is the envelope one that the document describes, is a broken call refused as it says?

Rule: as for operations, whatever transport brought the answer: a judge finds and never raises, and every finding names
the clause that it breaks. What only one transport has, such as an HTTP status, is not judged here.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.exchange import Answer, Exchange
from contracts.judge import Finding, refused, violations
from contracts.refusals import Mutation, may_accept, rule, wrongly_named
from contracts.rpc import Call, Rpc

SHOWN = 200  # characters of an answer that is told


def judge_envelope(whole: Rpc, call: Call, exchange: Exchange) -> list[Finding]:
    """Everything in the answer that the reply's schema does not describe, [] when all is as documented."""
    answer = exchange.answer
    if answer.error:
        return [Finding(call.reply_clause, "an answer", answer.error, exchange)]
    try:
        value = answer.json()
    except (ValueError, RecursionError) as error:
        told = f"{error}, {answer.text()[:SHOWN]!r}"
        return [Finding(call.reply_clause, "an envelope of JSON in UTF-8", told, exchange)]
    return [
        Finding(clause or call.reply_clause, expected, received, exchange)
        for expected, received, clause in violations(whole.contract, call.reply, value)
    ]


def judge_accepted(whole: Rpc, call: Call, exchange: Exchange) -> list[Finding]:
    """Everything wrong with the answer to a valid call: it is no success, or no documented envelope."""
    found = judge_envelope(whole, call, exchange)
    answer = exchange.answer
    if answer.error or not refused(whole.contract, answer):
        return found
    return [Finding(call.clauses[0], "a valid call succeeds", _told(answer), exchange), *found]


def judge_refused(
    whole: Rpc, call: Call, exchange: Exchange, mutation: Mutation, environ: Mapping[str, str]
) -> list[Finding]:
    """Everything wrong with the answer to a call that has this mutation, [] when it is as documented.

    Raises KeyError when the document has no rule for such a call.
    """
    due = rule(whole.contract, call, mutation)
    found = judge_envelope(whole, call, exchange)
    if exchange.answer.error or "unstated" in due:
        return found
    clause = due["clause"]
    if not refused(whole.contract, exchange.answer):
        if may_accept(due, environ):
            return found
        return [*found, Finding(clause, f"a refusal ({mutation})", _told(exchange.answer), exchange)]
    try:
        problems = list(wrongly_named(whole.contract, due, mutation, exchange.answer.json()))
    except (ValueError, RecursionError):
        return found  # it is no JSON, which has been found already
    return found + [Finding(clause, expected, received, exchange) for expected, received in problems]


def _told(answer: Answer) -> str:
    text = answer.text()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
