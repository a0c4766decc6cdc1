"""Journeys as a session plays them: requests, pauses, several at once, their end, and being stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from loadtests.engine.call import SECOND, Address, Answer, Journey, Request
from loadtests.engine.loop import Loop
from loadtests.engine.recorder import UNANSWERED, Slot
from loadtests.engine.session import KINDS, Session
from loadtests.selftest.peers import SHORT, Client, Peer, Talk, client, one, peer


def echo(talk: Talk) -> None:
    """Answer each request with its target; /hold is never answered."""
    while head := talk.head():
        target = head.split(b" ")[1]
        if target == b"/hold":
            talk.read()
            return
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))


@pytest.fixture
def server() -> Iterator[Peer]:
    with peer(echo) as made:
        yield made


@pytest.fixture
def ours(server: Peer) -> Iterator[Client]:  # noqa: ARG001 # the client closes before the server
    with client() as made:
        yield made


def test_each_answer_is_that_of_its_request(ours: Client, server: Peer) -> None:
    answers = ours.ask(*[ours.request(server.url(path=f"/{number}")) for number in range(50)])
    assert [each.body for each in answers] == [b"/%d" % number for number in range(50)]
    assert server.connections == 1


def test_connections_are_kept_from_journey_to_journey(ours: Client, server: Peer) -> None:
    ours.ask(ours.request(server.url()))
    ours.ask(ours.request(server.url()))
    assert server.connections == 1


def test_several_requests_are_in_flight_at_once_and_answered_in_order(ours: Client, server: Peer) -> None:
    answers = ours.together([ours.request(server.url(path=f"/{number}")) for number in range(5)])
    assert [each.body for each in answers] == [b"/0", b"/1", b"/2", b"/3", b"/4"]
    assert server.connections == 5
    assert max(each.sent for each in answers) < min(each.done for each in answers) + SECOND


def test_a_failure_among_several_spares_the_others(ours: Client, server: Peer) -> None:
    held = ours.request(server.url(path="/hold"), timeout_ns=SHORT)
    answers = ours.together([ours.request(server.url(path="/a")), held, ours.request(server.url(path="/b"))])
    assert [each.error for each in answers] == [None, "timeout", None]


def test_nothing_asked_is_nothing_answered(ours: Client) -> None:
    assert ours.together([]) == []


def test_a_pause_lasts_as_long_as_it_says(ours: Client) -> None:
    def journey() -> Journey:
        yield 0.02

    began = time.perf_counter_ns()
    ours.play(journey())
    assert time.perf_counter_ns() - began >= 0.02 * SECOND


def test_after_a_pause_the_request_is_due_when_the_pause_is_over(ours: Client, server: Peer) -> None:
    answers: list[Answer] = []

    def journey() -> Journey:
        answers.append(one((yield ours.request(server.url()))))
        yield 0.001
        time.sleep(0.02)  # somebody blocks the thread: the request goes out late
        answers.append(one((yield ours.request(server.url()))))

    ours.play(journey())
    late = answers[1]
    assert late.sent - late.intended >= 0.02 * SECOND
    assert late.intended >= answers[0].done + 1_000_000


def test_the_first_request_is_due_when_the_journey_was(ours: Client, server: Peer) -> None:
    answers: list[Answer] = []
    due = time.perf_counter_ns() - 5 * SECOND

    def journey() -> Journey:
        answers.append(one((yield ours.request(server.url()))))
        answers.append(one((yield ours.request(server.url()))))

    ours.play(journey(), intended=due)
    assert answers[0].intended == due
    assert answers[1].intended == answers[1].sent


def test_what_a_journey_raises_is_kept_and_the_next_one_plays(ours: Client, server: Peer) -> None:
    def broken() -> Journey:
        yield ours.request(server.url())
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        ours.play(broken())
    assert ours.ask(ours.request(server.url()))[0].error is None
    assert ours.session.raised is None


@pytest.mark.parametrize("wanted", ["GET /", None, -1.0, float("nan"), float("inf"), ["GET /"]])
def test_a_journey_that_yields_nonsense_is_told(ours: Client, wanted: Any) -> None:
    def journey() -> Journey:
        yield wanted

    with pytest.raises(TypeError, match="a journey yields a Request, several of them, or seconds to wait"):
        ours.play(journey())


def test_an_unknown_scheme_is_told(ours: Client) -> None:
    request = ours.request("http://127.0.0.1:1/")
    request.address = Address("gopher", "127.0.0.1", 70)
    with pytest.raises(ValueError, match="gopher"):
        ours.ask(request)


def test_a_payload_that_is_no_bytes_is_told_on_a_new_connection_and_on_a_kept_one(ours: Client, server: Peer) -> None:
    text: Any = "GET / HTTP/1.1\r\n\r\n"
    for requests in (
        [ours.request(server.url(), text)],
        [ours.request(server.url()), ours.request(server.url(), text)],
    ):
        with pytest.raises(TypeError):
            ours.ask(*requests)
    assert ours.ask(ours.request(server.url()))[0].error is None


def test_a_session_plays_one_journey_at_a_time(ours: Client) -> None:
    def journey() -> Journey:
        yield 10.0

    ours.session.play(journey(), 0, lambda _: None)
    with pytest.raises(RuntimeError, match="plays a journey already"):
        ours.session.play(journey(), 0, lambda _: None)


def test_the_next_journey_may_be_played_when_one_ends(ours: Client) -> None:
    ended: list[Session] = []

    def journey() -> Journey:
        return
        yield

    def again(session: Session) -> None:
        ended.append(session)
        if len(ended) < 2000:
            session.play(journey(), 0, again)

    ours.session.play(journey(), 0, again)
    ours.loop.run(lambda: len(ended) == 2000)
    assert not ours.session.playing


def test_stopped_gracefully_it_plays_to_the_end_and_then_closes(ours: Client, server: Peer) -> None:
    ended: list[Session] = []
    answers: list[Answer] = []

    def journey() -> Journey:
        for _ in range(3):
            answers.append(one((yield ours.request(server.url()))))
            ours.session.stop(graceful=True)

    ours.session.play(journey(), 0, ended.append)
    ours.loop.run(lambda: bool(ended))
    assert [each.error for each in answers] == [None] * 3
    assert not ours.session.connection(Address.of(server.url())).ready


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ws://127.0.0.1:9/x", "deepstream://127.0.0.1:9/x"])
def test_a_request_dropped_after_a_long_wait_is_recorded(url: str) -> None:
    loop, slot = Loop(), Slot("a", "b")
    connection = KINDS[Address.of(url).scheme](loop, Address.of(url))
    now = time.perf_counter_ns()
    connection.call(Request(slot, b"{}", Address.of(url), name="a"), Session(loop), now - 5 * SECOND)
    connection.drop()
    loop.close()
    assert [(each.reason, each.intended) for each in slot.failures] == [(UNANSWERED, now - 5 * SECOND)]


def test_stopped_at_once_it_closes_the_journey_where_it_waits_and_records_nothing(ours: Client, server: Peer) -> None:
    done: list[str] = []

    def journey() -> Journey:
        try:
            yield ours.request(server.url(path="/hold"))
            done.append("answered")
        finally:
            done.append("cleaned up")

    ours.session.play(journey(), 0, lambda _: done.append("ended"))
    ours.loop.run(lambda: server.connections == 1)
    ours.session.stop(graceful=False)
    for _ in range(3):
        ours.loop.run_once()
    assert done == ["cleaned up"]
    assert (ours.slot.times, ours.slot.failures) == ([], [])
    assert ours.ask(ours.request(server.url()))[0].error is None


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_journey_may_stop_its_own_session(ours: Client, server: Peer, number: int) -> None:
    done: list[str] = []

    def journey() -> Journey:
        try:
            for _ in range(number):
                yield ours.request(server.url())
            ours.session.stop(graceful=False)
            yield ours.request(server.url())
            done.append("went on")
        finally:
            done.append("cleaned up")

    ours.session.play(journey(), 0, lambda _: done.append("ended"))
    ours.loop.run(lambda: bool(done))
    assert done == ["cleaned up"]


def test_what_a_stopped_journey_put_off_does_not_touch_the_next(ours: Client, server: Peer) -> None:
    def paused() -> Journey:
        yield 0.005
        raise AssertionError("it was stopped")

    ours.session.play(paused(), 0, lambda _: None)
    ours.loop.run_once()
    ours.session.stop(graceful=False)
    resumed: list[Any] = []

    def journey() -> Journey:
        resumed.append((yield 0.02))
        resumed.append((yield ours.request(server.url())))

    ours.play(journey())
    assert resumed[0] is None
    assert isinstance(resumed[1], Answer)


def test_hundreds_of_sessions_play_at_once(ours: Client, server: Peer) -> None:
    sessions = [Session(ours.loop) for _ in range(300)]
    ended: list[Session] = []

    def journey(number: int) -> Journey:
        for turn in range(3):
            path = f"/{number}/{turn}"
            answer = one((yield ours.request(server.url(path=path))))
            assert answer.body == path.encode(), answer
            yield 0.001

    for number, session in enumerate(sessions):
        session.play(journey(number), 0, ended.append)
    ours.loop.run(lambda: len(ended) == len(sessions))
    assert [session.raised for session in sessions if session.raised] == []
    assert len(ours.slot.times) == 900
    for session in sessions:
        session.stop(graceful=False)
