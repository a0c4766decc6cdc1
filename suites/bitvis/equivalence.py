"""Sends the same calls over several transports, step by step, and compares the responses.

Rule: each transport has objects of its own, created and changed alike, so that every response can be compared with the
others'. What must differ (ids, names, the errorid, times) is masked by its form, never omitted. The transport whose
response differs from the majority is blamed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from contracts.exchange import Exchange, as_text
from contracts.judge.http_judge import Finding
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import ABSENT, FRAME_TRANSPORTS, TRANSPORTS, Transport, transport
from suites.bitvis.client import READING_METHODS, ObjectKind, Record, checked_envelope
from suites.reporting.failures import ContractViolation, finding_text

TRANSPORT_CLAUSES = {  # the clause that is broken when this transport responds differently
    "websocket": "BITVIS-HTTP-2",
    "deepstream": "BITVIS-HTTP-2",
    "deepstream-text": "BITVIS-HTTP-2",
    "header": "BITVIS-HTTP-2",
    "query": "BITVIS-HTTP-10",
    "path": "BITVIS-HTTP-4",
}
OWN_PLACEHOLDER = "{own}"  # as an object id: the session's newest object; within texts: the session's marker
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")  # the zone stays
ERRORID = re.compile(r'"errorid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"')


@dataclass(frozen=True, repr=False)
class Step:
    """A call that every session sends over its own transport; credentials "basic" become "token" by websocket."""

    method: str
    kind: ObjectKind
    objectid: Any = ABSENT
    namespace: Any = ABSENT
    parameters: Any = ABSENT
    data: Any = ABSENT
    credentials: str = "token"

    def __repr__(self) -> str:
        values = {member.name: getattr(self, member.name) for member in fields(self)}
        return f"Step({', '.join(f'{name}={value!r}' for name, value in values.items() if value is not ABSENT)})"


@dataclass
class TransportSession:
    """One transport, the ids of the objects created over it, oldest first, and the text that marks them."""

    transport: Transport
    marker: str
    ids: list[str] = field(default_factory=list)

    def fill_placeholders(self, value: Any) -> Any:
        """The value with this session's newest object and marker in place of the placeholders."""
        if value == OWN_PLACEHOLDER:
            return self.ids[-1] if self.ids else "00000000-0000-4000-8000-000000000000"
        if isinstance(value, dict | list):
            return json.loads(json.dumps(value).replace(OWN_PLACEHOLDER, self.marker))
        return value

    def masked_text(self, envelope: Record) -> str:
        """The envelope as text without anything that is specific to this session."""
        data = envelope.get("data")
        if isinstance(data, list):  # without sorting, the order is the server's choice
            envelope = {
                **envelope,
                "data": sorted(data, key=lambda record: self._mask(json.dumps(record, sort_keys=True))),
            }
        return self._mask(json.dumps(envelope, sort_keys=True, ensure_ascii=False))

    def _mask(self, text: str) -> str:
        for number, identifier in enumerate(self.ids):
            text = text.replace(identifier, f"<object {number}>")
        text = TIME.sub("<time>", text.replace(self.marker, "<own>"))
        return ERRORID.sub('"errorid": "<errorid>"', text)


def transport_sessions(api: Api) -> list[TransportSession]:
    """A session for every available transport. Raises MissingPrecondition when there are fewer than two."""
    sessions = []
    for name in TRANSPORTS:
        try:
            sessions.append(TransportSession(transport(api, name), api.unique_text("own-")))
        except MissingPrecondition:
            continue
    if len(sessions) < 2:
        raise MissingPrecondition("fewer than two transports can be used, so there is nothing to compare")
    return sessions


def compare_step(api: Api, sessions: Sequence[TransportSession], step: Step, clause: str = "") -> bool:
    """Sends the step over every transport that can carry it and compares the responses.

    Raises ContractViolation when they disagree, under `clause`, or that of the transport at fault. For a session whose
    transport cannot carry a changing call, the first transport that can sends it, so that the objects of all sessions
    stay alike. Returns whether two responses were compared: False when only one transport can carry the step.
    """
    __tracebackhide__ = True
    responses: list[tuple[TransportSession, Exchange, str]] = []
    for session in sessions:
        is_supported = _supports(session.transport, session, step)
        if not is_supported and step.method in READING_METHODS:
            continue
        exchange = _exchange(_carrier(session, sessions, step), session, step)
        envelope = checked_envelope(api, exchange, step.method, step.kind)
        if step.method == "CREATE" and envelope["success"] is True:
            session.ids.append(envelope["data"]["id"])
        if is_supported:
            responses.append((session, exchange, session.masked_text(envelope)))
    _compare(api, responses, clause)
    return len(responses) > 1


def compare_steps(api: Api, sessions: Sequence[TransportSession], steps: Iterable[Step], clause: str = "") -> None:
    """As `compare_step`, for each step. Raises MissingPrecondition when there was never a pair to compare."""
    __tracebackhide__ = True
    compared = [compare_step(api, sessions, step, clause) for step in steps]
    if not any(compared):
        raise MissingPrecondition("no two transports of the target can carry these calls")


def step_envelope(api: Api, session: TransportSession, sessions: Sequence[TransportSession], step: Step) -> Record:
    """The envelope of the response to the step by this session, or by the first one that can carry it."""
    return checked_envelope(api, _exchange(_carrier(session, sessions, step), session, step), step.method, step.kind)


def _carrier(session: TransportSession, sessions: Sequence[TransportSession], step: Step) -> Transport:
    return next(
        candidate.transport for candidate in [session, *sessions] if _supports(candidate.transport, session, step)
    )


def _supports(transport: Transport, session: TransportSession, step: Step) -> bool:
    return transport.supports(*_parts(session, step), credentials=_credentials(transport, step))


def _exchange(transport: Transport, session: TransportSession, step: Step) -> Exchange:
    return transport.call(step.kind.endpoint, *_parts(session, step), credentials=_credentials(transport, step))


def _parts(session: TransportSession, step: Step) -> tuple[str, Any, Any, Any, Any]:
    return (
        step.method,
        session.fill_placeholders(step.objectid),
        step.namespace,
        session.fill_placeholders(step.parameters),
        session.fill_placeholders(step.data),
    )


def _credentials(transport: Transport, step: Step) -> str:
    return "token" if step.credentials == "basic" and transport.name in FRAME_TRANSPORTS else step.credentials


def _compare(api: Api, responses: Sequence[tuple[TransportSession, Exchange, str]], clause: str) -> None:
    __tracebackhide__ = True
    texts = [text for _, _, text in responses]
    if len(set(texts)) < 2:
        return
    usual_text = Counter(texts).most_common(1)[0][0]
    majority = next(response for response in responses if response[2] == usual_text)
    outlier = next(response for response in responses if response[2] != usual_text)
    clause = clause or TRANSPORT_CLAUSES[outlier[0].transport.name]
    finding = Finding(
        clause,
        f"as by {majority[0].transport.name}: {usual_text}",
        _differing_members(usual_text, outlier[2]),
        outlier[1],
    )
    shown = [
        f"by {session.transport.name}:\n{as_text(exchange, api.secrets)}"
        for session, exchange, _ in (majority, outlier)
    ]
    text = "\n\n".join([finding_text(finding, api, None, [majority[1]]), *shown])
    raise ContractViolation(text, [clause], [(finding, None)], [majority[1]])


def _differing_members(usual_text: str, other_text: str) -> str:
    """The members in which an envelope differs from the usual one, as JSON text."""
    usual, other = json.loads(usual_text), json.loads(other_text)
    names = [name for name in {**usual, **other} if usual.get(name, ABSENT) != other.get(name, ABSENT)]
    differing: Mapping[str, Any] = {name: other.get(name, "(not there)") for name in names}
    return json.dumps(differing, ensure_ascii=False)


def delete_created(sessions: Sequence[TransportSession], kind: ObjectKind) -> None:
    """Deletes the objects of that kind that the sessions created; judges nothing."""
    for session in sessions:
        for identifier in session.ids:
            session.transport.call(kind.endpoint, "DELETE", identifier)
        session.ids.clear()
