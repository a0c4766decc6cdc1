"""One cause is one finding: a wrong value that was accepted, a failed preparation, missing mail, a missing record."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.exchange import Request, Response
from fixtures import reference
from fixtures.awaited_mail import MAIL_TIMEOUT
from fixtures.target_api import Api, MissingPrecondition
from fixtures.targets import Target
from suites.preparations import preparation
from suites.selftest.python_runs import run_module
from suites.selftest.suites.server_with_habits import Log, serve, settings

ROOT = Path(__file__).parents[3]
OPTIONS = ("-q", "-rfs", "-p", "no:allure_pytest", "-p", "no:cacheprovider", "--effort", "quick")
JSON = (("Content-Type", "application/json"),)


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A run of some tests as a user starts it."""
    own = {name: text for name, text in os.environ.items() if not re.match("PYTEST|[A-Z]+_URL|FLOWPROOF", name)}
    return run_module("pytest", [*OPTIONS, *arguments], {**own, **environ}, 240)


def failed(output: str) -> list[str]:
    """The tests that failed, by name."""
    return re.findall(r"^FAILED \S+::(\w+)", output, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "tests", "keyword"),
    [
        ("bitvis.stores_whatever_is_sent", "suites/bitvis/test_devices.py", "device"),
        ("flowapp.names_are_whatever_is_sent", "suites/flowapp/test_registrant_list.py", "registrant"),
        ("flowapp.events_have_whatever_is_sent", "suites/flowapp/test_events_list.py", "event"),
        ("getflow.empties_an_attribute", "suites/getflow/test_dates.py", "tasks or dates"),
    ],
)
def test_a_wrong_value_that_was_accepted_is_blamed_on_nothing_else(variant: str, tests: str, keyword: str) -> None:
    api = variant.partition(".")[0]
    generic = ("suites/generic/test_operations.py::test_invalid_requests", "suites/generic/test_operations.py")
    completed = run({}, *generic, tests, "-k", f"{api} and ({keyword})", "--variant", variant)
    assert (completed.returncode, failed(completed.stdout)) == (0, []), completed.stdout[-3000:]


def refuses_workspaces(_log: Log, request: Request) -> Response | None:
    """Refuses to create a workspace, as if it did not know how."""
    if request.method != "POST" or "/workspaces" not in request.url:
        return None
    problem = b'{"code": "invalid_attribute", "message": "No", "link": "https://example.com/", "attribute": "name"}'
    body = b'{"request_uuid": "1f0e9a52-6f0b-4c57-9a3d-0c8f2b7d4e61", "status": "error", "errors": [%s]}' % problem
    return Response(400, JSON, body)


def test_a_failed_preparation_fails_one_test_and_skips_the_others() -> None:
    with serve("getflow", refuses_workspaces) as (url, _):
        output = run(settings("getflow", url, RATE="0"), "suites/getflow/test_dates.py").stdout
    (first,) = failed(output)
    assert re.search(rf"a workspace could not be made \(GETFLOW-[A-Z]+-\d+\): \S+::{first} has the finding", output)


@pytest.mark.slow
def test_a_target_without_mail_fails_one_test_and_skips_the_others() -> None:
    with serve("flowback", lambda *_: None) as (url, _), socket.create_server(("127.0.0.1", 0)) as free:
        smtp = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        output = run(settings("flowback", url, RATE="0", SMTP=smtp), "suites/flowback/test_verify_register.py").stdout
    assert len(failed(output)) == 1, output[-3000:]
    assert "a registration could not be made (FLOWBACK-REG-3)" in output


def lists_no_survey(_log: Log, request: Request) -> Response | None:
    """Has no survey, whoever asks with the right key."""
    has_key = ("api-secret", reference.load("flowapp").KNOWN["TOKEN"]) in request.headers
    return Response(200, JSON, b'{"data": []}') if has_key and "/surveys/" in request.url else None


def test_a_missing_survey_skips_only_what_needs_one() -> None:
    with serve("flowapp", lists_no_survey) as (url, _):
        environ = settings("flowapp", url, RATE="0")
        without = {name: text for name, text in environ.items() if "SURVEY" not in name}
        tests = "suites/flowapp/test_authentication.py::test_the_key_is_read_from_api_secret"
        output = run(without, tests).stdout
    assert re.search(r"^9 passed, 1 skipped", output, re.MULTILINE), output[-3000:]


@dataclass
class EmptyMailbox:
    """A mailbox that gets no mail; `waits` are the seconds for which it was asked to wait."""

    waits: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def wait(self, _to: str, timeout: float, _count: int = 1) -> Sequence[ReceivedText]:
        self.waits.append(timeout)
        return [ReceivedText(text) for text in self.texts]


@dataclass(frozen=True)
class ReceivedText:
    """A mail with that text."""

    text: str


def api_with(mailbox: EmptyMailbox) -> Api:
    return Api(Target("flowback", "http://127.0.0.1:9", {"TOKEN": "x"}, writes=True, embedded=True), mailbox=mailbox)


def test_mail_that_never_comes_is_waited_for_once() -> None:
    mailbox = EmptyMailbox()
    api = api_with(mailbox)
    for client in (api, api, api.with_settings(TOKEN="y")):
        client.received_mails("jo@example.com")
    assert mailbox.waits == [MAIL_TIMEOUT, 0, 0]


def test_mail_is_waited_for_again_once_some_has_come() -> None:
    mailbox = EmptyMailbox()
    api = api_with(mailbox)
    api.received_mails("jo@example.com")
    mailbox.texts.append("late")
    api.received_mails("jo@example.com")
    api.received_mails("jo@example.com")
    assert mailbox.waits == [MAIL_TIMEOUT, 0, MAIL_TIMEOUT]


def prepare(api: Api, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST", f"{test} (call)")
    with preparation(api, "a task"):
        raise AssertionError("refused")


def test_a_preparation_fails_as_often_as_it_is_tried_in_the_first_test(monkeypatch: pytest.MonkeyPatch) -> None:
    api = api_with(EmptyMailbox())
    for _ in range(2):  # as Hypothesis repeats a test
        with pytest.raises(AssertionError, match="refused"):
            prepare(api, "a.py::test_first", monkeypatch)
    with pytest.raises(MissingPrecondition, match=r"^a task could not be made: a\.py::test_first has the finding$"):
        prepare(api, "a.py::test_second", monkeypatch)


def test_a_special_record_is_a_finding_of_its_own_if_an_ordinary_one_can_be_made() -> None:
    api = api_with(EmptyMailbox())
    for _ in range(2):
        with pytest.raises(AssertionError, match="special"), preparation(api, "a task", lambda: None):
            raise AssertionError("special")
    assert api.failed_preparations == {}
