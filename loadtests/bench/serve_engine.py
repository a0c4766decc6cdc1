"""`python -m loadtests.bench.serve_engine PORT COUNT_PORT json|text`: a deepstream engine that counts its calls.

Rule: as `serve_websocket`, it does as little work as possible. It lets everybody in, and acknowledges and answers each
call with the same device.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import orjson
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from fixtures.websocket import deepstream_protocol as json_protocol
from fixtures.websocket import deepstream_text_protocol as text_protocol
from loadtests.bench.payloads import websocket_response

RESPONSE = websocket_response()
UNIT, RECORD = text_protocol.UNIT_SEPARATOR, text_protocol.RECORD_SEPARATOR


def json_messages(payload: bytes) -> Iterator[bytes]:
    """What a JSON endpoint sends in return for one message."""
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
    """What a text endpoint sends in return for one frame with one message."""
    topic, action, *fields = payload.removesuffix(RECORD).split(UNIT)
    if topic == text_protocol.RPC and action == text_protocol.REQUEST:
        call = fields[:2]
        yield UNIT.join((topic, text_protocol.ACK, text_protocol.REQUEST, *call)) + RECORD
        yield UNIT.join((topic, text_protocol.RESPONSE, *call, text_protocol.OBJECT + RESPONSE.encode())) + RECORD
    elif action in (text_protocol.CHALLENGE_RESPONSE, text_protocol.REQUEST):
        yield UNIT.join((topic, text_protocol.ACK)) + RECORD


GREETINGS = {"json": b"", "text": UNIT.join((text_protocol.CONNECTION, text_protocol.CHALLENGE)) + RECORD}
MESSAGES = {"json": json_messages, "text": text_messages}


class Engine(WSListener):
    """One connection; `responses` counts the calls of all connections that were answered."""

    responses = 0
    protocol = "json"

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Speak first, if the protocol has the engine do so."""
        if GREETINGS[self.protocol]:
            transport.send(WSMsgType.TEXT, GREETINGS[self.protocol])

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Respond to a text message; close when the client closes."""
        if frame.msg_type == WSMsgType.TEXT:
            messages = list(MESSAGES[self.protocol](frame.get_payload_as_bytes()))
            Engine.responses += len(messages) > 1
            for message in messages:
                transport.send(WSMsgType.TEXT, message)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def serve(port: int, count_port: int, protocol: str) -> None:
    """Serves until it is ended."""
    Engine.protocol = protocol

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d\n" % Engine.responses)
        writer.close()

    server = await ws_create_server(lambda _: Engine(), "127.0.0.1", port)
    await asyncio.start_server(tell, "127.0.0.1", count_port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
