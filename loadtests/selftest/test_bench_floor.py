"""The clients in C repeat a request until they are killed, refuse a refusal, and are shown beside ours."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadtests.bench import floor, tools
from loadtests.bench.generators import Generator, Workload
from loadtests.bench.measure import Measurement
from loadtests.bench.process import Program, running, wait_until

CLIENTS = [generator for generator in floor.GENERATORS if generator.name in tools.SOURCES]
ENOUGH = 200  # requests, many for each of the connections
RUNS = [
    *(Measurement("epoll-client", number, 1_000_000, 2.0, 4.0, 0.0, 3.0) for number in (1, 2)),
    *(Measurement("ours", number, 1_000_000, 2.0, 8.0, 0.02, 4.0) for number in (1, 2)),
]


class Counting(ThreadingHTTPServer):
    """A server that responds with `status`, head and body apart, and counts requests and their connections."""

    def __init__(self, status: int) -> None:
        self.status, self.requests, self.peers = status, 0, set[Any]()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_GET(self) -> None:
        self.server.requests += 1
        self.server.peers.add(self.client_address)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        self.wfile.write(b"x" * 3000)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Counting]:
    """A server with the status that the test asks for."""
    with Counting(getattr(request, "param", 200)) as counting:
        threading.Thread(target=counting.serve_forever, daemon=True).start()
        yield counting
        counting.shutdown()


def command_of(client: Generator, server: Counting, folder: Path) -> list[str]:
    """The client's command, compiled; the test is skipped where that cannot be done."""
    try:
        return client.command(Workload(f"http://127.0.0.1:{server.server_port}", 4, folder))
    except tools.ToolMissing as missing:
        pytest.skip(str(missing))


def skip_without_io_uring(program: Program) -> None:
    if not program.alive() and "io_uring_setup" in program.output():
        pytest.skip(program.output())


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_repeats_its_request_over_all_connections(client: Generator, server: Counting, tmp_path: Path) -> None:
    with running(command_of(client, server, tmp_path), tmp_path) as program:
        try:
            wait_until(lambda: server.requests > ENOUGH, 20, program, f"{ENOUGH} requests came")
        finally:
            skip_without_io_uring(program)
        assert program.end() == -signal.SIGTERM
    assert len(server.peers) == 4


@pytest.mark.parametrize("server", [404], indirect=True)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_refused_request_ends_a_client(client: Generator, server: Counting, tmp_path: Path) -> None:
    with running(command_of(client, server, tmp_path), tmp_path) as program:
        code = program.wait(20)
        skip_without_io_uring(program)
        assert (code, "the server refused a request: HTTP/1.1 404" in program.output()) == (1, True)


def test_without_a_compiler_the_row_of_a_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    tools.command_of.cache_clear()
    monkeypatch.setattr(tools.shutil, "which", lambda *_, **__: None)
    troubles = tools.missing_tools({"epoll-client": ["epoll-client"]})
    tools.command_of.cache_clear()
    page = floor.markdown([], troubles, 1, 1.0)
    assert "| C over epoll (cc is not installed: apt-get install gcc libc6-dev linux-libc-dev) |" in page


def test_a_source_that_does_not_compile_is_reported_with_the_compilers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "COMPILED", tmp_path / "compiled")
    (tmp_path / "client.c").write_text("#include <no_such_header.h>\n")
    with pytest.raises(tools.ToolMissing, match=r"client\.c cannot be compiled by .*|cc is not installed"):
        tools.compiled(tmp_path / "client.c")


def test_the_table_shows_both_parts_of_the_cpu_and_the_ratio_to_the_floor() -> None:
    page = floor.markdown(RUNS, {}, 2, 2.5)
    assert "| C over epoll | 4.00 | 1.00 | 3.00 | 75 % | 1.00 | 0 % |" in page
    assert "| ours, status only | 8.00 | 4.00 | 4.00 | 50 % | 2.00 | 2 % |" in page


def test_every_generator_of_the_floor_has_a_row(tmp_path: Path) -> None:
    page = floor.write(tmp_path, RUNS, {}, 2, 2.5).read_text()
    assert [generator.title in page for generator in floor.GENERATORS] == [True] * len(floor.GENERATORS)
