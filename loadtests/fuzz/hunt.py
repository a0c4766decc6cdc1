"""One input after the other against the claims. Input number n follows from the seed and n alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import NamedTuple

from loadtests.fuzz.claims import CLAIMS, Disproved
from loadtests.fuzz.pairing import KINDS, play
from loadtests.fuzz.small import smallest

JOURNEYS = 16  # one input in so many is a journey over a spoiled connection


class Failure(NamedTuple):
    """An input that disproved a claim, made small. `data` is None for a journey, which its number reproduces."""

    number: int
    claim: str
    why: str
    data: bytes | None


def failures(seed: int, inputs: int) -> Iterator[Failure]:
    """Try `inputs` inputs, and give those on which a claim did not hold or anything unforeseen was raised."""
    parsers, kinds = list(CLAIMS), list(KINDS)
    for number in range(inputs):
        rng = Random(seed << 40 | number)
        turn, place = divmod(number, JOURNEYS)
        if place == JOURNEYS - 1:
            name = kinds[turn % len(kinds)]
            if why := _why(partial(play, name, rng)):
                yield Failure(number, name, why, None)
            continue
        name = parsers[number % len(parsers)]
        claim, make = CLAIMS[name]
        data = make(rng)
        if why := _why(partial(claim, data, rng)):
            yield Failure(number, name, why, smallest(data, partial(_fails, name, seed << 40 | number)))


def _fails(name: str, start: int, data: bytes) -> bool:
    """Whether the claim fails on these bytes when chance goes on as it did for the input made from `start`."""
    claim, make = CLAIMS[name]
    rng = Random(start)
    make(rng)
    return _why(partial(claim, data, rng)) is not None


def _why(attempt: Callable[[], None]) -> str | None:
    try:
        attempt()
    except Disproved as disproved:
        return str(disproved)
    except Exception as unforeseen:
        return f"raised {unforeseen!r}"
    return None
