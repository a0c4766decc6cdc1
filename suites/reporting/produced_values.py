"""Finds the values that a response gives out and later requests send back: ids, tokens, and long texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from contracts.exchange import Exchange, Request
from fixtures.target_api import Api

MAX_BODY = 200_000  # bytes of a response in which values are looked for
CERTAIN = 8  # characters of an id that is recognised within another value
LONG = 12  # characters of a text that nobody sends by chance
IDENTIFYING = re.compile(r"(?:^|_)id$|Id$|ID$|uuid$|token$|Token$|key$|cursor$")  # names of members


@dataclass(frozen=True, slots=True)
class ProducedValue:
    """A value that a response has and its request does not: the text, and the keys that lead to it."""

    text: str
    keys: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """The member's name, as a variable of a shell has it."""
        names = [key for key in self.keys if isinstance(key, str)]
        return re.sub(r"\W", "_", names[-1].lower(), flags=re.ASCII) if names else "value"


def sent_text(request: Request) -> str:
    """The text of a request without percent-encoding: URL, values of headers, body; a body with + also as of a form."""
    headers = "\n".join(value for _, value in request.headers)
    body = unquote(request.body.decode(errors="replace"))
    as_form = [body.replace("+", " ")] if "+" in body else []
    return "\n".join([unquote(request.url), headers, body, *as_form])


def contains(request: Request, value: str) -> bool:
    """Whether the request sends that value; a long one also as a part of another."""
    return value in sent_text(request) if len(value) >= CERTAIN else value in sent_values(request)


def sent_values(request: Request) -> list[str]:
    """The texts in a request that may be values: of path, query, headers and body."""
    return list(dict.fromkeys(re.findall(r"[^\s/?&=,;:#\"'{}\[\]()]+", sent_text(request))))


@lru_cache(maxsize=512)  # shrinking reports a finding many times
def produced_values(exchange: Exchange) -> tuple[ProducedValue, ...]:
    """The values of a response that identify something and that its request does not send."""
    body = exchange.response.body
    if len(body) > MAX_BODY:
        return ()
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    text, sent = sent_text(exchange.request), set(sent_values(exchange.request))
    return tuple(
        it for it in _scalars(document, ()) if it.text not in sent and (len(it.text) < LONG or it.text not in text)
    )


def values_to_keep(api: Api, exchange: Exchange) -> list[ProducedValue]:
    """The values of a response that somebody who repeats the requests has to keep: all but the target's settings."""
    known = set(api.target.settings.values())
    return [value for value in produced_values(exchange) if value.text not in known]


def _scalars(value: Any, keys: tuple[str | int, ...]) -> Iterator[ProducedValue]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _scalars(member, (*keys, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _scalars(item, (*keys, number))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        names = [key for key in keys if isinstance(key, str)]
        is_named = bool(names) and IDENTIFYING.search(names[-1]) is not None
        if is_named or (isinstance(value, str) and len(value) >= LONG):
            yield ProducedValue(str(value), keys)
