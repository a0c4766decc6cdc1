"""TLS: certificates and host names are verified, and an end of the stream without close_notify is an error."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.peers import OK, SHORT, ServerConnection, engine_client, scripted_server
from loadtests.selftest.websocket_peer import agree, next_frame

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def cafile(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    context_of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context_of_server)
    return context_of_server


def serve(connection: ServerConnection) -> None:
    while connection.head():
        connection.send(OK)


def test_requests_and_responses_go_over_tls_on_one_connection(authority: trustme.CA, cafile: str) -> None:
    with scripted_server(serve, context(authority)) as server, engine_client(cafile) as client:
        responses = client.ask(*[client.request(server.url("https"))] * 3)
    assert [(response.error, response.body) for response in responses] == [(None, b"ok")] * 3
    assert server.connections == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_megabytes_go_both_ways(authority: trustme.CA, cafile: str, version: ssl.TLSVersion) -> None:
    size = 3 << 20

    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + connection.exactly(size)[::-1])

    context_of_server = context(authority)
    context_of_server.maximum_version = version
    body = bytes(range(256)) * (size // 256)
    with scripted_server(script, context_of_server) as server, engine_client(cafile) as client:
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + body
        response = client.ask(client.request(server.url("https"), payload))[0]
    assert response.error is None
    assert response.body == body[::-1]


def test_websockets_go_over_tls(authority: trustme.CA, cafile: str) -> None:
    def script(connection: ServerConnection) -> None:
        connection.send(agree(connection.head()))
        connection.send(server_frame(1, bytes(next_frame(connection).data)))

    with scripted_server(script, context(authority)) as server, engine_client(cafile) as client:
        assert client.ask(client.request(server.url("wss"), b"{}"))[0].body == b"{}"


def test_an_authority_that_is_not_trusted_is_refused(authority: trustme.CA) -> None:
    with scripted_server(serve, context(authority)) as server, engine_client() as client:
        error = client.ask(client.request(server.url("https")))[0].error
    assert error is not None
    assert error.startswith("tls: certificate: ")


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, cafile: str) -> None:
    with scripted_server(serve, context(authority, "elsewhere.example")) as server, engine_client(cafile) as client:
        responses = client.ask(*[client.request(server.url("https"))] * 2)
    assert [response.error for response in responses] == ["tls: certificate: IP address mismatch"] * 2


def test_a_server_without_tls_is_named(cafile: str) -> None:
    def script(connection: ServerConnection) -> None:
        connection.read()
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with scripted_server(script) as server, engine_client(cafile) as client:
        error = client.ask(client.request(server.url("https")))[0].error
    assert error in {"tls: wrong version number", "tls: record layer failure"}


def test_a_silent_server_times_out_while_connecting(cafile: str) -> None:
    def script(connection: ServerConnection) -> None:
        while connection.read():
            pass

    with scripted_server(script) as server, engine_client(cafile) as client:
        error = client.ask(client.request(server.url("https"), timeout_ns=SHORT))[0].error
    assert error == "timeout while connecting"


def test_a_server_that_leaves_in_the_handshake_is_named(cafile: str) -> None:
    with scripted_server(lambda connection: connection.read() and None) as server, engine_client(cafile) as client:
        error = client.ask(client.request(server.url("https")))[0].error
    assert error in {"tls: closed in the handshake", "tls: connection reset by peer"}


@pytest.mark.parametrize(("announced", "error"), [(True, None), (False, "tls: cut off")])
def test_a_body_to_the_end_needs_an_announced_end(
    authority: trustme.CA, cafile: str, announced: bool, error: str | None
) -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if announced and isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.unwrap()

    with scripted_server(script, context(authority)) as server, engine_client(cafile) as client:
        assert client.ask(client.request(server.url("https")))[0].error == error


PATCHED = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from loadtests.engine.gevent_adapter import attach
from loadtests.selftest.peers import engine_client, single
with engine_client(sys.argv[2]) as client:
    attached = attach(client.loop)
    ended, bodies = [], []
    def journey():
        for _ in range(3):
            bodies.append(single((yield client.request(sys.argv[1]))).body)
    client.user.run(journey(), 0, ended.append)
    with gevent.Timeout(20):
        while not ended:
            gevent.sleep(0.001)
    attached.detach()
    print(bodies, client.user.exception)
"""


def test_tls_works_where_gevent_patched_the_module(authority: trustme.CA, cafile: str) -> None:
    with scripted_server(serve, context(authority)) as server:
        command = [sys.executable, "-c", PATCHED, server.url("https"), cafile]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout == "[b'ok', b'ok', b'ok'] None\n", done.stderr
