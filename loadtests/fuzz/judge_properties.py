"""The fast validators of load runs and the contracts' own judges must agree about any response.

The responses are those of `judged_samples`, mutated as bytes, as JSON, and in status and headers. An input is the
number of its sample, a line feed and the body.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from contracts.json_text import read_json
from contracts.judge.http_judge import Finding
from fixtures.http1.response_head import repeated_field
from loadtests.engine.exchange_types import Response, Validator
from loadtests.fuzz.judged_samples import JudgedSample, judged_samples
from loadtests.fuzz.mutator import mutate
from loadtests.fuzz.parser_properties import PropertyViolated
from loadtests.validation.http_validator import RequestIntent, exchange_of, findings
from loadtests.validation.rpc_validator import call_findings
from loadtests.validation.validators import Validators

STATUSES = (200, 201, 204, 302, 400, 401, 404, 422, 500)
MEDIA_TYPES = (b"application/json; charset=utf-8", b"APPLICATION/JSON", b"application/problem+json", b"text/html", b"")
UNJUDGED = (b"date", b"server", b"content-length")  # headers that no contract describes
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.0, 1.5, 2**53, 2**63, 2**70, 10**400, "", "0", "id", "é" * 50, "\ud800", ":", '"',
    "\\", "2017-13-45", "2026-05-04T10:00:00Z", [], {}, [None], {"id": 1},
)  # fmt: skip
TEXTS = (b"NaN", b"[Infinity]", b"\xef\xbb\xbf{}", b'"\xff"', b'"\\ud800"', b"{}", b"[]", b"", b"null", b"1e999", b"-0")
NEIGHBOURS = 16  # samples behind one, most of which are of the same operation or call
LEVELS = (199, 200, 201, 254, 255, 300, 1_023, 1_025)


def make(rng: Random) -> bytes:
    """A sample's number and its body, mutated; one in eight is as it was, one in sixteen that of a similar request."""
    samples = judged_samples()
    number = rng.randrange(len(samples))
    body = samples[number].body
    which = rng.random()
    if which < 1 / 16:  # a valid request's for an invalid one, and the other way round
        body = samples[(number + rng.randrange(1, NEIGHBOURS)) % len(samples)].body
    elif which > 3 / 16:
        body = rng.choice(MUTATIONS)(body, rng)
    return b"%d\n" % number + body


def judges_agree(data: bytes, rng: Random) -> None:
    """Both name the same clause, and the journey gets the value that the strict reader reads."""
    number, _, body = data.partition(b"\n")
    samples = judged_samples()
    sample = samples[int(number) % len(samples) if number.isdigit() else 0]
    status, headers = _status_and_headers(sample, rng)
    if repeated_field(headers) is not None:
        return  # such a response is malformed to the engine, and never validated
    response = Response(status, headers, body, None, 0, 0, 0, 1)
    expected = _findings(sample, response)
    reason = _validator(sample)(sample.request, response)
    clause = expected[0].clause if expected else None
    if reason != clause:
        raise PropertyViolated(f"{sample.intent}: the judge says {clause}, the validator {reason}")
    if response.parsed_body is not None and response.parsed_body != read_json(body):
        raise PropertyViolated(f"the judge reads {read_json(body)!r}, the journey {response.parsed_body!r}")


def _status_and_headers(sample: JudgedSample, rng: Random) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Those of the sample; in one input of eight another status, in one of four a header that has changed."""
    status, headers = sample.status, list(sample.headers)
    if status and rng.random() < 1 / 8:
        status = rng.choice(STATUSES)
    places = [at for at, (name, _) in enumerate(headers) if name not in UNJUDGED]
    if places and rng.random() < 1 / 4:
        at = rng.choice(places)
        name, value = headers[at]
        changed = rng.choice(MEDIA_TYPES) if name == b"content-type" else rng.choice((value[:-1], value + b"0", b""))
        headers[at : at + 1] = rng.choice(([], [(name, changed)], [(name, value), (name, changed)]))
    return status, headers


def _findings(sample: JudgedSample, response: Response) -> list[Finding]:
    exchanged = exchange_of(sample.request, response)
    if isinstance(sample.intent, RequestIntent):
        return findings(sample.intent, exchanged, {})
    return call_findings(sample.intent, exchanged, {})


def _validator(sample: JudgedSample) -> Validator:
    """The sample's validator, whose table fills as responses come; those of one intent share it, as in a run."""
    intent = sample.intent
    return _validators().for_request(intent) if isinstance(intent, RequestIntent) else _validators().for_call(intent)


@cache
def _validators() -> Validators:
    return Validators(environ={})


def forget_validators() -> None:
    """Make all validators anew."""
    _validators.cache_clear()


def _another_value(body: bytes, rng: Random) -> bytes:
    """One value replaced, left out or added."""
    try:
        value = json.loads(body)
    except ValueError:
        return mutate(body, rng)
    members = _members(value)
    container, key = rng.choice(members) if members else (None, None)
    kind = rng.randrange(4)
    if container is None:
        value = rng.choice(VALUES)
    elif kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[rng.choice(("project_id", "x", "", "id", "data"))] = rng.choice(VALUES)
    else:
        container[key] = rng.choice(VALUES)
    return _written(value, rng)


def _written(value: Any, rng: Random) -> bytes:
    """The value as JSON, in one of the ways in which servers write it."""
    separators = rng.choice(((",", ":"), (", ", ": "), (" ,", " :")))
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators)
    return text.encode("utf-8", "surrogatepass")


def _members(value: Any) -> list[tuple[Any, Any]]:
    """Each container within the value with each of its names or places."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [member for key in keys for member in ((value, key), *_members(value[key]))]


def _repeated_name(body: bytes, rng: Random) -> bytes:
    """A member named twice, once perhaps by an escape or before a blank."""
    places = [at for at in range(len(body)) if body[at : at + 1] == b"{"]
    if not places:
        return mutate(body, rng)
    at = rng.choice(places) + 1
    name, colon, _ = body[at:].partition(b":")
    escaped = b'"\\u%04x' % name[1] + name[2:] if name[1:2].isalnum() else name
    pair = rng.choice((name, escaped)) + rng.choice((b":", b" :")) + rng.choice((b"1", b'":"', b"{}"))
    return body[:at] + pair + b"," + body[at:] if colon else mutate(body, rng)


def _nested(body: bytes, rng: Random) -> bytes:
    """An unknown member with many levels, as lists or as objects."""
    levels = rng.choice(LEVELS)
    deep = b"[" * levels + b"]" * levels if rng.random() < 0.5 else b'{"a":' * levels + b"1" + b"}" * levels
    return body[:1] + b'"deep":' + deep + b"," + body[1:] if body.startswith(b'{"') else deep


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _another_value, _another_value, _another_value, _another_value, _repeated_name, _nested, mutate,
    lambda _, rng: rng.choice(TEXTS),
)  # fmt: skip
