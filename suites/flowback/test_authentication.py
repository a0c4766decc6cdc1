"""Keys and logins of Flowback: document lines 29-53."""

from __future__ import annotations

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import (
    allowed,
    assumed,
    for_all,
    get,
    is_refused,
    kept,
    listing,
    logged_in,
    login,
    member,
    newcomer,
    register,
    served,
    user,
    verify,
)
from suites.readings import Observed

clause = pytest.mark.clause
mail = pytest.mark.xdist_group("mail")
PATHS = {"/users": "listUsers", "/user": "getUser"}


@clause("FLOWBACK-AUTH-1")
@pytest.mark.parametrize("path", PATHS)
def test_valid_key_is_served(api: Api, path: str) -> None:
    """A request with a valid key is served."""
    exchange = kept(api, PATHS[path], api.request("GET", path))
    assert not is_refused(exchange), f"a valid key was refused with {exchange.answer.status}"


@clause("FLOWBACK-AUTH-5")
def test_bare_key_is_the_whole_header(api: Api) -> None:
    """The header holds the key and no word before it."""
    key = {"Authorization": api.setting("TOKEN")}
    exchange = kept(api, "getUser", api.request("GET", "/user", headers=key, credentials="none"))
    assert not is_refused(exchange), f"the bare key was refused with {exchange.answer.status}"


@clause("FLOWBACK-AUTH-3")
@pytest.mark.parametrize("state", ["none", "wrong", "empty"])
@pytest.mark.parametrize("path", PATHS)
def test_no_users_without_a_valid_key(api: Api, path: str, state: str) -> None:
    """Without a key, with an unknown and with an empty one the answer is a refusal that names no user."""
    names = {row["username"] for row in listing(api, 1) if len(row["username"]) > 5}
    answer = api.request("GET", path, credentials=state).answer
    assert 400 <= answer.status < 500, f"{state} key: {answer.status}"
    shown = [name for name in names if f'"{name}"' in answer.text()]
    assert not shown, f"the refusal shows users: {shown[:3]}"


@clause("FLOWBACK-AUTH-3")
def test_key_that_is_almost_right_is_refused(api: Api) -> None:
    """A key with one letter in the other case or replaced, one that is cut and one that goes on are nobody's."""
    key = api.setting("TOKEN")

    def wrong(path: str, kind: str, place: int, letter: str) -> None:
        at = place % len(key)
        changed = {
            "cut": key[: -1 - at % 8],
            "longer": key + letter,
            "replaced": key[: at - 1] + letter + key[at:] if at else letter + key[1:],
            "other case": key[:at] + key[at].swapcase() + key[at + 1 :],
            "all in the other case": key.swapcase(),
        }[kind]
        assume(changed != key)
        headers = {"Authorization": changed}
        exchange = api.request("GET", path, headers=headers, credentials="none")
        assert is_refused(exchange), f"{kind}: a key that nobody has was served with {exchange.answer.status}"

    for_all(
        wrong,
        path=st.sampled_from(list(PATHS)),
        kind=st.sampled_from(["longer", "cut", "replaced", "other case", "all in the other case"]),
        place=st.integers(0, 999),
        letter=st.sampled_from("0a9zA"),
    )


@mail
@clause("FLOWBACK-AUTH-4")
def test_registration_needs_no_key(api: Api, readings: Observed) -> None:
    """Without the header a registration is served."""
    refused = is_refused(register(api, api.unique("flow.user"), f"{api.unique('flow')}@example.com"))
    assert allowed(readings, "FLOWBACK-AMB-2", optional=not refused, needed=refused), "refused without a key"


@mail
@clause("FLOWBACK-AUTH-4")
def test_verification_needs_no_key(api: Api, readings: Observed) -> None:
    """The second step of a registration is served without the header."""
    person = newcomer(api)
    refused = is_refused(verify(api, person.code, person.password))
    assert allowed(readings, "FLOWBACK-AMB-3", all_before_login=not refused, registration_only=refused), (
        "refused without a key"
    )


@mail
@clause("FLOWBACK-AUTH-7")
@pytest.mark.parametrize("state", ["valid", "wrong", "empty"])
def test_header_does_not_disturb_a_registration(api: Api, state: str) -> None:
    """Both steps are served with a key in the header, whether somebody has it or nobody."""
    person = newcomer(api)
    first = register(api, api.unique("flow.user"), f"{api.unique('flow')}@example.com", credentials=state)
    assert not is_refused(first), f"registration with a {state} key: {first.answer.status}"
    second = verify(api, person.code, person.password, credentials=state)
    assert not is_refused(second), f"verification with a {state} key: {second.answer.status}"


@clause("FLOWBACK-AUTH-2")
@pytest.mark.parametrize("state", ["none", "wrong", "valid"])
def test_login_gives_a_key_that_opens_the_api(api: Api, readings: Observed, state: str) -> None:
    """The key of a login is served like any other, whatever header the login had."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    exchange = login(api, api.setting("USERNAME"), api.setting("PASSWORD"), credentials=state)
    assert not is_refused(exchange), f"the known user was refused with {exchange.answer.status}"
    with_key = api.other(TOKEN=exchange.answer.json()["token"])
    answer = with_key.request("GET", "/users").answer
    assert 200 <= answer.status < 300, f"the key that the login gave was answered with {answer.status}"


@clause("FLOWBACK-AUTH-6")
def test_each_key_has_its_own_current_user(api: Api) -> None:
    """Two users' keys, used in turn, show each its owner every time."""
    other = api.other(TOKEN=api.setting("OTHER_TOKEN"))
    mine, theirs = user(api)["id"], user(other)["id"]
    assert mine != theirs, f"both keys show the user {mine}"

    def in_turn(turns: list[bool]) -> None:
        for own in turns:
            shown = user(api if own else other)["id"]
            assert shown == (mine if own else theirs), f"the key of {mine if own else theirs} showed {shown}"

    for_all(in_turn, turns=st.lists(st.booleans(), min_size=1, max_size=6))


@clause("FLOWBACK-AUTH-6")
def test_keys_are_kept_apart_at_the_same_time(api: Api) -> None:
    """Of many requests at once each shows the owner of its own key."""
    keys = [api.setting("TOKEN"), api.setting("OTHER_TOKEN")] * 6
    owners = [user(api.other(TOKEN=key))["id"] for key in keys[:2]] * 6
    sends = [
        lambda one, key=key: one.request("GET", "/user", headers={"Authorization": key}, credentials="none")
        for key in keys
    ]
    shown = [served(api, "getUser", exchange).answer.json() for exchange in api.together(sends)]
    found = [(value["data"][0] if "data" in value else value)["id"] for value in shown]
    assert found == owners, f"keys of {owners} showed {found}"


@mail
@clause("FLOWBACK-AUTH-6", "FLOWBACK-AUTH-2")
def test_login_gives_the_key_of_who_logs_in(api: Api, readings: Observed) -> None:
    """Two new users log in: each key shows the one who got it."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    people = [member(api), member(api)]
    keys = [logged_in(api, person.username, person.password) for person in people]
    shown = [user(key)["username"] for key in keys]
    assert shown == [person.username for person in people], f"the new keys show {shown}"


@clause("FLOWBACK-AUTH-6")
def test_an_older_key_stays_with_its_owner(api: Api, readings: Observed) -> None:
    """After another login the key that was there before is refused or shows the same user as before."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    older = logged_in(api, api.setting("USERNAME"), api.setting("PASSWORD"), "FLOWBACK-AUTH-2")
    owner = user(older)["id"]
    newer = logged_in(api, api.setting("USERNAME"), api.setting("PASSWORD"), "FLOWBACK-AUTH-2")
    assert user(newer)["id"] == owner
    again = get(older)
    assert is_refused(again) or user(older)["id"] == owner, "the older key shows somebody else"
