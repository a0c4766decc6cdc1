"""The list of users of Flowback: its format and its filters (document lines 113-156)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.flowback.client import (
    EXAMPLES,
    MAX_LIMIT,
    WORDS,
    all_pages,
    complete_list,
    expect_success,
    get_user,
    ids_of,
    is_refused,
    list_users,
    other_account,
    page_rows,
    require_meaning,
    single_user,
    unchanged_list,
    users_page,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

pytestmark = pytest.mark.bug_kind("comparison")

clause = pytest.mark.clause
MAX_ID = 2**31 - 1
NameMatcher = Callable[[str, str], bool]  # (value of the filter, username) -> whether the user is listed
NAME_MATCHERS: dict[str, tuple[str, NameMatcher]] = {  # each with its meaning of the reading FLOWBACK-AMB-19
    "equal": ("exact", lambda value, name: value == name),
    "equal in lower case": ("ignores_case", lambda value, name: value.lower() == name.lower()),
    "equal case-folded": ("ignores_case", lambda value, name: value.casefold() == name.casefold()),
    "prefix": ("part", lambda value, name: name.startswith(value)),
    "prefix in lower case": ("part", lambda value, name: name.lower().startswith(value.lower())),
    "part": ("part", lambda value, name: value in name),
    "part in lower case": ("part", lambda value, name: value.lower() in name.lower()),
    "part case-folded": ("part", lambda value, name: value.casefold() in name.casefold()),
}


@clause("FLOWBACK-LIST-1")
def test_list_is_served(api: Api, readings: ObservedReadings) -> None:
    """GET /users is served; with a slash at its end the path is served too, or unknown."""
    exchange = list_users(api)
    assert not is_refused(exchange), f"GET /users was refused with status {exchange.response.status}"
    status = api.request("GET", "/users/").response.status
    readings.one_of("FLOWBACK-AMB-25", strict=400 <= status < 500, lenient=200 <= status < 400)


@clause("FLOWBACK-LIST-3")
def test_list_is_one_json_object(api: Api) -> None:
    """Whatever the parameters, the response is a JSON object with the members of the document's example."""
    for query in ({}, {"limit": 1}, {"limit": MAX_LIMIT}, {"page": 1, "limit": 1, "offset": 0}, {"id": MAX_ID}):
        exchange = expect_success(api, "listUsers", list_users(api, **query))
        response = exchange.response
        assert response.media_type() == "application/json", f"{query}: the media type is {response.media_type()}"
        missing = {"count", "previous", "total_page", "data"} - set(read_body(exchange))
        assert not missing, f"{query}: the envelope has no {sorted(missing)}"


@clause("FLOWBACK-LIST-8")
def test_rows_are_an_array(api: Api) -> None:
    """The data of a page is an array, whether it has several rows, one row or none."""
    for query, most in (({"limit": 2}, 2), ({"limit": 1}, 1), ({"id": MAX_ID}, 0)):
        data = users_page(api, **query)["data"]
        assert isinstance(data, list), f"{query}: data is {data!r}"
        assert len(data) <= most, f"{query}: data has {len(data)} rows"


@clause("FLOWBACK-LIST-9")
def test_rows_have_the_documented_members(api: Api, readings: ObservedReadings) -> None:
    """Each row has an integer id and a username; an image is an absolute URL."""
    rows = complete_list(api, 1)
    for row in rows:
        assert not isinstance(row["id"], bool), f"an id is {row['id']}"
    without_image = [row for row in rows if not row.get("profile_image")]
    if without_image:
        readings.one_of(
            "FLOWBACK-AMB-21",
            null=any("profile_image" in row and row["profile_image"] is None for row in without_image),
            absent=any("profile_image" not in row for row in without_image),
            empty=any(row.get("profile_image") == "" for row in without_image),
        )


@clause("FLOWBACK-LIST-22")
def test_rows_show_no_email_address(api: Api) -> None:
    """No row has a member email, and none shows the address of the key's owner."""
    own_email = str(single_user(api).get("email"))
    for row in complete_list(api, 1):
        assert "email" not in row or not row["email"], f"the row of the user {row['id']} shows an email address"
        assert own_email not in row.values(), f"the row of the user {row['id']} shows an email address"


@clause("FLOWBACK-LIST-2")
def test_owners_of_keys_are_listed(api: Api, readings: ObservedReadings) -> None:
    """The owners of two keys are listed with their usernames."""
    owners = [single_user(api_with_key) for api_with_key in (api, other_account(api, readings))]
    usernames = {row["id"]: row["username"] for row in complete_list(api, 1)}
    for owner in owners:
        assert owner["id"] in usernames, f"{owner['username']} is not listed"
        listed = usernames[owner["id"]]
        assert listed == owner["username"], f"{owner['username']} is listed as {listed}"


@clause("FLOWBACK-LIST-2")
def test_unlisted_id_belongs_to_nobody(api: Api) -> None:
    """GET /user refuses an id that the list does not have between its ids."""
    with unchanged_list(api):
        listed_ids = set(ids_of(complete_list(api, 1)))
        unlisted_ids = [user_id for user_id in range(1, max(listed_ids) + 5) if user_id not in listed_ids]
        for user_id in [*unlisted_ids[:30], *unlisted_ids[-5:]]:
            assert is_refused(get_user(api, id=user_id)), f"GET /user knows the id {user_id}, the list does not"


@clause("FLOWBACK-LIST-10")
def test_id_filter_selects_one_row(api: Api, readings: ObservedReadings) -> None:
    """Filtered by a listed id, the list is the one row that the whole list shows."""
    require_meaning(readings, "FLOWBACK-AMB-15", "query")

    def check_row(position: int) -> None:
        row = rows[position % len(rows)]
        filtered = page_rows(api, id=row["id"])
        assert filtered == [row], f"the filter id={row['id']} returned {filtered}, the whole list shows {row}"

    with unchanged_list(api):
        rows = complete_list(api, 2)
        for_all(check_row, EXAMPLES, position=st.integers(-1, 999))
        for position in (0, 1, len(rows) - 1):
            check_row(position)


@clause("FLOWBACK-LIST-10")
def test_unknown_id_filter_selects_no_row(api: Api) -> None:
    """Filtered by an id that is not listed, the list is served and empty."""
    listed_ids = set(ids_of(complete_list(api, 1)))

    def check_empty(user_id: int) -> None:
        exchange = list_users(api, id=user_id)
        assert not is_refused(exchange), f"the filter id={user_id} was refused with {exchange.response.status}"
        rows = read_body(exchange)["data"]
        assert rows == [], f"no user has the id {user_id}, but the filter returned {rows}"

    ids = st.integers(1, MAX_ID) | st.integers(max(listed_ids) + 1000, max(listed_ids) + 2000)
    with unchanged_list(api):
        for_all(check_empty, EXAMPLES, user_id=ids.filter(lambda user_id: user_id not in listed_ids))


def patterns(username: str) -> dict[str, str]:
    """Other usernames that a database could take for patterns of this one."""
    return {"any end": f"{username[:1]}%", "any last letter": f"{username[:-1]}_"}


@clause("FLOWBACK-LIST-11")
def test_username_filter_selects_the_users_it_names(api: Api, readings: ObservedReadings) -> None:
    """Filtered by usernames, parts of them and other words, the list always fits one meaning of the filter."""
    possible = dict(NAME_MATCHERS)

    def check_filter(value: str) -> None:
        received = ids_of(all_pages(api, username=value))
        for description, (_, matches) in list(possible.items()):
            if received != [row["id"] for row in rows if matches(value, row["username"])]:
                del possible[description]
        assert possible, f"no meaning of the filter gives the ids {received} for username={value!r}"

    def check_changed_name(position: int, change: str, other_word: str) -> None:
        username = rows[position % len(rows)]["username"]
        value = {
            "whole": username,
            "other case": username.swapcase(),
            "beginning": username[: 1 + len(username) // 2],
            "more": f"{username}x",
            **patterns(username),
            "word": other_word,
        }[change]
        assume(value.strip())
        check_filter(value)

    with unchanged_list(api):
        rows = complete_list(api, 2)
        usernames = [row["username"] for row in rows if row["username"].strip()]
        for username in sorted(usernames, key=str.isalnum)[:30]:  # the unusual ones first
            check_filter(username)
        for pattern in patterns(usernames[0]).values():
            check_filter(pattern)
        changes = st.sampled_from(["whole", "other case", "beginning", "more", *patterns(""), "word"])
        for_all(check_changed_name, EXAMPLES, position=st.integers(0, 999), change=changes, other_word=WORDS)
    readings.record_meaning("FLOWBACK-AMB-19", next(meaning for meaning, _ in possible.values()))


@clause("FLOWBACK-LIST-11")
def test_unknown_username_filter_selects_no_row(api: Api) -> None:
    """Filtered by a username that nobody has, the list is served and empty."""
    exchange = list_users(api, username=api.unique_text("nobody"))
    assert not is_refused(exchange), f"the filter was refused with status {exchange.response.status}"
    rows = read_body(exchange)["data"]
    assert rows == [], f"nobody has the username, but the filter returned {rows}"


@clause("FLOWBACK-LIST-11", "FLOWBACK-LIST-10")
def test_both_filters_apply_together(api: Api) -> None:
    """Filtered by id and username, the list has only the user whom each filter alone selects."""

    def check_both(id_position: int, name_position: int) -> None:
        user_id, username = rows[id_position % len(rows)]["id"], rows[name_position % len(rows)]["username"]
        by_both = ids_of(page_rows(api, id=user_id, username=username))
        by_name = ids_of(all_pages(api, username=username))
        assert by_both == [user_id] * (user_id in by_name), (
            f"id={user_id} and username={username!r} return the ids {by_both}, the username alone {by_name}"
        )

    with unchanged_list(api):
        rows = complete_list(api, 2)
        check_both(0, 0)
        check_both(0, 1)
        for_all(check_both, EXAMPLES, id_position=st.integers(0, 999), name_position=st.integers(0, 999))


@clause("FLOWBACK-LIST-16")
def test_every_parameter_is_optional(api: Api, readings: ObservedReadings) -> None:
    """A request with any selection of the five parameters is served, also with none of them."""
    row = complete_list(api, 1)[0]
    parameters = {"id": row["id"], "username": row["username"], "page": 1, "limit": 3, "offset": 0}

    def check_served(names: set[str]) -> None:
        exchange = list_users(api, **{name: value for name, value in parameters.items() if name in names})
        assert not is_refused(exchange), f"with only {sorted(names)} refused with status {exchange.response.status}"

    check_served(set())
    check_served(set(parameters))
    for name in parameters:
        check_served({name})
        check_served(set(parameters) - {name})
    for_all(check_served, EXAMPLES, names=st.sets(st.sampled_from(list(parameters))))
    with_unknown = list_users(api, flowproof="1")
    ignored = not is_refused(with_unknown) and read_body(with_unknown)["data"] == page_rows(api)
    readings.one_of("FLOWBACK-AMB-31", ignored=ignored, refused=is_refused(with_unknown))
