"""The media type of request bodies: document lines 11 to 17."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.cases import encode_json
from fixtures.target_api import Api
from suites.getflow.client import (
    CREATABLE_KINDS,
    LISTS,
    READ_OPERATIONS,
    TASKS,
    V2_MEDIA_TYPE,
    VERSIONINGS,
    WORKSPACES,
    RecordKind,
    accepted_body,
    is_success,
    json_body,
    refusal_problems,
    require_success,
    response_text,
    send,
    single_record,
)
from suites.getflow.pagination import all_records, first_page
from suites.getflow.record_factory import RecordFactory
from suites.getflow.strategies import NAMES
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

clause = pytest.mark.clause
NAMED_KINDS = (TASKS, LISTS, WORKSPACES)


def _send_unlabelled(
    api: Api, kind: RecordKind, action: str, identifier: object, attributes: object, versioning: int
) -> Exchange:
    return send(api, kind, action, identifier, body=encode_json({kind.singular: attributes}), versioning=versioning)


@clause("GETFLOW-CT-1")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_a_creation_without_content_type_creates_nothing(api: Api, factory: RecordFactory, versioning: int) -> None:
    """On every endpoint a creation without Content-Type is refused, and no record is created."""
    for kind in CREATABLE_KINDS:
        attributes = factory.required_attributes(kind)
        exchange = _send_unlabelled(api, kind, "create", None, attributes, versioning)
        assert not is_success(exchange), f"{kind}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-CT-1")
        if kind in NAMED_KINDS:
            names = {row.get("name") for row in all_records(api, kind)}
            assert attributes["name"] not in names, f"{kind}: refused, but a record with that name exists"
    nameless = [
        row["id"] for kind in NAMED_KINDS for row in all_records(api, kind) if row.get("name", "-") in ("", None)
    ]
    assert not nameless, f"records without a name exist: {nameless[:5]}"


@clause("GETFLOW-CT-1")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_an_update_without_content_type_changes_nothing(api: Api, factory: RecordFactory, versioning: int) -> None:
    """An update without Content-Type is refused, and the record stays as it was."""
    for kind in NAMED_KINDS:
        created = factory.create(kind)
        exchange = _send_unlabelled(api, kind, "update", created["id"], {"name": "changed"}, versioning)
        assert not is_success(exchange), f"{kind}: {response_text(exchange)}"
        refusal_problems(api, exchange, "GETFLOW-CT-1")
        after = single_record(api, send(api, kind, "read", created["id"]), kind, "GETFLOW-CT-1")
        assert after["name"] == created["name"], f"{kind}: refused, but the record has changed"


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED_KINDS, ids=str)
def test_a_record_is_renamed_to_any_name(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A record that is renamed to any name is returned with it, in the response and when it is read again."""
    created = factory.create(kind, "GETFLOW-CT-2")

    def check(name: str, versioning: int) -> None:
        exchange = send(api, kind, "update", created["id"], attributes={"name": name}, versioning=versioning)
        _assert_named(api, exchange, kind, name)
        _assert_named(api, send(api, kind, "read", created["id"], versioning=versioning), kind, name)

    for_all(check, 15, name=NAMES, versioning=st.sampled_from(VERSIONINGS))


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED_KINDS, ids=str)
def test_a_record_is_created_with_any_name(api: Api, factory: RecordFactory, kind: RecordKind) -> None:
    """A created record has the name that was sent, whatever its characters."""
    required = factory.required_attributes(kind)
    plain = send(api, kind, "create", attributes=required, headers={"Content-Type": "application/json"})
    if is_success(plain):  # so the target knows these attributes
        factory.delete_later(kind, single_record(api, plain, kind, "GETFLOW-REC-1")["id"])

    def check(name: str) -> None:
        exchange = send(api, kind, "create", attributes={**required, "name": name})
        _assert_named(api, exchange, kind, name)
        identifier = json_body(exchange)[kind.singular]["id"]
        factory.delete_later(kind, identifier)
        _assert_named(api, send(api, kind, "read", identifier), kind, name)

    for_all(check, 8, name=NAMES)


def _assert_named(api: Api, exchange: Exchange, kind: RecordKind, name: str) -> None:
    require_success(api, exchange, "GETFLOW-CT-2")
    received = single_record(api, exchange, kind, "GETFLOW-CT-2")["name"]
    assert received == name, f"sent {name!r}, received {received!r}"


@clause("GETFLOW-CT-3")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_reading_needs_no_content_type(api: Api, versioning: int) -> None:
    """Every list and every single record is served to a request without Content-Type."""
    for kind, action in READ_OPERATIONS:
        identifier = first_page(api, kind, "GETFLOW-CT-3", limit=1)[0]["id"] if action == "read" else None
        exchange = send(api, kind, action, identifier, versioning=versioning)
        assert "content-type" not in {name.lower() for name, _ in exchange.request.headers}
        accepted_body(api, exchange, "GETFLOW-CT-3")


@clause("GETFLOW-CT-3")
@pytest.mark.parametrize("versioning", VERSIONINGS, ids=["Accept", "prefix"])
def test_deleting_needs_no_content_type(api: Api, factory: RecordFactory, versioning: int) -> None:
    """A record of every kind is deleted by a request without Content-Type."""
    for kind in CREATABLE_KINDS:
        labelled, created = factory.create(kind), factory.create(kind)
        headers = {"Content-Type": V2_MEDIA_TYPE}  # shows whether the target has the path
        send(api, kind, "delete", labelled["id"], headers=headers, versioning=versioning)
        accepted_body(api, send(api, kind, "delete", created["id"], versioning=versioning), "GETFLOW-CT-3")


@clause("GETFLOW-CT-3")
def test_a_patch_is_refused_or_served_completely(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """PATCH is documented on no endpoint: it is refused, or changes the record as PUT does."""
    created = factory.create(LISTS)
    path = f"/v2/lists/{created['id']}"
    query = {"organization_id": api.setting("ORGANIZATION_ID")}
    exchange = api.request("PATCH", path, query=query, json={"list": {"name": "patched"}})
    name = single_record(api, send(api, LISTS, "read", created["id"]), LISTS, "GETFLOW-CT-3")["name"]
    readings.one_of(
        "GETFLOW-AMB-26",
        unneeded=400 <= exchange.response.status < 500 and name == created["name"],
        open=is_success(exchange) and name == "patched",
    )


@clause("GETFLOW-CT-2")
@pytest.mark.parametrize("kind", NAMED_KINDS, ids=str)
def test_plain_json_is_parsed_or_refused(
    api: Api, factory: RecordFactory, readings: ObservedReadings, kind: RecordKind
) -> None:
    """A body labelled application/json is read like the versioned type, or refused."""
    created = factory.create(kind)
    headers = {"Content-Type": "application/json"}
    exchange = send(api, kind, "update", created["id"], attributes={"name": "Żółw 亀"}, headers=headers)
    name = single_record(api, send(api, kind, "read", created["id"]), kind, "GETFLOW-CT-2")["name"]
    readings.one_of(
        "GETFLOW-AMB-11",
        parsed=is_success(exchange) and name == "Żółw 亀",
        refused=400 <= exchange.response.status < 500 and name == created["name"],
    )


@clause("GETFLOW-CT-1")
def test_a_body_with_another_label_is_parsed_or_refused(api: Api, factory: RecordFactory) -> None:
    """A body with any other label is read as JSON or refused; it is never stored in part."""
    created = factory.create(TASKS)

    def check(label: str) -> None:
        exchange = send(
            api, TASKS, "update", created["id"], attributes={"name": label}, headers={"Content-Type": label}
        )
        name = single_record(api, send(api, TASKS, "read", created["id"]), TASKS, "GETFLOW-CT-1")["name"]
        if is_success(exchange) != (name == label) or exchange.response.status >= 500:
            raise violation(
                api, "GETFLOW-CT-1", "parsed or refused", f"{response_text(exchange)}; the name is {name!r}", exchange
            )

    labels = ["text/plain", "text/html", "application/xml", "application/octet-stream", "image/png", "text/json"]
    for_all(check, 8, label=st.sampled_from(labels))
