"""The CSV reports of flowapp: document lines 48 to 58."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

import pytest
from hypothesis import example, given

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    REPORT_OPERATIONS,
    Record,
    check_accepted,
    create_event,
    create_past_event,
    create_past_event_with_registrant,
    csv_rows,
    few_examples,
    is_refused,
    new_person,
    operators,
    past_session_token,
    register,
    register_new_person,
    registrants,
    report_rows,
    send,
    survey_report_path,
)
from suites.flowapp.strategies import CSV_BREAKING_NAMES
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("values keep")

clause = pytest.mark.clause
TEXT_MEMBERS = ("email", "firstName", "lastName", "phone", "location")  # text members that have one spelling


def column_values(table: list[list[str]], name: str) -> list[str] | None:
    """The values of the column of that name, however it is spelled; None when there is no such column."""
    column_names = [re.sub(r"[^a-z]", "", column.lower()) for column in table[0]]
    if column_names.count(name.lower()) != 1:
        return None
    index = column_names.index(name.lower())
    return [row[index] for row in table[1:]]


def assert_report_matches(table: list[list[str]], registrants: list[Record]) -> None:
    """Asserts that the report has one row for each listed registrant, with the values of the list."""
    for registrant in registrants:
        rows_of_registrant = [row for row in table if registrant["email"] in row]
        assert len(rows_of_registrant) == sum(namesake["email"] == registrant["email"] for namesake in registrants)
        missing = {
            name: registrant[name]
            for name in TEXT_MEMBERS
            if registrant.get(name) and not any(registrant[name] in row for row in rows_of_registrant)
        }
        assert missing == {}
    assert len(table) - len(registrants) in (0, 1)
    for name in TEXT_MEMBERS:
        values = column_values(table, name)
        if values is not None and all(name in registrant for registrant in registrants):
            assert Counter(values) == Counter(registrant[name] or "" for registrant in registrants)


@clause("FLOWAPP-CSV-1", "FLOWAPP-CSV-4")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_every_report_is_csv(api: Api, operation: str) -> None:
    """The summary, the registrants and both chats of a session that has ended are served as CSV."""
    assert report_rows(api, operation, past_session_token(api), "FLOWAPP-CSV-1")


@clause("FLOWAPP-CSV-1", "FLOWAPP-CSV-4")
def test_the_survey_report_is_csv(api: Api) -> None:
    """The answers to a survey are served as CSV."""
    exchange = send(api, "reportSurveyDetail", survey_report_path(api))
    assert csv_rows(check_accepted(api, "reportSurveyDetail", exchange, "FLOWAPP-CSV-1"))


@clause("FLOWAPP-CSV-2")
def test_the_summary_is_fetched_by_a_get(api: Api, readings: ObservedReadings) -> None:
    """The documented path serves the summary as CSV; whether all registrants are in it is observed."""
    token = past_session_token(api)
    table = report_rows(api, "reportSummary", token, "FLOWAPP-CSV-2")
    emails = [registrant["email"] for registrant in registrants(api, token)]
    is_compiled = all(any(address in row for row in table) for address in emails)
    if emails:
        readings.observe("FLOWAPP-AMB-7", summary_is_compiled=is_compiled, summary_is_another=not is_compiled)


@clause("FLOWAPP-CSV-3")
def test_values_survive_the_report(api: Api) -> None:
    """Names that break careless CSV, in any script, are in the report as they are in the list."""
    create_past_event_with_registrant(api)

    @few_examples
    @example("Jesse", "Pinkman")
    @example("=SUM(A1:A9)", 'O\'Neil, "Å"')
    @example("Two\nLines", "  padded  ")
    @example("@import\r\n", "佐藤 🎈")
    @given(CSV_BREAKING_NAMES, CSV_BREAKING_NAMES)
    def check(first: str, last: str) -> None:
        token, _ = create_past_event_with_registrant(api)
        registration = register(api, token, new_person(api, firstName=first, lastName=last))
        if is_refused(api, "registerPerson", registration):
            return  # how strict names are is not promised (FLOWAPP-AMB-15)
        assert_report_matches(report_rows(api, "reportRegistrants", token, "FLOWAPP-CSV-3"), registrants(api, token))

    check()


@clause("FLOWAPP-CSV-3")
def test_the_report_has_the_rows_of_the_list(api: Api) -> None:
    """The registrants of a session that has ended are the same in CSV and in JSON."""
    token = past_session_token(api)
    assert_report_matches(report_rows(api, "reportRegistrants", token, "FLOWAPP-CSV-3"), registrants(api, token))


@clause("FLOWAPP-CSV-3")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_a_report_follows_rfc_4180_or_a_relaxed_form(api: Api, readings: ObservedReadings, operation: str) -> None:
    """A report is encoded exactly as RFC 4180 says, or with other line ends, more quotes or a byte order mark."""
    exchange = check_accepted(api, operation, send(api, operation, {"sessionToken": past_session_token(api)}))
    table = csv_rows(exchange)
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(table)
    is_exact = exchange.response.body in (out.getvalue().encode(), out.getvalue().removesuffix("\r\n").encode())
    readings.one_of("FLOWAPP-AMB-13", rfc4180=is_exact, relaxed=bool(table) and not is_exact)


@clause("FLOWAPP-CSV-1")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_a_report_of_a_future_event_is_served_or_refused(api: Api, readings: ObservedReadings, operation: str) -> None:
    """A report of an event that has not begun is served, with its registrant, or refused."""
    token = create_event(api)
    registrant = register_new_person(api, token)
    exchange = send(api, operation, {"sessionToken": token})
    was_refused = is_refused(api, operation, exchange)
    readings.observe("FLOWAPP-AMB-12", served=not was_refused, refused=was_refused)
    if not was_refused and operation == "reportRegistrants":
        assert any(registrant["email"] in row for row in csv_rows(exchange))


@clause("FLOWAPP-CAP-2", "FLOWAPP-CSV-1")
@pytest.mark.parametrize("operation", REPORT_OPERATIONS)
def test_reports_of_an_event_without_registrants_show_nobody(api: Api, operation: str) -> None:
    """No registrant of a known session is in the reports of a new event without registrants."""
    host_emails = {person.get("email") for person in operators(api)}
    other_emails = {person["email"] for person in registrants(api, past_session_token(api))} - host_emails
    if not other_emails:
        raise MissingPrecondition("the known session has no registrants")
    values = {value for row in report_rows(api, operation, create_past_event(api)) for value in row}
    assert values & other_emails == set()
