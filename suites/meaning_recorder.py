"""Notes which meaning an exchange shows, for the file of `--readings`: of which reading, in which kind of exchange.

Rule: a kind of exchange has the same name in every run, whatever was generated, so that two runs can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts import formatting
from contracts.asyncapi import Call
from contracts.exchange import FRAME, Exchange
from contracts.judge.http_judge import is_refusal
from contracts.router import subject_of
from contracts.secret_mask import mask_secrets
from fixtures.seen_meaning import ACCEPTED, REFUSED, SeenMeaning
from fixtures.target_api import Api

NOT_ABOUT_THE_REQUEST = (408, 429)  # statuses that the same request may or may not get; so are all from 500
MAX_SHOWN = 160  # characters of a response


def note_meaning(api: Api, reading: str, kind: str, meaning: str, exchange: Exchange | None) -> None:
    """Notes that the target uses this meaning in this kind of exchange, as that exchange shows."""
    api.seen_meanings.setdefault(SeenMeaning(reading, kind, meaning), exchange)


def note_outcome(api: Api, readings: Iterable[str], kind: str, exchange: Exchange) -> None:
    """Notes whether the target refuses such a request, where these readings leave it open.

    A response without a body to tell by, an incomplete one, and one that is not about the request show nothing.
    """
    response = exchange.response
    is_silent = bool(response.error) or exchange.request.method == "HEAD"
    if is_silent or response.status in NOT_ABOUT_THE_REQUEST or response.status >= 500:
        return
    outcome = REFUSED if is_refusal(api.contract, response) else ACCEPTED
    for reading in readings:
        note_meaning(api, reading, kind, outcome, exchange)


def exchange_label(api: Api, exchange: Exchange) -> str:
    """The operation or call that an exchange belongs to, "" when it fits none."""
    subject = subject_of(api.contract, api.target.url, exchange)
    if not isinstance(subject, Call):
        return subject.label if subject else ""
    return f"{subject.label} by {formatting.frame_transport(exchange.request.url)}"


def one_line(exchange: Exchange, secrets: Sequence[str]) -> str:
    """A request and what came back, without these secrets: GET /tasks: 404 {"errors": …}."""
    request, response = exchange.request, exchange.response
    name = formatting.rpc_method(request.body) if request.method == FRAME else request.method
    path = "/" + request.url.partition("://")[2].partition("/")[2].partition("?")[0]
    body = mask_secrets(" ".join(response.text().split()), secrets)
    parts = [
        str(response.status) if response.status else "",
        f"Location: {location}" if (location := response.header("location")) else "",
        body if len(body) <= MAX_SHOWN else f"{body[:MAX_SHOWN]}…",
        response.error or "",
    ]
    return f"{name} {path}: {' '.join(part for part in parts if part) or 'no response'}"
