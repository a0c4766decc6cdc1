"""The judge of answers: what it finds, and whom it blames."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.exchange import Answer, Exchange
from contracts.judge import judge, refused
from suites.selftest.shop import exchange, shop

LINK = {"link": '<http://127.0.0.1/goods?cursor=25>; rel="next"'}
GOOD = {"goods": [{"id": 1}]}


def found(answer: Exchange) -> list[tuple[str, str, str]]:
    whole = shop()
    findings = judge(whole, whole.operations["GET /goods"], answer)
    return [(one.clause, one.expected, one.received) for one in findings]


def test_documented_answer_has_no_finding() -> None:
    assert found(exchange(body=GOOD, headers=LINK)) == []


def test_undocumented_status_is_found() -> None:
    assert found(exchange(302, body=GOOD, headers=LINK))[0][:2] == ("GETFLOW-PAGE-1", "a documented status (200, 4XX)")


def test_a_class_of_statuses_covers_each_of_them() -> None:
    assert found(exchange(418, body={"errors": [{}]})) == []


def test_wrong_media_type_is_found() -> None:
    assert "media type" in found(exchange(body=GOOD, headers={**LINK, "content-type": "text/plain"}))[0][1]


def test_parameters_of_a_media_type_do_not_matter() -> None:
    assert found(exchange(body=GOOD, headers={**LINK, "content-type": "Application/JSON; charset=utf-8"})) == []


def test_missing_header_is_blamed_on_its_own_clause() -> None:
    assert found(exchange(body=GOOD)) == [("GETFLOW-PAGE-6", "a header Link", "none")]


def test_wrong_type_is_blamed_on_the_nearest_clause() -> None:
    assert found(exchange(body={"goods": [{"id": "1"}]}, headers=LINK)) == [
        ("GETFLOW-NAME-3", "goods[0].id: type integer", '"1" is not of type "integer"')
    ]


def test_missing_property_is_blamed_on_the_operation_when_no_clause_is_nearer() -> None:
    assert found(exchange(body={}, headers=LINK))[0][0] == "GETFLOW-PAGE-1"


def test_half_of_a_surrogate_pair_is_found() -> None:
    told = found(exchange(body=b'{"goods": [{"id": "\\ud800"}]}', headers=LINK))
    assert [expected for _, expected, _ in told] == ["text that has a UTF-8 form"]


@pytest.mark.parametrize("body", [b"", b"{", b'{"goods": []} x', b"\xff", b'{"goods": NaN}', b"[" * 100_000])
def test_body_that_is_no_json_is_found(body: bytes) -> None:
    assert len(found(exchange(body=body, headers=LINK))) == 1


def test_broken_off_answer_is_found() -> None:
    broken = Exchange(exchange().sent, Answer(200, (), b"{", "answer broken off"))
    assert found(broken) == [("GETFLOW-PAGE-1", "a complete answer", "answer broken off")]


def test_head_needs_no_body() -> None:
    assert found(exchange(body=b"", headers=LINK, method="HEAD")) == []


def _alternatives(document: dict[str, Any]) -> None:
    ours = document["components"]["schemas"]["Goods"]
    document["components"]["schemas"]["Goods"] = {"anyOf": [{"type": "array"}, ours]}


def test_within_alternatives_the_nearest_miss_is_told() -> None:
    whole = shop(_alternatives)
    findings = judge(whole, whole.operations["GET /goods"], exchange(body={"goods": [{"id": "1"}]}, headers=LINK))
    assert [(one.clause, one.expected) for one in findings] == [("GETFLOW-NAME-3", "goods[0].id: type integer")]


def _as_csv(document: dict[str, Any]) -> None:
    response = document["paths"]["/goods"]["get"]["responses"]["200"]
    response["content"] = {"text/csv": {"schema": {"type": "string", "x-clause": "GETFLOW-GEN-1"}}}


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b'a,b\r\n1,"x, ""y""\r\nz"\r\n', 0),
        (b"a,b\r\n1,2,3\r\n", 1),
        (b'a,b\r\n1,"2"x\r\n', 1),
        (b"a,b\r\n\xe5,1\r\n", 1),
        (b"", 1),
    ],
)
def test_csv_is_rfc_4180_in_utf_8(body: bytes, number: int) -> None:
    whole = shop(_as_csv)
    csv = exchange(body=body, headers={**LINK, "content-type": "text/csv"})
    assert [one.clause for one in judge(whole, whole.operations["GET /goods"], csv)] == ["GETFLOW-GEN-1"] * number


def test_refusal_is_told_by_status() -> None:
    assert (refused(shop(), exchange(404).answer), refused(shop(), exchange(200).answer)) == (True, False)


def _by_pointer(document: dict[str, Any]) -> None:
    document["x-flowproof"]["error"] = {"refused": {"pointer": "/success", "equals": False}}


@pytest.mark.parametrize(
    ("body", "is_refused"), [({"success": False}, True), ({"success": True}, False), (b"{", False)]
)
def test_refusal_is_told_by_a_member_where_the_contract_says_so(body: Any, is_refused: bool) -> None:
    assert refused(shop(_by_pointer), exchange(200, body).answer) is is_refused
