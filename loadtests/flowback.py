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
    """Whether a page fits in with the pages before it.

    The order is not promised. Where the newest come first, each arrival moves everybody to a later place; only where
    ids grow are arrivals behind all others, and nobody is met twice.
    """
    ids = [user["id"] for user in value["data"]]
    if ids != sorted(ids):
        walk.seen.clear()
    return walk.page(value["data"], is_last=False)


def shows(clause: str, wanted: dict[str, Any], value: Any, _: Answer) -> Broken | None:
    """Whether an answer's user is the one that it should be."""
    return same(clause, wanted, user_of(value))


def finds(name: str, value: Any, _: Answer) -> Broken | None:
    """Whether a list holds users whom that name names, in full or in part (the document does not say which)."""
    others = [user["username"] for user in value["data"] if name.casefold() not in user["username"].casefold()]
    return ("FLOWBACK-LIST-11", f"users named {name}", f"{others[0]}") if others else None


def has(name: str, value: Any, _: Answer) -> Broken | None:
    """Whether a list holds the user of that name."""
    names = [user["username"] for user in value["data"]]
    return None if name in names else ("FLOWBACK-VER-2", f"the user {name}", f"{len(names)} users, {names[:3]}")


def is_taken(status: int) -> bool:
    """Whether a registration or a verification was accepted."""
    return status < 300


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
        yield self.call("listUsers", partial(finds, name), username=name)

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
            yield self.call("listUsers", partial(has, name), username=name)
        for _ in range(2):
            yield self.call("getUser", partial(shows, "FLOWBACK-AUTH-6", {"username": name}), TOKEN=key)

    @journey(weight=5, tags=(WRITES,))
    def register_a_name_twice(self) -> Steps:
        """Two registrations of one name at once: one user comes of them."""
        name = f"load{self.unique()}"
        emails = [f"{prefix}{self.unique()}@example.com" for prefix in ("a", "b")]
        yield from self.collide("FLOWBACK-REG-6", name, [{"username": name, "email": email} for email in emails])

    @journey(weight=5, tags=(WRITES,))
    def register_an_address_twice(self) -> Steps:
        """Two registrations of one address at once: one user comes of them."""
        email = f"load{self.unique()}@example.com"
        names = [f"{prefix}{self.unique()}" for prefix in ("load-a", "load-b")]
        yield from self.collide("FLOWBACK-REG-8", email, [{"username": name, "email": email} for name in names])

    @journey(weight=6, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests with one thing wrong, each refused as it should be."""
        for identifier in ("listUsers", "getUser", "login"):
            yield self.broken(identifier)

    @journey(weight=4, tags=(WRITES, "mistakes"))
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

    def collide(self, clause: str, what: str, both: list[dict[str, str]]) -> Steps:
        """Registers both at once, and verifies all that were taken at once: a name waits for nobody, a user has it."""
        first = OneOf(clause, f"a registration of {what}", 2, is_taken, most=2)
        answers = yield [self.either("registerUser", first, **sent) for sent in both]
        codes = []
        for sent, answer in zip(both, answers, strict=True):
            if not answer.error and is_taken(answer.status):
                mail = yield self.mail(sent["email"], self.has_own_code)
                codes += [] if mail.error else [code[0].decode() for code in UUID.finditer(mail.body)][:1]
        if codes:
            last = OneOf(clause, f"a user {what}", len(codes), is_taken)
            wanted = [{"verification_code": code, "password": PASSWORD} for code in codes]
            yield [self.either("verifyRegistration", last, **sent) for sent in wanted]

    def either(self, identifier: str, one: OneOf, **sent: Any) -> Request:
        """A request that may be refused, if another one of the same is not."""
        return self.perhaps(identifier, lambda _, answer: one.take(answer.status), **sent)
