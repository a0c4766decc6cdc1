"""HTTP/1.1 as the engine speaks it: what it makes of answers, and when it keeps, closes and reopens connections."""

from __future__ import annotations

import threading

import h11
import pytest
import requests

from loadtests.engine import http1
from loadtests.engine.call import Answer, Journey, Request
from loadtests.selftest.peers import SHORT, Client, Peer, Talk, client, one, peer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

# Answers as on the wire, and whether the connection's end belongs to them.
SHAPES: dict[str, tuple[bytes, bool]] = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", False),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", False),
    "blanks around values": (b"HTTP/1.1 200 OK\r\nX:  \t a b \t\r\nY:\r\nContent-Length:1\r\n\r\n1", False),
    "bytes beyond ASCII": (b"HTTP/1.1 200 OK\r\nX: \xe5\xe4\r\nContent-Length: 2\r\n\r\n\xff\x00", False),
    "repeated headers": (b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", False),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", False),
    "chunk extension": (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a="b"\r\nx\r\n0;c\r\n\r\n', False),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: 1\r\n\r\n", False),
    "to the end": (b"HTTP/1.1 200 OK\r\n\r\nall that comes", True),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nold", True),
    "HTTP/1.0 that stays": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1", False),
    "close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1", True),
    "204": (b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", False),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n", False),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, False),
    "early hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK, False),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", False),
    "error": (b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nbusy", False),
}


def whole(answer: bytes, ends: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of an answer to a GET, read by h11."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(answer)
    if ends:
        reader.receive_data(b"")
    status, headers, body = 0, [], b""
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            assert isinstance(event, h11.InformationalResponse), f"h11 wants more than {answer!r}"
    return status, headers, body


def serve(answer: bytes, ends: bool, bytewise: bool = False):  # type: ignore[no-untyped-def] # a script
    """Give this answer to every request."""

    def script(talk: Talk) -> None:
        while talk.head():
            talk.send(*([answer[at : at + 1] for at in range(len(answer))] if bytewise else [answer]))
            if ends:
                return

    return script


@pytest.mark.parametrize("bytewise", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_reads_as_h11_and_requests_read_it(shape: str, bytewise: bool) -> None:
    answer, ends = SHAPES[shape]
    with peer(serve(answer, ends, bytewise)) as server, client() as ours:
        got = ours.ask(ours.request(server.url()), ours.request(server.url()))
        theirs = requests.get(server.url(), allow_redirects=False, timeout=10) if shape != "early hints" else None
    assert [(each.status, each.headers, each.body) for each in got] == [whole(answer, ends)] * 2
    if theirs is not None:  # requests takes 103 for the answer
        assert (theirs.status_code, theirs.content) == (got[0].status, got[0].body)


@pytest.mark.parametrize("shape", [name for name, (_, ends) in SHAPES.items() if not ends])
def test_a_connection_that_may_stay_is_used_again(shape: str) -> None:
    answer, ends = SHAPES[shape]
    with peer(serve(answer, ends)) as server, client() as ours:
        ours.ask(*[ours.request(server.url()) for _ in range(3)])
    assert (server.connections, len(ours.slot.connects)) == (1, 1)


@pytest.mark.parametrize("shape", [name for name, (_, ends) in SHAPES.items() if ends])
def test_a_connection_that_ends_is_opened_again(shape: str) -> None:
    answer, ends = SHAPES[shape]
    with peer(serve(answer, ends)) as server, client() as ours:
        answers = ours.ask(*[ours.request(server.url()) for _ in range(3)])
    assert [each.error for each in answers] == [None] * 3
    assert server.connections == 3


def test_the_answer_to_head_has_no_body() -> None:
    with peer(serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", False)) as server, client() as ours:
        head = ours.request(server.url(), b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", head=True)
        answers = ours.ask(head, head)
    assert [(each.status, each.body, each.error) for each in answers] == [(200, b"", None)] * 2
    assert server.connections == 1


def test_times_come_in_order_and_are_recorded() -> None:
    with peer(serve(OK, False)) as server, client() as ours:
        ours.ask(ours.request(server.url()), ours.request(server.url()))
    assert len(ours.slot.times) == 2
    for intended, sent, first, done, size in ours.slot.times:
        assert intended <= sent <= first <= done
        assert size == 2
    assert ours.slot.failures == []


def test_connecting_is_not_part_of_the_time_from_the_send() -> None:
    with peer(serve(OK, False)) as server, client() as ours:
        first, second = ours.ask(ours.request(server.url()), ours.request(server.url()))
    assert first.sent - first.intended >= ours.slot.connects[0]
    assert second.sent == second.intended


def test_an_idle_connection_that_the_server_closes_is_opened_again() -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.send(OK)
        if talk.number == 0:
            talk.sock.close()

    def journey(ours: Client, server: Peer, answers: list[Answer]) -> Journey:
        request = ours.request(server.url())
        answers.append(one((yield request)))
        yield from ours.until_closed(request)
        answers.append(one((yield request)))

    answers: list[Answer] = []
    with peer(script) as server, client() as ours:
        ours.play(journey(ours, server, answers))
    assert [each.error for each in answers] == [None, None]


@pytest.mark.parametrize(
    ("begun", "reason"),
    [(b"", "closed before answer"), (b"HTTP/1.1 2", "closed in answer"), (OK[:-1], "closed in answer")],
)
def test_a_request_that_may_have_arrived_is_never_sent_again(begun: bytes, reason: str) -> None:
    came: list[bytes] = []

    def script(talk: Talk) -> None:
        came.append(talk.head())
        talk.send(begun)

    with peer(script) as server, client() as ours:
        answers = ours.ask(ours.request(server.url()))
    assert [(each.status, each.error) for each in answers] == [(0, reason)]
    assert len(came) == 1
    assert [each.reason for each in ours.slot.failures] == [reason]


def test_a_reset_is_named() -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.reset()

    with peer(script) as server, client() as ours:
        assert ours.ask(ours.request(server.url()))[0].error == "connection reset"


def test_an_answer_that_does_not_come_times_out_and_its_connection_is_left() -> None:
    def script(talk: Talk) -> None:
        talk.head()
        if talk.number == 0:
            talk.read()  # until the client leaves
            talk.send(b"too late")
        else:
            talk.send(OK)

    with peer(script) as server, client() as ours:
        late, good = ours.ask(ours.request(server.url(), timeout_ns=SHORT), ours.request(server.url()))
    assert (late.error, good.error, good.body) == ("timeout", None, b"ok")
    assert late.done - late.intended >= SHORT


def test_a_short_time_limit_after_a_long_one_holds() -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.send(OK)
        talk.head()
        talk.read()

    with peer(script) as server, client() as ours:
        good, late = ours.ask(ours.request(server.url()), ours.request(server.url(), timeout_ns=SHORT))
    assert (good.error, late.error) == (None, "timeout")


def test_a_refused_connection_is_named_and_the_journey_goes_on() -> None:
    with peer(serve(OK, False)) as server:
        pass
    with client() as ours:
        answers = ours.ask(*[ours.request(server.url()) for _ in range(3)])
    assert [each.error for each in answers] == ["connect: connection refused"] * 3


def test_an_unknown_host_is_named() -> None:
    with client() as ours:
        assert ours.ask(ours.request("http://no-such-host.invalid:1/"))[0].error == "connect: unknown host"


@pytest.mark.parametrize("behind", [b"\r\n", b"x", OK, b"HTTP/1.1 200 OK\r\n"])
def test_bytes_behind_an_answer_fail_the_next_request_and_only_that(behind: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.send(OK + (behind if talk.number == 0 else b""))
        talk.read()

    with peer(script) as server, client() as ours:
        answers = ours.ask(*[ours.request(server.url()) for _ in range(3)])
    assert [each.error for each in answers] == [None, "unsolicited bytes", None]


def test_bytes_on_an_idle_connection_fail_the_next_request() -> None:
    go = threading.Event()

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(OK)
        if talk.number == 0:
            go.wait(10)
            talk.send(OK)
        talk.read()

    def journey(ours: Client, server: Peer, answers: list[Answer]) -> Journey:
        request = ours.request(server.url())
        answers.append(one((yield request)))
        go.set()
        yield from ours.until_closed(request)
        answers.append(one((yield request)))
        answers.append(one((yield request)))

    answers: list[Answer] = []
    with peer(script) as server, client() as ours:
        ours.play(journey(ours, server, answers))
    assert [each.error for each in answers] == [None, "unsolicited bytes", None]


MALFORMED: dict[str, tuple[bytes, str]] = {
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n", "not HTTP/1"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", "not HTTP/1"),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "malformed head"),
    "no colon": (b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "malformed head"),
    "folded": (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "malformed head"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "malformed head"),
    "length and chunks": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
        "malformed head",
    ),
    "chunks in HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer coding in HTTP/1.0",
    ),
    "no size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "malformed chunk"),
    "chunk too long": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "malformed chunk"),
    "trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", "malformed trailer"),
    "upgrade": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "unexpected 101"),
    "1xx for ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 17, "too many answers 1xx"),
    "head without end": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, "head too long"),
    "head too long": (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n", "head too long"),
    "body too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "body too long"),
    "chunks too long": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "body too long"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_an_error_and_the_next_request_a_new_connection(case: str) -> None:
    answer, reason = MALFORMED[case]

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(answer if talk.number == 0 else OK)
        talk.read()

    with peer(script) as server, client() as ours:
        bad, good = ours.ask(ours.request(server.url()), ours.request(server.url()))
    assert (bad.status, bad.error) == (0, f"malformed answer: {reason}")
    assert (good.error, server.connections) == (None, 2)


def test_an_endless_body_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "MAX_BODY", 100_000)

    def script(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 50_000] * 3)
        talk.read()

    with peer(script) as server, client() as ours:
        assert ours.ask(ours.request(server.url()))[0].error == "malformed answer: body too long"


def test_a_body_of_megabytes_goes_both_ways() -> None:
    size = 8 << 20

    def script(talk: Talk) -> None:
        talk.head()
        body = talk.exactly(size)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body[::-1])

    body = bytes(range(256)) * (size // 256)
    with peer(script) as server, client() as ours:
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + body
        answer = ours.ask(ours.request(server.url(), payload))[0]
    assert answer.error is None
    assert answer.body == body[::-1]


def test_an_answer_before_the_whole_request_counts_and_ends_the_connection() -> None:
    def script(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        while talk.read():
            pass

    with peer(script) as server, client() as ours:
        size = 64 << 20
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
        answers = ours.ask(*[ours.request(server.url(), payload)] * 2)
    assert [each.status for each in answers] == [413, 413]
    assert server.connections == 2


def test_without_a_judge_400_and_more_fails_and_the_journey_sees_the_answer() -> None:
    with peer(serve(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server, client() as ours:
        answer = ours.ask(ours.request(server.url()))[0]
    assert (answer.status, answer.body, answer.error) == (404, b"no", "status 404")
    assert [each.reason for each in ours.slot.failures] == ["status 404"]


def test_a_judge_decides_and_may_leave_what_it_read() -> None:
    def judge(_: Request, answer: Answer) -> str | None:
        answer.value = answer.body.decode()
        return None if answer.status == 404 else "BITVIS-RESP-1"

    with peer(serve(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server, client() as ours:
        answer = ours.ask(ours.request(server.url(), judge=judge))[0]
    assert (answer.error, answer.value) == (None, "no")
    assert len(ours.slot.times) == 1


def test_a_judge_that_raises_is_named_and_counted() -> None:
    def judge(_: Request, answer: Answer) -> str | None:
        raise KeyError(answer.body)

    with peer(serve(OK, False)) as server, client() as ours:
        assert ours.ask(ours.request(server.url(), judge=judge))[0].error == "judge broke: KeyError"
