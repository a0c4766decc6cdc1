"""Reads lists page by page, following their links (RFC 8288).

Rule: as in client.py, whatever a server responds becomes a value or ContractViolation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts.exchange import Exchange, Request
from fixtures.link_header import local_link, next_link
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import PATH_PREFIX, Query, Record, RecordKind, is_success, page_records, send
from suites.reporting.failures import violation

MAX_PAGES = 200
MANY_RECORDS = 4_000  # that the walks of one test read, apart from two


def link_header(exchange: Exchange) -> str:
    """The Link header, "" when there is none; several fields are one list (RFC 9110, 5.2)."""
    return ", ".join(value for name, value in exchange.response.headers if name.lower() == "link")


def next_url(exchange: Exchange) -> str | None:
    """The URL of the next page as it stands in the Link header (RFC 8288, 3), or None."""
    header = link_header(exchange)
    if "<" not in header:  # whether a URL may stand alone is GETFLOW-AMB-17
        return header if "://" in header else None
    return next_link(exchange.response)


def follow_link(api: Api, exchange: Exchange, url: str) -> Exchange:
    """The page behind a link, requested with the headers of the page that has the link."""
    absolute = local_link(exchange.request.url, url)
    if absolute is None:
        raise violation(api, "GETFLOW-PAGE-6", f"a link to {api.target.url}", url, exchange)
    return api.send_request(Request("GET", absolute, exchange.request.headers))


def pages(
    api: Api,
    kind: RecordKind,
    query: Query | None = None,
    versioning: int = PATH_PREFIX,
    clause: str = "GETFLOW-PAGE-7",
) -> Iterator[tuple[Exchange, list[Record]]]:
    """The pages of a list, as (exchange, records), following their links; `clause` is that of the first page.

    Raises ContractViolation for links in a circle, and for a page behind the end that names another one.
    Raises MissingPrecondition for a list of more than MAX_PAGES pages.
    """
    exchange = send(api, kind, "list", query=query, versioning=versioning)
    visited: set[str] = set()
    while True:
        records = page_records(api, exchange, kind, clause)
        yield exchange, records
        url = next_url(exchange)
        if url is None:
            return
        if url in visited:
            raise violation(api, "GETFLOW-PAGE-7", "a last page", f"links in a circle: {url}", exchange)
        if visited and not records:
            raise violation(api, "GETFLOW-PAGE-10", "a last page", f"no {kind}, and a link to {url}", exchange)
        visited.add(url)
        if len(visited) > MAX_PAGES:
            raise MissingPrecondition(f"{kind}: more than {MAX_PAGES} pages, too many to be read here")
        exchange, clause = follow_link(api, exchange, url), "GETFLOW-PAGE-7"


def all_records(api: Api, kind: RecordKind, clause: str = "GETFLOW-PAGE-7", **query: Any) -> list[Record]:
    """Every record of a list, page after page, in the largest pages that the target serves."""
    largest = {"limit": 100} if "limit" in query or is_success(send(api, kind, "list", query={"limit": 100})) else {}
    return [record for _, records in pages(api, kind, {**largest, **query}, clause=clause) for record in records]


def first_page(api: Api, kind: RecordKind, clause: str, **query: Any) -> list[Record]:
    """The records of the first page. Raises MissingPrecondition when there are none."""
    records = page_records(api, send(api, kind, "list", query=query), kind, clause)
    if not records:
        raise MissingPrecondition(f"the organisation has no {kind}")
    return records


def query_parameters(url: str) -> dict[str, str]:
    """The query parameters of a URL, {} when it is not a valid URL."""
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:
        return {}


def page_limit(limit: int, count: int) -> int:
    """A limit, at least `limit`, at which a list of `count` records has about twenty pages, if 100 records per page
    allow it.
    """
    return min(100, max(limit, count // 20))


def walk_count(count: int, most: int) -> int:
    """How many walks are worth their requests over a list of `count` records: at most `most`, two at least."""
    return max(2, min(most, MANY_RECORDS // max(count, 1)))
