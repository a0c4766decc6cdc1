"""Calls through a deepstream engine: what each side says to it, and what becomes of an engine that misbehaves.

The engine is a tiny one of ours over real sockets; `tox -e deepstream` does the same with the real one.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from websockets.sync.server import ServerConnection

from fixtures.api import Api, Lacking, NotPermitted
from fixtures.client import Unreachable
from fixtures.inprocess import InProcess
from fixtures.reference.bitvis.data import KNOWN
from fixtures.targets import ROOT, Misuse, Target, embedded, engine, from_environment
from fixtures.transports import ABSENT, Transport, transport
from suites.selftest.tiny_engine import TinyEngine, Words, running, say

SWITCH = "3a472a78-4e3e-4858-8acc-eb754f9d1328"
PAGE = {"pagination": True, "pagination.size": 1, "pagination.from": 0}


@pytest.fixture(scope="module")
def joined() -> Iterator[tuple[TinyEngine, Api]]:
    """The reference behind an engine."""
    with running() as tiny, embedded(["bitvis"], "127.0.0.1:9", [], {"bitvis": tiny.url}) as targets:
        yield tiny, Api(targets["bitvis"])


def at(url: str, timeout: float = 5.0, writes: bool = True, **settings: str) -> Transport:
    """The transport to an engine where something else than a reference provides."""
    known = {**KNOWN, "DEEPSTREAM": url, **settings}
    return transport(Api(Target("bitvis", "http://127.0.0.1:9/bitvis", known, writes, False)), "deepstream", timeout)


@pytest.mark.parametrize(
    ("endpoint", "call"),
    [
        ("address/address", ("LIST", ABSENT, ABSENT, PAGE)),
        ("inventory/device", ("OPEN", SWITCH)),
        ("inventory/device", ("UPDATE", SWITCH, ABSENT, ABSENT, {"name": "Götefred"})),
    ],
    ids=["list", "open", "update"],
)
def test_engine_carries_the_same_frames_as_a_bare_socket(
    joined: tuple[TinyEngine, Api], endpoint: str, call: tuple[object, ...]
) -> None:
    through, bare = (transport(joined[1], name) for name in ("deepstream", "websocket"))
    one, other = through.call(endpoint, *call), bare.call(endpoint, *call)
    assert (one.sent.body, one.answer) == (other.sent.body, other.answer)
    assert one.sent.url == f"deepstream+{joined[0].url}#{endpoint}"


def test_refusals_of_the_target_come_through(joined: tuple[TinyEngine, Api]) -> None:
    found = transport(joined[1], "deepstream").call("inventory/device", "OPEN", "nobody").answer
    assert (found.error, found.json()["errorcode"]) == (None, "DO_NOT_EXIST")


def test_endpoint_that_nobody_provides_is_the_engines_error(joined: tuple[TinyEngine, Api]) -> None:
    rpc = transport(joined[1], "deepstream")
    assert rpc.call("nobody/here", "LIST").answer.error == "the engine answered NO_RPC_PROVIDER"
    assert rpc.call("address/address", "LIST").answer.error is None


def test_exchanges_are_remembered(joined: tuple[TinyEngine, Api]) -> None:
    exchange = transport(joined[1], "deepstream").call("address/address", "LIST")
    assert joined[1].exchanges[-1] is exchange


def test_faults_stand_in_front_of_remote_calls() -> None:
    fault = ["--fault", "bitvis.wants_no_token_in_frames"]
    with running() as tiny, embedded(["bitvis"], "127.0.0.1:9", fault, {"bitvis": tiny.url}) as targets:
        rpc = transport(Api(targets["bitvis"]), "deepstream")
        assert rpc.call("address/address", "LIST", credentials="none").answer.json()["success"] is True


def test_late_answer_is_not_given_to_the_next_call() -> None:
    def late(tiny: TinyEngine, connection: ServerConnection, message: Words) -> bool:
        calls = [one for one in tiny.heard if (one["topic"], one["action"]) == (6, 2)]
        if message["topic"] != 6 or len(calls) == 1:
            return message["topic"] == 6  # the first call is left waiting
        for one in calls:
            say(connection, topic=6, action=5, correlationId=one["correlationId"], data=f'"{one["name"]}"')
        return True

    with running(late) as tiny:
        rpc = at(tiny.url, timeout=0.3)
        first, second = rpc.call("first", "LIST").answer, rpc.call("second", "LIST").answer
    assert first.error == "no answer within the time limit"
    assert second.body == b'"second"'


def test_heartbeat_is_answered() -> None:
    def asks_first(tiny: TinyEngine, connection: ServerConnection, message: Words) -> bool:
        if (message["topic"], message["action"]) == (6, 2):
            say(connection, topic=2, action=2)
        elif (message["topic"], message["action"]) == (2, 3):
            call = tiny.heard[-2]
            say(connection, topic=6, action=5, correlationId=call["correlationId"], data={"alive": True})
        else:
            return False
        return True

    with running(asks_first) as tiny:
        assert at(tiny.url).call("x", "LIST").answer.body == b'{"alive": true}'


def test_engine_that_left_is_joined_again() -> None:
    gone = threading.Semaphore(0)

    def leaves(_tiny: TinyEngine, connection: ServerConnection, message: Words) -> bool:
        if message["topic"] != 6:
            return False
        say(connection, topic=6, action=5, correlationId=message["correlationId"], data="1")
        connection.close()
        gone.release()
        return True

    with running(leaves) as tiny:
        rpc = at(tiny.url)
        for number in (1, 2, 3):
            assert rpc.call("x", "LIST").answer.body == b"1"
            assert gone.acquire(timeout=5)
            assert tiny.logins == number


@pytest.mark.parametrize(
    ("text", "why"),
    [("[1]", "not a message of deepstream's JSON protocol: '[1]'"), ("\x1f", "not a message of deepstream's JSON")],
    ids=["a list", "the text protocol"],
)
def test_other_protocol_is_told(text: str, why: str) -> None:
    def speaks_otherwise(_tiny: TinyEngine, connection: ServerConnection, message: Words) -> bool:
        if message["topic"] == 6:
            connection.send(text)
        return message["topic"] == 6

    with running(speaks_otherwise) as tiny:
        error = at(tiny.url).call("x", "LIST").answer.error
    assert error is not None
    assert error.startswith(why)


def test_refused_login_is_what_the_target_lacks() -> None:
    def refuses(_tiny: TinyEngine, connection: ServerConnection, message: Words) -> bool:
        if message["topic"] == 3:
            say(connection, topic=3, action=4)
        return message["topic"] == 3

    with running(refuses) as tiny, pytest.raises(Lacking, match="AUTH_UNSUCCESSFUL"):
        at(tiny.url).call("x", "LIST")


def test_nobody_there_is_unreachable() -> None:
    with running() as tiny:
        url = tiny.url
    with pytest.raises(Unreachable, match=r"no websocket at ws://127\.0\.0\.1"):
        at(url).call("x", "LIST")


def test_without_its_setting_the_reader_is_told_how() -> None:
    with pytest.raises(Lacking, match=r"BITVIS_DEEPSTREAM is not set: .*tox -e deepstream"):
        at("")


def test_in_process_there_is_no_engine() -> None:
    client = InProcess("bitvis")
    with pytest.raises(Lacking, match=r"in process: .*tox -e deepstream"):
        transport(Api(client.target, client), "deepstream")


@pytest.mark.parametrize("url", ["http://127.0.0.1:6020", "127.0.0.1:6020", "ws://"])
def test_setting_has_to_be_a_ws_url(url: str) -> None:
    with pytest.raises(Misuse, match="BITVIS_DEEPSTREAM: expected a URL such as ws://"):
        from_environment("bitvis", {"BITVIS_URL": "http://127.0.0.1:9/bitvis", "BITVIS_DEEPSTREAM": url})


def test_engine_elsewhere_is_only_read_even_if_the_url_is_here() -> None:
    rpc = at("ws://engine.example:6020/deepstream")
    with pytest.raises(NotPermitted, match=r"engine\.example.*BITVIS_WRITES=1"):
        rpc.call("inventory/device", "DELETE", SWITCH)


def test_reference_joins_no_engine_elsewhere() -> None:
    with pytest.raises(Misuse, match=r"not on loopback.*set BITVIS_URL"):
        engine("bitvis", {"BITVIS_DEEPSTREAM": "wss://engine.example/deepstream"})


def test_embedded_reference_that_cannot_join_names_the_setting() -> None:
    with running() as tiny:
        url = tiny.url
    named = f"BITVIS_DEEPSTREAM={url}"
    with pytest.raises(Misuse, match=named), embedded(["bitvis"], "127.0.0.1:9", [], {"bitvis": url}):
        pass


def test_basic_has_no_place() -> None:
    rpc = at("ws://127.0.0.1:9/deepstream")
    assert not rpc.can("LIST", credentials="basic")
    with pytest.raises(ValueError, match="basic"):
        rpc.call("x", "LIST", credentials="basic")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--api", "bitvis", "--deepstream", "ws://127.0.0.1:1/deepstream"], "python -m fixtures.deepstream"),
        (["--api", "getflow", "--deepstream", "ws://127.0.0.1:1/deepstream"], "add --api bitvis"),
    ],
    ids=["no engine", "no frames"],
)
def test_reference_that_cannot_join_says_so_in_one_line(options: list[str], told: str) -> None:
    command = [sys.executable, "-m", "fixtures.reference", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m fixtures.reference: --deepstream: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
