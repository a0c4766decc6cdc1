"""Pages by cursor, limit and link: document lines 92 to 105."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    ACTIVITIES,
    CREATABLE_KINDS,
    KINDS,
    LISTS,
    TASKS,
    VERSIONINGS,
    Record,
    RecordKind,
    accepted_body,
    check_documented,
    codes_and_attributes,
    is_success,
    page_records,
    record_identity,
    response_text,
    send,
    without_request_ids,
)
from suites.getflow.pagination import follow_link, link_header, next_url, pages, query_parameters
from suites.getflow.record_factory import RecordFactory
from suites.getflow.repeated_reads import stable_pair
from suites.getflow.strategies import instant, queries
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

pytestmark = pytest.mark.bug_kind("edges of lists")

clause = pytest.mark.clause
DEFAULT, MAXIMUM = 25, 100
FEW_PAGES = 20  # the most pages of a walk that is made for its end alone


def _ids(records: list[Record]) -> list[Any]:
    return [record_identity(record) for record in records]


def _page_ids(api: Api, kind: RecordKind, clause: str, **query: Any) -> list[Any]:
    return _ids(page_records(api, send(api, kind, "list", query=query), kind, clause))


@clause("GETFLOW-PAGE-1")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_limit_and_cursor_select_a_page(api: Api, kind: RecordKind) -> None:
    """A page has as many records as the limit while there are more, and the next cursor leads to other records."""

    def check(limit: int, versioning: int) -> None:
        exchange = send(api, kind, "list", query={"limit": limit}, versioning=versioning)
        first_page = _ids(page_records(api, exchange, kind, "GETFLOW-PAGE-1"))
        url = next_url(exchange)
        if url is None:
            assert len(first_page) <= limit
            return
        assert len(first_page) == limit, f"{len(first_page)} records with a limit of {limit}, and there are more"
        cursor = query_parameters(url).get("cursor")
        second_page = _page_ids(api, kind, "GETFLOW-PAGE-1", limit=limit, cursor=cursor)
        repeated = set(first_page) & set(second_page)
        assert not repeated, f"on the first page and on that of cursor {cursor}: {sorted(repeated, key=str)[:5]}"

    for_all(check, 12, limit=st.integers(1, 40), versioning=st.sampled_from(VERSIONINGS))


@clause("GETFLOW-PAGE-2")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_cursor_defaults_to_0_and_limit_to_25(api: Api, kind: RecordKind) -> None:
    """Omitting cursor, limit or both is the same as 0 and 25, whatever the query."""

    def outcome(query: dict[str, Any]) -> Any:
        exchange = send(api, kind, "list", query=query)
        return without_request_ids(accepted_body(api, exchange, "GETFLOW-PAGE-2")), next_url(exchange) is not None

    def check(query: dict[str, Any], left_out: set[str]) -> None:
        explicit = {**query, "cursor": 0, "limit": DEFAULT}
        implicit = {name: value for name, value in explicit.items() if name not in left_out}
        (body, has_next), (explicit_body, _) = stable_pair(api, lambda: outcome(implicit), lambda: outcome(explicit))
        assert body == explicit_body, (
            f"without: {str(body)[:300]} … and with cursor=0&limit=25: {str(explicit_body)[:300]}"
        )
        if has_next and "limit" in left_out:
            assert len(body[kind.plural]) == DEFAULT, f"{len(body[kind.plural])} records, and there are more"

    for always_left_out in ({"cursor", "limit"}, {"limit"}, {"cursor"}):
        check({}, always_left_out)
    left_out = st.sets(st.sampled_from(["cursor", "limit"]), min_size=1)
    for_all(check, 12, query=queries(api, kind), left_out=left_out)


@clause("GETFLOW-PAGE-3")
def test_a_cursor_of_tasks_is_an_offset(api: Api, readings: ObservedReadings) -> None:
    """With cursor=60 and limit=30 tasks 61 to 90 are returned, and likewise for other numbers."""
    exchange = send(api, TASKS, "list", query={"limit": MAXIMUM})
    first_page = _ids(page_records(api, exchange, TASKS, "GETFLOW-PAGE-3"))
    next_cursor = query_parameters(next_url(exchange) or "").get("cursor")
    if next_cursor not in (None, str(len(first_page))):
        readings.record_meaning("GETFLOW-AMB-12", "opaque")
        return
    readings.record_meaning("GETFLOW-AMB-12", "offset")

    def check(cursor: int, limit: int) -> None:
        expected, returned = stable_pair(
            api,
            lambda: _page_ids(api, TASKS, "GETFLOW-PAGE-3", limit=MAXIMUM)[cursor : cursor + limit],
            lambda: _page_ids(api, TASKS, "GETFLOW-PAGE-3", cursor=cursor, limit=limit),
        )
        if len(expected) < limit:
            raise MissingPrecondition("the organisation has too few tasks")
        assert returned == expected, f"cursor={cursor}&limit={limit}: {returned[:5]} …, not {expected[:5]} …"

    if len(first_page) >= 90:
        check(60, 30)
    for_all(check, 20, cursor=st.integers(0, 70), limit=st.integers(1, 30))


@clause("GETFLOW-PAGE-4")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_activities_need_no_cursor(api: Api, versioning: int) -> None:
    """The first request for activities is served without a cursor."""
    send(api, ACTIVITIES, "list", query={"cursor": 0}, versioning=versioning)  # shows whether the target has the path
    accepted_body(api, send(api, ACTIVITIES, "list", versioning=versioning), "GETFLOW-PAGE-4")


@clause("GETFLOW-PAGE-5")
@pytest.mark.parametrize("kind", [kind for kind in CREATABLE_KINDS if kind.supports("update")], ids=str)
def test_the_latest_activity_comes_first(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """The activity about a new record is listed before all earlier activities."""
    before = _page_ids(api, ACTIVITIES, "GETFLOW-PAGE-5")
    created = factory.create(kind)
    activities = page_records(api, send(api, ACTIVITIES, "list"), ACTIVITIES, "GETFLOW-PAGE-5")
    about = (created["id"], kind.singular)
    own_positions = [
        position
        for position, activity in enumerate(activities)
        if (activity["target_id"], activity["target_type"]) == about
    ]
    assert own_positions, f"nothing about the new {kind.singular} {created['id']} among {len(activities)} activities"
    earlier_positions = [
        position for position, activity in enumerate(activities) if record_identity(activity) in before
    ]
    assert not earlier_positions or min(own_positions) < min(earlier_positions), "an earlier activity comes first"


@clause("GETFLOW-PAGE-5")
def test_activities_go_back_in_time(api: Api, factory: RecordFactory) -> None:
    """No activity is later than the one before it, from page to page, whatever the page size."""
    factory.create(LISTS)

    def check(limit: int) -> None:
        previous, compared = None, 0
        for number, (_, activities) in enumerate(pages(api, ACTIVITIES, {"limit": limit}, clause="GETFLOW-PAGE-5")):
            for activity in activities:
                moment = instant(activity.get("created_at"))
                if moment and previous:
                    compared += 1
                    assert moment <= previous, (
                        f"activity {activity.get('id')} of {moment} comes after one of {previous}"
                    )
                previous = moment or previous
            if number >= 5:
                break
        if not compared:
            raise MissingPrecondition("there are no two activities with a time")

    for_all(check, 6, limit=st.integers(2, 60))


@pytest.mark.bug_kind("links and mail")
@clause("GETFLOW-PAGE-6")
def test_a_page_links_to_the_next_one(api: Api, readings: ObservedReadings) -> None:
    """Every page except the last has a Link with rel="next", an absolute URL and its cursor."""
    without_link, with_link = [], []
    for kind in KINDS:
        for versioning in VERSIONINGS:
            first = send(api, kind, "list", query={"limit": 3}, versioning=versioning)
            count = len(page_records(api, first, kind, "GETFLOW-PAGE-6"))
            for limit in (limit for limit in (1, 2) if limit < count):
                exchange = send(api, kind, "list", query={"limit": limit}, versioning=versioning)
                records = page_records(api, exchange, kind, "GETFLOW-PAGE-6")
                header = link_header(exchange)
                if not header:
                    without_link.append(kind)
                    continue
                with_link.append(kind)
                _assert_next_link(api, exchange, header, records, kind, readings)
    if not with_link and not without_link:
        raise MissingPrecondition("no list has three records")
    if without_link and set(with_link) == {ACTIVITIES} and readings.is_allowed("GETFLOW-AMB-13", "activities"):
        readings.record_meaning("GETFLOW-AMB-13", "activities")
        return
    assert not without_link, f"no Link on a page of {', '.join(sorted({str(kind) for kind in without_link}))}"
    readings.record_meaning("GETFLOW-AMB-13", "all")


def _assert_next_link(
    api: Api, exchange: Exchange, header: str, records: list[Record], kind: RecordKind, readings: ObservedReadings
) -> None:
    """Asserts that a Link header is valid and leads to further records."""
    is_bare = "<" not in header and "://" in header
    readings.observe("GETFLOW-AMB-17", bare=is_bare, rfc8288=not is_bare)
    url = next_url(exchange)
    assert url is not None, f'{kind}: no rel="next" in {header}'
    assert re.match(r"(?i:https?)://[^/?#]+", url), f"{kind}: {url}"
    assert "cursor" in query_parameters(url), f"{kind}: {url}"
    next_page = follow_link(api, exchange, url)
    repeated = set(_ids(records)) & set(_ids(page_records(api, next_page, kind, "GETFLOW-PAGE-6")))
    assert not repeated, f"{kind}: repeated on the page behind the link: {sorted(repeated, key=str)[:5]}"


@clause("GETFLOW-PAGE-10")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_linked_page_has_records(api: Api, readings: ObservedReadings, kind: RecordKind) -> None:
    """Whatever page a Link names has records, also behind a full one; the last page has no Link, or none with
    rel="next".
    """
    count = sum(len(records) for _, records in pages(api, kind, {"limit": MAXIMUM}, clause="GETFLOW-PAGE-10"))
    if not count:
        raise MissingPrecondition(f"the organisation has no {kind}")
    limits = range(min(count, MAXIMUM), max(1, count // FEW_PAGES) - 1, -1)
    full_last_page = next((limit for limit in limits if count % limit == 0), MAXIMUM)
    for limit in {MAXIMUM, full_last_page}:
        link = ""
        for exchange, records in pages(api, kind, {"limit": limit}, clause="GETFLOW-PAGE-10"):
            assert records, f"limit={limit}: {link or 'the first page'} has no {kind}"
            link = next_url(exchange) or ""
    has_link = bool(link_header(exchange))
    readings.observe("GETFLOW-AMB-16", absent=not has_link, without_next=has_link)


@clause("GETFLOW-PAGE-9")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_page_has_more_than_100_records(api: Api, readings: ObservedReadings, kind: RecordKind) -> None:
    """A limit above 100 is read as 100, or refused by its name."""

    def check(limit: int) -> None:
        exchange = send(api, kind, "list", query={"limit": limit})
        check_documented(api, exchange, "GETFLOW-PAGE-9")
        count = len(page_records(api, exchange, kind, "GETFLOW-PAGE-9")) if is_success(exchange) else 0
        assert count <= MAXIMUM, f"{count} records with a limit of {limit}"
        _check_refused_limit(api, exchange)
        readings.observe("GETFLOW-AMB-15", clamped=is_success(exchange), refused=not is_success(exchange))
        if is_success(exchange) and count < MAXIMUM and next_url(exchange) is None:
            raise MissingPrecondition(f"the organisation has fewer than {MAXIMUM} {kind}")

    for_all(check, 6, limit=st.integers(101, 10**6))


@clause("GETFLOW-PAGE-1")
def test_a_limit_below_1_is_raised_or_refused(api: Api) -> None:
    """A limit below 1 is read as 1, or refused by its name."""

    def check(kind: RecordKind, limit: int) -> None:
        exchange = send(api, kind, "list", query={"limit": limit})
        check_documented(api, exchange, "GETFLOW-PAGE-1")
        if is_success(exchange):
            assert len(page_records(api, exchange, kind, "GETFLOW-PAGE-1")) <= 1, (
                f"limit={limit}: {response_text(exchange)}"
            )
        _check_refused_limit(api, exchange)

    for_all(check, 12, kind=st.sampled_from(KINDS), limit=st.integers(-1000, 0))


def _check_refused_limit(api: Api, exchange: Exchange) -> None:
    """Raises ContractViolation when the response is a refusal that does not name the limit."""
    reported = codes_and_attributes(exchange)
    if not is_success(exchange) and ("invalid_attribute", "limit") not in reported:
        raise violation(api, "GETFLOW-ERR-11", "invalid_attribute for limit", response_text(exchange), exchange)
