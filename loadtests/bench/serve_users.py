"""`python serve_users.py`: responds to HTTP requests and websocket messages of many connections; prints its port."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from hashlib import sha1

KEY = re.compile(rb"Sec-WebSocket-Key: (.*)\r\n")
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
RESPONSE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'
UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)
MESSAGE = b"\x81\x05hello"


class Responder(asyncio.Protocol):
    """One connection. A request comes in one piece, since it is short."""

    def __init__(self) -> None:
        self._response = RESPONSE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to a request, a handshake or a message."""
        key = KEY.search(data)
        if key is None:
            self._transport.write(self._response)
            return
        self._response = MESSAGE
        self._transport.write(UPGRADE % b64encode(sha1(key[1] + GUID, usedforsecurity=False).digest()))


async def serve() -> None:
    """Serves until it is ended."""
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
