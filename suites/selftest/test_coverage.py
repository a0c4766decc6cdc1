"""Coverage counts what travelled and nothing else, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.coverage import EXCHANGES, Coverage
from contracts.document import contract
from contracts.exchange import Answer, Exchange, Sent
from contracts.points import points
from contracts.refusals import Mutation
from fixtures.api import Api
from fixtures.targets import Target
from suites.selftest.shop import shop

URL = "http://127.0.0.1"
LIST, MAKE = "GET /goods", "POST /goods"


def call(
    target: str = "/goods", method: str = "GET", body: bytes = b"", got: Any = None, status: int = 200, **headers: str
) -> Exchange:
    """An exchange with the shop; `got` is the answer's JSON."""
    sent = Sent(method, f"{URL}{target}", tuple(headers.items()), body)
    return Exchange(sent, Answer(status, (("Content-Type", "application/json"),), json.dumps(got).encode()))


def make(good: Any, **more: Any) -> Exchange:
    """An exchange that makes this good."""
    return call("/goods", "POST", json.dumps({"good": good}).encode(), **more)


def counted(*exchanges: Exchange, mutation: Mutation | None = None, change: Any = None) -> dict[str, dict[str, int]]:
    """What these exchanges exercise: by operation, then "where: what"."""
    seen = Coverage(shop(change), URL)
    for one in exchanges:
        operation = next(iter(seen.contract.operations.values())) if mutation and one.sent.method == "GET" else None
        operation = seen.contract.operations[MAKE] if mutation and one.sent.method == "POST" else operation
        seen.add(one, operation, mutation)
    return {
        label: {key.partition("\t")[2].replace("\t", ": "): count for key, count in counts.items()}
        for label, counts in seen.counts().items()
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
    ("limit", "what"),
    [
        (1, "at the minimum 1"),
        (0, "below the minimum 1"),
        (100, "at the maximum 100"),
        (101, "above the maximum 100"),
    ],
)
def test_a_limit_is_reached_or_passed_exactly(limit: int, what: str) -> None:
    found = counted(call(f"/goods?shop_id=1&limit={limit}"), call("/goods?limit=50"))[LIST]
    assert {key: count for key, count in found.items() if key.startswith("query limit: ")} == {
        "query limit: sent": 2,
        f"query limit: {what}": 1,
    }


@pytest.mark.parametrize(("length", "what"), [(1, "as short as 1"), (20, "as long as 20"), (21, "longer than 20")])
def test_a_length_counts_characters(length: int, what: str) -> None:
    assert counted(make({"name": "å" * length}))[MAKE][f"body.good.name: {what}"] == 1


def test_a_parameter_is_sent_or_left_out() -> None:
    found = counted(call("/goods?shop_id=1&limit=5"), call("/goods?shop_id=1"), call("/goods"))[LIST]
    assert (found["query limit: sent"], found["query limit: left out"], found["query shop_id: left out"]) == (1, 2, 1)


def test_a_listed_value_that_was_not_sent_is_not_exercised() -> None:
    found = counted(call("/goods?order=name"), change=listed)[LIST]
    there_is = {f"{one.where}: {one.what}" for one in points(shop(listed), shop(listed).operations[LIST])}
    values = {'query order: value "name"', 'query order: value "price"', "query order: a value not listed"}
    assert values <= there_is
    assert values & set(found) == {'query order: value "name"'}


def test_a_broken_request_exercises_what_is_broken_and_nothing_else_of_it() -> None:
    found = counted(call("/goods?shop_id=1&limit=101"), mutation=Mutation("out_of_range", "query", "limit"))[LIST]
    assert {key for key in found if key.startswith(("query", "broken"))} == {
        "query limit: sent",
        "query limit: above the maximum 100",
        "broken requests: out of range",
    }


def test_a_request_without_credentials_exercises_no_parameter() -> None:
    found = counted(call("/goods?shop_id=1"), mutation=Mutation("no_credentials"))[LIST]
    assert {key for key in found if key.startswith(("query", "broken"))} == {"broken requests: no credentials"}


def test_a_member_of_an_answer_is_present_absent_or_null() -> None:
    answer = {"goods": [{"id": 1}, {"id": 2, "note": None}, {"id": 3, "note": "x"}]}
    found = counted(call(got=answer), call(got={"goods": []}), change=described)[LIST]
    note = {key: count for key, count in found.items() if key.startswith("Goods.goods[].note")}
    assert note == {f"Goods.goods[].note: {what}": 1 for what in ("present", "absent", "null")}
    assert "Goods.goods[].id: absent" not in found  # it is required, so that is the judge's


def test_an_alternative_of_an_answer_is_told_from_the_others() -> None:
    found = counted(call(got={"goods": [{"id": 1, "state": 7}]}), change=described)[LIST]
    assert [key for key in found if "alternative" in key] == ["Goods.goods[].state: alternative 2: type integer"]


def test_a_point_is_counted_once_for_an_exchange() -> None:
    assert counted(call(got={"goods": [{"id": 1}, {"id": 2}]}))[LIST]["Goods.goods[].id: present"] == 1


def test_statuses_count_for_their_class_and_media_types_for_it() -> None:
    found = counted(call(status=418, got={"errors": [{}]}))[LIST]
    assert found["status: class 4XX"] == found["media type: application/json with 4XX"] == 1
    assert "status: 200" not in found


def test_the_server_tells_the_operation_too() -> None:
    assert set(counted(call("/v2/goods"), call("/goods"))) == {LIST, "GET /v2/goods"}


@pytest.mark.parametrize(("method", "target"), [("GET", "/nothing"), ("PATCH", "/goods"), ("FRAME", "/goods")])
def test_what_fits_no_operation_is_a_stranger(method: str, target: str) -> None:
    seen = Coverage(shop(), URL)
    seen.add(call(target, method))
    assert (seen.counts(), seen.strangers) == ({}, 1)


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
    seen = Coverage(contract("bitvis"), URL)
    seen.add(call(path + query, **headers))
    assert list(seen.counts()) == ([f"GET {path} {label}"] if label else [])


def test_a_value_in_the_path_is_read() -> None:
    seen = Coverage(contract("getflow"), URL)
    seen.add(call("/tasks/2147483648"))
    assert seen.counts()["GET /tasks/{task_id}"]["request\tpath task_id\tabove the maximum 2147483647"] == 1


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["good", "goods", "name", "errors", "id"]), inner),
    max_leaves=6,
)
BYTES = st.binary() | ANY.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    body=BYTES,
    answer=BYTES,
    status=st.integers(0, 999),
    query=st.text(),
    kind=st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/csv", "; ;", ""]),
    method=st.sampled_from(["GET", "POST"]),
)
def test_garbage_never_raises(body: bytes, answer: bytes, status: int, query: str, kind: str, method: str) -> None:
    seen = Coverage(shop(), URL)
    sent = Sent(method, f"{URL}/goods?shop_id={'9' * 5000}&{query}", (("content-type", kind),), body)
    got = Exchange(sent, Answer(status, (("content-type", kind),), answer))
    seen.add(got)
    seen.add(got, seen.contract.operations[LIST], Mutation("wrong_type", "query", "limit"))
    assert sum(counts[EXCHANGES] for counts in seen.counts().values()) == 2


@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback", "getflow"])
def test_every_operation_has_points_of_both_sides_and_no_point_twice(api: str) -> None:
    for operation in contract(api).operations.values():
        found = points(contract(api), operation)
        assert {one.side for one in found} == {"request", "answer"}
        assert len({one.key for one in found}) == len(found)


def test_every_exchange_is_observed_with_what_it_was_meant_to_be() -> None:
    class Echo:
        def send(self, sent: Sent) -> Exchange:
            return Exchange(sent, Answer(200))

    api = Api(Target("getflow", URL, {}, writes=True, embedded=True), Echo())
    seen: list[Any] = []
    api.observe = lambda *what: seen.append(what)
    made = api.exchange(Sent("GET", f"{URL}/tasks"))
    twin = api.other(TOKEN="x").exchange(Sent("GET", f"{URL}/lists"))
    assert seen == [(made, None, None), (twin, None, None)]
