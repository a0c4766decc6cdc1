"""Flowback's reference, honest or changed, serves or refuses any request."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference.protocol import Request, handler_with_changes
from suites.selftest.reference.flowback_requests import (
    FORM,
    KEY,
    REFERENCE,
    create_world,
)

CHANGES = (*REFERENCE.FAULTS.values(), *REFERENCE.VARIANTS.values())
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "-1", "1", "50", "51", "9" * 400, "1.5", "null", "\x00", "\ud800", "é", "a@b.example", "%ff"]
    ),
)
FIELDS = st.sampled_from(
    ["id", "username", "page", "limit", "offset", "email", "password", "verification_code", "x", ""]
)
PAIRS = st.lists(st.tuples(FIELDS, TEXTS), max_size=5).map(lambda pairs: urlencode(pairs, errors="replace"))
PATHS = ["/users", "/user", "/register", "/register/verify", "/login"]
HEADERS = [(("authorization", KEY),), (("content-type", FORM),)]
HOSTILE = st.builds(
    Request,
    st.sampled_from(["GET", "POST"] * 4 + ["HEAD", "PUT", "OPTIONS", "", "x y"]),
    st.one_of(st.sampled_from(PATHS * 4 + ["/users/", "", "*", "/%ff"]), st.text(max_size=9)),
    st.one_of(PAIRS, st.text(max_size=30)),
    st.one_of(
        st.sampled_from(HEADERS),
        st.lists(st.tuples(st.sampled_from(["authorization", "content-type"]), st.text(max_size=9)), max_size=3).map(
            tuple
        ),
    ),
    st.one_of(PAIRS.map(str.encode), st.binary(max_size=40)),
)
REFERENCE_SERVER = REFERENCE.create(create_world())


@settings(derandomize=True, deadline=None, database=None, max_examples=300)
@given(HOSTILE)
def test_hostile_request_is_served_or_refused(request_: Request) -> None:
    reply = REFERENCE_SERVER.handle(request_)
    assert reply.status in (200, 201, 400, 401, 404, 405, 413, 415)
    if reply.status >= 400:
        assert reply.header("content-type") == "application/json"
        assert {"detail", "code"} <= set(reply.json()) <= {"detail", "code", "field"}


@settings(derandomize=True, deadline=None, database=None, max_examples=20)
@given(st.lists(HOSTILE, max_size=5))
def test_changes_cope_with_hostile_requests(requests: list[Request]) -> None:
    for change in CHANGES:
        server = handler_with_changes(REFERENCE.create(create_world()), [change])
        statuses = [server(request).status for request in requests]
        assert all(200 <= status <= 500 for status in statuses), change.name
