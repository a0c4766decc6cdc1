"""A relay in front of a server on loopback, behind which every answer takes longer, as that of an installation does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 65_536  # bytes


@contextmanager
def slow_relay(port: int, seconds: float) -> Iterator[int]:
    """The port of a relay to that port; what the server sends arrives so many seconds later."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, port, seconds), daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, port: int, seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_pass_on, args=(client, server, 0.0), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, seconds), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            time.sleep(seconds)
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
