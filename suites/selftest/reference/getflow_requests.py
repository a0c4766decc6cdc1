"""Requests that the self-tests of getflow's reference send in process, each written as one line."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

from fixtures.reference import load
from fixtures.reference.protocol import Change, Handler, Request, World, handler_with_changes

V2 = "application/vnd.flow.v2+json"
REFERENCE = load("getflow")
TOKEN, OTHER_TOKEN = (f"Bearer {REFERENCE.KNOWN[name]}" for name in ("TOKEN", "OTHER_TOKEN"))
CODES = {"unsupported_param", "missing_param", "invalid_attribute", "record_not_found", "not_modified"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
LIST_SIZES = {"tasks": 130, "lists": 36, "workspaces": 30, "memberships": 120, "accounts": 30, "activities": 130}
NEW_TASK = '{"task":{"name":"会議 🚀","workspace_id":2,"due_on":"2017-05-15T16:58:39Z"}}'


def server(*applied_changes: Change) -> Handler:
    """The handler of a new reference with these changes applied."""
    world = World(lambda: datetime(2026, 11, 21, 12, 0, tzinfo=UTC), random.Random(3))
    return handler_with_changes(REFERENCE.create(world), applied_changes)


def request_from(line: str, **headers: str | None) -> Request:
    """The request that a line describes: method, target (`$` means organization_id=52) and, after a space, a JSON body.

    Keywords are additional headers; None leaves one out.
    """
    method, target, *body = line.replace("$", "organization_id=52").split(" ", 2)
    path, _, query = target.partition("?")
    sent_headers = {"authorization": TOKEN} | ({"content-type": V2} if body else {}) | headers_of(headers)
    present = tuple((name, value) for name, value in sent_headers.items() if value is not None)
    return Request(method, path, query, present, body[0].encode() if body else b"", base_url="http://flow.example")


def headers_of(keywords: dict[str, str | None]) -> dict[str, str | None]:
    """Headers whose names are those of the keywords, with hyphens."""
    return {name.replace("_", "-"): value for name, value in keywords.items()}
