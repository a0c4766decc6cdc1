"""The judge of refusals: status class, code and attribute, and what a reading allows."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import ContractError
from contracts.judge.http_judge import Finding
from contracts.judge.refusal_judge import (
    InvalidCase,
    judge_refusal,
    may_be_accepted,
    payload_problems,
    readings_left_open,
    refusal_problems,
    refusal_rule,
)
from suites.selftest.contracts.one_operation import contract_with, only_operation
from suites.selftest.shop import exchange, shop

MISSING = InvalidCase("missing", "query", "shop_id")
LINK = {"link": "x"}


def findings(case: InvalidCase, status: int, body: Any, environ: dict[str, str] | None = None) -> list[Finding]:
    contract = shop()
    received = exchange(status, body, LINK)
    judged = judge_refusal(contract, contract.operations["GET /goods"], received, case, environ or {})
    assert all(finding.exchange is received for finding in judged)
    return judged


def payload(code: str, attribute: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "attribute": attribute}]}


def test_documented_refusal_has_no_finding() -> None:
    assert findings(MISSING, 400, payload("missing_param", "shop_id")) == []


def test_accepted_invalid_request_is_found() -> None:
    (finding,) = findings(MISSING, 200, {"goods": []})
    assert (finding.clause, finding.expected, finding.received) == (
        "GETFLOW-ERR-10",
        "a refusal (missing: query shop_id)",
        "200, accepted",
    )


@pytest.mark.parametrize(
    ("status", "code", "attribute", "expected", "received"),
    [
        (422, "missing_param", "shop_id", "status 400", "422"),
        (400, "invalid_attribute", "shop_id", "code missing_param", "invalid_attribute"),
        (400, "missing_param", "limit", "attribute shop_id", "limit"),
    ],
)
def test_wrong_part_of_a_refusal_is_found(status: int, code: str, attribute: str, expected: str, received: str) -> None:
    (finding,) = findings(MISSING, status, payload(code, attribute))
    assert (finding.expected, finding.received) == (f"{expected} (missing: query shop_id)", received)
    assert finding.clause == "GETFLOW-ERR-10"


def test_code_and_attribute_must_stand_in_one_error() -> None:
    both = {"errors": [{"code": "missing_param", "attribute": "limit"}, {"code": "other", "attribute": "shop_id"}]}
    assert [finding.expected for finding in findings(MISSING, 400, both)] == [
        "attribute shop_id (missing: query shop_id)"
    ]


def test_payload_that_breaks_its_schema_is_blamed_on_the_clause_of_the_schema() -> None:
    assert "GETFLOW-ERR-5" in [finding.clause for finding in findings(MISSING, 400, {"errors": []})]


def test_payload_that_breaks_no_nearer_clause_is_blamed_on_the_rule_and_not_on_the_operation() -> None:
    judged = findings(MISSING, 400, {})
    assert {finding.clause for finding in judged} == {"GETFLOW-ERR-10"}
    assert (judged[0].expected, judged[0].received) == ("body: the member errors", "no members")


def test_response_without_a_rule_that_names_a_clause_is_blamed_on_the_operation() -> None:
    (finding,) = findings(InvalidCase("out_of_range", "query", "limit"), 400, {})
    assert finding.clause == "GETFLOW-PAGE-1"


def test_payload_that_is_no_json_has_one_finding() -> None:
    (finding,) = findings(MISSING, 400, b"{")
    assert (finding.clause, finding.expected) == ("GETFLOW-ERR-10", "a body of JSON in UTF-8")


def test_response_to_head_is_not_looked_into() -> None:
    contract = shop()
    received = exchange(422, b"", method="HEAD")
    assert judge_refusal(contract, contract.operations["GET /goods"], received, MISSING, {}) == []


def test_unstated_kind_may_be_accepted_and_refused() -> None:
    outside = InvalidCase("out_of_range", "query", "limit")
    assert findings(outside, 200, {"goods": []}) == []
    assert findings(outside, 400, {"errors": [{}]}) == []


def test_server_error_is_no_refusal() -> None:
    assert len(findings(InvalidCase("out_of_range", "query", "limit"), 500, {})) == 1


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
    case = InvalidCase("unknown", "query", "no_such_parameter")
    assert len(findings(case, 200, {"goods": []}, environ)) == number


@pytest.mark.parametrize(
    ("accepted", "environ", "expected"),
    [
        (None, {}, False),
        ({}, {}, False),
        ({"GETFLOW-AMB-6": "ignored"}, {"GETFLOW_READING_6": "ignored"}, True),
        ({"GETFLOW-AMB-6": "ignored"}, {"GETFLOW_READING_6": "refused"}, False),
        ({"GETFLOW-AMB-6": "ignored"}, {"GETFLOW_READING_6": "any"}, True),
        (
            {"GETFLOW-AMB-6": "ignored", "GETFLOW-AMB-7": "ignored"},
            {"GETFLOW_READING_6": "ignored", "GETFLOW_READING_7": "ignored"},
            True,
        ),
        (
            {"GETFLOW-AMB-6": "ignored", "GETFLOW-AMB-7": "ignored"},
            {"GETFLOW_READING_6": "ignored", "GETFLOW_READING_7": "refused"},
            False,
        ),
        (
            {"GETFLOW-AMB-6": "ignored", "GETFLOW-AMB-7": "ignored"},
            {"GETFLOW_READING_6": "refused", "GETFLOW_READING_7": "ignored"},
            False,
        ),
    ],
)
def test_invalid_request_may_be_accepted_only_if_all_readings_allow_it(
    accepted: dict[str, str] | None, environ: dict[str, str], expected: bool
) -> None:
    assert may_be_accepted({"accepted": accepted}, environ) is expected
    assert may_be_accepted({}, environ) is False


VALUE, OPERATION, API = {"clause": "TODO-VALUE-1"}, {"clause": "TODO-OPERATION-1"}, {"clause": "TODO-API-1"}
BARE, SCOPED = "missing", "query.missing"


@pytest.mark.parametrize(
    ("value_rules", "operation_rules", "api_rules", "expected"),
    [
        ({BARE: VALUE}, {BARE: OPERATION}, {BARE: API}, VALUE),
        ({BARE: VALUE}, {SCOPED: OPERATION}, {SCOPED: API}, VALUE),
        ({}, {BARE: OPERATION}, {BARE: API}, OPERATION),
        ({}, {BARE: OPERATION}, {SCOPED: API}, OPERATION),
        (None, {SCOPED: OPERATION}, {BARE: API}, OPERATION),
        ({}, {}, {BARE: API}, API),
        (None, {}, {SCOPED: API}, API),
        ({}, {}, {SCOPED: API, BARE: OPERATION}, API),
        ({}, {SCOPED: OPERATION, BARE: API}, {}, OPERATION),
        ({SCOPED: VALUE, BARE: API}, {}, {}, VALUE),
        ({"header.missing": VALUE}, {"body.missing": VALUE}, {BARE: API}, API),
        ({"empty": VALUE}, {"empty": VALUE}, {BARE: API}, API),
    ],
)
def test_rule_of_the_value_comes_before_the_operations_and_that_before_the_apis(
    value_rules: Any, operation_rules: Any, api_rules: Any, expected: Any
) -> None:
    contract = contract_with(refusals=api_rules, **{"x-refusals": operation_rules})
    case = InvalidCase("missing", "query", "q", value_rules)
    assert refusal_rule(contract, only_operation(contract), case) == expected


def test_kind_without_a_rule_is_an_error_of_ours() -> None:
    contract = contract_with(refusals={"empty": API})
    with pytest.raises(
        ContractError, match=r"todo: there is no rule for missing: expected one in x-flowproof\.refusals"
    ):
        refusal_rule(contract, only_operation(contract), MISSING)


@pytest.mark.parametrize(
    ("status", "classes", "is_wrong"),
    [
        (400, None, False),
        (499, None, False),
        (500, None, True),
        (399, None, True),
        (400, ["400"], False),
        (401, ["400"], True),
        (401, ["400", "401"], False),
        (402, ["400", "401"], True),
        (200, ["200", "4XX"], False),
        (404, ["200", "4XX"], False),
    ],
)
def test_status_is_one_of_the_rule_or_its_class(status: int, classes: list[str] | None, is_wrong: bool) -> None:
    rule = {"clause": "TODO-ERR-1", **({"status": classes} if classes else {})}
    problems = list(refusal_problems(contract_with(), rule, MISSING, status, {}))
    named = f"status {' or '.join(classes or ['4XX'])} (missing: query shop_id)"
    assert problems == ([(named, str(status))] if is_wrong else [])


ERROR_FORMAT = {"refused": {"status": "4XX"}, "code": "/errors/*/code", "attribute": "/errors/*/attribute"}


@pytest.mark.parametrize(
    ("rule", "errors", "expected"),
    [
        ({}, [], []),
        ({"code": ["a"]}, [{"code": "a"}], []),
        ({"code": ["a", "b"]}, [{"code": "b"}], []),
        ({"code": ["1"]}, [{"code": 1}], []),
        ({"code": ["a"]}, [{"code": "b"}, {"code": "c"}], [("code a (missing: query shop_id)", "b, c")]),
        ({"code": ["a", "b"]}, [], [("code a or b (missing: query shop_id)", "no code")]),
        ({"code": ["a"]}, ["a"], [("code a (missing: query shop_id)", "no code")]),
        ({"code": ["a"], "attribute": "name"}, [{"code": "a", "attribute": "shop_id"}], []),
        (
            {"code": ["a"], "attribute": "name"},
            [{"code": "a"}],
            [("attribute shop_id (missing: query shop_id)", "no attribute")],
        ),
        (
            {"code": ["a"], "attribute": "name"},
            [{"code": "b"}],
            [("code a (missing: query shop_id)", "b")],
        ),
        (
            {"attribute": "name"},
            [{"attribute": "x"}, {"attribute": None}, {"attribute": "y"}],
            [("attribute shop_id (missing: query shop_id)", "x, y")],
        ),
        ({"attribute": "absent_or_any"}, [{"attribute": "x"}], []),
        ({"code": ["a"]}, [{"code": None}], [("code a (missing: query shop_id)", "None")]),
    ],
    ids=str,
)
def test_code_and_attribute_are_those_of_the_rule(
    rule: dict[str, Any], errors: list[Any], expected: list[tuple[str, str]]
) -> None:
    contract = contract_with(error=ERROR_FORMAT)
    assert list(payload_problems(contract, rule, MISSING, {"errors": errors})) == expected


def test_code_may_stand_on_top_of_the_payload() -> None:
    contract = contract_with(error={"refused": {"status": "4XX"}, "code": "/code"})
    assert list(payload_problems(contract, {"code": ["a"]}, MISSING, {"code": "a"})) == []
    assert len(list(payload_problems(contract, {"code": ["a"]}, MISSING, {"code": "b"}))) == 1


def test_every_wrong_part_of_a_refusal_is_found() -> None:
    contract = contract_with(error=ERROR_FORMAT)
    problems = list(refusal_problems(contract, {"code": ["a"]}, MISSING, 500, {"errors": [{"code": "b"}]}))
    assert problems == [("status 4XX (missing: query shop_id)", "500"), ("code a (missing: query shop_id)", "b")]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (InvalidCase("wrong_type", "query", "limit"), "wrong type: query limit"),
        (InvalidCase("no_body", "body"), "no body: body"),
        (InvalidCase("no_credentials"), "no credentials"),
    ],
)
def test_invalid_case_is_written_in_words(case: InvalidCase, text: str) -> None:
    assert str(case) == text


@pytest.mark.parametrize(
    ("rule", "readings"),
    [
        ({"unstated": "GETFLOW-AMB-5"}, ("GETFLOW-AMB-5",)),
        (
            {"clause": "GETFLOW-ERR-1", "accepted": {"GETFLOW-AMB-6": "x", "GETFLOW-AMB-7": "y"}},
            ("GETFLOW-AMB-6", "GETFLOW-AMB-7"),
        ),
        ({"clause": "GETFLOW-ERR-1"}, ()),
    ],
)
def test_a_rule_names_the_readings_that_leave_a_refusal_open(rule: dict[str, Any], readings: tuple[str, ...]) -> None:
    assert readings_left_open(rule) == readings


def test_an_invalid_case_has_no_label_unless_it_is_given_one() -> None:
    assert InvalidCase("missing", "query", "x").label == ""
    assert InvalidCase("missing", label="x") == InvalidCase("missing", label="y")
