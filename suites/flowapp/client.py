"""The test client of flowapp: sending requests and reading responses, which the contract judges before anything is
read.

Rule: returned values have the types that the contract states, in or out of the envelope (FLOWAPP-AMB-2); otherwise
ContractViolation was raised. A missing record or setting raises MissingPrecondition. Records are never changed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, settings

from contracts.clauses import clauses
from contracts.exchange import Exchange
from contracts.judge.http_judge import WAS_ACCEPTED, WAS_REFUSED, Finding, is_refusal, judge_response
from fixtures.target_api import Api, MissingPrecondition
from suites.hypothesis_checks import counted
from suites.preparations import preparation
from suites.reporting.failures import raise_findings
from suites.reporting.postponed_findings import raise_or_postpone
from suites.reporting.response_body import read_body

Record = dict[str, Any]  # an object of a JSON list
PERIODS = {"past": "FLOWAPP-LIST-4", "current": "FLOWAPP-LIST-2", "future": "FLOWAPP-LIST-4"}  # each with its clause
each_period = pytest.mark.parametrize(
    "period", [pytest.param(period, marks=pytest.mark.clause(clause)) for period, clause in PERIODS.items()]
)
# the reports whose only path parameter is the session
REPORT_OPERATIONS = ("reportSummary", "reportRegistrants", "reportAttendeeChat", "reportOperatorChat")
KEYED_OPERATIONS = (  # all operations that read with the key
    *("listEvents", "getEvent", "listRegistrants", "listOperators", "listSurveys"),
    *REPORT_OPERATIONS,
    "reportSurveyDetail",
)


def few_examples(check: Callable[[], None]) -> Callable[[], None]:
    """Runs a test's inner function on 15 generated examples, under the Hypothesis profile of the run."""
    return counted(settings(max_examples=15, suppress_health_check=list(HealthCheck))(check))


def send(api: Api, operation: str, path: Mapping[str, Any] | None = None, **options: Any) -> Exchange:
    """One request to that operation; `path` has the values of its parameters, and `options` go to `Api.request`."""
    contract_operation = api.contract.find(operation)
    values = {name: quote(str(value), safe="") for name, value in (path or {}).items()}
    return api.request(contract_operation.method, contract_operation.path.format_map(values), **options)


def is_in_document(api: Api, operation: str) -> bool:
    """Whether the document has that operation's path; the other paths are known from public material only."""
    return clauses(api.target.api)[api.contract.find(operation).clauses[0]].grade in ("stated", "example")


def check_accepted(api: Api, operation: str, exchange: Exchange, clause: str | None = None) -> Exchange:
    """The exchange, which must be a documented success. Raises ContractViolation.

    A refusal is blamed on `clause`, but that of an operation whose path the document does not give on its own clause.
    """
    response = exchange.response
    findings = _findings(api, operation, exchange, clause)
    if is_refusal(api.contract, response):
        own_clause = api.contract.find(operation).clauses[0]
        blamed = clause if clause and is_in_document(api, operation) else own_clause
        received = f"{response.status}: {response.text()[:200]}"
        findings.insert(0, Finding(blamed, "a valid request is accepted", received, exchange, kind=WAS_REFUSED))
        raise_findings([(finding, None) for finding in findings], api)
    raise_or_postpone(findings, api)
    return exchange


def check_refused(api: Api, operation: str, exchange: Exchange, clause: str) -> None:
    """Raises ContractViolation unless the request was refused as the contract describes."""
    findings = _findings(api, operation, exchange, clause)
    if not is_refusal(api.contract, exchange.response):
        findings.insert(
            0, Finding(clause, "a refusal", f"{exchange.response.status}, accepted", exchange, kind=WAS_ACCEPTED)
        )
        raise_findings([(finding, None) for finding in findings], api)
    raise_or_postpone(findings, api)


def is_refused(api: Api, operation: str, exchange: Exchange) -> bool:
    """Whether the request was refused. Raises ContractViolation for a response that the contract does not describe."""
    raise_or_postpone(_findings(api, operation, exchange, None), api)
    return is_refusal(api.contract, exchange.response)


def _findings(api: Api, operation: str, exchange: Exchange, clause: str | None) -> list[Finding]:
    """The findings about the response; those without a clause of their own are blamed on `clause`."""
    own = api.contract.find(operation)
    findings = api.invalid_records.judged(exchange, partial(judge_response, api.contract, own))
    if clause is None or not is_in_document(api, operation):
        return findings
    return [replace(finding, clause=clause) if finding.clause == own.clauses[0] else finding for finding in findings]


def response_data(exchange: Exchange) -> Any:
    """The data of a judged JSON response: those in the envelope, or the whole body."""
    value = read_body(exchange)
    return value["data"] if isinstance(value, dict) and "data" in value else value


def accepted_data(
    api: Api, operation: str, path: Mapping[str, Any] | None = None, clause: str | None = None, **options: Any
) -> Any:
    """The data of a request that must be accepted."""
    return response_data(check_accepted(api, operation, send(api, operation, path, **options), clause))


# JSON lists and records


def events(api: Api, query: Any = (), clause: str | None = None) -> list[Record]:
    """The listed events, each with a text `token`."""
    listed: list[Record] = accepted_data(api, "listEvents", query=query, clause=clause)
    return listed


def event_tokens(api: Api, query: Any = (), clause: str | None = None) -> list[str]:
    """The tokens of the listed events, in order."""
    return [row["token"] for row in events(api, query, clause)]


def event(api: Api, token: str, clause: str | None = None) -> Record:
    """One event, requested with the key; it has a text `token`."""
    requested: Record = accepted_data(api, "getEvent", {"sessionToken": token}, clause)
    return requested


def registrants(api: Api, token: str, clause: str | None = None) -> list[Record]:
    """The registrants of a session, each with a text `email`."""
    listed: list[Record] = accepted_data(api, "listRegistrants", {"sessionToken": token}, clause)
    return listed


def registered_emails(api: Api, token: str, clause: str | None = None) -> list[str]:
    """The e-mail addresses of a session's registrants, in lower case and sorted."""
    return sorted(row["email"].lower() for row in registrants(api, token, clause))


def operators(api: Api) -> list[Record]:
    """The account's operators, each with an integer `id`. Raises MissingPrecondition when there is none."""
    listed: list[Record] = accepted_data(api, "listOperators")
    if not listed:
        raise MissingPrecondition("the account has no operator, so nobody can host an event")
    return listed


def surveys(api: Api, token: str, clause: str | None = None) -> list[Record]:
    """The surveys of a session, each with an `id`."""
    listed: list[Record] = accepted_data(api, "listSurveys", {"sessionToken": token}, clause)
    return listed


# CSV


def report_rows(api: Api, operation: str, token: str, clause: str | None = None, **path: Any) -> list[list[str]]:
    """The rows of a CSV report, column names first; empty lines are omitted."""
    exchange = send(api, operation, {"sessionToken": token, **path})
    return csv_rows(check_accepted(api, operation, exchange, clause))


def csv_rows(exchange: Exchange) -> list[list[str]]:
    """The rows of a judged CSV response."""
    text = exchange.response.body.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


# Records of the tests


def event_body(api: Api, **members: Any) -> Record:
    """The body of a creation: an event in the far future, with these members instead of the usual ones."""
    host = members.get("creatorID") or operators(api)[0]["id"]
    host_as_operator = {"id": host, "role": 10, "micEnabled": True, "camEnabled": True, "screenSharingEnabled": False}
    defaults = {
        "title": api.unique_text("Event "),
        "description": "Made by a test",
        "date": "2040-10-20",
        "time": "12:00:00",
    }
    return {"creatorID": host, "operators": [host_as_operator], "timezone": "UTC", **defaults, **members}


def create_event(api: Api, clause: str | None = None, **members: Any) -> str:
    """The token of a new event with these members. Raises MissingPrecondition when the response has no token."""
    with preparation(api, "an event", partial(create_event, api, clause) if members else None):
        created = accepted_data(api, "createEvent", json=event_body(api, **members), clause=clause)
    token = created.get("token") if isinstance(created, dict) else None
    if not isinstance(token, str) or not token:
        raise MissingPrecondition("the response to the creation has no token, so the event cannot be used")
    return token


def create_past_event(api: Api) -> str:
    """The token of a new event that ended long ago."""
    return create_event(api, date="2022-02-03", time="04:05:06", duration=1)


def create_past_event_with_registrant(api: Api, clause: str | None = None) -> tuple[str, Record]:
    """The token of a new past event and its registrant.

    Raises MissingPrecondition where nobody can be registered for an event that has ended.
    """
    token, registrant = create_past_event(api), new_person(api)
    if is_refused(api, "registerPerson", register(api, token, registrant)):
        register_new_person(api, create_event(api), clause)  # raises when nobody can be registered at all
        raise MissingPrecondition("nobody can be registered for an event that has ended")
    return token, registrant


def new_person(api: Api, **members: Any) -> Record:
    """A person with an e-mail address that nobody had before, with these members instead of the usual ones."""
    return {"email": f"{api.unique_text('guest-')}@example.com", "firstName": "Jo", "lastName": "Li", **members}


def register(api: Api, token: str, registrant: Record, **options: Any) -> Exchange:
    """One request to register that person for that session, whatever its response."""
    return send(api, "registerPerson", json={**registrant, "eventSessionToken": token}, **options)


def register_new_person(api: Api, token: str, clause: str | None = None, **members: Any) -> Record:
    """A new person who was successfully registered for that session: the members that were sent."""
    registrant = new_person(api, **members)
    with preparation(api, "a registration", partial(register_new_person, api, token, clause) if members else None):
        check_accepted(api, "registerPerson", register(api, token, registrant), clause)
    return registrant


# Records of the target


def past_session_token(api: Api) -> str:
    """The token of a session that has ended: the configured one, or the first in the list.

    Raises MissingPrecondition when there is none.
    """
    configured = optional_setting(api, "PAST_SESSION_TOKEN")
    if configured:
        return configured
    listed = _listed_past_tokens(api)
    if not listed:
        raise MissingPrecondition("the target has no past event")
    return listed[0]


def _listed_past_tokens(api: Api) -> list[str]:
    """The tokens of the past events in the list. Raises MissingPrecondition where the list cannot be asked for them."""
    exchange = send(api, "listEvents", query={"period": "past"})
    if is_refusal(api.contract, exchange.response):
        raise MissingPrecondition(
            f"the target refuses {exchange.request.url}; set FLOWAPP_PAST_SESSION_TOKEN", refusal=exchange
        )
    return [row["token"] for row in response_data(check_accepted(api, "listEvents", exchange, "FLOWAPP-LIST-4"))]


def session_with_surveys(api: Api) -> tuple[str, list[Record]]:
    """A session that has ended, and its surveys."""
    configured = optional_setting(api, "SURVEY_SESSION_TOKEN")
    for token in [configured] if configured else _listed_past_tokens(api):
        listed = surveys(api, token)
        if listed:
            return token, listed
    raise MissingPrecondition("the target has no past event with surveys")


def keyed_path(api: Api, operation: str) -> dict[str, Any]:
    """Path parameters that name existing records, for an operation that reads with the key.

    Raises MissingPrecondition when the target lacks what this very operation needs.
    """
    if operation == "reportSurveyDetail":
        return survey_report_path(api)
    return {} if operation in ("listEvents", "listOperators") else {"sessionToken": past_session_token(api)}


def survey_report_path(api: Api) -> dict[str, Any]:
    """The path parameters of the report of one survey."""
    token, survey_id = optional_setting(api, "SURVEY_SESSION_TOKEN"), optional_setting(api, "SURVEY_ID")
    if token and survey_id:
        return {"sessionToken": token, "surveyId": survey_id}
    token, listed = session_with_surveys(api)
    return {"sessionToken": token, "surveyId": listed[0]["id"]}


def optional_setting(api: Api, name: str) -> str | None:
    """That setting of the target, None when it is not set."""
    return api.target.settings.get(name)
