"""The transport that the document names: what RFC 6455 promises of handshakes, frames and closings.

Rule: each test has a connection of its own and drops it, and every wait ends. In process there are no frames, so these
tests need a target on sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from fixtures.api import Api, Lacking
from fixtures.transports.link import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Link
from suites.bitvis.dialect import KINDS, Kind, succeeds, without_errorid
from suites.bitvis.wire import (
    a_call,
    a_refused_call,
    another,
    answered,
    ending,
    following,
    gone,
    handshake,
    none_of,
    opened,
    pong,
    refused_by_ending,
    serves,
    told,
    whole,
)
from suites.readings import Observed

pytestmark = pytest.mark.sockets
clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)

LARGE = 4_000_000  # bytes
UNSENDABLE = (1004, 1005, 1006, 1015)  # RFC 6455, 7.4.1
ASIDE = "\xf6".encode()  # two bytes

Pieces = Callable[[bytes], list[bytes]]
IN_PIECES: dict[str, Pieces] = {
    "two": lambda call: [call[:9], call[9:]],
    "three_one_empty": lambda call: [call[:9], b"", call[9:]],
    "a_byte_each": lambda call: [call[at : at + 1] for at in range(len(call))],
    "cut_within_a_character": lambda call: [call[: call.index(ASIDE) + 1], call[call.index(ASIDE) + 1 :]],
}
BROKEN_FRAMES = {
    "not_masked": [Frame(TEXT, b"{}", masked=False)],
    "reserved_bit": [Frame(TEXT, b"{}", rsv=4)],
    "unknown_opcode": [Frame(0x3, b"{}")],
    "continuation_of_nothing": [Frame(CONTINUATION, b"{}")],
    "message_within_a_message": [Frame(TEXT, b"{", fin=False), Frame(TEXT, b"{}")],
    "ping_in_fragments": [Frame(PING, b"a", fin=False)],
    "ping_of_126_bytes": [Frame(PING, b"a" * 126)],
    "close_of_one_byte": [Frame(CLOSE, b"a")],
}
NO_UTF_8 = {
    "lone_byte": b"\xff",
    "latin_1": "\xf6".encode("latin-1"),
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "cut_off": ASIDE[:1],
}


def each(cases: Mapping[str, object]) -> pytest.MarkDecorator:
    """The test once for each of these, by name."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


@pytest.fixture
def link(api: Api) -> Iterator[Link]:
    """A connection to the queues, dropped when the test is over."""
    with opened(api) as one:
        yield one


# ------------------------------------------------------------------------------------------------ what comes


@clause("BITVIS-PROTO-1")
def test_a_handshake_is_accepted_as_its_key_calls_for(api: Api) -> None:
    """The accept value is right, and neither extension nor subprotocol is granted, as none was asked for."""
    accept, answer = handshake(api)
    if answer.status != 101:
        raise Lacking(f"{api.target.url} takes no bare frames: the handshake was answered with {answer.status}")
    assert answer.getheader("Sec-WebSocket-Accept") == accept, "the accept value does not follow from the key"
    for name in ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
        assert answer.getheader(name) is None, f"expected no {name}, got {answer.getheader(name)!r}"


@clause("BITVIS-PROTO-2")
def test_no_frame_of_the_server_is_masked(api: Api, link: Link) -> None:
    """Neither an answer nor a pong nor a close frame is."""
    link.send(Frame(TEXT, a_call(api)), Frame(PING, b"flowproof"), Frame(CLOSE, (1000).to_bytes(2, "big")))
    found, _ = ending(link)
    assert found, f"expected an answer, a pong and a close frame, got {gone(link)}"
    none_of((frame for frame in found if frame.masked), "masked frame")


@clause("BITVIS-PROTO-3")
@each_kind
def test_an_answer_is_one_whole_message(api: Api, kind: Kind) -> None:
    """Its first frame is text or binary, the others continue it, and no reserved bit is set."""
    with opened(api, kind) as link:
        link.send_text(a_call(api))
        first, *rest = whole(link, "to LIST")
        assert first.opcode in (TEXT, BINARY), f"expected a text or binary frame, got {told(first)}"
        none_of((frame for frame in rest if frame.opcode != CONTINUATION), "frame but continuations after the first")
        none_of((frame for frame in (first, *rest) if frame.rsv), "frame with reserved bits")


@clause("BITVIS-PROTO-4")
@each_kind
def test_text_frames_are_utf_8(api: Api, kind: Kind) -> None:
    """The answer to LIST as a whole is, when it comes as text."""
    with opened(api, kind) as link:
        link.send_text(a_call(api))
        found = whole(link, "to LIST")
        try:
            b"".join(frame.payload for frame in found if found[0].opcode == TEXT).decode()
        except UnicodeDecodeError as error:
            raise AssertionError(f"expected UTF-8, got the bytes {error.object[error.start :][:4]!r}") from None


@clause("BITVIS-AMB-44")
def test_answers_come_in_text_or_binary_frames(api: Api, link: Link, readings: Observed) -> None:
    """The first frame of an answer says which."""
    link.send_text(a_call(api))
    opcode = whole(link, "to LIST")[0].opcode
    readings.one_of("BITVIS-AMB-44", text=opcode == TEXT, binary=opcode == BINARY)


# ------------------------------------------------------------------------------------------------ what is sent


@clause("BITVIS-PROTO-5")
@each(IN_PIECES)
def test_a_call_in_fragments_is_answered_like_a_whole_one(api: Api, link: Link, case: Pieces) -> None:
    """The same call in one frame and in several has the same answer, a success or a refusal."""
    for call in (a_call(api, namespace=""), a_refused_call(api)):
        if ASIDE not in call and case is IN_PIECES["cut_within_a_character"]:
            continue
        link.send_text(call)
        expected = answered(api, link, "to a call in one frame")
        link.send_fragments(case(call))
        assert without_errorid(answered(api, link, "to the same call in fragments")) == without_errorid(expected)


@clause("BITVIS-AMB-43")
def test_a_call_in_a_binary_frame_is_taken_or_refused(api: Api, link: Link, readings: Observed) -> None:
    """It is answered as if it were text, or refused by an answer or by ending the connection."""
    link.send_binary(a_call(api))
    exchange = link.answer()
    closed = "close code 1003" in (exchange.answer.error or "")
    taken = None if closed else answered(api, link, "to a call in a binary frame", exchange=exchange)["success"]
    readings.one_of("BITVIS-AMB-43", closed=closed, taken=taken is True, refused=taken is False)


@clause("BITVIS-PROTO-10")
@each(NO_UTF_8)
def test_text_that_is_not_utf_8_ends_the_connection(api: Api, link: Link, case: bytes) -> None:
    """A call that would succeed, but for bytes that are no UTF-8, is not answered."""
    link.send_text(a_call(api, namespace="|").replace(b"|", case))
    codes = refused_by_ending(link, "to text that is not UTF-8")
    assert set(codes) <= {1007}, f"expected the code 1007 (RFC 6455, 7.4.1), got {codes}"


@clause("BITVIS-PROTO-11")
@each(BROKEN_FRAMES)
def test_a_broken_frame_ends_the_connection(link: Link, case: list[Frame]) -> None:
    """It is not answered, and neither is what may come after it."""
    link.send(*case)
    refused_by_ending(link, "to a frame that breaks the protocol")


@clause("BITVIS-PROTO-12", "BITVIS-AMB-45")
def test_a_large_message_is_answered_or_told_too_large(api: Api, link: Link, readings: Observed) -> None:
    """A call of four million bytes has an answer or the close code 1009; then another connection is served."""
    link.send_text(a_call(api) + b" " * LARGE)
    if link.ended:
        raise Lacking("the connection was reset while a large message was sent, so what was said to it is lost")
    frame = following(link, "an answer or the close code 1009")
    closed = frame.opcode == CLOSE
    assert not closed or frame.code == 1009, f"expected the close code 1009, got {told(frame)}"
    readings.one_of("BITVIS-AMB-45", closed=closed, answered=not closed)
    with another(api, "after a large message") as next_link:
        serves(api, next_link, "after a large message")


# ------------------------------------------------------------------------------------------------ control frames


@clause("BITVIS-PROTO-6")
@each({"empty": b"", "text": b"flowproof", "125_bytes": bytes(range(125))})
def test_a_ping_is_answered_by_its_pong(link: Link, case: bytes) -> None:
    """The pong has the ping's payload."""
    link.ping(case)
    pong(link, case, "to a ping")


@clause("BITVIS-PROTO-7")
def test_a_ping_may_come_between_the_frames_of_a_call(api: Api, link: Link) -> None:
    """Ping and call are both answered."""
    call = a_call(api)
    link.send(Frame(TEXT, call[:9], fin=False), Frame(PING, b"within"))
    pong(link, b"within", "to a ping within a call")
    link.send(Frame(CONTINUATION, call[9:]))
    succeeds(answered(api, link, "to a call that had a ping within it"))


@clause("BITVIS-PROTO-7")
def test_a_ping_behind_a_call_is_answered(api: Api, link: Link) -> None:
    """Ping and call are both answered when they are sent together, whichever first."""
    link.send(Frame(TEXT, a_call(api)), Frame(PING, b"behind"))
    has_pong = has_answer = False
    while not (has_pong and has_answer):
        frame = link.recv()
        lacks = "an answer" if has_pong else "a pong"
        assert frame is not None, f"expected {lacks} to a call and a ping sent together, got {gone(link)}"
        assert frame.opcode != CLOSE, f"expected {lacks} to a call and a ping sent together, got {told(frame)}"
        has_pong |= frame.opcode == PONG and frame.payload == b"behind"
        has_answer |= frame.opcode in (TEXT, BINARY, CONTINUATION) and frame.fin


CODES = {"1000": 1000, "1001": 1001, "3000": 3000, "4999": 4999, "none": None}


@clause("BITVIS-PROTO-8")
@each(CODES)
def test_a_close_frame_is_answered_and_the_connection_ends(link: Link, case: int | None) -> None:
    """A close frame comes back, with that code or another one, and then the end."""
    link.close(case)
    found, ended = ending(link)
    assert [frame.opcode for frame in found][-1:] == [CLOSE], f"expected a close frame, got {gone(link)}"
    assert ended, "expected the end of the connection after the close frames, got none"


@clause("BITVIS-PROTO-9")
@each({"close": [Frame(CLOSE, b"\x03\xe8")], "empty_close": [Frame(CLOSE)], **BROKEN_FRAMES})
def test_close_codes_may_be_sent(link: Link, case: list[Frame]) -> None:
    """However a connection is ended, the code that is sent is one that a frame may carry."""
    link.send(*case)
    for frame in ending(link)[0]:
        if frame.opcode == CLOSE and frame.payload:
            code = frame.code or 0
            is_defined = (1000 <= code < 1015 and code not in UNSENDABLE) or 3000 <= code < 5000
            assert is_defined, f"expected a close code that may be sent (RFC 6455, 7.4), got {told(frame)}"
