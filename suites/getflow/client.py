"""The test client of getflow: sending requests and reading responses. Pages are in pagination.py.

Rule: whatever a server responds becomes a value or ContractViolation; no other exception leaves this module because of
a response. A request is given by kind of record and action: `send(api, TASKS, "list", query={"limit": 5})`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_ACCEPTED, WAS_REFUSED, is_refusal, judge_response
from contracts.operation import Operation, Parameter
from fixtures.cases import encode_json
from fixtures.target_api import Api
from suites.getflow.known_requests import CONTRACT, fair_clause, note_accepted, operation_of
from suites.reporting.failures import violation
from suites.reporting.postponed_findings import raise_or_postpone
from suites.reporting.response_body import read_body

V2_MEDIA_TYPE = "application/vnd.flow.v2+json"
ACCEPT_HEADER, PATH_PREFIX = 0, 1  # how a request names the version: index of the contract's server
VERSIONINGS = (ACCEPT_HEADER, PATH_PREFIX)
UNKNOWN_ID = 2147483000  # no record has this id

Record = dict[str, Any]
Query = Mapping[str, Any]


@dataclass(frozen=True)
class RecordKind:
    """A kind of record, by its plural name: the member at the root of a list."""

    plural: str

    @property
    def singular(self) -> str:
        """The member at the root of a single record."""
        return str(CONTRACT.resources[self.plural].get("item", "/")[1:])

    def supports(self, action: str) -> bool:
        """Whether the contract has that action for it: list, read, create, update or delete."""
        return action in CONTRACT.resources[self.plural]

    def operation(self, action: str, versioning: int = PATH_PREFIX) -> Operation:
        """The operation that carries out an action."""
        return CONTRACT.find(CONTRACT.resources[self.plural][action], versioning)

    def parameter(self, name: str, action: str = "list") -> Parameter | None:
        """That query parameter of an action, None when there is none."""
        matching = (
            parameter
            for parameter in self.operation(action).parameters
            if (parameter.location, parameter.name) == ("query", name)
        )
        return next(matching, None)

    @property
    def views(self) -> list[str]:
        """The documented views of its list."""
        parameter = self.parameter("view")
        return list(parameter.schema["enum"]) if parameter else []

    @property
    def includes(self) -> list[str]:
        """The kinds of record that its list can include."""
        parameter = self.parameter("include")
        return list(parameter.schema["items"]["enum"]) if parameter else []

    def __str__(self) -> str:
        return self.plural


KINDS = tuple(RecordKind(plural) for plural in CONTRACT.resources)
TASKS, LISTS, WORKSPACES, MEMBERSHIPS, ACCOUNTS, ACTIVITIES = KINDS
INCLUDING_KINDS = tuple(kind for kind in KINDS if kind.includes)
CREATABLE_KINDS = tuple(kind for kind in KINDS if kind.supports("create"))
ACTIONS = ("list", "read", "create", "update", "delete")
OPERATIONS = tuple((kind, action) for kind in KINDS for action in ACTIONS if kind.supports(action))
READ_OPERATIONS = tuple((kind, action) for kind, action in OPERATIONS if action in ("list", "read"))


def send(
    api: Api,
    kind: RecordKind,
    action: str,
    record: Any = None,
    *,
    query: Query | None = None,
    attributes: Any = None,
    versioning: int = PATH_PREFIX,
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> Exchange:
    """One request about records.

    `record` is the id in the path, `attributes` are those of the record in the body, and `options` go to `Api.request`.
    A query value of None omits that parameter.
    """
    operation = kind.operation(action, versioning)
    pairs = {"organization_id": api.setting("ORGANIZATION_ID"), **(query or {})}
    all_headers = {**operation.base_headers, **(headers or {})}
    if attributes is not None:
        all_headers.setdefault("Content-Type", V2_MEDIA_TYPE)
        options["body"] = encode_json({kind.singular: attributes})
    path = re.sub(r"\{\w+\}", str(record), operation.path)
    parameters = {name: value for name, value in pairs.items() if value is not None}
    exchange = api.request(operation.method, path, query=parameters, headers=all_headers, **options)
    if is_success(exchange):
        note_accepted(api, exchange)
    return exchange


def check_documented(api: Api, exchange: Exchange, clause: str) -> None:
    """Raises ContractViolation unless the contract describes the response; that there is none is blamed on `clause`.

    What the document does not say of a response is reported at the end of the test, so that its promises are tested.
    """
    operation = operation_of(api, exchange)
    findings = api.invalid_records.judged(exchange, partial(judge_response, CONTRACT, operation))
    if exchange.response.error:
        findings = [replace(finding, clause=clause) for finding in findings]
    raise_or_postpone(findings, api)


def require_success(api: Api, exchange: Exchange, clause: str) -> None:
    """Raises ContractViolation for a refusal: of that clause if the target knows the words of the request."""
    if not is_success(exchange):
        raise violation(
            api, fair_clause(api, exchange, clause), "a success", response_text(exchange), exchange, WAS_REFUSED
        )


def require_known(api: Api, exchange: Exchange, name: str) -> None:
    """Raises ContractViolation for a refusal that calls a parameter or attribute of public clients unsupported."""
    if ("unsupported_param", name) in codes_and_attributes(exchange):
        raise violation(api, CONTRACT.silent["request"], f"{name} is known", response_text(exchange), exchange)


def accepted_body(api: Api, exchange: Exchange, clause: str) -> Record:
    """The JSON body of a success, {} when it has none. Raises ContractViolation for any other response."""
    check_documented(api, exchange, clause)
    require_success(api, exchange, clause)
    return json_body(exchange)


def refusal_problems(api: Api, exchange: Exchange, clause: str) -> list[Record]:
    """The problems that a refusal reports. Raises ContractViolation for any other response."""
    check_documented(api, exchange, clause)
    if not is_refusal(CONTRACT, exchange.response):
        raise violation(api, clause, "a refusal", response_text(exchange), exchange, WAS_ACCEPTED)
    return problems(exchange)


def is_success(exchange: Exchange) -> bool:
    """Whether the request was served."""
    return 200 <= exchange.response.status < 300


def json_body(exchange: Exchange) -> Record:
    """The JSON object in the response's body, {} when there is none."""
    try:
        value = read_body(exchange)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def problems(exchange: Exchange) -> list[Record]:
    """The problems in an error payload that are objects in a list."""
    errors = json_body(exchange).get("errors")
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def problem_codes(exchange: Exchange) -> list[Any]:
    """The code of each problem."""
    return [problem.get("code") for problem in problems(exchange)]


def codes_and_attributes(exchange: Exchange) -> list[tuple[Any, Any]]:
    """Code and attribute of each problem; None for a missing member."""
    return [(problem.get("code"), problem.get("attribute")) for problem in problems(exchange)]


def response_text(exchange: Exchange) -> str:
    """Status and beginning of the body, in one line."""
    return f"{exchange.response.status}: {exchange.response.text()[:300]}"


def without_request_ids(body: Record) -> Record:
    """A body without the id of its request."""
    return {name: value for name, value in body.items() if name not in ("request_id", "request_uuid")}


def page_records(api: Api, exchange: Exchange, kind: RecordKind, clause: str) -> list[Record]:
    """The records of a page. Raises ContractViolation when the page is refused or not as documented."""
    records: list[Record] = accepted_body(api, exchange, clause)[kind.plural]
    return records


def single_record(api: Api, exchange: Exchange, kind: RecordKind, clause: str) -> Record:
    """The record in a response about one record. Raises ContractViolation as `page_records` does."""
    record: Record = accepted_body(api, exchange, clause)[kind.singular]
    return record


def record_identity(row: Record) -> Any:
    """What distinguishes a record from others: its id, or all its members when it has none."""
    return row["id"] if "id" in row else json.dumps(row, sort_keys=True)


def permitted_operations(api: Api) -> tuple[tuple[RecordKind, str], ...]:
    """All operations that may be sent to this target: only reading ones where writing is not allowed."""
    return OPERATIONS if api.target.writes else READ_OPERATIONS


@cache
def _mount(api: Api) -> str:
    return urlsplit(api.target.url).path.rstrip("/")
