"""Frames count for the call that they are, by their content and by their reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.asyncapi import RpcContract, load_rpc_contract
from contracts.coverage import rpc_plan
from contracts.coverage.coverage_counter import EXCHANGES, CoverageCounter
from contracts.exchange import FRAME, SWITCHING_PROTOCOLS, Exchange, Request, Response
from contracts.openapi import load_contract

URL = "http://127.0.0.1:1/bitvis"
DEVICE = "3a472a78-4e3e-4858-8acc-eb754f9d1328"
LIST, OPEN, UPDATE = (f"inventory/device {method}" for method in ("LIST", "OPEN", "UPDATE"))
FAILED = {"status": 0, "success": False, "message": "no", "errorcode": "X", "dataType": "JSON", "errorid": DEVICE}


def framed(call: Any, reply: Any = None, url: str = "ws://127.0.0.1:1/bitvis/inventory/device") -> Exchange:
    """A frame, JSON or bytes, and its reply as JSON."""
    body = call if isinstance(call, bytes) else json.dumps({"token": "x", **call}).encode()
    return Exchange(
        Request(FRAME, url, (), body),
        Response(SWITCHING_PROTOCOLS, (), b"" if reply is None else json.dumps(reply).encode()),
    )


def counted(*exchanges: Exchange) -> dict[str, dict[str, int]]:
    """How often they exercise each point: by call, then "display path: description"."""
    counter = CoverageCounter(load_contract("bitvis"), URL)
    for exchange in exchanges:
        counter.add(exchange)
    return {
        label: {key.partition("\t")[2].replace("\t", ": "): count for key, count in counts.items() if key != EXCHANGES}
        for label, counts in counter.counts().items()
    }


@pytest.fixture(scope="module")
def rpc() -> RpcContract:
    """The calls of bitvis."""
    rpc = load_rpc_contract("bitvis")
    assert rpc is not None
    return rpc


def test_a_frame_counts_for_its_endpoint_and_method() -> None:
    counts = counted(framed({"method": "LIST"}), framed({"method": "OPEN", "objectid": DEVICE}))
    assert set(counts) == {LIST, OPEN}
    assert counts[OPEN]["frame.objectid: sent"] == 1


def test_an_engine_names_the_endpoint_behind_its_url() -> None:
    engine = framed({"method": "LIST"}, url="deepstream+ws://127.0.0.1:6020/deepstream#inventory/device")
    assert set(counted(engine)) == {LIST}


def test_limits_of_a_frame_are_reached_exactly() -> None:
    named = [{"method": "UPDATE", "objectid": DEVICE, "data": {"name": "å" * length}} for length in (1, 2, 60)]
    counts = counted(*map(framed, named))[UPDATE]
    assert (counts["frame.data.name: as short as 1"], counts["frame.data.name: as long as 60"]) == (1, 1)


@pytest.mark.parametrize(
    "invalid", [{"objectid": 7}, {}, {"objectid": DEVICE, "data": []}], ids=["type", "none", "data"]
)
def test_an_invalid_frame_exercises_nothing_but_that(invalid: dict[str, Any]) -> None:
    counts = counted(framed({"method": "OPEN", **invalid}))[OPEN]
    assert counts == {"invalid requests: a frame that its schema does not allow": 1}


def test_a_reply_is_a_success_or_a_refusal() -> None:
    listed = {"status": 0, "success": True, "data": [], "count": 0, "dataType": "JSON"}
    counts = counted(framed({"method": "LIST"}, listed), framed({"method": "LIST"}, FAILED))[LIST]
    assert (counts["outcome: success"], counts["outcome: refusal"], counts["reply.errorid: present"]) == (1, 1, 1)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b"\xff", b"7", b'{"method": ["LIST"]}', b'{"method": "X"}']
)
def test_frame_that_is_no_call_is_unmatched(body: bytes) -> None:
    counter = CoverageCounter(load_contract("bitvis"), URL)
    counter.add(framed(body))
    counter.add(framed({"method": "LIST"}, url="ws://127.0.0.1:1/bitvis/nothing"))
    assert (counter.unmatched, counter.counts()) == (2, {})


@pytest.mark.parametrize("reply", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_a_reply_that_is_no_envelope_exercises_nothing(reply: bytes) -> None:
    counter = CoverageCounter(load_contract("bitvis"), URL)
    counter.add(Exchange(framed({"method": "LIST"}).request, Response(SWITCHING_PROTOCOLS, (), reply)))
    keys = list(counter.counts()[LIST])
    assert [key for key in keys if key.startswith("request")]
    assert not [key for key in keys if key.startswith("response")]


def test_every_point_of_every_call_has_a_key_of_its_own(rpc: RpcContract) -> None:
    for call in rpc.calls.values():
        keys = [point.key for point in rpc_plan.coverage_points(rpc, call)]
        assert len(set(keys)) == len(keys) > 20, call.label
