"""Looks for what a request leaves behind: whether it shows in the response to the same request as before.

Rule: a request is answered on a connection that has carried others as it is on a new one. What differs anyway from one
response to the next, such as ids and times, is not compared. A response that has changed on new connections, too, tells
something only where it has become that to the other request, since records may come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contracts.exchange import Exchange, Request
from contracts.judge.http_judge import Finding, is_refusal
from contracts.operation import Operation
from fixtures.cases import Case, filled
from fixtures.corpus import Corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.target_api import Api

INVALID = 2  # invalid requests that are looked at
LANGUAGE = ("Accept-Language", "de, fr;q=0.5")
Sender = Callable[[], Exchange]
Path = tuple[str | int, ...]  # of a value in a JSON text
Values = dict[Path, Any]


@dataclass(frozen=True)
class Answer:
    """A response in parts: its status and language, whether it refuses, and the values of its body."""

    status: int
    language: str | None
    is_refused: bool
    values: Values

    @classmethod
    def of(cls, api: Api, exchange: Exchange) -> Answer:
        """The answer in an exchange; a body that is no JSON is one value."""
        response = exchange.response
        try:
            body = response.json()
        except (ValueError, RecursionError):
            body = response.text()
        refused = is_refusal(api.contract, response)
        return cls(response.status, response.header("content-language"), refused, dict(_values((), body)))

    def without(self, paths: set[Path]) -> Values:
        """The values but those at these paths."""
        return {path: value for path, value in self.values.items() if path not in paths}


def _values(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _values((*path, name), member)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _values((*path, number), item)
    else:
        yield path, value


@dataclass(frozen=True)
class Probe:
    """A request whose answer is known: what came twice, each time on a new connection. `send` sends it as that API."""

    send: Callable[[Api], Exchange]
    first: Answer
    second: Answer

    @classmethod
    def of(cls, api: Api, send: Callable[[Api], Exchange]) -> Probe | None:
        """The probe with that request; None if its responses are incomplete, or of several statuses."""
        exchanges = [api.send_concurrently([send])[0] for _ in range(2)]
        first, second = (Answer.of(api, exchange) for exchange in exchanges)
        is_steady = (first.status, first.is_refused) == (second.status, second.is_refused)
        return cls(send, first, second) if is_steady and not exchanges[1].response.error else None

    @property
    def unsteady(self) -> set[Path]:
        """The paths of values that differ from one response to the next."""
        first, second = self.first.values, self.second.values
        return {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}

    def difference(self, after: Answer) -> tuple[str, str] | None:
        """(expected, received) where an answer differs from the one that is known; None where it does not."""
        before = self.second
        if (after.status, after.is_refused) != (before.status, before.is_refused):
            return f"status {before.status}", f"status {after.status}"
        if after.language != before.language:
            return f"the language {before.language}", str(after.language)
        own, changed = (answer.without(self.unsteady) for answer in (before, after))
        path = next((path for path in sorted(own | changed, key=str) if own.get(path) != changed.get(path)), None)
        return None if path is None else ("/".join(map(str, path)) + f" {own.get(path)!r}", repr(changed.get(path)))

    def has_become(self, after: Answer, other: Answer) -> bool:
        """Whether an answer is that to another request, and no list that has got more rows."""
        own, changed, others = (answer.without(self.unsteady) for answer in (self.second, after, other))
        return own != changed == others and len(changed) <= len(own)


def probes_of(api: Api, corpus: Corpus, operation: Operation) -> list[Probe]:
    """Requests that change no record: the minimal one of a read, invalid ones, and one without credentials."""
    invalid = _invalid(corpus, operation, INVALID)
    cases = [*([corpus.minimal(operation)] if operation.safe else []), *invalid]
    if operation.needs_credentials:
        cases += [replace(case, credentials="none", title="no credentials") for case in cases[:1]]
    cases = corpus.effort.some_of(cases, operation.label)

    def resolve(source: Mapping[str, Any]) -> Any:
        return api.known_value(source, operation.server)

    probes = (Probe.of(api, partial(Api.send, operation=operation, case=filled(case, resolve))) for case in cases)
    return [probe for probe in probes if probe and (operation.safe or probe.second.is_refused)]


def others_of(api: Api, corpus: Corpus, operation: Operation, count: int) -> Iterator[tuple[str, Sender]]:
    """(title, sender) of other requests that change no record: at most `count` refused ones, and as many reads."""
    invalid = _invalid(corpus, operation, count + INVALID)
    plain = corpus.minimal(operation) if operation.safe else next(iter(invalid), None)
    cases = [*invalid[INVALID:], *(_richest(corpus, operation, count) if operation.safe else [])]
    if plain:
        cases.append(replace(plain.with_parameter("header", *LANGUAGE), title="another language"))
    yield from ((case.title, partial(api.send, operation, case)) for case in cases)
    if plain and operation.needs_credentials and "OTHER_TOKEN" in api.target.settings:
        request = _as_other(api, api.render(operation, plain))
        yield "the credentials of another account", partial(api.send_request, request)


def _richest(corpus: Corpus, operation: Operation, count: int) -> list[Case]:
    """Valid requests, each with as many parameters as possible that none before it has."""
    cases = [*corpus.examples(operation)[1:], *corpus.boundaries(operation), *corpus.valid(operation)]
    chosen: list[Case] = []
    known: set[str] = set()
    for _ in range(min(count, len(cases))):
        case = max(cases, key=lambda case: len(case.parameters["query"].keys() - known))
        known |= case.parameters["query"].keys()
        chosen.append(case)
        cases.remove(case)
    return chosen


def _invalid(corpus: Corpus, operation: Operation, count: int) -> list[Case]:
    """Invalid requests to the operation, each with another mistake or in another member."""
    cases: dict[tuple[str, str], Case] = {}
    for case in invalid_requests(corpus, operation):
        if case.invalid_case and case.credentials == "valid":
            cases.setdefault((case.invalid_case.kind, case.invalid_case.name), case)
    return list(cases.values())[:count]


def _as_other(api: Api, request: Request) -> Request:
    """The request with the other account's token, which may be refused."""
    token, other = api.target.settings["TOKEN"], api.target.settings["OTHER_TOKEN"]
    headers = tuple((name, value.replace(token, other)) for name, value in request.headers)
    return replace(request, url=request.url.replace(token, other), headers=headers)


def finding_about(api: Api, probe: Probe, title: str, send_other: Sender) -> Finding | None:
    """The finding if the other request shows in the next response to the probe, two times out of two."""
    difference = "", ""
    for _ in range(2):
        other = Answer.of(api, send_other())
        exchange = probe.send(api)
        after = Answer.of(api, exchange)
        if probe.difference(after) is None:
            return None
        known = probe if probe.has_become(after, other) else Probe.of(api, probe.send)
        if known is None or (shown := known.difference(after)) is None:
            return None
        difference = shown
    expected, received = difference
    expected = f"{expected}, as on a new connection; {title} was sent before"
    return Finding(api.contract.silent["state"], expected, received, exchange)
