"""Plays recorded requests at their recorded times, whatever earlier responses take, and judges the responses.

A request that uses an id of an earlier response waits for that response, and counts from when it was due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter_ns

from loadtests.engine.connection import status_error
from loadtests.engine.exchange_types import SECOND, Request, Response
from loadtests.engine.loop import Loop
from loadtests.engine.virtual_user import VirtualUser
from loadtests.traffic.recorded_traffic import RecordedRequest, Source, replaced, replaced_body, value_at
from loadtests.user.http_session import HttpSession

NOT_MODIFIED, OK = 304, 200  # a recorded browser had a copy, which a replay has not
CONDITIONS = frozenset({"if-none-match", "if-modified-since"})


class Player:
    """Plays the share of one worker: requests by their number in the recording.

    sent, answered: how many were. Each client of the recording has its own cookies.
    """

    def __init__(
        self,
        requests: Sequence[tuple[int, RecordedRequest]],
        speed: float,
        sessions: defaultdict[str, HttpSession],
        user: VirtualUser,
        loop: Loop,
        start_delays: list[int],
    ) -> None:
        self._requests = requests
        self._speed = speed
        self._sessions = sessions
        self._user = user
        self._loop = loop
        self._start_delays = start_delays
        self._began = 0
        self._next = 0
        self._journey_number = user.journey_number
        self._responses: dict[int, Response] = {}
        self._needed = {source.request for _, request in requests for source in request.ids.values()}
        self._waiting: defaultdict[int, list[tuple[int, RecordedRequest]]] = defaultdict(list)
        self.sent = self.answered = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many requests are planned, were sent, and have their response."""
        return {"planned": len(self._requests), "sent": self.sent, "answered": self.answered}

    @property
    def is_done(self) -> bool:
        return self.answered == len(self._requests)

    def start(self, began: int) -> None:
        """Play from now on; began: the instant (ns) of second 0 of the recording."""
        self._began = began
        self._arm()

    def _intended(self, request: RecordedRequest) -> int:
        return self._began + int(request.at / self._speed * SECOND)

    def _arm(self) -> None:
        if self._next < len(self._requests):
            self._loop.call_at(self._intended(self._requests[self._next][1]), self._play_due)

    def _play_due(self, _: int) -> None:
        if self._user.journey_number != self._journey_number:
            return  # the user has stopped
        now = perf_counter_ns()
        while self._next < len(self._requests):
            number, request = self._requests[self._next]
            intended = self._intended(request)
            if intended > now:
                break
            self._next += 1
            self._start_delays.append(now - intended)
            self._send_or_wait(number, request)
        self._arm()

    def _send_or_wait(self, number: int, request: RecordedRequest) -> None:
        missing = next((it.request for it in request.ids.values() if it.request not in self._responses), None)
        if missing is not None:
            self._waiting[missing].append((number, request))
            return
        prepared = self._prepare(request)
        self.sent += 1
        self._user.connection(prepared.address).send_request(
            prepared, PlayedRequest(self, number), self._intended(request)
        )

    def _prepare(self, request: RecordedRequest) -> Request:
        """The request with the ids that the target gave, in place of those that were recorded."""
        ids = {value: self._given(source) or value for value, source in request.ids.items()}
        session = self._sessions[request.client]
        headers = {name: value for name, value in request.headers.items() if name.lower() not in CONDITIONS}
        if session.cookies:  # those that the target has set are newer than the recorded ones
            headers = {name: value for name, value in headers.items() if name.lower() != "cookie"}
        return session.request(
            request.method,
            replaced(request.target, ids),
            name=request.name,
            headers=headers,
            body=replaced_body(request.body, ids),
            redirects=0,
            validator=lambda _, response: status_difference(request.status, response.status),
        )

    def _given(self, source: Source) -> str | None:
        try:
            return value_at(self._responses[source.request].json(), source.pointer)
        except ValueError:
            return None

    def on_response(self, number: int, response: Response) -> None:
        """A response has come: requests that wait for it are sent."""
        self.answered += 1
        if number in self._needed:
            self._responses[number] = response
        for waiting in self._waiting.pop(number, ()):
            self._send_or_wait(*waiting)


class PlayedRequest:
    """Waits for the response to one played request."""

    __slots__ = ("_number", "_player")

    def __init__(self, player: Player, number: int) -> None:
        self._player = player
        self._number = number

    def resume(self, response: Response) -> None:
        self._player.on_response(self._number, response)

    def resume_later(self, response: Response, pause: int) -> None:  # noqa: ARG002 # it never asks for a pause
        self.resume(response)

    def request_failed(self, what: str, is_unsent: bool) -> int:  # noqa: ARG002 # recorded traffic goes on
        return 0


def status_difference(recorded: int, received: int) -> str | None:
    """Why a response is not as it was recorded; without a record a status of 400 or more is bad."""
    if not recorded:
        return status_error(received) if received >= 400 else None
    if received == recorded or (recorded == NOT_MODIFIED and received == OK):
        return None
    return f"status {received}, recorded {recorded}"
