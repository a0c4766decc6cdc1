"""Registration and redirect in one request: document lines 59 to 61."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.flowapp.dialect import (
    addresses,
    check_accepted,
    check_refused,
    create,
    generated,
    is_refused,
    person,
    register,
)
from suites.flowapp.values import NAMES
from suites.readings import Observed

clause = pytest.mark.clause


@pytest.fixture(autouse=True)
def redirect_is_known(readings: Observed) -> None:
    """Without the name of the parameter nothing here can be asked for."""
    if not readings.is_in_force("FLOWAPP-AMB-8", "redirect_in_body"):
        pytest.skip("the parameter that asks for the redirect is taken to be one that no material names")


def login_link(exchange: Exchange) -> str:
    """Where the redirect leads, as an absolute URL; "" when it is none."""
    location = exchange.answer.header("location")
    return urljoin(exchange.sent.url, location) if location and 300 <= exchange.answer.status < 400 else ""


@clause("FLOWAPP-SSO-1")
def test_one_request_registers_and_redirects(api: Api, readings: Observed) -> None:
    """Generated people who ask for the redirect get one to a page on the web, and are listed."""

    @generated
    @given(NAMES, NAMES)
    def check(first: str, last: str) -> None:
        token = create(api)
        who = person(api, firstName=first, lastName=last, redirect=True)
        exchange = check_accepted(api, "registerPerson", register(api, token, who), "FLOWAPP-SSO-1")
        link = urlsplit(login_link(exchange))
        assert link.scheme in ("http", "https")
        assert link.hostname
        assert addresses(api, token) == [who["email"].lower()]

    check()
    readings.saw("FLOWAPP-AMB-8", "redirect_in_body")


@clause("FLOWAPP-SSO-1")
def test_who_is_known_already_is_redirected_too(api: Api) -> None:
    """Somebody who is registered and asks for the redirect is led to the login link, or refused as known."""
    token = create(api)
    who = person(api)
    check_accepted(api, "registerPerson", register(api, token, who))
    exchange = register(api, token, {**who, "redirect": True})
    assert is_refused(api, "registerPerson", exchange) or login_link(exchange)
    assert set(addresses(api, token)) == {who["email"].lower()}


@clause("FLOWAPP-SSO-1")
@pytest.mark.parametrize("members", [{}, {"redirect": False}], ids=["not told", "false"])
def test_who_does_not_ask_is_not_redirected(api: Api, members: dict[str, bool]) -> None:
    """Without the parameter, and with false, the answer is no redirect, and the person is listed."""
    token = create(api)
    who = person(api, **members)
    exchange = check_accepted(api, "registerPerson", register(api, token, who), "FLOWAPP-SSO-1")
    assert 200 <= exchange.answer.status < 300
    assert addresses(api, token) == [who["email"].lower()]


@clause("FLOWAPP-SSO-1", "FLOWAPP-AUTH-5")
def test_the_login_link_does_not_carry_the_key(api: Api) -> None:
    """The key is not in the redirect that somebody's browser follows."""
    exchange = register(api, create(api), person(api, redirect=True))
    assert api.setting("TOKEN") not in login_link(exchange)


@clause("FLOWAPP-SSO-2")
@pytest.mark.parametrize("credentials", ["valid", "none"])
def test_an_account_without_access_is_refused(api: Api, credentials: str) -> None:
    """Where SSO was not granted the redirect is refused, and the same person without it is registered."""
    account = api.other(TOKEN=api.setting("NO_SSO_TOKEN"))
    token = create(account)
    who = person(account)
    exchange = register(account, token, {**who, "redirect": True}, credentials=credentials)
    check_refused(account, "registerPerson", exchange, "FLOWAPP-SSO-2")
    assert login_link(exchange) == ""
    assert addresses(account, token) == []
    check_accepted(account, "registerPerson", register(account, token, who))
    assert addresses(account, token) == [who["email"].lower()]
