"""The same calls over several transports, step by step, and what must be equal in their answers.

Rule: each transport has objects of its own, made alike and changed alike, so that every answer may be compared with
the others'. What differs of necessity (own ids, own names, the errorid, the time) is masked by its shape, never left
out. Whoever stands alone is blamed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from contracts.exchange import Exchange, as_text
from contracts.judge import Finding
from fixtures.api import Api, Lacking
from fixtures.transports import ABSENT, TRANSPORTS, Transport, transport
from suites.bitvis.dialect import READING, Kind, Record, envelope
from suites.blame import ContractBroken, told

ABOUT = {  # whose promise it is that this transport answers as the others do
    "websocket": "BITVIS-HTTP-2",
    "deepstream": "BITVIS-HTTP-2",
    "header": "BITVIS-HTTP-2",
    "query": "BITVIS-HTTP-10",
    "path": "BITVIS-HTTP-4",
}
OWN = "{own}"  # as an object id: the side's newest object; within texts: what all texts of a side begin with
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
ERRORID = re.compile(r'"errorid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"')


@dataclass(frozen=True, repr=False)
class Step:
    """A call that every side sends in its own words; `credentials` "basic" is "token" by websocket."""

    method: str
    kind: Kind
    objectid: Any = ABSENT
    namespace: Any = ABSENT
    parameters: Any = ABSENT
    data: Any = ABSENT
    credentials: str = "token"

    def __repr__(self) -> str:
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return f"Step({', '.join(f'{name}={value!r}' for name, value in said.items() if value is not ABSENT)})"


@dataclass
class Side:
    """One transport, the ids of the objects that it has made, oldest first, and the text that marks them."""

    transport: Transport
    marker: str
    ids: list[str] = field(default_factory=list)

    def words(self, value: Any) -> Any:
        """The value with this side's object and marker in their places."""
        if value == OWN:
            return self.ids[-1] if self.ids else "00000000-0000-4000-8000-000000000000"
        if isinstance(value, dict | list):
            return json.loads(json.dumps(value).replace(OWN, self.marker))
        return value

    def masked(self, answer: Record) -> str:
        """The envelope as text, in which nothing is left that is only this side's."""
        data = answer.get("data")
        if isinstance(data, list):  # an order that nobody asked for is the server's choice
            answer = {**answer, "data": sorted(data, key=lambda one: self._hidden(json.dumps(one, sort_keys=True)))}
        return self._hidden(json.dumps(answer, sort_keys=True, ensure_ascii=False))

    def _hidden(self, text: str) -> str:
        for number, identifier in enumerate(self.ids):
            text = text.replace(identifier, f"<object {number}>")
        text = TIME.sub("<time>", text.replace(self.marker, "<own>"))
        return ERRORID.sub('"errorid": "<errorid>"', text)


def sides(api: Api) -> list[Side]:
    """A side for every transport that there is. Raises Lacking when there are fewer than two."""
    found = []
    for name in TRANSPORTS:
        try:
            found.append(Side(transport(api, name), api.unique("own-")))
        except Lacking:
            continue
    if len(found) < 2:
        raise Lacking("fewer than two transports can be used, so there is nothing to compare")
    return found


def together(api: Api, all_sides: Sequence[Side], step: Step) -> None:
    """Sends the step by every side that can carry it, and compares. Raises ContractBroken when they disagree.

    A side whose transport cannot carry a call that changes something has it sent by the first one that can, so that
    all sides stay alike.
    """
    __tracebackhide__ = True
    found: list[tuple[Side, Exchange, str]] = []
    for side in all_sides:
        carried = _can(side.transport, side, step)
        if not carried and step.method in READING:
            continue
        exchange = _sent(_carrier(side, all_sides, step), side, step)
        answer = envelope(api, exchange, step.method, step.kind)
        if step.method == "CREATE" and answer["success"] is True:
            side.ids.append(answer["data"]["id"])
        if carried:
            found.append((side, exchange, side.masked(answer)))
    _compare(api, found)


def alone(api: Api, side: Side, all_sides: Sequence[Side], step: Step) -> Record:
    """The envelope that answers the step by one side, or by the first one that can carry it; nothing is compared."""
    return envelope(api, _sent(_carrier(side, all_sides, step), side, step), step.method, step.kind)


def _carrier(side: Side, all_sides: Sequence[Side], step: Step) -> Transport:
    return next(one.transport for one in [side, *all_sides] if _can(one.transport, side, step))


def _can(by: Transport, side: Side, step: Step) -> bool:
    return by.can(*_parts(side, step), credentials=_credentials(by, step))


def _sent(by: Transport, side: Side, step: Step) -> Exchange:
    return by.call(step.kind.endpoint, *_parts(side, step), credentials=_credentials(by, step))


def _parts(side: Side, step: Step) -> tuple[Any, ...]:
    return step.method, side.words(step.objectid), step.namespace, side.words(step.parameters), side.words(step.data)


def _credentials(by: Transport, step: Step) -> str:
    return "token" if step.credentials == "basic" and by.name in ("websocket", "deepstream") else step.credentials


def _compare(api: Api, found: Sequence[tuple[Side, Exchange, str]]) -> None:
    __tracebackhide__ = True
    texts = [text for _, _, text in found]
    if len(set(texts)) < 2:
        return
    usual = Counter(texts).most_common(1)[0][0]
    most = next(one for one in found if one[2] == usual)
    odd = next(one for one in found if one[2] != usual)
    clause = ABOUT[odd[0].transport.name]
    finding = Finding(clause, f"as by {most[0].transport.name}: {usual}", _apart(usual, odd[2]), odd[1])
    shown = [f"by {side.transport.name}:\n{as_text(exchange, api.secrets)}" for side, exchange, _ in (most, odd)]
    raise ContractBroken("\n\n".join([told(finding, api.secrets), *shown]), [clause], [most[1], odd[1]])


def _apart(usual: str, odd: str) -> str:
    """What is other in an envelope: the members that differ, or all of it when members are not to blame."""
    one, other = json.loads(usual), json.loads(odd)
    names = [name for name in {**one, **other} if one.get(name, ABSENT) != other.get(name, ABSENT)]
    differing: Mapping[str, Any] = {name: other.get(name, "(not there)") for name in names}
    return json.dumps(differing, ensure_ascii=False)


def cleared(all_sides: Sequence[Side], kind: Kind) -> None:
    """Deletes the objects of that kind that the sides have made; nothing is judged."""
    for side in all_sides:
        for identifier in side.ids:
            side.transport.call(kind.endpoint, "DELETE", identifier)
        side.ids.clear()
