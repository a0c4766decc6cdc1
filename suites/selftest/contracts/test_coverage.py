"""Coverage counts what travelled and nothing else, whatever the bytes are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contracts
from contracts.coverage.coverage_counter import EXCHANGES, CoverageCounter
from contracts.coverage.operation_plan import coverage_points
from contracts.exchange import Exchange, Request, Response
from contracts.judge.refusal_judge import InvalidCase
from contracts.openapi import load_contract
from fixtures.target_api import Api
from fixtures.targets import Target
from suites.selftest.shop import shop

URL = "http://127.0.0.1"
LIST, CREATE = "GET /goods", "POST /goods"


def call(
    target: str = "/goods", method: str = "GET", body: bytes = b"", value: Any = None, status: int = 200, **headers: str
) -> Exchange:
    """An exchange with the shop; `value` is the response's JSON."""
    request = Request(method, f"{URL}{target}", tuple(headers.items()), body)
    return Exchange(request, Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode()))


def create(good: Any, **more: Any) -> Exchange:
    """An exchange that creates this good."""
    return call("/goods", "POST", json.dumps({"good": good}).encode(), **more)


def counted(
    *exchanges: Exchange, invalid_case: InvalidCase | None = None, change: Any = None
) -> dict[str, dict[str, int]]:
    """How often these exchanges exercise each point: by operation, then "display path: description"."""
    counter = CoverageCounter(shop(change), URL)
    for exchange in exchanges:
        label = LIST if exchange.request.method == "GET" else CREATE
        counter.add(exchange, counter.contract.operations[label] if invalid_case else None, invalid_case)
    return {
        label: {key.partition("\t")[2].replace("\t", ": "): count for key, count in counts.items()}
        for label, counts in counter.counts().items()
    }


def listed(document: dict[str, Any]) -> None:
    """The shop with an order that is one of two."""
    order = {"in": "query", "name": "order", "schema": {"type": "string", "enum": ["name", "price"]}}
    document["paths"]["/goods"]["get"]["parameters"].append(order)


def described(document: dict[str, Any]) -> None:
    """The shop with goods that may have a note, which is a text or null, and a state that is one of two."""
    good = document["components"]["schemas"]["Goods"]["properties"]["goods"]["items"]["properties"]
    good |= {"note": {"type": ["string", "null"]}, "state": {"anyOf": [{"const": "new"}, {"type": "integer"}]}}


@pytest.mark.parametrize(
    ("limit", "description"),
    [
        (1, "at the minimum 1"),
        (0, "below the minimum 1"),
        (100, "at the maximum 100"),
        (101, "above the maximum 100"),
    ],
)
def test_a_limit_is_reached_or_passed_exactly(limit: int, description: str) -> None:
    counts = counted(call(f"/goods?shop_id=1&limit={limit}"), call("/goods?limit=50"))[LIST]
    assert {key: count for key, count in counts.items() if key.startswith("query limit: ")} == {
        "query limit: sent": 2,
        f"query limit: {description}": 1,
    }


@pytest.mark.parametrize(
    ("length", "description"), [(1, "as short as 1"), (20, "as long as 20"), (21, "longer than 20")]
)
def test_a_length_counts_characters(length: int, description: str) -> None:
    assert counted(create({"name": "å" * length}))[CREATE][f"body.good.name: {description}"] == 1


def test_a_parameter_is_sent_or_left_out() -> None:
    counts = counted(call("/goods?shop_id=1&limit=5"), call("/goods?shop_id=1"), call("/goods"))[LIST]
    assert (counts["query limit: sent"], counts["query limit: left out"], counts["query shop_id: left out"]) == (
        1,
        2,
        1,
    )


def test_a_listed_value_that_was_not_sent_is_not_exercised() -> None:
    counts = counted(call("/goods?order=name"), change=listed)[LIST]
    points = coverage_points(shop(listed), shop(listed).operations[LIST])
    values = {'query order: value "name"', 'query order: value "price"', "query order: a value not listed"}
    assert values <= {f"{point.display_path}: {point.description}" for point in points}
    assert values & set(counts) == {'query order: value "name"'}


def test_an_invalid_request_exercises_the_invalid_value_and_nothing_else_of_it() -> None:
    counts = counted(call("/goods?shop_id=1&limit=101"), invalid_case=InvalidCase("out_of_range", "query", "limit"))[
        LIST
    ]
    assert {key for key in counts if key.startswith(("query", "invalid"))} == {
        "query limit: sent",
        "query limit: above the maximum 100",
        "invalid requests: out of range",
    }


def test_a_request_without_credentials_exercises_no_parameter() -> None:
    counts = counted(call("/goods?shop_id=1"), invalid_case=InvalidCase("no_credentials"))[LIST]
    assert {key for key in counts if key.startswith(("query", "invalid"))} == {"invalid requests: no credentials"}


def test_a_member_of_a_response_is_present_absent_or_null() -> None:
    goods = {"goods": [{"id": 1}, {"id": 2, "note": None}, {"id": 3, "note": "x"}]}
    counts = counted(call(value=goods), call(value={"goods": []}), change=described)[LIST]
    note = {key: count for key, count in counts.items() if key.startswith("Goods.goods[].note")}
    assert note == {f"Goods.goods[].note: {what}": 1 for what in ("present", "absent", "null")}
    assert "Goods.goods[].id: absent" not in counts  # it is required, so that is the judge's


def test_an_alternative_of_a_response_is_told_from_the_others() -> None:
    counts = counted(call(value={"goods": [{"id": 1, "state": 7}]}), change=described)[LIST]
    assert [key for key in counts if "alternative" in key] == ["Goods.goods[].state: alternative 2: type integer"]


def test_a_point_is_counted_once_for_an_exchange() -> None:
    assert counted(call(value={"goods": [{"id": 1}, {"id": 2}]}))[LIST]["Goods.goods[].id: present"] == 1


def test_statuses_count_for_their_class_and_media_types_for_it() -> None:
    counts = counted(call(status=418, value={"errors": [{}]}))[LIST]
    assert counts["status: class 4XX"] == counts["media type: application/json with 4XX"] == 1
    assert "status: 200" not in counts


def test_the_server_tells_the_operation_too() -> None:
    assert set(counted(call("/v2/goods"), call("/goods"))) == {LIST, "GET /v2/goods"}


@pytest.mark.parametrize(("method", "target"), [("GET", "/nothing"), ("PATCH", "/goods"), ("FRAME", "/goods")])
def test_request_that_fits_no_operation_is_unmatched(method: str, target: str) -> None:
    counter = CoverageCounter(shop(), URL)
    counter.add(call(target, method))
    assert (counter.counts(), counter.unmatched) == ({}, 1)


@pytest.mark.parametrize(
    ("headers", "query", "label"),
    [
        ({"flow-request-method": "OPEN", "Flow-Request-ObjectId": "1"}, "", "OPEN by header"),
        ({"Flow-Request-Method": "LIST"}, "", "LIST by header"),
        ({}, "?method=LIST&namespace=inventory%2Fdevice", "LIST by query in a namespace"),
        ({}, "?method=NOTHING", None),
    ],
)
def test_a_call_is_told_by_its_name_and_its_parts(headers: dict[str, str], query: str, label: str | None) -> None:
    path = "/api/inventory/inventory/device/"
    counter = CoverageCounter(load_contract("bitvis"), URL)
    counter.add(call(path + query, **headers))
    assert list(counter.counts()) == ([f"GET {path} {label}"] if label else [])


def test_a_value_in_the_path_is_read() -> None:
    counter = CoverageCounter(load_contract("getflow"), URL)
    counter.add(call("/tasks/2147483648"))
    assert counter.counts()["GET /tasks/{task_id}"]["request\tpath task_id\tabove the maximum 2147483647"] == 1


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["good", "goods", "name", "errors", "id"]), inner),
    max_leaves=6,
)
BYTES = st.binary() | ANY.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    body=BYTES,
    response=BYTES,
    status=st.integers(0, 999),
    query=st.text(),
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/csv", "; ;", ""]),
    method=st.sampled_from(["GET", "POST"]),
)
def test_garbage_never_raises(body: bytes, response: bytes, status: int, query: str, kind: str, method: str) -> None:
    counter = CoverageCounter(shop(), URL)
    request = Request(method, f"{URL}/goods?shop_id={'9' * 5000}&{query}", (("content-type", kind),), body)
    exchange = Exchange(request, Response(status, (("content-type", kind),), response))
    counter.add(exchange)
    counter.add(exchange, counter.contract.operations[LIST], InvalidCase("wrong_type", "query", "limit"))
    assert sum(counts[EXCHANGES] for counts in counter.counts().values()) == 2


@pytest.mark.parametrize("api", contracts.apis())
def test_every_operation_has_points_of_both_sides_and_no_point_twice(api: str) -> None:
    for operation in load_contract(api).operations.values():
        points = coverage_points(load_contract(api), operation)
        assert {point.side for point in points} == {"request", "response"}
        assert len({point.key for point in points}) == len(points)


def test_every_exchange_is_observed_with_what_it_was_meant_to_be() -> None:
    class Echo:
        def send(self, request: Request) -> Exchange:
            return Exchange(request, Response(200))

    api = Api(Target("getflow", URL, {}, writes=True, embedded=True), Echo())
    observed: list[Any] = []
    api.observer = lambda *arguments: observed.append(arguments)
    first = api.send_request(Request("GET", f"{URL}/tasks"))
    second = api.with_settings(TOKEN="x").send_request(Request("GET", f"{URL}/lists"))
    assert observed == [(first, None, None), (second, None, None)]
