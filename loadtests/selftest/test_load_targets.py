"""A load run goes where it was sent, and nowhere that nobody has permitted."""

from __future__ import annotations

import smtplib
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest

from fixtures.targets import Misuse
from loadtests import mailbox as mailboxes
from loadtests.mailbox import mailbox
from loadtests.selftest.trial import free_port
from loadtests.targets import Place, left_out, permitted_by, start, target

HERE = "http://127.0.0.1:8000"
ALL = ("bitvis", "flowapp", "flowback", "getflow")


def test_without_a_host_there_is_no_target() -> None:
    assert target("getflow", ["getflow"], Place(), {}) is None


def test_the_host_is_the_url_of_the_only_api() -> None:
    found = target("getflow", ["getflow"], Place(f"{HERE}/base/"), {})
    assert found is not None
    assert found.url == f"{HERE}/base"


def test_with_several_apis_each_is_below_the_host() -> None:
    urls = [found.url for api in ALL if (found := target(api, ALL, Place(HERE), {}))]
    assert urls == [f"{HERE}/{api}" for api in ALL]


def test_a_url_in_the_environment_names_one_of_several() -> None:
    found = target("getflow", ALL, Place(HERE), {"GETFLOW_URL": "http://127.0.0.1:9000/x"})
    assert found is not None
    assert found.url == "http://127.0.0.1:9000/x"


@pytest.mark.parametrize("host", ["http://flow.example", "http://10.0.0.1:80/getflow", "http://[2001:db8::1]/"])
def test_a_host_beyond_loopback_needs_somebodys_permission(host: str) -> None:
    with pytest.raises(Misuse, match='set LOAD_PERMITTED_BY="name, YYYY-MM-DD"'):
        target("getflow", ["getflow"], Place(host), {})


def test_of_several_apis_those_that_nobody_permitted_are_left_out() -> None:
    found = left_out(ALL, Place(), {"GETFLOW_URL": "http://flow.example"})
    assert list(found) == ["getflow"]
    assert "LOAD_PERMITTED_BY" in found["getflow"]


def test_one_api_that_nobody_permitted_is_refused_not_left_out() -> None:
    assert left_out(["getflow"], Place(), {"GETFLOW_URL": "http://flow.example"}) == {}


def test_when_nothing_would_be_left_nothing_is_left_out() -> None:
    assert left_out(ALL, Place(), {f"{api.upper()}_URL": "http://flow.example" for api in ALL}) == {}


def test_a_deepstream_engine_beyond_loopback_needs_it_too() -> None:
    with pytest.raises(Misuse, match=r"engine\.example is not on loopback"):
        target("bitvis", ["bitvis"], Place(HERE), {"BITVIS_DEEPSTREAM": "ws://engine.example/deepstream"})


@pytest.mark.parametrize(
    ("environ", "writes"), [({}, False), ({"GETFLOW_WRITES": "1"}, True), ({"FLOWAPP_WRITES": "1"}, False)]
)
def test_permission_to_load_is_none_to_write(environ: dict[str, str], writes: bool) -> None:
    environ = {"LOAD_PERMITTED_BY": "Jo Doe, 2026-11-22", "GETFLOW_TOKEN": "x", **environ}
    found = target("getflow", ["getflow"], Place("http://flow.example"), environ)
    assert found is not None
    assert found.writes is writes


@pytest.mark.parametrize("said", ["Jo Doe", "2026-11-22", ", 2026-11-22", "Jo, 22.11.2026", "Jo, 2026-02-30"])
def test_a_permission_says_who_and_when(said: str) -> None:
    with pytest.raises(Misuse, match="LOAD_PERMITTED_BY: expected a name and a date"):
        permitted_by({"LOAD_PERMITTED_BY": said})


def test_a_permission_is_told_as_it_was_given() -> None:
    assert permitted_by({"LOAD_PERMITTED_BY": " Doe, Jo, 2026-11-22 "}) == "Doe, Jo, 2026-11-22"
    assert permitted_by({}) == ""


def test_the_references_are_started_once_for_all_that_lack_a_host() -> None:
    with ExitStack() as stack:
        place = start(ALL, Place(), {}, stack)
        assert place.host.startswith("http://127.0.0.1:")
        assert place.mail
        for api in ALL:
            found = target(api, ALL, place, {})
            assert found is not None
            with pytest.raises(urllib.error.HTTPError):  # it answers, and wants a token
                urllib.request.urlopen(f"{found.url}/nowhere", timeout=5)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(place.host, timeout=5)


def test_our_reference_joins_the_engine_that_is_named() -> None:
    """One that cannot be joined is told, so it was tried; a run would find nobody behind it otherwise."""
    engine = {"BITVIS_DEEPSTREAM": f"ws://127.0.0.1:{free_port()}/deepstream"}
    with ExitStack() as stack, pytest.raises(Misuse, match="BITVIS_DEEPSTREAM=ws://127"):
        start(["bitvis"], Place(), engine, stack)


def test_a_mail_is_handed_out_once_to_whom_it_was_sent() -> None:
    with mailbox() as post:
        host, _, port = post["smtp"].partition(":")
        with smtplib.SMTP(host, int(port)) as session:
            session.sendmail("a@flow.example", ["Jo@Example.com"], "Subject: hello\r\n\r\nthe code is 7")
        with urllib.request.urlopen(f"{post['http']}/jo@example.com", timeout=5) as answer:
            assert answer.read().strip() == b"the code is 7"


def test_a_mailbox_that_cannot_listen_says_what_to_do() -> None:
    with pytest.raises(Misuse, match="set FLOWBACK_SMTP to a free HOST:PORT"), mailbox("127.0.0.1:99999"):
        pass


def test_the_patience_of_the_mailbox_is_shorter_than_that_of_who_asks() -> None:
    assert mailboxes.PATIENCE < 15
