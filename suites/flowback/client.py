"""Test client of Flowback: its five operations, registrations with their mails, and the complete list of users.

Rule: every response is judged by the contract before a test reads it, so what these functions return has the documented
types. If a request is refused on which a test only depends, the failure names the clause of that request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from contracts.clauses import ANY
from contracts.clauses import readings as documented_readings
from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import WAS_REFUSED, judge_response
from fixtures.awaited_mail import UUID
from fixtures.target_api import Api, MissingPrecondition
from suites.observed_readings import ObservedReadings
from suites.preparations import preparation
from suites.reporting.failures import violation
from suites.reporting.postponed_findings import raise_or_postpone
from suites.reporting.response_body import read_body

Row = dict[str, Any]
MAX_LIMIT = 50  # rows of a page (document line 155)
MAX_PAGES = 40  # pages that are read of one list
EXAMPLES = 25  # generated examples of one check
CHARACTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S"), include_characters=" ")
WORDS = st.text(CHARACTERS, max_size=12)
NON_INTEGERS = st.text(st.characters(categories=("Lu", "Ll")), min_size=1, max_size=8) | st.sampled_from(
    ["1.5", "1,2", "1a", "a1", "1-2", "--1", "true", "null", "[1]", "0x1", "1;2", "½"]
)


@dataclass(frozen=True)
class Person:
    """Somebody who has registered; `code` is the verification code from the mail."""

    username: str
    email: str
    code: str
    password: str


def check_exchange(api: Api, operation_id: str, exchange: Exchange) -> Exchange:
    """Return the exchange. Raises ContractViolation if its response is not as the document describes it."""
    __tracebackhide__ = True
    judge = partial(judge_response, api.contract, api.contract.find(operation_id))
    raise_or_postpone(api.invalid_records.judged(exchange, judge), api)
    return exchange


def is_refused(exchange: Exchange) -> bool:
    """Whether the response is a refusal (status 4xx)."""
    return 400 <= exchange.response.status < 500


def expect_success(api: Api, operation_id: str, exchange: Exchange, clause: str | None = None) -> Exchange:
    """Return the exchange. Raises ContractViolation of that clause, or the operation's first, if it is refused."""
    __tracebackhide__ = True
    if is_refused(check_exchange(api, operation_id, exchange)):
        received = f"{exchange.response.status}: {exchange.response.text()[:200]}"
        broken_clause = clause or api.contract.find(operation_id).clauses[0]
        raise violation(api, broken_clause, "the request is served", received, exchange, kind=WAS_REFUSED)
    return exchange


def is_allowed(readings: ObservedReadings, reading: str, **meanings: bool) -> bool:
    """Whether a meaning that holds is allowed in this run; that meaning is recorded for the report.

    If the run fixes another meaning than the one that holds, ContractViolation of the reading is raised. If the reading
    has a single meaning by default, the result is False, and the caller fails with its own clause.
    """
    __tracebackhide__ = True
    held = [meaning for meaning, holds in meanings.items() if holds]
    accepted = next((meaning for meaning in held if readings.is_allowed(reading, meaning)), None)
    default = documented_readings(readings.api.target.api)[reading].default
    if accepted is None and held and (default == ANY or not readings.is_allowed(reading, default)):
        readings.record_meaning(reading, held[0])
    if accepted is not None:
        readings.record_meaning(reading, accepted)
    return accepted is not None


def require_meaning(readings: ObservedReadings, reading: str, meaning: str) -> None:
    """Raises MissingPrecondition if this run fixes another meaning than the one that the test depends on."""
    if not readings.is_allowed(reading, meaning):
        raise MissingPrecondition(f"the test needs the meaning {meaning} of {reading}, but this run fixes another one")
    readings.record_meaning(reading, meaning)


def require_login(api: Api, readings: ObservedReadings) -> None:
    """Raises MissingPrecondition unless the known user can log in where FLOWBACK-AMB-4 assumes it.

    Where it is, and with which fields, the document does not say: otherwise no refused login tells anything.
    """
    require_meaning(readings, "FLOWBACK-AMB-4", "plain")
    if not can_log_in(api):
        raise MissingPrecondition("the known user cannot log in at POST /login, which only FLOWBACK-AMB-4 assumes")


def can_log_in(api: Api) -> bool:
    """Whether the known user gets a key at POST /login."""
    response = login(api, api.setting("USERNAME"), api.setting("PASSWORD")).response
    return 200 <= response.status < 300


def post_form(api: Api, path: str, form: Mapping[str, str], credentials: str = "valid") -> Exchange:
    """Send a form, with the key as in the document's examples; the response is not judged."""
    return api.request("POST", path, form=form, credentials=credentials)


def register(api: Api, username: str, email: str, credentials: str = "valid") -> Exchange:
    """Register a user; the request may be refused."""
    form = {"username": username, "email": email}
    return check_exchange(api, "registerUser", post_form(api, "/register", form, credentials))


def verify(api: Api, code: str, password: str, credentials: str = "valid") -> Exchange:
    """Complete a registration; the request may be refused."""
    form = {"verification_code": code, "password": password}
    return check_exchange(api, "verifyRegistration", post_form(api, "/register/verify", form, credentials))


def login(api: Api, username: str, password: str, credentials: str = "none") -> Exchange:
    """Log in; the request may be refused."""
    form = {"username": username, "password": password}
    return check_exchange(api, "login", post_form(api, "/login", form, credentials))


def log_in(api: Api, username: str, password: str, clause: str = "FLOWBACK-VER-3") -> Api:
    """Log in and return the API with the new key. A refusal violates the clause."""
    __tracebackhide__ = True
    exchange = expect_success(api, "login", login(api, username, password), clause)
    return api.with_settings(TOKEN=read_body(exchange)["token"])


def mailed_codes(api: Api, email: str, count: int = 1) -> list[str]:
    """The code of each mail to that address that has one, after waiting for `count` mails."""
    matches = [UUID.search(mail.text) for mail in api.received_mails(email, count)]
    return [match[0] for match in matches if match]


def mailed_code(api: Api, email: str, registration: Exchange) -> str:
    """The first code mailed to that address. Raises ContractViolation of FLOWBACK-REG-3 if there is none.

    As `preparation` it raises MissingPrecondition when another test has reported that.
    """
    codes = mailed_codes(api, email)
    with preparation(api, "a registration"):
        if codes:
            return codes[0]
        raise violation(api, "FLOWBACK-REG-3", f"a mail with a code to {email}", "none", registration)


def unused_email(api: Api) -> str:
    """An email address that nobody has, in a reserved domain (RFC 2606)."""
    return f"{api.unique_text('flow')}@example.com"


def registered_person(api: Api, username: str = "", email: str = "", password: str = "") -> Person:
    """Register a user, whose registration is not verified; what is not given is unique."""
    plain = partial(registered_person, api) if username or email else None
    username, email = username or api.unique_text("flow.user"), email or unused_email(api)
    with preparation(api, "a registration", plain):
        exchange = expect_success(api, "registerUser", register(api, username, email))
        code = mailed_code(api, email, exchange)
    return Person(username, email, code, password or api.unique_text("a long secret "))


def verified_person(api: Api, username: str = "", email: str = "", password: str = "") -> Person:
    """Register and verify a user; what is not given is unique."""
    person = registered_person(api, username, email, password)
    with preparation(api, "a user", partial(verified_person, api) if username or email or password else None):
        expect_success(api, "verifyRegistration", verify(api, person.code, person.password))
    return person


def other_account(api: Api, readings: ObservedReadings) -> Api:
    """The API with the key of another user: that of OTHER_TOKEN, or without it of one who is registered for the test.

    Raises MissingPrecondition where neither is possible.
    """
    if "OTHER_TOKEN" in api.target.settings or not api.target.writes:
        return api.with_settings(TOKEN=api.setting("OTHER_TOKEN"))
    require_login(api, readings)
    person = verified_person(api)
    with preparation(api, "the key of a new user"):
        return log_in(api, person.username, person.password)


def list_users(api: Api, **query: object) -> Exchange:
    """Request a page of the list; the request may be refused."""
    return check_exchange(api, "listUsers", api.request("GET", "/users", query=query))


def users_page(api: Api, **query: object) -> Row:
    """The envelope of a page. A refusal violates the first clause of the list."""
    envelope: Row = read_body(expect_success(api, "listUsers", list_users(api, **query)))
    return envelope


def page_rows(api: Api, **query: object) -> list[Row]:
    """The rows of a page."""
    rows: list[Row] = users_page(api, **query)["data"]
    return rows


def ids_of(rows: Sequence[Row]) -> list[int]:
    """The ids of these rows, in order."""
    return [row["id"] for row in rows]


def listed_names(api: Api, username: str) -> list[str]:
    """The listed usernames that equal this one, one entry for each row."""
    return [row["username"] for row in page_rows(api, username=username) if row["username"] == username]


def follow_link(api: Api, url: str) -> Exchange:
    """Request the page that a link of this API points to; the request may be refused."""
    key_header = next(iter(api.contract.security_schemes.values()))["name"]
    headers = (("User-Agent", "flowproof"), (key_header, api.setting("TOKEN")))
    return check_exchange(api, "listUsers", api.send_request(Request("GET", url, headers)))


def all_pages(api: Api, **filters: object) -> list[Row]:
    """The rows of all pages in the order of the list, read in pages of the largest size, at most `MAX_PAGES`."""
    rows: list[Row] = []
    for number in range(1, MAX_PAGES + 1):
        exchange = list_users(api, page=number, limit=MAX_LIMIT, **filters)
        if number > 1 and is_refused(exchange):  # allowed after the last page: FLOWBACK-AMB-34
            return rows
        page = read_body(expect_success(api, "listUsers", exchange))["data"]
        if rows[-len(page) :] == page:  # a server that ignores `page` would never end
            return rows
        rows += page
        if len(page) < MAX_LIMIT:
            return rows
    return rows


def complete_list(api: Api, minimum: int = 6) -> list[Row]:
    """The whole list. Raises MissingPrecondition if it has fewer than `minimum` rows or too many to read them all."""
    rows = all_pages(api)
    if len(rows) < minimum:
        raise MissingPrecondition(f"the target needs at least {minimum} users, but it lists {len(rows)}")
    if len(rows) >= MAX_LIMIT * MAX_PAGES:
        raise MissingPrecondition(f"the list has {MAX_LIMIT * MAX_PAGES} users or more: too many to read them all")
    return rows


@contextmanager
def unchanged_list(api: Api) -> Iterator[None]:
    """Raises MissingPrecondition instead of a failure if the number of users changed meanwhile, as on a live target."""
    __tracebackhide__ = True
    before = users_page(api, limit=1)["count"]
    try:
        yield
    except AssertionError:
        if not api.target.embedded and users_page(api, limit=1)["count"] != before:
            raise MissingPrecondition(
                "the list of users changed while it was read; run the test again when nobody registers"
            ) from None
        raise


def get_user(api: Api, **query: object) -> Exchange:
    """Request a single user; the request may be refused."""
    return check_exchange(api, "getUser", api.request("GET", "/user", query=query))


def single_user(api: Api, **query: object) -> Row:
    """A single user. A refusal violates the first clause of that operation."""
    return user_in(expect_success(api, "getUser", get_user(api, **query)))


def user_in(exchange: Exchange) -> Row:
    """The user in a successful response, with or without an envelope (FLOWBACK-AMB-12)."""
    body: Row = read_body(exchange)
    user: Row = body["data"][0] if "data" in body else body
    return user
