"""How a response ends its request: status, media type, and of a refusal what the API says in its own way.

Rule: trouble of the way to the target is no outcome: a response that is cut off, and a status that asks to wait.
"""

from __future__ import annotations

import re
from typing import Any

from contracts import json_pointer
from contracts.behaviour.message_template import is_code
from contracts.behaviour.text_forms import form_of
from contracts.exchange import SWITCHING_PROTOCOLS, Exchange, Response
from contracts.judge.http_judge import is_refusal
from contracts.openapi import Contract

TROUBLE = (429, 502, 503, 504)  # statuses that say nothing of how the target behaves (RFC 6585, 4; RFC 9110, 15.6)
CLOSED = re.compile(r"close code (1003|1007|1008|1009)\)")  # of data, text, policy or size that it does not take
CLOSED_CLASS = "closed"
JSON_TYPE = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)


def trouble(response: Response) -> str:
    """Why the response shows nothing of the target's behaviour, "" when it shows something."""
    if response.error:
        return "" if close_code(response) else response.error
    return f"status {response.status}" if response.status in TROUBLE else ""


def close_code(response: Response) -> str:
    """The code of a close frame by which an endpoint refuses a message (RFC 6455, 7.4.1), "" for anything else."""
    match = CLOSED.search(response.error or "")
    return match[1] if match else ""


def answer_class(contract: Contract, response: Response) -> str:
    """The group of responses that share a shape: the status, or `frame`, and whether it is refused in-band."""
    if close_code(response):
        return CLOSED_CLASS
    status = "frame" if response.status == SWITCHING_PROTOCOLS else str(response.status)
    return f"{status} refused" if response.status < 400 and is_refusal(contract, response) else status


def outcome(contract: Contract, exchange: Exchange) -> str:
    """Status, media type with its parameters, error code and attribute, such as
    `400 application/json missing_param organization_id`.
    """
    response = exchange.response
    if code := close_code(response):
        return f"{CLOSED_CLASS} {code}"
    words = [answer_class(contract, response), media_type(response)]
    location = response.header("location")
    if 300 <= response.status < 400 and location is not None:
        words.append(f"to {form_of(location, host_of(exchange))}")
    body = json_body(response)
    if body is NO_JSON:
        words += ["malformed"] if is_json_type(response) and response.body else []
    elif is_refusal(contract, response):
        words += _refusal_words(contract, body)
    return " ".join(filter(None, words))


def host_of(exchange: Exchange) -> str:
    """Host and port that the request went to."""
    return exchange.request.url.partition("://")[2].partition("/")[0].partition("?")[0]


def media_type(response: Response) -> str:
    """The media type in lower case with its parameters, each after `; `, "" for none."""
    parts = [part.strip() for part in (response.header("content-type") or "").split(";")]
    return "; ".join([parts[0].lower(), *(part for part in parts[1:] if part)]) if parts[0] else ""


class _NoJson:
    """The type of NO_JSON."""


NO_JSON: Any = _NoJson()


def json_body(response: Response) -> Any:
    """The body as JSON, NO_JSON for anything else."""
    if not response.body or response.body[:1] == b"<":
        return NO_JSON
    try:
        return response.json()
    except (ValueError, RecursionError):
        return NO_JSON


def is_json_type(response: Response) -> bool:
    """Whether the response says that it is JSON."""
    return bool(JSON_TYPE.fullmatch(response.media_type()))


def _refusal_words(contract: Contract, body: Any) -> list[str]:
    """Error code and attribute of a refusal, as far as they are codes and not texts."""
    words: list[str] = []
    for part in ("code", "attribute"):
        pointer = contract.error_format.get(part)
        values = json_pointer.find(body, pointer) if pointer else []
        words += [str(value) for value in dict.fromkeys(map(str, values[:3])) if is_code(value)]
    return words
