"""The members around the rows of a page of Flowback: count, links and total_page (document lines 127-132)."""

from __future__ import annotations

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    EXAMPLES,
    MAX_LIMIT,
    Row,
    complete_list,
    expect_success,
    follow_link,
    ids_of,
    is_allowed,
    is_refused,
    list_users,
    users_page,
)
from suites.flowback.list_oracle import (
    ListOracle,
    Window,
    assert_link,
    full_page_limits,
    page_count,
    read_whole_list,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

pytestmark = pytest.mark.bug_kind("edges of lists")

clause = pytest.mark.clause
UNKNOWN_ID = 2**31 - 1
FIRST_PAGE: Window = {"page": 1, "limit": 2, "offset": 0}


def envelope_of(api: Api, oracle: ListOracle, window: Window) -> Row:
    """The envelope of a page. A refused page that has no rows, which is allowed, rejects the generated window."""
    exchange = list_users(api, **window)
    if not oracle.expected_ids(window):
        assume(not is_refused(exchange))
    envelope: Row = read_body(expect_success(api, "listUsers", exchange))
    return envelope


@clause("FLOWBACK-LIST-4")
def test_count_is_that_of_the_whole_list(api: Api) -> None:
    """On every page, count is the number of rows on all pages together."""
    with read_whole_list(api) as oracle:

        def check_count(window: Window) -> None:
            count = envelope_of(api, oracle, window)["count"]
            assert count == len(oracle.ids), f"{window}: count is {count}, the list has {len(oracle.ids)} users"

        check_count(FIRST_PAGE)
        for_all(check_count, EXAMPLES, window=oracle.windows)


@clause("FLOWBACK-LIST-4")
def test_count_is_that_of_the_filtered_list(api: Api) -> None:
    """With a filter, count is the number of rows that it selects: for an id 1 or 0."""
    rows = complete_list(api, 1)
    for user_id, expected in ((rows[0]["id"], 1), (rows[-1]["id"], 1), (UNKNOWN_ID, 0)):
        count = users_page(api, id=user_id)["count"]
        assert count == expected, f"the filter id={user_id} selects {expected} rows, count is {count}"
    envelope = users_page(api, username=rows[0]["username"], limit=MAX_LIMIT)
    if len(envelope["data"]) < MAX_LIMIT:
        count, expected = envelope["count"], len(envelope["data"])
        assert count == expected, f"the filter by {rows[0]['username']!r} selects {expected} rows, count is {count}"


@pytest.mark.bug_kind("links and mail")
@clause("FLOWBACK-LIST-5")
def test_next_leads_to_the_next_page(api: Api) -> None:
    """While rows follow, next is an absolute URL with page, limit and offset that leads to them."""
    with read_whole_list(api) as oracle:

        def check_next(window: Window) -> None:
            link = users_page(api, **window).get("next", "absent")
            assert_link(api, link, window | {"page": window["page"] + 1}, oracle.expected_next_ids(window))

        check_next(FIRST_PAGE)
        for_all(check_next, EXAMPLES, window=oracle.linked_windows.filter(oracle.expected_next_ids))


@clause("FLOWBACK-LIST-20")
def test_the_last_page_names_no_next_one(api: Api, readings: ObservedReadings) -> None:
    """On a last page, full or not, next is false, null or absent; whatever page it names has rows."""
    with read_whole_list(api) as oracle:
        count = len(oracle.ids)

        def check_next(window: Window) -> None:
            envelope = envelope_of(api, oracle, window)
            link = envelope.get("next", "absent")
            if isinstance(link, str) and link != "absent":
                exchange = follow_link(api, link)
                has_rows = not is_refused(exchange) and bool(read_body(exchange)["data"])
                assert has_rows, f"{window}: next is {link}, which has no row"
                return
            meanings = {"false": link is False, "null": link is None, "absent": "next" not in envelope}
            assert is_allowed(readings, "FLOWBACK-AMB-14", **meanings), f"{window} is the last page, next is {link!r}"

        for limit in full_page_limits(count):
            check_next({"page": page_count(count, limit), "limit": limit, "offset": 0})
        check_next({"page": page_count(count, MAX_LIMIT), "limit": MAX_LIMIT, "offset": 0})
        for_all(check_next, EXAMPLES, window=oracle.linked_windows)


@pytest.mark.bug_kind("links and mail")
@clause("FLOWBACK-LIST-5")
def test_next_leads_through_the_whole_list(api: Api) -> None:
    """Following next from the first page to the end returns every row once, whichever parameters were sent."""
    with read_whole_list(api) as oracle:

        def check_walk(query: Window) -> None:
            expected = oracle.ids[query.get("offset", 0) :]
            exchange = list_users(api, **query)
            if not expected:
                assume(not is_refused(exchange))  # allowed for a page without rows
            envelope = read_body(expect_success(api, "listUsers", exchange))
            ids = ids_of(envelope["data"])
            while isinstance(link := envelope.get("next"), str) and len(ids) <= len(oracle.ids):
                assert link.startswith(f"{api.target.url}/users?"), f"{link} is not an absolute URL of this list"
                exchange = follow_link(api, link)
                assert not is_refused(exchange), f"the link {link} was refused with status {exchange.response.status}"
                envelope = read_body(exchange)
                if not envelope["data"]:
                    break
                ids += ids_of(envelope["data"])
            assert ids == expected, (
                f"{query}: following next returned {len(ids)} of {len(expected)} rows, or in another order"
            )

        check_walk({})
        starts = {"page": st.just(1), "offset": st.integers(0, len(oracle.ids) if oracle.offset_is_added else 0)}
        limits = st.integers(max(1, len(oracle.ids) // 20), MAX_LIMIT)
        for_all(check_walk, EXAMPLES, query=st.fixed_dictionaries({"limit": limits}, optional=starts))


@clause("FLOWBACK-LIST-6")
def test_previous_is_false_on_the_first_page(api: Api) -> None:
    """On the first page previous is false, with and without a page number or a filter."""
    row = complete_list(api, 1)[0]
    queries: list[Row] = [{}, {"page": 1}, {"page": 1, "limit": 2}, {"id": row["id"]}, {"username": row["username"]}]
    for query in (*queries, {"id": UNKNOWN_ID}):
        previous = users_page(api, **query)["previous"]
        assert previous is False, f"{query}: previous is {previous!r}"


@pytest.mark.bug_kind("links and mail")
@clause("FLOWBACK-LIST-6")
def test_previous_leads_to_the_page_before(api: Api) -> None:
    """Where previous is not false, it is an absolute URL that leads to the rows of the page before."""
    with read_whole_list(api) as oracle:

        def check_previous(window: Window) -> None:
            assume(window["page"] > 1 and oracle.expected_ids(window))
            link = users_page(api, **window)["previous"]
            if link is False:
                raise MissingPrecondition("previous is false on every page, so there is no link to follow")
            assert_link(api, link, {}, oracle.expected_ids(window | {"page": window["page"] - 1}))

        for_all(check_previous, EXAMPLES, window=oracle.linked_windows)


@clause("FLOWBACK-LIST-7")
def test_total_page_is_an_integer(api: Api) -> None:
    """Every page has the member total_page, an integer, an empty one as well."""
    for query in ({}, {"limit": 1}, {"id": UNKNOWN_ID}):
        total = users_page(api, **query)["total_page"]
        assert type(total) is int, f"{query}: total_page is {total!r}"


@clause("FLOWBACK-LIST-23")
def test_total_page_is_the_number_of_pages(api: Api, readings: ObservedReadings) -> None:
    """The total_page is the count divided by the limit and rounded up; for an empty list it is 0 or 1."""
    with read_whole_list(api) as oracle:
        count = len(oracle.ids)

        def check_total(window: Window) -> None:
            total = envelope_of(api, oracle, window)["total_page"]
            limit, rows = window["limit"], max(0, count - window["offset"])
            expected = {page_count(count, limit)}
            if window["offset"]:  # the document does not say whether skipped rows count
                expected |= {page_count(rows, limit), max(1, page_count(rows, limit))}
            assert total in expected, f"{count} users, {window}: total_page is {total}, expected {sorted(expected)}"

        check_total(FIRST_PAGE)
        for_all(check_total, EXAMPLES, window=oracle.windows)
    total = users_page(api, id=UNKNOWN_ID)["total_page"]
    assert is_allowed(readings, "FLOWBACK-AMB-6", ceiling=total == 0, at_least_one=total == 1), (
        f"the total_page of an empty list is {total}"
    )
