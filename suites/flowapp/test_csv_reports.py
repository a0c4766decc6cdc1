"""The CSV reports of flowapp: document lines 48 to 58."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import pytest
from hypothesis import example, given, reject

from fixtures.api import Api
from suites.flowapp.dialect import (
    REPORTS,
    Row,
    ask,
    check_accepted,
    create,
    generated,
    is_refused,
    operators,
    past_event,
    past_session,
    peopled_past_event,
    person,
    register,
    registered,
    registrants,
    report,
    rows,
    survey_path,
)
from suites.flowapp.values import BREAKING_NAMES
from suites.readings import Observed

clause = pytest.mark.clause
TEXTS = ("email", "firstName", "lastName", "phone", "location")  # members that are text and have one way to be written


def values_of(table: list[list[str]], name: str) -> list[str] | None:
    """The values below the column of that name, however it is spelled; None when there is no such column."""
    plain = [re.sub(r"[^a-z]", "", column.lower()) for column in table[0]]
    if plain.count(name.lower()) != 1:
        return None
    at = plain.index(name.lower())
    return [row[at] for row in table[1:]]


def check_agrees(table: list[list[str]], people: list[Row]) -> None:
    """The report has a row for each listed person, with what the list says of that person."""
    for one in people:
        found = [row for row in table if one["email"] in row]
        assert len(found) == sum(other["email"] == one["email"] for other in people)
        lost = {name: one[name] for name in TEXTS if one.get(name) and not any(one[name] in row for row in found)}
        assert lost == {}
    assert len(table) - len(people) in (0, 1)
    for name in TEXTS:
        told = values_of(table, name)
        if told is not None and all(name in one for one in people):
            assert Counter(told) == Counter(one[name] or "" for one in people)


@clause("FLOWAPP-CSV-1")
@pytest.mark.parametrize("operation", REPORTS)
def test_there_is_a_report_of_each_kind(api: Api, operation: str) -> None:
    """The compiled report, the registrants and both chats of a session that has ended are CSV."""
    assert report(api, operation, past_session(api), "FLOWAPP-CSV-1")


@clause("FLOWAPP-CSV-1")
def test_there_is_a_report_of_survey_answers(api: Api) -> None:
    """The answers to a survey are CSV."""
    exchange = ask(api, "reportSurveyDetail", survey_path(api))
    assert rows(check_accepted(api, "reportSurveyDetail", exchange, "FLOWAPP-CSV-1"))


@clause("FLOWAPP-CSV-2")
def test_the_summary_is_fetched_by_a_get(api: Api, readings: Observed) -> None:
    """The documented path answers the compiled report: all who registered are in it."""
    token = past_session(api)
    table = report(api, "reportSummary", token, "FLOWAPP-CSV-2")
    people = [one["email"] for one in registrants(api, token)]
    is_compiled = all(any(address in row for row in table) for address in people)
    readings.one_of("FLOWAPP-AMB-7", summary_is_compiled=is_compiled, summary_is_another=not is_compiled)


@clause("FLOWAPP-CSV-3")
def test_values_survive_the_report(api: Api) -> None:
    """Generated names that break careless CSV, in any script, are in the report as they are in the list."""
    peopled_past_event(api)

    @generated
    @example("=SUM(A1:A9)", 'O\'Neil, "Å"')
    @example("Two\nLines", "  padded  ")
    @example("@import\r\n", "佐藤 🎈")
    @given(BREAKING_NAMES, BREAKING_NAMES)
    def check(first: str, last: str) -> None:
        token, _ = peopled_past_event(api)
        odd = register(api, token, person(api, firstName=first, lastName=last))
        if is_refused(api, "registerPerson", odd):
            reject()  # how strict names are is not promised (FLOWAPP-AMB-15)
        check_agrees(report(api, "reportRegistrants", token, "FLOWAPP-CSV-3"), registrants(api, token))

    check()


@clause("FLOWAPP-CSV-3")
def test_the_report_has_the_rows_of_the_list(api: Api) -> None:
    """The registrants of a session that has ended are the same in CSV and in JSON."""
    token = past_session(api)
    check_agrees(report(api, "reportRegistrants", token, "FLOWAPP-CSV-3"), registrants(api, token))


@clause("FLOWAPP-CSV-3")
@pytest.mark.parametrize("operation", REPORTS)
def test_a_report_is_rfc_4180_or_nearly(api: Api, readings: Observed, operation: str) -> None:
    """Its bytes are those of RFC 4180, or it has other line ends, more quotes or a mark in front."""
    exchange = check_accepted(api, operation, ask(api, operation, {"sessionToken": past_session(api)}))
    table = rows(exchange)
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(table)
    is_exact = exchange.answer.body in (out.getvalue().encode(), out.getvalue().removesuffix("\r\n").encode())
    readings.one_of("FLOWAPP-AMB-13", rfc4180=is_exact, relaxed=bool(table) and not is_exact)


@clause("FLOWAPP-CSV-1")
@pytest.mark.parametrize("operation", REPORTS)
def test_a_report_of_an_event_to_come_is_served_or_refused(api: Api, readings: Observed, operation: str) -> None:
    """A new event that has not begun has a report of what there is, or none yet."""
    token = create(api)
    who = registered(api, token)
    exchange = ask(api, operation, {"sessionToken": token})
    was_refused = is_refused(api, operation, exchange)
    readings.one_of("FLOWAPP-AMB-12", served=not was_refused, refused=was_refused)
    if not was_refused and operation == "reportRegistrants":
        assert any(who["email"] in row for row in rows(exchange))


@clause("FLOWAPP-CAP-2", "FLOWAPP-CSV-1")
@pytest.mark.parametrize("operation", REPORTS)
def test_reports_of_an_event_without_people_show_nobody(api: Api, operation: str) -> None:
    """No registrant of a known session is in the reports of a new event that nobody registered for."""
    hosts = {one.get("email") for one in operators(api)}
    others = {one["email"] for one in registrants(api, past_session(api))} - hosts
    told = {value for row in report(api, operation, past_event(api)) for value in row}
    assert told & others == set()
