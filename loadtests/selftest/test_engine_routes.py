"""The engine reaches a target by its proxy and with its certificates, follows no redirect, and names what is wrong."""

from __future__ import annotations

import ssl
from datetime import date
from pathlib import Path

import pytest
import trustme

from fixtures.network_routes import Route
from fixtures.recording_proxy import RecordingProxy, recording_proxy
from fixtures.targets import embedded_references
from loadtests.fuzz.mutator import server_frame
from loadtests.selftest.locust_run import running_locust, tell_to_end, until_told, wait_until
from loadtests.selftest.peers import OK, SHORT, ScriptedServer, ServerConnection, always, engine_client, scripted_server
from loadtests.selftest.test_engine_deepstream import logged_in, next_message, respond, rpc
from loadtests.selftest.websocket_peer import after_handshake, next_frame

NOWHERE = "http://127.0.0.1:9"  # where nobody listens


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def client_cert(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "client.pem"
    authority.issue_cert("client@shop.example").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


def server_context(
    authority: trustme.CA, clients: trustme.CA | None = None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """A server's certificate for 127.0.0.1; with `clients` it demands one of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = version
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        clients.configure_trust(context)
    return context


def echo(connection: ServerConnection) -> None:
    connection.send(server_frame(1, bytes(next_frame(connection).data)))


def echo_call(connection: ServerConnection) -> None:
    respond(connection, next_message(connection))


# A proxy


def test_http_goes_to_the_proxy_in_absolute_form() -> None:
    heads: list[bytes] = []

    def script(connection: ServerConnection) -> None:
        while head := connection.head():
            heads.append(head)
            connection.send(OK)

    with (
        recording_proxy() as proxy,
        scripted_server(script) as server,
        engine_client(route=Route("shop", proxy.url)) as client,
    ):
        responses = client.ask(*[client.request(server.url(path="/a?b=c"))] * 2)
    assert [response.error for response in responses] == [None, None]
    assert proxy.requests == [f"GET http://127.0.0.1:{server.port}/a?b=c"] * 2
    assert heads == [f"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()] * 2


@pytest.mark.parametrize("scheme", ["ws", "wss", "https", "deepstream"])
def test_other_schemes_go_through_a_tunnel(scheme: str, authority: trustme.CA, trusted: Path) -> None:
    tls = server_context(authority) if scheme in ("wss", "https") else None
    script = {"https": always(OK), "deepstream": logged_in(echo_call)}.get(scheme, after_handshake(echo))
    with (
        recording_proxy() as proxy,
        scripted_server(script, tls) as server,
        engine_client(route=Route("shop", proxy.url, trusted)) as client,
    ):
        response = client.ask(_request(client, server, scheme))[0]
    assert (response.error, response.body) == (None, b"ok" if scheme == "https" else b"{}")
    assert proxy.requests == [f"CONNECT 127.0.0.1:{server.port}"]


def _request(client, server: ScriptedServer, scheme: str):  # type: ignore[no-untyped-def]
    if scheme == "deepstream":
        return rpc(client, server)
    return client.request(server.url(scheme), None if scheme in ("http", "https") else b"{}")


@pytest.mark.parametrize(("scheme", "refusal"), [("http", 407), ("ws", 403), ("https", 502)])
def test_a_proxy_that_refuses_is_named(scheme: str, refusal: int) -> None:
    with (
        recording_proxy(refusal) as proxy,
        scripted_server(always(OK)) as server,
        engine_client(route=Route("shop", proxy.url)) as client,
    ):
        response = client.ask(_request(client, server, scheme))[0]
    assert response.error == f"proxy: status {refusal}"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"SSH-2.0-x\r\n\r\n", "proxy: not HTTP/1"),
        (b"HTTP/1.1 200 OK\r\n\r\nsurplus", "proxy: bytes before the tunnel was used"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "proxy: head too long"),
        (b"HTTP/1.1 200", "proxy: closed in the handshake"),
    ],
)
def test_a_broken_proxy_is_named(reply: bytes, error: str) -> None:
    def script(connection: ServerConnection) -> None:
        connection.head()
        connection.send(reply)

    with scripted_server(script) as proxy, engine_client(route=Route("shop", proxy.url(path=""))) as client:
        assert client.ask(client.request("ws://127.0.0.1:9/", b"{}"))[0].error == error


def test_a_silent_proxy_times_out_while_connecting() -> None:
    with (
        scripted_server(lambda connection: connection.until(b"never")) as proxy,
        engine_client(route=Route("shop", proxy.url(path=""))) as client,
    ):
        response = client.ask(client.request("ws://127.0.0.1:9/", b"{}", timeout_ns=SHORT))[0]
    assert response.error == "timeout while connecting"


def test_a_whole_run_goes_by_the_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"from loadtests.bitvis import Bitvis\n{until_told(tmp_path, 3)}"
    with embedded_references(["bitvis"], "127.0.0.1:9") as targets, recording_proxy() as proxy:
        url = targets["bitvis"].url
        tunnel, request = f"CONNECT {url.split('/')[2]}", f" {url}/"
        for name, value in (targets["bitvis"].settings | {"PROXY": proxy.url, "WRITES": "1"}).items():
            monkeypatch.setenv(f"BITVIS_{name}", value)
        with running_locust(tmp_path, url, text, "--headless", LOAD_PERMITTED_BY=f"Jo, {date.today()}") as run:
            wait_until(lambda: run.has_ended or {tunnel, request} <= _kinds(proxy, request), "both ways")
            tell_to_end(tmp_path)
            run.wait()
    assert _kinds(proxy, request) == {tunnel, request}, run.output
    assert run.result["operations"]
    assert {operation["summary"]["failures"] for operation in run.result["operations"]} == {0}


def _kinds(proxy: RecordingProxy, request: str) -> set[str]:
    """The recorded requests; all in absolute form to that URL are one."""
    return {request if request in line else line for line in list(proxy.requests)}


# Redirects


def test_a_redirect_of_an_upgrade_fails_with_its_response() -> None:
    with scripted_server(always(OK)) as other:
        redirect = f"HTTP/1.1 307 T\r\nLocation: {other.url('ws')}\r\nContent-Length: 2\r\n\r\nno".encode()
        with scripted_server(always(redirect)) as server, engine_client() as client:
            response = client.ask(client.request(server.url("ws"), b"{}"))[0]
    assert (response.status, response.error, response.body) == (307, "handshake refused: status 307", b"no")
    assert response.header(b"location") == other.url("ws").encode()
    assert other.connections == 0


@pytest.mark.parametrize("action", [6, 7], ids=["rejection", "redirect"])
def test_a_redirect_of_deepstreams_protocol_is_not_followed(action: int) -> None:
    with scripted_server(always(OK)) as other:

        def script(connection: ServerConnection) -> None:
            next_message(connection)
            message = f'{{"topic":2,"action":{action},"url":"{other.url("ws")}"}}'
            connection.send(server_frame(1, message.encode()))
            connection.until(b"never")

        with scripted_server(after_handshake(script)) as server, engine_client() as client:
            assert client.ask(rpc(client, server))[0].error == "deepstream: connection refused"
    assert other.connections == 0


# Certificates


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_a_certificate_of_an_unknown_authority_names_its_setting(scheme: str, trusted: Path) -> None:
    with (
        scripted_server(always(OK), server_context(trustme.CA())) as server,
        engine_client(route=Route("shop", ca=trusted)) as client,
    ):
        error = client.ask(_request(client, server, scheme))[0].error
    assert error == "tls: certificate: unable to get local issuer certificate; see SHOP_CA"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_a_demanded_client_certificate_names_its_setting(
    scheme: str, version: ssl.TLSVersion, authority: trustme.CA, trusted: Path
) -> None:
    with (
        scripted_server(always(OK), server_context(authority, authority, version)) as server,
        engine_client(route=Route("shop", ca=trusted)) as client,
    ):
        error = client.ask(_request(client, server, scheme))[0].error
    assert error is not None
    assert error.startswith("tls: ")
    assert error.endswith("; see SHOP_CLIENT_CERT")


def test_a_client_certificate_is_shown(authority: trustme.CA, trusted: Path, client_cert: Path) -> None:
    with (
        scripted_server(always(OK), server_context(authority, authority)) as server,
        engine_client(route=Route("shop", ca=trusted, client_cert=client_cert)) as client,
    ):
        assert client.ask(client.request(server.url("https")))[0].body == b"ok"
