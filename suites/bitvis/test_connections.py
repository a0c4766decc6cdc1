"""Concurrent and successive websocket connections: where responses go, and what a connection survives.

Rule: as in `test_protocol`. Frames carry nothing that pairs calls with responses, so a client can rely only on the
order and number of the messages on one connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from fixtures.target_api import Api
from fixtures.transports.raw_websocket import TEXT, Frame, RawWebsocket
from suites.bitvis.client import ADDRESS, DEVICE, QUEUE, assert_failure, assert_success, two_devices
from suites.bitvis.raw_frames import (
    assert_no_frames,
    assert_served,
    list_message,
    next_envelope,
    open_link,
    reopen_link,
    unsolicited_frames,
)
from suites.bitvis.websocket_calls import call_message
from suites.observed_readings import ObservedReadings

pytestmark = [pytest.mark.sockets, pytest.mark.bug_kind("leaking state")]
clause = pytest.mark.clause

QUIET_SECONDS = 0.2  # seconds during which nothing may arrive
SILENCE_SECONDS = 1.0  # seconds after which a connection must still be served
NESTING_DEPTH = 10_000  # levels
DISCONNECTIONS: dict[str, Callable[[RawWebsocket], None]] = {
    "with_a_close_frame": lambda link: link.close(1000),
    "without_a_close_frame": lambda _: None,
    "within_a_frame": lambda link: link.send_bytes(Frame(TEXT, b"x" * 99).encode()[:50]),
    "within_a_message": lambda link: link.send(Frame(TEXT, b'{"method":', fin=False)),
    "before_the_answer": lambda link: link.send_text(b"{}"),
    "after_a_broken_frame": lambda link: link.send(Frame(TEXT, b"{}", rsv=4)),
}
INVALID_CALLS = {
    "no_json": b"LIST",
    "a_list": b"[]",
    "no_method": b'{"token": "x"}',
    "no_token": b'{"method": "LIST"}',
    "wrong_token": b'{"method": "LIST", "token": "x"}',
    "empty": b"",
}


def open_frame(api: Api, identifier: str) -> Frame:
    """An OPEN call for that device, as a frame."""
    return Frame(TEXT, json.dumps(call_message(api, "OPEN", identifier)).encode())


# ------------------------------------------------------------------------------------------ where responses go


@clause("BITVIS-PROTO-13")
def test_a_response_goes_to_the_connection_of_its_call(api: Api) -> None:
    """Two connections that call alternately and at once each receive the devices that they opened."""
    identifiers = two_devices(api)
    with open_link(api, DEVICE) as first, reopen_link(api, "while another one is open", DEVICE) as second:
        for _ in range(3):
            for link, identifier in zip((first, second), identifiers, strict=True):
                link.send(open_frame(api, identifier))
            for link, identifier in zip((first, second), identifiers, strict=True):
                device = assert_success(next_envelope(api, link, "to OPEN", DEVICE, "OPEN"))
                assert device["id"] == identifier, f"expected the device {identifier}, got {device['id']}"


@clause("BITVIS-PROTO-14")
def test_each_call_has_one_response_and_nothing_else_comes(api: Api) -> None:
    """An idle connection receives no message, and every call receives exactly one response, sent together or one by
    one.
    """
    with open_link(api) as link:
        assert_no_frames(unsolicited_frames(link, QUIET_SECONDS), "message before any call")
        assert_served(api, link, "to the first call")
        link.send(*[Frame(TEXT, list_message(api))] * 3)
        for number in (1, 2, 3):
            assert_success(next_envelope(api, link, f"to call {number} of three that were sent together"))
        assert_no_frames(unsolicited_frames(link, QUIET_SECONDS), "message after all responses")


@clause("BITVIS-AMB-37")
def test_calls_sent_together_are_answered_in_order_or_not(api: Api, readings: ObservedReadings) -> None:
    """Two OPEN calls written at once receive both devices, in the order of the calls or in the other one."""
    identifiers = two_devices(api)
    with open_link(api, DEVICE) as link:
        link.send(*(open_frame(api, identifier) for identifier in identifiers))
        opened_ids = [
            assert_success(next_envelope(api, link, "to each of two calls", DEVICE, "OPEN"))["id"] for _ in identifiers
        ]
    readings.one_of(
        "BITVIS-AMB-37", one_by_one=opened_ids == identifiers, any_order=sorted(opened_ids) == sorted(identifiers)
    )


@clause("BITVIS-PROTO-15")
def test_connections_are_served_side_by_side(api: Api) -> None:
    """Four connections to three endpoints are open at once and served in both directions."""
    kinds = (QUEUE, DEVICE, ADDRESS, QUEUE)
    with ExitStack() as stack:
        links = [stack.enter_context(open_link(api, kinds[0]))]
        links += [stack.enter_context(reopen_link(api, "while others are open", kind)) for kind in kinds[1:]]
        pairs = list(zip(links, kinds, strict=True))
        for link, kind in [*pairs, *reversed(pairs)]:
            assert_served(api, link, "while others are open", kind)


# ---------------------------------------------------------------------------------- what a connection survives


@clause("BITVIS-PROTO-16")
@pytest.mark.parametrize("disconnect", DISCONNECTIONS.values(), ids=DISCONNECTIONS)
def test_the_next_connection_is_served_however_one_ended(api: Api, disconnect: Callable[[RawWebsocket], None]) -> None:
    """Three times in a row a client disconnects in this way, and the next connection is served."""
    with open_link(api) as link:
        disconnect(link)
    for _ in range(3):
        with reopen_link(api, "after one has ended") as link:
            assert_served(api, link, "after another connection has ended")
            disconnect(link)


@clause("BITVIS-PROTO-17")
def test_a_silent_connection_is_still_served(api: Api) -> None:
    """A call is answered after a second of silence on its connection."""
    with open_link(api) as link:
        assert_served(api, link, "to the first call")
        assert_no_frames(unsolicited_frames(link, SILENCE_SECONDS), "unsolicited message")
        assert_served(api, link, f"after {SILENCE_SECONDS} s of silence")


@clause("BITVIS-WS-10")
@pytest.mark.parametrize("text", INVALID_CALLS.values(), ids=INVALID_CALLS)
def test_a_refusal_leaves_the_connection_usable(api: Api, text: bytes) -> None:
    """A message that is no permitted call fails three times in a row; then a valid call succeeds."""
    with open_link(api) as link:
        for _ in range(3):
            link.send_text(text)
            assert_failure(next_envelope(api, link, "that refuses the message"), "the message is no permitted call")
        assert_served(api, link, "after refusals")


@clause("BITVIS-PROTO-18")
@pytest.mark.parametrize("member", ["parameters", "data", "objectid"])
def test_deep_nesting_is_survived(api: Api, member: str) -> None:
    """A call with deeply nested lists receives a response, and the next call succeeds."""
    nested = "[" * NESTING_DEPTH + "]" * NESTING_DEPTH
    with open_link(api) as link:
        link.send_text(list_message(api, **{member: "|"}).replace(b'"|"', nested.encode()))
        next_envelope(api, link, f"to {NESTING_DEPTH} nested lists")
        assert_served(api, link, "after a deeply nested call")


@clause("BITVIS-AMB-42")
def test_a_member_named_twice_is_read_once_or_refused(api: Api, readings: ObservedReadings) -> None:
    """Of two object ids in one call the first or the last one is opened, or the call is refused."""
    first, last = two_devices(api)
    text = list_message(api, objectid=first).replace(b'"LIST"', b'"OPEN"')[:-1] + f', "objectid": "{last}"}}'.encode()
    with open_link(api, DEVICE) as link:
        link.send_text(text)
        envelope = next_envelope(api, link, "to a call that names its object twice", DEVICE, "OPEN")
    opened_id = envelope["data"].get("id") if envelope["success"] else None
    readings.one_of(
        "BITVIS-AMB-42", last=opened_id == last, first=opened_id == first, refused=envelope["success"] is False
    )
