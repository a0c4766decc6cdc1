"""A test that stops while it reads a response: the shape is the finding, and an error of ours stays one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis.errors import FlakyStrategyDefinition

from contracts.exchange import Exchange, Request, Response
from fixtures.target_api import Api, MissingPrecondition
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation
from suites.reporting.misread_responses import MisreadResponses
from suites.reporting.response_body import MissingMember, read_body

Body = Any
Reader = Callable[[Body], object]
CLAUSES = ["BITVIS-METH-LIST-1"]
LIST = {"Flow-Request-Method": "LIST"}


class AlteredClient:
    """A client of the reference whose successes are altered."""

    def __init__(self, inner: Any, alter: Callable[[Body], None]) -> None:
        self.inner, self.alter = inner, alter

    def send(self, request: Request) -> Exchange:
        exchange: Exchange = self.inner.send(request)
        body = exchange.response.json()
        self.alter(body)
        return replace(exchange, response=replace(exchange.response, body=json.dumps(body).encode()))


def stopped(alter: Callable[[Body], None], read: Reader) -> tuple[Api, Exception]:
    """The API, and what stops a test that reads the altered list of addresses in that way."""
    api = in_process_api("bitvis")
    api._client = AlteredClient(api._client, alter)
    exchange = api.request("GET", "/api/address/address/address/", headers=LIST)
    with pytest.raises(Exception) as raised:  # noqa: PT011  # any exception at all
        read(read_body(exchange))
    assert isinstance(raised.value, Exception)
    return api, raised.value


def without(name: str) -> Callable[[Body], None]:
    """Leaves that member out of every record."""

    def alter(body: Body) -> None:
        for record in body["data"]:
            record.pop(name)

    return alter


def test_a_member_that_the_contract_requires_is_the_finding() -> None:
    api, error = stopped(lambda body: body.pop("dataType"), lambda body: body["dataType"])
    explained = MisreadResponses().explain(api, CLAUSES, error)
    assert isinstance(explained, ContractViolation)
    assert "dataType" in str(explained)
    assert "therefore" in str(explained)


def test_a_type_that_the_contract_excludes_is_the_finding() -> None:
    def name_as_number(body: Body) -> None:
        body["data"][0]["streetName"] = 7

    api, error = stopped(name_as_number, lambda body: body["data"][0]["streetName"].lower())
    explained = MisreadResponses().explain(api, CLAUSES, error)
    assert isinstance(explained, ContractViolation)
    assert "data[0].streetName: type" in str(explained)


def test_a_member_that_may_be_left_out_is_not_tested() -> None:
    api, error = stopped(without("streetLitteral"), lambda body: body["data"][0]["streetLitteral"])
    explained = MisreadResponses().explain(api, CLAUSES, error)
    assert isinstance(explained, MissingPrecondition)
    assert "/data/0/streetLitteral, which the document does not require" in str(explained)


def test_a_member_that_no_schema_names_is_a_finding_of_the_tests_clause() -> None:
    api, error = stopped(lambda _: None, lambda body: body["data"][0]["elsewhere"])
    explained = MisreadResponses().explain(api, CLAUSES, error)
    assert isinstance(explained, ContractViolation)
    assert (explained.clauses, "/data/*/elsewhere in the response" in str(explained)) == (tuple(CLAUSES), True)


def test_an_item_beyond_the_end_is_a_finding_of_the_tests_clause() -> None:
    api, error = stopped(lambda body: body.update(data=[], count=0), lambda body: body["data"][0])
    explained = MisreadResponses().explain(api, CLAUSES, error)
    assert isinstance(explained, ContractViolation)
    assert explained.clauses == tuple(CLAUSES)


def test_the_same_shape_blocks_the_next_test() -> None:
    api, error = stopped(lambda _: None, lambda body: body["data"][0]["elsewhere"])
    same_api, same_error = stopped(lambda _: None, lambda body: body["data"][1]["elsewhere"])
    misread = MisreadResponses()
    assert isinstance(misread.explain(api, CLAUSES, error), ContractViolation)
    blocked = misread.explain(same_api, CLAUSES, same_error)
    assert isinstance(blocked, MissingPrecondition)
    assert "blocked by BITVIS-METH-LIST-1" in str(blocked)


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("x"), AttributeError("x"), ZeroDivisionError("x")])
def test_an_error_that_no_response_explains_is_ours(error: Exception) -> None:
    api, _ = stopped(lambda _: None, lambda body: body["data"][0]["elsewhere"])
    assert MisreadResponses().explain(api, CLAUSES, error) is None


def test_a_finding_is_not_explained_away() -> None:
    api, _ = stopped(lambda body: body.pop("dataType"), lambda body: body["dataType"])
    assert MisreadResponses().explain(api, CLAUSES, AssertionError("a finding")) is None


def test_a_body_reads_as_plain_values() -> None:
    api = in_process_api("bitvis")
    exchange = api.request("GET", "/api/address/address/address/", headers=LIST)
    body = read_body(exchange)
    assert body == exchange.response.json()
    assert json.dumps(body) == json.dumps(exchange.response.json())
    assert body["data"][-1] == body["data"][len(body["data"]) - 1]
    assert body["data"][:1] == [body["data"][0]]
    assert body.get("elsewhere") is None


@pytest.mark.parametrize(
    "item", [lambda rows: rows[-2], lambda rows: rows[1:][0], lambda rows: list(rows)[1], lambda rows: [*rows, 0][1]]
)
def test_an_item_knows_its_place_however_it_is_reached(item: Callable[[Any], Any]) -> None:
    body = json.dumps([{"a": number} for number in range(3)]).encode()
    rows = read_body(Exchange(Request("GET", "http://127.0.0.1/"), Response(200, (), body)))
    with pytest.raises(MissingMember) as missing:
        item(rows)["b"]
    assert missing.value.path == ("1", "b")


def test_a_missing_member_says_its_place() -> None:
    api = in_process_api("bitvis")
    body = read_body(api.request("GET", "/api/address/address/address/", headers=LIST))
    with pytest.raises(MissingMember, match="expected /data/1/elsewhere in the response, got none"):
        body["data"][1]["elsewhere"]


def test_a_failure_that_did_not_repeat_is_the_failure() -> None:
    api, _ = stopped(lambda _: None, lambda body: body["data"][0]["elsewhere"])
    failure = AssertionError("a finding")
    group = ExceptionGroup("it did not repeat", [failure])
    assert MisreadResponses().explain(api, CLAUSES, group) is failure


def test_responses_that_differ_each_time_are_judged() -> None:
    api, _ = stopped(lambda body: body.pop("dataType"), lambda body: body["dataType"])
    explained = MisreadResponses().explain(api, CLAUSES, FlakyStrategyDefinition("it did not repeat"))
    assert isinstance(explained, ContractViolation)
