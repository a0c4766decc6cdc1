"""Addresses on loopback at which nothing listens, for servers that cannot choose a port themselves."""

from __future__ import annotations

import socket


def free_address() -> str:
    """HOST:PORT of a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
    return f"{host}:{port}"
