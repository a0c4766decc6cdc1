"""All endpoints work alike, and all require the organisation: document lines 2 and 46."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.cases import encode_json
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    KINDS,
    LISTS,
    TASKS,
    V2_MEDIA_TYPE,
    VERSIONINGS,
    Record,
    RecordKind,
    accepted_body,
    codes_and_attributes,
    is_success,
    json_body,
    page_records,
    permitted_operations,
    refusal_problems,
    response_text,
    send,
)
from suites.getflow.pagination import next_url
from suites.getflow.record_factory import RecordFactory
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

clause = pytest.mark.clause


@clause("GETFLOW-GEN-1")
def test_every_list_accepts_the_same_parameters(api: Api) -> None:
    """Every list accepts view, cursor and limit; a page without a next link is the last one."""

    def check(kind: RecordKind, versioning: int, limit: int) -> None:
        query = {"view": "default", "cursor": 0, "limit": limit}
        exchange = send(api, kind, "list", query=query, versioning=versioning)
        records = page_records(api, exchange, kind, "GETFLOW-GEN-1")
        assert len(records) <= limit, f"{kind}: {len(records)} records with a limit of {limit}"
        if next_url(exchange) is None:
            larger_page = send(api, kind, "list", query={**query, "limit": limit + 1}, versioning=versioning)
            count = len(page_records(api, larger_page, kind, "GETFLOW-GEN-1"))
            repeated = send(api, kind, "list", query=query, versioning=versioning)
            is_last = next_url(repeated) is None and len(json_body(repeated).get(kind.plural, [])) == len(records)
            assert count <= len(records) or not is_last, f"{kind}: no next page after {len(records)} of {count} records"

    for_all(check, 24, kind=st.sampled_from(KINDS), versioning=st.sampled_from(VERSIONINGS), limit=st.integers(1, 60))


@clause("GETFLOW-GEN-1")
def test_a_missing_organisation_is_reported_alike_everywhere(api: Api, factory: RecordFactory) -> None:
    """A missing organisation is reported with the same code and attribute on all endpoints."""
    ids = factory.ids_by_kind()
    problems_by_operation = {}
    for kind, action in permitted_operations(api):
        exchange = _send_without_organisation(api, kind, action, ids[kind], 1)
        if not is_success(exchange):
            problems_by_operation[f"{action} {kind}"] = codes_and_attributes(exchange)
    if not any(problems_by_operation.values()):
        raise MissingPrecondition("no refusal reports a problem")
    assert len({str(reported) for reported in problems_by_operation.values()}) == 1, (
        f"expected the same problem everywhere, got {problems_by_operation}"
    )


@clause("GETFLOW-ORG-1")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_tasks_are_listed_for_an_organisation(api: Api, versioning: int) -> None:
    """The list of tasks is refused without organization_id, by that name, and served with it."""
    exchange = _send_without_organisation(api, TASKS, "list", None, versioning)
    _assert_organisation_named(refusal_problems(api, exchange, "GETFLOW-ORG-1"))
    accepted_body(api, send(api, TASKS, "list", versioning=versioning), "GETFLOW-ORG-1")


@clause("GETFLOW-ORG-2")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_other_requests_need_an_organisation_or_none(
    api: Api, factory: RecordFactory, readings: ObservedReadings, versioning: int
) -> None:
    """Any other operation without organization_id is refused by that name, or served; reading with it is served."""
    ids = factory.ids_by_kind()
    for kind, action in permitted_operations(api):
        if (kind, action) == (TASKS, "list"):
            continue
        if action == "read":
            accepted_body(api, send(api, kind, "read", ids[kind], versioning=versioning), "GETFLOW-ORG-2")
        exchange = _send_without_organisation(api, kind, action, ids[kind], versioning)
        if is_success(exchange):
            readings.record_meaning("GETFLOW-AMB-35", "unneeded")
            continue
        _assert_organisation_named(refusal_problems(api, exchange, "GETFLOW-ORG-2"))
        readings.record_meaning("GETFLOW-AMB-35", "needed")


def _assert_organisation_named(reported: list[Record]) -> None:
    attributes = [problem.get("attribute") for problem in reported]
    assert "organization_id" in attributes, f"{attributes}"


@clause("GETFLOW-ORG-1")
def test_an_organisation_in_the_body_is_used_or_refused(
    api: Api, factory: RecordFactory, readings: ObservedReadings
) -> None:
    """A creation with organization_id only in its body is refused, or creates the record in that organisation."""
    required = factory.required_attributes(LISTS)
    organisation = int(api.setting("ORGANIZATION_ID"))
    body = encode_json({"organization_id": organisation, "list": required})
    exchange = send(
        api, LISTS, "create", query={"organization_id": None}, body=body, headers={"Content-Type": V2_MEDIA_TYPE}
    )
    if not is_success(exchange):
        refusal_problems(api, exchange, "GETFLOW-ORG-1")
        readings.record_meaning("GETFLOW-AMB-27", "query")
        return
    created: Record = accepted_body(api, exchange, "GETFLOW-ORG-1")["list"]
    factory.delete_later(LISTS, created["id"])
    read_list = json_body(send(api, LISTS, "read", created["id"])).get("list")
    if not isinstance(read_list, dict) or read_list.get("name") != required["name"]:
        raise violation(api, "GETFLOW-ORG-1", f"the list in organisation {organisation}", str(read_list))
    readings.record_meaning("GETFLOW-AMB-27", "body_too")


@clause("GETFLOW-ORG-1", "GETFLOW-ERR-11")
def test_an_organisation_is_a_number(api: Api, readings: ObservedReadings) -> None:
    """An organization_id that is not an integer is refused as invalid."""

    def check(kind: RecordKind, text: str) -> None:
        exchange = send(api, kind, "list", query={"organization_id": text})
        if is_success(exchange) and kind != TASKS:
            readings.record_meaning("GETFLOW-AMB-35", "unneeded")
            return
        refusal_problems(api, exchange, "GETFLOW-ORG-1")
        reported = codes_and_attributes(exchange)
        if ("invalid_attribute", "organization_id") not in reported:
            raise violation(
                api, "GETFLOW-ERR-11", "invalid_attribute for organization_id", response_text(exchange), exchange
            )

    letters = st.text(st.characters(categories=("L", "S")), min_size=1, max_size=10)
    for_all(check, 15, kind=st.sampled_from(KINDS), text=letters | st.sampled_from(["5.2", "5e1", "52x", "[52]"]))


def _send_without_organisation(
    api: Api, kind: RecordKind, action: str, identifier: object, versioning: int
) -> Exchange:
    attributes = {"name": "never kept"} if action in ("create", "update") else None
    return send(
        api, kind, action, identifier, query={"organization_id": None}, attributes=attributes, versioning=versioning
    )
