"""The error payload, member by member: document lines 49 to 82. What has which code is in test_error_codes.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.comparing import for_all
from suites.getflow.dialect import (
    FLOW,
    KINDS,
    LISTS,
    TASKS,
    Kind,
    Row,
    ask,
    body,
    documented,
    is_refused,
    problems,
    shown,
    succeeded,
    without_ids,
)
from suites.getflow.mistakes import each_problem, provoked
from suites.readings import Observed

clause = pytest.mark.clause
NAMING = ("view", "include")  # an empty name is also one that is not there (GETFLOW-AMB-7)
INSIDES = ("Traceback", "\tat ", "Exception in", "<html", "<!doctype", "SELECT ", ".rb:", ".py", "undefined method")
LONGEST = 300  # characters that an end user would still read


@clause("GETFLOW-ERR-2", "GETFLOW-ERR-1")
def test_every_failure_is_told_in_the_error_object(api: Api, bench: Bench) -> None:
    """Whatever is wrong, with the query, the body, the record or the token, the answer is that JSON object."""
    for one in provoked(api, bench):
        documented(api, one.exchange, "GETFLOW-ERR-2")
        assert is_refused(FLOW, one.exchange.answer), f"{one.title}: {shown(one.exchange)}"


@clause("GETFLOW-ERR-1")
def test_the_error_object_has_its_three_members(api: Api, bench: Bench) -> None:
    """request_uuid, status and errors stand at the root of every refusal."""
    for one in provoked(api, bench):
        lacking = {"request_uuid", "status", "errors"} - set(body(one.exchange))
        assert not lacking, f"{one.title}: no {', '.join(sorted(lacking))} in {shown(one.exchange)}"


@clause("GETFLOW-ERR-4")
def test_the_status_is_the_word_error(api: Api, bench: Bench) -> None:
    """It is that text in every refusal, whatever the HTTP status."""
    for one in provoked(api, bench):
        status = body(one.exchange).get("status")
        assert status == "error", f"{one.title}: {status!r}"


@clause("GETFLOW-ERR-5")
def test_errors_are_a_list_of_objects(api: Api, bench: Bench) -> None:
    """It is a list in every refusal, also of a single problem, and never empty."""
    for one in provoked(api, bench):
        errors = body(one.exchange).get("errors")
        assert isinstance(errors, list), f"{one.title}: {errors!r}"
        assert errors, f"{one.title}: an empty list"
        assert all(isinstance(error, dict) for error in errors), f"{one.title}: {errors!r}"


@clause("GETFLOW-ERR-6")
def test_messages_can_be_shown_to_people(api: Api, bench: Bench) -> None:
    """A message is a line of text, not too long, and shows nothing of the server's insides."""
    for one, problem in each_problem(api, bench):
        message = problem.get("message")
        assert isinstance(message, str), f"{one.title}: {message!r}"
        assert message.strip(), f"{one.title}: an empty message"
        assert len(message) <= LONGEST, f"{one.title}: a message of {len(message)} characters"
        inside = [word for word in (*INSIDES, "\n") if word in message]
        assert not inside, f"{one.title}: {inside} in {message!r}"


@clause("GETFLOW-ERR-14")
def test_links_lead_to_documentation(api: Api, bench: Bench) -> None:
    """Every link is an absolute http(s) URL with a host."""
    for one, problem in each_problem(api, bench):
        link = problem.get("link")
        assert isinstance(link, str), f"{one.title}: {link!r}"
        assert re.match(r"https?://[^/?#]+", link), f"{one.title}: {link!r}"


@clause("GETFLOW-ERR-15")
def test_descriptions_are_longer_or_the_message(api: Api, bench: Bench, readings: Observed) -> None:
    """Each problem has a description, which repeats the message or says more than it."""
    mirrored = False
    asked = [*each_problem(api, bench), *((None, one) for one in _unsupported(api))]
    for _, problem in asked:
        message, description = problem.get("message"), problem.get("description")
        assert isinstance(description, str), f"{problem}"
        same = description == message
        assert same or len(description) > len(str(message)), f"{description!r} is shorter than {message!r}"
        mirrored |= same
    readings.one_of("GETFLOW-AMB-23", mirror=mirrored, longer=not mirrored)


def _unsupported(api: Api) -> list[Row]:
    """The problems of a parameter that should not exist; none when it is passed over."""
    return problems(ask(api, TASKS, "list", query={"no_such_parameter": 1}))


@clause("GETFLOW-ERR-16")
def test_the_attribute_is_the_one_that_was_wrong(api: Api, bench: Bench) -> None:
    """Where one parameter or attribute is wrong, that name is told."""
    for one in provoked(api, bench):
        if one.attribute:
            named = [problem.get("attribute") for problem in problems(one.exchange)]
            assert one.attribute in named, f"{one.title}: {named}"


@clause("GETFLOW-ERR-17")
def test_only_errors_about_no_attribute_name_none(api: Api, bench: Bench, readings: Observed) -> None:
    """An error about a parameter always has its name; others leave the member out or have null in it."""
    nameless = []
    for one in provoked(api, bench):
        for problem in problems(one.exchange):
            if one.attribute:
                assert isinstance(problem.get("attribute"), str), f"{one.title}: {problem}"
            elif problem.get("attribute") is None:
                nameless.append("attribute" in problem)
    if nameless:
        readings.one_of("GETFLOW-AMB-24", absent=not any(nameless), null=all(nameless))


@clause("GETFLOW-ERR-18")
def test_an_empty_organisation_counts_as_missing(api: Api, bench: Bench) -> None:
    """organization_id= is refused as if it were left out, and the message ends with that name."""
    for one in provoked(api, bench):
        if one.code == "missing_param":
            messages = [str(problem.get("message")) for problem in problems(one.exchange)]
            assert any(message.rstrip(". ").endswith("organization_id") for message in messages), f"{messages}"
    for kind in (TASKS, LISTS):
        for action in ("list", "read", "create"):
            exchange = ask(api, kind, action, 1, query={"organization_id": ""})
            told = [(one.get("code"), one.get("attribute")) for one in problems(exchange)]
            assert ("missing_param", "organization_id") in told, f"{action} {kind}: {shown(exchange)}"


@clause("GETFLOW-ERR-5")
def test_several_problems_are_told_together_or_one_by_one(api: Api, readings: Observed) -> None:
    """Of two wrong parameters in one request both are told, or one of them."""
    exchange = ask(api, TASKS, "list", query={"limit": "abc", "created_after": "never"})
    documented(api, exchange, "GETFLOW-ERR-5")
    named = [one.get("attribute") for one in problems(exchange)]
    readings.one_of(
        "GETFLOW-AMB-25",
        all=sorted(map(str, named)) == ["created_after", "limit"],
        one=len(named) == 1 and named[0] in ("limit", "created_after"),
    )


@clause("GETFLOW-ERR-6", "GETFLOW-ERR-15")
def test_texts_are_the_same_for_the_same_mistake(api: Api) -> None:
    """A mistake that is made twice is told twice in the same words."""
    one, again = (ask(api, LISTS, "list", query={"limit": "abc"}) for _ in range(2))
    if problems(one) != problems(again):
        raise broken(api, "GETFLOW-ERR-6", str(problems(one)), str(problems(again)), again)


@clause("GETFLOW-ERR-18")
def test_an_empty_optional_parameter_is_refused_or_left_out(api: Api, readings: Observed) -> None:
    """On any list an empty value is refused by its name, or the answer is that without the parameter."""
    spots = [
        (kind, one.name)
        for kind in KINDS
        for one in kind.operation("list").parameters
        if one.place == "query" and not one.required
    ]

    def holds(spot: tuple[Kind, str]) -> None:
        kind, name = spot
        exchange = ask(api, kind, "list", query={name: ""})
        documented(api, exchange, "GETFLOW-ERR-18")
        told = {one.get("code") for one in problems(exchange) if one.get("attribute") == name}
        due = {"missing_param", "invalid_attribute"} | ({"unsupported_param"} if name in NAMING else set())
        readings.one_of(
            "GETFLOW-AMB-32",
            refused=not succeeded(exchange) and bool(told & due),
            left_out=lambda: _is_the_plain_list(api, exchange, kind),
        )

    for_all(holds, 15, spot=st.sampled_from(spots))


def _is_the_plain_list(api: Api, exchange: Exchange, kind: Kind) -> bool:
    plain, found = (without_ids(body(one)) for one in (ask(api, kind, "list"), exchange))
    return succeeded(exchange) and plain == found
