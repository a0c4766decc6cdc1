"""Calls of bitvis by websocket: bare frames with one JSON object each, on a connection to one endpoint.

Rule: as for calls over HTTP, the contract judges every response before a test reads it.
"""

from __future__ import annotations

import json
import os
from typing import Any

from contracts.clauses import meaning_in_force
from contracts.exchange import Exchange
from fixtures import in_process_client, websocket_client
from fixtures.in_process_client import InProcessClient
from fixtures.target_api import Api, MissingPrecondition
from suites.bitvis.client import SWITCHING_PROTOCOLS, ObjectKind, Record, checked_envelope
from suites.reporting.failures import violation

TRANSPORT_READING = "BITVIS-AMB-27"


def call_message(api: Api, method: Any, objectid: str = "", **members: Any) -> Record:
    """The message of a call with the target's token."""
    return {"method": method, "token": api.setting("TOKEN"), **({"objectid": objectid} if objectid else {}), **members}


def frame_exchanges(api: Api, endpoint: str, *messages: Any, pipelined: bool = False) -> list[Exchange]:
    """Sends these messages (JSON values or raw text) as frames on one connection and returns their exchanges.

    `pipelined` sends all messages before the first response. Raises NotPermitted if one of them could be taken for a
    write and the target allows none, MissingPrecondition when the target takes no bare frames, or ContractViolation
    when the run assumes that it does.
    """
    texts = [message if isinstance(message, str | bytes) else json.dumps(message) for message in messages]
    for text in texts:
        api.require_permission(websocket_client.message_request(api.target.url, endpoint, text))
    if isinstance(api._client, InProcessClient):
        exchanges = in_process_client.calls(api._client, endpoint, texts)
    else:
        target = api.target
        exchanges = websocket_client.calls(
            target.url,
            endpoint,
            texts,
            pipelined=pipelined,
            route=target.route,
            pace=target.pace,
            breaker=target.breaker,
            translation=target.translation,
        )
    if api.target.login and api.has_new_token(exchanges[0]):
        requests = [websocket_client.message_request(api.target.url, endpoint, text) for text in texts]
        renewed = [api.target.login.with_present_token(request).body for request in requests]
        return frame_exchanges(api, endpoint, *renewed, pipelined=pipelined)
    api.record_exchanges(exchanges)
    if exchanges[0].response.status not in (SWITCHING_PROTOCOLS, 0):
        reason = f"the handshake has the status {exchanges[0].response.status}"
        if meaning_in_force(TRANSPORT_READING, os.environ) == "bare":
            raise violation(api, TRANSPORT_READING, "a websocket that takes bare frames", reason, exchanges[0])
        raise MissingPrecondition(f"{exchanges[0].request.url} takes no bare frames: {reason} ({TRANSPORT_READING})")
    return exchanges


def frame_envelopes(api: Api, kind: ObjectKind, *messages: Any) -> list[Record]:
    """The envelopes of the responses to these messages on one connection."""
    exchanges = frame_exchanges(api, kind.endpoint, *messages)
    return [
        checked_envelope(api, exchange, str(message.get("method")) if isinstance(message, dict) else "", kind)
        for exchange, message in zip(exchanges, messages, strict=True)
    ]


def frame_envelope(api: Api, method: str, kind: ObjectKind, objectid: str = "", parameters: Any = None) -> Record:
    """The envelope of the response to one call by websocket."""
    members = {} if parameters is None else {"parameters": parameters}
    return frame_envelopes(api, kind, call_message(api, method, objectid, **members))[0]
