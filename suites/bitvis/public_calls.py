"""Calls that public clients make and the document does not have: endpoints below an object, and those of a catalogue.

Rule: whether a target serves them is a reading. A target that does not is never blamed: the tests lack a precondition.
What one of them has served once is demanded from then on.
"""

from __future__ import annotations

from typing import Any

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import ABSENT, Transport
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    ObjectKind,
    Record,
    all_objects,
    assert_success,
    bare_envelope,
    envelope_text,
    ids,
)
from suites.bitvis.list_oracle import at_least

A_TIME = "2030-06-01T23:59:00+0100"
MOST_OWNERS = 6  # objects whose collections a test lists

PORT = ObjectKind("port", "/api/inventory/inventory/device/port/", "inventory/device/port", {}, "name", ("id",))
POP_DEVICE = ObjectKind(
    "device of a point of presence", "/api/inventory/inventory/pop/device/", "inventory/pop/device", {}, "name", ("id",)
)
AGREEMENT = ObjectKind(
    "agreement", "/api/address/address/address/agreement/", "address/address/agreement", {}, "name", ("id",)
)
LABEL = ObjectKind("label", "/api/address/address/address/label/", "address/address/label", {}, "name", ("id",))
OPERATION = ObjectKind("operation", "/api/product/catalogue/operation/", "catalogue/operation", {}, "type", ("id",))
NEW_OPERATION = ObjectKind(
    "new operation", "/api/product/catalogue/operation/create/", "catalogue/operation/create", {}, "type", ("id",)
)
COLLECTIONS = (PORT, AGREEMENT, LABEL)
OWNERS = {PORT.endpoint: DEVICE, AGREEMENT.endpoint: ADDRESS, LABEL.endpoint: ADDRESS}


def answered(transport: Transport, method: str, kind: ObjectKind, objectid: Any = ABSENT, **parts: Any) -> Record:
    """The envelope of the response, a refusal too."""
    return bare_envelope(transport.call(kind.endpoint, method, objectid, **parts))


def require_served(transport: Transport, kind: ObjectKind, objectid: Any = ABSENT) -> None:
    """Raises MissingPrecondition when LIST there, with that object id, has no success."""
    if not is_served(transport, kind, objectid):
        raise MissingPrecondition(f"LIST at {kind.endpoint} is not served by {transport.name} (BITVIS-AMB-53)")


def require_creation(transport: Transport, address: str) -> None:
    """Raises MissingPrecondition when an operation cannot be made for that address, as public clients make them."""
    exchange = transport.call(NEW_OPERATION.endpoint, "CREATE", address, data={"start": A_TIME})
    if not has_succeeded(exchange):
        raise MissingPrecondition(
            f"CREATE at {NEW_OPERATION.endpoint} is not served by {transport.name} (BITVIS-AMB-53)"
        )


def is_served(transport: Transport, kind: ObjectKind, objectid: Any = ABSENT) -> bool:
    """Whether LIST there, with that object id, succeeds: another server may answer it with anything."""
    if not transport.supports("LIST", objectid):
        raise MissingPrecondition(f"LIST cannot be sent by {transport.name} without an object id")
    return has_succeeded(transport.call(kind.endpoint, "LIST", objectid))


def has_succeeded(exchange: Exchange) -> bool:
    """Whether the response is an envelope that tells a success."""
    try:
        envelope = exchange.response.json()
    except ValueError:
        return False
    return isinstance(envelope, dict) and envelope.get("success") is True


def owner_ids(api: Api, kind: ObjectKind) -> list[str]:
    """The ids of some objects that may have records of that kind. Raises MissingPrecondition when there is none."""
    return [str(identifier) for identifier in ids(at_least(all_objects(api, OWNERS[kind.endpoint]))[:MOST_OWNERS])]


def listed_below(
    transport: Transport, kind: ObjectKind, objectid: Any = ABSENT, parameters: Any = ABSENT
) -> tuple[list[Record], Record]:
    """The records of a LIST that must succeed, and its envelope."""
    envelope = answered(transport, "LIST", kind, objectid, parameters=parameters)
    records = assert_success(envelope)
    assert isinstance(records, list), f"expected a list as data, got {envelope_text(envelope)}"
    return records, envelope


def named_owners(record: Record, owners: set[str]) -> set[str]:
    """The ids of these objects that the record names in its own members."""
    return {value for value in record.values() if isinstance(value, str) and value in owners}
