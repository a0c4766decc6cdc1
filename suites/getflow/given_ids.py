"""Remembers which request was given which id, for as long as the run lasts.

Rule: it only listens: the exchanges are kept as they always are, and nothing is judged here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from contracts.exchange import Exchange

ID = re.compile(rb'"request_(?:id|uuid)"\s*:\s*"([^"]+)"')


class GivenIds(deque[Exchange]):
    """The last exchanges, as `Api.exchanges` holds them; `given` has every id with its first request.

    `twice` holds (id, first request, later request) for ids that two requests were given.
    """

    def __init__(self, exchanges: deque[Exchange]) -> None:
        super().__init__(exchanges, maxlen=exchanges.maxlen)
        self.given: dict[str, str] = {}
        self.twice: list[tuple[str, str, str]] = []

    def append(self, exchange: Exchange) -> None:
        """Keeps an exchange and notes its ids."""
        request = f"{exchange.sent.method} {exchange.sent.url}"
        for found in {one.decode(errors="replace") for one in ID.findall(exchange.answer.body)}:
            if found in self.given:
                self.twice.append((found, self.given[found], request))
            self.given.setdefault(found, request)
        super().append(exchange)

    def extend(self, exchanges: Iterable[Exchange]) -> None:
        """Keeps several."""
        for exchange in exchanges:
            self.append(exchange)
