"""Load on flowapp: `locust -f loadtests/flowapp.py`, on our reference unless `--host` names another server.

Of 100 journeys 35 look at events, 25 read reports as JSON and CSV, 30 hold an event and register people for it, and 10
make mistakes. Events cannot be deleted, so a user makes one and keeps to it for a while.
"""

from __future__ import annotations

import csv
import io
from functools import partial
from random import random
from typing import Any

from locust import between

from loadtests.engine.call import Answer, Request
from loadtests.invariants import Broken, agrees, same
from loadtests.judges import value_of
from loadtests.play import WRITES, Plays, Steps
from loadtests.users import journey

AT_ONCE = 3  # registrations
MOST_PEOPLE = 30  # who are registered for an event before another one is made
REPORTS = ("reportSummary", "reportRegistrants", "reportAttendeeChat", "reportOperatorChat", "reportSurveyDetail")


def data_of(value: Any) -> Any:
    """What an answer holds, in the envelope or bare (FLOWAPP-AMB-2)."""
    return value["data"] if isinstance(value, dict) and "data" in value else value


def is_event(clause: str, wanted: dict[str, Any], value: Any, _: Answer) -> Broken | None:
    """Whether an answer's event is the one that it should be."""
    return same(clause, wanted, data_of(value))


def has_people(emails: set[str], _: Any, answer: Answer) -> Broken | None:
    """Whether a report of registrants names them all, as many as were listed."""
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    listed = {value for row in rows for value in row.values() if isinstance(value, str)}
    missing = emails - listed
    return ("FLOWAPP-CSV-3", f"a row for {min(missing)}", f"{len(rows)} rows without it") if missing else None


class Flowapp(Plays):
    """Somebody who holds events, and the people who come to them."""

    api = "flowapp"
    wait_time = between(0, 1)
    operations = (
        "listEvents", "getEvent", "getPublicEvent", "listOperators", "listRegistrants", "listSurveys",
        "registerPerson", "createEvent", *REPORTS,
    )  # fmt: skip

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.event = ""  # the session token of this user's own event
        self.people: set[str] = set()

    @journey(weight=35)
    def look_at_events(self) -> Steps:
        """The list, one event with the key and without, and the operators."""
        yield self.drawn("listEvents")
        for identifier, clause in (("getEvent", "FLOWAPP-INFO-1"), ("getPublicEvent", "FLOWAPP-INFO-2")):
            token = self.known("listEvents", "/data/*/token")
            yield self.call(identifier, partial(is_event, clause, {"token": token}), sessionToken=token)
        yield self.call("listOperators")

    @journey(weight=25)
    def read_reports(self) -> Steps:
        """Registrants and surveys of a past event as JSON, then all of its reports as CSV, two at once."""
        past = self.calls.target.settings.get("PAST_SESSION_TOKEN")
        if past is None:
            return
        listed = yield self.call("listRegistrants", sessionToken=past)
        yield self.call("listSurveys", sessionToken=past)
        emails = set() if listed.error else {row["email"] for row in data_of(value_of(listed))}
        for pair in (REPORTS[:2], REPORTS[2:4]):
            yield [
                self.call(one, partial(has_people, emails) if one == "reportRegistrants" else None, sessionToken=past)
                for one in pair
            ]
        if "SURVEY_ID" in self.calls.target.settings:
            yield self.call("reportSurveyDetail")

    @journey(weight=30, tags=(WRITES,))
    def register_people(self) -> Steps:
        """Several people register at once; the event's list has them all, and nobody else."""
        if not self.event or len(self.people) > MOST_PEOPLE:
            self.event, self.people = (yield from self.held()), set()
        if not self.event:
            return
        emails = [f"load{self.unique()}@example.com" for _ in range(AT_ONCE)]
        answers = yield [self.person(email) for email in emails]
        self.people |= {email for email, answer in zip(emails, answers, strict=True) if not answer.error}
        unsure = {email for email, answer in zip(emails, answers, strict=True) if answer.error}
        listed = yield self.call("listRegistrants", partial(self.has_people, unsure), sessionToken=self.event)
        if listed.error:
            self.event = ""  # what is wrong with it has been told once

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Requests with one thing wrong, each refused as it should be."""
        for identifier in ("listEvents", "getEvent", "getPublicEvent", "listRegistrants", "listSurveys", *REPORTS):
            yield self.broken(identifier)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """The same with bodies."""
        yield self.broken("createEvent")
        if self.event:
            yield self.broken("registerPerson", eventSessionToken=self.event)

    def held(self) -> Steps:
        """Makes an event, reads it back and finds it listed; gives its token, "" when it could not be had."""
        title = f"Überblick {self.unique()}"

        def check(value: Any, _: Answer) -> Broken | None:
            event = data_of(value)
            wrong = agrees("FLOWAPP-EVC-1", {"title": title}, event)
            return wrong or self.once("session token", "FLOWAPP-INFO-1").take(event["token"])

        answer = yield self.call("createEvent", check, title=title)
        if answer.error:
            return ""
        token = str(data_of(value_of(answer))["token"])
        shown = yield self.call(
            "getEvent", partial(is_event, "FLOWAPP-INFO-1", {"token": token, "title": title}), sessionToken=token
        )
        if random() < 0.2:
            yield self.call("listEvents", partial(self.lists_once, token))
        return "" if shown.error else token

    def lists_once(self, token: str, value: Any, _: Answer) -> Broken | None:
        """The list of events has that event, once."""
        found = [event["token"] for event in data_of(value)].count(token)
        return None if found == 1 else ("FLOWAPP-CAP-1", f"the event {token} once", f"{found} times")

    def person(self, email: str) -> Request:
        """A registration for the own event."""
        return self.call(
            "registerPerson", email=email, firstName="Zoë", lastName=email[:12], eventSessionToken=self.event
        )

    def has_people(self, unsure: set[str], value: Any, _: Answer) -> Broken | None:
        """The list has who was registered with success, and of others only those whose answer was lost."""
        listed = {row["email"] for row in data_of(value)}
        if missing := self.people - listed:
            return "FLOWAPP-REG-5", f"{min(missing)} among the registrants", f"{len(listed)} others"
        if strange := listed - self.people - unsure:
            return "FLOWAPP-CAP-2", "nobody but who registered for this event", min(strange)
        return None
