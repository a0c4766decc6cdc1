"""What bitvis' objects should be after any calls: a model of its own, and a machine that compares it with the server.

Rule: the model knows what the document says and nothing else. It follows the objects that it has made; whatever else
is on the server is left alone and never counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fixtures.api import Api
from fixtures.transports import ABSENT, Transport
from fixtures.transports import transport as transport_of
from suites.bitvis.dialect import ADDRESS, DEVICE, KINDS, Kind, Record, envelope, ids, told
from suites.bitvis.selections import by, equal, group, having, holds, numbers, page
from suites.blame import broken

TEXTS = st.sampled_from(["", "a", "B", "10", "9", "Övre Åkerallén", "x" * 40])
NUMBERS = st.integers(0, 12)
NUMBER = "streetNumber"


@dataclass
class Thing:
    """An object that this machine has made: its members as far as we know them, and whether it was deleted."""

    kind: Kind
    id: str
    members: Record = field(default_factory=dict)


class Machine(RuleBasedStateMachine):
    """Calls in any order over one transport; each answer is compared with what the model expects."""

    things = Bundle("things")
    gone = Bundle("gone")

    def __init__(self, api: Api, transport: Transport) -> None:
        super().__init__()
        self.api = api
        self.transport = transport
        self.plain = transport_of(api, "header")  # for what the transport has no place for, such as LIST by path
        self.marker = api.unique("model-")
        self.there: dict[str, Thing] = {}

    @rule(target=things, kind=st.sampled_from(KINDS), text=TEXTS, number=NUMBERS)
    def create(self, kind: Kind, text: str, number: int) -> Thing:
        """A new object can be opened with what was sent; its id is no other's."""
        data: Record = {**kind.data, kind.text: self.marker + text}
        if kind is ADDRESS:
            data |= {"city": self.marker, NUMBER: number}
        new = self._succeeds("BITVIS-METH-CREATE-1", self._say("CREATE", kind, data=data))
        identifier = new["id"]
        self._must("BITVIS-METH-CREATE-1", identifier not in self.there, "an id of its own", f"{identifier} again")
        thing = self.there[identifier] = Thing(kind, identifier, data)
        opened = self._opened(thing, "BITVIS-METH-CREATE-1")
        thing.members |= {name: opened[name] for name in ("created",) if name in opened}
        return thing

    @rule(thing=things)
    def open(self, thing: Thing) -> None:
        """OPEN gives the object as it was left."""
        self._opened(thing, "BITVIS-METH-OPEN-1")

    @rule(thing=things)
    def index(self, thing: Thing) -> None:
        """INDEX succeeds for what is there, and changes nothing."""
        self._succeeds("BITVIS-METH-INDEX-1", self._say("INDEX", thing.kind, thing.id))

    @rule(thing=things, text=TEXTS, number=st.none() | NUMBERS)
    def update(self, thing: Thing, text: str, number: int | None) -> None:
        """UPDATE changes what was sent and keeps the rest, in its own answer and for good."""
        data: Record = {thing.kind.text: self.marker + text}
        if thing.kind is ADDRESS and number is not None:
            data = {NUMBER: number}
        answer = self._succeeds("BITVIS-METH-UPDATE-1", self._say("UPDATE", thing.kind, thing.id, data=data))
        thing.members |= data
        self._is(thing, answer, "BITVIS-UPD-1")
        self._opened(thing, "BITVIS-METH-UPDATE-1")

    @rule(thing=things, what=st.sampled_from([("UPDATE", "BITVIS-METH-UPDATE-3"), ("RUN", "BITVIS-METH-RUN-3")]))
    def change_without_data(self, thing: Thing, what: tuple[str, str]) -> None:
        """A change without data is refused and changes nothing."""
        method, clause = what
        self._fails(clause, self._say(method, thing.kind, thing.id))
        self._opened(thing, clause)

    @rule(thing=things)
    def run(self, thing: Thing) -> None:
        """RUN of what the endpoint offers succeeds, and the object stays itself."""
        name = self.api.target.settings.get(f"{thing.kind.name.upper()}_METHOD")
        if name:
            self._succeeds("BITVIS-METH-RUN-1", self._say("RUN", thing.kind, thing.id, data={"method": name}))
            self._opened(thing, "BITVIS-METH-RUN-1")

    @rule(target=gone, thing=consumes(things))
    def delete(self, thing: Thing) -> Thing:
        """DELETE succeeds for what is there."""
        self._succeeds("BITVIS-METH-DELETE-1", self._say("DELETE", thing.kind, thing.id))
        del self.there[thing.id]
        return thing

    @rule(thing=gone, method=st.sampled_from(["OPEN", "UPDATE", "DELETE"]))
    def ask_for_what_is_gone(self, thing: Thing, method: str) -> None:
        """What was deleted is known to no method."""
        data = {thing.kind.text: self.marker} if method == "UPDATE" else ABSENT
        answer = self._fails("BITVIS-METH-DELETE-1", self._say(method, thing.kind, thing.id, data=data))
        code = answer.get("errorcode")
        self._must("BITVIS-RESP-7", code == "DO_NOT_EXIST", "the code DO_NOT_EXIST", json.dumps(code))

    @rule(number=st.none() | NUMBERS, sorting=st.booleans(), size=st.none() | st.integers(1, 4))
    def list(self, number: int | None, sorting: bool, size: int | None) -> None:
        """LIST gives what the filter leaves, counts it before the page is cut, and sorts it by value."""
        tree = group(equal("city", self.marker), *([] if number is None else [equal(NUMBER, number)]))
        wanted = {one.id: one for one in self.there.values() if one.kind is ADDRESS and holds(tree, one.members)}
        asked = {**having(tree), **(by(NUMBER) if sorting else {}), **(page(size) if size else {})}
        answer = self._say("LIST", ADDRESS, parameters=asked)
        found = self._succeeds("BITVIS-PARAM-3", answer)
        seen, most = ids(found), min(size or len(wanted), len(wanted))
        self._must("BITVIS-FILT-1", set(seen) <= set(wanted), f"none but {sorted(wanted)}", told({"ids": seen}))
        self._must("BITVIS-PAGE-2", answer["count"] == len(wanted), f"a count of {len(wanted)}", str(answer["count"]))
        self._must("BITVIS-PAGE-1", len(seen) <= most, f"{most} objects", f"{len(seen)} objects")
        self._must("BITVIS-FILT-1", len(set(seen)) == most, f"{most} different objects", told({"ids": seen}))
        for record in found:
            self._is(wanted[record["id"]], record, "BITVIS-METH-LIST-1")
        if sorting:
            smallest = sorted(one.members[NUMBER] for one in wanted.values())[:most]
            values = numbers(found, NUMBER)
            self._must("BITVIS-SORT-1", values == smallest, f"the numbers {smallest}", str(values))

    @rule(text=TEXTS)
    def list_devices_by_name(self, text: str) -> None:
        """A filter by name leaves the devices that are named so, and no other."""
        name = self.marker + text
        found = self._succeeds(
            "BITVIS-FILT-1", self._say("LIST", DEVICE, parameters=having(group(equal("name", name))))
        )
        wanted = sorted(one.id for one in self.there.values() if one.kind is DEVICE and one.members["name"] == name)
        seen = sorted(map(str, ids(found)))
        self._must("BITVIS-FILT-1", seen == wanted, f"the devices {wanted}", str(seen))

    @invariant()
    def nothing_else_has_changed(self) -> None:
        """Whatever was called, all objects are as the calls about them left them."""
        for thing in self.there.values():
            self._opened(thing, "BITVIS-METH-UPDATE-1")

    def teardown(self) -> None:
        """What is left of our objects is deleted."""
        for thing in self.there.values():
            self.transport.call(thing.kind.endpoint, "DELETE", thing.id)

    def _say(
        self, method: str, kind: Kind, objectid: Any = ABSENT, parameters: Any = ABSENT, data: Any = ABSENT
    ) -> Record:
        """The envelope that answers this call, judged by the contract."""
        parts = (method, objectid, ABSENT, parameters, data)
        by = self.transport if self.transport.can(*parts) else self.plain
        exchange = by.call(kind.endpoint, *parts)
        return envelope(self.api, exchange, method, kind)

    def _opened(self, thing: Thing, clause: str) -> Record:
        found: Record = self._succeeds(clause, self._say("OPEN", thing.kind, thing.id))
        self._is(thing, found, clause)
        return found

    def _is(self, thing: Thing, found: Any, clause: str) -> None:
        """Whether this is the object as the model has it."""
        wanted = {"id": thing.id, **thing.members}
        wrong = [name for name, value in wanted.items() if found.get(name, ABSENT) != value]
        expected, received = ({name: of.get(name, "(not there)") for name in wrong} for of in (wanted, found))
        self._must(clause, not wrong, told(expected), told(received))

    def _succeeds(self, clause: str, answer: Record) -> Any:
        self._must(clause, answer["success"] is True, "a success", told(answer))
        return answer["data"]

    def _fails(self, clause: str, answer: Record) -> Record:
        self._must(clause, answer["success"] is False, "a refusal", told(answer))
        return answer

    def _must(self, clause: str, holds: bool, expected: str, received: str) -> None:
        if not holds:
            raise broken(self.api, clause, expected, received)
