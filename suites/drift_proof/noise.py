"""Behaviour that is no change: answers that are slow or late, rows and members in no order, a server that is sometimes
busy, and texts that differ each time.

Rule: each is a change of a reference like a variant, and follows random numbers of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from fixtures.reference.protocol import Change, Handler, Reply, Request

LISTS = {  # of each API, a list whose order its document leaves open: (part of the path, member with the rows)
    "bitvis": ("/queue/", "data"),
    "flowapp": ("/api/v1/users", "data"),
    "flowback": ("/users", "data"),
    "getflow": ("/accounts", "accounts"),
}
BUSY = 1 / 200  # the share of requests that are answered by 503


def slow(seconds: float) -> Change:
    """Every reply takes that much longer."""
    return _noise("is slow", lambda _random, _request, reply: _delayed(reply, seconds))


def jittered(seed: int) -> Change:
    """Each reply takes up to 50 milliseconds longer."""
    return _noise(f"jitters {seed}", lambda numbers, _, reply: _delayed(reply, numbers.uniform(0, 0.05)), seed)


def busy(seed: int) -> Change:
    """A reply in 200 is a 503."""

    def edit(numbers: random.Random, _request: Request, reply: Reply) -> Reply:
        return Reply(503, [("content-type", "text/plain")], b"busy") if numbers.random() < BUSY else reply

    return _noise(f"is busy {seed}", edit, seed)


def shuffled(api: str, seed: int) -> Change:
    """The rows of a list come in another order each time."""
    path, member = LISTS[api]

    def edit(numbers: random.Random, request: Request, reply: Reply) -> Reply:
        body = _object(reply)
        if path in request.path and isinstance(body.get(member), list):
            numbers.shuffle(body[member])
            reply.set_json(body)
        return reply

    return _noise(f"shuffles {seed}", edit, seed)


def other_habits(api: str, seed: int) -> Change:
    """What differs each time: order of members and of a list, an id of the reply, the time of day in a text."""
    path, member = LISTS[api]

    def edit(numbers: random.Random, request: Request, reply: Reply) -> Reply:
        reply.headers.append(("x-served-as", f"{numbers.getrandbits(64):016x}"))
        body = _object(reply)
        if not body:
            return reply
        if path in request.path and isinstance(body.get(member), list):
            numbers.shuffle(body[member])
        time = f"{numbers.randrange(24):02}:{numbers.randrange(60):02}"
        reply.set_json(_in_any_order(numbers, {**body, "served_by": f"node {numbers.randrange(9)} at {time}"}))
        return reply

    return _noise(f"has other habits {seed}", edit, seed)


def _in_any_order(numbers: random.Random, value: Any) -> Any:
    """The value with the members of all objects in another order."""
    if isinstance(value, list):
        return [_in_any_order(numbers, item) for item in value]
    if not isinstance(value, dict):
        return value
    members = list(value.items())
    numbers.shuffle(members)
    return {name: _in_any_order(numbers, inner) for name, inner in members}


def _noise(name: str, edit: Callable[[random.Random, Request, Reply], Reply], seed: int = 0) -> Change:
    numbers = random.Random(f"{name}/{seed}")

    def behaviour(_api: Any, request: Request, handler: Handler) -> Reply:
        return edit(numbers, request, handler(request))

    return Change(name, "variant", (), name, behaviour)


def _delayed(reply: Reply, seconds: float) -> Reply:
    reply.delay += seconds
    return reply


def _object(reply: Reply) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
