"""What stands around the rows of a page of Flowback: document lines 127-132."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import MOST, allowed, ask, follow, for_all, ids, is_refused, listing, page
from suites.flowback.pages import Window, assert_link, pages_of, whole
from suites.readings import Observed

clause = pytest.mark.clause
NOBODY = 2**31 - 1  # an id


@clause("FLOWBACK-LIST-4")
def test_count_is_that_of_the_whole_list(api: Api) -> None:
    """On every page the count is the number of rows that all pages hold together."""
    with whole(api) as everyone:

        def counts(window: Window) -> None:
            exchange = ask(api, **window)
            if not is_refused(exchange):
                count = exchange.answer.json()["count"]
                assert count == len(everyone.ids), f"{window}: the count of {len(everyone.ids)} users is {count}"

        for_all(counts, window=everyone.windows)


@clause("FLOWBACK-LIST-4")
def test_count_is_that_of_the_filtered_list(api: Api) -> None:
    """With a filter the count is the number of rows that it leaves, 1 or 0 for an id."""
    found = listing(api, 1)
    for number, left in ((found[0]["id"], 1), (found[-1]["id"], 1), (NOBODY, 0)):
        count = page(api, id=number)["count"]
        assert count == left, f"the id {number} leaves {left}, the count is {count}"
    envelope = page(api, username=found[0]["username"], limit=MOST)
    if len(envelope["data"]) < MOST:
        assert envelope["count"] == len(envelope["data"])


@clause("FLOWBACK-LIST-5")
def test_next_leads_to_the_next_page(api: Api, readings: Observed) -> None:
    """While rows are left, next is an absolute URL with page, limit and offset, and has the rows that follow."""
    with whole(api) as everyone:

        def leads(window: Window) -> None:
            exchange = ask(api, **window)
            if is_refused(exchange):
                return
            envelope = exchange.answer.json()
            link = envelope.get("next", "absent")
            if everyone.due(window) and everyone.after(window):
                assert_link(api, link, window | {"page": window["page"] + 1}, everyone.after(window))
                return
            ended = {"false": link is False, "null": link is None, "absent": "next" not in envelope}
            assert allowed(readings, "FLOWBACK-AMB-14", **ended), f"{window} is the last page, next is {link!r}"

        for_all(leads, window=everyone.turned)


@clause("FLOWBACK-LIST-5")
def test_next_leads_through_the_whole_list(api: Api) -> None:
    """Whoever follows next from the first page on, however few parameters it was asked with, gets every row once."""
    with whole(api) as everyone:

        def through(query: Window) -> None:
            envelope = page(api, **query)
            seen = ids(envelope["data"])
            while isinstance(link := envelope.get("next"), str) and len(seen) <= len(everyone.ids):
                assert link.startswith(f"{api.target.url}/users?"), f"{link} is no absolute URL of this list"
                exchange = follow(api, link)
                assert not is_refused(exchange), f"{link} was answered with {exchange.answer.status}"
                envelope = exchange.answer.json()
                if not envelope["data"]:
                    break
                seen += ids(envelope["data"])
            due = everyone.ids[query.get("offset", 0) :]
            assert seen == due, f"{query}: by way of next {len(seen)} rows came of {len(due)}, or in another order"

        through({})
        starts = {"page": st.just(1), "offset": st.integers(0, len(everyone.ids) if everyone.added else 0)}
        limits = st.integers(max(1, len(everyone.ids) // 20), MOST)
        for_all(through, query=st.fixed_dictionaries({"limit": limits}, optional=starts))


@clause("FLOWBACK-LIST-6")
def test_previous_is_false_on_the_first_page(api: Api) -> None:
    """The first page, asked for by its number or not, with a filter or not, has no page before it."""
    known = listing(api, 1)[0]
    queries = ({}, {"page": 1}, {"page": 1, "limit": 2}, {"id": known["id"]}, {"username": known["username"]})
    for query in (*queries, {"id": NOBODY}):
        previous = page(api, **query)["previous"]
        assert previous is False, f"{query}: previous is {previous!r}"


@clause("FLOWBACK-LIST-6")
def test_previous_leads_to_the_page_before(api: Api) -> None:
    """Where previous is a URL, it is absolute and has the rows of the page before."""
    with whole(api) as everyone:

        def leads(window: Window) -> None:
            if window["page"] == 1 or not everyone.due(window):
                return
            link = page(api, **window)["previous"]
            if link is not False:
                assert_link(api, link, {}, everyone.due(window | {"page": window["page"] - 1}))

        for_all(leads, window=everyone.turned)


@clause("FLOWBACK-LIST-7")
def test_total_page_is_the_number_of_pages(api: Api, readings: Observed) -> None:
    """It is the count divided by the limit and rounded up; of an empty list it is 0 or 1."""
    with whole(api) as everyone:
        count = len(everyone.ids)

        def divides(window: Window) -> None:
            exchange = ask(api, **window)
            if is_refused(exchange):
                return
            limit, left = window["limit"], max(0, count - window["offset"])
            right = {pages_of(count, limit)}
            if window["offset"]:  # nothing says whether skipped rows fill pages
                right |= {pages_of(left, limit), max(1, pages_of(left, limit))}
            total = exchange.answer.json()["total_page"]
            assert total in right, f"{count} users, {window}: total_page is {total}"

        for_all(divides, window=everyone.windows)
    empty = page(api, id=NOBODY)["total_page"]
    assert allowed(readings, "FLOWBACK-AMB-6", ceiling=empty == 0, at_least_one=empty == 1), f"of nobody: {empty}"
