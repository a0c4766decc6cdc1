"""Another spelling of a request means the same, and is another text; the test of it bites and stays silent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.exchange import Request
from fixtures.cases import FORM
from fixtures.corpus import EFFORTS, corpus
from fixtures.target_api import MissingPrecondition
from suites.generic.request_spellings import (
    SPELLINGS,
    hexadecimal_in_lower_case,
    letters_encoded,
    letters_escaped,
    members_reversed,
    numbers_with_exponents,
    parameters_reversed,
    spaced_out,
    spaces_percent_encoded,
)
from suites.generic.test_spelling import check_spelling, richest, test_another_spelling_means_the_same
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

test_another_spelling_means_the_same.__test__ = False  # type: ignore[attr-defined]

URL = "http://127.0.0.1/things"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4)
checked = settings(derandomize=True, deadline=None, database=None)


@pytest.mark.parametrize("write", [members_reversed, spaced_out, letters_escaped, numbers_with_exponents])
@checked
@given(value=st.dictionaries(TEXTS, VALUES, max_size=4))
def test_json_in_another_spelling_has_the_same_value(write: Callable[[Request], Request], value: Any) -> None:
    written = write(Request("POST", URL, (("Content-Type", "application/json"),), json.dumps(value).encode()))
    assert json.loads(written.body) == value


@pytest.mark.parametrize(
    "write", [parameters_reversed, letters_encoded, hexadecimal_in_lower_case, spaces_percent_encoded]
)
@checked
@given(query=PAIRS, form=PAIRS)
def test_a_query_and_a_form_in_another_spelling_have_the_same_parameters(
    write: Callable[[Request], Request], query: list[tuple[str, str]], form: list[tuple[str, str]]
) -> None:
    headers = (("content-type", f"{FORM}; charset=utf-8"),)
    written = write(Request("POST", f"{URL}?{urlencode(query)}", headers, urlencode(form).encode()))
    for text, pairs in ((written.url.partition("?")[2], query), (written.body.decode(), form)):
        assert sorted(parse_qsl(text, keep_blank_values=True)) == sorted(pairs)


def test_every_letter_is_escaped_or_encoded() -> None:
    body = letters_escaped(Request("POST", URL, (), '{"a": "b🚀"}'.encode())).body
    assert body == rb'{"\u0061":"\u0062\ud83d\ude80"}'
    assert letters_encoded(Request("GET", f"{URL}?ab=c%2F")).url == f"{URL}?%61%62=%63%2F"


def test_a_number_with_a_fraction_has_an_exponent_and_a_whole_one_stays() -> None:
    assert (
        numbers_with_exponents(Request("POST", URL, (), b'{"a": [57.5, 4, "1.5"]}')).body == b'{"a":[5.75E+1,4,"1.5"]}'
    )


def test_hexadecimal_digits_are_in_lower_case() -> None:
    assert hexadecimal_in_lower_case(Request("GET", f"{URL}?a=%C3%A5")).url == f"{URL}?a=%c3%a5"


def test_spaces_of_a_form_change_their_encoding() -> None:
    form = (("content-type", FORM),)
    assert spaces_percent_encoded(Request("POST", f"{URL}?a=+", form, b"a=b+c%20d%2B")).body == b"a=b%20c+d%2B"


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_cannot_be_written_otherwise_stays_as_it_is(name: str) -> None:
    for request in (Request("GET", URL), Request("POST", URL, (("Content-Type", "text/plain"),), b"{")):
        assert SPELLINGS[name](request) == request


def test_json_keeps_the_opposite_order_at_every_level() -> None:
    body = members_reversed(Request("POST", URL, (), b'{"a": [{"b": 1, "c": 2}], "d": 3}')).body
    assert body == b'{"d": 3, "a": [{"c": 2, "b": 1}]}'


@pytest.mark.parametrize(("fault", "clauses"), [((), []), (("encoded_parameters_are_refused",), ["FLOWAPP-SPELL-1"])])
def test_a_spelling_that_is_refused_is_a_finding(fault: tuple[str, ...], clauses: list[str]) -> None:
    api = in_process_api("flowapp", fault)
    operation = api.contract.operations["GET /api/v1/events/sessions"]
    case = richest(corpus("flowapp", EFFORTS["quick"], 0).examples(operation))
    request = api.render(operation, case)
    usual, other = api.send_request(request), api.send_request(letters_encoded(request))
    assert [finding.clause for finding in check_spelling(api, operation, case, "x", usual, other)] == clauses


@pytest.mark.parametrize(
    ("api", "label", "fault", "clause"),
    [
        (
            "bitvis",
            "POST /api/address/address/address/ CREATE by header",
            "exponents_of_coordinates_are_cut_off",
            "BITVIS-SPELL-1",
        ),
        ("getflow", "POST /lists", "escapes_in_names_stay", "GETFLOW-SPELL-1"),
        ("getflow", "GET /v2/memberships/{membership_id}", "hexadecimal_digits_are_capitals", "GETFLOW-SPELL-1"),
        ("flowback", "GET /users", "the_limit_comes_before_the_page", "FLOWBACK-SPELL-1"),
    ],
)
def test_a_spelling_that_shows_or_keeps_something_else_is_a_finding(
    api: str, label: str, fault: str, clause: str
) -> None:
    target = in_process_api(api, (fault,))
    with pytest.raises(ContractViolation) as caught:
        test_another_spelling_means_the_same(
            target, corpus(api, EFFORTS["default"], 0), target.contract.operations[label]
        )
    assert caught.value.clauses == (clause,)


def test_a_refusal_that_the_usual_spelling_meets_as_well_is_no_finding() -> None:
    api = in_process_api("flowapp", ("encoded_parameters_are_refused",))
    operation = api.contract.operations["GET /api/v1/events/sessions"]
    case = richest(corpus("flowapp", EFFORTS["quick"], 0).examples(operation))
    request = api.render(operation, case)
    usual, other = api.send_request(request), api.send_request(letters_encoded(request))
    assert check_spelling(api.with_settings(TOKEN="no longer valid"), operation, case, "x", usual, other) == []


def test_a_request_for_which_a_setting_is_missing_is_not_tested() -> None:
    api = in_process_api("bitvis", small=True)
    label = next(label for label in api.contract.operations if "device" in label and "RUN by header" in label)
    operation = api.contract.operations[label]
    with pytest.raises(MissingPrecondition, match="BITVIS_DEVICE_METHOD is not set"):
        api.render(operation, richest(corpus("bitvis", EFFORTS["quick"], 0).examples(operation)))
