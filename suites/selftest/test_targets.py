"""Where suites run, and what they do not do to a server that nobody allowed them to change."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import contracts
from contracts.document import contract
from contracts.exchange import Answer, Exchange, Sent
from fixtures.api import Api, Lacking, NotPermitted
from fixtures.client import Client, Unreachable
from fixtures.corpus.make import base
from fixtures.targets import Misuse, from_environment, is_loopback

ROOT = Path(__file__).parents[2]
VENDOR = {"GETFLOW_URL": "https://flow.example/", "GETFLOW_TOKEN": "t", "GETFLOW_ORGANIZATION_ID": "1"}


class Nowhere:
    """Fails the test that sends anything."""

    def send(self, sent: Sent) -> Exchange:
        raise AssertionError(f"sent {sent.method} {sent.url}")


def vendor(api: str) -> Api:
    target = from_environment(api, {f"{api.upper()}_URL": "https://flow.example", f"{api.upper()}_TOKEN": "t"})
    assert target is not None
    return Api(target, Nowhere())


def test_no_target_is_assumed() -> None:
    assert from_environment("getflow", {}) is None


def test_target_off_loopback_is_read_only() -> None:
    target = from_environment("getflow", VENDOR)
    assert target is not None
    assert (target.writes, target.settings.get("OTHER_TOKEN")) == (False, None)


def test_writes_are_allowed_by_exactly_one() -> None:
    allowed = [from_environment("getflow", {**VENDOR, "GETFLOW_WRITES": value}) for value in ("1", "0", "yes", "")]
    assert [target.writes for target in allowed if target] == [True, False, False, False]


def test_reference_by_hand_needs_nothing_but_its_url() -> None:
    target = from_environment("getflow", {"GETFLOW_URL": "http://127.0.0.1:9/getflow"})
    assert target is not None
    assert target.writes
    assert {"TOKEN", "ORGANIZATION_ID"} <= set(target.settings)


@pytest.mark.parametrize("url", ["flow.example", "ftp://flow.example", "http://", "nonsense"])
def test_url_that_is_none_is_misuse_and_names_the_variable(url: str) -> None:
    with pytest.raises(Misuse, match="GETFLOW_URL"):
        from_environment("getflow", {"GETFLOW_URL": url})


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("flow.example", False)),
        *(("10.0.0.1", False), ("127.0.0.1.flow.example", False), ("0.0.0.0", False), ("localhost.a.example", False)),
    ],
)
def test_loopback_is_this_machine_alone(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    "operation",
    [one for api in contracts.apis() for one in contract(api).operations.values() if not one.safe],
    ids=str,
)
def test_unsafe_operation_is_not_sent_to_a_vendor(operation) -> None:
    with pytest.raises(NotPermitted, match=f"{operation.api.upper()}_WRITES=1"):
        vendor(operation.api).send(operation, base(contract(operation.api), operation))


def test_safe_operation_with_another_method_is_not_sent_to_a_vendor() -> None:
    operation = contract("flowback").operations["GET /users"]
    with pytest.raises(NotPermitted):
        vendor("flowback").send(operation, replace(base(contract("flowback"), operation), method="DELETE"))


def test_bitvis_methods_are_safe_by_what_they_do_and_not_by_their_verb() -> None:
    calls = contract("bitvis").operations.values()
    safe = {word for one in calls for word in one.label.split() if one.safe and word.isupper() and len(word) > 3}
    assert safe <= {"LIST", "OPEN", "INDEX", "POST"}
    assert all(not one.safe for one in calls if {"DELETE", "RUN", "CREATE", "UPDATE"} & set(one.label.split()))


def test_missing_setting_is_named() -> None:
    target = from_environment("getflow", {"GETFLOW_URL": "https://flow.example", "GETFLOW_TOKEN": "t"})
    assert target is not None
    operation = contract("getflow").operations["GET /tasks"]
    with pytest.raises(Misuse, match="GETFLOW_ORGANIZATION_ID is not set"):
        Api(target, Nowhere()).send(operation, base(contract("getflow"), operation))


def test_other_host_than_the_target_is_never_asked() -> None:
    with pytest.raises(ValueError, match=r"flow\.example"):
        vendor("getflow").exchange(Sent("GET", "https://elsewhere.example/tasks"))


def test_target_that_does_not_answer_is_unreachable_and_named() -> None:
    with pytest.raises(Unreachable, match=r"unreachable: .*GETFLOW_URL"):
        Client("http://127.0.0.1:1", "GETFLOW_URL").send(Sent("GET", "http://127.0.0.1:1/tasks"))


def test_lacking_record_is_told_with_the_operation() -> None:
    class Empty:
        def send(self, sent: Sent) -> Exchange:
            return Exchange(sent, Answer(200, (("content-type", "application/json"),), b"{}"))

    target = from_environment("getflow", VENDOR)
    assert target is not None
    with pytest.raises(Lacking, match=r"listTasks|GET /tasks"):
        Api(target, Empty()).known({"operation": "listTasks", "pointer": "/tasks/*/id"})


HELD = """
import sys, time
from fixtures.targets import embedded
with embedded(["getflow"], "127.0.0.1:9") as started:
    print(started["getflow"].url, flush=True)
    sys.stdin.read()
"""


def test_our_reference_ends_with_a_process_that_is_killed() -> None:
    """Its sockets are closed soon after whoever started it has gone without a word."""
    holder = subprocess.Popen([sys.executable, "-c", HELD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout
        address = urlsplit(holder.stdout.readline().decode().strip())
        assert address.hostname
        assert address.port
        with socket.create_connection((address.hostname, address.port), 10) as connection:
            holder.kill()
            connection.settimeout(10)
            assert connection.recv(1) == b"", "the reference closes its connections when it ends"
