"""Requests under load are, byte for byte, those of the contract suites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.errors import UsageError
from contracts.exchange import Exchange, Request, Response
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures import reference
from fixtures.cases import Case, fill_placeholders, render_request
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.rpc_messages import load_messages
from fixtures.http1 import request_writer
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import Target
from fixtures.transports import ABSENT, transport
from fixtures.transports.call_parts import CallParts, call_message
from loadtests.engine.recorder import Recorder
from loadtests.request_factory.data_sources import UNIQUE_COUNT, UNIQUE_LENGTH, UniqueTexts
from loadtests.request_factory.http_factory import HttpRequestFactory
from loadtests.request_factory.prepared_request import filler
from loadtests.request_factory.request_template import Placeholders, request_template, split_request, with_named_value
from loadtests.request_factory.rpc_factory import CALL_PARTS, HTTP_TRANSPORTS, RpcRequestFactory
from loadtests.validation.validators import Validators

URL = "http://127.0.0.1:8000"
QUICK = EFFORTS["quick"]
GIVEN = {
    "unique": "unique",
    "pointer": "known",
    "mail": "mailed",
    "parameter": "sent",
}  # what stands for values that the target knows


def at(api: str) -> Target:
    return Target(api, f"{URL}/{api}", reference.load(api).KNOWN, writes=True, embedded=True)


def calls(api: str) -> HttpRequestFactory:
    return HttpRequestFactory(at(api), Recorder().samples_of, Validators(), UniqueTexts(0))


def value_of(source: Mapping[str, Any], settings: Mapping[str, str]) -> Any:
    if "setting" in source:
        value = settings[source["setting"].upper()]
        return int(value) if source.get("type") == "integer" else value
    return next(f"{text} å%" for name, text in GIVEN.items() if name in source)


def cases(api: str) -> Iterator[tuple[Operation, Case]]:
    requests_of = corpus(api, QUICK, 0)
    for operation in load_contract(api).operations.values():
        for case in (
            *(
                requests_of.minimal(operation),
                *requests_of.examples(operation),
                *requests_of.boundaries(operation),
                *requests_of.valid(operation),
            ),
            *(
                case
                for case in invalid_requests(requests_of, operation)
                if case.invalid_case and case.invalid_case.kind != "too_large"
            ),
        ):
            yield operation, case


@pytest.mark.parametrize("api", contracts.apis())
def test_every_case_of_the_corpus_is_sent_as_the_suites_send_it(api: str) -> None:
    contract, target, count = load_contract(api), at(api), 0
    for operation, case in cases(api):
        template = request_template(contract, operation, case, target.url, target.settings)
        values = [value_of(source, target.settings) for source in template.placeholders if not isinstance(source, str)]
        sent = render_request(
            contract, operation, case, target.url, target.settings, lambda source: value_of(source, target.settings)
        )
        try:
            expected = request_writer.encode_request(sent)
        except ValueError:  # no header can carry the value that stands for an id here
            continue
        assert template.fill(values) == expected, f"{operation}: {case.title}"
        count += 1
    assert count > min(100, 5 * len(reference.load(api).FAULTS))  # a small API of somebody has fewer


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
    contract, target = load_contract(api), at(api)
    operation = contract.find(identifier)
    plain = corpus(api, QUICK, 0).minimal(operation)
    template = request_template(contract, operation, plain, target.url, target.settings, tuple(values))
    got = template.fill(
        [values[name] if isinstance(name, str) else value_of(name, target.settings) for name in template.placeholders]
    )
    for name, value in values.items():
        plain = with_named_value(contract, operation, plain, name, value)
    sent = render_request(
        contract, operation, plain, target.url, target.settings, lambda source: value_of(source, target.settings)
    )
    assert got == request_writer.encode_request(sent)


class Caught:
    """Keeps what would be sent."""

    def send(self, sent: Request) -> Exchange:
        self.sent = sent
        return Exchange(sent, Response(200))


@pytest.mark.parametrize("transport_name", ["header", "query", "path", "websocket"])
def test_every_message_of_the_corpus_is_sent_as_the_transports_send_it(transport_name: str) -> None:
    rpc_contract, caught, settings = load_rpc_contract("bitvis"), Caught(), reference.load("bitvis").KNOWN
    assert rpc_contract is not None
    ours, api, given = (
        RpcRequestFactory(calls("bitvis")),
        Api(at("bitvis"), caught),
        "3a472a78-4e3e-4858-8acc-eb754f9d1328",
    )
    carrier, count = transport(api, transport_name if transport_name in HTTP_TRANSPORTS else "header"), 0
    for call in rpc_contract.calls.values():
        for message in load_messages("bitvis", QUICK, 0).valid(call):
            parts = fill_placeholders({**message.parts, "objectid": given}, lambda source: value_of(source, settings))
            sent = {name: parts.get(name, ABSENT) for name in ("method", *CALL_PARTS)}
            if transport_name in HTTP_TRANSPORTS and not carrier.supports(**sent):
                continue
            named = {name: parts[name] for name in CALL_PARTS if name in parts}
            request = ours.request_for(transport_name, call.label, **named)
            if transport_name in HTTP_TRANSPORTS:
                carrier.call(call.endpoint, **sent)
                expected = request_writer.encode_request(caught.sent)
            else:
                expected = call_message(api, CallParts(**sent, credentials="token"))
            assert request.payload == expected, f"{call.label}: {message.title}"
            count += 1
    assert count > 50


def test_a_request_without_placeholders_is_created_once() -> None:
    factory = calls("getflow")
    assert factory.request_for("listTasks") is factory.request_for("listTasks")


def test_operations_share_one_address_and_are_counted_by_their_names() -> None:
    factory = calls("getflow")
    task, tasks = factory.request_for("getTask", task_id=1), factory.request_for("listTasks", server=1)
    assert task.address == tasks.address
    assert (task.samples.operation, tasks.samples.operation) == (
        "getflow GET /tasks/{task_id}",
        "getflow GET /v2/tasks",
    )


def test_invalid_requests_are_counted_apart() -> None:
    assert calls("getflow").invalid_request("listTasks").samples.operation == "getflow GET /tasks (refused)"


def test_an_unknown_value_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no 'size'.*limit"):
        calls("getflow").request_for("listTasks", size=3)


def test_a_link_to_another_host_is_not_followed() -> None:
    with pytest.raises(ValueError, match=r"other\.example"):
        calls("getflow").link_request("http://other.example/tasks?cursor=2", "listTasks")


def test_a_link_is_followed_as_it_is() -> None:
    request = calls("getflow").link_request(f"{URL}/getflow/tasks?organization_id=52&cursor=25", "listTasks")
    line, host = request.payload.split(b"\r\n")[:2]
    assert line == b"GET /getflow/tasks?organization_id=52&cursor=25 HTTP/1.1"
    assert host == b"Host: 127.0.0.1:8000"


def test_another_accounts_token_replaces_the_own_one() -> None:
    payload = calls("flowback").request_for("getUser", TOKEN="another").payload
    assert b"\r\nAuthorization: another\r\n" in payload
    assert reference.load("flowback").KNOWN["TOKEN"].encode() not in payload


def test_unique_texts_are_short_and_never_repeat() -> None:
    unique_texts = UniqueTexts(UNIQUE_COUNT - 500)
    texts = [unique_texts.next_text() for _ in range(1000)]
    assert len(set(texts)) == 1000
    assert {len(text) for text in texts} == {UNIQUE_LENGTH}


def test_a_unique_address_keeps_its_domain() -> None:
    assert UniqueTexts(0).like("somebody.here@example.com") == "someb00000000@example.com"


def test_an_optional_setting_that_is_not_set_leaves_its_requests_out_and_is_reported() -> None:
    """Journeys end where they need it; a line before the run says why."""
    target = replace(at("flowapp"), settings={"TOKEN": "x", "SURVEY_ID": "7"})
    factory = HttpRequestFactory(target, Recorder().samples_of, Validators(), UniqueTexts(0))
    assert factory.prepare(["reportSurveyDetail"]) == ["FLOWAPP_SURVEY_SESSION_TOKEN is not set"]
    with pytest.raises(MissingPrecondition, match=r"^FLOWAPP_SURVEY_SESSION_TOKEN is not set$"):
        factory.request_for("reportSurveyDetail")


@pytest.mark.parametrize(
    "line", ["GET /{0} HTTP/1.1", "GET /a%25b/{0}?x=1 HTTP/1.1", "GET /{0}/{1} HTTP/1.1", "GET /{0}/{0} HTTP/1.1"]
)
@pytest.mark.parametrize("value", [7, "a b", "ü/%", True])
def test_however_few_placeholders_there_are_the_bytes_are_those_of_the_template(line: str, value: Any) -> None:
    names = Placeholders({})
    texts = [names.add("given"), names.add("next")]
    head = f"{line.format(*texts)}\r\nHost: a\r\n\r\n".encode()
    template = split_request(head, b"", names, is_form=False)
    sources = tuple(("given", None) if name == "given" else ("", lambda: value) for name in template.placeholders)
    assert filler(template, sources)({"given": value}) == template.fill([value] * len(template.placeholders))
