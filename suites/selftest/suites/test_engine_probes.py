"""Tests of what a drift run sees of a deepstream engine by its text protocol."""

from __future__ import annotations

import pytest

from contracts.asyncapi import load_rpc_contract
from fixtures.in_process_client import InProcessClient
from fixtures.reference import load
from fixtures.target_api import Api
from suites.drift.engine_probes import engine_behaviours
from suites.mutation.socket_reference import SocketReference


def probed(api: Api) -> dict[str, str]:
    """What the probes show, by place."""
    rpc = load_rpc_contract("bitvis")
    assert rpc is not None
    return {
        address.place: behaviour.value
        for call in rpc.calls.values()
        for address, behaviour in engine_behaviours(api, call).items()
    }


@pytest.mark.parametrize(
    ("variant", "changed"),
    [
        (
            "joins_messages",
            {
                "handshake: challenge": "C A 0 + C PI 0",
                "frames of a call": "P A 3 + P RES 3 O",
                "frames of two calls at once": "P A 3 + P RES 3 O + P A 3 + P RES 3 O",
            },
        ),
        ("lets_everybody_in", {"handshake: wrong login": "A A 0"}),
        ("ignores_calls_before_the_login", {"handshake: call before the login": "nothing"}),
    ],
)
def test_a_variant_of_the_engine_is_seen(variant: str, changed: dict[str, str]) -> None:
    reference = SocketReference("bitvis", (load("bitvis").VARIANTS[variant],))
    try:
        assert probed(reference.api) == HONEST | changed
    finally:
        reference.stop()


HONEST = {
    "handshake: greeting": "C CH 0",
    "handshake: challenge": "C A 0, C PI 0",
    "handshake: call before the login": "A E 2 INVALID_AUTH_MSG, closed",
    "handshake: wrong login": "A E 2 INVALID_AUTH_DATA",
    "handshake: login": "A A 0",
    "heartbeat of a client": "C PO 0",
    "frames of a call": "P A 3, P RES 3 O",
    "frames of an unknown RPC": "P E 3 NO_RPC_PROVIDER",
    "frames of two calls at once": "P A 3, P RES 3 O, P A 3, P RES 3 O",
    "frames of an unknown message": "nothing",
}


def test_a_target_in_process_has_no_engine() -> None:
    client = InProcessClient("bitvis")
    assert probed(Api(client.target, client)) == {}
