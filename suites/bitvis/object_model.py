"""A model of bitvis' objects, and a state machine that compares it with the server after any calls.

Rule: the model knows the document and nothing else. It follows the objects that it created; other objects on the server
are left alone and never counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fixtures.target_api import Api
from fixtures.transports import ABSENT, Transport
from fixtures.transports import transport as transport_of
from suites.bitvis.client import ADDRESS, DEVICE, KINDS, ObjectKind, Record, checked_envelope, envelope_text, ids
from suites.bitvis.list_oracle import (
    condition,
    condition_group,
    filtered_by,
    fulfils,
    numeric_values,
    page_of,
    sorted_by,
)
from suites.reporting.failures import violation

TEXTS = st.sampled_from(["", "a", "B", "10", "9", "Övre Åkerallén", "x" * 40])
PLAIN_TEXTS = ("", "a", "B", "10", "9")  # behind the marker; a target may refuse others
NUMBERS = st.integers(0, 12)
NUMBER = "streetNumber"


@dataclass
class ModelObject:
    """An object that the machine created, and its members as far as they are known."""

    kind: ObjectKind
    id: str
    members: Record = field(default_factory=dict)


class ObjectStateMachine(RuleBasedStateMachine):
    """Calls in any order over one transport; each response is compared with what the model expects."""

    objects = Bundle("objects")
    deleted = Bundle("deleted")

    def __init__(self, api: Api, transport: Transport) -> None:
        super().__init__()
        self.api = api
        self.transport = transport
        # for calls that the transport cannot carry, such as LIST by path
        self.header_transport = transport_of(api, "header")
        self.marker = api.unique_text("model-")
        self.existing: dict[str, ModelObject] = {}

    @rule(target=objects, kind=st.sampled_from(KINDS), text=st.sampled_from(PLAIN_TEXTS), number=NUMBERS)
    def create(self, kind: ObjectKind, text: str, number: int) -> ModelObject:
        """A new object opens with what was sent, and its id belongs to no other object."""
        data: Record = {**kind.default_data, kind.text_member: self.marker + text}
        if kind is ADDRESS:
            data |= {"city": self.marker, NUMBER: number}
        created = self._assert_success("BITVIS-METH-CREATE-1", self._envelope("CREATE", kind, data=data))
        identifier = created["id"]
        self._require(
            "BITVIS-METH-CREATE-1",
            identifier not in self.existing,
            "an id of its own",
            f"{identifier}, which another object has",
        )
        model_object = self.existing[identifier] = ModelObject(kind, identifier, data)
        opened = self._open_and_compare(model_object, "BITVIS-METH-CREATE-1")
        model_object.members |= {name: opened[name] for name in ("created",) if name in opened}
        return model_object

    @rule(model_object=objects)
    def open(self, model_object: ModelObject) -> None:
        """OPEN returns the object as it was last changed."""
        self._open_and_compare(model_object, "BITVIS-METH-OPEN-1")

    @rule(model_object=objects)
    def index(self, model_object: ModelObject) -> None:
        """INDEX of an existing object succeeds and changes nothing."""
        self._assert_success("BITVIS-METH-INDEX-1", self._envelope("INDEX", model_object.kind, model_object.id))

    @rule(model_object=objects, text=TEXTS, number=st.none() | NUMBERS)
    def update(self, model_object: ModelObject, text: str, number: int | None) -> None:
        """UPDATE changes what was sent and keeps the rest, in its response and afterwards."""
        data: Record = {model_object.kind.text_member: self.marker + text}
        if model_object.kind is ADDRESS and number is not None:
            data = {NUMBER: number}
        envelope = self._envelope("UPDATE", model_object.kind, model_object.id, data=data)
        if text not in PLAIN_TEXTS and envelope["success"] is False:
            return  # which texts are accepted is not said
        updated = self._assert_success("BITVIS-METH-UPDATE-1", envelope)
        model_object.members |= data
        self._compare(model_object, updated, "BITVIS-UPD-1")
        self._open_and_compare(model_object, "BITVIS-METH-UPDATE-1")

    @rule(
        model_object=objects,
        method_and_clause=st.sampled_from([("UPDATE", "BITVIS-METH-UPDATE-3"), ("RUN", "BITVIS-METH-RUN-3")]),
    )
    def change_without_data(self, model_object: ModelObject, method_and_clause: tuple[str, str]) -> None:
        """A change without data is refused and changes nothing."""
        method, clause = method_and_clause
        self._assert_failure(clause, self._envelope(method, model_object.kind, model_object.id))
        self._open_and_compare(model_object, clause)

    @rule(model_object=objects)
    def run(self, model_object: ModelObject) -> None:
        """RUN of a method that the endpoint offers succeeds, and the object stays the same."""
        name = self.api.target.settings.get(f"{model_object.kind.name.upper()}_METHOD")
        if name:
            self._assert_success(
                "BITVIS-METH-RUN-1", self._envelope("RUN", model_object.kind, model_object.id, data={"method": name})
            )
            self._open_and_compare(model_object, "BITVIS-METH-RUN-1")

    @rule(target=deleted, model_object=consumes(objects))
    def delete(self, model_object: ModelObject) -> ModelObject:
        """DELETE of an existing object succeeds."""
        self._assert_success("BITVIS-METH-DELETE-1", self._envelope("DELETE", model_object.kind, model_object.id))
        del self.existing[model_object.id]
        return model_object

    @rule(model_object=deleted, method=st.sampled_from(["OPEN", "UPDATE", "DELETE"]))
    def access_deleted(self, model_object: ModelObject, method: str) -> None:
        """No method knows an object that was deleted."""
        data = {model_object.kind.text_member: self.marker} if method == "UPDATE" else ABSENT
        envelope = self._assert_failure(
            "BITVIS-METH-DELETE-1", self._envelope(method, model_object.kind, model_object.id, data=data)
        )
        code, clause = envelope.get("errorcode"), "BITVIS-RESP-7" if method == "OPEN" else "BITVIS-RESP-11"
        self._require(clause, code == "DO_NOT_EXIST", "the code DO_NOT_EXIST", json.dumps(code))

    @rule(number=st.none() | NUMBERS, sorting=st.booleans(), size=st.none() | st.integers(1, 4))
    def list(self, number: int | None, sorting: bool, size: int | None) -> None:
        """LIST returns what the filter selects, counts it before pagination, and sorts it by value."""
        tree = condition_group(subgroups=[condition_group(condition("city", self.marker))])
        if number is not None:
            tree["items"].append(condition(NUMBER, number))
        expected = {
            model_object.id: model_object
            for model_object in self.existing.values()
            if model_object.kind is ADDRESS and fulfils(tree, model_object.members)
        }
        parameters = {**filtered_by(tree), **(sorted_by(NUMBER) if sorting else {}), **(page_of(size) if size else {})}
        envelope = self._envelope("LIST", ADDRESS, parameters=parameters)
        if number is not None and envelope["success"] is False:
            return  # that other members and other groups filter is not said (BITVIS-FILT-3, BITVIS-FILT-4)
        records = self._assert_success("BITVIS-PARAM-3", envelope)
        listed_ids, page_size = ids(records), min(size or len(expected), len(expected))
        self._require(
            "BITVIS-FILT-1",
            set(listed_ids) <= set(expected),
            f"only ids of {sorted(expected)}",
            envelope_text({"ids": listed_ids}),
        )
        self._require(
            "BITVIS-PAGE-2", envelope["count"] == len(expected), f"a count of {len(expected)}", str(envelope["count"])
        )
        self._require(
            "BITVIS-PAGE-1", len(listed_ids) <= page_size, f"{page_size} objects", f"{len(listed_ids)} objects"
        )
        self._require(
            "BITVIS-FILT-1",
            len(set(listed_ids)) == page_size,
            f"{page_size} different objects",
            envelope_text({"ids": listed_ids}),
        )
        for record in records:
            self._compare(expected[record["id"]], record, "BITVIS-METH-LIST-1")
        if sorting:
            smallest = sorted(model_object.members[NUMBER] for model_object in expected.values())[:page_size]
            street_numbers = numeric_values(records, NUMBER)
            self._require("BITVIS-SORT-1", street_numbers == smallest, f"the numbers {smallest}", str(street_numbers))

    @rule(text=TEXTS)
    def list_devices_by_name(self, text: str) -> None:
        """A filter by name selects the devices with that name and no other."""
        name = self.marker + text
        tree = condition_group(subgroups=[condition_group(condition("name", name))])
        envelope = self._envelope("LIST", DEVICE, parameters=filtered_by(tree))
        if envelope["success"] is False:
            return  # that devices can be filtered is not said (BITVIS-FILT-3)
        records = envelope["data"]
        expected = sorted(
            model_object.id
            for model_object in self.existing.values()
            if model_object.kind is DEVICE and model_object.members["name"] == name
        )
        listed_ids = sorted(map(str, ids(records)))
        self._require("BITVIS-FILT-1", listed_ids == expected, f"the devices {expected}", str(listed_ids))

    @invariant()
    def all_objects_are_unchanged(self) -> None:
        """After every step, all objects are as the calls about them left them."""
        for model_object in self.existing.values():
            self._open_and_compare(model_object, "BITVIS-METH-UPDATE-1")

    def teardown(self) -> None:
        """Deletes the objects that are left."""
        for model_object in self.existing.values():
            self.transport.call(model_object.kind.endpoint, "DELETE", model_object.id)

    def _envelope(
        self, method: str, kind: ObjectKind, objectid: Any = ABSENT, parameters: Any = ABSENT, data: Any = ABSENT
    ) -> Record:
        """The envelope of the response to this call, judged by the contract."""
        parts = (method, objectid, ABSENT, parameters, data)
        transport = self.transport if self.transport.supports(*parts) else self.header_transport
        exchange = transport.call(kind.endpoint, *parts)
        return checked_envelope(self.api, exchange, method, kind)

    def _open_and_compare(self, model_object: ModelObject, clause: str) -> Record:
        record: Record = self._assert_success(clause, self._envelope("OPEN", model_object.kind, model_object.id))
        self._compare(model_object, record, clause)
        return record

    def _compare(self, model_object: ModelObject, record: Any, clause: str) -> None:
        """Asserts that this is the object as the model has it."""
        expected_members = {"id": model_object.id, **model_object.members}
        differing = [name for name, value in expected_members.items() if record.get(name, ABSENT) != value]
        expected, received = (
            {name: of.get(name, "(not there)") for name in differing} for of in (expected_members, record)
        )
        self._require(clause, not differing, envelope_text(expected), envelope_text(received))

    def _assert_success(self, clause: str, envelope: Record) -> Any:
        self._require(clause, envelope["success"] is True, "a success", envelope_text(envelope))
        return envelope["data"]

    def _assert_failure(self, clause: str, envelope: Record) -> Record:
        self._require(clause, envelope["success"] is False, "a refusal", envelope_text(envelope))
        return envelope

    def _require(self, clause: str, condition: bool, expected: str, received: str) -> None:
        if not condition:
            raise violation(self.api, clause, expected, received)
