"""The corpus: the same cases for the same seed, each as valid or as broken as it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from contracts.refusals import KINDS
from fixtures.cases import Case, render
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus.mutations import mutated
from suites.selftest.shop import query, shop

SETTINGS = {"TOKEN": "t0ken", "SHOP_ID": "52"}


def corpus(seed: int = 0) -> Corpus:
    return Corpus(shop(), EFFORTS["quick"], seed)


def sent(case: Case, label: str) -> Any:
    whole = shop()
    return render(whole, whole.operations[label], case, "http://127.0.0.1:1/shop", SETTINGS, lambda _: 52)


def listing(seed: int = 0) -> list[Case]:
    ours = corpus(seed)
    return mutated(ours, ours.contract.operations["GET /goods"])


def creating() -> list[Case]:
    ours = corpus()
    return mutated(ours, ours.contract.operations["POST /goods"])


def test_every_operation_stands_on_every_server() -> None:
    assert list(shop().operations) == ["GET /goods", "POST /goods", "GET /v2/goods", "POST /v2/goods"]


def test_plain_request_has_what_is_required_and_no_more() -> None:
    ours = corpus()
    plain = sent(ours.base(ours.contract.operations["GET /goods"]), "GET /goods")
    assert (plain.method, plain.url) == ("GET", "http://127.0.0.1:1/shop/goods?shop_id=52")
    assert dict(plain.headers)["Authorization"] == "Bearer t0ken"
    assert dict(plain.headers)["Accept"] == "application/json"


def test_headers_of_a_server_go_to_that_server_alone() -> None:
    ours = corpus()
    plain = sent(ours.base(ours.contract.operations["GET /v2/goods"]), "GET /v2/goods")
    assert "Accept" not in dict(plain.headers)


def test_documented_body_gets_the_values_that_exist_at_the_target() -> None:
    ours = corpus()
    plain = sent(ours.base(ours.contract.operations["POST /goods"]), "POST /goods")
    assert plain.body.decode() == '{"good": {"name": "Åsa", "shop_id": 52}}'


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_same_seed_gives_same_cases(seed: int) -> None:
    operation = shop().operations["POST /goods"]
    assert corpus(seed).valid(operation) == corpus(seed).valid(operation)
    assert listing(seed) == listing(seed)


def test_another_seed_gives_other_cases() -> None:
    operation = shop().operations["POST /goods"]
    assert corpus(1).valid(operation) != corpus(2).valid(operation)


def test_generated_requests_keep_the_schema() -> None:
    ours = Corpus(shop(), EFFORTS["default"], 0)
    whole = ours.contract
    operation = whole.operations["POST /goods"]
    assert operation.body is not None
    wrong = [
        case.body
        for case in ours.valid(operation)
        if not whole.validator(operation.body.schema).is_valid(
            {**case.body, "good": {**case.body["good"], "shop_id": 52}}
        )
    ]
    assert wrong == []


def test_boundaries_are_at_the_edges() -> None:
    ours = corpus()
    titles = {case.title for case in ours.boundaries(ours.contract.operations["GET /goods"])}
    assert {"query limit: minimum", "query limit: maximum"} <= titles


def test_every_kind_of_mutation_is_made_unless_it_does_not_apply() -> None:
    kinds = {case.mutation.kind for case in [*listing(), *creating()] if case.mutation}
    assert set(KINDS) - kinds == {"too_large", "not_in_enum", "unknown_record"}


def test_missing_parameter_is_the_only_difference() -> None:
    (case,) = [case for case in listing() if case.mutation and case.mutation.kind == "missing"]
    assert query(sent(case, "GET /goods")) == {}


def test_broken_values_break_their_schema() -> None:
    whole = shop()
    schema = {
        "type": "object",
        "required": ["good"],
        "properties": {"good": whole.schemas["NewGood"]["properties"]["good"]},
    }
    kinds = ("missing", "wrong_type", "out_of_range", "bad_format", "empty")
    broken = [case for case in creating() if case.mutation and case.mutation.kind in kinds]
    assert len(broken) > 5

    def filled(body: Any) -> Any:
        good = body.get("good")
        if isinstance(good, dict) and isinstance(good.get("shop_id"), dict) and "$known" in good["shop_id"]:
            return {**body, "good": {**good, "shop_id": 52}}
        return body

    assert [case.title for case in broken if whole.validator(schema).is_valid(filled(case.body))] == []


def test_titles_tell_mutations_apart() -> None:
    repeated = [title for title, count in Counter(case.title for case in creating()).items() if count > 1]
    assert repeated == []


@pytest.mark.parametrize(("state", "header"), [("none", None), ("empty", "Bearer"), ("wrong", "Bearer 01000")])
def test_credentials_can_be_left_out_empty_or_wrong(state: str, header: str | None) -> None:
    ours = corpus()
    case = replace(ours.base(ours.contract.operations["GET /goods"]), credentials=state)
    assert dict(sent(case, "GET /goods").headers).get("Authorization") == header
