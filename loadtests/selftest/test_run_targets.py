"""A load run goes to the host that was named, and to no host without permission."""

from __future__ import annotations

import smtplib
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import date, timedelta

import pytest

from fixtures import mail_service
from fixtures.mailbox_process import running_mailbox
from fixtures.targets import UsageError, embedded_references
from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import free_port
from loadtests.targets.run_targets import (
    RunTarget,
    excluded_apis,
    permitted_by,
    require_permission,
    resolve_target,
    start_missing,
)

LOOPBACK = "http://127.0.0.1:8000"
PERMITTED = {"LOAD_PERMITTED_BY": f"Jo Doe, {date.today()}"}
ALL = ("bitvis", "flowapp", "flowback", "getflow")


def test_without_a_host_there_is_no_target() -> None:
    assert resolve_target("getflow", ["getflow"], RunTarget(), {}) is None


def test_the_host_is_the_url_of_the_only_api() -> None:
    target = resolve_target("getflow", ["getflow"], RunTarget(f"{LOOPBACK}/base/"), PERMITTED)
    assert target is not None
    assert target.url == f"{LOOPBACK}/base"


def test_with_several_apis_each_is_below_the_host() -> None:
    urls = [target.url for api in ALL if (target := resolve_target(api, ALL, RunTarget(LOOPBACK), PERMITTED))]
    assert urls == [f"{LOOPBACK}/{api}" for api in ALL]


def test_a_url_in_the_environment_names_one_of_several() -> None:
    environ = {**PERMITTED, "GETFLOW_URL": "http://127.0.0.1:9000/x"}
    target = resolve_target("getflow", ALL, RunTarget(LOOPBACK), environ)
    assert target is not None
    assert target.url == "http://127.0.0.1:9000/x"


NEEDS_PERMISSION = 'set LOAD_PERMITTED_BY="name, YYYY-MM-DD"'


@pytest.mark.parametrize("host", ["http://flow.example", "http://10.0.0.1:80/getflow", "http://[2001:db8::1]/"])
def test_a_server_that_is_not_on_this_machine_needs_somebodys_permission(host: str) -> None:
    with pytest.raises(UsageError, match=NEEDS_PERMISSION):
        resolve_target("getflow", ["getflow"], RunTarget(host), {})


def test_a_server_on_this_machine_that_is_not_our_reference_needs_somebodys_permission() -> None:
    with running_target() as strange, pytest.raises(UsageError, match=NEEDS_PERMISSION):
        resolve_target("getflow", ["getflow"], RunTarget(f"{strange.url}/getflow"), {})


def test_a_server_that_does_not_answer_needs_permission_once_it_does() -> None:
    target = resolve_target("getflow", ["getflow"], RunTarget("http://127.0.0.1:1/getflow"), {})
    assert target is not None
    with pytest.raises(UsageError, match=NEEDS_PERMISSION):
        require_permission(target, {})


def test_of_several_apis_those_that_nobody_permitted_are_left_out() -> None:
    target = excluded_apis(ALL, RunTarget(), {"GETFLOW_URL": "http://flow.example"})
    assert list(target) == ["getflow"]
    assert "LOAD_PERMITTED_BY" in target["getflow"]


def test_one_api_that_nobody_permitted_is_refused_not_left_out() -> None:
    assert excluded_apis(["getflow"], RunTarget(), {"GETFLOW_URL": "http://flow.example"}) == {}


def test_when_nothing_would_be_left_nothing_is_left_out() -> None:
    assert excluded_apis(ALL, RunTarget(), {f"{api.upper()}_URL": "http://flow.example" for api in ALL}) == {}


def test_a_deepstream_engine_beyond_loopback_needs_it_too() -> None:
    environ = {"BITVIS_DEEPSTREAM": "ws://engine.example/deepstream"}
    with embedded_references(["bitvis"], "127.0.0.1:9") as started:
        url = started["bitvis"].url
        with pytest.raises(UsageError, match=r"engine\.example/deepstream is not on loopback"):
            resolve_target("bitvis", ["bitvis"], RunTarget(url), environ)


def test_our_reference_may_be_loaded_and_changed_unasked() -> None:
    with embedded_references(["getflow"], "127.0.0.1:9") as started:
        target = resolve_target("getflow", ["getflow"], RunTarget(started["getflow"].url), {})
    assert target is not None
    assert target.writes


@pytest.mark.parametrize(
    ("environ", "writes"), [({}, False), ({"GETFLOW_WRITES": "1"}, True), ({"FLOWAPP_WRITES": "1"}, False)]
)
def test_permission_to_load_is_none_to_write(environ: dict[str, str], writes: bool) -> None:
    environ = {"LOAD_PERMITTED_BY": f"Jo Doe, {date.today()}", "GETFLOW_TOKEN": "x", **environ}
    target = resolve_target("getflow", ["getflow"], RunTarget("http://flow.example"), environ)
    assert target is not None
    assert target.writes is writes


@pytest.mark.parametrize("days", [-31, 31, -365])
def test_a_permission_is_of_at_most_thirty_days_before_or_after_the_run(days: int) -> None:
    with pytest.raises(UsageError, match="LOAD_PERMITTED_BY: expected a date at most 30 days from today"):
        permitted_by({"LOAD_PERMITTED_BY": f"Jo, {date.today() + timedelta(days)}"})


@pytest.mark.parametrize("days", [-29, 0, 29])
def test_a_permission_of_about_today_is_valid(days: int) -> None:
    text = f"Jo, {date.today() + timedelta(days)}"
    assert permitted_by({"LOAD_PERMITTED_BY": text}) == text


@pytest.mark.parametrize(
    "text", ["Jo Doe", "2026-11-22", ", 2026-11-22", "Jo, 22.11.2026", "Jo, 2026-02-30", "J\no, x"]
)
def test_a_permission_says_who_and_when(text: str) -> None:
    with pytest.raises(UsageError, match="LOAD_PERMITTED_BY: expected a name and a date"):
        permitted_by({"LOAD_PERMITTED_BY": text})


def test_a_permission_is_shown_as_it_was_given() -> None:
    assert permitted_by({"LOAD_PERMITTED_BY": f" Doe, Jo, {date.today()} "}) == f"Doe, Jo, {date.today()}"
    assert permitted_by({}) == ""


def test_the_references_are_started_once_for_all_that_lack_a_host() -> None:
    with ExitStack() as stack:
        run_target = start_missing(ALL, ["flowback"], RunTarget(), {}, stack)
        assert run_target.host.startswith("http://127.0.0.1:")
        assert run_target.mail
        for api in ALL:
            target = resolve_target(api, ALL, run_target, {})
            assert target is not None
            with pytest.raises(urllib.error.HTTPError):  # it responds, and wants a token
                urllib.request.urlopen(f"{target.url}/nowhere", timeout=5)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(run_target.host, timeout=5)


def test_our_reference_joins_the_engine_that_is_named() -> None:
    """An engine that cannot be reached is reported, which shows that the reference tried to join it."""
    engine = {"BITVIS_DEEPSTREAM": f"ws://127.0.0.1:{free_port()}/deepstream"}
    with ExitStack() as stack, pytest.raises(UsageError, match="BITVIS_DEEPSTREAM=ws://127"):
        start_missing(["bitvis"], [], RunTarget(), engine, stack)


def test_a_mail_is_handed_out_once_to_whom_it_was_sent() -> None:
    with running_mailbox() as mail:
        host, _, port = mail["smtp"].partition(":")
        with smtplib.SMTP(host, int(port)) as session:
            session.sendmail("a@flow.example", ["Jo@Example.com"], "Subject: hello\r\n\r\nthe code is 7")
        with urllib.request.urlopen(f"{mail['http']}/jo@example.com", timeout=5) as response:
            assert response.read().strip() == b"the code is 7"


def test_a_mailbox_that_cannot_listen_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        expected = (
            f"^FLOWBACK_SMTP: expected a free port at {address} to receive mail, got Address already in use; stop"
        )
        with pytest.raises(UsageError, match=expected), running_mailbox(address, "FLOWBACK_SMTP"):
            pass


def test_a_target_that_somebody_else_started_sends_its_mail_where_the_variable_says() -> None:
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as taken:
        environ = {**PERMITTED, "FLOWBACK_URL": LOOPBACK, "FLOWBACK_SMTP": f"127.0.0.1:{taken.getsockname()[1]}"}
        with pytest.raises(UsageError, match=r"^FLOWBACK_SMTP: expected a free port"):
            start_missing(["flowback"], ["flowback"], RunTarget(), environ, stack)


def test_the_mailbox_gives_up_before_a_journey_does() -> None:
    assert mail_service.MAX_WAIT < 15
