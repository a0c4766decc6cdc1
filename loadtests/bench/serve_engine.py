"""`python -m loadtests.bench.serve_engine PORT COUNT_PORT`: a deepstream engine that counts its calls.

Rule: as `serve_websocket`, it does as little work as possible. It lets everybody in, and acknowledges and answers each
call with the same device. A connection whose path ends with `text` speaks the text protocol, any other one JSON.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from loadtests.bench.engine_messages import GREETINGS, MESSAGES


class Engine(WSListener):
    """One connection that speaks this protocol; `responses` counts the calls of all connections that were answered."""

    responses = 0

    def __init__(self, protocol: str) -> None:
        self._greeting, self._messages = GREETINGS[protocol], MESSAGES[protocol]

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Speak first, if the protocol has the engine do so."""
        if self._greeting:
            transport.send(WSMsgType.TEXT, self._greeting)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Respond to a text message; close when the client closes."""
        if frame.msg_type == WSMsgType.TEXT:
            messages = list(self._messages(frame.get_payload_as_bytes()))
            Engine.responses += len(messages) > 1
            for message in messages:
                transport.send(WSMsgType.TEXT, message)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


def _engine(request: WSUpgradeRequest) -> Engine:
    return Engine("text" if request.path.endswith(b"text") else "json")


async def serve(port: int, count_port: int) -> None:
    """Serves until it is ended."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d\n" % Engine.responses)
        writer.close()

    server = await ws_create_server(_engine, "127.0.0.1", port)
    await asyncio.start_server(tell, "127.0.0.1", count_port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
