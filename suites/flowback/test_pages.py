"""The rows of a page of Flowback: page, limit and offset (document lines 119 and 154-156)."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    EXAMPLES,
    MAX_LIMIT,
    Row,
    complete_list,
    ids_of,
    is_allowed,
    is_refused,
    list_users,
    page_rows,
    unchanged_list,
    users_page,
)
from suites.flowback.list_oracle import (
    LIMITS,
    Window,
    assert_page,
    linked_limits,
    page_count,
    read_whole_list,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

pytestmark = pytest.mark.bug_kind("edges of lists")

clause = pytest.mark.clause


@clause("FLOWBACK-LIST-12")
def test_page_selects_the_rows(api: Api, readings: ObservedReadings) -> None:
    """Page p has the rows from (p - 1) * limit on."""
    with read_whole_list(api) as oracle:

        def check_page(window: Window) -> None:
            query = {"page": window["page"], "limit": window["limit"]}
            assert_page(api, query, oracle.expected_ids(query))

        for_all(check_page, EXAMPLES, window=oracle.windows_without_offset)
        refused = assert_page(api, {"page": len(oracle.ids) + 1, "limit": 2}, [])
        readings.observe("FLOWBACK-AMB-34", refused=refused, empty=not refused)


@clause("FLOWBACK-LIST-12")
def test_first_page_is_page_1(api: Api) -> None:
    """Page 1 has rows if the list has some, also if all of them fit into one page."""
    with unchanged_list(api):
        if not page_rows(api):
            raise MissingPrecondition("the target lists no user")
        assert page_rows(api, page=1, limit=MAX_LIMIT), "page 1 is empty, though the list without a page has users"


@clause("FLOWBACK-LIST-13")
def test_limit_is_the_number_of_rows(api: Api, readings: ObservedReadings) -> None:
    """The first page has as many rows as the limit, or all rows; without a limit it has at most 50."""

    def check_limit(limit: int) -> None:
        size = len(page_rows(api, limit=limit))
        assert size == min(limit, count), f"with limit={limit} the page has {size} of {count} rows"

    with unchanged_list(api):
        count = len(complete_list(api, 2))
        for_all(check_limit, EXAMPLES, limit=LIMITS)
        size = len(page_rows(api))
    if size < count:
        readings.one_of("FLOWBACK-AMB-27", twenty=size == 20, fifty=size == MAX_LIMIT, other=0 < size < MAX_LIMIT)


@clause("FLOWBACK-LIST-19")
def test_page_defaults_to_1_and_offset_to_0(api: Api) -> None:
    """Leaving out the page, the offset or both is the same as 1 and 0, above all without any other parameter."""
    with unchanged_list(api):
        count = len(complete_list(api, 2))

        def check_default(others: Window, left_out: set[str]) -> None:
            explicit = {"page": 1, "offset": 0, **others}
            implicit = {name: value for name, value in explicit.items() if name not in left_out - set(others)}
            expected, received = ids_of(page_rows(api, **explicit)), ids_of(page_rows(api, **implicit))
            assert received == expected, f"{implicit} has the ids {received}, {explicit} has {expected}"

        for left_out in ({"page", "offset"}, {"page"}, {"offset"}):
            check_default({}, left_out)
        check_default({"offset": 1}, {"page"})
        check_default({"page": 2, "limit": 1}, {"offset"})
        others = st.fixed_dictionaries({}, optional={"limit": LIMITS, "offset": st.integers(0, count - 1)})
        for_all(
            check_default, EXAMPLES, others=others, left_out=st.sets(st.sampled_from(["page", "offset"]), min_size=1)
        )


@clause("FLOWBACK-LIST-14")
def test_a_limit_of_50_is_served(api: Api) -> None:
    """A limit of 50 is served, and without a limit a page has at most 50 rows."""
    exchange = list_users(api, limit=MAX_LIMIT)
    assert not is_refused(exchange), f"limit={MAX_LIMIT} was refused with status {exchange.response.status}"
    size = len(page_rows(api))
    assert size <= MAX_LIMIT, f"without a limit the page has {size} rows"


@clause("FLOWBACK-LIST-14")
def test_a_limit_of_51_is_refused_or_clamped(api: Api, readings: ObservedReadings) -> None:
    """A limit of 51 is refused, or the page has 50 rows, or links tell a limit of 50 or less, however few users
    there are.
    """
    exchange = list_users(api, limit=MAX_LIMIT + 1)
    refused = is_refused(exchange)
    size = 0 if refused else len(read_body(exchange)["data"])
    linked = [] if refused else linked_limits(api, limit=MAX_LIMIT + 1)
    if not refused and size < MAX_LIMIT and all(limit > MAX_LIMIT for limit in linked):
        raise MissingPrecondition(f"the target lists {size} users and tells no limit: what limit=51 does is not shown")
    is_clamped = size == MAX_LIMIT or (size < MAX_LIMIT and any(limit <= MAX_LIMIT for limit in linked))
    assert is_allowed(readings, "FLOWBACK-AMB-7", clamped=is_clamped, refused=refused), (
        f"with limit={MAX_LIMIT + 1} the page has {size} rows"
    )


@clause("FLOWBACK-LIST-21")
def test_links_tell_a_limit_of_50_at_most(api: Api) -> None:
    """Where links tell the limit of a request without one, those of a request with a higher one tell 50 at most."""
    if not linked_limits(api):
        raise MissingPrecondition("links do not tell the limit in effect: they have none when none was sent")
    linked = linked_limits(api, limit=MAX_LIMIT + 1)
    assert max(linked, default=0) <= MAX_LIMIT, f"with limit={MAX_LIMIT + 1} links tell the limit {max(linked)}"


@clause("FLOWBACK-LIST-14")
def test_no_page_has_more_than_50_rows(api: Api, readings: ObservedReadings) -> None:
    """A limit of 50 returns 50 rows; a higher limit returns 50 rows or is refused; no limit returns at most 50."""
    exchange = list_users(api, limit=MAX_LIMIT)
    assert not is_refused(exchange), f"limit={MAX_LIMIT} was refused with status {exchange.response.status}"
    size = len(page_rows(api))
    assert size <= MAX_LIMIT, f"without a limit the page has {size} rows"
    count = len(complete_list(api, 1))
    if count <= MAX_LIMIT:
        raise MissingPrecondition(f"the target needs more than {MAX_LIMIT} users, but it lists {count}")
    size = len(read_body(exchange)["data"])
    assert size == MAX_LIMIT, f"with limit={MAX_LIMIT} the page has {size} of {count} rows"

    def check_limit(limit: int) -> None:
        exchange = list_users(api, limit=limit)
        refused = is_refused(exchange)
        size = 0 if refused else len(read_body(exchange)["data"])
        assert is_allowed(readings, "FLOWBACK-AMB-7", clamped=size == MAX_LIMIT, refused=refused), (
            f"with limit={limit} the page has {size} rows"
        )

    check_limit(MAX_LIMIT + 1)
    for_all(check_limit, EXAMPLES, limit=st.integers(MAX_LIMIT + 1, 2**31 - 1))


@clause("FLOWBACK-LIST-15")
def test_offset_skips_rows(api: Api) -> None:
    """Without a page, an offset of k leaves out the first k rows of the list."""
    with read_whole_list(api) as oracle:

        def check_offset(window: Window) -> None:
            query = {"limit": window["limit"], "offset": window["offset"]}
            assert_page(api, query, oracle.expected_ids(query))

        check_offset({"limit": 2, "offset": 1})
        for_all(check_offset, EXAMPLES, window=oracle.windows)


@clause("FLOWBACK-LIST-17")
def test_page_and_offset_apply_together(api: Api, readings: ObservedReadings) -> None:
    """With page, limit and offset in one request, the offset is added to the start of the page or replaces it."""
    with read_whole_list(api) as oracle:
        window = {"page": 2, "limit": 2, "offset": 1}
        exchange = list_users(api, **window)
        assert not is_refused(exchange), f"{window} was refused with status {exchange.response.status}"
        ids = ids_of(read_body(exchange)["data"])
        meanings = {"added": ids == oracle.ids[3:5], "offset_wins": ids == oracle.ids[1:3]}
        assert is_allowed(readings, "FLOWBACK-AMB-5", **meanings), (
            f"{window} has the ids {ids}, the list begins with {oracle.ids[:6]}"
        )

        def check_page(window: Window) -> None:
            assert_page(api, window, oracle.expected_ids(window))

        for_all(check_page, EXAMPLES, window=oracle.windows)


@clause("FLOWBACK-LIST-17")
def test_request_of_the_example_is_served(api: Api, readings: ObservedReadings) -> None:
    """Page 1, limit 1 and offset 0, as in the example, return the first row; lower values may have three effects."""
    exchange = list_users(api, page=1, limit=1, offset=0)
    assert not is_refused(exchange), f"the example's request was refused with status {exchange.response.status}"
    rows, expected = read_body(exchange)["data"], page_rows(api, limit=1)
    assert rows == expected, f"the example's request returned {rows}, expected {expected}"
    for name, value in (("page", 0), ("limit", 0), ("offset", -1)):
        exchange = list_users(api, **{name: value})
        refused = is_refused(exchange)
        rows = None if refused else read_body(exchange)["data"]
        meanings = {"refused": refused, "left_out": rows == page_rows(api), "empty": rows == []}
        assert is_allowed(readings, "FLOWBACK-AMB-26", **meanings), f"{name}={value} returned {rows}"


@clause("FLOWBACK-LIST-18")
def test_pages_show_every_user_once(api: Api) -> None:
    """Read in pages of any size, from any offset, the list shows every id and username once."""
    with read_whole_list(api) as oracle:
        count = users_page(api, limit=1)["count"]

        def check_walk(limit: int, boundary: int) -> None:
            offset = (0, (count - 1) % limit, count % limit)[boundary] if oracle.offset_is_added else 0
            described = f"limit {limit}, offset {offset}"
            rows: list[Row] = []
            for number in range(1, page_count(count - offset, limit) + 1):
                rows += page_rows(api, page=number, limit=limit, offset=offset)
            for name in ("id", "username"):
                values = [row[name] for row in rows]
                repeated = sorted({str(value) for value in values if values.count(value) > 1})
                assert not repeated, f"{described}: the {name} {repeated[:3]} is shown more than once"
            assert len(rows) == count - offset, f"{described}: the pages have {len(rows)} of {count - offset} rows"
            assert offset or set(ids_of(rows)) == set(oracle.ids), (
                f"{described}: the users are not those of the list in pages of {MAX_LIMIT}"
            )

        check_walk(MAX_LIMIT, 0)
        limits = st.integers(max(2, count // 12), MAX_LIMIT)
        for_all(check_walk, EXAMPLES, limit=limits, boundary=st.integers(0, 2))


@clause("FLOWBACK-LIST-18")
def test_order_is_stable(api: Api, readings: ObservedReadings) -> None:
    """Read twice, the list has the same order."""
    with read_whole_list(api) as first, read_whole_list(api) as second:
        assert first.ids == second.ids, "the second reading of the list has another order than the first"
    by_id = first.ids == sorted(first.ids)
    readings.observe("FLOWBACK-AMB-20", by_id=by_id, other=not by_id)
