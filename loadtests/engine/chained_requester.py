"""Sends the requests that follow on a response, such as those of redirects, before the journey gets the last one."""

from __future__ import annotations

from collections.abc import Callable

from loadtests.engine.connection import Connection
from loadtests.engine.exchange_types import Address, ChainedRequest, Request, Requester, Response

ConnectionTo = Callable[[Address], Connection]


class ChainedRequester:
    """Stands between the connections and the requester that gets the last response of the chain."""

    __slots__ = ("_connection_to", "_request", "_requester")

    def __init__(self, request: ChainedRequest, requester: Requester, connection_to: ConnectionTo) -> None:
        self._request: Request = request
        self._requester = requester
        self._connection_to = connection_to

    def resume(self, response: Response) -> None:
        following = self._request.follow_up(response) if isinstance(self._request, ChainedRequest) else None
        if following is None:
            self._requester.resume(response)
            return
        self._request = following
        self._connection_to(following.address).send_request(following, self)

    def resume_later(self, response: Response, pause: int) -> None:
        self._requester.resume_later(response, pause)

    def request_failed(self, what: str, is_unsent: bool) -> int:
        return self._requester.request_failed(what, is_unsent)


def requester_of(request: Request, requester: Requester, connection_to: ConnectionTo) -> Requester:
    """Who gets the response to that request: a chain stands between it and `requester`."""
    return ChainedRequester(request, requester, connection_to) if isinstance(request, ChainedRequest) else requester
