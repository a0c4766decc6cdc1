"""From the answers to questions to behaviours: by question how each ended, by status what all of them show.

Rule: an answer that shows trouble on the way is left out; what is left is counted, and no order of the answers and no
time is in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts import json_pointer
from contracts.behaviour.behaviour import Address, Behaviour, Family
from contracts.behaviour.csv_shape import csv_behaviours, is_csv
from contracts.behaviour.documented_values import DocumentedValues
from contracts.behaviour.header_facts import header_behaviours
from contracts.behaviour.json_shape import JsonShape, Place
from contracts.behaviour.message_template import message_template
from contracts.behaviour.response_outcome import (
    NO_JSON,
    answer_class,
    host_of,
    json_body,
    outcome,
    trouble,
)
from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal, media_type_object
from contracts.openapi import Contract
from contracts.operation import Operation, Schema

PLAIN = "valid: as documented"  # title of the question that shows what nobody has asked for, such as an order
WITHOUT_SHAPE: tuple[Family, ...] = ("method",)  # families whose answers are not those of the operation itself


@dataclass(frozen=True, slots=True)
class Answer:
    """The exchange that answers the question of that title; family: `outcome`, `access` or `method`."""

    title: str
    family: Family
    exchange: Exchange


def operation_behaviours(
    contract: Contract, operation: Operation, answers: Sequence[Answer]
) -> dict[Address, Behaviour]:
    """What the answers to an operation's questions show."""

    def documented(exchange: Exchange) -> Schema | None:
        response = operation.response_for(exchange.response.status)
        media = media_type_object(response, exchange.response) if response else None
        return media.get("schema") if media else None

    schemas: dict[str, Schema | None] = {}
    for answer in answers:
        name = answer_class(contract, answer.exchange.response)
        schemas[name] = schemas.get(name) or documented(answer.exchange)
    return observed(contract, operation.label, answers, schemas)


def observed(
    contract: Contract, label: str, answers: Sequence[Answer], schemas: Mapping[str, Schema | None]
) -> dict[Address, Behaviour]:
    """What the answers show of the operation or call of that label; `schemas`: of their bodies, by class of answer."""
    shown = [answer for answer in answers if not trouble(answer.exchange.response)]
    behaviours = dict(_by_question(contract, label, shown))
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in shown:
        if answer.family not in WITHOUT_SHAPE:
            groups[answer_class(contract, answer.exchange.response)].append(answer)
    for name, group in groups.items():
        for (family, place), behaviour in _of_group(contract, group, schemas.get(name)):
            behaviours[Address(label, name, family, place)] = behaviour
    return behaviours


def _by_question(contract: Contract, label: str, answers: Iterable[Answer]) -> Iterator[tuple[Address, Behaviour]]:
    for answer in answers:
        value = outcome(contract, answer.exchange)
        allow = answer.exchange.response.header("allow")
        if answer.family == "method" and allow is not None:
            value += f", allow {', '.join(sorted(part.strip() for part in allow.split(',')))}"
        yield Address(label, "", answer.family, answer.title), Behaviour(value, 1, 1)
        if answer.family != "method" and is_refusal(contract, answer.exchange.response):
            template = message_template(answer.exchange.request, json_body(answer.exchange.response))
            if template:
                yield Address(label, "", "message", answer.title), Behaviour(template, 1, 1)


def _of_group(
    contract: Contract, answers: Sequence[Answer], schema: Schema | None
) -> Iterator[tuple[Place, Behaviour]]:
    """What answers of one class share."""
    host = host_of(answers[0].exchange)
    responses = [answer.exchange.response for answer in answers]
    yield from header_behaviours(responses, host)
    if tables := [response for response in responses if is_csv(response) and response.body]:
        yield from csv_behaviours(tables)
    bodies = [(answer, json_body(answer.exchange.response)) for answer in answers]
    read = [(answer, body) for answer, body in bodies if body is not NO_JSON and not is_csv(answer.exchange.response)]
    if read:
        shows_records = not is_refusal(contract, responses[0])
        shape = JsonShape(DocumentedValues(contract, schema), host, shows_records=shows_records)
        for answer, body in read:
            shape.add(body, shows_order=answer.title == PLAIN)
        codes = ("values", contract.error_format.get("code"))  # which the outcome of each question says
        yield from ((place, it) for place, it in shape.behaviours() if shows_records or place != codes)
        yield from _error_ids(contract, answers[0].exchange, [body for _, body in read])


def _error_ids(contract: Contract, exchange: Exchange, bodies: Sequence[object]) -> Iterator[tuple[Place, Behaviour]]:
    """Whether each refusal like this one has an id of its own, where the contract says where it is."""
    pointer = contract.error_format.get("unique", {}).get("pointer")
    if not pointer or not is_refusal(contract, exchange.response):
        return
    ids = [value for body in bodies for value in json_pointer.find(body, pointer) if isinstance(value, str)]
    if len(ids) > 1:
        value = "unique" if len(set(ids)) == len(ids) else "repeated"
        yield ("unique", pointer), Behaviour(value, len(ids), len(ids))
