"""Load on flowback: `locust -f loadtests/flowback.py`, on our reference unless `--host` names another server.

Of 100 journeys 55 read the list of users and single users, 25 join (register, take the code out of the mail, verify,
log in), 10 register the same name or address at once, and 10 make mistakes.
"""

from __future__ import annotations

import re
from functools import partial
from random import choice
from typing import Any

from locust import between

from loadtests.engine.call import Answer, Request
from loadtests.invariants import Broken, OneOf, Walk, same
from loadtests.judges import value_of
from loadtests.play import WRITES, Plays, Steps
from loadtests.users import journey

MOST_PAGES = 12
UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PASSWORD = "a long secret with spaces"


def user_of(value: Any) -> Any:
    """The single user, in the envelope of a list or bare (FLOWBACK-AMB-12)."""
    return value["data"][0] if "data" in value else value


def pages(walk: Walk, value: Any, _: Answer) -> Broken | None:
    """Whether a page fits in with the pages before it."""
    return walk.page(value["data"], is_last=not value.get("next"))


def shows(clause: str, wanted: dict[str, Any], value: Any, _: Answer) -> Broken | None:
    """Whether an answer's user is the one that it should be."""
    return same(clause, wanted, user_of(value))


def only(clause: str, name: str, value: Any, _: Answer) -> Broken | None:
    """Whether a list holds just the user of that name."""
    names = [user["username"] for user in value["data"]]
    return None if names == [name] else (clause, f"the user {name}", f"{len(names)} users, {names[:3]}")


class Flowback(Plays):
    """Somebody who joins, or who looks for somebody."""

    api = "flowback"
    wait_time = between(0, 1)
    operations = ("registerUser", "verifyRegistration", "login", "listUsers", "getUser")

    @journey(weight=20)
    def read_all_pages(self) -> Steps:
        """Walks the users by the links of the envelope."""
        check = partial(pages, Walk("id", "FLOWBACK-LIST-18", "FLOWBACK-LIST-18"))
        answer = yield self.call("listUsers", check, limit=choice((20, 50)))
        for _ in range(MOST_PAGES):
            link = None if answer.error else value_of(answer).get("next")
            if not link:
                return
            answer = yield self.follow(link, "listUsers", check)

    @journey(weight=15)
    def look_for_users(self) -> Steps:
        """Lists as the corpus asks for them, and one user by name."""
        for _ in range(3):
            yield self.drawn("listUsers")
        name = self.known("listUsers", "/data/*/username")
        yield self.call("listUsers", partial(only, "FLOWBACK-LIST-11", name), username=name)

    @journey(weight=20)
    def look_at_users(self) -> Steps:
        """Single users, each the one that was asked for, and the one that asks."""
        known = self.known("listUsers", "/data/*/id")
        yield self.call("getUser", partial(shows, "FLOWBACK-GET-5", {"id": known}), id=known)
        settings = self.calls.target.settings
        me = {"username": settings["USERNAME"]} if "USERNAME" in settings else {}
        yield self.call("getUser", partial(shows, "FLOWBACK-AUTH-6", me))

    @journey(weight=25, tags=(WRITES,))
    def join(self) -> Steps:
        """Registers, verifies with the mailed code, logs in, and is listed; its key is its own."""
        name = f"load{self.unique()}"
        answer = yield self.call("registerUser", username=name, email=f"{name}@example.com")
        key = None if answer.error else (yield from self.verified(name))
        if key is None:
            return
        mine = yield self.call("getUser", partial(self.own, name), TOKEN=key)
        if not mine.error:
            yield self.call("listUsers", partial(only, "FLOWBACK-VER-2", name), username=name)
        for _ in range(2):
            yield self.call("getUser", partial(shows, "FLOWBACK-AUTH-6", {"username": name}), TOKEN=key)

    @journey(weight=5, tags=(WRITES,))
    def register_a_name_twice(self) -> Steps:
        """Two registrations of one name at once: one of them succeeds."""
        name = f"load{self.unique()}"
        one = OneOf("FLOWBACK-REG-6", f"the username {name}", 2, lambda status: status < 300)
        emails = [f"{prefix}{self.unique()}@example.com" for prefix in ("a", "b")]
        yield [self.either(one, username=name, email=email) for email in emails]

    @journey(weight=5, tags=(WRITES,))
    def register_an_address_twice(self) -> Steps:
        """Two registrations of one address at once: one of them succeeds."""
        email = f"load{self.unique()}@example.com"
        one = OneOf("FLOWBACK-REG-8", f"the address {email}", 2, lambda status: status < 300)
        names = [f"{prefix}{self.unique()}" for prefix in ("load-a", "load-b")]
        yield [self.either(one, username=name, email=email) for name in names]

    @journey(weight=6)
    def make_mistakes(self) -> Steps:
        """Requests with one thing wrong, each refused as it should be."""
        for identifier in ("listUsers", "getUser", "login"):
            yield self.broken(identifier)

    @journey(weight=4, tags=(WRITES,))
    def make_mistakes_in_joining(self) -> Steps:
        """The same with registrations and codes that nobody was sent."""
        for _ in range(3):
            yield self.broken("registerUser")
        yield self.broken("verifyRegistration", verification_code="00000000-0000-4000-8000-000000000000")

    def verified(self, name: str) -> Steps:
        """Verifies with the mailed code and logs in; gives the key, or None when it could not be had."""
        mail = yield self.mail(f"{name}@example.com", self.has_own_code)
        code = UUID.search(mail.body)
        if mail.error or code is None:
            return None
        done = yield self.call("verifyRegistration", verification_code=code[0].decode(), password=PASSWORD)
        if done.error:
            return None
        answer = yield self.call("login", username=name, password=PASSWORD)
        return None if answer.error else value_of(answer)["token"]

    def has_own_code(self, _: Any, answer: Answer) -> Broken | None:
        """A mail holds a code that no other mail has."""
        code = UUID.search(answer.body)
        if code is None:
            return "FLOWBACK-REG-3", "a verification code in the mail", answer.body[:100].decode(errors="replace")
        return self.once("mailed code", "FLOWBACK-REG-3").take(code[0].decode().lower())

    def own(self, name: str, value: Any, _: Answer) -> Broken | None:
        """The owner of a new key is who registered, under an id that nobody else has."""
        user = user_of(value)
        wrong = same("FLOWBACK-REG-3", {"username": name}, user)
        return wrong or self.once("id of a user", "FLOWBACK-LIST-18").take(user["id"])

    def either(self, one: OneOf, **sent: Any) -> Request:
        """A registration that may be refused, if another one of the same is not."""
        return self.calls.perhaps("registerUser", lambda _, answer: one.take(answer.status), **sent)
