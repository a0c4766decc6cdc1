"""A finding as data: what the reports know of one broken promise, without any text that has to be parsed.

Rule: it is made where the exception is caught (suites/reporting/finding_records.py), with its secrets masked already.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding, is_refusal
from contracts.openapi import Contract

REDIRECTION = 300  # the lowest status of a response that does not serve the request
MAX_DIGESTED = 2_000  # characters of a refusal
VARYING = re.compile(r"[\w-]*\d[\w-]*")
REFUSED = "refused"  # the kind of a finding about a request that must be accepted
OF_BEHAVIOUR = "behaviour"  # the kind of a finding that a target behaves otherwise than recorded
CREDENTIALS = "credentials"  # the slot of a finding about a valid request that is refused as if it had none
UNAUTHORIZED = (401, 403)  # statuses of requests whose credentials do not do (RFC 9110, 15.5.2 and 15.5.4)
OF_THE_DOCUMENT = ("stated", "example", "")  # grades that make a breach a failure; readings have none


def refusal_digest(contract: Contract, exchange: Exchange) -> str:
    """A digest of how the target refuses the request, equal for all that it refuses alike; "" for no refusal.

    What differs from request to request, such as ids and times, is left out, and so is the status of a refusal with
    words: a websocket has it in its messages.
    """
    response = (exchange.actual or exchange).response
    if response.error or not (response.status >= REDIRECTION or is_refusal(contract, response)):
        return ""
    text = VARYING.sub("#", response.text()[:MAX_DIGESTED]) or str(response.status)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def slot_and_kind(finding: Finding) -> tuple[str, str]:
    """The slot and the kind of the finding's record; a valid request that is refused as if it had none: credentials."""
    is_turned_away = not finding.slot and finding.exchange.response.status in UNAUTHORIZED
    if is_turned_away and finding.kind in ("", REFUSED):
        return CREDENTIALS, REFUSED
    return finding.slot, finding.kind


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """One finding.

    clause: id of the broken clause or reading, "" where a test names none; grade: of the clause, "" for a reading.
    is_warning: whether it lets the API pass. operation: label of the operation or call. status: of the response, 0
    for none. slot: the part of the response that is wrong, such as "/data/*/id", "status" or "header Link"; "" for
    the exchange as a whole. kind: how it is wrong, of a body the broken keyword of its schema. received_kind: the
    kind of what came, such as "string". answer: a digest of the refusal that came, the same for equal ones, or "".
    request: what was special about the request. uses: for each value of the request that an operation shows that one's
    label and the member's name; also of the same operation, which may filter by what it shows. depends_on: for each
    optional parameter that it sent the ids of its clauses, with a space between. account: whose credentials it had.
    command: a shell command that sends it. exchange: the request and its response as text.
    """

    clause: str
    expected: str
    received: str
    grade: str = ""
    is_warning: bool = False
    operation: str = ""
    status: int = 0
    slot: str = ""
    kind: str = ""
    received_kind: str = ""
    answer: str = ""
    request: str = ""
    uses: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    account: str = ""
    command: str = ""
    exchange: str = ""

    @property
    def is_of_the_document(self) -> bool:
        """Whether the document demands what is broken."""
        return self.grade in OF_THE_DOCUMENT

    @property
    def part(self) -> str:
        """The slot by which causes are told apart: of a member of a body its name, which several operations share."""
        return self.slot.rpartition("/")[2] if self.slot.startswith("/") else self.slot

    @property
    def size(self) -> int:
        """How much a reader has to look at."""
        return len(self.command) + len(self.exchange)


def parse_finding(content: Mapping[str, Any]) -> FindingRecord:
    """The finding of these members; raises TypeError for others."""
    types: dict[str, Any] = {"is_warning": bool, "status": int, "uses": tuple, "depends_on": tuple}
    if unknown := set(content) - {member.name for member in fields(FindingRecord)}:
        raise TypeError(f"unknown member {min(unknown)!r} of a finding")
    return FindingRecord(**{name: types.get(name, str)(value) for name, value in content.items()})
