"""`python -m loadtests.bench.serve_websocket PORT COUNT_PORT`: responds to websocket messages and counts them.

Rule: it does as little work as possible. Of the servers on PyPI and npm, picows on uvloop took the least CPU per call
(picows 7 to 9 µs, node's `ws` 10, socketify 19 to 26). A connection to the second port receives the number of calls
that got a response so far.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from loadtests.bench.payloads import websocket_response

RESPONSE = websocket_response().encode()


class Responder(WSListener):
    """One connection; `responses` counts those of all connections."""

    responses = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Respond to a text message; close when the client closes."""
        if frame.msg_type == WSMsgType.TEXT:
            Responder.responses += 1
            transport.send(WSMsgType.TEXT, RESPONSE)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def serve(port: int, count_port: int) -> None:
    """Serves until it is ended."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d\n" % Responder.responses)
        writer.close()

    server = await ws_create_server(lambda _: Responder(), "127.0.0.1", port)
    await asyncio.start_server(tell, "127.0.0.1", count_port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
