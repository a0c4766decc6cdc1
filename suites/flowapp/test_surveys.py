"""The surveys of a session of flowapp: document lines 41 to 47."""

from __future__ import annotations

from collections import Counter

import pytest

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    check_accepted,
    check_refused,
    create_event,
    csv_rows,
    event_tokens,
    is_refused,
    send,
    session_with_surveys,
    survey_report_path,
    surveys,
)

clause = pytest.mark.clause
MAX_SESSIONS = 12  # at most so many sessions are checked


@clause("FLOWAPP-SURV-1")
def test_surveys_of_every_listed_session_are_served(api: Api) -> None:
    """The surveys of listed sessions are served, whether they have any or not."""
    tokens = event_tokens(api)[:MAX_SESSIONS]
    if not tokens:
        raise MissingPrecondition("the account has no event")
    for token in tokens:
        surveys(api, token, "FLOWAPP-SURV-1")


@clause("FLOWAPP-SURV-2")
def test_a_session_without_surveys_has_an_empty_array(api: Api) -> None:
    """The surveys of a new event are an empty array."""
    assert surveys(api, create_event(api), "FLOWAPP-SURV-2") == []


@clause("FLOWAPP-SURV-3")
def test_every_survey_id_opens_its_report(api: Api) -> None:
    """The id of each listed survey is unique and opens the report of its answers."""
    token, survey_rows = session_with_surveys(api)
    assert [
        identifier for identifier, times in Counter(str(row["id"]) for row in survey_rows).items() if times > 1
    ] == []
    for row in survey_rows:
        exchange = send(api, "reportSurveyDetail", {"sessionToken": token, "surveyId": row["id"]})
        if is_refused(api, "reportSurveyDetail", exchange):
            check_accepted(api, "reportSurveyDetail", send(api, "reportSurveyDetail", survey_report_path(api)))
            raise AssertionError(f"the survey {row['id']} is listed, but its report is refused")
        assert csv_rows(exchange)


@clause("FLOWAPP-GEN-6")
def test_a_survey_belongs_to_its_session_only(api: Api) -> None:
    """An unknown survey id, and one of another session's survey, are refused."""
    token, survey_rows = session_with_surveys(api)
    own_token = create_event(api, date="2022-02-03")
    for session, survey_id in ((token, 2_147_480_000), (own_token, survey_rows[0]["id"])):
        exchange = send(api, "reportSurveyDetail", {"sessionToken": session, "surveyId": survey_id})
        check_refused(api, "reportSurveyDetail", exchange, "FLOWAPP-GEN-6")
