"""Who is let in: lines 81-84 of the document. A token or HTTP Basic, each alone, by header."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    METHODS,
    QUEUE,
    READING,
    Kind,
    asked,
    done,
    fails,
    for_all,
    of,
    some,
)
from suites.bitvis.frames import framed
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
each_way = pytest.mark.parametrize("scheme", ["FlowToken", "Basic"])


def basic(username: str, password: str) -> dict[str, str]:
    """The header of that user (RFC 7617, 2)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def own_basic(api: Api, password: str | None = None) -> dict[str, str]:
    """The header of the user that the target knows, with this password or the right one."""
    return basic(api.setting("USERNAME"), api.setting("PASSWORD") if password is None else password)


def nearly(secret: str) -> st.SearchStrategy[str]:
    """Texts like that secret which are another one."""
    cut = st.integers(1, max(1, len(secret) - 1)).map(lambda length: secret[:length])
    tail = st.integers(1, max(1, len(secret) - 1)).map(lambda length: secret[length:])
    more = st.sampled_from("0a:é ").map(lambda extra: f"{secret}{extra}")
    other = st.sampled_from([secret.upper(), secret.swapcase(), secret[::-1], "0" * len(secret), "x"])
    return st.one_of(cut, tail, more, other).filter(lambda text: text.strip() != secret)


@clause("BITVIS-AUTH-1")
@each_kind
@pytest.mark.parametrize("method", READING)
@pytest.mark.parametrize("credentials", ["none", "wrong", "empty"])
def test_strangers_read_nothing(api: Api, kind: Kind, method: str, credentials: str) -> None:
    """Without, with wrong and with empty credentials of either sort a call fails, right after one that succeeds."""
    identifier = "" if method == "LIST" else some(api, kind)["id"]
    done(api, method, kind, identifier)
    for scheme in ("FlowToken", "Basic", "QueryToken"):
        answer = asked(api, method, kind, identifier, credentials=credentials, scheme=scheme)
        fails(answer, f"the credentials are {credentials}")


@clause("BITVIS-AUTH-1")
@each_kind
@pytest.mark.parametrize("method", [method for method in METHODS if method not in READING])
def test_strangers_change_nothing(api: Api, make: Make, kind: Kind, method: str) -> None:
    """The same for calls that would change our object: they fail, and it is as before."""
    own = make(kind)
    data = None if method == "DELETE" else of(kind, api)
    for credentials in ("none", "wrong", "empty"):
        for scheme in ("FlowToken", "Basic"):
            objectid = "" if method == "CREATE" else own["id"]
            answer = asked(api, method, kind, objectid, data=data, credentials=credentials, scheme=scheme)
            fails(answer, f"the credentials are {credentials}")
    assert done(api, "OPEN", kind, own["id"]) == own


@clause("BITVIS-AUTH-1", "BITVIS-AUTH-2")
@each_way
@each_kind
def test_either_way_alone_lets_a_caller_in(api: Api, mine: Mine, kind: Kind, scheme: str) -> None:
    """All methods succeed by GET and POST with a token alone and with Basic alone."""
    new = done(api, "CREATE", kind, data=of(kind, api), scheme=scheme)
    mine.append((kind, new["id"]))
    for place in ("header", "path"):
        done(api, "OPEN", kind, new["id"], scheme=scheme, place=place)
    done(api, "UPDATE", kind, new["id"], data=of(kind, api), scheme=scheme)
    done(api, "INDEX", kind, new["id"], scheme=scheme)
    done(api, "LIST", kind, scheme=scheme)
    done(api, "DELETE", kind, new["id"], scheme=scheme)


@clause("BITVIS-AUTH-1")
def test_a_token_is_not_required_beside_basic(api: Api, readings: Observed) -> None:
    """Over HTTP Basic is enough, while a frame needs a token."""
    alone = asked(api, "LIST", DEVICE, scheme="Basic")["success"] is True
    readings.one_of("BITVIS-AMB-2", either=alone, token_always=not alone)
    fails(framed(api, DEVICE, {"method": "LIST"}, changes=False)[0], "a frame carries its token")


@clause("BITVIS-AUTH-1")
def test_two_ways_at_once_do_what_a_meaning_says(api: Api, readings: Observed) -> None:
    """With both right a caller is let in; with one of them wrong it is the token, Basic, either or both that count."""
    token, wrong = api.setting("TOKEN"), own_basic(api, "wrong")
    both = asked(api, "LIST", headers={"Flow-Auth-Token": token, **own_basic(api)})
    assert both["success"] is True, "right credentials of both sorts are refused"
    good_token = asked(api, "LIST", headers={"Flow-Auth-Token": token, **wrong})["success"] is True
    good_basic = asked(api, "LIST", headers={"Flow-Auth-Token": "wrong", **own_basic(api)})["success"] is True
    readings.one_of(
        "BITVIS-AMB-40",
        either=good_token and good_basic,
        both=not good_token and not good_basic,
        token=good_token,
        basic=good_basic,
    )
    nothing = asked(api, "LIST", headers={"Flow-Auth-Token": "wrong", **wrong})
    fails(nothing, "both credentials are wrong")


@clause("BITVIS-AUTH-2")
@each_way
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_both_ways_work_by_header(api: Api, scheme: str, verb: str) -> None:
    """A call that changes nothing succeeds with each sort of header, by GET and by POST."""
    method, objectid = ("LIST", "") if verb == "GET" else ("INDEX", some(api, DEVICE)["id"])
    done(api, method, DEVICE, objectid, scheme=scheme, verb=verb)


@clause("BITVIS-AUTH-3")
def test_basic_takes_the_whole_password(api: Api) -> None:
    """The target's password lets in, whatever letters it has; passwords that are nearly it, other users, and what
    is no base64 do not.
    """
    done(api, "LIST", headers=own_basic(api), credentials="none")
    password = api.setting("PASSWORD")

    def check(wrong: str) -> None:
        fails(asked(api, "LIST", headers=own_basic(api, wrong), credentials="none"), "it is another password")

    tries = 20 if api.target.embedded else 3  # a vendor may lock the account
    for_all(check, tries, wrong=st.one_of(nearly(password), st.just(password.partition(":")[0] + ":x"), st.just("")))
    for headers in (
        basic("", ""),
        basic("", password),
        basic(api.unique("nobody-"), password),
        {"Authorization": "Basic"},
        {"Authorization": "Basic =!="},
        {"Authorization": own_basic(api)["Authorization"].replace("Basic", "Bearer")},
    ):
        fails(asked(api, "LIST", headers=headers, credentials="none"), "they are no credentials")


@clause("BITVIS-AUTH-4")
@each_kind
@pytest.mark.parametrize("place", ["header", "path"])
def test_the_token_alone_in_its_header_is_enough(api: Api, kind: Kind, place: Any) -> None:
    """OPEN succeeds with the token's header as the only credential, wherever the object id is."""
    headers = {"Flow-Auth-Token": api.setting("TOKEN")}
    identifier = some(api, kind)["id"]
    assert done(api, "OPEN", kind, identifier, place=place, headers=headers, credentials="none")["id"] == identifier


@clause("BITVIS-AUTH-5")
@each_kind
def test_an_invented_token_is_refused(api: Api, kind: Kind) -> None:
    """Tokens that are nearly a good one, and made-up ones, let nobody in: by header, by query string, by frame."""
    made_up = st.uuids(version=4).map(lambda one: one.hex)
    token = api.setting("TOKEN")

    def check(wrong: str) -> None:
        headers = {"Flow-Auth-Token": wrong}
        if wrong.isascii():
            fails(asked(api, "LIST", kind, headers=headers, credentials="none"), "nobody gave out that token")
        fails(asked(api, "LIST", kind, query={"token": wrong}, credentials="none"), "nobody gave out that token")
        (answer,) = framed(api, kind, {"method": "LIST", "token": wrong}, changes=False)
        fails(answer, "nobody gave out that token")

    tries = 20 if api.target.embedded else 3  # a vendor may lock the account
    for_all(check, tries, wrong=st.one_of(nearly(token), made_up))


@clause("BITVIS-AUTH-5")
def test_each_token_that_was_given_out_is_accepted(api: Api) -> None:
    """The second account's token lets in as well."""
    other = api.other(TOKEN=api.setting("OTHER_TOKEN"))
    for kind in (ADDRESS, QUEUE):
        done(other, "LIST", kind)
