"""The comparison of transports sees a difference in any one member of any answer on any one transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from contracts.exchange import Exchange
from fixtures.api import Api
from fixtures.transports import TRANSPORTS, Transport
from suites.bitvis.dialect import ADDRESS
from suites.bitvis.lockstep import OWN, Side, Step, sides, together
from suites.bitvis.selections import equal, group, having
from suites.blame import ContractBroken
from suites.prove.apis import in_process

HERE = [name for name in TRANSPORTS if name != "deepstream"]  # there is no engine in process
ASKED = {
    "success": Step("OPEN", ADDRESS, objectid=OWN),
    "refusal": Step("OPEN", ADDRESS, objectid="no id at all"),
    "change": Step("UPDATE", ADDRESS, objectid=OWN, data={"streetNumber": 7}),
    "list": Step("LIST", ADDRESS, parameters=having(group(equal("city", OWN)))),
    "run": Step("RUN", ADDRESS, objectid=OWN, data={"method": "normalise"}),
    "index": Step("INDEX", ADDRESS, objectid=OWN),
    "deletion": Step("DELETE", ADDRESS, objectid=OWN),
}
NEW = {"city": OWN, "streetName": f"{OWN} väg", "streetNumber": 4, "countryCode": "SE", "latitude": -76.4406}
Member = tuple[str | int, ...]  # where a member stands in an answer


@dataclass
class Altering:
    """A transport whose answers are altered on their way."""

    inner: Transport
    alter: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        return self.inner.name

    def call(self, *parts: Any, credentials: str = "token") -> Exchange:
        exchange = self.inner.call(*parts, credentials=credentials)
        if self.alter is None:
            return exchange
        body = json.dumps(self.alter(exchange.answer.json())).encode()
        return replace(exchange, answer=replace(exchange.answer, body=body))

    def can(self, *parts: Any, credentials: str = "token") -> bool:
        return self.inner.can(*parts, credentials=credentials)

    def close(self) -> None:
        self.inner.close()


def members(value: Any, here: Member = ()) -> Iterator[Member]:
    """Every member of an answer, however deep."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*here, name)
            yield from members(inner, (*here, name))


def altered(where: Member, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What changes that member of an answer, or leaves it out when the change gives None."""

    def alter(answer: Any) -> Any:
        holder = answer
        for name in where[:-1]:
            holder = holder[name]
        new = change(holder[where[-1]])
        if new is None:
            del holder[where[-1]]
        else:
            holder[where[-1]] = new
        return answer

    return alter


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    return {**value, "more": 1} if isinstance(value, dict) else [*value, "more"]


CHANGES = {
    "other": other,
    "type": lambda value: 1 if isinstance(value, str) else f"{value}",
    "gone": lambda _: None,
}


def prepared(api: Api) -> list[Side]:
    """A side for each transport, with one object each, its transport ready to be altered."""
    found = sides(api)
    for side in found:
        side.transport = Altering(side.transport)
    together(api, found, Step("CREATE", ADDRESS, data=NEW))
    return found


def test_equal_answers_are_equal() -> None:
    api = in_process("bitvis")
    found = prepared(api)
    for step in ASKED.values():
        together(api, found, step)
    assert [side.transport.name for side in found] == HERE


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "step"), [pair for pair in product(HERE, ASKED) if pair != ("path", "list")])
def test_a_difference_in_one_member_is_seen(name: str, step: str, change: str) -> None:
    """Whichever member of the answer it is; one that breaks the contract as well is blamed by the contract."""
    everywhere = list(members(_answer(step)))
    assert everywhere
    for where in everywhere:
        api = in_process("bitvis")
        found = prepared(api)
        (side,) = [one for one in found if one.transport.name == name]
        assert isinstance(side.transport, Altering)
        side.transport.alter = altered(where, CHANGES[change])
        with pytest.raises(AssertionError):
            together(api, found, ASKED[step])


def _answer(step: str) -> Any:
    """What that step is answered."""
    api = in_process("bitvis")
    together(api, prepared(api), ASKED[step])
    return api.exchanges[-1].answer.json()


def test_both_exchanges_are_shown() -> None:
    api = in_process("bitvis")
    found = prepared(api)
    side = found[-1]
    assert isinstance(side.transport, Altering)
    side.transport.alter = altered(("data", "streetName"), other)
    with pytest.raises(ContractBroken) as blamed:
        together(api, found, ASKED["success"])
    text = str(blamed.value)
    assert len(blamed.value.exchanges) == 2
    assert f"by {side.transport.name}:" in text
    assert "by websocket:" in text
    assert api.secrets
    assert not [secret for secret in api.secrets if secret in text]
