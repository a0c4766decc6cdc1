"""Runs one input after the other against the properties. Input number n follows from the seed and n alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import NamedTuple

from loadtests.fuzz import judge_properties
from loadtests.fuzz.connection_properties import KINDS, run_journey
from loadtests.fuzz.parser_properties import PARSER_PROPERTIES, Property, PropertyViolated
from loadtests.fuzz.shrinker import shrink

PROPERTIES: dict[str, tuple[Property, Callable[[Random], bytes]]] = {
    **PARSER_PROPERTIES,
    "judges": (judge_properties.judges_agree, judge_properties.make),
}
JOURNEYS = 16  # one input in so many is a journey over a mutated_sample connection


class Failure(NamedTuple):
    """An input that violated a property, shrunk. `data` is None for a journey, which its number reproduces."""

    number: int
    property_check: str
    reason: str
    data: bytes | None


def failures(seed: int, inputs: int) -> Iterator[Failure]:
    """Run `inputs` inputs; yield those on which a property did not hold or any other exception was raised."""
    parsers, kinds = list(PROPERTIES), list(KINDS)
    for number in range(inputs):
        rng = Random(seed << 40 | number)
        journey_number, remainder = divmod(number, JOURNEYS)
        if remainder == JOURNEYS - 1:
            name = kinds[journey_number % len(kinds)]
            if reason := _violation(partial(run_journey, name, rng)):
                yield Failure(number, name, reason, None)
            continue
        name = parsers[number % len(parsers)]
        property_check, make = PROPERTIES[name]
        data = make(rng)
        if reason := _violation(partial(property_check, data, rng)):
            yield Failure(number, name, reason, shrink(data, partial(_fails, name, seed << 40 | number)))


def _fails(name: str, start: int, data: bytes) -> bool:
    """Whether the property fails on these bytes with the random state that followed the input of `start`."""
    property_check, make = PROPERTIES[name]
    rng = Random(start)
    make(rng)
    return _violation(partial(property_check, data, rng)) is not None


def _violation(attempt: Callable[[], None]) -> str | None:
    try:
        attempt()
    except PropertyViolated as violation:
        return str(violation)
    except Exception as error:
        return f"raised {error!r}"
    return None
