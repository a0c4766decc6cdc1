"""The list of Flowback's users: document lines 113-156, its shape and its filters."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import (
    MOST,
    NO_NUMBERS,
    WORDS,
    ask,
    assumed,
    everyone,
    for_all,
    get,
    ids,
    is_refused,
    listing,
    page,
    quiet,
    rows,
    served,
    user,
)
from suites.readings import Observed

clause = pytest.mark.clause
HIGHEST = 2**31 - 1
Named = Callable[[str, str], bool]
NAMED: dict[str, tuple[str, Named]] = {  # what a filter on names may mean: its reading, and (asked, name) -> found
    "letter by letter": ("exact", lambda asked, name: asked == name),
    "lower case": ("ignores_case", lambda asked, name: asked.lower() == name.lower()),
    "folded case": ("ignores_case", lambda asked, name: asked.casefold() == name.casefold()),
    "beginning": ("part", lambda asked, name: name.startswith(asked)),
    "beginning, lower case": ("part", lambda asked, name: name.lower().startswith(asked.lower())),
    "part": ("part", lambda asked, name: asked in name),
    "part, lower case": ("part", lambda asked, name: asked.lower() in name.lower()),
    "part, folded case": ("part", lambda asked, name: asked.casefold() in name.casefold()),
}


@clause("FLOWBACK-LIST-1")
def test_list_has_a_path_of_its_own(api: Api, readings: Observed) -> None:
    """GET /users is served; the same path with a slash behind it is served too, or unknown."""
    exchange = ask(api)
    assert not is_refused(exchange), f"GET /users was answered with {exchange.answer.status}"
    slashed = api.request("GET", "/users/").answer.status
    readings.one_of("FLOWBACK-AMB-25", strict=400 <= slashed < 500, lenient=200 <= slashed < 400)


@clause("FLOWBACK-LIST-3")
def test_list_is_one_json_object(api: Api) -> None:
    """Whatever is asked for, the answer is JSON with the members of the document's example."""
    for query in ({}, {"limit": 1}, {"limit": MOST}, {"page": 1, "limit": 1, "offset": 0}, {"id": HIGHEST}):
        exchange = served(api, "listUsers", ask(api, **query))
        assert exchange.answer.media_type() == "application/json"
        assert {"count", "previous", "total_page", "data"} <= set(exchange.answer.json())


@clause("FLOWBACK-LIST-8")
def test_rows_are_an_array(api: Api) -> None:
    """The data of many rows, of one row and of none is an array."""
    least = {"many": 2, "one": 1, "none": 0}
    for query, name in (({"limit": 2}, "many"), ({"limit": 1}, "one"), ({"id": HIGHEST}, "none")):
        data = page(api, **query)["data"]
        assert isinstance(data, list), f"{name}: data is {data!r}"
        assert len(data) <= least[name]


@clause("FLOWBACK-LIST-9")
def test_rows_show_what_the_example_shows(api: Api, readings: Observed) -> None:
    """Each row has an integer id and a username; the image is an absolute URL; no address is shown."""
    found = listing(api, 1)
    emails = {str(user(api).get("email"))}
    for row in found:
        assert not isinstance(row["id"], bool), f"an id is {row['id']}"
        assert "email" not in row or not row["email"], f"the row of {row['id']} shows an address"
        assert not emails & {value for value in row.values() if isinstance(value, str)}
    lacking = [row for row in found if not row.get("profile_image")]
    if lacking:
        readings.one_of(
            "FLOWBACK-AMB-21",
            null=any("profile_image" in row and row["profile_image"] is None for row in lacking),
            absent=any("profile_image" not in row for row in lacking),
            empty=any(row.get("profile_image") == "" for row in lacking),
        )


@clause("FLOWBACK-LIST-2")
def test_known_users_are_listed(api: Api) -> None:
    """The owners of the known keys are on some page, with their names."""
    found = {row["id"]: row["username"] for row in listing(api, 1)}
    for one in (api, api.other(TOKEN=api.setting("OTHER_TOKEN"))):
        own = user(one)
        assert own["id"] in found, f"{own['username']} is not listed"
        assert found[own["id"]] == own["username"], f"{own['username']} is listed as {found[own['id']]}"


@clause("FLOWBACK-LIST-2")
def test_who_is_not_listed_is_no_user(api: Api) -> None:
    """An id between the listed ones that the list lacks is nobody's when asked for alone."""
    with quiet(api):
        taken = set(ids(listing(api, 1)))
        free = [number for number in range(1, max(taken) + 5) if number not in taken]
        for number in [*free[:30], *free[-5:]]:
            exchange = get(api, id=number)
            assert is_refused(exchange), f"{number} is a user and is not listed"


@clause("FLOWBACK-LIST-10")
def test_id_leaves_the_user_with_that_id(api: Api, readings: Observed) -> None:
    """Filtered by an id that is listed, the list is the very row that the whole list shows."""
    assumed(readings, "FLOWBACK-AMB-15", "query")

    def one(place: int) -> None:
        row = found[place % len(found)]
        left = rows(api, id=row["id"])
        assert left == [row], f"the id {row['id']} leaves {ids(left)}"

    with quiet(api):
        found = listing(api, 2)
        for_all(one, place=st.integers(-1, 999))
        for place in (0, 1, len(found) - 1):
            one(place)


@clause("FLOWBACK-LIST-10")
def test_id_that_nobody_has_leaves_nobody(api: Api) -> None:
    """Filtered by an id that is not listed, the list is served and empty."""
    taken = set(ids(listing(api, 1)))

    def nobody(number: int) -> None:
        exchange = ask(api, id=number)
        assert not is_refused(exchange), f"the id {number} was answered with {exchange.answer.status}"
        assert exchange.answer.json()["data"] == []

    free = st.integers(1, HIGHEST) | st.integers(max(taken) + 1000, max(taken) + 2000)
    with quiet(api):
        for_all(nobody, number=free.filter(lambda number: number not in taken))


@clause("FLOWBACK-LIST-11")
def test_username_leaves_the_users_whom_it_names(api: Api, readings: Observed) -> None:
    """Names from the list, parts of them, and other words leave the rows that one meaning of the filter leaves."""
    possible = dict(NAMED)

    def leaves(place: int, change: str, word: str) -> None:
        name = found[place % len(found)]["username"]
        asked = {
            "whole": name,
            "other case": name.swapcase(),
            "beginning": name[: 1 + len(name) // 2],
            "more": f"{name}x",
            "word": word,
        }[change]
        if not asked.strip():
            return
        left = ids(everyone(api, username=asked))
        for meaning, (_, named) in list(possible.items()):
            if left != [row["id"] for row in found if named(asked, row["username"])]:
                del possible[meaning]
        assert possible, f"no meaning of the filter leaves {left} for {asked!r}"

    with quiet(api):
        found = listing(api, 2)
        hard = sorted(range(len(found)), key=lambda place: found[place]["username"].isalnum())
        for place in hard[:30]:
            leaves(place, "whole", "")
        changes = st.sampled_from(["whole", "other case", "beginning", "more", "word"])
        for_all(leaves, place=st.integers(0, 999), change=changes, word=WORDS)
    readings.saw("FLOWBACK-AMB-19", next(meaning for meaning, _ in possible.values()))


@clause("FLOWBACK-LIST-11")
def test_username_that_nobody_has_leaves_nobody(api: Api) -> None:
    """Filtered by a name that no user can have, the list is served and empty."""
    exchange = ask(api, username=api.unique("nobody"))
    assert not is_refused(exchange), f"it was answered with {exchange.answer.status}"
    assert exchange.answer.json()["data"] == []


@clause("FLOWBACK-LIST-11", "FLOWBACK-LIST-10")
def test_both_filters_hold_together(api: Api) -> None:
    """An id and a name leave who passes both alone."""

    def both(one: int, other: int) -> None:
        number, name = found[one % len(found)]["id"], found[other % len(found)]["username"]
        left = ids(rows(api, id=number, username=name))
        named = ids(everyone(api, username=name))
        assert left == [number] * (number in named), f"{number} and {name!r} leave {left}, {name!r} alone {named}"

    with quiet(api):
        found = listing(api, 2)
        both(0, 0)
        both(0, 1)
        for_all(both, one=st.integers(0, 999), other=st.integers(0, 999))


@clause("FLOWBACK-LIST-10")
def test_id_that_is_no_number_is_refused(api: Api) -> None:
    """The document calls the id an integer, so words and fractions are refused."""

    def word(text: str) -> None:
        exchange = ask(api, id=text)
        assert is_refused(exchange), f"id={text} was served with {exchange.answer.status}"

    for_all(word, text=NO_NUMBERS)


@clause("FLOWBACK-LIST-16")
def test_every_parameter_may_be_left_out(api: Api, readings: Observed) -> None:
    """Any selection of the five parameters is served, also none of them."""
    known = listing(api, 1)[0]
    every = {"id": known["id"], "username": known["username"], "page": 1, "limit": 3, "offset": 0}

    def some(names: set[str]) -> None:
        exchange = ask(api, **{name: every[name] for name in every if name in names})
        assert not is_refused(exchange), f"only {sorted(names)}: {exchange.answer.status}"

    some(set())
    some(set(every))
    for left_out in every:
        some({left_out})
        some(set(every) - {left_out})
    for_all(some, names=st.sets(st.sampled_from(list(every))))
    unknown = ask(api, flowproof="1")
    ignored = not is_refused(unknown) and unknown.answer.json()["data"] == rows(api)
    readings.one_of("FLOWBACK-AMB-31", ignored=ignored, refused=is_refused(unknown))
