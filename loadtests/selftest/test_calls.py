"""Requests under load are, byte for byte, those of the contract suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import contracts
from contracts.document import contract
from contracts.exchange import Answer, Exchange, Sent
from contracts.operation import Operation
from contracts.rpc import rpc
from fixtures import http1, reference
from fixtures.api import Api
from fixtures.cases import Case, filled, render
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.messages import messages
from fixtures.corpus.mutations import mutated
from fixtures.targets import Target
from fixtures.transports import ABSENT, transport
from fixtures.transports.parts import Parts, message
from loadtests.calls import Calls
from loadtests.engine.recorder import Recorder
from loadtests.judges import Judges
from loadtests.rpc import BY_HTTP, PARTS, RpcCalls
from loadtests.values import SIZE, SPACE, Uniques
from loadtests.wire import put, wire

URL = "http://127.0.0.1:8000"
QUICK = EFFORTS["quick"]
GIVEN = {"unique": "unique", "pointer": "known", "mail": "mailed"}  # what stands for values that the target knows


def at(api: str) -> Target:
    return Target(api, f"{URL}/{api}", reference.load(api).KNOWN, writes=True, embedded=True)


def calls(api: str) -> Calls:
    return Calls(at(api), Recorder().slot, Judges(), Uniques(0))


def value_of(source: Mapping[str, Any], settings: Mapping[str, str]) -> Any:
    if "setting" in source:
        value = settings[source["setting"].upper()]
        return int(value) if source.get("type") == "integer" else value
    return next(f"{text} å%" for name, text in GIVEN.items() if name in source)


def cases(api: str) -> Iterator[tuple[Operation, Case]]:
    made = corpus(api, QUICK, 0)
    for operation in contract(api).operations.values():
        for case in (
            *(made.base(operation), *made.examples(operation), *made.boundaries(operation), *made.valid(operation)),
            *(one for one in mutated(made, operation) if one.mutation and one.mutation.kind != "too_large"),
        ):
            yield operation, case


@pytest.mark.parametrize("api", contracts.apis())
def test_every_case_of_the_corpus_is_sent_as_the_suites_send_it(api: str) -> None:
    whole, target, seen = contract(api), at(api), 0
    for operation, case in cases(api):
        made = wire(whole, operation, case, target.url, target.settings)
        values = [value_of(source, target.settings) for source in made.names if not isinstance(source, str)]
        sent = render(
            whole, operation, case, target.url, target.settings, lambda source: value_of(source, target.settings)
        )
        try:
            due = http1.request(sent)
        except ValueError:  # no header can carry the value that stands for an id here
            continue
        assert made.fill(values) == due, f"{operation}: {case.title}"
        seen += 1
    assert seen > 100


@pytest.mark.parametrize(
    ("api", "identifier", "values"),
    [
        ("getflow", "listTasks", {"limit": 25, "view": "upcoming", "cursor": 50}),
        ("getflow", "updateTask", {"task_id": 7, "body": {"task": {"name": 'Überprüfung "%d" 会議', "tags": ["a"]}}}),
        ("getflow", "createList", {"name": "Straße\n%s", "workspace_id": 3, "archived": True, "ends_on": None}),
        ("flowback", "registerUser", {"username": "a b&c=%41å", "email": "a+b@example.com"}),
        ("flowback", "listUsers", {"username": "Åsa Öberg/%?#", "page": 2}),
        ("flowapp", "getEvent", {"sessionToken": "a/b?c d%é"}),
        ("flowapp", "registerPerson", {"email": "x@example.com", "redirect": False}),
        ("bitvis", "addressCollectionGet LIST by header", {"Flow_Request_Parameter": {"parameters": {"a": "é"}}}),
        ("bitvis", "addressCollectionGet LIST by query", {"parameter": {"parameters": {"a": "é&%"}}}),
        ("bitvis", "deviceObjectPost UPDATE by path", {"objectid": "a-b", "body": {"name": "%é"}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_given_values_stand_where_the_suites_put_them(api: str, identifier: str, values: dict[str, Any]) -> None:
    whole, target = contract(api), at(api)
    operation = whole.find(identifier)
    plain = corpus(api, QUICK, 0).base(operation)
    made = wire(whole, operation, plain, target.url, target.settings, tuple(values))
    got = made.fill([values[name] if isinstance(name, str) else value_of(name, target.settings) for name in made.names])
    for name, value in values.items():
        plain = put(whole, operation, plain, name, value)
    sent = render(
        whole, operation, plain, target.url, target.settings, lambda source: value_of(source, target.settings)
    )
    assert got == http1.request(sent)


class Caught:
    """Keeps what would be sent."""

    def send(self, sent: Sent) -> Exchange:
        self.sent = sent
        return Exchange(sent, Answer(200))


@pytest.mark.parametrize("way", ["header", "query", "path", "websocket"])
def test_every_message_of_the_corpus_is_sent_as_the_transports_send_it(way: str) -> None:
    found, caught, settings = rpc("bitvis"), Caught(), reference.load("bitvis").KNOWN
    assert found is not None
    ours, api, given = RpcCalls(calls("bitvis")), Api(at("bitvis"), caught), "3a472a78-4e3e-4858-8acc-eb754f9d1328"
    carrier, seen = transport(api, way if way in BY_HTTP else "header"), 0
    for call in found.calls.values():
        for one in messages("bitvis", QUICK, 0).valid(call):
            parts = filled({**one.parts, "objectid": given}, lambda source: value_of(source, settings))
            sent = {name: parts.get(name, ABSENT) for name in ("method", *PARTS)}
            if way in BY_HTTP and not carrier.can(**sent):
                continue
            named = {name: parts[name] for name in PARTS if name in parts}
            request = ours.call(way, call.label, **named)
            if way in BY_HTTP:
                carrier.call(call.endpoint, **sent)
                due = http1.request(caught.sent)
            else:
                due = message(api, Parts(**sent, credentials="token"))
            assert request.payload == due, f"{call.label}: {one.title}"
            seen += 1
    assert seen > 50


def test_a_request_without_gaps_is_made_once() -> None:
    made = calls("getflow")
    assert made.call("listTasks") is made.call("listTasks")


def test_operations_share_one_address_and_are_counted_by_their_labels() -> None:
    made = calls("getflow")
    one, other = made.call("getTask", task_id=1), made.call("listTasks", server=1)
    assert one.address == other.address
    assert (one.slot.operation, other.slot.operation) == ("GET /tasks/{task_id}", "GET /v2/tasks")


def test_broken_requests_are_counted_apart() -> None:
    assert calls("getflow").broken("listTasks").slot.operation == "GET /tasks (refused)"


def test_a_value_that_the_operation_does_not_have_is_told_with_those_it_has() -> None:
    with pytest.raises(LookupError, match=r"no 'size'.*limit"):
        calls("getflow").call("listTasks", size=3)


def test_a_link_to_another_host_is_not_followed() -> None:
    with pytest.raises(ValueError, match=r"other\.example"):
        calls("getflow").follow("http://other.example/tasks?cursor=2", "listTasks")


def test_a_link_is_followed_as_it_is() -> None:
    request = calls("getflow").follow(f"{URL}/getflow/tasks?organization_id=52&cursor=25", "listTasks")
    line, host = request.payload.split(b"\r\n")[:2]
    assert line == b"GET /getflow/tasks?organization_id=52&cursor=25 HTTP/1.1"
    assert host == b"Host: 127.0.0.1:8000"


def test_another_accounts_token_replaces_the_own_one() -> None:
    payload = calls("flowback").call("getUser", TOKEN="another").payload
    assert b"\r\nAuthorization: another\r\n" in payload
    assert reference.load("flowback").KNOWN["TOKEN"].encode() not in payload


def test_unique_texts_are_short_and_never_repeat() -> None:
    made = Uniques(SPACE - 500)
    texts = [made.text() for _ in range(1000)]
    assert len(set(texts)) == 1000
    assert {len(text) for text in texts} == {SIZE}


def test_a_unique_address_keeps_its_domain() -> None:
    assert Uniques(0).like("somebody.here@example.com") == "someb00000000@example.com"
