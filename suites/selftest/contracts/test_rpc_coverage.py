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


def test_every_frame_is_counted() -> None:
    counter = CoverageCounter(load_contract("bitvis"), URL)
    for _ in range(3):
        counter.add(framed({"method": "OPEN", "objectid": DEVICE}))
    counts = counter.counts()[OPEN]
    assert (counts[EXCHANGES], counts["request\tframe.objectid\tsent"]) == (3, 3)


def test_call_by_http_is_found_by_its_headers() -> None:
    counter = CoverageCounter(load_contract("bitvis"), URL)
    headers = (("Flow-Request-Method", "LIST"),)
    path = "/api/inventory/inventory/device/"
    counter.add(Exchange(Request("GET", URL + path, headers), Response(200)))
    assert set(counter.counts()) == {f"GET {path} LIST by header"}


@pytest.mark.parametrize(("success", "outcome"), [(True, "success"), (False, "refusal")])
def test_reply_counts_for_its_own_outcome(success: bool, outcome: str) -> None:
    reply = {**FAILED, "success": success}
    counts = counted(framed({"method": "LIST"}, reply))[LIST]
    assert {key for key in counts if key.startswith("outcome")} == {f"outcome: {outcome}"}


def test_points_of_a_call_are_of_the_frame_or_of_the_reply(rpc: RpcContract) -> None:
    points = rpc_plan.coverage_points(rpc, rpc.calls[OPEN])
    sides = {"frame": "request", "invalid requests": "request", "outcome": "response", "reply": "response"}
    assert {(point.side, point.location) for point in points} == {("request", ""), ("response", "")}
    for point in points:
        assert point.side == sides[point.display_path.split(".")[0].removesuffix("[]")], point
    names = {point.display_path: point.name for point in points}
    assert (names["frame.objectid"], names["outcome"]) == ("objectid", "")


def test_invalid_frames_are_one_point_and_not_one_for_each_kind(rpc: RpcContract) -> None:
    descriptions = {point.description for point in rpc_plan.coverage_points(rpc, rpc.calls[LIST])}
    assert "a value not listed" not in descriptions


@pytest.mark.parametrize(("size", "value"), [(rpc_plan.MAX_FRAME_BYTES, {}), (rpc_plan.MAX_FRAME_BYTES + 1, None)])
def test_frame_of_a_million_bytes_is_read_and_no_larger_one(size: int, value: Any) -> None:
    assert rpc_plan.read_frame(b"{}".ljust(size)) == value


def test_every_point_of_every_call_has_a_key_of_its_own(rpc: RpcContract) -> None:
    for call in rpc.calls.values():
        keys = [point.key for point in rpc_plan.coverage_points(rpc, call)]
        assert len(set(keys)) == len(keys) > 20, call.label
