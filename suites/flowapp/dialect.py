"""How flowapp is asked and read: every answer is judged before anything in it is looked at.

Rule: what comes out of here has the types that the contract states, in or out of the envelope (FLOWAPP-AMB-2), or a
complaint has been made. What the target lacks is `Lacking`; records are only ever added.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, settings

from contracts.exchange import Exchange
from contracts.judge import Finding, judge, refused
from fixtures.api import Api, Lacking
from suites.blame import blame

Row = dict[str, Any]  # of a JSON list
PERIODS = ("past", "current", "future")
REPORTS = ("reportSummary", "reportRegistrants", "reportAttendeeChat", "reportOperatorChat")  # by session alone
KEYED = (  # every operation that reads with the key
    *("listEvents", "getEvent", "listRegistrants", "listOperators", "listSurveys"),
    *REPORTS,
    "reportSurveyDetail",
)


def generated(check: Callable[[], None]) -> Callable[[], None]:
    """Lets Hypothesis try a test's inner function on 15 examples, under the profile that the run has loaded."""
    return settings(max_examples=15, suppress_health_check=list(HealthCheck))(check)


def ask(api: Api, operation: str, path: Mapping[str, Any] | None = None, **parts: Any) -> Exchange:
    """One request to that operation; `path` fills its path, and `parts` go to `Api.request`."""
    found = api.contract.find(operation)
    filled = found.path.format_map({name: quote(str(value), safe="") for name, value in (path or {}).items()})
    return api.request(found.method, filled, **parts)


def check_accepted(api: Api, operation: str, exchange: Exchange, clause: str | None = None) -> Exchange:
    """Complains unless the request was accepted and answered as documented; a refusal is blamed on the clause."""
    answer = exchange.answer
    problems = _problems(api, operation, exchange, clause)
    if refused(api.contract, answer):
        about = clause or api.contract.find(operation).clauses[0]
        told = f"{answer.status}: {answer.text()[:200]}"
        problems.insert(0, Finding(about, "a valid request is accepted", told, exchange))
    blame([(problem, None) for problem in problems], api.secrets)
    return exchange


def check_refused(api: Api, operation: str, exchange: Exchange, clause: str) -> None:
    """Complains unless the request was refused, in the API's own way of saying so."""
    problems = _problems(api, operation, exchange, clause)
    if not refused(api.contract, exchange.answer):
        problems.insert(0, Finding(clause, "a refusal", f"{exchange.answer.status}, accepted", exchange))
    blame([(problem, None) for problem in problems], api.secrets)


def is_refused(api: Api, operation: str, exchange: Exchange) -> bool:
    """Whether it was refused; complains about an answer that the document does not describe."""
    blame([(problem, None) for problem in _problems(api, operation, exchange, None)], api.secrets)
    return refused(api.contract, exchange.answer)


def _problems(api: Api, operation: str, exchange: Exchange, clause: str | None) -> list[Finding]:
    """What is wrong with the answer; what breaks no clause of its own is blamed on this one."""
    found = api.contract.find(operation)
    problems = judge(api.contract, found, exchange)
    return [replace(one, clause=clause) if clause and one.clause == found.clauses[0] else one for one in problems]


def data(exchange: Exchange) -> Any:
    """What a judged answer of JSON is about: the envelope's data, or the bare body."""
    value = exchange.answer.json()
    return value["data"] if isinstance(value, dict) and "data" in value else value


def accept(
    api: Api, operation: str, path: Mapping[str, Any] | None = None, clause: str | None = None, **parts: Any
) -> Any:
    """The data of an accepted request."""
    return data(check_accepted(api, operation, ask(api, operation, path, **parts), clause))


# JSON lists and records


def events(api: Api, query: Any = (), clause: str | None = None) -> list[Row]:
    """The listed events, each with a text `token`."""
    found: list[Row] = accept(api, "listEvents", query=query, clause=clause)
    return found


def tokens(api: Api, query: Any = (), clause: str | None = None) -> list[str]:
    """The tokens of the listed events, in their order."""
    return [row["token"] for row in events(api, query, clause)]


def event(api: Api, token: str, clause: str | None = None) -> Row:
    """One event, asked for with the key; it has a text `token`."""
    found: Row = accept(api, "getEvent", {"sessionToken": token}, clause)
    return found


def registrants(api: Api, token: str, clause: str | None = None) -> list[Row]:
    """Who is listed as registered, each with a text `email`."""
    found: list[Row] = accept(api, "listRegistrants", {"sessionToken": token}, clause)
    return found


def addresses(api: Api, token: str, clause: str | None = None) -> list[str]:
    """The e-mail addresses of who is listed as registered, in lower case and sorted."""
    return sorted(row["email"].lower() for row in registrants(api, token, clause))


def operators(api: Api) -> list[Row]:
    """The account's operators, each with a whole number `id`. Raises Lacking when there is none."""
    found: list[Row] = accept(api, "listOperators")
    if not found:
        raise Lacking("the account has no operator, so nobody can host an event")
    return found


def surveys(api: Api, token: str, clause: str | None = None) -> list[Row]:
    """The surveys of a session, each with an `id`."""
    found: list[Row] = accept(api, "listSurveys", {"sessionToken": token}, clause)
    return found


# CSV


def report(api: Api, operation: str, token: str, clause: str | None = None, **path: Any) -> list[list[str]]:
    """The rows of a CSV report, column names first, each as long as the first; empty lines are left out."""
    asked = ask(api, operation, {"sessionToken": token, **path})
    return rows(check_accepted(api, operation, asked, clause))


def rows(exchange: Exchange) -> list[list[str]]:
    """The rows of a judged CSV answer."""
    text = exchange.answer.body.decode("utf-8-sig")
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


# Records of our own


def new_event(api: Api, **members: Any) -> Row:
    """The body of a creation: an event in the far future, with these members instead."""
    host = members.get("creatorID") or operators(api)[0]["id"]
    seat = {"id": host, "role": 10, "micEnabled": True, "camEnabled": True, "screenSharingEnabled": False}
    plain = {"title": api.unique("Event "), "description": "Made by a test", "date": "2040-10-20", "time": "12:00:00"}
    return {"creatorID": host, "operators": [seat], "timezone": "UTC", **plain, **members}


def create(api: Api, clause: str | None = None, **members: Any) -> str:
    """The token of a new event of our own with these members. Raises Lacking when the answer tells no token."""
    made = accept(api, "createEvent", json=new_event(api, **members), clause=clause)
    token = made.get("token") if isinstance(made, dict) else None
    if not isinstance(token, str) or not token:
        raise Lacking("the answer to a creation has no token, so the event cannot be gone on with")
    return token


def past_event(api: Api) -> str:
    """The token of a new event of our own that ended long ago."""
    return create(api, date="2022-02-03", time="04:05:06", duration=1)


def peopled_past_event(api: Api, clause: str | None = None) -> tuple[str, Row]:
    """The token of such an event, and somebody registered for it. Raises Lacking where registration ends with it."""
    token, who = past_event(api), person(api)
    if is_refused(api, "registerPerson", register(api, token, who)):
        registered(api, create(api), clause)  # complains when nobody can be registered at all
        raise Lacking("nobody can be registered for an event that has ended")
    return token, who


def person(api: Api, **members: Any) -> Row:
    """Somebody with an e-mail address that nobody had before, with these members instead."""
    return {"email": f"{api.unique('guest-')}@example.com", "firstName": "Jo", "lastName": "Li", **members}


def register(api: Api, token: str, who: Row, **parts: Any) -> Exchange:
    """One request to register that person for that session, whatever comes of it."""
    return ask(api, "registerPerson", json={**who, "eventSessionToken": token}, **parts)


def registered(api: Api, token: str, clause: str | None = None, **members: Any) -> Row:
    """A new person who was registered for that session with success: what was sent."""
    who = person(api, **members)
    check_accepted(api, "registerPerson", register(api, token, who), clause)
    return who


# What the target knows


def past_session(api: Api) -> str:
    """The token of a session that has ended: the setting's, or the first listed one."""
    known = setting(api, "PAST_SESSION_TOKEN")
    return known or next(iter(tokens(api, {"period": "past"})), None) or _none("past event")


def surveyed(api: Api) -> tuple[str, list[Row]]:
    """A session that has ended, with its surveys."""
    known = setting(api, "SURVEY_SESSION_TOKEN")
    for token in [known] if known else tokens(api, {"period": "past"}):
        found = surveys(api, token)
        if found:
            return token, found
    return _none("past event with surveys")


def keyed_paths(api: Api) -> dict[str, dict[str, Any]]:
    """Each operation that reads with the key, with a path that names records of the target's own."""
    past = past_session(api)
    plain: dict[str, dict[str, Any]] = {name: {"sessionToken": past} for name in KEYED}
    return {**plain, "listEvents": {}, "listOperators": {}, "reportSurveyDetail": survey_path(api)}


def survey_path(api: Api) -> dict[str, Any]:
    """The path of the report of one survey."""
    token, number = setting(api, "SURVEY_SESSION_TOKEN"), setting(api, "SURVEY_ID")
    if token and number:
        return {"sessionToken": token, "surveyId": number}
    token, found = surveyed(api)
    return {"sessionToken": token, "surveyId": found[0]["id"]}


def setting(api: Api, name: str) -> str | None:
    """That setting of the target, None when it is not set."""
    return api.target.settings.get(name)


def _none(what: str) -> Any:
    raise Lacking(f"the target has no {what}")
