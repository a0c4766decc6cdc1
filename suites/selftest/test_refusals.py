"""The judge of refusals: status class, code and attribute, and what a reading allows."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.judge import Finding
from contracts.refusals import Mutation, judge_refusal, rule
from suites.selftest.shop import exchange, shop

MISSING = Mutation("missing", "query", "shop_id")


def found(mutation: Mutation, status: int, body: Any, environ: dict[str, str] | None = None) -> list[Finding]:
    whole = shop()
    return judge_refusal(whole, whole.operations["GET /goods"], exchange(status, body), mutation, environ or {})


def payload(code: str, attribute: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "attribute": attribute}]}


def test_documented_refusal_has_no_finding() -> None:
    assert found(MISSING, 400, payload("missing_param", "shop_id")) == []


def test_accepted_broken_request_is_found() -> None:
    findings = found(MISSING, 200, {"goods": []})
    assert ("GETFLOW-ERR-10", "200, accepted") in [(one.clause, one.received) for one in findings]


@pytest.mark.parametrize(
    ("status", "code", "attribute", "expected"),
    [
        (422, "missing_param", "shop_id", "status 400"),
        (400, "invalid_attribute", "shop_id", "code missing_param"),
        (400, "missing_param", "limit", "attribute shop_id"),
    ],
)
def test_wrong_part_of_a_refusal_is_found(status: int, code: str, attribute: str, expected: str) -> None:
    (finding,) = found(MISSING, status, payload(code, attribute))
    assert finding.expected.startswith(expected)
    assert finding.clause == "GETFLOW-ERR-10"


def test_code_and_attribute_must_stand_in_one_error() -> None:
    both = {"errors": [{"code": "missing_param", "attribute": "limit"}, {"code": "other", "attribute": "shop_id"}]}
    assert [one.expected for one in found(MISSING, 400, both)] == ["attribute shop_id (missing: query shop_id)"]


def test_payload_without_its_shape_is_blamed_on_the_shape() -> None:
    assert "GETFLOW-ERR-5" in [one.clause for one in found(MISSING, 400, {"errors": []})]


def test_unstated_kind_may_be_accepted_and_refused() -> None:
    outside = Mutation("out_of_range", "query", "limit")
    link = exchange(200, {"goods": []}, {"link": "x"})
    whole = shop()
    assert judge_refusal(whole, whole.operations["GET /goods"], link, outside, {}) == []
    assert found(outside, 400, {"errors": [{}]}) == []


def test_server_error_is_no_refusal() -> None:
    assert len(found(Mutation("out_of_range", "query", "limit"), 500, {})) == 1


@pytest.mark.parametrize(
    ("environ", "number"),
    [
        ({}, 0),
        ({"GETFLOW_READING_6": "ignored"}, 0),
        ({"GETFLOW_READING_6": "refused"}, 1),
        ({"GETFLOW_READING_6": "any"}, 0),
    ],
)
def test_reading_decides_whether_acceptance_is_a_finding(environ: dict[str, str], number: int) -> None:
    whole = shop()
    accepted = exchange(200, {"goods": []}, {"link": "x"})
    mutation = Mutation("unknown", "query", "no_such_parameter")
    findings = judge_refusal(whole, whole.operations["GET /goods"], accepted, mutation, environ)
    assert len(findings) == number


def test_rule_of_the_place_wins_over_the_bare_kind() -> None:
    def scoped(document: dict[str, Any]) -> None:
        document["x-flowproof"]["refusals"]["query.missing"] = {"clause": "GETFLOW-ORG-1"}

    whole = shop(scoped)
    assert rule(whole, whole.operations["GET /goods"], MISSING)["clause"] == "GETFLOW-ORG-1"


def test_rule_at_the_parameter_wins_over_all() -> None:
    whole = shop()
    own = Mutation("missing", "query", "shop_id", {"missing": {"clause": "GETFLOW-ORG-1"}})
    assert rule(whole, whole.operations["GET /goods"], own)["clause"] == "GETFLOW-ORG-1"


def test_kind_without_a_rule_is_an_error_of_ours() -> None:
    whole = shop(lambda document: document["x-flowproof"]["refusals"].pop("missing"))
    with pytest.raises(KeyError, match=r"x-flowproof\.refusals\.missing"):
        rule(whole, whole.operations["GET /goods"], MISSING)
