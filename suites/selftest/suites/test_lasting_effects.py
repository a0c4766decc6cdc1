"""Tests of what tells state that leaks from records that come and go."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.exchange import Exchange
from contracts.judge.refusal_judge import InvalidCase
from fixtures.corpus import EFFORTS, corpus
from fixtures.target_api import Api
from suites.generic.lasting_effects import Answer, Probe, others_of, probes_of
from suites.mutation.reference_apis import in_process_api


def not_sent(_api: Api) -> Exchange:
    """Stands for a request that these tests do not send."""
    raise NotImplementedError


def answer(status: int = 200, language: str | None = None, **values: Any) -> Answer:
    """An answer whose body has these members."""
    return Answer(status, language, status >= 400, {(name,): value for name, value in values.items()})


PROBE = Probe(not_sent, answer(count=3, request_id="a"), answer(count=3, request_id="b"))


def test_what_always_differs_is_no_difference() -> None:
    assert PROBE.difference(answer(count=3, request_id="c")) is None


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (answer(401), ("status 200", "status 401")),
        (answer(language="de", count=3), ("the language None", "de")),
        (answer(count=4, request_id="c"), ("count 3", "4")),
        (answer(request_id="c"), ("count 3", "None")),
    ],
)
def test_a_difference_is_named(after: Answer, expected: tuple[str, str]) -> None:
    assert PROBE.difference(after) == expected


def test_an_answer_to_another_request_is_recognised() -> None:
    assert PROBE.has_become(answer(count=1, request_id="c"), answer(count=1, request_id="d"))


def test_a_list_with_new_records_is_not_the_other_answer() -> None:
    longer = answer(count=4, added="x", request_id="c")
    assert not PROBE.has_become(longer, longer)


def test_an_unchanged_answer_has_not_become_the_other() -> None:
    assert not PROBE.has_become(answer(count=3, request_id="c"), answer(count=3, request_id="d"))


@pytest.mark.parametrize("effort", ["quick", "default", "deep"])
def test_as_many_reads_are_sent_between_as_the_effort_asks_for(effort: str) -> None:
    api, count = in_process_api("flowback"), {"quick": 1, "default": 3, "deep": 8}[effort]
    cases = corpus("flowback", EFFORTS[effort], 0)
    operation = api.contract.operations["GET /users"]
    titles = [title for title, _ in others_of(api, cases, operation, count)]
    valid = {case.title for case in (*cases.examples(operation), *cases.boundaries(operation), *cases.valid(operation))}
    assert len([title for title in titles if title in valid]) == min(count, len(valid) - 1)


def test_what_is_asked_in_vain_is_known_to_be_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    api, noted = in_process_api("getflow"), list[InvalidCase | None]()
    cases, operation = corpus("getflow", EFFORTS["quick"], 0), api.contract.operations["PUT /v2/tasks/{task_id}"]
    monkeypatch.setattr(api.invalid_records, "note", lambda _exchange, _texts, invalid_case: noted.append(invalid_case))
    probes_of(api, cases, operation)
    assert [case for case in noted if case is not None]
