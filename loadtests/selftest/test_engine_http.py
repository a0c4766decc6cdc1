"""HTTP/1.1 connections: when the engine opens, keeps and leaves them, time limits, and judges."""

from __future__ import annotations

import threading
from socket import AF_INET, SOCK_STREAM

import pytest

from loadtests.engine import loop as looping
from loadtests.engine.call import Answer, Journey, Request
from loadtests.selftest.peers import OK, PATIENCE, SHORT, Client, Peer, Talk, always, client, one, peer


def test_times_come_in_order_and_are_recorded() -> None:
    with peer(always(OK, False)) as server, client() as ours:
        ours.ask(ours.request(server.url()), ours.request(server.url()))
    assert len(ours.slot.times) == 2
    for intended, sent, first, done, size in ours.slot.times:
        assert intended <= sent <= first <= done
        assert size == 2
    assert ours.slot.failures == []


def test_connecting_is_not_part_of_the_time_from_the_send() -> None:
    with peer(always(OK, False)) as server, client() as ours:
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
    with peer(always(OK, False)) as server:
        pass
    with client() as ours:
        answers = ours.ask(*[ours.request(server.url()) for _ in range(3)])
    assert [each.error for each in answers] == ["connect: connection refused"] * 3


def test_an_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr(looping, "getaddrinfo", nowhere)
    with client() as ours:
        answers = ours.ask(*[ours.request("http://no-such-host.invalid:1/")] * 2)
    assert [each.error for each in answers] == ["connect: unknown host"] * 2


def test_the_next_address_of_a_host_is_tried_if_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with peer(always(OK)) as refusing:
        pass
    with peer(always(OK)) as server, client() as ours:
        found = [(AF_INET, SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (refusing.port, server.port)]
        monkeypatch.setattr(looping, "getaddrinfo", lambda *_: found)
        assert ours.ask(ours.request("http://two.addresses.invalid/"))[0].body == b"ok"


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
    over = threading.Event()

    def script(talk: Talk) -> None:
        """Reads no more than the head, so that the rest cannot have been sent when the answer comes."""
        talk.head()
        talk.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        over.wait(PATIENCE)

    with peer(script) as server, client() as ours:
        size = 64 << 20
        payload = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
        answers = ours.ask(*[ours.request(server.url(), payload)] * 2)
        over.set()
    assert [each.status for each in answers] == [413, 413]
    assert server.connections == 2


def test_without_a_judge_400_and_more_fails_and_the_journey_sees_the_answer() -> None:
    with peer(always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server, client() as ours:
        answer = ours.ask(ours.request(server.url()))[0]
    assert (answer.status, answer.body, answer.error) == (404, b"no", "status 404")
    assert [each.reason for each in ours.slot.failures] == ["status 404"]


def test_a_judge_decides_and_may_leave_what_it_read() -> None:
    def judge(_: Request, answer: Answer) -> str | None:
        answer.value = answer.body.decode()
        return None if answer.status == 404 else "BITVIS-RESP-1"

    with peer(always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", False)) as server, client() as ours:
        answer = ours.ask(ours.request(server.url(), judge=judge))[0]
    assert (answer.error, answer.value) == (None, "no")
    assert len(ours.slot.times) == 1


def test_a_judge_that_raises_is_named_and_counted() -> None:
    def judge(_: Request, answer: Answer) -> str | None:
        raise KeyError(answer.body)

    with peer(always(OK, False)) as server, client() as ours:
        assert ours.ask(ours.request(server.url(), judge=judge))[0].error == "judge broke: KeyError"
