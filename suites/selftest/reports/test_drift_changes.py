"""Changes between two records: each kind has its number, its address and its severity, and what is alike is one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.behaviour.behaviour import Address, Behaviour, share
from reports.drift.change_kinds import SEVERITIES, change_kinds
from reports.drift.changes import Change, changes, not_comparable, sentence
from reports.drift.record import Record, RecordHeader
from reports.drift.severity_rules import SeverityRules, rules_of

HEADER = RecordHeader("shop", "http://127.0.0.1:1", "0" * 12, "f" * 12, "full", "0.1.0", (date(2026, 3, 31),))
GET, MANY = "GET /tasks", 40
PLAIN = "valid: as documented"
JSON = "200 application/json"
Facts = dict[Address, Behaviour]


def body(path: str, n: int = MANY, answer: str = "200", operation: str = GET, **families: Any) -> Facts:
    """A member that is always there and never null unless said otherwise; shares are (count, total)."""
    values: dict[str, Any] = {"kind": "text", "presence": (n, n), "null": (0, n), **families}
    return {
        Address(operation, answer, family, path): share(*value) if isinstance(value, tuple) else Behaviour(value, n, n)  # type: ignore[arg-type]
        for family, value in values.items()
        if value is not None
    }


def item(answer: str = "200", n: int = MANY, operation: str = GET) -> Facts:
    """An array with objects, in which members are."""
    return {
        **body("/", n, answer, operation, kind="object", presence=None),
        **body("/tasks", n, answer, operation, kind="array"),
        **body("/tasks/*", n, answer, operation, kind="object", presence=None),
    }


def fact(family: str, place: str, value: str, answer: str = "", operation: str = GET) -> Facts:
    """A behaviour that is no share."""
    return {Address(operation, answer, family, place): Behaviour(value, MANY, MANY)}  # type: ignore[arg-type]


def outcome(title: str, value: str, operation: str = GET) -> Facts:
    return fact("outcome", title, value, operation=operation)


def header(name: str, value: str | None = None, count: int = MANY) -> Facts:
    """A header that is in `count` of 40 responses."""
    values = fact("header value", name, value, "200") if value else {}
    return {
        Address(GET, "200", "header", name): share(count, MANY),
        **values,
        **body("/", kind="object", presence=None),
    }


def compared(before: Facts, after: Facts, rules: SeverityRules | None = None) -> list[Change]:
    return changes(Record(HEADER, before, {}), after, rules or SeverityRules())


def member(**families: Any) -> Facts:
    """A member of the objects in a list."""
    return {**item(), **body("/tasks/*/state", **families)}


VALID = outcome(PLAIN, JSON)
ERROR = "400 application/json missing id"
NO_CREDENTIALS = fact("access", "no credentials", "401 application/json")
# number, severity, before, after, place at which it is reported
CASES: list[tuple[int, str, Facts, Facts, str]] = [
    (1, "breaking", VALID, outcome(PLAIN, "404 application/json not_found"), PLAIN),
    (2, "additive", outcome(PLAIN, "404 text/html"), VALID, PLAIN),
    (3, "risky", VALID, outcome(PLAIN, "301 to absolute http URL"), PLAIN),
    (4, "breaking", VALID, outcome(PLAIN, "308 to absolute https URL of another host"), PLAIN),
    (5, "risky", VALID, outcome(PLAIN, "201 application/json"), PLAIN),
    (6, "breaking", VALID, outcome(PLAIN, "204"), PLAIN),
    (6, "breaking", VALID, outcome(PLAIN, "200"), PLAIN),
    (7, "breaking", VALID, outcome(PLAIN, "405 application/json"), PLAIN),
    (7, "breaking", fact("method", "HEAD", "200"), fact("method", "HEAD", "405, allow GET"), "HEAD"),
    (8, "cosmetic", fact("method", "OPTIONS", "405"), fact("method", "OPTIONS", "204, allow GET"), "OPTIONS"),
    (9, "risky", NO_CREDENTIALS, fact("access", "no credentials", JSON), "no credentials"),
    (10, "breaking", fact("access", "no credentials", JSON), NO_CREDENTIALS, "no credentials"),
    (11, "breaking", fact("access", "Basic alone", JSON), fact("access", "Basic alone", "401 text/html"),
     "Basic alone"),
    (11, "breaking", {**VALID, **NO_CREDENTIALS},
     {**outcome(PLAIN, "401 application/json"), **NO_CREDENTIALS}, PLAIN),
    (12, "additive", fact("access", "Basic alone", "401"), fact("access", "Basic alone", JSON), "Basic alone"),
    (13, "risky", fact("access", "wrong credentials (token)", "401"),
     fact("access", "wrong credentials (token)", JSON), "wrong credentials (token)"),
    (14, "risky", NO_CREDENTIALS, fact("access", "no credentials", "403 application/json"), "no credentials"),
    (15, "risky", fact("access", "other account", "404"), fact("access", "other account", JSON), "other account"),
    (16, "breaking", {**VALID, **outcome("valid: with order as documented", JSON)},
     {**VALID, **outcome("valid: with order as documented", "400 application/json invalid order")},
     "valid: with order as documented"),
    (17, "breaking", {**VALID, **outcome("valid: without body due_on", JSON)},
     {**VALID, **outcome("valid: without body due_on", "400 application/json bad due_on")},
     "valid: without body due_on"),
    (17, "breaking", outcome("missing: query id", JSON), outcome("missing: query id", ERROR), "missing: query id"),
    (18, "additive", outcome("missing: query id", ERROR), outcome("missing: query id", JSON), "missing: query id"),
    (19, "breaking", outcome("unknown: query x", JSON), outcome("unknown: query x", ERROR), "unknown: query x"),
    (20, "cosmetic", outcome("unknown: query x", ERROR), outcome("unknown: query x", JSON), "unknown: query x"),
    (21, "breaking", outcome("unknown: body x", JSON), outcome("unknown: body x", ERROR), "unknown: body x"),
    (21, "cosmetic", outcome("unknown: body x", ERROR), outcome("unknown: body x", JSON), "unknown: body x"),
    (22, "breaking", fact("page", "largest size", "100"), fact("page", "largest size", "50"), "largest size"),
    (22, "breaking", {**VALID, **outcome("valid: query limit: maximum", JSON)},
     {**VALID, **outcome("valid: query limit: maximum", "400 application/json")}, "valid: query limit: maximum"),
    (23, "additive", fact("page", "largest size", "50"), fact("page", "largest size", "100"), "largest size"),
    (24, "breaking", fact("page", "beyond largest", "clamped"),
     fact("page", "beyond largest", "refused: 400 application/json"), "beyond largest"),
    (25, "risky", fact("page", "beyond largest", "refused: 400 text/html"), fact("page", "beyond largest", "clamped"),
     "beyond largest"),
    (26, "breaking", {**VALID, **outcome("valid: query view: 'a'", JSON), **outcome("valid: query view: 'b'", JSON)},
     {**VALID, **outcome("valid: query view: 'a'", "400 application/json"), **outcome("valid: query view: 'b'", JSON)},
     "valid: query view: 'a'"),
    (27, "additive", outcome("bad format: query day = 1", ERROR), outcome("bad format: query day = 1", JSON),
     "bad format: query day = 1"),
    (28, "breaking", fact("page", "default view", "a"), fact("page", "default view", "b"), "default view"),
    (29, "breaking", outcome("not in enum: query view = A", JSON), outcome("not in enum: query view = A", ERROR),
     "not in enum: query view = A"),
    (30, "risky", outcome("empty: query id", JSON), outcome("empty: query id", ERROR), "empty: query id"),
    (31, "breaking", VALID, outcome(PLAIN, "415 application/json"), PLAIN),
    (32, "additive", outcome("wrong media type: body a/b", "415"), outcome("wrong media type: body a/b", JSON),
     "wrong media type: body a/b"),
    (33, "breaking", {**VALID, **outcome("valid: body note: longest", JSON)},
     {**VALID, **outcome("valid: body note: longest", "413 text/html")}, "valid: body note: longest"),
    (34, "breaking", fact("walk", "create, then read", "as sent"), fact("walk", "create, then read", "changed: name"),
     "create, then read"),
    (35, "risky", fact("walk", "update, then read", "as sent"), fact("walk", "update, then read", "not changed"),
     "update, then read"),
    (36, "risky", fact("walk", "delete, then delete", "404"), fact("walk", "delete, then delete", "200"),
     "delete, then delete"),
    (37, "breaking", fact("walk", "create, then create the same", "409"),
     fact("walk", "create, then create the same", "200"), "create, then create the same"),
    (38, "breaking", outcome("missing: query id", ERROR),
     outcome("missing: query id", "400 application/json needed id"), "missing: query id"),
    (39, "risky", outcome("missing: query id", ERROR),
     outcome("missing: query id", "400 application/json missing second id"), "missing: query id"),
    (40, "risky", outcome("missing: query id", ERROR), outcome("missing: query id", "400 application/json missing"),
     "missing: query id"),
    (41, "breaking", {**item("400"), **body("/tasks/*/code", answer="400")},
     {**item("400"), **body("/tasks/*/codes", answer="400")}, "/tasks/*/code"),
    (42, "breaking", outcome("missing: query id", ERROR),
     outcome("missing: query id", "200 refused application/json missing id"), "missing: query id"),
    (43, "breaking", outcome("missing: query id", ERROR), outcome("missing: query id", "500 text/plain"),
     "missing: query id"),
    (44, "risky", outcome("missing: query id", ERROR),
     outcome("missing: query id", "422 application/json missing id"), "missing: query id"),
    (45, "cosmetic", fact("message", "missing: query id", "id is missing"),
     fact("message", "missing: query id", "id is needed"), "missing: query id"),
    (46, "breaking", outcome("missing: query id", ERROR), outcome("missing: query id", "400 text/html"),
     "missing: query id"),
    (47, "risky", fact("unique", "/errors/*/id", "unique", "400"), fact("unique", "/errors/*/id", "repeated", "400"),
     "/errors/*/id"),
    (48, "breaking", member(), item(), "/tasks/*/state"),
    (49, "risky", member(presence=(12, 40)), item(), "/tasks/*/state"),
    (50, "additive", item(), member(), "/tasks/*/state"),
    (51, "breaking", member(), member(presence=(39, 40)), "/tasks/*/state"),
    (52, "additive", member(presence=(20, 40)), member(), "/tasks/*/state"),
    (53, "breaking", member(), member(null=(1, 40)), "/tasks/*/state"),
    (54, "risky", member(null=(20, 40)), member(presence=(20, 40)), "/tasks/*/state"),
    (54, "risky", member(presence=(20, 40)), member(null=(20, 40)), "/tasks/*/state"),
    (55, "cosmetic", member(null=(20, 40)), member(), "/tasks/*/state"),
    (56, "risky", member(presence=(4, 40)), member(presence=(30, 40)), "/tasks/*/state"),
    (57, "breaking", member(kind="number", number="whole"), member(form="text"), "/tasks/*/state"),
    (58, "risky", member(kind="number", number="whole"), member(kind="number", number="2 decimals"), "/tasks/*/state"),
    (59, "breaking", member(kind="number", number="whole"), member(form="digits"), "/tasks/*/state"),
    (60, "breaking", member(kind="boolean"), member(kind="number", number="whole"), "/tasks/*/state"),
    (61, "breaking", member(kind="object"), member(kind="array"), "/tasks/*/state"),
    (62, "breaking", member(form="date"), member(kind="array"), "/tasks/*/state"),
    (63, "risky", member(), member(kind="number or text"), "/tasks/*/state"),
    (64, "cosmetic", member(kind="number or text"), member(), "/tasks/*/state"),
    (65, "breaking", member(form="date"), {**item(), **body("/tasks/*/status", form="date")}, "/tasks/*/state"),
    (66, "breaking", member(form="date"),
     {**item(), **body("/tasks/*/meta", kind="object"), **body("/tasks/*/meta/state", form="date")}, "/tasks/*/state"),
    (67, "breaking", member(form="date"), member(form="date-time Z"), "/tasks/*/state"),
    (68, "risky", member(form="date-time Z"), member(form="date-time Z 3 digits"), "/tasks/*/state"),
    (69, "breaking", member(form="date-time Z"), member(form="date-time without zone"), "/tasks/*/state"),
    (70, "cosmetic", member(form="uuid lower case"), member(form="uuid upper case"), "/tasks/*/state"),
    (71, "breaking", member(form="digits"), member(form="uuid lower case"), "/tasks/*/state"),
    (71, "breaking", member(kind="number", number="whole"), member(form="uuid lower case"), "/tasks/*/state"),
    (72, "risky", member(form="absolute https URL"), member(form="relative URL"), "/tasks/*/state"),
    (73, "risky", member(form="text"), member(form="escaped text or text"), "/tasks/*/state"),
    (74, "breaking", member(kind="number", number="2 decimals"), member(kind="number", number="4 decimals"),
     "/tasks/*/state"),
    (75, "risky", member(values="a"), member(values="b"), "/tasks/*/state"),
    (76, "risky", member(values="a, b"), member(values="a, b, c"), "/tasks/*/state"),
    (77, "cosmetic", member(values="a, b"), member(values="a"), "/tasks/*/state"),
    (78, "breaking", member(values="a, b"), member(values="A, B"), "/tasks/*/state"),
    (79, "cosmetic", member(kind="object", members="a, b"), member(kind="object", members="b, a"), "/tasks/*/state"),
    (80, "breaking", fact("unique", "/tasks", "unique", "200"), fact("unique", "/tasks", "repeated", "200"), "/tasks"),
    (81, "risky", fact("page", "default size", "25"), fact("page", "default size", "20"), "default size"),
    (82, "breaking", fact("order", "/tasks", "up by id", "200"), fact("order", "/tasks", "down by id", "200"),
     "/tasks"),
    (83, "risky", fact("order", "/tasks", "up by id", "200"), fact("order", "/tasks", "none", "200"), "/tasks"),
    (84, "breaking", fact("page", "style", "Link header"), fact("page", "style", "cursor next in the body"), "style"),
    (85, "breaking", fact("page", "end", "null"), fact("page", "end", "absent"), "end"),
    (86, "risky", fact("page", "past the end", "empty"), fact("page", "past the end", "refused: 404"), "past the end"),
    (87, "risky", fact("page", "total", "count right"), fact("page", "total", "count wrong"), "total"),
    (87, "additive", fact("page", "total", "count wrong"), fact("page", "total", "count right"), "total"),
    (88, "breaking", fact("parameter", "owner_id", "honoured"), fact("parameter", "owner_id", "ignored"), "owner_id"),
    (89, "breaking", fact("parameter", "include a", "honoured"), fact("parameter", "include a", "ignored"),
     "include a"),
    (90, "breaking", {**header("link"), **header("x")}, header("x"), "link"),
    (91, "risky", {**header("x-a"), **header("x-b")}, header("x-b"), "x-a"),
    (91, "additive", header("x-b"), {**header("x-a"), **header("x-b")}, "x-a"),
    (92, "breaking", header("content-type", "application/json"), header("content-type", "text/csv"), "content-type"),
    (92, "breaking", VALID, outcome(PLAIN, "200 application/json; charset=utf-8"),
     PLAIN),
    (93, "risky", header("cache-control", "no-store"), header("cache-control", "max-age=60"), "cache-control"),
    (93, "cosmetic", header("cache-control", "max-age=60"), header("cache-control", "no-store"), "cache-control"),
    (94, "risky", {**header("etag", "strong"), **header("x")}, header("x"), "etag"),
    (95, "cosmetic", header("x"), {**header("content-encoding", "gzip"), **header("x")}, "content-encoding"),
    (96, "breaking", header("access-control-allow-origin", "*"), header("access-control-allow-origin",
     "https://a.example"),
     "access-control-allow-origin"),
    (97, "breaking", header("x-ratelimit-limit", "1000"), header("x-ratelimit-limit", "100"), "x-ratelimit-limit"),
    (97, "additive", header("x-ratelimit-limit", "100"), header("x-ratelimit-limit", "1000"), "x-ratelimit-limit"),
    (98, "risky", header("retry-after", "digits"), header("retry-after", "HTTP date"), "retry-after"),
    (99, "risky", header("x"), {**header("x"), **header("sunset", "Sat, 01 Jan 2033 00:00:00 GMT")}, "sunset"),
    (100, "breaking", header("sunset", "Sat, 01 Jan 2033 00:00:00 GMT"),
     header("sunset", "Thu, 01 Jan 2032 00:00:00 GMT"), "sunset"),
    (101, "breaking", fact("csv", "columns", "a, b"), fact("csv", "columns", "a, c"), "columns"),
    (102, "additive", fact("csv", "columns", "a, b"), fact("csv", "columns", "a, b, c"), "columns"),
    (102, "breaking", fact("csv", "columns", "a, b"), fact("csv", "columns", "a, c, b"), "columns"),
    (103, "breaking", fact("csv", "columns", "a, b"), fact("csv", "columns", "b, a"), "columns"),
    (104, "breaking", fact("csv", "delimiter", "comma"), fact("csv", "delimiter", "tab"), "delimiter"),
    (105, "risky", fact("csv", "byte order mark", "no"), fact("csv", "byte order mark", "yes"), "byte order mark"),
    (106, "cosmetic", fact("csv", "last line end", "yes"), fact("csv", "last line end", "no"), "last line end"),
    (107, "breaking", fact("csv", "columns", "a, b"), fact("csv", "columns", "none"), "columns"),
    (108, "risky", fact("csv", "empty cell", "empty"), fact("csv", "empty cell", "null"), "empty cell"),
    (109, "breaking", fact("csv", "column Day", "date"), fact("csv", "column Day", "digits"), "column Day"),
    (110, "risky", fact("csv", "order of rows", "up by Day"), fact("csv", "order of rows", "down by Day"),
     "order of rows"),
    (111, "breaking", fact("rpc", "handshake", "accepted"), fact("rpc", "handshake", "401"), "handshake"),
    (112, "breaking", fact("rpc", "correlation", "same id"), fact("rpc", "correlation", "none"), "correlation"),
    (113, "breaking", fact("rpc", "order of replies", "as sent"), fact("rpc", "order of replies", "any"),
     "order of replies"),
    (114, "risky", fact("rpc", "unsolicited frames", "none"), fact("rpc", "unsolicited frames", "some"),
     "unsolicited frames"),
    (115, "breaking", fact("rpc", "frame", "text"), fact("rpc", "frame", "binary"), "frame"),
    (116, "breaking", fact("rpc", "close", "stays open"), fact("rpc", "close", "after an error"), "close"),
    (117, "breaking", fact("rpc", "largest frame", "65536"), fact("rpc", "largest frame", "400"), "largest frame"),
    (41, "breaking", outcome("missing: query id", "400 application/json"),
     outcome("missing: query id", "400 application/json malformed"), "missing: query id"),
    (117, "breaking", outcome(PLAIN, "frame"), outcome(PLAIN, "closed 1009"), PLAIN),
    (116, "breaking", outcome(PLAIN, "frame"), outcome(PLAIN, "closed 1008"), PLAIN),
    (38, "breaking", body("/code", answer="400", values="a, b"), body("/code", answer="400", values="a, c"), "/code"),
    (118, "breaking", fact("rpc", "unknown method", "refused"), fact("rpc", "unknown method", "no answer"),
     "unknown method"),
    (119, "breaking", fact("equality", PLAIN, "all transports"),
     fact("equality", PLAIN, "header, query | websocket"), PLAIN),
    (120, "risky", fact("rpc", "subprotocol", "none"), fact("rpc", "subprotocol", "v2"), "subprotocol"),
    (121, "breaking", fact("clause", "SHOP-1", "kept"), fact("clause", "SHOP-1", "broken"), "SHOP-1"),
    (122, "repaired", fact("clause", "SHOP-1", "broken"), fact("clause", "SHOP-1", "kept"), "SHOP-1"),
    (123, "breaking", fact("reading", "SHOP-AMB-1", "ignored"), fact("reading", "SHOP-AMB-1", "refused"), "SHOP-AMB-1"),
    (123, "additive", fact("reading", "SHOP-AMB-1", "refused"), fact("reading", "SHOP-AMB-1", "ignored"), "SHOP-AMB-1"),
    (73, "risky", fact("walk", "create, then mail", "digits within a line"),
     fact("walk", "create, then mail", "digits in a link"), "create, then mail"),
    (44, "risky", fact("walk", "delete while it holds another", "409 application/json"),
     fact("walk", "delete while it holds another", "403 application/json"), "delete while it holds another"),
    (16, "breaking", fact("walk", "delete while it holds another", "200 application/json"),
     fact("walk", "delete while it holds another", "409 application/json"), "delete while it holds another"),
    (82, "breaking", fact("page", "order with valid: sorting alone", "up by created"),
     fact("page", "order with valid: sorting alone", "up by id"), "order with valid: sorting alone"),
    (50, "additive", fact("walk", "members of the login", "/data, /data/name"),
     fact("walk", "members of the login", "/data, /data/name, /data/token"), "members of the login"),
    (91, "risky", fact("walk", "headers of the login", "content-type, x-token"),
     fact("walk", "headers of the login", "content-type"), "headers of the login"),
    (72, "risky", fact("page", "parameters of next", "cursor, limit"),
     fact("page", "parameters of next", "cursor (no number), limit"), "parameters of next"),
    (12, "additive", fact("access", "Token before the key", "401"), fact("access", "Token before the key", JSON),
     "Token before the key"),
    (128, "cosmetic", fact("connection", "JSON letters", "as they are"),
     fact("connection", "JSON letters", "escaped"), "JSON letters"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "severity", "before", "after", "place"),
    CASES,
    ids=[f"{case[0]}-{case[1]}-{n}" for n, case in enumerate(CASES)],
)
def test_a_change_has_its_kind(number: int, severity: str, before: Facts, after: Facts, place: str) -> None:
    seen = compared(before, after)
    assert [(change.number, change.severity, change.places[0].place) for change in seen] == [(number, severity, place)]
    assert sentence(seen[0])


def kept(before: Facts, after: Facts) -> Facts:
    """The behaviour before, with every change accepted."""
    facts = dict(before)
    for change in compared(before, after):
        for address, behaviour in change.edits:
            facts.pop(address, None)
            facts |= {address: behaviour} if behaviour else {}
    return facts


def test_what_is_kept_is_no_change_any_more() -> None:
    numbers = [number for number, _, before, after, _ in CASES if compared(kept(before, after), after)]
    assert numbers == []


def test_the_same_behaviour_is_no_change() -> None:
    numbers = [case[0] for case in CASES for facts in case[2:4] if compared(facts, facts)]
    assert numbers == []


def test_every_number_has_a_kind() -> None:
    assert {kind.number for kind in change_kinds().values()} == set(range(1, 129))
    assert {kind.severity for kind in change_kinds().values()} == set(SEVERITIES)


NO_CHANGES = {
    "a page with another one behind it": (
        {**header("link", "rel next", 4), **header("x")},
        {**header("link", "rel next", 30), **header("x")},
    ),
    "an order that too few times could show": (
        fact("order", "/tasks", "up by id, perhaps up by at", "200"),
        fact("order", "/tasks", "up by at", "200"),
    ),
    "a second order": (
        fact("order", "/tasks", "up by at", "200"),
        fact("order", "/tasks", "up by at, up by id", "200"),
    ),
    "another order of members in a few objects": (
        body("/", n=5, kind="object", members="a, b"),
        body("/", n=5, kind="object", members="b, a"),
    ),
    "rows in an order that both show": (
        fact("csv", "order of rows", "up by Day, up by Id"),
        fact("csv", "order of rows", "up by Id"),
    ),
    "another number of entries": (fact("length", "/tasks", "more", "200"), fact("length", "/tasks", "0 or 1", "200")),
    "a member of an empty list": (member(), body("/tasks", kind="array")),
    "a rare member that few answers could have": (member(presence=(4, 40)), item(n=5)),
    "a new value after few sightings": (
        {**item(), **body("/tasks/*/state", n=5, values="a")},
        {**item(), **body("/tasks/*/state", n=5, values="b")},
    ),
    "a share that differs by chance": (member(presence=(20, 40)), member(presence=(23, 40))),
    "a missing member after few sightings": (
        {**item(n=5), **body("/tasks/*/state", n=5)},
        {**item(n=5), **body("/tasks/*/state", n=5, presence=(4, 5))},
    ),
    "a question that is not asked": (VALID, outcome("valid: other", JSON)),
    "an operation that is not observed": (VALID, outcome(PLAIN, "404", operation="GET /other")),
    "a clause that no test checked": (fact("clause", "SHOP-1", "kept"), fact("clause", "SHOP-1", "not tested")),
    "fewer forms": (member(form="date or empty"), member(form="date")),
    "a name that looks like a number": (member(form="text"), member(form="text or digits")),
}


@pytest.mark.parametrize(("before", "after"), NO_CHANGES.values(), ids=NO_CHANGES)
def test_data_and_chance_are_no_change(before: Facts, after: Facts) -> None:
    assert compared(before, after) == []


def test_what_is_unsteady_is_not_watched() -> None:
    record = Record(HEADER, {}, dict.fromkeys(VALID, ("a", "b")))
    assert changes(record, outcome(PLAIN, "404"), SeverityRules()) == []


def test_one_change_at_many_addresses_is_one() -> None:
    titles = [("missing: query id", f"GET /{name}") for name in "abc"] + [("missing: query other", "GET /a")]
    before = {key: value for title, operation in titles for key, value in outcome(title, ERROR, operation).items()}
    after = {key: Behaviour("422 application/json missing id") for key in before}
    (change,) = compared(before, after)
    assert (change.number, len(change.places), change.before, change.after) == (44, 4, "400", "422")
    assert sentence(change) == "GET /a (and 2 more operations) refuses missing: query id (and 1 more) with 422, was 400"


def test_two_changes_are_both_seen() -> None:
    before = {**member(form="date"), **header("cache-control", "no-store"), **outcome("missing: query id", ERROR)}
    after = {**item(), **header("cache-control", "public"), **outcome("missing: query id", "500 text/plain")}
    assert {change.number for change in compared(before, after)} == {43, 48, 93}


def test_a_rare_member_is_renamed_if_another_takes_its_place() -> None:
    before = {**item(n=5), **body("/tasks/*/created_at", n=5, form="date")}
    after = {**item(n=5), **body("/tasks/*/made_at", n=5, form="date")}

    class Optional(SeverityRules):
        def needs_evidence(self, address: Address) -> bool:
            return address.place == "/tasks/*/created_at"

    assert [change.number for change in compared(before, after, Optional())] == [65]
    assert compared(before, item(n=5), Optional()) == []


def test_answers_of_a_gone_operation_stay_in_the_record() -> None:
    before, after = {**VALID, **member(), **header("etag", "strong")}, outcome(PLAIN, "404 application/json")
    (change,) = compared(before, after)
    assert {address.answer for address, _ in change.edits} == {""}
    kept = Record(HEADER, {**before, **after}, {})
    assert (changes(kept, after, SeverityRules()), not_comparable(kept, after)) == ([], [])


def test_a_gone_operation_explains_its_answers() -> None:
    before = {**VALID, **member(), **header("etag", "strong")}
    assert [change.number for change in compared(before, outcome(PLAIN, "404"))] == [1]


def test_the_worst_comes_first_and_security_before_it() -> None:
    before = {**item(), **member(), **fact("access", "wrong credentials (token)", "401")}
    after = {**item(), **fact("access", "wrong credentials (token)", JSON)}
    assert [change.number for change in compared(before, after)] == [13, 48]


def test_an_id_is_what_the_change_is() -> None:
    (first,) = compared(member(), item())
    (second,) = compared({**member(), **outcome("valid: x", JSON)}, {**item(), **outcome("valid: x", JSON)})
    assert first.id == second.id
    assert len(first.id) == 12
    (other,) = compared(member(presence=(30, 40)), item())
    assert other.id != first.id


GETFLOW = rules_of("getflow")
NAME = Address("GET /tasks", "200", "presence", "/tasks/*/name")


def test_a_change_names_the_clause_of_its_schema() -> None:
    assert GETFLOW.clause_of(NAME).startswith("GETFLOW-")
    assert GETFLOW.clause_of(Address("GET /tasks", "", "outcome", "missing: query organization_id")) == "GETFLOW-ERR-10"


@pytest.mark.parametrize(
    ("api", "operation", "place"),
    [
        ("flowapp", "GET /api/v1/events/sessions", "/data/*/title"),  # within `then`
        ("bitvis", "GET /api/inventory/inventory/device/ LIST by header", "/data/*/name"),
        ("flowback", "GET /users", "/data/*/username"),
    ],
)
def test_a_clause_is_found_in_every_form_of_schema(api: str, operation: str, place: str) -> None:
    rules = rules_of(api)
    assert rules.clause_of(Address(operation, "200", "presence", place)).startswith(api.upper())
    assert rules.clause_of(Address(operation, "200", "presence", f"{place}_undocumented")) == ""


def test_the_document_is_silent_about_unknown_operations() -> None:
    assert GETFLOW.clause_of(NAME._replace(operation="GET /nothing")) == ""


def test_a_broken_clause_makes_a_change_breaking() -> None:
    title = "missing: query organization_id"
    before = {**outcome(title, ERROR), **fact("clause", "GETFLOW-ERR-10", "kept", operation="")}
    after = {
        **outcome(title, "422 application/json missing id"),
        **fact("clause", "GETFLOW-ERR-10", "broken", operation=""),
    }
    (change,) = compared(before, after, GETFLOW)
    assert (change.number, change.severity, change.clause) == (44, "breaking", "GETFLOW-ERR-10")
    assert change.clause_line.startswith("line ")


def test_a_mended_clause_is_repaired_or_risky() -> None:
    title = "missing: query organization_id"
    clause = {Address("", "", "clause", "GETFLOW-ERR-10"): Behaviour("broken")}
    kept = {Address("", "", "clause", "GETFLOW-ERR-10"): Behaviour("kept")}
    message = (fact("message", title, "a"), fact("message", title, "b"))
    (wording,) = compared({**message[0], **clause}, {**message[1], **kept}, GETFLOW)
    assert wording.severity == "repaired"
    (status,) = compared({**outcome(title, "500 text/plain"), **clause}, {**outcome(title, ERROR), **kept}, GETFLOW)
    assert status.severity == "risky"


def test_a_contract_declares_a_severity() -> None:
    class Declaring(SeverityRules):
        def declared(self, address: Address) -> Any:
            return "additive" if address.place == "/tasks/*/state" else None

    (change,) = compared(member(), item(), Declaring())
    assert (change.number, change.severity) == (48, "additive")


def test_an_optional_member_needs_many_sightings() -> None:
    optional = Address("GET /tasks", "200", "presence", "/tasks/*/due_on")
    assert GETFLOW.needs_evidence(optional)
    assert not GETFLOW.needs_evidence(NAME._replace(place="/tasks/*/undocumented"))


def test_what_could_not_be_compared_is_listed() -> None:
    record = Record(HEADER, {**VALID, **outcome("valid: other", JSON), **member()}, {})
    addresses = not_comparable(record, VALID)
    assert {address.place for address in addresses} >= {"valid: other", "/tasks/*/state"}
    assert not_comparable(record, record.steady) == []
