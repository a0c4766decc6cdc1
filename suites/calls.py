"""What every call of every AsyncAPI document must do, as functions that give findings.

Rule: a valid message succeeds, a broken one is refused as documented, and after it the connection serves the next
one. Which clause each of these is, the document says. A generated message that fails is made smaller before it is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from contracts import pointers
from contracts.exchange import Exchange
from contracts.judge import Finding, refused
from contracts.replies import judge_accepted, judge_refused
from contracts.rpc import Call, Rpc
from fixtures.api import Api, Lacking, NotPermitted
from fixtures.cases import filled
from fixtures.corpus.make import cut_out
from fixtures.corpus.messages import Message, Messages
from fixtures.corpus.slots import properties
from fixtures.transports import Transport

ENOUGH = 10  # failing messages of one call; more of them say nothing new
Found = list[tuple[Finding, Message]]
Check = Callable[[Message], list[Finding]]
ErrorIds = dict[str, Exchange]  # what refused under that id


@dataclass(frozen=True)
class Caller:
    """Sends the messages of one call; `errorids` are those that the run has met."""

    api: Api
    transport: Transport
    messages: Messages
    call: Call
    errorids: ErrorIds = field(default_factory=dict)

    @property
    def rpc(self) -> Rpc:
        """The document that the call is of."""
        return self.messages.rpc

    def send(self, message: Message) -> Exchange:
        """One exchange. Raises NotPermitted, Lacking (no known record), Misuse (no setting) and Unreachable."""
        parts = filled(message.parts, self.api.known)
        return self.transport.call(self.rpc.calls[message.call].endpoint, **parts, credentials=message.credentials)

    def accepted(self, message: Message) -> list[Finding]:
        """The findings of a valid message: it succeeds, with a documented envelope."""
        return judge_accepted(self.rpc, self.call, self.send(message))

    def refused(self, message: Message) -> list[Finding]:
        """The findings of a broken message: it is refused as documented, and under an id of its own."""
        assert message.mutation is not None
        exchange = self.send(message)
        found = judge_refused(self.rpc, self.call, exchange, message.mutation, os.environ)
        return found + list(self._repeated(exchange))

    def _repeated(self, exchange: Exchange) -> Iterator[Finding]:
        """The finding that another refusal of this run had the same id."""
        unique = self.rpc.contract.error.get("unique")
        if not unique or not refused(self.rpc.contract, exchange.answer):
            return
        with suppress(ValueError, RecursionError):
            for value in pointers.find(exchange.answer.json(), unique["pointer"]):
                if isinstance(value, str) and self.errorids.setdefault(value, exchange) is not exchange:
                    yield Finding(unique["clause"], "an id that no other refusal has", f"{value}, once more", exchange)

    def findings(self, messages: Iterable[Message], check: Check) -> Found:
        """The findings of all these messages, each made as small as it still fails; Lacking when none may be sent.

        A message that is not answered is the last one: each further one could take the whole time limit.
        """
        found: Found = []
        sent = failing = 0
        for message in messages:
            with suppress(NotPermitted):
                got = check(message)
                sent += 1
                smaller = self._smaller(message, check, got[0].clause) if got else message
                found += [(finding, smaller) for finding in (smaller is not message and check(smaller)) or got]
                failing += bool(got)
                if failing >= ENOUGH or (got and got[0].exchange.answer.error):
                    break
        if not sent:
            raise Lacking(self.api.target.refusal())
        return found

    def _smaller(self, message: Message, check: Check, clause: str) -> Message:
        """The message without everything that it may lack and still break that clause."""
        best = message
        for path in self._may_lack(message) if message.title.startswith("generated") else ():
            tried = replace(best, parts=cut_out(best.parts, path), title=f"{message.title}, made smaller")
            if tried.parts == best.parts or not self._is_whole(tried):
                continue
            if any(finding.clause == clause for finding in check(tried)):
                best = tried
        return best

    def _may_lack(self, message: Message) -> Iterator[tuple[str, ...]]:
        """The paths to what is in the message and need not be: parts, and members of parts."""
        yield from ((part,) for part in sorted(set(message.parts) - self.call.needs - {"method"}))
        for part, schema in self.call.shapes.items():
            yield from ((part, *slot.path) for slot in properties(self.rpc.contract, schema) if not slot.required)

    def _is_whole(self, message: Message) -> bool:
        """Whether its parts keep their shapes, as far as that can be said before it is sent."""
        sent = {part: schema for part, schema in self.call.shapes.items() if part in message.parts}
        return all(self.rpc.contract.validator(schema).is_valid(message.parts[part]) for part, schema in sent.items())

    def probe(self) -> tuple[Call, Message] | None:
        """A reading call to the same endpoint, one that names an object if there is one: its answer is small."""
        reading = [one for one in self.rpc.calls.values() if one.safe and one.endpoint == self.call.endpoint]
        best = max(reading, key=lambda one: bool(one.needs), default=None)
        return (best, self.messages.plain(best)) if best else None

    def unusable_after(self, messages: Iterable[Message]) -> Found:
        """The messages after whose refusal the connection does not serve a plain reading call as it did before."""
        probe, clause = self.probe(), self.rpc.after_refusal
        if probe is None or clause is None:
            raise Lacking(f"{self.call.endpoint} has no reading call, or nobody promises that a connection stays")
        call, plain = probe
        if judge_accepted(self.rpc, call, self.send(plain)):
            raise Lacking(f"{call} is not answered as it should, so nothing can be told by it")
        found: Found = []
        for message in messages:
            with suppress(NotPermitted):
                self.send(message)
                after = self.send(plain)
                wrong = judge_accepted(self.rpc, call, after)
                if wrong:
                    told = f"{wrong[0].expected}: {wrong[0].received}"
                    found.append((Finding(clause, f"{call.label} served after a refusal", told, after), message))
                    break
        return found
