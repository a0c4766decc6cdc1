"""A model of the labels below addresses, and a state machine that compares it with the server after any calls.

Rule: labels are made below addresses of the machine's own. One that is deleted takes its labels along.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import Transport
from fixtures.transports import transport as transport_of
from suites.bitvis.client import ADDRESS, Record, checked_envelope, create_object, envelope_text, ids
from suites.bitvis.public_calls import LABEL, answered, has_succeeded
from suites.reporting.failures import violation

CREATED, DELETED, LISTED = "BITVIS-CLIENT-2", "BITVIS-CLIENT-3", "BITVIS-CLIENT-1"
TEXTS = st.sampled_from(["", "a", "B", "10"])


class LabelStateMachine(RuleBasedStateMachine):
    """Labels of several addresses, made and deleted by one transport, which addresses of their own keep apart."""

    addresses = Bundle("addresses")
    labels = Bundle("labels")

    def __init__(self, api: Api, transport: Transport) -> None:
        super().__init__()
        self.api = api
        self.transport = transport
        self.header_transport = transport_of(api, "header")  # for what the transport cannot carry
        self.labels_of: dict[str, set[str]] = {}

    @rule(target=addresses)
    def create_address(self) -> str:
        """A new address has no labels."""
        address = str(create_object(self.api, ADDRESS)["id"])
        self.labels_of[address] = set()
        return address

    @rule(target=labels, address=addresses, text=TEXTS)
    def create_label(self, address: str, text: str) -> Any:
        """A new label has an id of its own."""
        if address not in self.labels_of:
            return multiple()
        data = {"name": self.api.unique_text("label-") + text}
        created = self._success(CREATED, self._call("CREATE", address, data))
        identifier = str(created["id"])
        others = set().union(*self.labels_of.values())
        self._require(CREATED, identifier not in others, "an id of its own", identifier)
        self.labels_of[address].add(identifier)
        return address, identifier

    @rule(label=consumes(labels))
    def delete_label(self, label: tuple[str, str]) -> None:
        """DELETE with the id of the address and data that name the label succeeds."""
        address, identifier = label
        if address in self.labels_of:
            self._success(DELETED, self._call("DELETE", address, {"label_id": identifier}))
            self.labels_of[address].discard(identifier)

    @rule(label=labels, address=addresses)
    def delete_label_of_another_address(self, label: tuple[str, str], address: str) -> None:
        """DELETE with the id of another address leaves the label where it is."""
        owner, identifier = label
        if address != owner and address in self.labels_of:
            self._call("DELETE", address, {"label_id": identifier})

    @rule(address=consumes(addresses))
    def delete_address(self, address: str) -> None:
        """An address that is deleted has no list of labels with a label in it."""
        self._delete(address)
        del self.labels_of[address]
        envelope = self._call("LIST", address)
        self._require(LISTED, not envelope.get("data"), "no labels of a deleted address", envelope_text(envelope))

    @invariant()
    def every_address_has_its_labels(self) -> None:
        """After every step the list of each address has its labels, and the address is there."""
        for address, expected in self.labels_of.items():
            records = self._success(LISTED, self._call("LIST", address))
            received = sorted(map(str, ids(records)))
            clause = DELETED if len(received) < len(expected) else CREATED
            self._require(clause, received == sorted(expected), f"the labels {sorted(expected)}", str(received))
            opened = checked_envelope(self.api, self.transport.call(ADDRESS.endpoint, "OPEN", address), "OPEN")
            self._require(DELETED, opened["success"] is True, "the address that had the label", envelope_text(opened))

    def teardown(self) -> None:
        """Deletes the addresses that are left, and their labels with them."""
        for address in self.labels_of:
            self._delete(address)

    def _delete(self, address: str) -> None:
        self.header_transport.call(ADDRESS.endpoint, "DELETE", address)

    def _call(self, method: str, address: str, data: Any = None) -> Record:
        """The envelope of the response."""
        return answered(self.transport, method, LABEL, address, **({} if data is None else {"data": data}))

    def _success(self, clause: str, envelope: Record) -> Any:
        self._require(clause, envelope["success"] is True, "a success", envelope_text(envelope))
        return envelope["data"]

    def _require(self, clause: str, condition: bool, expected: str, received: str) -> None:
        if not condition:
            raise violation(self.api, clause, expected, received)


def require_labels(api: Api, transport: Transport) -> None:
    """Tries a label of an address once. Raises MissingPrecondition where none is made, or deleted, as we do it.

    A target may hold DELETE to its verb (BITVIS-AMB-11), which carries no data. A label that is lost is tested.
    """
    if not api.target.writes:
        raise MissingPrecondition(api.target.read_only_reason())
    address = create_object(api, ADDRESS)["id"]
    try:
        created = transport.call(LABEL.endpoint, "CREATE", address, data={"name": api.unique_text("label-")})
        if not has_succeeded(created):
            raise MissingPrecondition(f"CREATE at {LABEL.endpoint} is not served by {transport.name} (BITVIS-AMB-53)")
        label = created.response.json()["data"]["id"]
        is_there = label in ids(answered(transport, "LIST", LABEL, address).get("data") or [])
        deleted = transport.call(LABEL.endpoint, "DELETE", address, data={"label_id": label})
        if is_there and not has_succeeded(deleted):
            raise MissingPrecondition(f"DELETE at {LABEL.endpoint} is not served by {transport.name} (BITVIS-AMB-53)")
    finally:
        transport_of(api, "header").call(ADDRESS.endpoint, "DELETE", address)
