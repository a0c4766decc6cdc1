"""Validators and judges agree about mutated responses, and a validator that accepts too much is detected."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import orjson
import pytest

import contracts
from loadtests.fuzz import judge_properties
from loadtests.fuzz.judge_properties import forget_validators, judges_agree, make
from loadtests.fuzz.judged_samples import judged_samples
from loadtests.fuzz.parser_properties import PropertyViolated
from loadtests.validation import http_validator, rpc_validator

SEED, INPUTS = 5, 10_000


@pytest.fixture(autouse=True)
def _fresh_validators() -> Iterator[None]:
    forget_validators()
    yield
    forget_validators()


def agree(inputs: int) -> None:
    """Runs so many inputs. Raises PropertyViolated for the first on which they disagree."""
    for number in range(inputs):
        rng = Random(SEED << 40 | number)
        data = make(rng)
        judges_agree(data, rng)


def test_validators_and_judges_agree_about_mutated_responses() -> None:
    agree(INPUTS)


def test_the_samples_are_of_every_api_and_transport() -> None:
    samples = judged_samples()
    assert {sample.api for sample in samples} == set(contracts.apis())
    assert {sample.request.address.scheme for sample in samples} == {"http", "ws", "deepstream", "deepstream-text"}


def test_the_samples_have_calls_over_http_and_refusals_on_every_way() -> None:
    ways = {
        (type(sample.intent).__name__, sample.request.address.scheme, sample.intent.invalid_case is not None)
        for sample in judged_samples()
    }
    frames = {("CallIntent", scheme, bad) for scheme in ("ws", "deepstream", "deepstream-text") for bad in (0, 1)}
    assert ways == frames | {
        ("CallIntent", "http", False),
        ("RequestIntent", "http", False),
        ("RequestIntent", "http", True),
    }


def accept_all(*_: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("module", "name", "worse"),
    [
        (http_validator, "parse_strictly", orjson.loads),
        (rpc_validator, "parse_strictly", orjson.loads),
        (http_validator, "is_too_deep", lambda _: False),
        (http_validator, "_refusal_check", lambda *_: None),
        (rpc_validator, "_refusal_check", lambda *_: accept_all),
    ],
)
def test_a_validator_that_accepts_too_much_is_detected(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, worse: object
) -> None:
    monkeypatch.setattr(module, name, worse)
    with pytest.raises(PropertyViolated):
        agree(INPUTS)


def test_a_journey_that_gets_another_value_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_properties, "read_json", lambda _: "another")
    with pytest.raises(PropertyViolated, match="the journey"):
        agree(INPUTS)
