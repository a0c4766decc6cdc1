"""Load on flowapp: `locust -f loadtests/flowapp.py`, on our reference unless `--host` names another server.

Of 100 journeys 35 look at events, 25 read reports as JSON and CSV, 30 hold an event and register people for it, and 10
send invalid requests. Events cannot be deleted, so a user creates one and uses it for a while.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from random import random
from typing import Any

from locust import between

from loadtests.engine.exchange_types import Request, Response
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import WRITES, ContractUser, Steps
from loadtests.user.journey_user import journey
from loadtests.validation.invariants import Violation, members_match, shown_members_match
from loadtests.validation.validators import parsed_body

CONCURRENT = 3  # registrations
MAX_PEOPLE = 30  # that are registered for one event before another one is created
REPORTS = ("reportSummary", "reportRegistrants", "reportAttendeeChat", "reportOperatorChat", "reportSurveyDetail")


def data_of(value: Any) -> Any:
    """The data of a response, with or without an envelope (FLOWAPP-AMB-2)."""
    return value["data"] if isinstance(value, dict) and "data" in value else value


def check_event(clause: str, expected: dict[str, Any], value: Any, _: Response) -> Violation | None:
    """The event of a response has the expected members."""
    return members_match(clause, expected, data_of(value))


def check_report(emails: set[str], _: Any, response: Response) -> Violation | None:
    """A report of registrants has a row for each listed email."""
    rows = list(csv.DictReader(io.StringIO(response.body.decode("utf-8-sig"), newline="")))
    listed = {value for row in rows for value in row.values() if isinstance(value, str)}
    missing = emails - listed
    return ("FLOWAPP-CSV-3", f"a row for {min(missing)}", f"{len(rows)} rows without it") if missing else None


register()


class Flowapp(ContractUser):
    """A user who holds events, and the people who attend them."""

    api = "flowapp"
    wait_time = between(0, 1)
    operations = (
        "listEvents", "getEvent", "getPublicEvent", "listOperators", "listRegistrants", "listSurveys",
        "registerPerson", "createEvent", *REPORTS,
    )  # fmt: skip

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.event = ""  # session token of this user's own event
        self.people: set[str] = set()

    @journey(weight=35)
    def look_at_events(self) -> Steps:
        """The list of events, one event with the API key and without, and the operators."""
        yield self.sampled_request("listEvents")
        for identifier, clause in (("getEvent", "FLOWAPP-INFO-1"), ("getPublicEvent", "FLOWAPP-INFO-4")):
            token = self.known_value("listEvents", "/data/*/token")
            yield self.request_for(identifier, partial(check_event, clause, {"token": token}), sessionToken=token)
        yield self.request_for("listOperators")

    @journey(weight=25)
    def read_reports(self) -> Steps:
        """Registrants and surveys of a past event as JSON, then all of its reports as CSV, two at once."""
        past = self.http_factory.target.settings.get("PAST_SESSION_TOKEN")
        if past is None:
            return
        listed = yield self.request_for("listRegistrants", sessionToken=past)
        yield self.request_for("listSurveys", sessionToken=past)
        emails = set() if listed.error else {row["email"] for row in data_of(parsed_body(listed))}
        for pair in (REPORTS[:2], REPORTS[2:4]):
            yield [
                self.request_for(
                    report, partial(check_report, emails) if report == "reportRegistrants" else None, sessionToken=past
                )
                for report in pair
            ]
        if "SURVEY_ID" in self.http_factory.target.settings:
            yield self.request_for("reportSurveyDetail")

    @journey(weight=30, tags=(WRITES,))
    def register_people(self) -> Steps:
        """Several people register at once; the event's list has all of them and no others."""
        if not self.event or len(self.people) > MAX_PEOPLE:
            self.event, self.people = (yield from self.create_event()), set()
        if not self.event:
            return
        emails = [f"load{self.unique_text()}@example.com" for _ in range(CONCURRENT)]
        responses = yield [self.registration(email) for email in emails]
        self.people |= {email for email, response in zip(emails, responses, strict=True) if not response.error}
        uncertain = {email for email, response in zip(emails, responses, strict=True) if response.error}
        listed = yield self.request_for(
            "listRegistrants", partial(self.check_registrants, uncertain), sessionToken=self.event
        )
        if listed.error:
            self.event = ""  # so that the same failure is not counted again and again

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests that are invalid in one place are refused as documented."""
        for identifier in ("listEvents", "getEvent", "getPublicEvent", "listRegistrants", "listSurveys", *REPORTS):
            yield self.invalid_request(identifier)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """So are requests with bodies."""
        yield self.invalid_request("createEvent")
        if self.event:
            yield self.invalid_request("registerPerson", eventSessionToken=self.event)

    def create_event(self) -> Steps:
        """Creates an event, reads it back and sometimes finds it listed; returns its token, "" after a failure."""
        title = f"Überblick {self.unique_text()}"

        def check(value: Any, _: Response) -> Violation | None:
            event = data_of(value)
            violation = shown_members_match("FLOWAPP-EVC-3", {"title": title}, event)
            return violation or self.unique_values("session token", "FLOWAPP-INFO-1").add(event["token"])

        response = yield self.request_for("createEvent", check, title=title)
        if response.error:
            return ""
        token = str(data_of(parsed_body(response))["token"])
        read = yield self.request_for(
            "getEvent", partial(check_event, "FLOWAPP-INFO-1", {"token": token, "title": title}), sessionToken=token
        )
        if random() < 0.2:
            yield self.request_for("listEvents", partial(self.check_listed_once, token))
        return "" if read.error else token

    def check_listed_once(self, token: str, value: Any, _: Response) -> Violation | None:
        """The list of events has that event exactly once."""
        count = [event["token"] for event in data_of(value)].count(token)
        return None if count == 1 else ("FLOWAPP-CAP-1", f"the event {token} once", f"{count} times")

    def registration(self, email: str) -> Request:
        """A registration for this user's own event."""
        return self.request_for(
            "registerPerson", email=email, firstName="Zoë", lastName=email[:12], eventSessionToken=self.event
        )

    def check_registrants(self, uncertain: set[str], value: Any, _: Response) -> Violation | None:
        """The list has everybody who was registered, and of others only those whose response was lost."""
        listed = {row["email"] for row in data_of(value)}
        if missing := self.people - listed:
            return "FLOWAPP-REG-5", f"{min(missing)} among the registrants", f"{len(listed)} others"
        if strangers := listed - self.people - uncertain:
            return "FLOWAPP-CAP-2", "nobody but who registered for this event", min(strangers)
        return None
