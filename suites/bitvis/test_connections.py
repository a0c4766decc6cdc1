"""Connections beside and after each other: whom an answer is for, and what a connection survives.

Rule: as in `test_protocol`. Frames carry nothing that pairs calls and answers, so order and number of the messages of
one connection are all that a client has.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from fixtures.api import Api, Lacking
from fixtures.transports.link import TEXT, Frame, Link
from suites.bitvis.dialect import ADDRESS, DEVICE, QUEUE, everything, fails, ids, succeeds
from suites.bitvis.frames import message
from suites.bitvis.wire import a_call, another, answered, none_of, opened, serves, unasked
from suites.readings import Observed

pytestmark = pytest.mark.sockets
clause = pytest.mark.clause

QUIET = 0.2  # seconds in which nothing must come
SILENCE = 1.0  # seconds after which a connection must still be served
DEEP = 10_000  # levels
LEAVING: dict[str, Callable[[Link], None]] = {
    "with_a_close_frame": lambda link: link.close(1000),
    "without_a_word": lambda _: None,
    "within_a_frame": lambda link: link.send_bytes(Frame(TEXT, b"x" * 99).encoded()[:50]),
    "within_a_message": lambda link: link.send(Frame(TEXT, b'{"method":', fin=False)),
    "before_the_answer": lambda link: link.send_text(b"{}"),
    "after_a_broken_frame": lambda link: link.send(Frame(TEXT, b"{}", rsv=4)),
}
NO_CALLS = {
    "no_json": b"LIST",
    "a_list": b"[]",
    "no_method": b'{"token": "x"}',
    "no_token": b'{"method": "LIST"}',
    "wrong_token": b'{"method": "LIST", "token": "x"}',
    "empty": b"",
}


def two_devices(api: Api) -> list[str]:
    """The ids of two devices. Raises Lacking when the target has fewer."""
    found = ids(everything(api, DEVICE))[:2]
    if len(found) < 2:
        raise Lacking("the target has no two devices to tell apart")
    return [str(one) for one in found]


def opening(api: Api, identifier: str) -> Frame:
    """A call that opens that device."""
    return Frame(TEXT, json.dumps(message(api, "OPEN", identifier)).encode())


# ------------------------------------------------------------------------------------------------ whom it is for


@clause("BITVIS-PROTO-13")
def test_an_answer_goes_where_its_call_came_from(api: Api) -> None:
    """Two connections that call in turn and at once each get the devices that they opened."""
    wanted = two_devices(api)
    with opened(api, DEVICE) as first, another(api, "beside another one", DEVICE) as second:
        for _ in range(3):
            for link, identifier in zip((first, second), wanted, strict=True):
                link.send(opening(api, identifier))
            for link, identifier in zip((first, second), wanted, strict=True):
                opened_one = succeeds(answered(api, link, "to OPEN", DEVICE, "OPEN"))
                assert opened_one["id"] == identifier, f"expected the device {identifier}, got {opened_one['id']}"


@clause("BITVIS-PROTO-14")
def test_each_call_has_one_answer_and_nothing_else_comes(api: Api) -> None:
    """A silent connection gets no message, and calls get as many as they are, together or one by one."""
    with opened(api) as link:
        none_of(unasked(link, QUIET), "message before any call")
        serves(api, link, "to the first call")
        link.send(*[Frame(TEXT, a_call(api))] * 3)
        for number in (1, 2, 3):
            succeeds(answered(api, link, f"to call {number} of three that were sent together"))
        none_of(unasked(link, QUIET), "message after all answers")


@clause("BITVIS-AMB-37")
def test_calls_sent_together_are_answered_in_order_or_not(api: Api, readings: Observed) -> None:
    """Two devices opened by one write come in the order of the calls, or in the other one."""
    wanted = two_devices(api)
    with opened(api, DEVICE) as link:
        link.send(*(opening(api, one) for one in wanted))
        got = [succeeds(answered(api, link, "to each of two calls", DEVICE, "OPEN"))["id"] for _ in wanted]
    readings.one_of("BITVIS-AMB-37", one_by_one=got == wanted, any_order=sorted(got) == sorted(wanted))


@clause("BITVIS-PROTO-15")
def test_connections_are_served_side_by_side(api: Api) -> None:
    """Four of them, to three endpoints, all open at once and called in both directions."""
    kinds = (QUEUE, DEVICE, ADDRESS, QUEUE)
    with ExitStack() as stack:
        links = [stack.enter_context(opened(api, kinds[0]))]
        links += [stack.enter_context(another(api, "beside others", kind)) for kind in kinds[1:]]
        pairs = list(zip(links, kinds, strict=True))
        for link, kind in [*pairs, *reversed(pairs)]:
            serves(api, link, "beside others", kind)


# ------------------------------------------------------------------------------------------------ what it survives


@clause("BITVIS-PROTO-16")
@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
def test_the_next_connection_is_served_however_one_ended(api: Api, leave: Callable[[Link], None]) -> None:
    """Three times in a row a client leaves that way, and the next one is served."""
    with opened(api) as link:
        leave(link)
    for _ in range(3):
        with another(api, "after one has ended") as link:
            serves(api, link, "after another connection has ended")
            leave(link)


@clause("BITVIS-PROTO-17")
def test_a_silent_connection_is_still_served(api: Api) -> None:
    """A call is answered, and so is the next one after a second without any."""
    with opened(api) as link:
        serves(api, link, "to the first call")
        none_of(unasked(link, SILENCE), "message that nobody asked for")
        serves(api, link, f"after {SILENCE} s of silence")


@clause("BITVIS-WS-1")
@pytest.mark.parametrize("text", NO_CALLS.values(), ids=NO_CALLS)
def test_a_refusal_leaves_the_connection_usable(api: Api, text: bytes) -> None:
    """What is no call, or not permitted, fails three times in a row; then a call succeeds."""
    with opened(api) as link:
        for _ in range(3):
            link.send_text(text)
            fails(answered(api, link, "that refuses"), "it is no call that is permitted")
        serves(api, link, "after refusals")


@clause("BITVIS-PROTO-18")
@pytest.mark.parametrize("member", ["parameters", "data", "objectid"])
def test_deep_nesting_is_survived(api: Api, member: str) -> None:
    """Lists within lists within lists are refused or passed over; then a call succeeds."""
    nested = "[" * DEEP + "]" * DEEP
    with opened(api) as link:
        link.send_text(a_call(api, **{member: "|"}).replace(b'"|"', nested.encode()))
        answered(api, link, f"to {DEEP} lists within each other")
        serves(api, link, "after a call that is nested deeply")


@clause("BITVIS-AMB-42")
def test_a_member_named_twice_is_read_once_or_refused(api: Api, readings: Observed) -> None:
    """Of two object ids the first or the last one is opened, or neither."""
    first, last = two_devices(api)
    text = a_call(api, objectid=first).replace(b'"LIST"', b'"OPEN"')[:-1] + f', "objectid": "{last}"}}'.encode()
    with opened(api, DEVICE) as link:
        link.send_text(text)
        answer = answered(api, link, "to a call that names its object twice", DEVICE, "OPEN")
    got = answer["data"].get("id") if answer["success"] else None
    readings.one_of("BITVIS-AMB-42", last=got == last, first=got == first, refused=answer["success"] is False)
