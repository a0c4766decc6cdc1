"""The error payload, member by member: document lines 49 to 82. Codes are in test_error_codes.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from contracts.judge.http_judge import is_refusal
from fixtures.target_api import Api, MissingPrecondition
from suites.getflow.client import (
    KINDS,
    LISTS,
    TASKS,
    Record,
    RecordKind,
    check_documented,
    codes_and_attributes,
    is_success,
    json_body,
    problems,
    refusal_problems,
    require_known,
    response_text,
    send,
    without_request_ids,
)
from suites.getflow.known_requests import CONTRACT
from suites.getflow.record_factory import RecordFactory
from suites.getflow.refused_requests import refused_requests, reported_problems
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import violation

pytestmark = pytest.mark.bug_kind("two mistakes")

clause = pytest.mark.clause
NAME_PARAMETERS = ("view", "include")  # an empty name is also an unknown one (GETFLOW-AMB-7)
INTERNAL_TEXTS = (
    "Traceback",
    "\tat ",
    "Exception in",
    "<html",
    "<!doctype",
    "SELECT ",
    ".rb:",
    ".py",
    "undefined method",
)
MAX_MESSAGE_LENGTH = 300  # characters


@clause("GETFLOW-ERR-2", "GETFLOW-ERR-1")
def test_every_failure_is_reported_in_the_error_object(api: Api, factory: RecordFactory) -> None:
    """Every failure, of query, body, record or token, is reported in the documented JSON object."""
    for refused in refused_requests(api, factory):
        check_documented(api, refused.exchange, "GETFLOW-ERR-2")
        assert is_refusal(CONTRACT, refused.exchange.response), f"{refused.title}: {response_text(refused.exchange)}"


@clause("GETFLOW-ERR-1")
def test_the_error_object_has_its_three_members(api: Api, factory: RecordFactory) -> None:
    """Every refusal has request_uuid, status and errors at its root."""
    for refused in refused_requests(api, factory):
        missing = {"request_uuid", "status", "errors"} - set(json_body(refused.exchange))
        assert not missing, f"{refused.title}: no {', '.join(sorted(missing))} in {response_text(refused.exchange)}"


@clause("GETFLOW-ERR-4")
def test_the_member_status_is_error(api: Api, factory: RecordFactory) -> None:
    """The member status of every refusal is the text error."""
    for refused in refused_requests(api, factory):
        status = json_body(refused.exchange).get("status")
        assert status == "error", f"{refused.title}: {status!r}"


@clause("GETFLOW-ERR-5")
def test_errors_are_a_list_of_objects(api: Api, factory: RecordFactory) -> None:
    """The member errors of every refusal is a non-empty list of objects."""
    for refused in refused_requests(api, factory):
        errors = json_body(refused.exchange).get("errors")
        assert isinstance(errors, list), f"{refused.title}: {errors!r}"
        assert errors, f"{refused.title}: an empty list"
        assert all(isinstance(error, dict) for error in errors), f"{refused.title}: {errors!r}"


@clause("GETFLOW-ERR-6")
def test_messages_are_readable_by_end_users(api: Api, factory: RecordFactory) -> None:
    """A message is one line of text, not too long, and shows nothing internal to the server."""
    for refused, problem in reported_problems(api, factory):
        message = problem.get("message")
        assert isinstance(message, str), f"{refused.title}: {message!r}"
        assert message.strip(), f"{refused.title}: an empty message"
        assert len(message) <= MAX_MESSAGE_LENGTH, f"{refused.title}: a message of {len(message)} characters"
        internal = [text for text in (*INTERNAL_TEXTS, "\n") if text in message]
        assert not internal, f"{refused.title}: {internal} in {message!r}"


@clause("GETFLOW-ERR-14")
def test_links_are_absolute_urls(api: Api, factory: RecordFactory) -> None:
    """Every link is an absolute http(s) URL with a host."""
    for refused, problem in reported_problems(api, factory):
        link = problem.get("link")
        assert isinstance(link, str), f"{refused.title}: {link!r}"
        assert re.match(r"(?i:https?)://[^/?#]+", link), f"{refused.title}: {link!r}"


@clause("GETFLOW-ERR-15")
def test_descriptions_repeat_or_extend_the_message(
    api: Api, factory: RecordFactory, readings: ObservedReadings
) -> None:
    """Each problem has a description that repeats the message or is longer."""
    mirrored = False
    reported = [*reported_problems(api, factory), *((None, problem) for problem in _unknown_parameter_problems(api))]
    for _, problem in reported:
        message, description = problem.get("message"), problem.get("description")
        assert isinstance(description, str), f"{problem}"
        is_message = description == message
        assert is_message or len(description) > len(str(message)), f"{description!r} is shorter than {message!r}"
        mirrored |= is_message
    readings.observe("GETFLOW-AMB-23", mirror=mirrored, longer=not mirrored)


def _unknown_parameter_problems(api: Api) -> list[Record]:
    """The problems of a request with an unknown parameter; none when it is ignored."""
    return problems(send(api, TASKS, "list", query={"no_such_parameter": 1}))


@clause("GETFLOW-ERR-16")
def test_the_invalid_attribute_is_named(api: Api, factory: RecordFactory) -> None:
    """Where one parameter or attribute is invalid, the refusal names it."""
    for refused in refused_requests(api, factory):
        if refused.attribute:
            named = [problem.get("attribute") for problem in problems(refused.exchange)]
            assert refused.attribute in named, f"{refused.title}: {named}"


@clause("GETFLOW-ERR-17")
def test_a_problem_with_a_parameter_names_it(api: Api, factory: RecordFactory, readings: ObservedReadings) -> None:
    """A problem with a parameter names it; other problems all omit the member attribute, or all have null in it."""
    named, has_member = 0, []
    for refused in refused_requests(api, factory):
        for problem in problems(refused.exchange):
            if refused.attribute:
                assert isinstance(problem.get("attribute"), str), f"{refused.title}: {problem}"
                named += 1
            elif problem.get("attribute") is None:
                has_member.append("attribute" in problem)
    if not named:
        raise MissingPrecondition("no refusal reports a problem with a parameter")
    if has_member:
        readings.one_of("GETFLOW-AMB-24", absent=not any(has_member), null=all(has_member))


@clause("GETFLOW-ERR-18")
def test_an_empty_organisation_counts_as_missing(api: Api, factory: RecordFactory) -> None:
    """An empty organization_id is refused as missing, and the message of a missing one ends with that name."""
    for refused in refused_requests(api, factory):
        if refused.code == "missing_param":
            messages = [str(problem.get("message")) for problem in problems(refused.exchange)]
            assert any(message.rstrip(". ").endswith("organization_id") for message in messages), f"{messages}"
    for kind in (TASKS, LISTS):
        for action in ("list", "read", "create"):
            exchange = send(api, kind, action, 1, query={"organization_id": ""})
            if is_success(exchange) and (kind, action) != (TASKS, "list"):
                continue  # nobody looks at it there
            reported = codes_and_attributes(exchange)
            assert ("missing_param", "organization_id") in reported, f"{action} {kind}: {response_text(exchange)}"


@clause("GETFLOW-ERR-5")
def test_of_several_problems_all_or_one_are_reported(api: Api, readings: ObservedReadings) -> None:
    """Of two invalid parameters in one request the refusal reports both, or one of them."""
    exchange = send(api, TASKS, "list", query={"limit": "abc", "created_after": "never"})
    check_documented(api, exchange, "GETFLOW-ERR-5")
    named = [problem.get("attribute") for problem in problems(exchange)]
    readings.one_of(
        "GETFLOW-AMB-25",
        all=sorted(map(str, named)) == ["created_after", "limit"],
        one=len(named) == 1 and named[0] in ("limit", "created_after"),
    )


@clause("GETFLOW-ERR-6", "GETFLOW-ERR-15")
def test_a_repeated_request_is_refused_with_the_same_problems(api: Api) -> None:
    """A request that is refused twice has the same problems both times."""
    first, second = (send(api, LISTS, "list", query={"limit": "abc"}) for _ in range(2))
    expected = refusal_problems(api, first, "GETFLOW-ERR-6")
    if not expected:
        raise MissingPrecondition("the refusal reports no problem")
    if problems(second) != expected:
        raise violation(api, "GETFLOW-ERR-6", str(expected), str(problems(second)), second)


@clause("GETFLOW-ERR-18")
def test_an_empty_optional_parameter_is_refused_or_ignored(api: Api, readings: ObservedReadings) -> None:
    """On every list an empty optional parameter is refused by its name, has no effect, or selects no record."""
    optional_parameters = [
        (kind, parameter.name)
        for kind in KINDS
        for parameter in kind.operation("list").parameters
        if parameter.location == "query" and not parameter.required
    ]

    def check(optional_parameter: tuple[RecordKind, str]) -> None:
        kind, name = optional_parameter
        exchange = send(api, kind, "list", query={name: ""})
        if name not in NAME_PARAMETERS:
            require_known(api, exchange, name)
        check_documented(api, exchange, "GETFLOW-ERR-18")
        codes = {code for code, attribute in codes_and_attributes(exchange) if attribute == name}
        expected = {"missing_param", "invalid_attribute"} | (
            {"unsupported_param"} if name in NAME_PARAMETERS else set()
        )
        readings.one_of(
            "GETFLOW-AMB-32",
            refused=not is_success(exchange) and bool(codes & expected),
            taken=lambda: is_success(exchange) and _is_empty_or_plain(api, exchange, kind),
        )

    for_all(check, 15, optional_parameter=st.sampled_from(optional_parameters))


def _is_empty_or_plain(api: Api, exchange: Exchange, kind: RecordKind) -> bool:
    """Whether a list has no record, or is the one without that parameter."""
    listed = without_request_ids(json_body(exchange))
    return listed.get(kind.plural) == [] or listed == without_request_ids(json_body(send(api, kind, "list")))
