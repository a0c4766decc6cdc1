"""Lists from page to page, by their links (RFC 8288), and comparing what two requests saw.

Rule: as in dialect.py, whatever a server answers ends as a value or as ContractBroken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from contracts.exchange import Exchange, Sent
from fixtures.api import Api, Lacking
from suites.blame import broken
from suites.getflow.dialect import PREFIX, Kind, Query, Row, ask, rows

MOST_PAGES = 200


def links(exchange: Exchange) -> str:
    """The Link header, "" when there is none; several are one list (RFC 9110, 5.2)."""
    return ", ".join(value for name, value in exchange.answer.headers if name.lower() == "link")


def next_url(exchange: Exchange) -> str | None:
    """Where Link says that the next page is, as it stands there (RFC 8288, 3), or None."""
    header = links(exchange)
    if "<" not in header:  # whether it may stand alone is asked where links are (GETFLOW-AMB-17)
        return header if "://" in header else None
    for url, parameters in re.findall(r'<([^>]*)>((?:\s*;\s*[^\s";,=]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)', header):
        relation = re.search(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s";,]+))', parameters, re.IGNORECASE)
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            return str(url)
    return None


def follow(api: Api, exchange: Exchange, url: str) -> Exchange:
    """The page behind a link, with the headers of the page that has it."""
    try:
        absolute = urljoin(exchange.sent.url, url)
        elsewhere = urlsplit(absolute).netloc != urlsplit(api.target.url).netloc
    except ValueError:  # no URL at all
        elsewhere = True
    if elsewhere:
        raise broken(api, "GETFLOW-PAGE-6", f"a link to {api.target.url}", url, exchange)
    return api.exchange(Sent("GET", absolute, exchange.sent.headers))


def pages(
    api: Api, kind: Kind, query: Query | None = None, way: int = PREFIX, clause: str = "GETFLOW-PAGE-7"
) -> Iterator[tuple[Exchange, list[Row]]]:
    """A list's pages by their links. Raises ContractBroken for links in a circle, Lacking for a list without end."""
    exchange = ask(api, kind, "list", query=query, way=way)
    seen: set[str] = set()
    while True:
        found = rows(api, exchange, kind, clause)
        yield exchange, found
        url = next_url(exchange)
        if url is None:
            return
        if url in seen:
            raise broken(api, "GETFLOW-PAGE-7", "a last page", f"links in a circle: {url}", exchange)
        seen.add(url)
        if len(seen) > MOST_PAGES:
            raise Lacking(f"{kind}: more than {MOST_PAGES} pages, too many to be read here")
        exchange = follow(api, exchange, url)


def whole(api: Api, kind: Kind, clause: str = "GETFLOW-PAGE-7", **query: Any) -> list[Row]:
    """Every record of a list, page after page."""
    return [row for _, found in pages(api, kind, {"limit": 100, **query}, clause=clause) for row in found]


def first(api: Api, kind: Kind, clause: str, **query: Any) -> list[Row]:
    """The records of the first page. Raises Lacking when there are none."""
    found = rows(api, ask(api, kind, "list", query=query), kind, clause)
    if not found:
        raise Lacking(f"the organisation has no {kind}")
    return found


def parameters_of(url: str) -> dict[str, str]:
    """The query of a URL, {} when it is none."""
    try:
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:
        return {}


def fair(limit: int, count: int) -> int:
    """A limit at which a list of so many records is no more than some twenty pages, if it may be that large."""
    return min(100, max(limit, count // 20))
