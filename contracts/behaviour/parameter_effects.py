"""Whether a list honours a parameter: its answer compared with the one that has no such parameter.

Rule: a filter is judged by the entries, any other parameter by whether it changes anything. A size of pages that has
room for all entries shows nothing; what else cannot be seen in the target's data is said to be ignored, in every run
alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts import json_pointer
from contracts.behaviour.behaviour import Address, Behaviour
from contracts.behaviour.observed_answers import Answer
from contracts.behaviour.response_outcome import NO_JSON, json_body, trouble
from contracts.exchange import Request
from contracts.judge.http_judge import is_refusal
from contracts.openapi import Contract
from contracts.operation import Operation


def parameter_behaviours(
    contract: Contract, operation: Operation, items: str, plain: Answer, others: Sequence[tuple[str, Any, Answer]]
) -> Iterator[tuple[Address, Behaviour]]:
    """A behaviour for each of `others`: name of the parameter, its value, and the answer to the request with it.

    `items` is the pointer to the list in a response, `plain` the answer without the parameter.
    """
    before = json_body(plain.exchange.response)
    for name, value, answer in others:
        if before is NO_JSON or trouble(answer.exchange.response):
            continue
        if is_refusal(contract, answer.exchange.response):
            effect = "refused"
        else:
            sent = _sent(answer.exchange.request, name) if isinstance(value, dict) else value
            effect = _effect(name, sent, before, json_body(answer.exchange.response), items)
        if effect:
            yield Address(operation.label, "", "parameter", _place(operation, name, value)), Behaviour(effect, 1, 1)


def _sent(request: Request, name: str) -> str | None:
    """The value of that query parameter in the request, None without one: what stands there is known at the target."""
    return dict(parse_qsl(urlsplit(request.url).query)).get(name)


def _place(operation: Operation, name: str, value: Any) -> str:
    """The name, and the value where the contract lists several."""
    schema = next((it.schema for it in operation.parameters if it.name == name), {})
    choices = schema.get("enum") or schema.get("items", {}).get("enum") or ()
    shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{name} {shown}" if choices and not isinstance(value, dict) else name


def _effect(name: str, value: Any, before: Any, after: Any, items: str) -> str:
    """`honoured` or `ignored`, "" where the target has too few records to show it."""
    entries = _entries(after, items)
    values = [entry[name] for entry in entries if isinstance(entry, dict) and name in entry]
    if values and len(values) == len(entries) and isinstance(value, str | int):
        return "honoured" if {_text(it) for it in values} == {_text(value)} else "ignored"
    if _content(after) != _content(before):
        return "honoured"
    return "" if type(value) is int and not 0 < value < len(_entries(before, items)) else "ignored"


def _entries(body: Any, items: str) -> list[Any]:
    return [entry for array in json_pointer.find(body, items) if isinstance(array, list) for entry in array]


def _content(body: Any) -> Any:
    """The body without the texts beside its records, such as the id of a request or the link to the next page."""
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if not isinstance(value, str)}


def _text(value: Any) -> str:
    return str(value).lower()
