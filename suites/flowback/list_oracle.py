"""Test oracle of the list of users: which rows each page must contain.

Rule: the whole list is read once, in pages of the largest size; every other page must be a part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.flowback.client import (
    MAX_LIMIT,
    complete_list,
    follow_link,
    ids_of,
    is_refused,
    list_users,
    page_rows,
    unchanged_list,
)
from suites.reporting.response_body import read_body

LIMITS = st.sampled_from([1, 2, 3, 7, 10, MAX_LIMIT - 1, MAX_LIMIT]) | st.integers(1, MAX_LIMIT)
Window = dict[str, int]  # the values of page, limit and offset in a request, those that are sent


@dataclass(frozen=True)
class ListOracle:
    """The ids of the whole list in order, and whether the offset is added to the page (FLOWBACK-AMB-5)."""

    ids: list[int]
    offset_is_added: bool

    def expected_ids(self, window: Window) -> list[int]:
        """The ids that this page must contain."""
        number, limit, offset = window.get("page", 1), window["limit"], window.get("offset", 0)
        start = offset + (number - 1) * limit if self.offset_is_added or not offset else offset
        return self.ids[start : start + limit]

    def expected_next_ids(self, window: Window) -> list[int]:
        """The ids that the page after this one must contain."""
        return self.expected_ids(window | {"page": window["page"] + 1})

    @property
    def windows(self) -> st.SearchStrategy[Window]:
        """Pages with a limit and an offset, most of them at the boundaries of this list."""
        return windows(len(self.ids), with_offset=True)

    @property
    def windows_without_offset(self) -> st.SearchStrategy[Window]:
        """The same with an offset of 0."""
        return windows(len(self.ids), with_offset=False)

    @property
    def linked_windows(self) -> st.SearchStrategy[Window]:
        """Pages that have a next and a previous one: with an offset only if it is added to the page."""
        return windows(len(self.ids), with_offset=self.offset_is_added)


@contextmanager
def read_whole_list(api: Api) -> Iterator[ListOracle]:
    """The oracle of the list as it is now.

    Raises MissingPrecondition if the list is too short, too long or changes within the block.
    """
    __tracebackhide__ = True
    with unchanged_list(api):
        ids = ids_of(complete_list(api))
        shifted = ids_of(page_rows(api, page=2, limit=2, offset=1))
        yield ListOracle(ids, offset_is_added=shifted != ids[1:3])


def linked_limits(api: Api, **query: object) -> list[int]:
    """The limits in the links of the first two pages with that query; none where these pages have no such links."""
    pages = [list_users(api, **query), list_users(api, page=2, **query)]
    served = [exchange.response.json() for exchange in pages if not is_refused(exchange)]
    links = [page.get(name) for page in served for name in ("next", "previous")]
    queries = [parse_qs(urlsplit(link).query) for link in links if isinstance(link, str)]
    values = [value for parameters in queries for value in parameters.get("limit", [])]
    return [int(value) for value in values if value.isdecimal()]


def page_count(rows: int, limit: int) -> int:
    """The number of pages that so many rows fill."""
    return -(-rows // limit)


def full_page_limits(rows: int) -> list[int]:
    """The smallest and the largest limit with which so many rows fill their last page."""
    limits = [limit for limit in range(1, MAX_LIMIT + 1) if rows and rows % limit == 0]
    return [*{*limits[:1], *limits[-1:]}]


def offsets(rows: int, limit: int) -> st.SearchStrategy[int]:
    """Offsets from 0 to beyond the last row, often those that leave one row on the last page or fill it."""
    boundaries = [0, 1, (rows - 1) % limit, rows % limit, rows - 1, rows, rows + 1]
    return st.sampled_from(boundaries) | st.integers(0, rows)


@st.composite
def windows(draw: st.DrawFn, rows: int, with_offset: bool) -> Window:
    """Page, limit and offset for a list of so many rows, some of them after the last page."""
    limit = draw(LIMITS)
    offset = draw(offsets(rows, limit)) if with_offset else 0
    last = max(1, page_count(rows - offset, limit))
    number = draw(st.sampled_from([1, 2, max(1, last - 1), last, last + 1, last + 7]) | st.integers(1, last))
    return {"page": number, "limit": limit, "offset": offset}


def assert_page(api: Api, window: Window, expected_ids: list[int]) -> bool:
    """Assert that the page has these ids; return whether it was refused, which is allowed after the last row."""
    exchange = list_users(api, **window)
    if is_refused(exchange):
        assert not expected_ids, f"{window} was refused with status {exchange.response.status}"
        return True
    ids = ids_of(read_body(exchange)["data"])
    assert ids == expected_ids, f"the page {window} has the ids {ids}; by the whole list it should have {expected_ids}"
    return False


def assert_link(api: Api, link: object, parameters: Window, expected_ids: list[int]) -> None:
    """Assert that the link is an absolute URL of this list with these parameters and leads to these ids."""
    assert isinstance(link, str), f"expected a link to the page {parameters}, received {link!r}"
    assert link.startswith(f"{api.target.url}/users?"), f"the link {link} is not an absolute URL of this list"
    query = parse_qs(urlsplit(link).query)
    for name, value in parameters.items():
        assert query.get(name) == [str(value)], f"expected {name}={value} in the link {link}"
    exchange = follow_link(api, link)
    assert not is_refused(exchange), f"the link {link} was refused with status {exchange.response.status}"
    ids = ids_of(read_body(exchange)["data"])
    assert ids == expected_ids, f"the link {link} leads to the ids {ids}, expected {expected_ids}"
