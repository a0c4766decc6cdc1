"""What the tests of getflow share: how to ask and how to read an answer. Pages are in paging.py.

Rule: whatever a server answers ends as a value or as ContractBroken; no other exception leaves this file for what
came. A request is given by kind of record and action (`ask(api, TASKS, "list", query={"limit": 5})`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from contracts.document import contract
from contracts.exchange import Exchange
from contracts.judge import Finding, judge
from contracts.judge import refused as is_refused
from contracts.operation import Operation, Parameter
from fixtures.api import Api
from fixtures.cases import encode
from suites.blame import blame, broken

FLOW = contract("getflow")
VERSIONED = "application/vnd.flow.v2+json"
ACCEPT, PREFIX = 0, 1  # the two ways to name the version: the contract's servers
WAYS = (ACCEPT, PREFIX)
ABSENT = 2147483000  # an id that no record has
MOST_PAGES = 200

Row = dict[str, Any]
Query = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of record, named as it stands at the root of a list."""

    plural: str

    @property
    def singular(self) -> str:
        """Its name at the root of a single record."""
        return str(FLOW.resources[self.plural].get("item", "/")[1:])

    def can(self, action: str) -> bool:
        """Whether the contract has list, read, create, update or delete for it."""
        return action in FLOW.resources[self.plural]

    def operation(self, action: str, way: int = PREFIX) -> Operation:
        """The operation behind an action."""
        return FLOW.find(FLOW.resources[self.plural][action], way)

    def parameter(self, name: str, action: str = "list") -> Parameter | None:
        """A query parameter of an action, None when it has none of that name."""
        found = (one for one in self.operation(action).parameters if (one.place, one.name) == ("query", name))
        return next(found, None)

    @property
    def views(self) -> list[str]:
        """The views that its list is known to have."""
        parameter = self.parameter("view")
        return list(parameter.schema["enum"]) if parameter else []

    @property
    def includes(self) -> list[str]:
        """The kinds that its list can include."""
        parameter = self.parameter("include")
        return list(parameter.schema["items"]["enum"]) if parameter else []

    def __str__(self) -> str:
        return self.plural


KINDS = tuple(Kind(plural) for plural in FLOW.resources)
TASKS, LISTS, WORKSPACES, MEMBERSHIPS, ACCOUNTS, ACTIVITIES = KINDS
INCLUDING = tuple(kind for kind in KINDS if kind.includes)
MADE = tuple(kind for kind in KINDS if kind.can("create"))
ACTIONS = ("list", "read", "create", "update", "delete")
CALLS = tuple((kind, action) for kind in KINDS for action in ACTIONS if kind.can(action))
READS = tuple((kind, action) for kind, action in CALLS if action in ("list", "read"))


def ask(
    api: Api,
    kind: Kind,
    action: str,
    record: Any = None,
    *,
    query: Query | None = None,
    sent: Any = None,
    way: int = PREFIX,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Exchange:
    """One request about records. `sent` are the attributes in the body; a query value of None leaves it out."""
    operation = kind.operation(action, way)
    pairs = {"organization_id": api.setting("ORGANIZATION_ID"), **(query or {})}
    given_headers = {**operation.base_headers, **(headers or {})}
    if sent is not None:
        given_headers.setdefault("Content-Type", VERSIONED)
        more["body"] = encode({kind.singular: sent})
    path = re.sub(r"\{\w+\}", str(record), operation.path)
    kept = {name: value for name, value in pairs.items() if value is not None}
    return api.request(operation.method, path, query=kept, headers=given_headers, **more)


def documented(api: Api, exchange: Exchange, clause: str) -> None:
    """Raises ContractBroken unless the contract describes this answer; what is of no clause is blamed on this one."""
    operation = _operation_of(exchange.sent.method, urlsplit(exchange.sent.url).path.removeprefix(_mount(api)))
    found = judge(FLOW, operation, exchange)
    own = [
        Finding(clause, one.expected, one.received, exchange) if one.clause == operation.clauses[0] else one
        for one in found
    ]
    blame([(one, None) for one in own], api.secrets)


def accepted(api: Api, exchange: Exchange, clause: str) -> Row:
    """The body of a success, {} when it has none. Raises ContractBroken for anything else."""
    documented(api, exchange, clause)
    if not succeeded(exchange):
        raise broken(api, clause, "a success", shown(exchange), exchange)
    return body(exchange)


def refused(api: Api, exchange: Exchange, clause: str) -> list[Row]:
    """The problems that a refusal tells. Raises ContractBroken for anything else."""
    documented(api, exchange, clause)
    if not is_refused(FLOW, exchange.answer):
        raise broken(api, clause, "a refusal", shown(exchange), exchange)
    return problems(exchange)


def succeeded(exchange: Exchange) -> bool:
    """Whether the request was served."""
    return 200 <= exchange.answer.status < 300


def body(exchange: Exchange) -> Row:
    """The JSON object in an answer, {} when it holds none."""
    try:
        value = exchange.answer.json()
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def problems(exchange: Exchange) -> list[Row]:
    """The problems in an error payload, as far as they are objects in a list."""
    found = body(exchange).get("errors")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def codes(exchange: Exchange) -> list[Any]:
    """The code of each problem."""
    return [one.get("code") for one in problems(exchange)]


def shown(exchange: Exchange) -> str:
    """An answer in a line."""
    return f"{exchange.answer.status}: {exchange.answer.text()[:300]}"


def without_ids(value: Row) -> Row:
    """A body without the id of its request."""
    return {name: part for name, part in value.items() if name not in ("request_id", "request_uuid")}


def rows(api: Api, exchange: Exchange, kind: Kind, clause: str) -> list[Row]:
    """The records of a page."""
    return list(accepted(api, exchange, clause)[kind.plural])


def record(api: Api, exchange: Exchange, kind: Kind, clause: str) -> Row:
    """The record that stands alone in an answer."""
    return dict(accepted(api, exchange, clause)[kind.singular])


def identity(row: Row) -> Any:
    """What tells a record from others: its id, or all of it when it has none."""
    return row["id"] if "id" in row else json.dumps(row, sort_keys=True)


def calls(api: Api) -> tuple[tuple[Kind, str], ...]:
    """All that can be asked of this target: without its owner's leave to write, only what reads."""
    return CALLS if api.target.writes else READS


@cache
def _operation_of(method: str, path: str) -> Operation:
    """The operation of a request; the list of tasks, which can be refused for anything, when it is none."""
    for operation in FLOW.operations.values():
        if operation.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", operation.path), path):
            return operation
    return TASKS.operation("list")


def _mount(api: Api) -> str:
    return urlsplit(api.target.url).path.rstrip("/")
