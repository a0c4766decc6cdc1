"""A host without a contract is reached by LOAD_PROXY, and with LOAD_CA and LOAD_CLIENT_CERT."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from contracts.errors import UsageError
from fixtures.network_routes import Route
from fixtures.recording_proxy import recording_proxy
from loadtests.selftest.locust_run import running_locust
from loadtests.selftest.peers import OK, always, scripted_server
from loadtests.targets.load_route import load_route

LOCUSTFILE = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(0.1)

    @journey
    def visit(self):
        yield self.request("GET", "/home")
"""
OPTIONS = "--headless -u 1 -t 2s"


def test_without_variables_the_way_is_direct() -> None:
    assert load_route({"LOAD_CA": " "}) == Route("load")


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("LOAD_CA", "/none.pem", "LOAD_CA: expected a file of certificates"),
        ("LOAD_CLIENT_CERT", "/none.pem", "LOAD_CLIENT_CERT: expected a file with a certificate and its key"),
        ("LOAD_PROXY", "shop.example", "LOAD_PROXY: expected"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(variable: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_route({variable: text})


def test_a_run_goes_through_the_proxy_with_both_certificates(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate = authority.issue_cert("client@shop.example")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with scripted_server(always(OK), context) as server, recording_proxy() as proxy:
        settings = {
            "LOAD_CA": str(tmp_path / "ca.pem"),
            "LOAD_CLIENT_CERT": str(tmp_path / "client.pem"),
            "LOAD_PROXY": proxy.url,
        }
        with running_locust(tmp_path, server.url("https", ""), LOCUSTFILE, OPTIONS, **settings) as run:
            run.wait()
    (operation,) = run.result["operations"]
    assert (operation["summary"]["requests"] > 5, operation["summary"]["failures"]) == (True, 0), run.output[-2000:]
    assert set(proxy.requests) == {f"CONNECT 127.0.0.1:{server.port}"}


def test_a_file_that_is_not_there_ends_the_run_with_one_line(tmp_path: Path) -> None:
    with running_locust(tmp_path, "http://127.0.0.1:9", LOCUSTFILE, OPTIONS, LOAD_CA="/none.pem") as run:
        assert run.wait() == 2
    assert "LOAD_CA: expected a file of certificates (PEM)" in run.output
    assert "Traceback" not in run.output
