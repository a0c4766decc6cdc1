"""Load on flowback: `locust -f loadtests/flowback.py`, on our reference unless `--host` names another server.

Of 100 journeys 55 read the list of users and single users, 25 join (register, take the code out of the mail, verify,
log in), 10 register the same name or address at once, and 10 send invalid requests.
"""

from __future__ import annotations

import re
from functools import partial
from random import choice
from typing import Any

from locust import between

from loadtests.engine.exchange_types import Request, Response
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import WRITES, ContractUser, Steps
from loadtests.user.journey_user import journey
from loadtests.validation.invariants import ExclusiveWinner, PaginationWalk, Violation, link_stays, members_match
from loadtests.validation.validators import parsed_body

MAX_PAGES = 12
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PASSWORD = "a long secret with spaces"


def user_of(value: Any) -> Any:
    """The single user, with or without the envelope of a list (FLOWBACK-AMB-12)."""
    return value["data"][0] if "data" in value else value


def check_page(walk: PaginationWalk, url: str, value: Any, _: Response) -> Violation | None:
    """No user comes twice in a walk over pages at that URL, where that can be expected, and no link leads elsewhere,
    nor to a page without users.

    The order is not documented. If the newest come first, each new user moves all others to a later position. Only if
    ids grow, new users come behind all others, and none comes twice.
    """
    ids = [user["id"] for user in value["data"]]
    if walk.seen and not ids:
        return "FLOWBACK-LIST-20", "a next page with users", "none"
    if ids != sorted(ids):
        walk.seen.clear()
    return link_stays("FLOWBACK-LIST-5", url, value.get("next") or None) or walk.add_page(value["data"], is_last=False)


def check_user(clause: str, expected: dict[str, Any], value: Any, _: Response) -> Violation | None:
    """The user of a response has the expected members."""
    return members_match(clause, expected, user_of(value))


def check_named(name: str, value: Any, _: Response) -> Violation | None:
    """A list has only users with that name, or with a part of it (the document does not say which)."""
    others = [user["username"] for user in value["data"] if name.casefold() not in user["username"].casefold()]
    return ("FLOWBACK-LIST-11", f"users named {name}", f"{others[0]}") if others else None


def check_listed(name: str, value: Any, _: Response) -> Violation | None:
    """A list has the user of that name."""
    names = [user["username"] for user in value["data"]]
    return None if name in names else ("FLOWBACK-VER-2", f"the user {name}", f"{len(names)} users, {names[:3]}")


def is_accepted(status: int) -> bool:
    """Whether a registration or a verification was accepted."""
    return status < 300


register()


class Flowback(ContractUser):
    """A user who joins, or who looks for other users."""

    api = "flowback"
    wait_time = between(0, 1)
    reads_mail = True
    operations = ("registerUser", "verifyRegistration", "login", "listUsers", "getUser")

    @journey(weight=20)
    def read_all_pages(self) -> Steps:
        """Walks over all users by the links of the envelope."""
        check = partial(check_page, PaginationWalk("id", "FLOWBACK-LIST-18", "FLOWBACK-LIST-18"), self.url)
        response = yield self.request_for("listUsers", check, limit=choice((20, 50)))
        for _ in range(MAX_PAGES):
            link = None if response.error else parsed_body(response).get("next")
            if not link:
                return
            response = yield self.link_request(link, "listUsers", check)

    @journey(weight=15)
    def look_for_users(self) -> Steps:
        """Lists with the parameters of the corpus, and one user by name."""
        for _ in range(3):
            yield self.sampled_request("listUsers")
        name = self.known_value("listUsers", "/data/*/username")
        yield self.request_for("listUsers", partial(check_named, name), username=name)

    @journey(weight=20)
    def look_at_users(self) -> Steps:
        """Single users, each the requested one, and the user of the token."""
        user_id = self.known_value("listUsers", "/data/*/id")
        yield self.request_for("getUser", partial(check_user, "FLOWBACK-GET-5", {"id": user_id}), id=user_id)
        settings = self.http_factory.target.settings
        me = {"username": settings["USERNAME"]} if "USERNAME" in settings else {}
        yield self.request_for("getUser", partial(check_user, "FLOWBACK-AUTH-6", me))

    @journey(weight=25, tags=(WRITES,))
    def join(self) -> Steps:
        """Registers, verifies with the mailed code, logs in, and is listed; the token belongs to the new user."""
        name = f"load{self.unique_text()}"
        response = yield self.request_for("registerUser", username=name, email=f"{name}@example.com")
        token = None if response.error else (yield from self.verify(name))
        if token is None:
            return
        own = yield self.request_for("getUser", partial(self.check_own, name), TOKEN=token)
        if not own.error:
            yield self.request_for("listUsers", partial(check_listed, name), username=name)
        for _ in range(2):
            yield self.request_for("getUser", partial(check_user, "FLOWBACK-AUTH-6", {"username": name}), TOKEN=token)

    @journey(weight=5, tags=(WRITES,))
    def register_a_name_twice(self) -> Steps:
        """Two concurrent registrations of one name result in one user."""
        name = f"load{self.unique_text()}"
        emails = [f"{prefix}{self.unique_text()}@example.com" for prefix in ("a", "b")]
        yield from self.compete("FLOWBACK-REG-6", name, [{"username": name, "email": email} for email in emails])

    @journey(weight=5, tags=(WRITES,))
    def register_an_address_twice(self) -> Steps:
        """Two concurrent registrations of one address result in one user."""
        email = f"load{self.unique_text()}@example.com"
        names = [f"{prefix}{self.unique_text()}" for prefix in ("load-a", "load-b")]
        yield from self.compete("FLOWBACK-REG-8", email, [{"username": name, "email": email} for name in names])

    @journey(weight=6, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests that are invalid in one place are refused as documented."""
        for identifier in ("listUsers", "getUser", "login"):
            yield self.invalid_request(identifier)

    @journey(weight=4, tags=(WRITES, "mistakes"))
    def make_mistakes_in_joining(self) -> Steps:
        """So are invalid registrations, and codes that were never mailed."""
        for _ in range(3):
            yield self.invalid_request("registerUser")
        yield self.invalid_request("verifyRegistration", verification_code="00000000-0000-4000-8000-000000000000")

    def verify(self, name: str) -> Steps:
        """Verifies with the mailed code and logs in; returns the token, None after a failure."""
        mail = yield self.mail_request(f"{name}@example.com", "FLOWBACK-REG-3", self.check_code)
        code = UUID.search(mail.body)
        if mail.error or code is None:
            return None
        verified = yield self.request_for("verifyRegistration", verification_code=code[0].decode(), password=PASSWORD)
        if verified.error:
            return None
        response = yield self.request_for("login", username=name, password=PASSWORD)
        return None if response.error else parsed_body(response)["token"]

    def check_code(self, _: Any, response: Response) -> Violation | None:
        """A mail has a code that no other mail has."""
        code = UUID.search(response.body)
        if code is None:
            return "FLOWBACK-REG-3", "a verification code in the mail", response.body[:100].decode(errors="replace")
        return self.unique_values("mailed code", "FLOWBACK-REG-3").add(code[0].decode().lower())

    def check_own(self, name: str, value: Any, _: Response) -> Violation | None:
        """The owner of a new token is the registered user, with an id that no other user has."""
        user = user_of(value)
        violation = members_match("FLOWBACK-REG-3", {"username": name}, user)
        return violation or self.unique_values("id of a user", "FLOWBACK-LIST-18").add(user["id"])

    def compete(self, clause: str, what: str, people: list[dict[str, str]]) -> Steps:
        """Registers both at once, then verifies all accepted registrations at once; only one of them becomes a user."""
        registrations = ExclusiveWinner(clause, f"a registration of {what}", 2, is_accepted, max_successes=2)
        responses = yield [self.competing_request("registerUser", registrations, **person) for person in people]
        codes = []
        for person, response in zip(people, responses, strict=True):
            if not response.error and is_accepted(response.status):
                mail = yield self.mail_request(person["email"], "FLOWBACK-REG-3", self.check_code)
                codes += [] if mail.error else [code[0].decode() for code in UUID.finditer(mail.body)][:1]
        if codes:
            users = ExclusiveWinner(clause, f"a user {what}", len(codes), is_accepted)
            verifications = [{"verification_code": code, "password": PASSWORD} for code in codes]
            yield [self.competing_request("verifyRegistration", users, **values) for values in verifications]

    def competing_request(self, identifier: str, winner: ExclusiveWinner, **values: Any) -> Request:
        """A request that may be refused if another of the same is accepted."""
        return self.contested_request(identifier, lambda _, response: winner.add(response.status), **values)
