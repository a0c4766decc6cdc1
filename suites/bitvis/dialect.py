"""Calls of bitvis as its document writes them: by header, by query string, by path.

Rule: whatever a server answers is judged by the contract before a test looks into it, so a test may rely on shapes;
what it finds beyond them is the test's own complaint. Only objects that a test has made are changed or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure

from contracts.exchange import Exchange
from contracts.judge import judge
from fixtures.api import Api, Lacking
from suites.blame import blame, broken

Record = dict[str, Any]

METHODS = ("LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN")  # lines 6-12
READING = ("LIST", "OPEN", "INDEX")
BY_GET = ("LIST", "OPEN", "DELETE")  # lines 68-70
HEADERS = {  # lines 73-80
    "token": "Flow-Auth-Token",
    "objectid": "Flow-Request-ObjectId",
    "namespace": "Flow-Request-Namespace",
    "method": "Flow-Request-Method",
    "parameters": "Flow-Request-Parameters",
    "parameter": "Flow-Request-Parameter",
}
WEBSOCKET = 101


@dataclass(frozen=True, repr=False)
class Kind:
    """An endpoint and its objects: `text` is a member that takes any text, `keys` are the documented plain ones."""

    name: str
    path: str
    endpoint: str
    data: Mapping[str, Any]
    text: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return self.name.upper()  # as it is named below


DEVICE = Kind("device", "/api/inventory/inventory/device/", "inventory/device", {}, "name", ("name", "id"))
ADDRESS = Kind(
    "address",
    "/api/address/address/address/",
    "address/address",
    {"city": "Envik", "streetNumber": 4, "postalCode": "12431", "countryCode": "SE"},
    "streetName",
    ("streetName", "streetNumber", "streetLitteral", "postalCode", "city", "countryCode", "id"),
)
QUEUE = Kind("queue", "/api/scheduler/scheduler/queue/", "scheduler/queue", {}, "name", ("id",))
KINDS = (DEVICE, ADDRESS, QUEUE)


# ------------------------------------------------------------------------------------------------ over HTTP


def call(
    api: Api,
    method: str,
    kind: Kind = ADDRESS,
    objectid: str = "",
    *,
    data: Any = None,
    parameters: Any = None,
    place: str = "header",
    verb: str = "",
    parts: Mapping[str, str] | None = None,
    changes: bool | None = None,
    **how: Any,
) -> Exchange:
    """One call over HTTP with its parts in `place`: header, query, or path, which puts the rest in headers.

    `parts` are further ones by their name in the query string; "" leaves one out. `how` goes to `Api.request`.
    Raises NotPermitted when the call changes something and the target does not allow it.
    """
    said = {"method": method, "objectid": objectid, **(parts or {})}
    if parameters is not None:
        said["parameter"] = json.dumps({"parameters": parameters})
    path = kind.path + (said.pop("objectid") if place == "path" else "")
    said = {name: value for name, value in said.items() if value}
    sent: dict[str, Any] = {"query": said, "scheme": "QueryToken"} if place == "query" else {}
    headers = {} if place == "query" else {HEADERS[name]: value for name, value in said.items()}
    sent["headers"] = {**headers, **how.pop("headers", {})}
    verb = verb or ("GET" if method in BY_GET and data is None else "POST")
    changes = method not in READING if changes is None else changes
    return api.request(verb, path, json=data, changes=changes, **{**sent, **how})


def envelope(api: Api, exchange: Exchange, method: str, kind: Kind = ADDRESS) -> Record:
    """The answer's envelope.

    Raises ContractBroken when it is not one that the document describes for that method, AssertionError when the
    contract has no clause of its own for what is wrong: then it is the clause of the test that is broken.
    """
    __tracebackhide__ = True
    found = method if method in METHODS else "DELETE"  # whose answers may hold any data
    verb = "Get" if found in BY_GET else "Post"
    operation = api.contract.find(f"{kind.name}Collection{verb} {found} by header")
    answer = exchange.answer
    if answer.status == WEBSOCKET:  # a frame has neither status nor media type
        answer = replace(answer, status=200, headers=(("content-type", "application/json"),))
    problems = judge(api.contract, operation, replace(exchange, answer=answer))
    blame([(one, None) for one in problems if one.clause != operation.clauses[0]], api.secrets)
    assert not problems, f"expected {problems[0].expected}, got {problems[0].received}"
    whole: Record = exchange.answer.json()
    return whole


def asked(api: Api, method: str, kind: Kind = ADDRESS, objectid: str = "", **how: Any) -> Record:
    """The envelope that answers a call over HTTP; arguments as in `call`."""
    return envelope(api, call(api, method, kind, objectid, **how), method, kind)


def told(answer: Mapping[str, Any]) -> str:
    """An envelope for people."""
    text = json.dumps(answer, ensure_ascii=False)
    return text if len(text) < 300 else f"{text[:300]}…"


def succeeds(answer: Record) -> Any:
    """The data of an envelope that has to be a success."""
    assert answer["success"] is True, f"expected a success, got {told(answer)}"
    return answer["data"]


def fails(answer: Record, why: str) -> Record:
    """An envelope that has to be a failure, because of `why`."""
    assert answer["success"] is False, f"expected a refusal ({why}), got {told(answer)}"
    return answer


def done(api: Api, method: str, kind: Kind = ADDRESS, objectid: str = "", **how: Any) -> Any:
    """The data that answers a call that has to succeed; arguments as in `call`."""
    return succeeds(asked(api, method, kind, objectid, **how))


def everything(api: Api, kind: Kind = ADDRESS) -> list[Record]:
    """All objects of an endpoint, in the server's order."""
    found: list[Record] = done(api, "LIST", kind)
    return found


def some(api: Api, kind: Kind = ADDRESS) -> Record:
    """Any object of an endpoint, to read it only. Raises Lacking when there is none."""
    found = everything(api, kind)
    if not found:
        raise Lacking(f"the target has no {kind} to look at")
    return found[0]


def ids(records: Sequence[Any]) -> list[Any]:
    """The ids of objects, in their order."""
    return [record.get("id") if isinstance(record, dict) else None for record in records]


def without_errorid(answer: Mapping[str, Any]) -> Record:
    """An envelope as far as it is the same for two calls that are the same."""
    return {name: value for name, value in answer.items() if name != "errorid"}


def of(kind: Kind, api: Api, **data: Any) -> Record:
    """Data for a new object that no other one is named as."""
    return {kind.text: api.unique("flowproof-"), **kind.data, **data}


# ------------------------------------------------------------------------------------------------ properties


def for_all(check: Callable[..., None], examples: int = 15, **strategies: st.SearchStrategy[Any]) -> None:
    """Runs the check on generated arguments; the smallest ones that fail are told.

    A failure that does not come again is a failure all the same: the server answered otherwise to the same calls.
    """
    __tracebackhide__ = True
    run = settings(max_examples=examples, suppress_health_check=list(HealthCheck))(given(**strategies)(check))
    try:
        run()
    except FlakyFailure as flaky:
        raise next((one for one in flaky.exceptions if isinstance(one, AssertionError)), flaky) from None


def created(api: Api, kind: Kind, **data: Any) -> Record:
    """A new object as OPEN shows it. Raises Lacking when the target does not take our data."""
    answer = asked(api, "CREATE", kind, data=of(kind, api, **data))
    if answer["success"] is not True:
        raise Lacking(f"CREATE of a {kind} was refused: {told(answer)}")
    opened = asked(api, "OPEN", kind, answer["data"]["id"])
    if opened["success"] is not True:
        raise broken(api, "BITVIS-METH-CREATE-1", "the created object can be opened", told(opened))
    found: Record = opened["data"]
    return found


def run_data(api: Api, kind: Kind) -> Record:
    """Data for a RUN that the target knows. Raises Lacking when no setting tells."""
    return {"method": api.setting(f"{kind.name.upper()}_METHOD")}
