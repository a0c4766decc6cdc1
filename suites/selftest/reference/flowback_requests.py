"""Requests that the self-tests of Flowback's reference send in process, with a fixed clock and a fixed seed."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from fixtures.reference import load
from fixtures.reference.protocol import Handler, Reply, Request, World

REFERENCE = load("flowback")
KEY = REFERENCE.KNOWN["TOKEN"]
OTHER_KEY = REFERENCE.KNOWN["OTHER_TOKEN"]
USERNAME, PASSWORD = REFERENCE.KNOWN["USERNAME"], REFERENCE.KNOWN["PASSWORD"]
ID, OTHER_ID = int(REFERENCE.KNOWN["USER_ID"]), int(REFERENCE.KNOWN["OTHER_USER_ID"])
FORM = "application/x-www-form-urlencoded"
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
NEW = {"username": "Nyå Namn", "email": "Ny.Namn+tag@example.com"}
NON_INTEGERS = ("abc", "1.5", "1e2", "1_0", "٣", "+1", "9" * 5000)
NEW_PASSWORD = "  pässword with ends  "


def create_world() -> World:
    """A world whose clock stands still and whose random numbers repeat."""
    return World(lambda: datetime(2026, 1, 2, tzinfo=UTC), random.Random(7))


def get(handler: Handler, path: str, key: str | None = KEY, **query: Any) -> Reply:
    """A GET request with that key; None sends none."""
    headers = (("authorization", key),) if key is not None else ()
    return handler(Request("GET", path, urlencode(query), headers))


def post(handler: Handler, path: str, key: str | None = None, **form: str) -> Reply:
    """A POST request with a form."""
    headers = (("content-type", FORM), *((("authorization", key),) if key is not None else ()))
    return handler(Request("POST", path, "", headers, urlencode(form).encode()))


def names(reply: Reply) -> list[str]:
    """The usernames in a list or in the envelope of a single user."""
    return [user["username"] for user in reply.json()["data"]]


def ids(reply: Reply) -> list[int]:
    """The ids in a list or in the envelope of a single user."""
    return [user["id"] for user in reply.json()["data"]]


def register(handler: Handler, **changes: str) -> str:
    """Register a user and return the mailed code."""
    code = UUID.search(post(handler, "/register", **{**NEW, **changes}).mails[0].text)
    assert code
    return code.group()


def verify(handler: Handler, code: str, password: str = NEW_PASSWORD) -> Reply:
    """Complete a registration."""
    return post(handler, "/register/verify", verification_code=code, password=password)


def login(handler: Handler, username: str = USERNAME, password: str = PASSWORD) -> Reply:
    """Log in, by default as the known user."""
    return post(handler, "/login", username=username, password=password)


def walk(handler: Handler, **query: Any) -> list[int]:
    """The ids on all pages, following the next links."""
    user_ids: list[int] = []
    link: str | bool = f"/users?{urlencode(query)}"
    while isinstance(link, str) and len(user_ids) < 500:
        reply = handler(Request("GET", "/users", urlsplit(link).query, (("authorization", KEY),)))
        user_ids += ids(reply)
        link = reply.json()["next"]
    return user_ids
