"""The servers that generators are measured against; each counts what it has answered.

Rule: a sink must not be the bottleneck, so it has a core of its own, and it is asked for its count from outside.
"""

from __future__ import annotations

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from loadtests.bench import tools
from loadtests.bench.payloads import http_answer
from loadtests.bench.process import Program, free_port, python, running, until

HTTP = "http"
WEBSOCKET = "websocket"
STARTS = 20.0  # seconds
CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/problems.txt warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 32768; multi_accept on; }}
http {{
    map $status $bad {{ ~^2 0; default 1; }}
    log_format bad '$status $request';
    access_log {folder}/refused.txt bad if=$bad;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    keepalive_requests 1000000000; keepalive_timeout 600s; tcp_nodelay on; default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location = /count {{ stub_status; }}
        location ~ "^(/v2)?/tasks/(?<task>[1-9][0-9]*)$" {{ return 200 '{answer}'; }}
    }}
}}
"""


class Sink:
    """A running server: `url` is where it is."""

    def __init__(self, url: str, program: Program) -> None:
        self.url = url
        self.program = program

    def count(self) -> int:
        """Requests answered since it was started, those of this method aside."""
        raise NotImplementedError

    def refused(self) -> str:
        """The first request since the last time this was asked that was not answered with a 2xx, or ""."""
        return ""


class Nginx(Sink):
    """nginx with one worker, counting by its stub_status."""

    def __init__(self, url: str, program: Program, folder: Path) -> None:
        super().__init__(url, program)
        self._folder = folder
        self._asked = 0
        self._told = 0

    def count(self) -> int:
        """Requests answered, by the third number of stub_status's third line."""
        self._asked += 1
        with urllib.request.urlopen(f"{self.url}/count", timeout=5) as answer:
            line: str = answer.read().decode().splitlines()[2]
        return int(line.split()[2]) - self._asked

    def refused(self) -> str:
        """The first request since the last time this was asked that was not answered with a 2xx, or ""."""
        fresh = (self._folder / "refused.txt").read_text()[self._told :]
        self._told += len(fresh)
        return fresh.partition("\n")[0]


class Counted(Sink):
    """A server of ours that tells its count to whoever connects to a second port."""

    def __init__(self, url: str, program: Program, count_port: int) -> None:
        super().__init__(url, program)
        self._port = count_port

    def count(self) -> int:
        """Messages answered."""
        return int(told(self._port))


@contextlib.contextmanager
def nginx(folder: Path, core: int) -> Iterator[Sink]:
    """nginx on that core. Raises tools.Missing and process.Failed."""
    port = free_port()
    folder.mkdir(parents=True)
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, answer=http_answer()))
    command = [*tools.found("nginx"), "-e", str(folder / "problems.txt"), "-p", str(folder), "-c", str(file)]
    with running(command, folder, core) as program:
        until(lambda: listening(port), STARTS, program, "nginx listens")
        yield Nginx(f"http://127.0.0.1:{port}", program, folder)


@contextlib.contextmanager
def responder(folder: Path, core: int) -> Iterator[Sink]:
    """The websocket responder on that core. Raises tools.Missing and process.Failed."""
    tools.found("picows")
    port, count_port = free_port(), free_port()
    with running(python("loadtests.bench.serve_websocket", str(port), str(count_port)), folder, core) as program:
        until(lambda: listening(count_port), STARTS, program, "the websocket responder listens")
        yield Counted(f"ws://127.0.0.1:{port}/", program, count_port)


SINKS = {HTTP: nginx, WEBSOCKET: responder}
NEEDS = {HTTP: "nginx", WEBSOCKET: "picows"}


def listening(port: int) -> bool:
    """Whether somebody accepts connections on that loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def told(port: int) -> bytes:
    """All that is sent to whoever connects to that loopback port."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as file:
        return file.read()
