"""Which rows a page of Flowback's list holds: document lines 119 and 154-156."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.flowback.dialect import (
    MOST,
    NO_NUMBERS,
    Row,
    allowed,
    ask,
    for_all,
    ids,
    is_refused,
    listing,
    page,
    quiet,
    rows,
)
from suites.flowback.pages import LIMITS, Window, assert_page, pages_of, whole
from suites.readings import Observed

clause = pytest.mark.clause


@clause("FLOWBACK-LIST-12")
def test_page_selects_the_rows(api: Api, readings: Observed) -> None:
    """Page p holds the rows from (p - 1) * limit on; without a page the first one comes."""
    with whole(api) as everyone:

        def selects(window: Window) -> None:
            query = {"page": window["page"], "limit": window["limit"]}
            assert_page(api, query, everyone.due(query))

        for_all(selects, window=everyone.pages)
        refused = assert_page(api, {"page": len(everyone.ids) + 1, "limit": 2}, [])
        readings.one_of("FLOWBACK-AMB-34", refused=refused, empty=not refused)
        assert rows(api, page=1, limit=3) == rows(api, limit=3), "without a page it is not the first one that comes"


@clause("FLOWBACK-LIST-13")
def test_limit_is_the_number_of_rows(api: Api, readings: Observed) -> None:
    """A first page has as many rows as the limit says, or all; without a limit it has some number up to 50."""

    def limits(limit: int) -> None:
        got = len(rows(api, limit=limit))
        assert got == min(limit, count), f"a limit of {limit} gave {got} of {count} rows"

    with quiet(api):
        count = len(listing(api, 2))
        for_all(limits, limit=LIMITS)
        default = len(rows(api))
    if default < count:
        readings.one_of("FLOWBACK-AMB-27", twenty=default == 20, fifty=default == MOST, other=0 < default < MOST)


@clause("FLOWBACK-LIST-14")
def test_no_page_has_more_than_fifty_rows(api: Api, readings: Observed) -> None:
    """A limit of 50 gives 50 rows; a higher one gives them too or is refused; none at all gives no more."""
    top = ask(api, limit=MOST)
    assert not is_refused(top), f"a limit of {MOST} was refused with {top.answer.status}"
    assert len(rows(api)) <= MOST
    found = listing(api, 1)
    if len(found) <= MOST:
        raise Lacking(f"more than {MOST} users are needed to see what a higher limit does")
    got = len(top.answer.json()["data"])
    assert got == MOST, f"a limit of {MOST} gave {got} rows of {len(found)}"

    def too_high(limit: int) -> None:
        exchange = ask(api, limit=limit)
        refused = is_refused(exchange)
        size = 0 if refused else len(exchange.answer.json()["data"])
        meanings = {"clamped": size == MOST, "refused": refused}
        assert allowed(readings, "FLOWBACK-AMB-7", **meanings), f"a limit of {limit} gave {size} rows"

    too_high(MOST + 1)
    for_all(too_high, limit=st.integers(MOST + 1, 2**31 - 1))


@clause("FLOWBACK-LIST-15")
def test_offset_skips_rows(api: Api) -> None:
    """Without a page, an offset of k leaves out the first k rows of the same order."""
    with whole(api) as everyone:

        def skips(window: Window) -> None:
            query = {"limit": window["limit"], "offset": window["offset"]}
            assert_page(api, query, everyone.due(query))

        for_all(skips, window=everyone.windows)


@clause("FLOWBACK-LIST-17")
def test_page_and_offset_hold_together(api: Api, readings: Observed) -> None:
    """Page, limit and offset in one request: the offset is added to the page's own start, or takes its place."""
    with whole(api) as everyone:
        probe = {"page": 2, "limit": 2, "offset": 1}
        exchange = ask(api, **probe)
        assert not is_refused(exchange), f"{probe} was answered with {exchange.answer.status}"
        got, found = ids(exchange.answer.json()["data"]), everyone.ids
        seen = {"added": got == found[3:5], "offset_wins": got == found[1:3]}
        assert allowed(readings, "FLOWBACK-AMB-5", **seen), f"{probe} of {found[:6]} holds {got}"

        def together(window: Window) -> None:
            assert_page(api, window, everyone.due(window))

        for_all(together, window=everyone.windows)


@clause("FLOWBACK-LIST-17")
def test_example_of_the_document_is_served(api: Api, readings: Observed) -> None:
    """Page, limit and offset in one request, as in the example, give the first row; lower numbers are a choice."""
    exchange = ask(api, page=1, limit=1, offset=0)
    assert not is_refused(exchange), f"the document's own request was answered with {exchange.answer.status}"
    assert exchange.answer.json()["data"] == rows(api, limit=1)
    for name, least in (("page", 0), ("limit", 0), ("offset", -1)):
        below = ask(api, **{name: least})
        refused = is_refused(below)
        held = None if refused else below.answer.json()["data"]
        meanings = {"refused": refused, "left_out": held == rows(api), "empty": held == []}
        assert allowed(readings, "FLOWBACK-AMB-26", **meanings), f"{name}={least} gave {held}"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("page", marks=clause("FLOWBACK-LIST-12")),
        pytest.param("limit", marks=clause("FLOWBACK-LIST-13")),
        pytest.param("offset", marks=clause("FLOWBACK-LIST-15")),
    ],
)
def test_number_that_is_none_is_refused(api: Api, name: str) -> None:
    """The document calls it an integer, so words and fractions are refused."""

    def word(text: str) -> None:
        exchange = ask(api, **{name: text})
        assert is_refused(exchange), f"{name}={text} was served with {exchange.answer.status}"

    for_all(word, text=NO_NUMBERS)


@clause("FLOWBACK-LIST-18")
def test_page_by_page_every_user_comes_once(api: Api) -> None:
    """In pages of any size, from any offset, no id and no name comes twice, and nobody lacks."""
    with whole(api) as everyone:
        count = page(api, limit=1)["count"]

        def once(limit: int, tail: int) -> None:
            offset = (0, (count - 1) % limit, count % limit)[tail] if everyone.added else 0
            about = f"limit {limit}, offset {offset}"
            seen: list[Row] = []
            for number in range(1, pages_of(count - offset, limit) + 1):
                seen += rows(api, page=number, limit=limit, offset=offset)
            for name in ("id", "username"):
                shown = [row[name] for row in seen]
                twice = sorted({str(one) for one in shown if shown.count(one) > 1})
                assert not twice, f"{about}: the {name} {twice[:3]} comes twice"
            assert len(seen) == count - offset, f"{about}: {len(seen)} rows came of {count - offset}"
            assert offset or set(ids(seen)) == set(everyone.ids), f"{about}: not the users of pages of {MOST}"

        once(MOST, 0)
        for_all(once, limit=st.integers(max(2, count // 12), MOST), tail=st.integers(0, 2))


@clause("FLOWBACK-LIST-18")
def test_order_is_the_same_at_every_reading(api: Api, readings: Observed) -> None:
    """Read again the list is in the same order."""
    with whole(api) as first, whole(api) as second:
        assert first.ids == second.ids, "the second reading is in another order"
    in_order = first.ids == sorted(first.ids)
    readings.one_of("FLOWBACK-AMB-20", by_id=in_order, other=not in_order)
