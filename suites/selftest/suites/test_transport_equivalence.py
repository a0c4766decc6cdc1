"""The comparison of transports detects a difference in any one member of any response on any one transport."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from contracts.exchange import Exchange
from fixtures.target_api import Api
from fixtures.transports import TRANSPORTS, Transport
from suites.bitvis.client import ADDRESS
from suites.bitvis.equivalence import OWN_PLACEHOLDER, Step, TransportSession, compare_step, transport_sessions
from suites.bitvis.list_oracle import condition, condition_group, filtered_by
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

IN_PROCESS_TRANSPORTS = [name for name in TRANSPORTS if "deepstream" not in name]  # an engine needs sockets
STEPS = {
    "success": Step("OPEN", ADDRESS, objectid=OWN_PLACEHOLDER),
    "refusal": Step("OPEN", ADDRESS, objectid="no id at all"),
    "change": Step("UPDATE", ADDRESS, objectid=OWN_PLACEHOLDER, data={"streetNumber": 7}),
    "list": Step("LIST", ADDRESS, parameters=filtered_by(condition_group(condition("city", OWN_PLACEHOLDER)))),
    "run": Step("RUN", ADDRESS, objectid=OWN_PLACEHOLDER, data={"method": "normalise"}),
    "index": Step("INDEX", ADDRESS, objectid=OWN_PLACEHOLDER),
    "deletion": Step("DELETE", ADDRESS, objectid=OWN_PLACEHOLDER),
}
NEW_OBJECT = {
    "city": OWN_PLACEHOLDER,
    "streetName": f"{OWN_PLACEHOLDER} väg",
    "streetNumber": 4,
    "countryCode": "SE",
    "latitude": -76.4406,
}
MemberPath = tuple[str | int, ...]  # names and indexes that lead to a member of a response


@dataclass
class AlteringTransport:
    """A transport that alters its responses."""

    inner: Transport
    alter: Callable[[Any], Any] | None = None

    @property
    def name(self) -> str:
        return self.inner.name

    def call(self, *parts: Any, credentials: str = "token") -> Exchange:
        exchange = self.inner.call(*parts, credentials=credentials)
        if self.alter is None:
            return exchange
        body = json.dumps(self.alter(exchange.response.json())).encode()
        return replace(exchange, response=replace(exchange.response, body=body))

    def supports(self, *parts: Any, credentials: str = "token") -> bool:
        return self.inner.supports(*parts, credentials=credentials)

    def close(self) -> None:
        self.inner.close()


def member_paths(value: Any, path: MemberPath = ()) -> Iterator[MemberPath]:
    """The path of every member of a response, at any depth."""
    if isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, name)
            yield from member_paths(member, (*path, name))


def alteration(path: MemberPath, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Returns a function that changes that member of a response, or removes it when the change returns None."""

    def alter(response: Any) -> Any:
        holder = response
        for name in path[:-1]:
            holder = holder[name]
        new = change(holder[path[-1]])
        if new is None:
            del holder[path[-1]]
        else:
            holder[path[-1]] = new
        return response

    return alter


def other_value(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    return {**value, "more": 1} if isinstance(value, dict) else [*value, "more"]


CHANGES = {
    "other": other_value,
    "type": lambda value: 1 if isinstance(value, str) else f"{value}",
    "gone": lambda _: None,
}


def prepared_sessions(api: Api) -> list[TransportSession]:
    """A session for each transport with one object each; its transport can be altered."""
    sessions = transport_sessions(api)
    for session in sessions:
        session.transport = AlteringTransport(session.transport)
    compare_step(api, sessions, Step("CREATE", ADDRESS, data=NEW_OBJECT))
    return sessions


def test_equal_responses_are_equal() -> None:
    api = in_process_api("bitvis")
    sessions = prepared_sessions(api)
    for step in STEPS.values():
        compare_step(api, sessions, step)
    assert [session.transport.name for session in sessions] == IN_PROCESS_TRANSPORTS


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("name", "step"), [pair for pair in product(IN_PROCESS_TRANSPORTS, STEPS) if pair != ("path", "list")]
)
def test_a_difference_in_one_member_is_detected(name: str, step: str, change: str) -> None:
    """A difference in any member of the response is detected, by the comparison or already by the contract."""
    paths = list(member_paths(_response(step)))
    assert paths
    for path in paths:
        api = in_process_api("bitvis")
        sessions = prepared_sessions(api)
        (session,) = [candidate for candidate in sessions if candidate.transport.name == name]
        assert isinstance(session.transport, AlteringTransport)
        session.transport.alter = alteration(path, CHANGES[change])
        with pytest.raises(AssertionError):
            compare_step(api, sessions, STEPS[step])


def _response(step: str) -> Any:
    """The response to that step."""
    api = in_process_api("bitvis")
    compare_step(api, prepared_sessions(api), STEPS[step])
    return api.exchanges[-1].response.json()


def test_both_exchanges_are_shown() -> None:
    api = in_process_api("bitvis")
    sessions = prepared_sessions(api)
    session = sessions[-1]
    assert isinstance(session.transport, AlteringTransport)
    session.transport.alter = alteration(("data", "streetName"), other_value)
    with pytest.raises(ContractViolation) as blamed:
        compare_step(api, sessions, STEPS["success"])
    text = str(blamed.value)
    assert len(blamed.value.exchanges) == 2
    assert f"by {session.transport.name}:" in text
    assert "by websocket:" in text
    assert api.secrets
    assert not [secret for secret in api.secrets if secret in text]


TIMES_ALIKE = [
    ("2025-03-21T13:45:52Z", "2025-03-21T13:45:53Z"),
    ("2025-03-21T13:45:52.000001Z", "2025-03-21T13:45:52.731Z"),
    ("2025-03-21T13:45:52Z", "2025-03-21T13:45:52.5Z"),  # a fraction that is zero may be left out
    ("2025-03-21T13:45:52.5+0100", "2025-03-21T13:45:53+0100"),
]
TIMES_THAT_DIFFER = [
    ("2025-03-21T13:45:52.5Z", "2025-03-21T13:45:52.5+0100"),
    ("2025-03-21T13:45:52.5Z", "2025-03-21 13:45:52.5Z"),
    ("2025-03-21T13:45:52.5Z", "2025-03-21T13:45:52.Z"),
    ("2025-03-21T13:45:52.5Z", "2025-03-21"),
    ("2025-03-21T13:45:52.5Z", ""),
]


@pytest.mark.parametrize(
    ("times", "are_alike"), [*((pair, True) for pair in TIMES_ALIKE), *((pair, False) for pair in TIMES_THAT_DIFFER)]
)
def test_times_of_two_calls_are_alike_but_for_their_moment(times: tuple[str, str], are_alike: bool) -> None:
    """Two calls happen at two moments, so neither seconds nor their fractions are compared, but the form is."""
    (session, *_) = transport_sessions(in_process_api("bitvis"))
    first, second = (session.masked_text({"data": {"created": time}}) for time in times)
    assert (first == second) is are_alike


def test_moments_to_the_microsecond_are_no_difference_between_transports() -> None:
    for variant in ("writes_microseconds", "indexes_with_the_time", "writes_fractions_of_seconds"):
        api = in_process_api("bitvis", variants=(variant,))
        sessions = prepared_sessions(api)
        for step in STEPS.values():
            compare_step(api, sessions, step)
