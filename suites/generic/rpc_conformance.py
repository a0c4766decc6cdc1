"""Checks that apply to every call of every AsyncAPI document.

Rule: a valid message succeeds, an invalid one is refused as documented, and after that the connection serves the next
one. The document names the clause of each. A generated message that fails is reduced before it is reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from contracts import json_pointer
from contracts.asyncapi import Call, RpcContract
from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.judge.refusal_judge import InvalidCase, readings_left_open, refusal_rule
from contracts.judge.rpc_judge import SUCCEEDS, judge_accepted, judge_refused
from fixtures.acceptance import message_acceptance_clause, message_refusal_clause
from fixtures.cases import fill_placeholders
from fixtures.corpus.builder import remove_member
from fixtures.corpus.request_fields import member_fields
from fixtures.corpus.rpc_messages import Message, Messages
from fixtures.pace import NotTested, TooManyWrongCredentials
from fixtures.target_api import Api, MissingPrecondition, NotPermitted
from fixtures.transports import Transport
from suites.meaning_recorder import note_outcome

MAX_FAILING = 10  # failing messages of one call; more of them show nothing new
MessageFindings = list[tuple[Finding, Message]]
MessageCheck = Callable[[Message], list[Finding]]
ErrorIds = dict[str, Exchange]  # the refusal that had that id first


@dataclass(frozen=True)
class RpcChecker:
    """Sends the messages of one call and checks the responses; `error_ids` are shared by the whole run."""

    api: Api
    transport: Transport
    messages: Messages
    call: Call
    error_ids: ErrorIds = field(default_factory=dict)

    @property
    def rpc(self) -> RpcContract:
        """The document that has the call."""
        return self.messages.rpc

    def send(self, message: Message) -> Exchange:
        """Sends a message. Raises NotPermitted, MissingPrecondition, UsageError (a missing setting) and Unreachable."""
        parts = fill_placeholders(message.parts, self.api.known_value)
        return self.transport.call(self.rpc.calls[message.call].endpoint, **parts, credentials=message.credentials)

    def check_accepted(self, message: Message) -> list[Finding]:
        """The findings of a valid message: it succeeds, with a documented envelope."""
        clause = message_acceptance_clause(self.rpc, self.call, message)
        exchange = self.send(message)
        if clause is None and is_refusal(self.rpc.contract, exchange.response):
            self.api.notes.append(f"refused, which nothing forbids: {self.call.label}, {message.title}")
        return self._accepted(self.call, exchange, clause)

    def check_refused(self, message: Message) -> list[Finding]:
        """The findings of an invalid message: it is refused as documented, with an id of its own."""
        invalid = message.invalid_case
        assert invalid is not None
        exchange = self.send(message)
        readings = readings_left_open(refusal_rule(self.rpc.contract, self.call, invalid))
        note_outcome(self.api, readings, f"{self.call.label} by {self.transport.name}, {invalid.label}", exchange)
        findings = self._refused(exchange, invalid)
        if findings:
            minimal = self.messages.minimal(self.call)
            clause = message_refusal_clause(self.rpc, self.call, invalid, minimal, lambda: self._is_accepted(minimal))
            findings = self._refused(exchange, invalid, clause)
        return findings + list(self._repeated_ids(exchange))

    def _accepted(self, call: Call, exchange: Exchange, clause: str | None) -> list[Finding]:
        judge = partial(judge_accepted, self.rpc, call, clause=clause)
        return self.api.invalid_records.judged(exchange, judge)

    def _refused(self, exchange: Exchange, invalid: InvalidCase, clause: str | None = None) -> list[Finding]:
        judge = partial(judge_refused, self.rpc, self.call, case=invalid, environ=os.environ, clause=clause)
        return self.api.invalid_records.judged(exchange, judge)

    def _is_accepted(self, message: Message) -> bool:
        response = self.send(message).response
        return not response.error and not is_refusal(self.rpc.contract, response)

    def _repeated_ids(self, exchange: Exchange) -> Iterator[Finding]:
        """The finding that another refusal of this run had the same id."""
        unique = self.rpc.contract.error_format.get("unique")
        if not unique or not is_refusal(self.rpc.contract, exchange.response):
            return
        with suppress(ValueError, RecursionError):
            for value in json_pointer.find(exchange.response.json(), unique["pointer"]):
                if isinstance(value, str) and self.error_ids.setdefault(value, exchange) is not exchange:
                    yield Finding(unique["clause"], "an id that no other refusal has", f"{value}, once more", exchange)

    def findings(self, messages: Iterable[Message], check: MessageCheck) -> MessageFindings:
        """The findings of all these messages, each with the smallest message that still fails.

        The first message without a response is the last one that is sent, since each further one could take the whole
        time limit. Raises MissingPrecondition when the target's owner permits none of the messages, and NotTested
        without findings when the run may not send all of them.
        """
        findings: MessageFindings = []
        sent = failing = 0
        is_silent = False
        left_out: NotTested | None = None
        for message in messages:
            smallest = message
            of_message: list[Finding] = []
            try:
                of_message = check(message)
                sent += 1
                if of_message and self.api.drop_vanished_values():
                    of_message = check(message)
                if of_message:
                    is_silent = bool(of_message[0].exchange.response.error)
                    smallest = self._reduced(message, check, of_message[0])
                    of_message = (smallest is not message and check(smallest)) or of_message
            except NotPermitted:
                continue
            except NotTested as reason:
                left_out = reason
            findings += [(finding, smallest) for finding in of_message]
            failing += bool(of_message)
            if failing >= MAX_FAILING or is_silent or (left_out and not isinstance(left_out, TooManyWrongCredentials)):
                break
        if left_out and not findings:
            raise left_out
        if not sent:
            raise MissingPrecondition(self.api.target.read_only_reason())
        return findings

    def _reduced(self, message: Message, check: MessageCheck, finding: Finding) -> Message:
        """A generated message without everything that it can lose and still have such a finding."""
        smallest = message
        for path in self._optional_paths(message) if message.title.startswith("generated") else ():
            smaller = replace(smallest, parts=remove_member(smallest.parts, path), title=f"{message.title}, reduced")
            if smaller.parts == smallest.parts or not self._is_valid(smaller):
                continue
            if any(self._is_alike(finding, other) for other in check(smaller)):
                smallest = smaller
        return smallest

    def _is_alike(self, finding: Finding, other: Finding) -> bool:
        """Whether two findings are about the same promise; that a call succeeds is one, whoever demands it."""
        return finding.clause == other.clause or finding.expected == other.expected == SUCCEEDS

    def _optional_paths(self, message: Message) -> Iterator[tuple[str, ...]]:
        """The paths to what is in the message and need not be: parts, and members of parts."""
        yield from ((part,) for part in sorted(set(message.parts) - self.call.required_parts - {"method"}))
        for part, schema in self.call.documented_parts.items():
            members = member_fields(self.rpc.contract, schema)
            yield from ((part, *member.path) for member in members if not member.required)

    def _is_valid(self, message: Message) -> bool:
        """Whether the parts of the message match their schemas, placeholders included."""
        validator = self.rpc.contract.validator
        schemas = self.call.documented_parts
        return all(
            validator(schema).is_valid(message.parts[part]) for part, schema in schemas.items() if part in message.parts
        )

    def probe_message(self) -> tuple[Call, Message] | None:
        """A call that only reads, at the same endpoint, with its minimal message; None when there is none.

        A call that names an object is preferred, since its response is small.
        """
        reading = [call for call in self.rpc.calls.values() if call.safe and call.endpoint == self.call.endpoint]
        best = max(reading, key=lambda call: bool(call.required_parts), default=None)
        return (best, self.messages.minimal(best)) if best else None

    def findings_after_refusals(self, messages: Iterable[Message]) -> MessageFindings:
        """The first message after whose refusal the connection does not serve a reading call as it did before."""
        probe, clause = self.probe_message(), self.rpc.after_refusal_clause
        if probe is None or clause is None:
            raise MissingPrecondition(
                f"{self.call.endpoint} has no reading call, or no clause promises that the connection stays usable"
            )
        call, probe_message = probe
        clause_of_probe = message_acceptance_clause(self.rpc, call, probe_message)
        if self._accepted(call, self.send(probe_message), clause_of_probe):
            raise MissingPrecondition(
                f"{call} is not answered as documented, so it cannot show whether a call is served"
            )
        left_out: NotTested | None = None
        for message in messages:
            with suppress(NotPermitted):
                try:
                    self.send(message)
                except TooManyWrongCredentials as reason:
                    left_out = reason
                    continue
                after = self.send(probe_message)
                findings = self._accepted(call, after, clause_of_probe)
                if findings:
                    received = f"{findings[0].expected}: {findings[0].received}"
                    return [(Finding(clause, f"{call.label} served after a refusal", received, after), message)]
        if left_out:
            raise left_out
        return []
