"""Pages by cursor, limit and link: document lines 92 to 105."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api, Lacking
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all
from suites.getflow.dialect import (
    ACTIVITIES,
    KINDS,
    LISTS,
    MADE,
    TASKS,
    WAYS,
    Kind,
    Row,
    accepted,
    ask,
    documented,
    identity,
    problems,
    rows,
    shown,
    succeeded,
    without_ids,
)
from suites.getflow.drawn import instant, queries
from suites.getflow.paging import follow, links, next_url, pages, parameters_of
from suites.readings import Observed

clause = pytest.mark.clause
DEFAULT, MAXIMUM = 25, 100


def _ids(found: list[Row]) -> list[Any]:
    return [identity(row) for row in found]


def _page(api: Api, kind: Kind, clause: str, **query: Any) -> list[Any]:
    return _ids(rows(api, ask(api, kind, "list", query=query), kind, clause))


@clause("GETFLOW-PAGE-1")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_limit_and_cursor_cut_a_list_into_pages(api: Api, kind: Kind) -> None:
    """A page has as many records as the limit says while there are more, and the next cursor leads to others."""

    def holds(limit: int, way: int) -> None:
        exchange = ask(api, kind, "list", query={"limit": limit}, way=way)
        found = _ids(rows(api, exchange, kind, "GETFLOW-PAGE-1"))
        url = next_url(exchange)
        if url is None:
            assert len(found) <= limit
            return
        assert len(found) == limit, f"{len(found)} records with a limit of {limit}, and there are more"
        cursor = parameters_of(url).get("cursor")
        more = _page(api, kind, "GETFLOW-PAGE-1", limit=limit, cursor=cursor)
        again = set(found) & set(more)
        assert not again, f"on the first page and on that of cursor {cursor}: {sorted(again, key=str)[:5]}"

    for_all(holds, 12, limit=st.integers(1, 40), way=st.sampled_from(WAYS))


@clause("GETFLOW-PAGE-2")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_page_starts_at_0_and_has_25_unless_asked(api: Api, kind: Kind) -> None:
    """Leaving out cursor, limit or both is the same as 0 and 25, whatever else is asked for."""

    def seen(query: dict[str, Any]) -> Any:
        exchange = ask(api, kind, "list", query=query)
        return without_ids(accepted(api, exchange, "GETFLOW-PAGE-2")), next_url(exchange) is not None

    def holds(query: dict[str, Any], left_out: set[str]) -> None:
        explicit = {**query, "cursor": 0, "limit": DEFAULT}
        plain = {name: value for name, value in explicit.items() if name not in left_out}
        (one, more), (other, _) = both(api, lambda: seen(plain), lambda: seen(explicit))
        assert one == other, f"without: {str(one)[:300]} … and with cursor=0&limit=25: {str(other)[:300]}"
        if more and "limit" in left_out:
            assert len(one[kind.plural]) == DEFAULT, f"{len(one[kind.plural])} records, and there are more"

    left_out = st.sets(st.sampled_from(["cursor", "limit"]), min_size=1)
    for_all(holds, 12, query=queries(api, kind), left_out=left_out)


@clause("GETFLOW-PAGE-3")
def test_a_cursor_of_tasks_is_an_offset(api: Api, readings: Observed) -> None:
    """With cursor=60 and limit=30 come the 61st to the 90th task, and so for any other numbers."""
    exchange = ask(api, TASKS, "list", query={"limit": MAXIMUM})
    found = _ids(rows(api, exchange, TASKS, "GETFLOW-PAGE-3"))
    following = parameters_of(next_url(exchange) or "").get("cursor")
    if following not in (None, str(len(found))):
        readings.saw("GETFLOW-AMB-12", "opaque")
        return
    readings.saw("GETFLOW-AMB-12", "offset")

    def holds(cursor: int, limit: int) -> None:
        due, got = both(
            api,
            lambda: _page(api, TASKS, "GETFLOW-PAGE-3", limit=MAXIMUM)[cursor : cursor + limit],
            lambda: _page(api, TASKS, "GETFLOW-PAGE-3", cursor=cursor, limit=limit),
        )
        if len(due) == limit:
            assert got == due, f"cursor={cursor}&limit={limit}: {got[:5]} …, not {due[:5]} …"

    if len(found) >= 90:
        holds(60, 30)
    for_all(holds, 20, cursor=st.integers(0, 70), limit=st.integers(1, 30))


@clause("GETFLOW-PAGE-4")
@pytest.mark.parametrize("way", WAYS, ids=["Accept", "prefix"])
def test_activities_need_no_cursor(api: Api, way: int) -> None:
    """The first request for them is answered without one, as with 0."""
    exchange = ask(api, ACTIVITIES, "list", way=way)
    assert succeeded(exchange), shown(exchange)
    accepted(api, exchange, "GETFLOW-PAGE-4")


@clause("GETFLOW-PAGE-5")
@pytest.mark.parametrize("kind", [kind for kind in MADE if kind.can("update")], ids=str)
def test_the_latest_activity_comes_first(api: Api, bench: Bench, kind: Kind) -> None:
    """What was just made is among the first activities, before all that happened earlier."""
    before = _page(api, ACTIVITIES, "GETFLOW-PAGE-5")
    made = bench.make(kind)
    found = rows(api, ask(api, ACTIVITIES, "list"), ACTIVITIES, "GETFLOW-PAGE-5")
    about = (made["id"], kind.singular)
    ours = [place for place, row in enumerate(found) if (row.get("target_id"), row.get("target_type")) == about]
    assert ours, f"nothing about the new {kind.singular} {made['id']} among {len(found)} activities"
    known = [place for place, row in enumerate(found) if identity(row) in before]
    assert not known or min(ours) < min(known), "an earlier activity comes first"


@clause("GETFLOW-PAGE-5")
def test_activities_go_back_in_time(api: Api, bench: Bench) -> None:
    """From page to page, whatever its size, none is later than the one before it."""
    bench.make(LISTS)

    def holds(limit: int) -> None:
        last = None
        for number, (_, found) in enumerate(pages(api, ACTIVITIES, {"limit": limit}, clause="GETFLOW-PAGE-5")):
            for row in found:
                stamp = instant(row.get("created_at"))
                if stamp and last:
                    assert stamp <= last, f"activity {row.get('id')} of {stamp} comes after one of {last}"
                last = stamp or last
            if number >= 5:
                return

    for_all(holds, 6, limit=st.integers(2, 60))


@clause("GETFLOW-PAGE-6")
def test_a_page_names_the_next_one(api: Api, readings: Observed) -> None:
    """On every list a page that is not the last has a Link with an absolute URL, its cursor, and rel="next"."""
    lacking, linked = [], []
    for kind in KINDS:
        for way in WAYS:
            exchange = ask(api, kind, "list", query={"limit": 2}, way=way)
            found = rows(api, exchange, kind, "GETFLOW-PAGE-6")
            if len(rows(api, ask(api, kind, "list", query={"limit": 3}, way=way), kind, "GETFLOW-PAGE-6")) < 3:
                continue
            header = links(exchange)
            if not header:
                lacking.append(kind)
                continue
            linked.append(kind)
            _is_next(api, exchange, header, found, kind, readings)
    if not linked and not lacking:
        raise Lacking("no list has three records")
    if lacking and set(linked) == {ACTIVITIES} and readings.is_in_force("GETFLOW-AMB-13", "activities"):
        readings.saw("GETFLOW-AMB-13", "activities")
        return
    assert not lacking, f"no Link on a page of {', '.join(sorted({str(kind) for kind in lacking}))}"
    readings.saw("GETFLOW-AMB-13", "all")


def _is_next(api: Api, exchange: Exchange, header: str, found: list[Row], kind: Kind, readings: Observed) -> None:
    """A Link header that is right, and the page behind it."""
    bare = "<" not in header and "://" in header
    readings.one_of("GETFLOW-AMB-17", bare=bare, rfc8288=not bare)
    url = next_url(exchange)
    assert url is not None, f'{kind}: no rel="next" in {header}'
    assert re.match(r"https?://[^/?#]+", url), f"{kind}: {url}"
    assert "cursor" in parameters_of(url), f"{kind}: {url}"
    more = follow(api, exchange, url)
    assert succeeded(more), f"{kind}, behind the link: {shown(more)}"
    again = set(_ids(found)) & set(_ids(rows(api, more, kind, "GETFLOW-PAGE-6")))
    assert not again, f"{kind}: again behind the link: {sorted(again, key=str)[:5]}"


@clause("GETFLOW-PAGE-6")
def test_the_last_page_names_none(api: Api, readings: Observed) -> None:
    """Its Link is absent, or empty, or has no next."""
    forms = set()
    for kind in KINDS:
        *_, (exchange, _) = pages(api, kind, {"limit": MAXIMUM}, clause="GETFLOW-PAGE-6")
        forms.add(any(name.lower() == "link" for name, _ in exchange.answer.headers))
    readings.one_of("GETFLOW-AMB-16", absent=forms == {False}, without_next=True in forms)


@clause("GETFLOW-PAGE-9")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_page_has_more_than_100_records(api: Api, readings: Observed, kind: Kind) -> None:
    """A limit above that is read as 100, or refused by its name."""

    def holds(limit: int) -> None:
        exchange = ask(api, kind, "list", query={"limit": limit})
        documented(api, exchange, "GETFLOW-PAGE-9")
        count = len(rows(api, exchange, kind, "GETFLOW-PAGE-9")) if succeeded(exchange) else 0
        assert count <= MAXIMUM, f"{count} records with a limit of {limit}"
        _is_about_the_limit(api, exchange)
        readings.one_of("GETFLOW-AMB-15", clamped=succeeded(exchange), refused=not succeeded(exchange))

    for_all(holds, 6, limit=st.integers(101, 10**6))


@clause("GETFLOW-PAGE-1")
def test_a_limit_below_1_is_raised_or_refused(api: Api) -> None:
    """On any list it counts as 1, or is refused by its name; a server may clamp above and refuse below."""

    def holds(kind: Kind, limit: int) -> None:
        exchange = ask(api, kind, "list", query={"limit": limit})
        documented(api, exchange, "GETFLOW-PAGE-1")
        if succeeded(exchange):
            assert len(rows(api, exchange, kind, "GETFLOW-PAGE-1")) <= 1, f"limit={limit}: {shown(exchange)}"
        _is_about_the_limit(api, exchange)

    for_all(holds, 12, kind=st.sampled_from(KINDS), limit=st.integers(-1000, 0))


def _is_about_the_limit(api: Api, exchange: Exchange) -> None:
    """A refusal, if it is one, says what was wrong."""
    named = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
    if not succeeded(exchange) and ("invalid_attribute", "limit") not in named:
        raise broken(api, "GETFLOW-ERR-11", "invalid_attribute for limit", shown(exchange), exchange)
