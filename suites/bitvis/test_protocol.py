"""The transport that the document names: what RFC 6455 requires of handshakes, frames and closing.

Rule: each test has a connection of its own and drops it, and every wait is bounded. There are no frames in process, so
these tests need a target on sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, RawWebsocket
from suites.bitvis.client import KINDS, ObjectKind, assert_success, without_errorid
from suites.bitvis.raw_frames import (
    assert_no_frames,
    assert_pong,
    assert_served,
    close_codes_of_refusal,
    frame_text,
    frames_until_end,
    handshake,
    list_message,
    message_frames,
    missing_frame_reason,
    next_envelope,
    next_frame,
    open_link,
    refused_message,
    reopen_link,
)
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.sockets
clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)

LARGE_MESSAGE_BYTES = 4_000_000  # bytes
FORBIDDEN_CLOSE_CODES = (1004, 1005, 1006, 1015)  # RFC 6455, 7.4.1
NON_ASCII = "\xf6".encode()  # two bytes

Fragmentation = Callable[[bytes], list[bytes]]
FRAGMENTATIONS: dict[str, Fragmentation] = {
    "two": lambda call: [call[:9], call[9:]],
    "three_one_empty": lambda call: [call[:9], b"", call[9:]],
    "a_byte_each": lambda call: [call[index : index + 1] for index in range(len(call))],
    "cut_within_a_character": lambda call: [call[: call.index(NON_ASCII) + 1], call[call.index(NON_ASCII) + 1 :]],
}
INVALID_FRAMES = {
    "not_masked": [Frame(TEXT, b"{}", masked=False)],
    "reserved_bit": [Frame(TEXT, b"{}", rsv=4)],
    "unknown_opcode": [Frame(0x3, b"{}")],
    "continuation_of_nothing": [Frame(CONTINUATION, b"{}")],
    "message_within_a_message": [Frame(TEXT, b"{", fin=False), Frame(TEXT, b"{}")],
    "ping_in_fragments": [Frame(PING, b"a", fin=False)],
    "ping_of_126_bytes": [Frame(PING, b"a" * 126)],
    "close_of_one_byte": [Frame(CLOSE, b"a")],
}
INVALID_UTF_8 = {
    "lone_byte": b"\xff",
    "latin_1": "\xf6".encode("latin-1"),
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "cut_off": NON_ASCII[:1],
}


def each_case(cases: Mapping[str, object]) -> pytest.MarkDecorator:
    """Parametrizes the test with these cases, by name."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


@pytest.fixture
def link(api: Api) -> Iterator[RawWebsocket]:
    """A connection to the queue endpoint, dropped when the test is over."""
    with open_link(api) as opened:
        yield opened


# ------------------------------------------------------------------------------- frames that the server sends


@clause("BITVIS-PROTO-1")
def test_the_accept_value_follows_from_the_handshake_key(api: Api) -> None:
    """The accept value follows from the key, and no extension or subprotocol is granted that was not offered."""
    expected_accept, response = handshake(api)
    if response.status != 101:
        raise MissingPrecondition(
            f"{api.target.url} takes no bare frames: the handshake has the status {response.status}"
        )
    assert response.header("Sec-WebSocket-Accept") == expected_accept, "the accept value does not follow from the key"
    for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
        assert response.header(name) is None, f"expected no {name}, got {response.header(name)!r}"


@clause("BITVIS-PROTO-2")
def test_no_frame_of_the_server_is_masked(api: Api, link: RawWebsocket) -> None:
    """Neither a response nor a pong nor a close frame is masked."""
    link.send(Frame(TEXT, list_message(api)), Frame(PING, b"flowproof"), Frame(CLOSE, (1000).to_bytes(2, "big")))
    frames, _ = frames_until_end(link)
    assert frames, f"expected a response, a pong and a close frame, got {missing_frame_reason(link)}"
    assert_no_frames((frame for frame in frames if frame.masked), "masked frame")


@clause("BITVIS-PROTO-3")
@each_kind
def test_a_response_is_one_complete_message(api: Api, kind: ObjectKind) -> None:
    """The first frame of a response is text or binary, the others continue it, and no reserved bit is set."""
    with open_link(api, kind) as link:
        link.send_text(list_message(api))
        first, *continuations = message_frames(link, "to LIST")
        assert first.opcode in (TEXT, BINARY), f"expected a text or binary frame, got {frame_text(first)}"
        assert_no_frames(
            (frame for frame in continuations if frame.opcode != CONTINUATION),
            "frame other than continuations after the first",
        )
        assert_no_frames((frame for frame in (first, *continuations) if frame.rsv), "frame with reserved bits")


@clause("BITVIS-PROTO-4")
@each_kind
def test_text_frames_are_utf_8(api: Api, kind: ObjectKind) -> None:
    """The response to LIST as a whole is valid UTF-8 when it comes as text."""
    with open_link(api, kind) as link:
        link.send_text(list_message(api))
        frames = message_frames(link, "to LIST")
        if frames[0].opcode != TEXT:
            raise MissingPrecondition("the target responds in binary frames")
        try:
            b"".join(frame.payload for frame in frames).decode()
        except UnicodeDecodeError as error:
            raise AssertionError(f"expected UTF-8, got the bytes {error.object[error.start :][:4]!r}") from None


@clause("BITVIS-AMB-44")
def test_responses_come_in_text_or_binary_frames(api: Api, link: RawWebsocket, readings: ObservedReadings) -> None:
    """The first frame of a response is a text frame or a binary frame."""
    link.send_text(list_message(api))
    opcode = message_frames(link, "to LIST")[0].opcode
    readings.one_of("BITVIS-AMB-44", text=opcode == TEXT, binary=opcode == BINARY)


# ------------------------------------------------------------------------------- messages that the client sends


@clause("BITVIS-PROTO-5")
@each_case(FRAGMENTATIONS)
def test_a_fragmented_call_has_the_same_response(api: Api, link: RawWebsocket, case: Fragmentation) -> None:
    """A call in several fragments has the same response as in one frame, be it a success or a refusal."""
    for message in (list_message(api, namespace=""), refused_message(api)):
        if NON_ASCII not in message and case is FRAGMENTATIONS["cut_within_a_character"]:
            continue
        link.send_text(message)
        expected = next_envelope(api, link, "to a call in one frame")
        link.send_fragments(case(message))
        assert without_errorid(next_envelope(api, link, "to the same call in fragments")) == without_errorid(expected)


@clause("BITVIS-AMB-43")
def test_a_call_in_a_binary_frame_is_served_or_refused(
    api: Api, link: RawWebsocket, readings: ObservedReadings
) -> None:
    """A call in a binary frame succeeds, is refused by a response, or closes the connection with code 1003."""
    link.send_binary(list_message(api))
    exchange = link.receive_exchange()
    closed = "close code 1003" in (exchange.response.error or "")
    success = None if closed else next_envelope(api, link, "to a call in a binary frame", exchange=exchange)["success"]
    readings.one_of("BITVIS-AMB-43", closed=closed, taken=success is True, refused=success is False)


@clause("BITVIS-PROTO-10")
@each_case(INVALID_UTF_8)
def test_text_that_is_not_utf_8_ends_the_connection(api: Api, link: RawWebsocket, case: bytes) -> None:
    """A text message that is not valid UTF-8 receives no response; the connection ends."""
    link.send_text(list_message(api, namespace="|").replace(b"|", case))
    codes = close_codes_of_refusal(link, "to text that is not UTF-8")
    assert set(codes) <= {1007}, f"expected the code 1007 (RFC 6455, 7.4.1), got {codes}"


@clause("BITVIS-PROTO-11")
@each_case(INVALID_FRAMES)
def test_an_invalid_frame_ends_the_connection(link: RawWebsocket, case: list[Frame]) -> None:
    """An invalid frame receives no response, and the connection ends."""
    link.send(*case)
    close_codes_of_refusal(link, "to a frame that breaks the protocol")


@clause("BITVIS-PROTO-12", "BITVIS-AMB-45")
def test_a_large_message_is_served_or_closed_with_1009(
    api: Api, link: RawWebsocket, readings: ObservedReadings
) -> None:
    """A call of four million bytes receives a response or the close code 1009; then another connection is served."""
    link.send_text(list_message(api) + b" " * LARGE_MESSAGE_BYTES)
    if link.closed:
        raise MissingPrecondition("the connection was reset while a large message was sent, so the response is lost")
    frame = next_frame(link, "a response or the close code 1009")
    closed = frame.opcode == CLOSE
    assert not closed or frame.close_code == 1009, f"expected the close code 1009, got {frame_text(frame)}"
    readings.observe("BITVIS-AMB-45", closed=closed, answered=not closed)
    with reopen_link(api, "after a large message") as next_link:
        assert_served(api, next_link, "after a large message")


# ------------------------------------------------------------------------------------------------ control frames


@clause("BITVIS-PROTO-6")
@each_case({"empty": b"", "text": b"flowproof", "125_bytes": bytes(range(125))})
def test_a_ping_is_answered_by_its_pong(link: RawWebsocket, case: bytes) -> None:
    """A pong carries the payload of its ping."""
    link.ping(case)
    assert_pong(link, case, "to a ping")


@clause("BITVIS-PROTO-7")
def test_a_ping_may_come_between_the_frames_of_a_call(api: Api, link: RawWebsocket) -> None:
    """A ping between the fragments of a call is answered, and so is the call."""
    message = list_message(api)
    link.send(Frame(TEXT, message[:9], fin=False), Frame(PING, b"within"))
    assert_pong(link, b"within", "to a ping within a call")
    link.send(Frame(CONTINUATION, message[9:]))
    assert_success(next_envelope(api, link, "to a call that had a ping within it"))


@clause("BITVIS-PROTO-7")
def test_a_ping_after_a_call_is_answered(api: Api, link: RawWebsocket) -> None:
    """A ping and a call that are sent together are both answered, in any order."""
    link.send(Frame(TEXT, list_message(api)), Frame(PING, b"behind"))
    has_pong = has_response = False
    while not (has_pong and has_response):
        frame = link.recv()
        missing = "a response" if has_pong else "a pong"
        assert frame is not None, (
            f"expected {missing} to a call and a ping sent together, got {missing_frame_reason(link)}"
        )
        assert frame.opcode != CLOSE, f"expected {missing} to a call and a ping sent together, got {frame_text(frame)}"
        has_pong |= frame.opcode == PONG and frame.payload == b"behind"
        has_response |= frame.opcode in (TEXT, BINARY, CONTINUATION) and frame.fin


CLOSE_CODES = {"1000": 1000, "1001": 1001, "3000": 3000, "4999": 4999, "none": None}


@clause("BITVIS-PROTO-8")
@each_case(CLOSE_CODES)
def test_a_close_frame_is_answered_and_the_connection_ends(link: RawWebsocket, case: int | None) -> None:
    """A close frame is answered by a close frame, with the same code or another one, and the connection ends."""
    link.close(case)
    frames, ended = frames_until_end(link)
    assert [frame.opcode for frame in frames][-1:] == [CLOSE], (
        f"expected a close frame, got {missing_frame_reason(link)}"
    )
    assert ended, "expected the end of the connection after the close frames, got none"


@clause("BITVIS-PROTO-9")
@each_case({"close": [Frame(CLOSE, b"\x03\xe8")], "empty_close": [Frame(CLOSE)], **INVALID_FRAMES})
def test_close_codes_are_allowed_in_frames(link: RawWebsocket, case: list[Frame]) -> None:
    """However the connection is closed, a close frame has a code that RFC 6455 allows in a frame, or none."""
    link.send(*case)
    close_frames = [frame for frame in frames_until_end(link)[0] if frame.opcode == CLOSE]
    if not close_frames:
        raise MissingPrecondition("the target ended the connection without a close frame")
    for frame in close_frames:
        code = frame.close_code or 0
        is_allowed = (1000 <= code < 1015 and code not in FORBIDDEN_CLOSE_CODES) or 3000 <= code < 5000
        is_allowed |= not frame.payload
        assert is_allowed, f"expected a close code that RFC 6455 allows (section 7.4), got {frame_text(frame)}"
