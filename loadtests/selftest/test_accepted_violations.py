"""Violations that are accepted: their responses count as good, journeys go on, and their number is in the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.targets import embedded_references
from loadtests.engine.connection import deliver
from loadtests.engine.exchange_types import Response
from loadtests.selftest.locust_run import output_of, running_locust
from loadtests.selftest.test_response_validation import REQUEST, SAMPLES, intent_of, json_response
from loadtests.validation.validators import Validators
from loadtests.validation.violation_causes import ViolationCauses
from reports.accept_command import main
from reports.results.acceptances import Acceptance, AcceptanceList, write_acceptances
from reports.results.causes import cause_id
from reports.results.finding_record import FindingRecord

TODAY = date.today()
UNTIL = TODAY + timedelta(30)
OPERATORS = intent_of("flowapp", "listOperators")
GOOD: Mapping[str, Any] = {"code": 200, "data": [{"id": 1}], "redirectURL": None}
NO_ID = {**GOOD, "data": [{}]}  # violates FLOWAPP-OPL-2
MEDIA_TYPE_FAULT = "operators_are_labelled_as_text"  # each list of operators violates FLOWAPP-GEN-2
MEDIA_TYPE_CAUSE = cause_id("flowapp", FindingRecord("FLOWAPP-GEN-2", "", "", slot="media type", kind="undocumented"))


def validators(*ids: str, interval: int = 1, day: date = TODAY) -> Validators:
    """Validators of a run at `day` in which these ids were accepted."""
    entries = tuple(Acceptance(identifier, "ticket 812", "Ann", UNTIL) for identifier in ids)
    return Validators(interval, causes=ViolationCauses({"flowapp": AcceptanceList("", day, entries)}))


def cause_of(response: Response, interval: int = 1) -> str:
    """The id of the cause of that response's violation."""
    known = validators(interval=interval)
    assert known.for_request(OPERATORS)(REQUEST, response) is not None
    (cause,) = known.causes.note()
    return str(cause["id"])


def test_an_accepted_violation_is_a_good_response() -> None:
    known = validators(cause_of(json_response(200, NO_ID)))
    assert known.for_request(OPERATORS)(REQUEST, json_response(200, NO_ID)) is None


def test_another_violation_in_the_same_response_counts() -> None:
    known = validators(cause_of(json_response(200, NO_ID)))
    response = json_response(200, {**NO_ID, "code": "x"})
    assert known.for_request(OPERATORS)(REQUEST, response) is not None


def test_an_acceptance_that_is_over_accepts_nothing() -> None:
    known = validators(cause_of(json_response(200, NO_ID)), day=UNTIL + timedelta(1))
    assert known.for_request(OPERATORS)(REQUEST, json_response(200, NO_ID)) == "FLOWAPP-OPL-2"


def test_a_good_response_after_an_accepted_violation_is_validated() -> None:
    known = validators(cause_of(json_response(200, NO_ID)))
    validate = known.for_request(OPERATORS)
    reasons = [validate(REQUEST, json_response(200, body)) for body in (NO_ID, GOOD, GOOD, {"data": 3})]
    assert [reason is None for reason in reasons] == [True, True, True, False]


@pytest.mark.parametrize("status", [503, 401, 400])
def test_the_status_alone_has_the_cause_that_the_response_has(status: int) -> None:
    body = {"code": status, "data": None, "redirectURL": None}
    identifier = cause_of(json_response(status, body), interval=0)
    known = validators()
    known.for_request(OPERATORS)(REQUEST, json_response(status, body))
    assert identifier in {cause["id"] for cause in known.causes.note()}
    assert validators(identifier, interval=0).for_request(OPERATORS)(REQUEST, json_response(status, body)) is None


def test_a_journey_sees_an_error_where_an_accepted_refusal_leaves_it_nothing() -> None:
    response = json_response(400, {"code": 400, "data": None, "redirectURL": None})
    known = validators(*(cause["id"] for cause in _causes(response)))
    assert known.for_request(OPERATORS)(REQUEST, response) is None
    assert response.error == "FLOWAPP-OPL-2"


def _causes(response: Response) -> list[dict[str, Any]]:
    """The causes of all violations of that response, found one after the other."""
    ids: set[str] = set()
    while True:
        known = validators(*ids)
        if known.for_request(OPERATORS)(REQUEST, response) is None:
            return known.causes.note()
        ids |= {str(cause["id"]) for cause in known.causes.note()}


class Requester:
    """Is resumed with a response; a failure is none of its business."""

    response: Response | None = None

    def resume(self, response: Response) -> None:
        self.response = response

    def resume_later(self, response: Response, _pause: int) -> None:
        raise AssertionError(response)

    def request_failed(self, what: str, _is_unsent: bool) -> int:
        raise AssertionError(what)


def test_its_time_is_that_of_a_good_response() -> None:
    response = json_response(400, {"code": 400, "data": None, "redirectURL": None})
    known = validators(*(cause["id"] for cause in _causes(response)))
    response.error = None
    request, requester, before = type(REQUEST)(SAMPLES, b"", REQUEST.address), Requester(), len(SAMPLES.times)
    request.validator = known.for_request(OPERATORS)
    deliver(request, requester, response)
    assert len(SAMPLES.times) == before + 1
    assert requester.response is response
    assert response.error == "FLOWAPP-OPL-2"


def test_a_check_that_reads_what_is_accepted_to_be_missing_finds_nothing() -> None:
    known = validators(cause_of(json_response(200, NO_ID)))
    validate = known.with_check(known.for_request(OPERATORS), "label", lambda body, _: body["data"][0]["id"])
    assert validate(REQUEST, json_response(200, NO_ID)) is None


def test_a_check_that_raises_without_any_accepted_violation_is_our_mistake() -> None:
    known = validators()
    validate = known.with_check(known.for_request(OPERATORS), "label", lambda body, _: body["nothing"])
    with pytest.raises(KeyError):
        validate(REQUEST, json_response(200, GOOD))


def test_what_a_check_finds_can_be_accepted() -> None:
    identifier = cause_id("flowapp", FindingRecord("FLOWAPP-CAP-1", "", ""))
    known = validators(identifier)
    validate = known.with_check(known.for_request(OPERATORS), "label", lambda *_: ("FLOWAPP-CAP-1", "one", "two"))
    assert validate(REQUEST, json_response(200, GOOD)) is None
    (cause,) = known.causes.note()
    assert (cause["id"], cause["clause"], cause["number"]) == (identifier, "FLOWAPP-CAP-1", 1)


def run(folder: Path, url: str, target: Path) -> dict[str, Any]:
    """The verdict of a short run, as data."""
    text = "from loadtests.flowapp import *"
    with running_locust(folder, url, text, "--headless --rate 30 -u 30 -t 3s", FLOWAPP_TARGET=str(target)) as locust:
        locust.wait()
        verdict = json.loads((locust.results / "verdict.json").read_text())
    return {**verdict, "output": locust.output}


def of_metric(verdict: Mapping[str, Any], metric: str) -> str:
    (outcome,) = [it for it in verdict["objectives"] if it["metric"] == metric]
    return str(outcome["verdict"])


def test_a_vendor_that_departs_once_can_be_measured(tmp_path: Path) -> None:
    target = tmp_path / "target.yaml"
    with embedded_references(["flowapp"], "", [f"--fault=flowapp.{MEDIA_TYPE_FAULT}"]) as started:
        url = started["flowapp"].url
        target.write_text(f"url: {url}\n")
        before = run(tmp_path / "before", url, target)
        tried = output_of(before["violation_causes"][0]["command"], "flowapp")
        words = [MEDIA_TYPE_CAUSE, "--until", str(UNTIL), "--reason", "ticket 812", "--by", "Ann"]
        assert main([*words, "--load", str(tmp_path / "before" / "run")], tmp_path / "out", {}) == 0
        after = run(tmp_path / "after", url, target)
    assert (of_metric(before, "violations"), of_metric(after, "violations")) == ("fail", "pass")
    assert of_metric(after, "errors") == "pass"
    assert before["clauses_broken"].keys() == {"FLOWAPP-GEN-2"}
    assert "\ncontent-type: text/plain" in tried
    (cause,) = after["violation_causes"]
    assert (cause["id"], cause["accepted"]) == (MEDIA_TYPE_CAUSE, f"until {UNTIL}: ticket 812 (Ann)")
    assert f"accepted until {UNTIL}: ticket 812 (Ann); cause {MEDIA_TYPE_CAUSE}, " in after["output"]


def test_a_file_that_is_not_understood_ends_a_load_run_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text("- {id: x}")
    target = tmp_path / "target.yaml"
    target.write_text("url: http://127.0.0.1:9/flowapp\n")
    text = "from loadtests.flowapp import *"
    url = "http://127.0.0.1:9/flowapp"
    with running_locust(tmp_path / "run", url, text, "--headless -u 1 -t 1s", FLOWAPP_TARGET=str(target)) as locust:
        assert locust.wait() == 2
    assert "accepted.yaml, line 1: id: got 'x', expected the id that the report shows" in locust.output
    assert "Traceback" not in locust.output


def test_a_violation_between_workers_can_be_accepted(tmp_path: Path) -> None:
    path = tmp_path / "accepted.yaml"
    identifier = cause_id("getflow", FindingRecord("GETFLOW-ERR-3", "", ""))
    write_acceptances(path, [Acceptance(identifier, "ticket 812", "Ann", UNTIL)], TODAY)
    lists = {"getflow": AcceptanceList("", TODAY, (Acceptance(identifier, "ticket 812", "Ann", UNTIL),))}
    causes = ViolationCauses(lists)
    assert causes.is_accepted("GETFLOW-ERR-3", "", "", lambda: "an id again")
    assert not causes.is_accepted("GETFLOW-REC-1", "", "", lambda: "an id again")
