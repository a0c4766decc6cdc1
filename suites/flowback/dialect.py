"""How Flowback is spoken: its five operations, a new account by way of its mail, and the whole list.

Rule: every answer is judged by the contract before anything is read from it, so what comes out of here has the
documented types. A step that a test only stands on and that is refused is told as the clause of that step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure

from contracts.clauses import ANY
from contracts.clauses import readings as known
from contracts.exchange import Exchange, Sent
from contracts.judge import judge
from fixtures.api import UUID, Api, Lacking
from suites.blame import blame, broken
from suites.readings import Observed

Row = dict[str, Any]
MOST = 50  # rows of a page, document line 155
PAGES = 40  # pages of a list that are read at most
FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,  # several at once would be no AssertionError
)
LETTERS = st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S"), include_characters=" ")
WORDS = st.text(LETTERS, max_size=12)
NO_NUMBERS = st.text(st.characters(categories=("Lu", "Ll")), min_size=1, max_size=8) | st.sampled_from(
    ["1.5", "1,2", "1a", "a1", "1-2", "--1", "true", "null", "[1]", "0x1", "1;2", "½"]
)


@dataclass(frozen=True)
class Person:
    """Somebody who registered; `code` came by mail."""

    username: str
    email: str
    code: str
    password: str


def for_all(check: Callable[..., None], **values: st.SearchStrategy[Any]) -> None:
    """Calls the check with generated values; the smallest ones that fail are told with the complaint."""
    __tracebackhide__ = True
    try:
        FEW(given(**values)(check))()
    except FlakyFailure as flaky:  # it failed, and the server's state has moved on since
        raise next((one for one in flaky.exceptions if isinstance(one, AssertionError)), flaky) from None


def kept(api: Api, operation: str, exchange: Exchange) -> Exchange:
    """The exchange, which the contract describes. Raises ContractBroken when it does not."""
    __tracebackhide__ = True
    found = judge(api.contract, api.contract.find(operation), exchange)
    blame([(finding, None) for finding in found], api.secrets)
    return exchange


def is_refused(exchange: Exchange) -> bool:
    """Whether the answer refuses its request."""
    return 400 <= exchange.answer.status < 500


def served(api: Api, operation: str, exchange: Exchange, clause: str | None = None) -> Exchange:
    """The exchange, which serves its request. Raises ContractBroken on that clause or the operation's own."""
    __tracebackhide__ = True
    if is_refused(kept(api, operation, exchange)):
        told = f"{exchange.answer.status}: {exchange.answer.text()[:200]}"
        raise broken(api, clause or api.contract.find(operation).clauses[0], "the request is served", told, exchange)
    return exchange


def allowed(readings: Observed, reading: str, **meanings: bool) -> bool:
    """Whether one of these meanings holds and the run allows it; it goes to the report.

    Raises ContractBroken on the reading itself when the run fixes another meaning than the one that holds. Where a
    single meaning is assumed by default, the clause that the test is about is what breaks.
    """
    __tracebackhide__ = True
    held = [meaning for meaning, holds in meanings.items() if holds]
    ours = next((meaning for meaning in held if readings.is_in_force(reading, meaning)), None)
    default = known(readings.api.target.api)[reading].default
    if ours is None and held and (default == ANY or not readings.is_in_force(reading, default)):
        readings.saw(reading, held[0])
    if ours is not None:
        readings.saw(reading, ours)
    return ours is not None


def assumed(readings: Observed, reading: str, meaning: str) -> None:
    """Raises Lacking when the run fixes another meaning than the one that the test stands on."""
    if not readings.is_in_force(reading, meaning):
        raise Lacking(f"this run does not read {reading} as {meaning}")
    readings.saw(reading, meaning)


def post(api: Api, path: str, form: Mapping[str, str], credentials: str = "none") -> Exchange:
    """One form, not judged."""
    return api.request("POST", path, form=form, credentials=credentials)


def register(api: Api, username: str, email: str, credentials: str = "none") -> Exchange:
    """A registration, served or refused."""
    form = {"username": username, "email": email}
    return kept(api, "registerUser", post(api, "/register", form, credentials))


def verify(api: Api, code: str, password: str, credentials: str = "none") -> Exchange:
    """A verification, served or refused."""
    form = {"verification_code": code, "password": password}
    return kept(api, "verifyRegistration", post(api, "/register/verify", form, credentials))


def login(api: Api, username: str, password: str, credentials: str = "none") -> Exchange:
    """A login, served or refused."""
    return kept(api, "login", post(api, "/login", {"username": username, "password": password}, credentials))


def logged_in(api: Api, username: str, password: str, clause: str = "FLOWBACK-VER-3") -> Api:
    """The API with the key that this login gives. A refusal breaks the clause."""
    __tracebackhide__ = True
    token = served(api, "login", login(api, username, password), clause).answer.json()["token"]
    return api.other(TOKEN=token)


def codes(api: Api, email: str, count: int = 1) -> list[str]:
    """The codes that were mailed to that address, one for each mail that has one."""
    found = [UUID.search(mail.text) for mail in api.mails(email, count)]
    return [one[0] for one in found if one]


def address(api: Api) -> str:
    """An address that nobody has, in a domain that nobody has (RFC 2606)."""
    return f"{api.unique('flow')}@example.com"


def newcomer(api: Api, username: str = "", email: str = "", password: str = "") -> Person:
    """Somebody who has registered and not verified."""
    username, email = username or api.unique("flow.user"), email or address(api)
    sent = served(api, "registerUser", register(api, username, email))
    mailed = codes(api, email)
    if not mailed:
        raise broken(api, "FLOWBACK-REG-3", f"a mail with a code to {email}", "none", sent)
    return Person(username, email, mailed[0], password or api.unique("a long secret "))


def member(api: Api, username: str = "", email: str = "", password: str = "") -> Person:
    """Somebody who has registered and verified."""
    person = newcomer(api, username, email, password)
    served(api, "verifyRegistration", verify(api, person.code, person.password))
    return person


def ask(api: Api, **query: object) -> Exchange:
    """One page of the list, served or refused."""
    return kept(api, "listUsers", api.request("GET", "/users", query=query))


def page(api: Api, **query: object) -> Row:
    """The envelope of one page; a refusal breaks the list's own clause."""
    envelope: Row = served(api, "listUsers", ask(api, **query)).answer.json()
    return envelope


def rows(api: Api, **query: object) -> list[Row]:
    """The rows of one page."""
    return list(page(api, **query)["data"])


def ids(found: list[Row]) -> list[int]:
    """The ids of these rows, in order."""
    return [row["id"] for row in found]


def names_of(api: Api, username: str) -> list[str]:
    """The names in the list that are exactly this one."""
    return [row["username"] for row in rows(api, username=username) if row["username"] == username]


def follow(api: Api, url: str) -> Exchange:
    """The page behind a link of this API."""
    key = next(iter(api.contract.schemes.values()))["name"]
    headers = [("User-Agent", "flowproof"), (key, api.setting("TOKEN"))]
    return kept(api, "listUsers", api.exchange(Sent("GET", url, tuple(headers))))


def everyone(api: Api, **filters: object) -> list[Row]:
    """All rows of a list in its own order, page by page of the largest size: as many as `PAGES` hold."""
    found: list[Row] = []
    for number in range(1, PAGES + 1):
        exchange = ask(api, page=number, limit=MOST, **filters)
        if number > 1 and is_refused(exchange):  # FLOWBACK-AMB-34
            return found
        more = served(api, "listUsers", exchange).answer.json()["data"]
        if found[-len(more) :] == more:  # the same page for ever
            return found
        found += more
        if len(more) < MOST:
            return found
    return found


def listing(api: Api, least: int = 6) -> list[Row]:
    """The whole list. Raises Lacking when it is shorter than the test needs or longer than one run reads."""
    found = everyone(api)
    if len(found) < least:
        raise Lacking(f"the target needs at least {least} users, it lists {len(found)}")
    if len(found) >= MOST * PAGES:
        raise Lacking(f"the list is longer than {MOST * PAGES} users: too long to be read as a whole")
    return found


@contextmanager
def quiet(api: Api) -> Iterator[None]:
    """Raises Lacking instead of a complaint when users came or went meanwhile, which a live target's do."""
    __tracebackhide__ = True
    before = page(api, limit=1)["count"]
    try:
        yield
    except AssertionError:
        if not api.target.embedded and page(api, limit=1)["count"] != before:
            raise Lacking("users came or went while the list was read: try again when it is quiet") from None
        raise


def user(api: Api, **query: object) -> Row:
    """The single user, from its envelope or bare; a refusal breaks the clause of that operation."""
    return alone(served(api, "getUser", get(api, **query)))


def get(api: Api, **query: object) -> Exchange:
    """The single user's exchange, served or refused."""
    return kept(api, "getUser", api.request("GET", "/user", query=query))


def alone(exchange: Exchange) -> Row:
    """The user of a served exchange (FLOWBACK-AMB-12)."""
    value: Row = exchange.answer.json()
    found: Row = value["data"][0] if "data" in value else value
    return found
