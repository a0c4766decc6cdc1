"""Facts about what is said once for all operations of a record: outcomes by sort of question, messages by outcome."""

from __future__ import annotations

import pytest

from contracts.behaviour.behaviour import Address, Behaviour
from reports.drift.usual_answers import UsualAnswers, usual_answers, with_usual, without_usual

REFUSED = "400 application/json bad_value"


def answers(operation: str, title: str, message: str, outcome: str = REFUSED) -> dict[Address, Behaviour]:
    """A refused question."""
    return {
        Address(operation, "", "outcome", title): Behaviour(outcome),
        Address(operation, "", "message", title): Behaviour(message),
    }


def of_three(titles: list[str], wording: str) -> dict[Address, Behaviour]:
    """The questions of three operations, each with that message."""
    return {
        address: it
        for number in range(3)
        for title in titles
        for address, it in answers(f"GET /{number}", title, wording).items()
    }


def test_a_message_of_several_sorts_is_said_once_for_their_outcome() -> None:
    usual = usual_answers(of_three(["missing: query id", "wrong type: query id = 7"], "no"))
    assert (usual.texts, usual.messages) == ({"400 bad_value": "no"}, {})


def test_a_sort_with_a_message_of_its_own_has_it_beside_its_outcome() -> None:
    facts = of_three(["missing: query id", "empty: query id"], "no") | of_three(["unknown: query id"], "what?")
    assert usual_answers(facts).messages == {"unknown": "what?"}


def test_an_outcome_of_few_operations_has_no_usual_message() -> None:
    assert usual_answers(answers("GET /0", "missing: query id", "no")).texts == {}


@pytest.mark.parametrize("last", ["no", "No such task_id", "No such task", "{name} {record}"])
@pytest.mark.parametrize("title", ["unknown record: path task_id", "missing: body name", "no credentials"])
def test_what_is_usual_is_put_in_again_exactly(title: str, last: str) -> None:
    facts = of_three([title], "No such task") | answers("GET /3", title, last)
    usual = usual_answers(facts)
    assert with_usual(without_usual(facts, usual), usual) == facts


def test_a_record_is_named_by_its_parameter() -> None:
    named = {
        address: it
        for name in ("task", "list", "tag")
        for address, it in answers(f"GET /{name}", f"unknown record: path {name}_id", f"No such {name}").items()
    }
    assert usual_answers(named).texts == {"400 bad_value": "No such {record}"}


def test_a_version_that_answers_otherwise_has_a_line_of_its_own() -> None:
    title = "wrong accept: image/png"
    facts = {
        address: it
        for number in range(3)
        for version, outcome in (("", "200"), ("/v2", "406"))
        for address, it in answers(f"GET {version}/{number}", title, "no", outcome).items()
    }
    usual = usual_answers(facts)
    assert [usual.outcome(f"GET {version}/9", title) for version in ("", "/v2")] == ["200", "406"]


def test_nothing_is_usual_of_a_sort_that_was_not_seen() -> None:
    assert UsualAnswers().message("GET /0", "missing: query id", REFUSED) is None
