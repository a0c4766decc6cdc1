"""Registration and redirect in one request: document lines 59 to 61."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given

from contracts.exchange import Exchange
from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    check_accepted,
    check_refused,
    create_event,
    few_examples,
    is_refused,
    new_person,
    register,
    registered_emails,
)
from suites.flowapp.strategies import NAMES
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("links and mail")

clause = pytest.mark.clause


@pytest.fixture(autouse=True)
def redirect_is_known(readings: ObservedReadings) -> None:
    """Skips these tests when the run assumes that the parameter's name is unknown."""
    if not readings.is_allowed("FLOWAPP-AMB-8", "redirect_in_body"):
        pytest.skip("the parameter that asks for the redirect is taken to be one that no material names")


def login_link(exchange: Exchange) -> str:
    """Where the redirect leads, as an absolute URL; "" when the response is no redirect."""
    location = exchange.response.header("location")
    return urljoin(exchange.request.url, location) if location and 300 <= exchange.response.status < 400 else ""


@clause("FLOWAPP-SSO-1")
def test_one_request_registers_and_redirects(api: Api, readings: ObservedReadings) -> None:
    """A registration that is redirected leads to a web page, and the person is listed."""

    @few_examples
    @example("Jo", "Li")
    @given(NAMES, NAMES)
    def check(first: str, last: str) -> None:
        token = create_event(api)
        registrant = new_person(api, firstName=first, lastName=last, redirect=True)
        exchange = register(api, token, registrant)
        if is_refused(api, "registerPerson", exchange) or not 300 <= exchange.response.status < 400:
            return  # neither the parameter nor which names are accepted is said (FLOWAPP-AMB-8, FLOWAPP-AMB-15)
        redirected.append(exchange)
        link = urlsplit(login_link(exchange))
        assert link.scheme in ("http", "https")
        assert link.hostname
        assert registered_emails(api, token) == [registrant["email"].lower()]

    redirected: list[Exchange] = []
    check()
    if not redirected:
        raise MissingPrecondition("no registration was redirected, so the redirect may have another parameter")
    readings.record_meaning("FLOWAPP-AMB-8", "redirect_in_body")


@clause("FLOWAPP-SSO-3")
def test_the_member_redirect_asks_for_the_redirect(api: Api) -> None:
    """A registration with redirect: true is answered with a redirect."""
    exchange = register(api, create_event(api), new_person(api, redirect=True))
    check_accepted(api, "registerPerson", exchange, "FLOWAPP-SSO-3")
    assert login_link(exchange)


@clause("FLOWAPP-SSO-3")
def test_a_registered_person_is_redirected_or_refused(api: Api) -> None:
    """A registered person who asks for the redirect is redirected or refused as already registered."""
    token = create_event(api)
    registrant = new_person(api)
    check_accepted(api, "registerPerson", register(api, token, registrant))
    exchange = register(api, token, {**registrant, "redirect": True})
    assert is_refused(api, "registerPerson", exchange) or login_link(exchange)
    assert set(registered_emails(api, token)) == {registrant["email"].lower()}


@clause("FLOWAPP-SSO-3")
@pytest.mark.parametrize("members", [{}, {"redirect": False}], ids=["absent", "false"])
def test_a_registration_without_the_parameter_is_not_redirected(api: Api, members: dict[str, bool]) -> None:
    """Without the parameter, and with false, the response is no redirect, and the person is listed."""
    token = create_event(api)
    registrant = new_person(api, **members)
    exchange = check_accepted(api, "registerPerson", register(api, token, registrant), "FLOWAPP-SSO-3")
    assert 200 <= exchange.response.status < 300
    assert registered_emails(api, token) == [registrant["email"].lower()]


@clause("FLOWAPP-AUTH-8")
def test_the_login_link_does_not_contain_the_key(api: Api) -> None:
    """The redirect's URL does not contain the key."""
    exchange = register(api, create_event(api), new_person(api, redirect=True))
    link = login_link(exchange)
    if not link:
        raise MissingPrecondition("the registration was not redirected")
    assert api.setting("TOKEN") not in link


@clause("FLOWAPP-SSO-2")
@pytest.mark.parametrize("credentials", ["valid", "none"])
def test_an_account_without_access_is_refused(api: Api, credentials: str) -> None:
    """Without SSO access the redirect is refused, and a registration without it is accepted."""
    account = api.with_settings(TOKEN=api.setting("NO_SSO_TOKEN"))
    token = create_event(account)
    registrant = new_person(account)
    exchange = register(account, token, {**registrant, "redirect": True}, credentials=credentials)
    check_refused(account, "registerPerson", exchange, "FLOWAPP-SSO-2")
    assert login_link(exchange) == ""
    assert registered_emails(account, token) == []
    check_accepted(account, "registerPerson", register(account, token, registrant))
    assert registered_emails(account, token) == [registrant["email"].lower()]
