"""What a deepstream engine with one device sends in return for a client's messages, in either of its protocols."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import orjson

from fixtures.websocket import deepstream_protocol as json_protocol
from fixtures.websocket import deepstream_text_protocol as text_protocol
from loadtests.bench.payloads import websocket_response

RESPONSE = websocket_response()
UNIT, RECORD = text_protocol.UNIT_SEPARATOR, text_protocol.RECORD_SEPARATOR


def json_messages(payload: bytes) -> Iterator[bytes]:
    """What a JSON endpoint sends in return for one message: two messages for a call."""
    message = orjson.loads(payload)
    topic, action = message["topic"], message["action"]
    if topic == json_protocol.RPC and action == json_protocol.REQUEST:
        call = {"topic": topic, "name": message["name"], "correlationId": message["correlationId"]}
        yield orjson.dumps({**call, "action": json_protocol.ACCEPT})
        yield orjson.dumps({**call, "action": json_protocol.RESPONSE, "data": RESPONSE})
    elif topic == json_protocol.CONNECTION and action == json_protocol.CHALLENGE:
        yield orjson.dumps({"topic": topic, "action": json_protocol.ACCEPTED})
    elif topic == json_protocol.AUTH:
        yield orjson.dumps({"topic": topic, "action": json_protocol.LOGGED_IN})


def text_messages(payload: bytes) -> Iterator[bytes]:
    """What a text endpoint sends in return for one frame with one message: two messages for a call."""
    topic, action, *fields = payload.removesuffix(RECORD).split(UNIT)
    if topic == text_protocol.RPC and action == text_protocol.REQUEST:
        call = fields[:2]
        yield UNIT.join((topic, text_protocol.ACK, text_protocol.REQUEST, *call)) + RECORD
        yield UNIT.join((topic, text_protocol.RESPONSE, *call, text_protocol.OBJECT + RESPONSE.encode())) + RECORD
    elif action in (text_protocol.CHALLENGE_RESPONSE, text_protocol.REQUEST):
        yield UNIT.join((topic, text_protocol.ACK)) + RECORD


Messages = Callable[[bytes], Iterator[bytes]]
GREETINGS: Mapping[str, bytes] = {
    "json": b"",
    "text": UNIT.join((text_protocol.CONNECTION, text_protocol.CHALLENGE)) + RECORD,
}
"""What an engine sends first, by its protocol."""
MESSAGES: Mapping[str, Messages] = {"json": json_messages, "text": text_messages}
