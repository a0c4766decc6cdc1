"""The single user of Flowback: document lines 158-200."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import (
    NO_NUMBERS,
    Row,
    allowed,
    alone,
    assumed,
    everyone,
    for_all,
    get,
    ids,
    is_refused,
    listing,
    quiet,
    rows,
    served,
    user,
)
from suites.readings import Observed

clause = pytest.mark.clause
HIGHEST = 2**31 - 1
EMPTY = ("profile_image", "banner_image", "bio", "website")
SHARED = ("id", "username", "profile_image")  # what the list and the single user both show


def listed(found: list[Row]) -> st.SearchStrategy[Row]:
    """Any of these, the first and the last for sure."""
    return st.sampled_from([found[0], found[-1], *found])


@clause("FLOWBACK-GET-1")
def test_single_user_has_a_path_of_its_own(api: Api, readings: Observed) -> None:
    """GET /user is served."""
    assumed(readings, "FLOWBACK-AMB-11", "user")
    exchange = get(api)
    assert not is_refused(exchange), f"GET /user was answered with {exchange.answer.status}"


@clause("FLOWBACK-GET-2")
def test_exactly_one_user_comes(api: Api) -> None:
    """Whoever is asked for, the answer holds one user."""

    def one(row: Row) -> None:
        value = served(api, "getUser", get(api, id=row["id"])).answer.json()
        assert len(value.get("data", [value])) == 1

    for_all(one, row=listed(listing(api, 1)))


@clause("FLOWBACK-GET-3")
def test_own_user_has_what_the_document_shows(api: Api, readings: Observed) -> None:
    """The owner of the key sees id, email and username; what a user does not have is null, absent or empty."""
    shown = user(api)
    email = shown.get("email")
    assert email, f"the own address is {email!r}"
    for name in EMPTY:
        value: Any = shown.get(name, "absent")
        assert value is None or isinstance(value, str), f"{name} is {value!r}"
    lacking = [name for name in EMPTY if not shown.get(name)]
    if lacking:
        readings.one_of(
            "FLOWBACK-AMB-21",
            null=any(name in shown and shown[name] is None for name in lacking),
            absent=any(name not in shown for name in lacking),
            empty=any(shown.get(name) == "" for name in lacking),
        )


@clause("FLOWBACK-GET-3")
def test_every_user_has_what_the_document_shows(api: Api, readings: Observed) -> None:
    """Each user has an id, a username and members of the documented types; the address may be its owner's secret."""
    own = user(api)["id"]
    emails = []
    for row in listing(api, 1)[:100]:
        shown = user(api, id=row["id"])
        if row["id"] != own:
            emails.append(shown.get("email"))
    if emails:
        readings.one_of("FLOWBACK-AMB-22", shown=any(emails), withheld=not any(emails))


@clause("FLOWBACK-GET-4")
def test_id_gives_the_user_with_that_id(api: Api) -> None:
    """With the id of anybody in the list that user comes, never the owner of the key instead."""

    def asked(row: Row) -> None:
        exchange = get(api, id=row["id"])
        assert not is_refused(exchange), f"{row['id']} is listed and was answered with {exchange.answer.status}"
        assert alone(exchange)["id"] == row["id"]

    with quiet(api):
        for_all(asked, row=listed(listing(api, 2)))


@clause("FLOWBACK-GET-4")
def test_no_id_gives_the_owner_of_the_key(api: Api, readings: Observed) -> None:
    """Left out, the id means the owner of the key; a blank one counts as left out or is refused."""
    for one in (api, api.other(TOKEN=api.setting("OTHER_TOKEN"))):
        own = user(one)
        assert user(one, id=own["id"]) == own, f"without an id {own['id']} came, by its id another one"
        blank = get(one, id="")
        refused = is_refused(blank)
        same = not refused and alone(blank)["id"] == own["id"]
        assert allowed(readings, "FLOWBACK-AMB-13", left_out=same, refused=refused), "a blank id gave somebody else"


@clause("FLOWBACK-GET-4")
def test_known_key_shows_its_known_owner(api: Api) -> None:
    """The current user is the one that the setting USER_ID says."""
    assert str(user(api)["id"]) == api.setting("USER_ID")


@clause("FLOWBACK-GET-5")
def test_id_that_nobody_has_is_refused(api: Api) -> None:
    """An id that is not in the list is answered with a refusal."""
    taken = set(ids(listing(api, 1)))

    def unknown(number: int) -> None:
        exchange = get(api, id=number)
        assert is_refused(exchange), f"{number} is nobody's and was served with {exchange.answer.status}"

    with quiet(api):
        free = st.integers(-5, HIGHEST) | st.integers(max(taken) + 1, max(taken) + 100_000)
        for_all(unknown, number=free.filter(lambda number: number not in taken))


@clause("FLOWBACK-GET-5")
def test_id_that_is_no_number_is_refused(api: Api) -> None:
    """The document calls the id an integer, so words and fractions are refused."""

    def word(text: str) -> None:
        exchange = get(api, id=text)
        assert is_refused(exchange), f"{text!r} was served with {exchange.answer.status}"

    for_all(word, text=NO_NUMBERS)


@clause("FLOWBACK-GET-6")
def test_single_user_comes_in_an_envelope(api: Api, readings: Observed) -> None:
    """The user stands in the data of an envelope, or bare."""
    value = served(api, "getUser", get(api)).answer.json()
    enveloped = isinstance(value.get("data"), list) and {"count", "total_page", "previous"} <= set(value)
    readings.one_of("FLOWBACK-AMB-12", envelope=enveloped, bare="username" in value)


@clause("FLOWBACK-GET-7")
def test_list_and_single_user_agree(api: Api) -> None:
    """What both show of a user is the same, asked for in the list, by the list's filter and alone."""

    def same(row: Row) -> None:
        single = user(api, id=row["id"])
        filtered = rows(api, id=row["id"])
        assert filtered, f"the list filtered by {row['id']} is empty"
        for name in SHARED:
            shown = [one.get(name) for one in (row, filtered[0], single)]
            assert shown[0] == shown[1] == shown[2], f"{name} of {row['id']} is {shown}"

    with quiet(api):
        for_all(same, row=listed(everyone(api)))
