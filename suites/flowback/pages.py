"""What a page of Flowback's list must hold, computed from the whole list.

Rule: the whole list is read once, in pages of the largest size; every other page must hold a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import MOST, ask, follow, ids, is_refused, listing, quiet, rows

LIMITS = st.sampled_from([1, 2, 3, 7, 10, MOST - 1, MOST]) | st.integers(1, MOST)
Window = dict[str, int]  # page, limit and offset, those that are sent


@dataclass(frozen=True)
class Whole:
    """The whole list: its ids in order, and whether a page and an offset add up (FLOWBACK-AMB-5)."""

    ids: list[int]
    added: bool

    def due(self, window: Window) -> list[int]:
        """The ids that this page must hold."""
        number, limit, offset = window.get("page", 1), window["limit"], window.get("offset", 0)
        start = offset + (number - 1) * limit if self.added or not offset else offset
        return self.ids[start : start + limit]

    def after(self, window: Window) -> list[int]:
        """The ids that the page behind this one must hold."""
        return self.due(window | {"page": window["page"] + 1})

    @property
    def windows(self) -> st.SearchStrategy[Window]:
        """Pages with limit and offset, most of them at an edge of this list."""
        return windows(len(self.ids), True)

    @property
    def pages(self) -> st.SearchStrategy[Window]:
        """The same without an offset."""
        return windows(len(self.ids), False)

    @property
    def turned(self) -> st.SearchStrategy[Window]:
        """Those between which one can turn: without an offset where it takes the place of the page."""
        return windows(len(self.ids), self.added)


@contextmanager
def whole(api: Api) -> Iterator[Whole]:
    """The list as it is now; raises Lacking when it is too short, too long, or changes meanwhile."""
    __tracebackhide__ = True
    with quiet(api):
        found = ids(listing(api))
        yield Whole(found, ids(rows(api, page=2, limit=2, offset=1)) != found[1:3])


def pages_of(count: int, limit: int) -> int:
    """How many pages so many rows fill."""
    return -(-count // limit)


def offsets(count: int, limit: int) -> st.SearchStrategy[int]:
    """None, any, all, and those that leave the last row alone on its page or leave the last page full."""
    edges = [0, 1, (count - 1) % limit, count % limit, count - 1, count, count + 1]
    return st.sampled_from(edges) | st.integers(0, count)


@st.composite
def windows(draw: st.DrawFn, count: int, offset: bool) -> Window:
    """Page, limit and offset of a list of so many rows."""
    limit = draw(LIMITS)
    skipped = draw(offsets(count, limit)) if offset else 0
    last = max(1, pages_of(count - skipped, limit))
    number = draw(st.sampled_from([1, 2, max(1, last - 1), last, last + 1, last + 7]) | st.integers(1, last))
    return {"page": number, "limit": limit, "offset": skipped}


def assert_page(api: Api, window: Window, due: list[int]) -> bool:
    """Asserts that the page holds these ids; whether it was refused, as one behind the last row may be."""
    exchange = ask(api, **window)
    assert not is_refused(exchange) or not due, f"{window} was answered with {exchange.answer.status}"
    if is_refused(exchange):
        return True
    held = ids(exchange.answer.json()["data"])
    assert held == due, f"{window} holds {held}, by the whole list it should hold {due}"
    return False


def assert_link(api: Api, link: object, wanted: Window, due: list[int]) -> None:
    """Asserts that the link is an absolute URL of this list, carries these parameters and leads to these ids."""
    assert isinstance(link, str), f"expected a link to {wanted}, got {link!r}"
    assert link.startswith(f"{api.target.url}/users?"), f"{link} is no absolute URL of this list"
    carried = parse_qs(urlsplit(link).query)
    for name, value in wanted.items():
        assert carried.get(name) == [str(value)], f"expected {name}={value} in {link}"
    exchange = follow(api, link)
    assert not is_refused(exchange), f"{link} was answered with {exchange.answer.status}"
    held = ids(exchange.answer.json()["data"])
    assert held == due, f"{link} holds {held}, it should hold {due}"
