"""Logs which request was given which id, for the whole run.

Rule: it only records; the exchanges are kept as always, and nothing is judged here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from contracts.exchange import Exchange

REQUEST_ID = re.compile(rb'"request_(?:id|uuid)"\s*:\s*"([^"]+)"')


class RequestIdLog(deque[Exchange]):
    """The last exchanges, as `Api.exchanges` holds them, with a log of request ids.

    `first_requests` has every id with the first request that was given it; `duplicates` has (id, first request, later
    request) for each id that was given twice.
    """

    def __init__(self, exchanges: deque[Exchange]) -> None:
        super().__init__(exchanges, maxlen=exchanges.maxlen)
        self.first_requests: dict[str, str] = {}
        self.duplicates: list[tuple[str, str, str]] = []

    def append(self, exchange: Exchange) -> None:
        """Keeps an exchange and logs its ids."""
        request = f"{exchange.request.method} {exchange.request.url}"
        for identifier in {value.decode(errors="replace") for value in REQUEST_ID.findall(exchange.response.body)}:
            if identifier in self.first_requests:
                self.duplicates.append((identifier, self.first_requests[identifier], request))
            self.first_requests.setdefault(identifier, request)
        super().append(exchange)

    def extend(self, exchanges: Iterable[Exchange]) -> None:
        """Keeps several exchanges."""
        for exchange in exchanges:
            self.append(exchange)
