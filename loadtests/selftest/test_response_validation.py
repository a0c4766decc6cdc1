"""The fast check accepts exactly what the full judge of the contract accepts, and both name the same clause."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import contracts
import contracts.openapi
from contracts import exchange
from contracts.asyncapi import load_rpc_contract
from fixtures import reference
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.corpus.rpc_messages import load_messages
from fixtures.http1 import request_writer
from fixtures.http_client import Unreachable
from fixtures.in_memory_mailbox import InMemoryMailbox
from fixtures.in_process_client import InProcessClient
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from loadtests.engine.exchange_types import Address, Request, Response, Validator
from loadtests.engine.recorder import OperationSamples
from loadtests.validation.http_validator import RequestIntent, contract_validator, exchange_of, findings
from loadtests.validation.rpc_validator import CallIntent, call_findings, call_validator
from loadtests.validation.validators import FIRST_VALIDATED, Validators, parse_mode, parsed_body
from reports.load.operation_statistics import TURNED_AWAY

QUICK = EFFORTS["quick"]
STRIDE = 61  # one in so many requests is sent to each fault, each time others: every request, and every fault, is tried
REQUESTS = 12  # that are sent to each fault at least, of an API that has as many
SAMPLES = OperationSamples("operation", "http")


def slow_if_large(name: str) -> tuple[pytest.MarkDecorator, ...]:
    """The mark of a test that takes half a minute with every fault of this API."""
    return (pytest.mark.slow,) if len(reference.load(name).FAULTS) > 120 else ()


def api_with(name: str, fault: str | None) -> Api:
    mailbox = InMemoryMailbox()
    client = InProcessClient(name, [fault] if fault else [], deliver_mail=mailbox.mails.append)
    return Api(client.target, client, mailbox, run="1")


def as_engine(exchanged: exchange.Exchange) -> tuple[Request, Response]:
    """The exchange as the engine would have it."""
    parts = exchanged.request.url.split("/", 3)
    request = Request(
        SAMPLES,
        request_writer.encode_request(exchanged.request),
        Address.from_url("/".join(parts[:3])),
        is_head=exchanged.request.method == "HEAD",
    )
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in exchanged.response.headers]
    return request, Response(exchanged.response.status, headers, exchanged.response.body, None, 0, 0, 0, 1)


class AgreementCheck:
    """Compares validators and judge of one API; the tables of the validators fill as responses come."""

    def __init__(self, name: str) -> None:
        self.contract = contracts.openapi.load_contract(name)
        self.corpus = corpus(name, QUICK, 0)
        self.validators: dict[Any, tuple[RequestIntent, Validator]] = {}
        self.agreed = self.violations = 0

    def cases(self) -> Iterator[tuple[int, Any, Case]]:
        number = itertools.count()
        for operation in self.contract.operations.values():
            invalid = [
                case for case in invalid_requests(self.corpus, operation) if case.invalid_case.kind != "too_large"
            ]
            for case in [*self.corpus.examples(operation), *self.corpus.valid(operation), *invalid]:
                yield next(number), operation, case

    def compare(self, operation: Any, case: Case, exchanged: exchange.Exchange) -> None:
        """Fails unless validator and judge name the same clause for this exchange."""
        if exchanged.response.error:
            return  # the engine validates no incomplete response
        key = (operation.label, str(case.invalid_case), str(case.invalid_case and case.invalid_case.rules), case.method)
        intent = RequestIntent(self.contract, operation, case.invalid_case, case.method or "")
        _, validator = self.validators.setdefault(key, (intent, contract_validator(intent)))
        request, response = as_engine(exchanged)
        expected = findings(intent, exchange_of(request, response), {})
        assert validator(request, response) == (expected[0].clause if expected else None), (
            f"{operation} {case.title}: {expected}"
        )
        self.agreed += 1
        self.violations += bool(expected)


@pytest.mark.parametrize("name", [pytest.param(name, marks=slow_if_large(name)) for name in contracts.apis()])
def test_validator_and_judge_agree_on_every_response_of_the_honest_reference_and_of_every_fault(name: str) -> None:
    check = AgreementCheck(name)
    honest, cases = api_with(name, None), list(check.cases())
    for _, operation, case in cases:
        check.compare(operation, case, honest.send(operation, case))
    assert check.agreed > min(100, 5 * len(reference.load(name).FAULTS))  # a small API of somebody has fewer
    stride = max(1, min(STRIDE, len(cases) // REQUESTS))
    for step, fault in enumerate(reference.load(name).FAULTS):
        api = api_with(name, fault)
        for number, operation, case in cases:
            if (number + step) % stride and case.title != "as documented":
                continue
            try:
                check.compare(operation, case, api.send(operation, case))
            except (MissingPrecondition, Unreachable):
                continue  # the fault hides what this request needs
    assert check.violations > len(reference.load(name).FAULTS) / 4


def alter(body: bytes, chance: random.Random) -> bytes:
    """The body, altered: cut off, a value replaced or a name repeated, or a text that some parsers take for JSON."""
    kind = chance.randrange(7)
    if kind == 0:
        return body[: chance.randrange(len(body) + 1)]
    if kind == 1:
        return chance.choice(
            [b"NaN", b"[Infinity]", b"\xef\xbb\xbf{}", b'"\xff"', b'"\\ud800"', b"[" * 900, b"{}", b"", b"null"]
        )
    try:
        value = json.loads(body)
    except ValueError:
        return body + b"x"
    if kind == 6 and isinstance(value, dict) and value:
        name = json.dumps(next(iter(value)))
        return f"{{{name}: 1, {json.dumps(value)[1:]}".encode()
    container, key = members_in(value)[chance.randrange(len(members_in(value)))] if members_in(value) else (None, None)
    if container is not None:
        container[key] = chance.choice([None, True, -1, 2**70, 1.5, 10**400, "", "é" * 50, [], {}, "2017-13-45"])
    return json.dumps(value).encode() + (b" " if kind == 2 else b"")


def members_in(value: Any) -> list[tuple[Any, Any]]:
    members: list[tuple[Any, Any]] = []
    for name in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        members += [(value, name), *members_in(value[name])]
    return members


@pytest.mark.parametrize("name", contracts.apis())
def test_validator_and_judge_agree_on_altered_responses(name: str) -> None:
    check, api, chance = AgreementCheck(name), api_with(name, None), random.Random(name)
    for number, operation, case in check.cases():
        if number % 5 and case.title != "as documented":
            continue
        exchanged = api.send(operation, case)
        check.compare(operation, case, exchanged)
        for _ in range(6):
            headers = tuple(
                (
                    key,
                    chance.choice([value, value.upper(), f"{value}; charset=utf-8", "text/html"])
                    if chance.random() < 0.1
                    else value,
                )
                for key, value in exchanged.response.headers
            )
            status = chance.choice([exchanged.response.status] * 6 + [204, 201, 302, 404, 500])
            response = exchange.Response(status, headers, alter(exchanged.response.body, chance))
            check.compare(operation, case, exchange.Exchange(exchanged.request, response))
    assert check.violations > 50


def test_validator_and_judge_of_calls_agree_on_every_response_of_every_fault() -> None:
    rpc_contract, contract = load_rpc_contract("bitvis"), contracts.openapi.load_contract("bitvis")
    assert rpc_contract is not None
    corpora, blamed = load_messages("bitvis", QUICK, 0), 0
    all_messages = [
        (call, message)
        for call in rpc_contract.calls.values()
        for message in (*corpora.valid(call), *corpora.invalid(call))
    ]
    for step, fault in enumerate([None, *reference.load("bitvis").FAULTS]):
        api = api_with("bitvis", fault)
        websocket = transport(api, "websocket")
        for number, (call, message) in enumerate(all_messages):
            if (number + step) % STRIDE:
                continue
            exchanged = send(api, websocket, call.endpoint, message)
            if exchanged is None or exchanged.response.error:
                continue
            intent = CallIntent(rpc_contract, call, contract, None, message.invalid_case, call.clauses[0])
            request = Request(SAMPLES, exchanged.request.body, Address.from_url(exchanged.request.url))
            response = Response(0, [], exchanged.response.body, None, 0, 0, 0, 1)
            expected = call_findings(intent, exchange_of(request, response), {})
            assert call_validator(intent, None, {})(request, response) == (expected[0].clause if expected else None)
            blamed += bool(expected)
    assert blamed > 20


def send(api: Api, websocket: Any, endpoint: str, message: Any) -> exchange.Exchange | None:
    from fixtures.cases import fill_placeholders

    try:
        exchanged: exchange.Exchange = websocket.call(
            endpoint, **fill_placeholders(message.parts, api.known_value), credentials=message.credentials
        )
    except MissingPrecondition:
        return None
    return exchanged


def json_response(status: int, body: Any, kind: str = "application/json") -> Response:
    return Response(status, [(b"content-type", kind.encode())], json.dumps(body).encode(), None, 0, 0, 0, 1)


def intent_of(api: str, identifier: str) -> RequestIntent:
    contract = contracts.openapi.load_contract(api)
    return RequestIntent(contract, contract.find(identifier))


REQUEST = Request(SAMPLES, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Address.from_url("http://127.0.0.1:1"))


def test_the_parsed_body_is_left_for_the_journey() -> None:
    validator = contract_validator(intent_of("flowapp", "listOperators"), None, {})
    body = {"code": 200, "data": [{"id": 1}], "redirectURL": None}
    response = json_response(200, body)
    validator(REQUEST, response)  # by the full judge, which fills the table
    response = json_response(200, body)
    assert validator(REQUEST, response) is None
    assert response.parsed_body == body == parsed_body(response)


def test_the_status_alone_is_compared_with_the_documented_ones() -> None:
    validator = Validators(sample_interval=0).for_request(intent_of("flowapp", "listOperators"))
    assert validator(REQUEST, json_response(200, "nonsense")) is None
    assert validator(REQUEST, json_response(404, {})) == "FLOWAPP-OPL-2"
    assert validator(REQUEST, json_response(503, {})) == "FLOWAPP-SHAPE-2"


@pytest.mark.parametrize("sample_interval", [0, 1])
def test_a_rate_limit_of_another_server_is_no_violation(sample_interval: int) -> None:
    validators = Validators(sample_interval, rate_limited=["flowapp"])
    response = json_response(429, "<h1>Too many requests</h1>", "text/html")
    assert validators.for_request(intent_of("flowapp", "listOperators"))(REQUEST, response) == TURNED_AWAY
    assert validators.for_request(intent_of("flowback", "listUsers"))(REQUEST, response) != TURNED_AWAY


def test_a_sample_validates_one_in_so_many_fully() -> None:
    validator = Validators(sample_interval=3).for_request(intent_of("flowapp", "listOperators"))
    for _ in range(FIRST_VALIDATED):
        validator(REQUEST, json_response(200, {"data": []}))
    reasons = [validator(REQUEST, json_response(200, {"data": [{}]})) for _ in range(9)]
    assert [reason is not None for reason in reasons] == [False, True, False] * 3


def test_a_sample_contains_the_first_responses_of_each_operation_kind_and_status() -> None:
    validators = Validators(sample_interval=100)
    for name in ("listOperators", "listEvents"):
        validator = validators.for_request(intent_of("flowapp", name))
        assert validator(REQUEST, json_response(200, {"data": [{}]})) is not None
    for status in (200, 400):
        assert validator(REQUEST, json_response(status, {"data": [{}]})) is not None


def test_a_sample_counts_what_it_validated_and_refused() -> None:
    validators = Validators(sample_interval=100)
    validator = validators.for_request(intent_of("flowapp", "listOperators"))
    for _ in range(99):
        validator(REQUEST, json_response(200, {"data": [{}]}))
    count = validators.sampled[SAMPLES.operation]
    assert (validators.validated, count.validated, count.refused) == (FIRST_VALIDATED,) * 3


@pytest.mark.parametrize(("interval", "validated"), [(0, 0), (1, 5)])
def test_other_modes_validate_none_or_all(interval: int, validated: int) -> None:
    validators = Validators(sample_interval=interval)
    validator = validators.for_request(intent_of("flowapp", "listOperators"))
    for _ in range(5):
        validator(REQUEST, json_response(200, {"code": 200, "data": [], "redirectURL": None}))
    assert validators.validated == validated


@pytest.mark.parametrize("mode", ["", "sample", "sample=1", "sample=x", "none"])
def test_an_unknown_mode_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="--judge: expected all, status, or sample=N"):
        parse_mode(mode)


def test_a_finding_is_shown_once_with_its_secrets_masked() -> None:
    validators = Validators(secrets=["s3cret"])
    validator = validators.for_request(intent_of("flowapp", "listOperators"))
    request = Request(
        SAMPLES, b"GET /x HTTP/1.1\r\nHost: a\r\napi-secret: s3cret\r\n\r\n", Address.from_url("http://127.0.0.1:1")
    )
    for _ in range(3):
        assert validator(request, json_response(200, {"data": [{"id": "x"}]})) == "FLOWAPP-OPL-2"
    (line,) = validators.finding_texts()
    assert line.startswith("FLOWAPP-OPL-2: ")
    assert "api-secret: ***" in line
    assert "s3cret" not in line


def test_the_command_of_a_finding_reads_the_secret_from_its_variable() -> None:
    validators = Validators(secrets=["s3cret"], secret_variables={"s3cret": "FLOWAPP_TOKEN"})
    validator = validators.for_request(intent_of("flowapp", "listOperators"))
    request = Request(
        SAMPLES, b"GET /x HTTP/1.1\r\nHost: a\r\napi-secret: s3cret\r\n\r\n", Address.from_url("http://127.0.0.1:1")
    )
    validator(request, json_response(200, {"data": [{"id": "x"}]}))
    (line,) = validators.finding_texts()
    assert '-H "api-secret: $FLOWAPP_TOKEN"' in line
    assert "s3cret" not in line


def test_the_check_of_a_journey_follows_the_contract() -> None:
    validators, checked_values = Validators(), []

    def check(value: Any, _: Response) -> tuple[str, str, str]:
        checked_values.append(value)
        return "FLOWAPP-CAP-1", "one", "two"

    body: Mapping[str, Any] = {"code": 200, "data": [{"id": 1}], "redirectURL": None}
    validator = validators.with_check(validators.for_request(intent_of("flowapp", "listOperators")), "label", check)
    assert validator(REQUEST, json_response(200, {"data": 3})) == "FLOWAPP-OPL-2"
    assert checked_values == []
    assert validator(REQUEST, json_response(200, body)) == "FLOWAPP-CAP-1"
    assert checked_values == [body]


def test_the_cost_of_validation_is_sampled() -> None:
    validators = Validators()
    validator = validators.for_request(intent_of("flowapp", "listOperators"))
    for _ in range(640):
        validator(REQUEST, json_response(200, {"code": 200, "data": [], "redirectURL": None}))
    assert (validators.cost.count, validators.cost.timed_count) == (640, 10)
    assert 0 < validators.cost.mean_ns < 10_000_000
    assert validators.cost.share(0) == 0.0
