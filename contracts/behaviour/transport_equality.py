"""Whether a call is answered alike by every transport that can carry it.

Rule: answers are alike that are refused or not with the same code and have the same shape; statuses and headers are
those of the transport and do not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from contracts import json_pointer
from contracts.behaviour.behaviour import Address, Behaviour
from contracts.behaviour.documented_values import DocumentedValues
from contracts.behaviour.json_shape import JsonShape
from contracts.behaviour.response_outcome import NO_JSON, json_body, trouble
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from contracts.openapi import Contract

ALL = "all transports"
COMPARED = ("kind", "presence", "members", "form", "number")  # families of the shape


def equality_behaviours(
    contract: Contract, label: str, answers: Mapping[str, Mapping[str, Exchange]]
) -> Iterator[tuple[Address, Behaviour]]:
    """A behaviour of family `equality` for each question, by title, that at least two transports carried.

    `answers` are the exchanges by title of the question and name of the transport.
    """
    for title, exchanges in answers.items():
        shown = {name: exchange for name, exchange in exchanges.items() if not trouble(exchange.response)}
        if len(shown) > 1:
            yield Address(label, "", "equality", title), Behaviour(transport_groups(contract, shown), 1, 1)


def transport_groups(contract: Contract, exchanges: Mapping[str, Exchange]) -> str:
    """`all transports`, or the groups of those that answer alike, such as `header, query | websocket`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, exchange in exchanges.items():
        groups[_likeness(contract, exchange)].append(name)
    return ALL if len(groups) == 1 else " | ".join(sorted(", ".join(sorted(group)) for group in groups.values()))


def _likeness(contract: Contract, exchange: Exchange) -> str:
    body = json_body(exchange.response)
    is_refused = is_refusal(contract, exchange.response)
    if body is NO_JSON:
        return repr((is_refused, "no JSON", bool(exchange.response.body)))
    pointer = contract.error_format.get("code")
    codes = [str(value) for value in json_pointer.find(body, pointer)] if pointer and is_refused else []
    shape = JsonShape(DocumentedValues(contract, None))
    shape.add(body)
    facts = sorted((place, it.value) for place, it in shape.behaviours() if place[0] in COMPARED)
    return repr((is_refused, codes, facts, _numbers(body)))


def _numbers(body: Any) -> list[tuple[str, float]]:
    """The numbers and flags of the envelope, such as the count of a list, which is the same by each transport."""
    members = body.items() if isinstance(body, dict) else ()
    return sorted((name, value) for name, value in members if isinstance(value, int | float))
