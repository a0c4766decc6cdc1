"""The servers that generators are measured against; each counts its responses.

Rule: the server must not be the bottleneck, so it has a core of its own, and its count is read from outside.
"""

from __future__ import annotations

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from loadtests.bench import tools
from loadtests.bench.payloads import http_response
from loadtests.bench.process import Program, free_port, python_command, running, wait_until

HTTP = "http"
WEBSOCKET = "websocket"
ENGINE = "deepstream"  # an engine, which speaks JSON, and text at the path TEXT_PATH
TEXT_PATH = "text"
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
        location ~ "^(/v2)?/tasks/(?<task>[1-9][0-9]*)$" {{ return 200 '{response}'; }}
    }}
}}
"""


class Sink:
    """A running server at `url`."""

    def __init__(self, url: str, program: Program) -> None:
        self.url = url
        self.program = program

    def count(self) -> int:
        """The number of responses since its start, without those to this method."""
        raise NotImplementedError

    def refused(self) -> str:
        """The first request since the last call whose response was no 2xx, or ""."""
        return ""


class Nginx(Sink):
    """nginx with one worker, counting by its stub_status."""

    def __init__(self, url: str, program: Program, folder: Path) -> None:
        super().__init__(url, program)
        self._folder = folder
        self._own_requests = 0
        self._read_characters = 0

    def count(self) -> int:
        """The third number of the third line of stub_status, without our own requests."""
        self._own_requests += 1
        with urllib.request.urlopen(f"{self.url}/count", timeout=5) as response:
            line: str = response.read().decode().splitlines()[2]
        return int(line.split()[2]) - self._own_requests

    def refused(self) -> str:
        """The first request since the last call whose response was no 2xx, or ""."""
        fresh = (self._folder / "refused.txt").read_text()[self._read_characters :]
        self._read_characters += len(fresh)
        return fresh.partition("\n")[0]


class CountingServer(Sink):
    """A server of ours that sends its count to each connection on a second port."""

    def __init__(self, url: str, program: Program, count_port: int) -> None:
        super().__init__(url, program)
        self._port = count_port

    def count(self) -> int:
        """The number of messages that got a response."""
        return int(read_all(self._port))


@contextlib.contextmanager
def nginx(folder: Path, core: int) -> Iterator[Sink]:
    """nginx on that core. Raises ToolMissing and ProgramFailed."""
    port = free_port()
    folder.mkdir(parents=True)
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, port=port, response=http_response()))
    command = [*tools.command_of("nginx"), "-e", str(folder / "problems.txt"), "-p", str(folder), "-c", str(file)]
    with running(command, folder, core) as program:
        wait_until(lambda: is_listening(port), STARTS, program, "nginx listens")
        yield Nginx(f"http://127.0.0.1:{port}", program, folder)


@contextlib.contextmanager
def responder(folder: Path, core: int) -> Iterator[Sink]:
    """The websocket responder on that core. Raises ToolMissing and ProgramFailed."""
    with _counting_server(folder, core, "ws", "loadtests.bench.serve_websocket") as sink:
        yield sink


@contextlib.contextmanager
def engine(folder: Path, core: int) -> Iterator[Sink]:
    """A deepstream engine on that core. Raises ToolMissing and ProgramFailed."""
    with _counting_server(folder, core, ENGINE, "loadtests.bench.serve_engine") as sink:
        yield sink


@contextlib.contextmanager
def _counting_server(folder: Path, core: int, scheme: str, module: str) -> Iterator[Sink]:
    tools.command_of("picows")
    port, count_port = free_port(), free_port()
    with running(python_command(module, str(port), str(count_port)), folder, core) as program:
        wait_until(lambda: is_listening(count_port), STARTS, program, f"{module} listens")
        yield CountingServer(f"{scheme}://127.0.0.1:{port}/", program, count_port)


SINKS = {HTTP: nginx, WEBSOCKET: responder, ENGINE: engine}
NEEDS = {HTTP: "nginx", WEBSOCKET: "picows", ENGINE: "picows"}


def is_listening(port: int) -> bool:
    """Whether a server accepts connections on that loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def read_all(port: int) -> bytes:
    """Everything that a server on that loopback port sends to a new connection."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as file:
        return file.read()
