"""A client of flowapp's reference in this process, whose clock stands still."""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import UTC, datetime
from typing import Any

from fixtures.reference import load
from fixtures.reference.protocol import Reply, Request, World, handler_with_changes

flowapp = load("flowapp")
KNOWN = flowapp.KNOWN
NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
SESSIONS = "/events/sessions"
REPORTS = "/reports/events/sessions"
PAST, EMPTY, OTHER = KNOWN["PAST_SESSION_TOKEN"], KNOWN["EMPTY_SESSION_TOKEN"], KNOWN["OTHER_SESSION_TOKEN"]
FUTURE = "rGt3dC546xs"  # the token of the document's registration
PERSON = {"email": "jo@example.com", "firstName": "Jo", "lastName": "Łi"}
NEW_EVENT = {"title": "New ✓", "description": "?", "date": "2026-05-04", "time": "10:00:00", "timezone": "Asia/Tokyo"}


class Client:
    """A client of a fresh server with these changes in front; it records the replies."""

    def __init__(self, *changes: str) -> None:
        world = World(lambda: NOW, random.Random(7))
        applied = [(flowapp.FAULTS | flowapp.VARIANTS)[name] for name in changes]
        self.handler = handler_with_changes(flowapp.create(world), applied)
        self.replies: list[Reply] = []

    def send(self, method: str, path: str, key: str | None = "TOKEN", query: str = "", **parts: Any) -> Reply:
        """Sends a request below /api/v1, with the key of that name in KNOWN, or with that key itself."""
        body = parts.get("body", b"")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        media_type = parts.get("media_type", "application/json" if "body" in parts else None)
        headers = {
            "api-secret": KNOWN.get(key, key) if key is not None else None,
            "content-type": media_type,
            "accept": parts.get("accept"),
            "accept-language": parts.get("language"),
        }
        header_pairs = tuple(present(headers).items())
        reply = self.handler(Request(method, f"/api/v1{path}", query, header_pairs, data))
        self.replies.append(reply)
        return reply

    def get(self, path: str, query: str = "", key: str | None = "TOKEN") -> Any:
        """The data of a successful reply, with or without an envelope."""
        body = self.send("GET", path, key, query).json()
        return body["data"] if isinstance(body, dict) else body

    def register(self, token: str, key: str | None = "TOKEN", **members: Any) -> Reply:
        """Registers PERSON, changed by these members; None leaves one out."""
        body = {**PERSON, "eventSessionToken": token, **members}
        return self.send("POST", "/registrants", key, body=present(body))

    def create(self, key: str | None = "TOKEN", **members: Any) -> Reply:
        """Creates NEW_EVENT, changed by these members; None leaves one out."""
        host = self.get("/users")[0]["id"]
        seats = [{"id": host, "role": 10, "micEnabled": True}]
        body = {**NEW_EVENT, "creatorID": host, "operators": seats, **members}
        return self.send("POST", "/event", key, body=present(body))

    def emails(self, token: str, key: str = "TOKEN") -> list[str]:
        """The e-mail addresses in the registrant list."""
        return [row["email"] for row in self.get(f"{REPORTS}/registrants/{token}", key=key)]

    def rows(self, kind: str, token: str = PAST) -> list[list[str]]:
        """The rows of a CSV report, column names first."""
        reply = self.send("GET", f"{REPORTS}/csv/{kind}/{token}")
        return list(csv.reader(io.StringIO(reply.body.decode(), newline=""), strict=True))


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Those of these members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
