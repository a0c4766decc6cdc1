"""The surveys of a session of flowapp: document lines 41 to 47."""

from __future__ import annotations

from collections import Counter

import pytest

from fixtures.api import Api
from suites.flowapp.dialect import ask, check_refused, create, report, surveyed, surveys, tokens

clause = pytest.mark.clause
MOST = 12  # sessions that are looked at


@clause("FLOWAPP-SURV-1")
def test_surveys_of_every_listed_session_are_served(api: Api) -> None:
    """The surveys of listed sessions, whether they have any or not, are served."""
    for token in tokens(api)[:MOST]:
        surveys(api, token, "FLOWAPP-SURV-1")


@clause("FLOWAPP-SURV-2")
def test_a_session_without_surveys_has_an_empty_array(api: Api) -> None:
    """A new event has no survey, and its surveys are an array all the same."""
    assert surveys(api, create(api), "FLOWAPP-SURV-2") == []


@clause("FLOWAPP-SURV-3")
def test_every_survey_id_opens_its_report(api: Api) -> None:
    """The ID of each listed survey is told once and is taken by the report of that survey's answers."""
    token, found = surveyed(api)
    assert [number for number, times in Counter(str(row["id"]) for row in found).items() if times > 1] == []
    for row in found:
        assert report(api, "reportSurveyDetail", token, "FLOWAPP-SURV-3", surveyId=row["id"])


@clause("FLOWAPP-SURV-3")
def test_a_survey_is_of_its_session_alone(api: Api) -> None:
    """An ID that no survey of the session has opens nothing, be it nobody's or that of another session's survey."""
    token, found = surveyed(api)
    ours = create(api, date="2022-02-03")
    for session, number in ((token, 2_147_480_000), (ours, found[0]["id"])):
        exchange = ask(api, "reportSurveyDetail", {"sessionToken": session, "surveyId": number})
        check_refused(api, "reportSurveyDetail", exchange, "FLOWAPP-SURV-3")
