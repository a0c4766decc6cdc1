"""Authentication: document lines 81-84. A token or HTTP Basic credentials let a caller in, each alone, in a header."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    METHODS,
    QUEUE,
    READING_METHODS,
    ObjectKind,
    any_object,
    assert_failure,
    http_data,
    http_envelope,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.websocket_calls import frame_envelopes
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
each_scheme = pytest.mark.parametrize("scheme", ["FlowToken", "Basic"])


def basic(username: str, password: str) -> dict[str, str]:
    """The Authorization header of that user (RFC 7617, 2)."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def own_basic(api: Api, password: str | None = None) -> dict[str, str]:
    """The Authorization header of the configured user, with this password instead of the right one if given."""
    return basic(api.setting("USERNAME"), api.setting("PASSWORD") if password is None else password)


def similar_secrets(secret: str) -> st.SearchStrategy[str]:
    """Texts that resemble that secret and differ from it."""
    prefix = st.integers(1, max(1, len(secret) - 1)).map(lambda length: secret[:length])
    suffix = st.integers(1, max(1, len(secret) - 1)).map(lambda length: secret[length:])
    extended = st.sampled_from("0a:é ").map(lambda extra: f"{secret}{extra}")
    transformed = st.sampled_from([secret.upper(), secret.swapcase(), secret[::-1], "0" * len(secret), "x"])
    return st.one_of(prefix, suffix, extended, transformed).filter(lambda candidate: candidate.strip() != secret)


@clause("BITVIS-AUTH-1")
@each_kind
@pytest.mark.parametrize("method", READING_METHODS)
@pytest.mark.parametrize("credentials", ["none", "wrong", "empty"])
def test_strangers_read_nothing(api: Api, kind: ObjectKind, method: str, credentials: str) -> None:
    """A valid call succeeds; the same call without, with wrong or with empty credentials fails, for each scheme."""
    identifier = "" if method == "LIST" else any_object(api, kind)["id"]
    http_data(api, method, kind, identifier)
    for scheme in ("FlowToken", "Basic", "QueryToken"):
        envelope = http_envelope(api, method, kind, identifier, credentials=credentials, scheme=scheme)
        assert_failure(envelope, f"the credentials are {credentials}")


@clause("BITVIS-AUTH-1")
@each_kind
@pytest.mark.parametrize("method", [method for method in METHODS if method not in READING_METHODS])
def test_strangers_change_nothing(api: Api, new_object: ObjectFactory, kind: ObjectKind, method: str) -> None:
    """Calls that would change our object fail without valid credentials, and the object stays as it was."""
    own_object = new_object(kind)
    data = None if method == "DELETE" else new_object_data(kind, api)
    for credentials in ("none", "wrong", "empty"):
        for scheme in ("FlowToken", "Basic"):
            objectid = "" if method == "CREATE" else own_object["id"]
            envelope = http_envelope(api, method, kind, objectid, data=data, credentials=credentials, scheme=scheme)
            assert_failure(envelope, f"the credentials are {credentials}")
    assert http_data(api, "OPEN", kind, own_object["id"]) == own_object


@clause("BITVIS-AUTH-1", "BITVIS-AUTH-2")
@each_scheme
@each_kind
def test_each_scheme_alone_lets_a_caller_in(
    api: Api, created_objects: OwnObjects, kind: ObjectKind, scheme: str
) -> None:
    """Every method succeeds by GET and POST with a token alone and with Basic credentials alone."""
    new = http_data(api, "CREATE", kind, data=new_object_data(kind, api), scheme=scheme)
    created_objects.append((kind, new["id"]))
    for place in ("header", "path"):
        http_data(api, "OPEN", kind, new["id"], scheme=scheme, place=place)
    http_data(api, "UPDATE", kind, new["id"], data=new_object_data(kind, api), scheme=scheme)
    http_data(api, "INDEX", kind, new["id"], scheme=scheme)
    http_data(api, "LIST", kind, scheme=scheme)
    http_data(api, "DELETE", kind, new["id"], scheme=scheme)


@clause("BITVIS-AUTH-1")
def test_a_token_is_not_required_beside_basic(api: Api, readings: ObservedReadings) -> None:
    """Over HTTP, Basic credentials are enough; a websocket frame without a token is refused."""
    basic_is_enough = http_envelope(api, "LIST", DEVICE, scheme="Basic")["success"] is True
    readings.observe("BITVIS-AMB-2", either=basic_is_enough, token_always=not basic_is_enough)
    assert_failure(frame_envelopes(api, DEVICE, {"method": "LIST"})[0], "a frame needs its token")


@clause("BITVIS-AUTH-1")
def test_token_and_basic_together_follow_a_reading(api: Api, readings: ObservedReadings) -> None:
    """With a valid token and valid Basic credentials a caller is let in; with both wrong it is not. With one of them
    wrong, the reading decides which one counts.
    """
    token, wrong_basic = api.setting("TOKEN"), own_basic(api, "wrong")
    both_valid = http_envelope(api, "LIST", headers={"Flow-Auth-Token": token, **own_basic(api)})
    assert both_valid["success"] is True, "a valid token together with valid Basic credentials is refused"
    token_counts = http_envelope(api, "LIST", headers={"Flow-Auth-Token": token, **wrong_basic})["success"] is True
    basic_counts = http_envelope(api, "LIST", headers={"Flow-Auth-Token": "wrong", **own_basic(api)})["success"] is True
    readings.observe(
        "BITVIS-AMB-40",
        either=token_counts and basic_counts,
        both=not token_counts and not basic_counts,
        token=token_counts,
        basic=basic_counts,
    )
    both_wrong = http_envelope(api, "LIST", headers={"Flow-Auth-Token": "wrong", **wrong_basic})
    assert_failure(both_wrong, "both credentials are wrong")


@clause("BITVIS-AUTH-2")
@each_scheme
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_both_schemes_work_in_a_header(api: Api, scheme: str, verb: str) -> None:
    """A reading call succeeds with a token header and with a Basic header, by GET and by POST."""
    method, objectid = ("LIST", "") if verb == "GET" else ("INDEX", any_object(api, DEVICE)["id"])
    http_data(api, method, DEVICE, objectid, scheme=scheme, verb=verb)


@clause("BITVIS-AUTH-3")
def test_basic_takes_the_whole_password(api: Api) -> None:
    """The configured password is accepted whatever characters it has; similar passwords, other users and invalid base64
    are refused.
    """
    http_data(api, "LIST", headers=own_basic(api), credentials="none")
    password = api.setting("PASSWORD")

    def check(secret: str) -> None:
        assert_failure(
            http_envelope(api, "LIST", headers=own_basic(api, secret), credentials="none"), "the password is wrong"
        )

    examples = 20 if api.target.embedded else 3  # a vendor may lock the account
    for_all(
        check,
        examples,
        secret=st.one_of(similar_secrets(password), st.just(password.partition(":")[0] + ":x"), st.just("")),
    )
    for headers in (
        basic("", ""),
        basic("", password),
        basic(api.unique_text("nobody-"), password),
        {"Authorization": "Basic"},
        {"Authorization": "Basic =!="},
        {"Authorization": own_basic(api)["Authorization"].replace("Basic", "Bearer")},
    ):
        assert_failure(http_envelope(api, "LIST", headers=headers, credentials="none"), "the credentials are invalid")


@clause("BITVIS-AUTH-4")
@each_kind
@pytest.mark.parametrize("place", ["header", "path"])
def test_the_token_alone_in_its_header_is_enough(api: Api, kind: ObjectKind, place: Any) -> None:
    """OPEN succeeds with the token header as the only credential, wherever the object id is sent."""
    headers = {"Flow-Auth-Token": api.setting("TOKEN")}
    identifier = any_object(api, kind)["id"]
    assert (
        http_data(api, "OPEN", kind, identifier, place=place, headers=headers, credentials="none")["id"] == identifier
    )


@clause("BITVIS-AUTH-5")
@each_kind
def test_an_invented_token_is_refused(api: Api, kind: ObjectKind) -> None:
    """Tokens that resemble the valid one and invented tokens are refused: in the header, in the query string and in a
    frame.
    """
    invented = st.uuids(version=4).map(lambda value: value.hex)
    token = api.setting("TOKEN")

    def check(secret: str) -> None:
        headers = {"Flow-Auth-Token": secret}
        if secret.isascii():
            assert_failure(
                http_envelope(api, "LIST", kind, headers=headers, credentials="none"), "that token was never issued"
            )
        assert_failure(
            http_envelope(api, "LIST", kind, query={"token": secret}, credentials="none"), "that token was never issued"
        )
        (envelope,) = frame_envelopes(api, kind, {"method": "LIST", "token": secret})
        assert_failure(envelope, "that token was never issued")

    examples = 20 if api.target.embedded else 3  # a vendor may lock the account
    for_all(check, examples, secret=st.one_of(similar_secrets(token), invented))


@clause("BITVIS-AUTH-5")
def test_every_issued_token_is_accepted(api: Api) -> None:
    """The second account's token is accepted as well."""
    second_account = api.with_settings(TOKEN=api.setting("OTHER_TOKEN"))
    for kind in (ADDRESS, QUEUE):
        http_data(second_account, "LIST", kind)
