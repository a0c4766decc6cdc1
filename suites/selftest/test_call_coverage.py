"""Frames count for the call that they are, by what they hold and by what answers them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts import call_points
from contracts.coverage import EXCHANGES, Coverage
from contracts.document import contract
from contracts.exchange import FRAME, SWITCHED, Answer, Exchange, Sent
from contracts.rpc import Rpc, rpc

URL = "http://127.0.0.1:1/bitvis"
DEVICE = "3a472a78-4e3e-4858-8acc-eb754f9d1328"
LIST, OPEN, UPDATE = (f"inventory/device {method}" for method in ("LIST", "OPEN", "UPDATE"))
FAILED = {"status": 0, "success": False, "message": "no", "errorcode": "X", "dataType": "JSON", "errorid": DEVICE}


def framed(call: Any, got: Any = None, url: str = "ws://127.0.0.1:1/bitvis/inventory/device") -> Exchange:
    """A frame, JSON or bytes, and the envelope that answers it."""
    body = call if isinstance(call, bytes) else json.dumps({"token": "x", **call}).encode()
    return Exchange(Sent(FRAME, url, (), body), Answer(SWITCHED, (), b"" if got is None else json.dumps(got).encode()))


def counted(*exchanges: Exchange) -> dict[str, dict[str, int]]:
    """What they exercise: by call, then "where: what", without the number of exchanges."""
    seen = Coverage(contract("bitvis"), URL)
    for one in exchanges:
        seen.add(one)
    return {
        label: {key.partition("\t")[2].replace("\t", ": "): count for key, count in counts.items() if key != EXCHANGES}
        for label, counts in seen.counts().items()
    }


@pytest.fixture(scope="module")
def whole() -> Rpc:
    """The calls of bitvis."""
    found = rpc("bitvis")
    assert found is not None
    return found


def test_a_frame_counts_for_its_endpoint_and_method() -> None:
    found = counted(framed({"method": "LIST"}), framed({"method": "OPEN", "objectid": DEVICE}))
    assert set(found) == {LIST, OPEN}
    assert found[OPEN]["frame.objectid: sent"] == 1


def test_an_engine_names_the_endpoint_behind_its_url() -> None:
    engine = framed({"method": "LIST"}, url="deepstream+ws://127.0.0.1:6020/deepstream#inventory/device")
    assert set(counted(engine)) == {LIST}


def test_limits_of_a_frame_are_reached_exactly() -> None:
    named = [{"method": "UPDATE", "objectid": DEVICE, "data": {"name": "å" * length}} for length in (1, 2, 60)]
    found = counted(*map(framed, named))[UPDATE]
    assert (found["frame.data.name: as short as 1"], found["frame.data.name: as long as 60"]) == (1, 1)


@pytest.mark.parametrize("wrong", [{"objectid": 7}, {}, {"objectid": DEVICE, "data": []}], ids=["type", "none", "data"])
def test_a_broken_frame_exercises_nothing_but_that(wrong: dict[str, Any]) -> None:
    found = counted(framed({"method": "OPEN", **wrong}))[OPEN]
    assert found == {"broken requests: one that its shape does not allow": 1}


def test_an_answer_is_a_success_or_a_refusal() -> None:
    listed = {"status": 0, "success": True, "data": [], "count": 0, "dataType": "JSON"}
    found = counted(framed({"method": "LIST"}, listed), framed({"method": "LIST"}, FAILED))[LIST]
    assert (found["outcome: success"], found["outcome: refusal"], found["reply.errorid: present"]) == (1, 1, 1)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b"\xff", b"7", b'{"method": ["LIST"]}', b'{"method": "X"}']
)
def test_what_is_no_call_is_a_stranger(body: bytes) -> None:
    seen = Coverage(contract("bitvis"), URL)
    seen.add(framed(body))
    seen.add(framed({"method": "LIST"}, url="ws://127.0.0.1:1/bitvis/nothing"))
    assert (seen.strangers, seen.counts()) == (2, {})


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_envelope_exercises_nothing(answer: bytes) -> None:
    seen = Coverage(contract("bitvis"), URL)
    seen.add(Exchange(framed({"method": "LIST"}).sent, Answer(SWITCHED, (), answer)))
    assert not [key for key in seen.counts()[LIST] if key.startswith("answer")]


def test_every_point_of_every_call_has_a_key_of_its_own(whole: Rpc) -> None:
    for call in whole.calls.values():
        keys = [point.key for point in call_points.points(whole, call)]
        assert len(set(keys)) == len(keys) > 20, call.label
