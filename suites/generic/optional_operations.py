"""Operations and calls that the document does not have: each is tried once, and tested where the target serves it.

Rule: served is what answers a valid request with a documented response that is no refusal. That a target does not
serve it is a meaning of a reading, and no finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from contracts.asyncapi import Call
from contracts.clauses import readings
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal, media_type_object
from contracts.operation import Operation
from contracts.router import subject_of
from fixtures.cases import fill_placeholders
from fixtures.corpus import EFFORTS, Corpus, Effort
from fixtures.corpus.builder import minimal_case
from fixtures.corpus.rpc_messages import load_messages
from fixtures.record_kinds import record_kinds
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import Transport
from fixtures.write_check import call_method

Subject = Operation | Call
Tried = dict[tuple[str, str, str], Exchange]  # by API, label and transport: the answer to a valid request


def is_optional(_: Corpus, operation: Operation) -> bool:
    """Whether only some targets serve the operation."""
    return operation.served_if is not None


def effort_for(name: str, subject: object) -> Effort:
    """The effort of that name; what the document does not have gets little of it unless the run is a deep one."""
    has_subject = isinstance(subject, Operation | Call) and subject.served_if is not None
    return EFFORTS["quick" if has_subject and name == "default" else name]


def require_served(tried: Tried, api: Api, subject: Subject, transport: Transport | None = None) -> None:
    """Raises MissingPrecondition if the target does not serve what it need not serve. Also raises what `send` does."""
    if subject.served_if is None or is_served(tried, api, subject, transport):
        return
    by = f" by {transport.name}" if transport else ""
    raise MissingPrecondition(f"not tested, since {subject.label} is not served{by} ({subject.served_if.reading})")


def is_served(tried: Tried, api: Api, subject: Subject, transport: Transport | None = None) -> bool:
    """Whether the target has answered a valid request of it, which is sent once, with anything but a refusal.

    Raises MissingPrecondition where such a request cannot be made, and what `Api.send` and `Transport.call` do.
    """
    key = (subject.api, subject.label, transport.name if transport else "")
    if key not in tried:
        _require_removable(api, subject)
        try:
            tried[key] = _answer(api, subject, transport)
            if not _is_answered(api, subject, tried[key]) and api.drop_vanished_values():
                tried[key] = _answer(api, subject, transport)
        except MissingPrecondition as missing:
            if missing.refusal is None or not _is_of_optional(api, missing.refusal):
                raise
            tried[key] = missing.refusal  # where nothing is made below an object, nothing can be deleted there
    return _is_answered(api, subject, tried[key])


def observed_meanings(subject: Subject, served: bool) -> Mapping[str, str]:
    """The meanings of its reading that a target can have which does, or does not, serve it, with what they say."""
    assert subject.served_if is not None
    meanings = readings(subject.api)[subject.served_if.reading].meanings
    return {name: text for name, text in meanings.items() if (name in subject.served_if.meanings) == served}


def _answer(api: Api, subject: Subject, transport: Transport | None) -> Exchange:
    if isinstance(subject, Operation):
        return api.send(subject, minimal_case(api.contract, subject))
    assert transport is not None, f"{subject} is sent by a transport"
    message = load_messages(subject.api, EFFORTS["quick"], 0).minimal(subject)
    return transport.call(subject.endpoint, **fill_placeholders(message.parts, api.known_value))


def _is_of_optional(api: Api, exchange: Exchange) -> bool:
    """Whether the exchange belongs to what the target need not serve."""
    owner = subject_of(api.contract, api.target.url, exchange)
    return owner is not None and owner.served_if is not None


def _is_answered(api: Api, subject: Subject, exchange: Exchange) -> bool:
    response = exchange.response
    if response.error or is_refusal(api.contract, response):
        return False
    if isinstance(subject, Operation):  # a server may have a page of its own at any address
        documented = subject.response_for(response.status)
        return documented is not None and media_type_object(documented, response) is not None
    with suppress(ValueError, RecursionError):
        return isinstance(response.json(), dict)
    return False


def _require_removable(api: Api, subject: Subject) -> None:
    """Raises MissingPrecondition for what makes records that stay for ever, at a server that is not our reference."""
    if api.target.is_reference:
        return
    for kind in record_kinds(subject.api):
        create = kind.operation("create")
        is_it = subject is create or (
            isinstance(subject, Call) and (subject.path, subject.method) == (create.path, call_method(create))
        )
        if is_it and not kind.can_be_deleted:
            raise MissingPrecondition(
                f"what {subject.label} makes cannot be removed, so none is made at a server of others"
            )
