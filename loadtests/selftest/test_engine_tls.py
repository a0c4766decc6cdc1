"""TLS as the engine speaks it: certificates and names are verified, and an end that is not announced is no end."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from loadtests.fuzz.corpus import server_frame
from loadtests.selftest.peers import OK, SHORT, Talk, client, peer
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
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(made)
    return made


def serve(talk: Talk) -> None:
    while talk.head():
        talk.send(OK)


def test_requests_and_answers_go_over_tls_on_one_connection(authority: trustme.CA, cafile: str) -> None:
    with peer(serve, context(authority)) as server, client(cafile) as ours:
        answers = ours.ask(*[ours.request(server.url("https"))] * 3)
    assert [(each.error, each.body) for each in answers] == [(None, b"ok")] * 3
    assert server.connections == 1


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_megabytes_go_both_ways(authority: trustme.CA, cafile: str, version: ssl.TLSVersion) -> None:
    size = 3 << 20

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + talk.exactly(size)[::-1])

    made = context(authority)
    made.maximum_version = version
    body = bytes(range(256)) * (size // 256)
    with peer(script, made) as server, client(cafile) as ours:
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + body
        answer = ours.ask(ours.request(server.url("https"), payload))[0]
    assert answer.error is None
    assert answer.body == body[::-1]


def test_websockets_go_over_tls(authority: trustme.CA, cafile: str) -> None:
    def script(talk: Talk) -> None:
        talk.send(agree(talk.head()))
        talk.send(server_frame(1, bytes(next_frame(talk).data)))

    with peer(script, context(authority)) as server, client(cafile) as ours:
        assert ours.ask(ours.request(server.url("wss"), b"{}"))[0].body == b"{}"


def test_an_authority_that_is_not_trusted_is_refused(authority: trustme.CA) -> None:
    with peer(serve, context(authority)) as server, client() as ours:
        error = ours.ask(ours.request(server.url("https")))[0].error
    assert error is not None
    assert error.startswith("tls: certificate: ")


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, cafile: str) -> None:
    with peer(serve, context(authority, "elsewhere.example")) as server, client(cafile) as ours:
        answers = ours.ask(*[ours.request(server.url("https"))] * 2)
    assert [each.error for each in answers] == ["tls: certificate: IP address mismatch"] * 2


def test_a_server_without_tls_is_named(cafile: str) -> None:
    def script(talk: Talk) -> None:
        talk.read()
        talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with peer(script) as server, client(cafile) as ours:
        error = ours.ask(ours.request(server.url("https")))[0].error
    assert error in {"tls: wrong version number", "tls: record layer failure"}


def test_a_server_that_says_nothing_times_out_while_connecting(cafile: str) -> None:
    def script(talk: Talk) -> None:
        while talk.read():
            pass

    with peer(script) as server, client(cafile) as ours:
        error = ours.ask(ours.request(server.url("https"), timeout_ns=SHORT))[0].error
    assert error == "timeout while connecting"


def test_a_server_that_leaves_in_the_handshake_is_named(cafile: str) -> None:
    with peer(lambda talk: talk.read() and None) as server, client(cafile) as ours:
        error = ours.ask(ours.request(server.url("https")))[0].error
    assert error in {"tls: closed in the handshake", "tls: connection reset by peer"}


@pytest.mark.parametrize(("announced", "error"), [(True, None), (False, "tls: cut off")])
def test_a_body_to_the_end_needs_an_announced_end(
    authority: trustme.CA, cafile: str, announced: bool, error: str | None
) -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if announced and isinstance(talk.sock, ssl.SSLSocket):
            talk.sock.unwrap()

    with peer(script, context(authority)) as server, client(cafile) as ours:
        assert ours.ask(ours.request(server.url("https")))[0].error == error


PATCHED = """
from gevent import monkey; monkey.patch_all()
import sys, gevent
from loadtests.engine.hub import attach
from loadtests.selftest.peers import client, one
with client(sys.argv[2]) as ours:
    attached = attach(ours.loop)
    ended, bodies = [], []
    def journey():
        for _ in range(3):
            bodies.append(one((yield ours.request(sys.argv[1]))).body)
    ours.session.play(journey(), 0, ended.append)
    with gevent.Timeout(20):
        while not ended:
            gevent.sleep(0.001)
    attached.detach()
    print(bodies, ours.session.raised)
"""


def test_tls_works_where_gevent_patched_the_module(authority: trustme.CA, cafile: str) -> None:
    with peer(serve, context(authority)) as server:
        command = [sys.executable, "-c", PATCHED, server.url("https"), cafile]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.stdout == "[b'ok', b'ok', b'ok'] None\n", done.stderr
