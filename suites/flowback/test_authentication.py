"""Authentication and login of Flowback (document lines 29-53)."""

from __future__ import annotations

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.flowback.client import (
    EXAMPLES,
    check_exchange,
    complete_list,
    expect_success,
    get_user,
    is_allowed,
    is_refused,
    log_in,
    login,
    other_account,
    register,
    registered_person,
    require_login,
    require_meaning,
    single_user,
    unused_email,
    user_in,
    verified_person,
    verify,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

pytestmark = pytest.mark.bug_kind("ways in")

clause = pytest.mark.clause
OPERATION_IDS = {"/users": "listUsers", "/user": "getUser"}


@clause("FLOWBACK-AUTH-1")
@pytest.mark.parametrize("path", OPERATION_IDS)
def test_valid_key_is_served(api: Api, path: str) -> None:
    """A request with a valid key is served."""
    exchange = check_exchange(api, OPERATION_IDS[path], api.request("GET", path))
    assert not is_refused(exchange), f"a valid key was refused with status {exchange.response.status}"


@clause("FLOWBACK-AUTH-5")
def test_bare_key_is_the_whole_header(api: Api) -> None:
    """The Authorization header holds the key alone, without a scheme before it."""
    headers = {"Authorization": api.setting("TOKEN")}
    exchange = check_exchange(api, "getUser", api.request("GET", "/user", headers=headers, credentials="none"))
    assert not is_refused(exchange), f"the bare key was refused with status {exchange.response.status}"


@clause("FLOWBACK-AUTH-3")
@pytest.mark.parametrize("state", ["none", "wrong", "empty"])
@pytest.mark.parametrize("path", OPERATION_IDS)
def test_no_users_without_a_valid_key(api: Api, path: str, state: str) -> None:
    """Without a key, with an unknown key and with an empty key the request is refused, and no user is shown."""
    usernames = {row["username"] for row in complete_list(api, 1) if len(row["username"]) > 5}
    response = api.request("GET", path, credentials=state).response
    assert 400 <= response.status < 500, f"credentials {state}: answered with status {response.status}"
    shown = [username for username in usernames if f'"{username}"' in response.text()]
    assert not shown, f"the refusal shows the users {shown[:3]}"


@clause("FLOWBACK-AUTH-3")
def test_almost_valid_key_is_refused(api: Api) -> None:
    """A valid key is refused if a character is replaced, its case changed, its end cut off or a character added."""
    key = api.setting("TOKEN")

    def check_refused(path: str, change: str, position: int, character: str) -> None:
        at = position % len(key)
        invalid_key = {
            "cut": key[: -1 - at % 8],
            "longer": key + character,
            "replaced": key[: at - 1] + character + key[at:] if at else character + key[1:],
            "other case": key[:at] + key[at].swapcase() + key[at + 1 :],
            "all in the other case": key.swapcase(),
        }[change]
        assume(invalid_key != key)
        exchange = api.request("GET", path, headers={"Authorization": invalid_key}, credentials="none")
        assert is_refused(exchange), f"{change}: an invalid key was served with status {exchange.response.status}"

    for_all(
        check_refused,
        EXAMPLES,
        path=st.sampled_from(list(OPERATION_IDS)),
        change=st.sampled_from(["longer", "cut", "replaced", "other case", "all in the other case"]),
        position=st.integers(0, 999),
        character=st.sampled_from("0a9zA"),
    )


@clause("FLOWBACK-AUTH-4")
def test_registration_needs_no_key(api: Api, readings: ObservedReadings) -> None:
    """POST /register is served without a key."""
    refused = is_refused(register(api, api.unique_text("flow.user"), unused_email(api), credentials="none"))
    assert is_allowed(readings, "FLOWBACK-AMB-2", optional=not refused, needed=refused), "refused without a key"


@clause("FLOWBACK-AUTH-9")
def test_verification_needs_no_key(api: Api, readings: ObservedReadings) -> None:
    """POST /register/verify is served without a key."""
    person = registered_person(api)
    refused = is_refused(verify(api, person.code, person.password, credentials="none"))
    assert is_allowed(readings, "FLOWBACK-AMB-3", all_before_login=not refused, registration_only=refused), (
        "refused without a key"
    )


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("valid", marks=clause("FLOWBACK-AUTH-7")),
        pytest.param("wrong", marks=clause("FLOWBACK-AUTH-9")),
        pytest.param("empty", marks=clause("FLOWBACK-AUTH-9")),
    ],
)
def test_registration_ignores_the_authorization_header(api: Api, state: str) -> None:
    """Both steps of a registration are served with a valid, an unknown and an empty key."""
    registration = register(api, api.unique_text("flow.user"), unused_email(api), credentials=state)
    assert not is_refused(registration), f"registration, {state} key: refused with {registration.response.status}"
    person = registered_person(api)
    verification = verify(api, person.code, person.password, credentials=state)
    assert not is_refused(verification), f"verification, {state} key: refused with {verification.response.status}"


@clause("FLOWBACK-AUTH-8")
def test_the_known_user_logs_in(api: Api, readings: ObservedReadings) -> None:
    """POST /login with the known username and password is served."""
    require_meaning(readings, "FLOWBACK-AMB-4", "plain")
    exchange = login(api, api.setting("USERNAME"), api.setting("PASSWORD"))
    assert not is_refused(exchange), f"the login of the known user was refused with {exchange.response.status}"


@clause("FLOWBACK-AUTH-9")
@pytest.mark.parametrize("state", ["wrong", "valid"])
def test_login_ignores_the_authorization_header(api: Api, readings: ObservedReadings, state: str) -> None:
    """A login is served with a valid and with an unknown key."""
    require_login(api, readings)
    exchange = login(api, api.setting("USERNAME"), api.setting("PASSWORD"), credentials=state)
    assert not is_refused(exchange), f"{state} key: the login was refused with {exchange.response.status}"


@clause("FLOWBACK-AUTH-2")
def test_login_returns_a_valid_key(api: Api, readings: ObservedReadings) -> None:
    """The key that a login returns is served."""
    require_login(api, readings)
    exchange = login(api, api.setting("USERNAME"), api.setting("PASSWORD"))
    api_with_key = api.with_settings(TOKEN=read_body(exchange)["token"])
    response = api_with_key.request("GET", "/users").response
    assert 200 <= response.status < 300, f"the key from the login was answered with status {response.status}"


@clause("FLOWBACK-AUTH-6")
def test_each_key_has_its_own_current_user(api: Api, readings: ObservedReadings) -> None:
    """Requests with the keys of two users, in any order, each show the owner of their key."""
    other_api = other_account(api, readings)
    own_id, other_id = single_user(api)["id"], single_user(other_api)["id"]
    assert own_id != other_id, f"both keys show the user {own_id}"

    def check_sequence(own_keys: list[bool]) -> None:
        for is_own in own_keys:
            shown = single_user(api if is_own else other_api)["id"]
            owner = own_id if is_own else other_id
            assert shown == owner, f"the key of the user {owner} showed the user {shown}"

    for_all(check_sequence, EXAMPLES, own_keys=st.lists(st.booleans(), min_size=1, max_size=6))


@clause("FLOWBACK-AUTH-6")
@pytest.mark.bug_kind("together")
def test_concurrent_requests_show_the_owner_of_their_key(api: Api, readings: ObservedReadings) -> None:
    """Of many concurrent requests, each shows the owner of its own key."""
    keys = [api.setting("TOKEN"), other_account(api, readings).setting("TOKEN")] * 6
    owners = [single_user(api.with_settings(TOKEN=key))["id"] for key in keys[:2]] * 6
    requests = [
        lambda sender, key=key: sender.request("GET", "/user", headers={"Authorization": key}, credentials="none")
        for key in keys
    ]
    exchanges = [expect_success(api, "getUser", exchange) for exchange in api.send_concurrently(requests)]
    shown = [user_in(exchange)["id"] for exchange in exchanges]
    assert shown == owners, f"the keys of the users {owners} showed the users {shown}"


@clause("FLOWBACK-AUTH-6", "FLOWBACK-AUTH-2")
def test_login_returns_a_key_of_the_user_who_logs_in(api: Api, readings: ObservedReadings) -> None:
    """After two new users have logged in, each of the two keys shows its own user."""
    require_login(api, readings)
    people = [verified_person(api), verified_person(api)]
    apis = [log_in(api, person.username, person.password) for person in people]
    shown = [single_user(api_with_key)["username"] for api_with_key in apis]
    expected = [person.username for person in people]
    assert shown == expected, f"the keys of {expected} show {shown}"


@clause("FLOWBACK-AUTH-6")
def test_an_older_key_stays_with_its_owner(api: Api, readings: ObservedReadings) -> None:
    """After another login of the same user, the older key is refused or still shows that user."""
    require_login(api, readings)
    older_api = log_in(api, api.setting("USERNAME"), api.setting("PASSWORD"), "FLOWBACK-AUTH-2")
    owner = single_user(older_api)["id"]
    newer_api = log_in(api, api.setting("USERNAME"), api.setting("PASSWORD"), "FLOWBACK-AUTH-2")
    assert single_user(newer_api)["id"] == owner
    exchange = get_user(older_api)
    assert is_refused(exchange) or single_user(older_api)["id"] == owner, "the older key shows another user"
