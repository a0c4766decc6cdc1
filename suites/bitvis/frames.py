"""Calls of bitvis by websocket: bare frames, each with one JSON object, on a connection to one endpoint.

Rule: as for calls over HTTP: the contract judges every answer before a test looks into it.
"""

from __future__ import annotations

import json
import os
from typing import Any

from contracts.clauses import in_force
from contracts.exchange import Exchange
from fixtures import inprocess, socket
from fixtures.api import Api, Lacking, NotPermitted
from fixtures.inprocess import InProcess
from suites.bitvis.dialect import READING, WEBSOCKET, Kind, Record, envelope
from suites.blame import broken

TRANSPORT = "BITVIS-AMB-27"


def message(api: Api, method: Any, objectid: str = "", **members: Any) -> Record:
    """A call as a frame holds it."""
    return {"method": method, "token": api.setting("TOKEN"), **({"objectid": objectid} if objectid else {}), **members}


def frames(api: Api, endpoint: str, *messages: Any, at_once: bool = False, changes: bool = True) -> list[Exchange]:
    """These messages, JSON values or raw text, as frames on one connection, and their exchanges.

    `changes` says whether they may change something. Raises NotPermitted then, on a target that does not allow it,
    and Lacking when the target takes no bare frames, which is a finding when the run says that it does.
    """
    if changes and not api.target.writes:
        raise NotPermitted(api.target.refusal())
    texts = [one if isinstance(one, str | bytes) else json.dumps(one) for one in messages]
    if isinstance(api._client, InProcess):
        found = inprocess.frames(api._client, endpoint, texts)
    else:
        found = socket.calls(api.target.url, endpoint, texts, at_once=at_once)
    api.remember(found)
    if found[0].answer.status not in (WEBSOCKET, 0):
        what = f"the handshake was answered with status {found[0].answer.status}"
        if in_force(TRANSPORT, os.environ) == "bare":
            raise broken(api, TRANSPORT, "a websocket that takes bare frames", what, found[0])
        raise Lacking(f"{found[0].sent.url} takes no bare frames: {what} ({TRANSPORT})")
    return found


def framed(api: Api, kind: Kind, *messages: Any, changes: bool = True) -> list[Record]:
    """The envelopes that answer these messages on one connection."""
    found = frames(api, kind.endpoint, *messages, changes=changes)
    return [
        envelope(api, one, str(sent.get("method")) if isinstance(sent, dict) else "", kind)
        for one, sent in zip(found, messages, strict=True)
    ]


def by_frame(api: Api, method: str, kind: Kind, objectid: str = "", parameters: Any = None) -> Record:
    """The envelope that answers a reading call by websocket."""
    extra = {} if parameters is None else {"parameters": parameters}
    return framed(api, kind, message(api, method, objectid, **extra), changes=method not in READING)[0]
