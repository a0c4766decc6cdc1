"""Endpoints of the websocket engine: document lines 2 and 13. Every one of them takes calls by websocket."""

from __future__ import annotations

import os

import pytest

from contracts.clauses import meaning_in_force
from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from suites.bitvis.client import KINDS, SWITCHING_PROTOCOLS, ObjectKind
from suites.bitvis.websocket_calls import TRANSPORT_READING
from suites.reporting.failures import violation

clause = pytest.mark.clause
TRANSPORT_OF_MEANING = {"bare": "websocket", "deepstream": "deepstream"}


@clause("BITVIS-ARCH-1")
def test_every_endpoint_takes_calls_by_websocket(api: Api) -> None:
    """At each endpoint a LIST by websocket is answered: by bare frames at its address, or through an engine."""
    meaning = meaning_in_force(TRANSPORT_READING, os.environ)
    transports = (
        [TRANSPORT_OF_MEANING[meaning]] if meaning in TRANSPORT_OF_MEANING else list(TRANSPORT_OF_MEANING.values())
    )
    if transports == ["deepstream"]:
        transport(api, "deepstream")  # raises MissingPrecondition where the run names no engine
    reasons = {kind.endpoint: _why_unserved(api, kind, transports) for kind in KINDS}
    unserved = [endpoint for endpoint in reasons if reasons[endpoint]]
    if unserved:
        expected, why = f"a websocket that answers calls to {', '.join(unserved)}", "; ".join(reasons[unserved[0]])
        raise violation(api, "BITVIS-ARCH-1", expected, f"none ({why})")


def _why_unserved(api: Api, kind: ObjectKind, transports: list[str]) -> list[str]:
    """Why none of these transports answers a call to that endpoint, a reason for each; [] when one does."""
    reasons = []
    for name in transports:
        try:
            exchange = _list_by(api, name, kind)
        except MissingPrecondition as reason:
            reasons.append(str(reason))
            continue
        if exchange.response.status == SWITCHING_PROTOCOLS:
            return []
        reasons.append(exchange.response.error or f"{exchange.request.url}: status {exchange.response.status}")
    return reasons


def _list_by(api: Api, name: str, kind: ObjectKind) -> Exchange:
    """LIST at that endpoint by that transport, on a connection of its own."""
    carrier = transport(api, name)
    try:
        return carrier.call(kind.endpoint, "LIST")
    finally:
        carrier.close()
