"""Walks from page to page repeat and omit nothing and keep every parameter: document lines 93 and 102 to 105."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    ACTIVITIES,
    CREATABLE_KINDS,
    KINDS,
    PATH_PREFIX,
    TASKS,
    VERSIONINGS,
    Record,
    RecordKind,
    accepted_body,
    check_documented,
    is_success,
    page_records,
    record_identity,
    send,
)
from suites.getflow.pagination import (
    MAX_PAGES,
    all_records,
    follow_link,
    next_url,
    page_limit,
    pages,
    query_parameters,
    walk_count,
)
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import stable_pair
from suites.getflow.strategies import queries
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

pytestmark = pytest.mark.bug_kind("edges of lists")

clause = pytest.mark.clause
MAXIMUM = 100
LIMITS = st.integers(7, 100)
LONG_AGO = "1999-12-31T23:59:59+02:00"  # its plus sign must be encoded in a link


def _walk(api: Api, kind: RecordKind, versioning: int, query: dict[str, Any]) -> list[Any]:
    return [record_identity(record) for _, records in pages(api, kind, query, versioning) for record in records]


def _assert_unique(identifiers: list[Any], walk: str) -> None:
    repeated = [identifier for identifier, count in Counter(identifiers).items() if count > 1]
    assert not repeated, f"{walk}: shown more than once: {repeated[:5]}"


@pytest.mark.bug_kind("links and mail")
@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_links_show_every_record_once(api: Api, kind: RecordKind) -> None:
    """Following links shows the same records, each once, whatever the page size and the query."""
    records = all_records(api, kind)
    count = len(records)
    if not count:
        raise MissingPrecondition(f"the organisation has no {kind}")

    def check(query: dict[str, Any], limit: int, versioning: int) -> None:
        filters = {name: value for name, value in query.items() if name not in ("cursor", "limit", "include")}
        limit = page_limit(limit, count)
        in_small_pages, in_full_pages = stable_pair(
            api,
            lambda: sorted(_walk(api, kind, versioning, {**filters, "limit": limit}), key=str),
            lambda: sorted(_walk(api, kind, versioning, {**filters, "limit": MAXIMUM}), key=str),
        )
        _assert_unique(in_small_pages, f"pages of {limit}")
        _assert_unique(in_full_pages, f"pages of {MAXIMUM}")
        assert in_small_pages == in_full_pages, (
            f"in pages of {limit} or of {MAXIMUM} only: {sorted(set(in_small_pages) ^ set(in_full_pages), key=str)[:5]}"
        )

    if any(parameter.name == "workspace_id" for parameter in kind.operation("list").parameters):
        workspace, size = Counter(record.get("workspace_id") for record in records).most_common(1)[0]
        if workspace is not None and size > 1:
            check({"workspace_id": workspace}, -(-size // 3), PATH_PREFIX)
    examples = walk_count(count, 8)
    strategy: st.SearchStrategy[dict[str, Any]] = st.just({}) | queries(api, kind)
    for_all(check, examples, query=strategy, limit=LIMITS, versioning=st.sampled_from(VERSIONINGS))


@pytest.mark.bug_kind("links and mail")
@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_links_keep_every_parameter(api: Api, kind: RecordKind) -> None:
    """The URL of the next page has every parameter of the request, with the same values, and another cursor."""

    def check(query: dict[str, Any], limit: int, versioning: int) -> None:
        parameters = {**query, "limit": limit, "cursor": 0}
        exchange = send(api, kind, "list", query=parameters, versioning=versioning)
        check_documented(api, exchange, "GETFLOW-PAGE-7")
        url = next_url(exchange)
        if url is None:
            raise MissingPrecondition(f"the list of {kind} has no second page")
        link_parameters = query_parameters(url)
        expected = {
            "organization_id": api.setting("ORGANIZATION_ID"),
            **{name: str(value) for name, value in parameters.items()},
        }
        missing = {
            name: link_parameters.get(name)
            for name, value in expected.items()
            if name != "cursor" and link_parameters.get(name) != value
        }
        assert not missing, f"expected {expected} in the link, got {missing}"
        assert link_parameters.get("cursor") not in (None, "", "0"), url
        accepted_body(api, follow_link(api, exchange, url), "GETFLOW-PAGE-7")

    names = [parameter.name for parameter in kind.operation("list").parameters]
    for name in [name for name in names if name.endswith("_after")][:1]:
        with suppress(MissingPrecondition):
            check({name: LONG_AGO}, 1, PATH_PREFIX)
    for_all(check, 15, query=queries(api, kind), limit=st.integers(1, 4), versioning=st.sampled_from(VERSIONINGS))


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_cursors_set_by_hand_equal_links(api: Api, kind: RecordKind) -> None:
    """Setting the link's cursor by hand returns the same pages as following the links."""

    def walk_by_cursor(limit: int) -> list[Any]:
        identifiers: list[Any] = []
        cursors: list[str | None] = [None]
        while cursors.count(cursors[-1]) == 1:
            exchange = send(api, kind, "list", query={"limit": limit, "cursor": cursors[-1]})
            identifiers += [record_identity(record) for record in page_records(api, exchange, kind, "GETFLOW-PAGE-7")]
            cursors.append(query_parameters(next_url(exchange) or "").get("cursor"))
            if cursors[-1] is None:
                return identifiers
        raise violation(api, "GETFLOW-PAGE-7", "a last page", f"the cursor {cursors[-1]} occurs twice")

    def check(limit: int) -> None:
        by_cursor, by_link = stable_pair(
            api, lambda: walk_by_cursor(limit), lambda: _walk(api, kind, 1, {"limit": limit})
        )
        if not by_cursor and not by_link:
            raise MissingPrecondition(f"the organisation has no {kind}")
        assert by_cursor == by_link, f"only one of the two shows {sorted(set(by_cursor) ^ set(by_link), key=str)[:5]}"

    for_all(check, walk_count(len(all_records(api, kind)), 4), limit=st.integers(20, 100))


@clause("GETFLOW-PAGE-3")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not ACTIVITIES], ids=str)
def test_a_page_at_the_end_repeats_nothing(api: Api, kind: RecordKind) -> None:
    """A page whose cursor is the number of records shows none of them."""
    exchange = send(api, kind, "list", query={"limit": 1})
    if query_parameters(next_url(exchange) or "").get("cursor") != "1":
        raise MissingPrecondition(f"the cursors of {kind} are no offsets, or there is one page only (GETFLOW-AMB-12)")
    identifiers = _walk(api, kind, 1, {"limit": MAXIMUM})
    exchange = send(api, kind, "list", query={"cursor": len(identifiers), "limit": MAXIMUM})
    if not is_success(exchange):
        return
    page = [record_identity(record) for record in page_records(api, exchange, kind, "GETFLOW-PAGE-3")]
    repeated = [identifier for identifier in page if identifier in identifiers]
    assert not repeated, f"cursor={len(identifiers)}: shown before: {repeated[:5]}"


@clause("GETFLOW-PAGE-7")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_order_of_a_list_is_stable(api: Api, kind: RecordKind, readings: ObservedReadings) -> None:
    """Two walks show the records in the same order; whether it is the order of their ids is a reading."""
    first, second = (_walk(api, kind, 1, {"limit": 40}) for _ in range(2))
    in_both = set(first) & set(second)  # other users may create and delete records meanwhile
    if len(in_both) < 2:
        raise MissingPrecondition(f"the organisation has fewer than two {kind}")
    is_stable = [identifier for identifier in first if identifier in in_both] == [
        identifier for identifier in second if identifier in in_both
    ]
    is_by_id = first in (sorted(first, key=_sort_key), sorted(first, key=_sort_key, reverse=True))
    readings.one_of("GETFLOW-AMB-18", by_id=is_stable and is_by_id, stable=is_stable)


def _sort_key(identifier: Any) -> tuple[int, str]:
    return (identifier, "") if isinstance(identifier, int) else (0, str(identifier))


@clause("GETFLOW-PAGE-8")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_walk_is_complete_while_records_are_created(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A walk shows each earlier record once, although records are created between the pages and at the same time."""
    created_kind = kind if kind in CREATABLE_KINDS else TASKS

    def check(limit: int, creating_pages: set[int]) -> None:
        ids_before = {record_identity(record) for record in all_records(api, kind, "GETFLOW-PAGE-8")}
        if not ids_before:
            raise MissingPrecondition(f"the organisation has no {kind}")
        of_four_pages = max(1, len(ids_before) // 4)  # on which records are created
        limit = min(page_limit(limit, len(ids_before)), of_four_pages)
        exchange = send(api, kind, "list", query={"limit": limit})
        if _is_newest_first(api, factory, kind, created_kind):
            raise MissingPrecondition(f"{kind} are newest first, so a creation moves the pages of a walk by offset")
        shown: list[Any] = []
        for page_number in range(MAX_PAGES):
            shown += [record_identity(record) for record in page_records(api, exchange, kind, "GETFLOW-PAGE-8")]
            url = next_url(exchange)
            if url is None:
                break
            exchange = _next_page(api, factory, exchange, url, created_kind if page_number in creating_pages else None)
        repeated = [
            identifier for identifier, count in Counter(shown).items() if count > 1 and identifier in ids_before
        ]
        assert not repeated, f"shown more than once: {repeated[:5]}"
        missing = ids_before - set(shown)
        if missing:  # unless another user has deleted it
            missing &= {record_identity(record) for record in all_records(api, kind, "GETFLOW-PAGE-8")}
        assert not missing, f"existed before and were not shown: {sorted(missing, key=str)[:5]}"

    for_all(check, 4, limit=st.integers(10, 40), creating_pages=st.sets(st.integers(0, 3), min_size=1))


def _is_newest_first(api: Api, factory: RecordFactory, kind: RecordKind, created_kind: RecordKind) -> bool:
    """Whether a new record comes first, and the cursor is an offset: then no walk can be complete meanwhile."""
    exchange = send(api, kind, "list", query={"limit": 2})
    before = page_records(api, exchange, kind, "GETFLOW-PAGE-8")
    cursor = query_parameters(next_url(exchange) or "").get("cursor")
    factory.create(created_kind)
    after = page_records(api, send(api, kind, "list", query={"limit": 2}), kind, "GETFLOW-PAGE-8")
    is_first = bool(after) and record_identity(after[0]) not in {record_identity(record) for record in before}
    return cursor == "2" and is_first


def _next_page(api: Api, factory: RecordFactory, exchange: Any, url: str, created_kind: RecordKind | None) -> Any:
    """The next page; when `created_kind` is given, a record of that kind is created at the same time."""
    if created_kind is None:
        return follow_link(api, exchange, url)
    required = factory.required_attributes(created_kind)
    creation, page = api.send_concurrently(
        [
            lambda client: send(client, created_kind, "create", attributes=required),
            lambda client: follow_link(client, exchange, url),
        ]
    )
    if is_success(creation):
        record: Record = accepted_body(api, creation, "GETFLOW-REC-1")[created_kind.singular]
        factory.delete_later(created_kind, record["id"])
    return page
