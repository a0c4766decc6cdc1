"""GET /user of Flowback (document lines 158-200)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    EXAMPLES,
    Row,
    all_pages,
    complete_list,
    expect_success,
    get_user,
    ids_of,
    is_allowed,
    is_refused,
    other_account,
    page_rows,
    require_meaning,
    single_user,
    unchanged_list,
    user_in,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

clause = pytest.mark.clause
MAX_ID = 2**31 - 1
OPTIONAL_MEMBERS = ("profile_image", "banner_image", "bio", "website")
SHARED_MEMBERS = ("id", "username", "profile_image")  # of a row of the list and of the single user


def rows_of(users: list[Row]) -> st.SearchStrategy[Row]:
    """Any of these users, most often the first and the last."""
    return st.sampled_from([users[0], users[-1], *users])


@clause("FLOWBACK-GET-1")
def test_get_user_is_served(api: Api, readings: ObservedReadings) -> None:
    """GET /user is served."""
    require_meaning(readings, "FLOWBACK-AMB-11", "user")
    exchange = get_user(api)
    assert not is_refused(exchange), f"GET /user was refused with status {exchange.response.status}"


@clause("FLOWBACK-GET-2")
def test_response_holds_exactly_one_user(api: Api) -> None:
    """The response to GET /user holds exactly one user, whichever id is given."""

    def check_count(row: Row) -> None:
        body = read_body(expect_success(api, "getUser", get_user(api, id=row["id"])))
        count = len(body.get("data", [body]))
        assert count == 1, f"the response to the id {row['id']} holds {count} users"

    for_all(check_count, EXAMPLES, row=rows_of(complete_list(api, 1)))


@clause("FLOWBACK-GET-3")
def test_own_user_has_the_documented_members(api: Api, readings: ObservedReadings) -> None:
    """The owner of the key sees id, email and username; members without a value are null, absent or empty."""
    user = single_user(api)
    email = user.get("email")
    assert email, f"the caller's own email is {email!r}"
    for name in OPTIONAL_MEMBERS:
        value: Any = user.get(name)
        assert value is None or isinstance(value, str), f"{name} is {value!r}"
    without_value = [name for name in OPTIONAL_MEMBERS if not user.get(name)]
    if without_value:
        readings.observe(
            "FLOWBACK-AMB-21",
            null=any(name in user and user[name] is None for name in without_value),
            absent=any(name not in user for name in without_value),
            empty=any(user.get(name) == "" for name in without_value),
        )


@clause("FLOWBACK-GET-3")
def test_every_user_has_the_documented_members(api: Api, readings: ObservedReadings) -> None:
    """Every user has an id, a username and members of the documented types; the email of others may be withheld."""
    own_id = single_user(api)["id"]
    users = [single_user(api, id=row["id"]) for row in complete_list(api, 1)[:100]]
    emails = [user.get("email") for user in users if user["id"] != own_id]
    if not emails:
        raise MissingPrecondition("the target needs a second user")
    readings.observe("FLOWBACK-AMB-22", shown=any(emails), withheld=not any(emails))


@clause("FLOWBACK-GET-4")
def test_id_selects_the_user(api: Api) -> None:
    """The id of a listed user returns that user, never the owner of the key instead."""

    def check_selected(row: Row) -> None:
        exchange = get_user(api, id=row["id"])
        assert not is_refused(exchange), f"the listed id {row['id']} was refused with {exchange.response.status}"
        received = user_in(exchange)["id"]
        assert received == row["id"], f"the id {row['id']} returned the user {received}"

    with unchanged_list(api):
        for_all(check_selected, EXAMPLES, row=rows_of(complete_list(api, 2)))


@clause("FLOWBACK-GET-4")
def test_without_an_id_the_owner_of_the_key_is_returned(api: Api, readings: ObservedReadings) -> None:
    """Without an id the owner of the key is returned, for two keys two users; an empty id counts as left out, or is
    refused.
    """
    owner_ids = []
    for api_with_key in (api, other_account(api, readings)):
        owner = single_user(api_with_key)
        by_id = single_user(api_with_key, id=owner["id"])
        assert by_id == owner, f"without an id the user is {owner}, by the same user's id it is {by_id}"
        owner_ids.append(owner["id"])
        exchange = get_user(api_with_key, id="")
        refused = is_refused(exchange)
        is_owner = not refused and user_in(exchange)["id"] == owner["id"]
        assert is_allowed(readings, "FLOWBACK-AMB-13", left_out=is_owner, refused=refused), (
            "an empty id returned another user than the owner of the key"
        )
    assert owner_ids[0] != owner_ids[1], f"the keys of two users both show the user {owner_ids[0]}"


@clause("FLOWBACK-GET-4")
def test_known_key_shows_its_known_owner(api: Api) -> None:
    """The owner of the key in the setting TOKEN has the id in the setting USER_ID."""
    received, expected = str(single_user(api)["id"]), api.setting("USER_ID")
    assert received == expected, f"the key belongs to the user {received}, the setting USER_ID is {expected}"


@clause("FLOWBACK-GET-5")
def test_unknown_id_is_nobody_else(api: Api) -> None:
    """An id that is not in the list is not answered with another user."""
    listed_ids = set(ids_of(complete_list(api, 1)))
    with unchanged_list(api):
        for user_id in (max(listed_ids) + 1, MAX_ID):
            exchange = get_user(api, id=user_id)
            shown = None if is_refused(exchange) else user_in(exchange)["id"]
            assert shown in (None, user_id), f"no user has the id {user_id}, but the user {shown} was returned"


@clause("FLOWBACK-GET-8")
def test_unknown_id_is_refused(api: Api) -> None:
    """An id that is not in the list is refused."""
    listed_ids = set(ids_of(complete_list(api, 1)))

    def check_refused(user_id: int) -> None:
        exchange = get_user(api, id=user_id)
        assert is_refused(exchange), f"no user has the id {user_id}, but it was served with {exchange.response.status}"

    with unchanged_list(api):
        ids = st.integers(-5, MAX_ID) | st.integers(max(listed_ids) + 1, max(listed_ids) + 100_000)
        for_all(check_refused, EXAMPLES, user_id=ids.filter(lambda user_id: user_id not in listed_ids))


@clause("FLOWBACK-GET-6")
def test_single_user_comes_in_an_envelope(api: Api, readings: ObservedReadings) -> None:
    """The response to GET /user is an envelope whose data is the user, or the user itself."""
    body = read_body(expect_success(api, "getUser", get_user(api)))
    has_envelope = isinstance(body.get("data"), list) and {"count", "total_page", "previous"} <= set(body)
    readings.one_of("FLOWBACK-AMB-12", envelope=has_envelope, bare="username" in body)


@clause("FLOWBACK-GET-7")
def test_list_and_single_user_agree(api: Api) -> None:
    """The list, the list filtered by id and GET /user show the same values of a user."""

    def check_same(row: Row) -> None:
        user = single_user(api, id=row["id"])
        filtered = page_rows(api, id=row["id"])
        assert filtered, f"the list filtered by the id {row['id']} is empty"
        for name in SHARED_MEMBERS:
            values = [shown.get(name) for shown in (row, filtered[0], user)]
            assert values[0] == values[1] == values[2], (
                f"{name} of the user {row['id']} in the list, in the filtered list and in GET /user: {values}"
            )

    with unchanged_list(api):
        for_all(check_same, EXAMPLES, row=rows_of(all_pages(api)))
