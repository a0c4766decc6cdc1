"""The test client of bitvis: calls over HTTP by header, by query string and by path.

Rule: the contract judges every response before a test reads it, so a test may rely on documented shapes; whatever it
asserts beyond them is its own finding. Only objects that a test created are changed or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contracts.exchange import Exchange
from contracts.judge.http_judge import judge_response
from fixtures.target_api import Api, MissingPrecondition
from suites.preparations import preparation
from suites.reporting.failures import violation
from suites.reporting.postponed_findings import raise_or_postpone
from suites.reporting.response_body import read_body

Record = dict[str, Any]

METHODS = ("LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN")  # lines 6-12
READING_METHODS = ("LIST", "OPEN", "INDEX")
GET_METHODS = ("LIST", "OPEN", "DELETE")  # lines 68-70
PART_HEADERS = {  # lines 73-80
    "token": "Flow-Auth-Token",
    "objectid": "Flow-Request-ObjectId",
    "namespace": "Flow-Request-Namespace",
    "method": "Flow-Request-Method",
    "parameters": "Flow-Request-Parameters",
    "parameter": "Flow-Request-Parameter",
}
SWITCHING_PROTOCOLS = 101


@dataclass(frozen=True, repr=False)
class ObjectKind:
    """An endpoint and the kind of object that it serves.

    `text_member` takes any text, `plain_members` are the documented members with text or number values, and
    `default_data` is what a CREATE sends besides the text.
    """

    name: str
    path: str
    endpoint: str
    default_data: Mapping[str, Any]
    text_member: str
    plain_members: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name.upper()  # the constant's name


DEVICE = ObjectKind("device", "/api/inventory/inventory/device/", "inventory/device", {}, "name", ("name", "id"))
ADDRESS = ObjectKind(
    "address",
    "/api/address/address/address/",
    "address/address",
    {"city": "Envik", "streetNumber": 4, "postalCode": "12431", "countryCode": "SE"},
    "streetName",
    ("streetName", "streetNumber", "streetLitteral", "postalCode", "city", "countryCode", "id"),
)
QUEUE = ObjectKind("queue", "/api/scheduler/scheduler/queue/", "scheduler/queue", {}, "name", ("id",))
KINDS = (DEVICE, ADDRESS, QUEUE)


def http_exchange(
    api: Api,
    method: str,
    kind: ObjectKind = ADDRESS,
    objectid: str = "",
    *,
    data: Any = None,
    parameters: Any = None,
    place: str = "header",
    verb: str = "",
    parts: Mapping[str, str] | None = None,
    **options: Any,
) -> Exchange:
    """One call over HTTP with its parts at `place`: "header", "query", or "path" (the object id in the path, the rest
    in headers).

    `parts` are further parts by their name in the query string; the value "" leaves a part out. `options` are passed to
    `Api.request`, which says when NotPermitted is raised.
    """
    call_parts = {"method": method, "objectid": objectid, **(parts or {})}
    if parameters is not None:
        call_parts["parameter"] = json.dumps({"parameters": parameters})
    path = kind.path + (call_parts.pop("objectid") if place == "path" else "")
    call_parts = {name: value for name, value in call_parts.items() if value}
    arguments: dict[str, Any] = {"query": call_parts, "scheme": "QueryToken"} if place == "query" else {}
    headers = {} if place == "query" else {PART_HEADERS[name]: value for name, value in call_parts.items()}
    arguments["headers"] = {**headers, **options.pop("headers", {})}
    verb = verb or ("GET" if method in GET_METHODS and data is None else "POST")
    return api.request(verb, path, json=data, **{**arguments, **options})


def checked_envelope(api: Api, exchange: Exchange, method: str, kind: ObjectKind = ADDRESS) -> Record:
    """The envelope of the response, judged by the contract; of another kind than KINDS, which it does not describe, the
    envelope alone.

    Raises ContractViolation when the contract does not describe it for that method, and AssertionError when no clause
    of the contract covers the deviation: then the clause of the test is broken.
    """
    __tracebackhide__ = True
    if kind not in KINDS:
        return bare_envelope(exchange)
    documented_method = method if method in METHODS else "DELETE"  # its response may hold any data
    verb = "Get" if documented_method in GET_METHODS else "Post"
    operation = api.contract.find(f"{kind.name}Collection{verb} {documented_method} by header")
    response = exchange.response
    if response.status == SWITCHING_PROTOCOLS:  # a frame has neither status nor media type
        response = replace(response, status=200, headers=(("content-type", "application/json"),))
    judge = partial(judge_response, api.contract, operation)
    findings = api.invalid_records.judged(replace(exchange, response=response), judge)
    uncovered = [finding for finding in findings if finding.clause == operation.clauses[0]]
    raise_or_postpone([finding for finding in findings if finding not in uncovered], api)
    assert not uncovered, f"expected {uncovered[0].expected}, got {uncovered[0].received}"
    envelope: Record = read_body(exchange)
    return envelope


def bare_envelope(exchange: Exchange) -> Record:
    """The envelope of the response, which says whether the call has succeeded; nothing else of it is judged."""
    envelope: Record = read_body(exchange)
    assert isinstance(envelope.get("success"), bool), (
        f"expected true or false as success, got {envelope_text(envelope)}"
    )
    return envelope


def http_envelope(api: Api, method: str, kind: ObjectKind = ADDRESS, objectid: str = "", **options: Any) -> Record:
    """The envelope of the response to a call over HTTP; arguments as in `http_exchange`."""
    return checked_envelope(api, http_exchange(api, method, kind, objectid, **options), method, kind)


def envelope_text(envelope: Mapping[str, Any]) -> str:
    """An envelope as JSON text for messages, cut after 300 characters."""
    text = json.dumps(envelope, ensure_ascii=False)
    return text if len(text) < 300 else f"{text[:300]}…"


def assert_success(envelope: Record) -> Any:
    """The data of an envelope that must be a success."""
    assert envelope["success"] is True, f"expected a success, got {envelope_text(envelope)}"
    return envelope["data"]


def assert_failure(envelope: Record, why: str) -> Record:
    """The envelope, which must be a failure; `why` is the reason that the message gives."""
    assert envelope["success"] is False, f"expected a failure ({why}), got {envelope_text(envelope)}"
    return envelope


def http_data(api: Api, method: str, kind: ObjectKind = ADDRESS, objectid: str = "", **options: Any) -> Any:
    """The data of a call over HTTP that must succeed; arguments as in `http_exchange`."""
    return assert_success(http_envelope(api, method, kind, objectid, **options))


def all_objects(api: Api, kind: ObjectKind = ADDRESS) -> list[Record]:
    """All objects of an endpoint, in the server's order."""
    objects: list[Record] = http_data(api, "LIST", kind)
    return objects


def any_object(api: Api, kind: ObjectKind = ADDRESS) -> Record:
    """Any object of an endpoint, for reading only. Raises MissingPrecondition when there is none."""
    objects = all_objects(api, kind)
    if not objects:
        raise MissingPrecondition(f"the target has no {kind} that could be read")
    return objects[0]


def ids(records: Sequence[Any]) -> list[Any]:
    """The id of each object, in order; None for what has none."""
    return [record.get("id") if isinstance(record, dict) else None for record in records]


def without_errorid(envelope: Mapping[str, Any]) -> Record:
    """The envelope without its errorid, which differs between equal calls."""
    return {name: value for name, value in envelope.items() if name != "errorid"}


def assert_answered_alike(first: Callable[[], Record], second: Callable[[], Record], message: str = "") -> None:
    """Asserts that two calls have the same envelope, apart from the errorid.

    Raises MissingPrecondition when already the first is answered otherwise each time, as with the time of the answer.
    """
    __tracebackhide__ = True
    expected, received = without_errorid(first()), without_errorid(second())
    if expected != received and without_errorid(first()) != expected:
        raise MissingPrecondition(f"the same call is answered otherwise each time: {envelope_text(expected)}")
    assert expected == received, message or f"expected {envelope_text(expected)}, got {envelope_text(received)}"


def two_devices(api: Api) -> list[str]:
    """The ids of two devices. Raises MissingPrecondition when the target has fewer."""
    identifiers = ids(all_objects(api, DEVICE))[:2]
    if len(identifiers) < 2:
        raise MissingPrecondition("the target has fewer than two devices")
    return [str(identifier) for identifier in identifiers]


def new_object_data(kind: ObjectKind, api: Api, **data: Any) -> Record:
    """Data of a new object with a text that no other object has."""
    return {kind.text_member: api.unique_text("flowproof-"), **kind.default_data, **data}


def create_object(api: Api, kind: ObjectKind, **data: Any) -> Record:
    """A new object as OPEN shows it. Raises MissingPrecondition when the target refuses our data."""
    with preparation(api, f"a {kind}", partial(create_object, api, kind) if data else None):
        created = http_envelope(api, "CREATE", kind, data=new_object_data(kind, api, **data))
        if created["success"] is not True:
            raise MissingPrecondition(f"CREATE of a {kind} was refused: {envelope_text(created)}")
        opened = http_envelope(api, "OPEN", kind, created["data"]["id"])
        if opened["success"] is not True:
            raise violation(api, "BITVIS-METH-CREATE-1", "the created object can be opened", envelope_text(opened))
    record: Record = opened["data"]
    return record


def run_data(api: Api, kind: ObjectKind) -> Record:
    """Data of a RUN that the target offers. Raises MissingPrecondition when the setting is missing."""
    return {"method": api.setting(f"{kind.name.upper()}_METHOD")}
