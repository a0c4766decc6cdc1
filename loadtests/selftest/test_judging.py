"""The fast judge says yes where the contract's own judge finds nothing, nowhere else, and both name the same clause."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import contracts
import contracts.document
from contracts import exchange
from contracts.rpc import rpc
from fixtures import http1, reference
from fixtures.api import Api, Lacking
from fixtures.cases import Case
from fixtures.client import Unreachable
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.messages import messages
from fixtures.corpus.mutations import mutated
from fixtures.inprocess import InProcess
from fixtures.reference.protocol import Mail
from fixtures.transports import transport
from loadtests.engine.call import Address, Answer, Judge, Request
from loadtests.engine.recorder import Slot
from loadtests.judges import Judges, every, value_of
from loadtests.judging import Asked, exchange_of, findings, judged
from loadtests.rpc_judging import AskedCall, call_findings, judged_call

QUICK = EFFORTS["quick"]
SLOT = Slot("operation", "http")


class Letters:
    """Mails that are there before anybody waits for them."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def wait(self, to: str, timeout: float, count: int = 1) -> list[Mail]:  # noqa: ARG002  # all are there already
        return [mail for mail in self.mails if mail.to == to]


def api_with(name: str, fault: str | None) -> Api:
    letters = Letters()
    client = InProcess(name, [fault] if fault else [], post=letters.mails.append)
    return Api(client.target, client, letters, run="1")


def as_engine(told: exchange.Exchange) -> tuple[Request, Answer]:
    """The exchange as the engine would have it."""
    parts = told.sent.url.split("/", 3)
    request = Request(SLOT, http1.request(told.sent), Address.of("/".join(parts[:3])), head=told.sent.method == "HEAD")
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.answer.headers]
    return request, Answer(told.answer.status, headers, told.answer.body, None, 0, 0, 0, 1)


class Bench:
    """The judges of one API, whose tables fill as they meet answers."""

    def __init__(self, name: str) -> None:
        self.contract = contracts.document.contract(name)
        self.corpus = corpus(name, QUICK, 0)
        self.judges: dict[Any, tuple[Asked, Judge]] = {}
        self.agreed = self.blamed = 0

    def cases(self) -> Iterator[tuple[int, Any, Case]]:
        number = itertools.count()
        for operation in self.contract.operations.values():
            broken = [one for one in mutated(self.corpus, operation) if one.mutation.kind != "too_large"]
            for case in [*self.corpus.examples(operation), *self.corpus.valid(operation), *broken]:
                yield next(number), operation, case

    def compare(self, operation: Any, case: Case, told: exchange.Exchange) -> None:
        """Both judges look at one answer."""
        if told.answer.error:
            return  # the engine judges no answer that broke off
        key = (operation.label, str(case.mutation), str(case.mutation and case.mutation.rules), case.method)
        asked = Asked(self.contract, operation, case.mutation, case.method or "")
        _, judge = self.judges.setdefault(key, (asked, judged(asked)))
        request, answer = as_engine(told)
        due = findings(asked, exchange_of(request, answer), {})
        assert judge(request, answer) == (due[0].clause if due else None), f"{operation} {case.title}: {due}"
        self.agreed += 1
        self.blamed += bool(due)


@pytest.mark.parametrize("name", contracts.apis())
def test_both_judges_agree_on_every_answer_of_the_honest_reference_and_of_every_fault(name: str) -> None:
    bench = Bench(name)
    honest = api_with(name, None)
    for _, operation, case in bench.cases():
        bench.compare(operation, case, honest.send(operation, case))
    assert bench.agreed > 100
    for step, fault in enumerate(reference.load(name).FAULTS):
        api = api_with(name, fault)
        for number, operation, case in bench.cases():
            if (number + step) % 37 and case.title != "as documented":
                continue
            try:
                bench.compare(operation, case, api.send(operation, case))
            except (Lacking, Unreachable):
                continue  # the fault hides what this request needs
    assert bench.blamed > 20


def alter(body: bytes, chance: random.Random) -> bytes:
    """The body with something done to it: cut, a value replaced, or text that only some readers take for JSON."""
    kind = chance.randrange(6)
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
    holder, spot = spots(value)[chance.randrange(len(spots(value)))] if spots(value) else (None, None)
    if holder is not None:
        holder[spot] = chance.choice([None, True, -1, 2**70, 1.5, 10**400, "", "é" * 50, [], {}, "2017-13-45"])
    return json.dumps(value).encode() + (b" " if kind == 2 else b"")


def spots(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for name in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += [(value, name), *spots(value[name])]
    return found


@pytest.mark.parametrize("name", contracts.apis())
def test_both_judges_agree_on_altered_answers(name: str) -> None:
    bench, api, chance = Bench(name), api_with(name, None), random.Random(name)
    for number, operation, case in bench.cases():
        if number % 5 and case.title != "as documented":
            continue
        told = api.send(operation, case)
        bench.compare(operation, case, told)
        for _ in range(6):
            headers = tuple(
                (
                    key,
                    chance.choice([value, value.upper(), f"{value}; charset=utf-8", "text/html"])
                    if chance.random() < 0.1
                    else value,
                )
                for key, value in told.answer.headers
            )
            status = chance.choice([told.answer.status] * 6 + [204, 201, 302, 404, 500])
            answer = exchange.Answer(status, headers, alter(told.answer.body, chance))
            bench.compare(operation, case, exchange.Exchange(told.sent, answer))
    assert bench.blamed > 50


def test_both_judges_of_calls_agree_on_every_answer_of_every_fault() -> None:
    found, whole = rpc("bitvis"), contracts.document.contract("bitvis")
    assert found is not None
    corpora, blamed = messages("bitvis", QUICK, 0), 0
    all_messages = [
        (call, one) for call in found.calls.values() for one in (*corpora.valid(call), *corpora.broken(call))
    ]
    for step, fault in enumerate([None, *reference.load("bitvis").FAULTS]):
        api = api_with("bitvis", fault)
        line = transport(api, "websocket")
        for number, (call, one) in enumerate(all_messages):
            if (number + step) % 29:
                continue
            told = send(api, line, call.endpoint, one)
            if told is None or told.answer.error:
                continue
            asked = AskedCall(found, call, whole, None, one.mutation)
            request = Request(SLOT, told.sent.body, Address.of(told.sent.url))
            answer = Answer(0, [], told.answer.body, None, 0, 0, 0, 1)
            due = call_findings(asked, exchange_of(request, answer), {})
            assert judged_call(asked, None, {})(request, answer) == (due[0].clause if due else None)
            blamed += bool(due)
    assert blamed > 20


def send(api: Api, line: Any, endpoint: str, one: Any) -> exchange.Exchange | None:
    from fixtures.cases import filled

    try:
        told: exchange.Exchange = line.call(endpoint, **filled(one.parts, api.known), credentials=one.credentials)
    except Lacking:
        return None
    return told


def answer_of(status: int, body: Any, kind: str = "application/json") -> Answer:
    return Answer(status, [(b"content-type", kind.encode())], json.dumps(body).encode(), None, 0, 0, 0, 1)


def asked_for(api: str, identifier: str) -> Asked:
    whole = contracts.document.contract(api)
    return Asked(whole, whole.find(identifier))


REQUEST = Request(SLOT, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Address.of("http://127.0.0.1:1"))


def test_the_parsed_body_is_left_for_the_journey() -> None:
    judge = judged(asked_for("flowapp", "listOperators"), None, {})
    body = {"code": 200, "data": [{"id": 1}], "redirectURL": None}
    answer = answer_of(200, body)
    judge(REQUEST, answer)  # by the slow judge, who fills the table
    answer = answer_of(200, body)
    assert judge(REQUEST, answer) is None
    assert answer.value == body == value_of(answer)


def test_status_alone_is_judged_by_what_is_documented() -> None:
    judge = Judges(every=0).of(asked_for("flowapp", "listOperators"))
    assert judge(REQUEST, answer_of(200, "nonsense")) is None
    assert judge(REQUEST, answer_of(404, {})) == "FLOWAPP-OPL-1"
    assert judge(REQUEST, answer_of(503, {})) == "FLOWAPP-OPL-1"


def test_a_sample_judges_one_in_so_many_whole() -> None:
    judge = Judges(every=3).of(asked_for("flowapp", "listOperators"))
    reasons = [judge(REQUEST, answer_of(200, {"data": [{}]})) for _ in range(9)]
    assert [reason is not None for reason in reasons] == [False, False, True] * 3


@pytest.mark.parametrize("mode", ["", "sample", "sample=1", "sample=x", "none"])
def test_a_mode_that_is_none_is_told(mode: str) -> None:
    with pytest.raises(ValueError, match="--judge: expected all, status, or sample=N"):
        every(mode)


def test_a_finding_is_told_once_with_its_secrets_masked() -> None:
    judges = Judges(secrets=["s3cret"])
    judge = judges.of(asked_for("flowapp", "listOperators"))
    request = Request(
        SLOT, b"GET /x HTTP/1.1\r\nHost: a\r\napi-secret: s3cret\r\n\r\n", Address.of("http://127.0.0.1:1")
    )
    for _ in range(3):
        assert judge(request, answer_of(200, {"data": [{"id": "x"}]})) == "FLOWAPP-OPL-1"
    (line,) = judges.lines()
    assert line.startswith("FLOWAPP-OPL-1: ")
    assert "api-secret: ***" in line
    assert "s3cret" not in line


def test_what_a_journey_knows_is_judged_after_the_contract() -> None:
    judges, looked = Judges(), []

    def check(value: Any, _: Answer) -> tuple[str, str, str]:
        looked.append(value)
        return "FLOWAPP-CAP-1", "one", "two"

    whole: Mapping[str, Any] = {"code": 200, "data": [{"id": 1}], "redirectURL": None}
    judge = judges.checked(judges.of(asked_for("flowapp", "listOperators")), "label", check)
    assert judge(REQUEST, answer_of(200, {"data": 3})) == "FLOWAPP-OPL-1"
    assert looked == []
    assert judge(REQUEST, answer_of(200, whole)) == "FLOWAPP-CAP-1"
    assert looked == [whole]


def test_the_cost_of_judging_is_measured_by_sample() -> None:
    judges = Judges()
    judge = judges.of(asked_for("flowapp", "listOperators"))
    for _ in range(640):
        judge(REQUEST, answer_of(200, {"code": 200, "data": [], "redirectURL": None}))
    assert (judges.meter.count, judges.meter.timed) == (640, 10)
    assert 0 < judges.meter.mean_ns < 10_000_000
    assert judges.meter.share(0) == 0.0
