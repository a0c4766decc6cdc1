"""Walks from page to page: nothing twice, nothing left out, every parameter kept. Document lines 93 and 102 to 105."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import both, for_all
from suites.getflow.dialect import (
    KINDS,
    MADE,
    TASKS,
    WAYS,
    Kind,
    Row,
    accepted,
    ask,
    documented,
    identity,
    rows,
    succeeded,
)
from suites.getflow.drawn import queries
from suites.getflow.paging import MOST_PAGES, fair, follow, next_url, pages, parameters_of, whole
from suites.readings import Observed

clause = pytest.mark.clause
MAXIMUM = 100
LIMITS = st.integers(7, 100)


def _walk(api: Api, kind: Kind, way: int, query: dict[str, Any]) -> list[Any]:
    return [identity(row) for _, found in pages(api, kind, query, way) for row in found]


def _is_once(found: list[Any], what: str) -> None:
    twice = [one for one, count in Counter(found).items() if count > 1]
    assert not twice, f"{what}: seen twice: {twice[:5]}"


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_links_show_every_record_once(api: Api, kind: Kind) -> None:
    """Whatever the size of the pages and whatever else is asked for, a walk by links has the same records."""

    count = len(whole(api, kind))

    def holds(query: dict[str, Any], limit: int, way: int) -> None:
        plain = {name: value for name, value in query.items() if name not in ("cursor", "limit", "include")}
        limit = fair(limit, count)
        one, other = both(
            api,
            lambda: sorted(_walk(api, kind, way, {**plain, "limit": limit}), key=str),
            lambda: sorted(_walk(api, kind, way, {**plain, "limit": MAXIMUM}), key=str),
        )
        _is_once(one, f"pages of {limit}")
        _is_once(other, f"pages of {MAXIMUM}")
        assert one == other, f"in pages of {limit} or of {MAXIMUM} only: {sorted(set(one) ^ set(other), key=str)[:5]}"

    for_all(holds, 8, query=st.just({}) | queries(api, kind), limit=LIMITS, way=st.sampled_from(WAYS))


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_links_keep_every_parameter(api: Api, kind: Kind) -> None:
    """The URL of the next page has all that was asked for, with the same values, and another cursor."""

    def holds(query: dict[str, Any], limit: int, way: int) -> None:
        sent = {**query, "limit": limit, "cursor": 0}
        exchange = ask(api, kind, "list", query=sent, way=way)
        documented(api, exchange, "GETFLOW-PAGE-7")
        url = next_url(exchange)
        if url is None:
            return
        kept = parameters_of(url)
        due = {"organization_id": api.setting("ORGANIZATION_ID"), **{name: str(value) for name, value in sent.items()}}
        lost = {name: kept.get(name) for name, value in due.items() if name != "cursor" and kept.get(name) != value}
        assert not lost, f"asked for {due}, and the link has {lost}"
        assert kept.get("cursor") not in (None, "", "0"), url
        accepted(api, follow(api, exchange, url), "GETFLOW-PAGE-7")

    for_all(holds, 15, query=queries(api, kind), limit=st.integers(1, 4), way=st.sampled_from(WAYS))


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_cursors_by_hand_lead_where_links_lead(api: Api, kind: Kind) -> None:
    """Setting the link's cursor by hand shows the page that the link shows."""

    def by_hand(limit: int) -> list[Any]:
        found: list[Any] = []
        cursors: list[str | None] = [None]
        while cursors.count(cursors[-1]) == 1:
            exchange = ask(api, kind, "list", query={"limit": limit, "cursor": cursors[-1]})
            found += [identity(row) for row in rows(api, exchange, kind, "GETFLOW-PAGE-7")]
            cursors.append(parameters_of(next_url(exchange) or "").get("cursor"))
            if cursors[-1] is None:
                return found
        raise broken(api, "GETFLOW-PAGE-7", "a last page", f"the cursor {cursors[-1]} again")

    def holds(limit: int) -> None:
        one, other = both(api, lambda: by_hand(limit), lambda: _walk(api, kind, 1, {"limit": limit}))
        assert one == other, f"only one of the two shows {sorted(set(one) ^ set(other), key=str)[:5]}"

    for_all(holds, 4, limit=st.integers(20, 100))


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_order_of_a_list_stays(api: Api, kind: Kind, readings: Observed) -> None:
    """Two walks show the records in the same order; whether it is that of their ids is recorded."""
    one, other = (_walk(api, kind, 1, {"limit": 40}) for _ in range(2))
    in_both = set(one) & set(other)  # others may come and go meanwhile
    stays = [each for each in one if each in in_both] == [each for each in other if each in in_both]
    by_id = one in (sorted(one, key=_number), sorted(one, key=_number, reverse=True))
    readings.one_of("GETFLOW-AMB-18", by_id=stays and by_id, stable=stays)


def _number(identifier: Any) -> tuple[int, str]:
    return (identifier, "") if isinstance(identifier, int) else (0, str(identifier))


@clause("GETFLOW-PAGE-8")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_walk_is_whole_while_records_are_made(api: Api, bench: Bench, kind: Kind) -> None:
    """Each record that was there before is shown once, however many are made between the pages and beside them."""
    fresh = kind if kind in MADE else TASKS

    def holds(limit: int, turns: set[int]) -> None:
        before = {identity(row) for row in whole(api, kind, "GETFLOW-PAGE-8")}
        exchange = ask(api, kind, "list", query={"limit": fair(limit, len(before))})
        found: list[Any] = []
        for turn in range(MOST_PAGES):
            found += [identity(row) for row in rows(api, exchange, kind, "GETFLOW-PAGE-8")]
            url = next_url(exchange)
            if url is None:
                break
            exchange = _next_page(api, bench, exchange, url, fresh if turn in turns else None)
        again = [one for one, count in Counter(found).items() if count > 1 and one in before]
        assert not again, f"shown twice: {again[:5]}"
        lost = before - set(found)
        if lost:  # unless somebody has deleted it
            lost &= {identity(row) for row in whole(api, kind, "GETFLOW-PAGE-8")}
        assert not lost, f"there before and not shown: {sorted(lost, key=str)[:5]}"

    for_all(holds, 4, limit=st.integers(10, 40), turns=st.sets(st.integers(0, 3), min_size=1))


def _next_page(api: Api, bench: Bench, exchange: Any, url: str, fresh: Kind | None) -> Any:
    """The next page; with `fresh` a record of that kind is made at the same time."""
    if fresh is None:
        return follow(api, exchange, url)
    needs = bench.needs(fresh)
    made, page = api.together(
        [lambda one: ask(one, fresh, "create", sent=needs), lambda one: follow(one, exchange, url)]
    )
    if succeeded(made):
        record: Row = accepted(api, made, "GETFLOW-REC-1")[fresh.singular]
        bench.keep(fresh, record["id"])
    return page
