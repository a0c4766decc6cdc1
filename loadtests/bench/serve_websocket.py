"""`python -m loadtests.bench.serve_websocket PORT COUNT_PORT`: answers each text message of a websocket, and counts.

Rule: as little work as can be, by picows on uvloop. Of the responders that PyPI and npm give, it took the least CPU
per call here (picows 7 to 9 µs, node's `ws` 10, socketify 19 to 26). Whoever connects to the second port is told how
many calls were answered so far.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from loadtests.bench.payloads import websocket_answer

ANSWER = websocket_answer().encode()


class Responder(WSListener):
    """One connection; `answered` is counted over all of them."""

    answered = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Answers a text message, and leaves when the other side does."""
        if frame.msg_type == WSMsgType.TEXT:
            Responder.answered += 1
            transport.send(WSMsgType.TEXT, ANSWER)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def serve(port: int, count_port: int) -> None:
    """Serves until it is ended."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d\n" % Responder.answered)
        writer.close()

    server = await ws_create_server(lambda _: Responder(), "127.0.0.1", port)
    await asyncio.start_server(tell, "127.0.0.1", count_port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
