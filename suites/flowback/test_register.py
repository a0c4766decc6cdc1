"""The first step of a registration at Flowback, POST /register (document lines 55-84)."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pytest
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    EXAMPLES,
    WORDS,
    Person,
    all_pages,
    check_exchange,
    is_allowed,
    is_refused,
    listed_names,
    log_in,
    login,
    mailed_code,
    mailed_codes,
    post_form,
    register,
    registered_person,
    require_login,
    single_user,
    unused_email,
    verify,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings
from suites.preparations import preparation

pytestmark = pytest.mark.bug_kind("links and mail")

clause = pytest.mark.clause
UNKNOWN_CODE = "1f0e9a52-6f0b-4c57-9a3d-0c8f2b7d4e61"


def verify_person(api: Api, username: str, email: str) -> Person:
    """Complete a registration with the code from its mail. Fails if there is no code or it is refused."""
    with preparation(api, "a registration", partial(registered_person, api)):
        codes = mailed_codes(api, email)
        assert codes, f"no mail with a code was sent to {email} for {username!r}"
    person = Person(username, email, codes[0], api.unique_text("a long secret "))
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the code of {username!r} was refused with status {exchange.response.status}"
    return person


@clause("FLOWBACK-REG-1")
def test_registration_begins_with_a_post(api: Api) -> None:
    """POST /register is served."""
    exchange = register(api, api.unique_text("flow.user"), unused_email(api))
    assert not is_refused(exchange), f"POST /register was refused with status {exchange.response.status}"


@clause("FLOWBACK-REG-9")
def test_registration_is_a_form(api: Api, readings: ObservedReadings) -> None:
    """A form is served, and JSON may be; the response is a JSON object, text or empty."""
    exchange = register(api, api.unique_text("flow.user"), unused_email(api))
    assert not is_refused(exchange), f"the form was refused with status {exchange.response.status}"
    media_type = exchange.response.media_type()
    readings.one_of(
        "FLOWBACK-AMB-18",
        nothing=not exchange.response.body,
        object=media_type.endswith("json"),
        words=media_type.startswith("text/"),
    )
    body = {"username": api.unique_text("flow.user"), "email": unused_email(api)}
    exchange = check_exchange(api, "registerUser", api.request("POST", "/register", json=body))
    refused = is_refused(exchange)
    readings.observe("FLOWBACK-AMB-33", refused=refused, accepted=not refused)


@pytest.mark.parametrize("missing", ["username", "email"])
@pytest.mark.parametrize(
    "instead",
    [
        pytest.param("nothing", marks=clause("FLOWBACK-REG-10")),
        pytest.param("empty", marks=clause("FLOWBACK-REG-12")),
        pytest.param("query", marks=clause("FLOWBACK-REG-10")),
    ],
)
def test_both_fields_are_required_in_the_body(api: Api, missing: str, instead: str) -> None:
    """A registration is refused if a field is left out, empty, or in the query instead of the body."""
    form = {"username": api.unique_text("flow.user"), "email": unused_email(api)}
    value = form.pop(missing)
    form |= {missing: ""} if instead == "empty" else {}
    query = {missing: value} if instead == "query" else {}
    exchange = check_exchange(api, "registerUser", api.request("POST", "/register", form=form, query=query))
    assert is_refused(exchange), f"without {missing} ({instead}): served with status {exchange.response.status}"


@clause("FLOWBACK-REG-2")
def test_unverified_person_is_no_user(api: Api) -> None:
    """Before the verification a person is neither found by username nor listed on any page; afterwards both."""
    person = registered_person(api)
    assert not listed_names(api, person.username), "the filter by username finds a user who has not verified"
    usernames = [row["username"] for row in all_pages(api)]
    assert person.username not in usernames, "the list shows a user who has not verified"
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the verification was refused with status {exchange.response.status}"
    assert listed_names(api, person.username), "the user is not listed after the verification"


@clause("FLOWBACK-REG-2")
def test_unverified_person_cannot_log_in(api: Api, readings: ObservedReadings) -> None:
    """Before the verification a login is refused with any password; afterwards it is served."""
    require_login(api, readings)
    person = registered_person(api)
    for password in (person.password, person.code, person.username, " "):
        exchange = login(api, person.username, password)
        assert is_refused(exchange), f"a user who has not verified was logged in with {exchange.response.status}"
    verification = verify(api, person.code, person.password)
    assert not is_refused(verification), f"the verification was refused with status {verification.response.status}"
    exchange = login(api, person.username, person.password)
    assert not is_refused(exchange), f"a verified user was refused with status {exchange.response.status}"


@clause("FLOWBACK-REG-3")
def test_registration_sends_exactly_one_mail(api: Api) -> None:
    """When a later registration's mail has arrived, the first address has one mail, and its code is valid."""
    username, email = api.unique_text("flow.user"), unused_email(api)
    registration = register(api, username, email)
    assert not is_refused(registration), f"the registration was refused with status {registration.response.status}"
    codes = mailed_codes(api, email)
    assert codes, f"no mail with a code was sent to {email}"
    registered_person(api)
    mails = len(api.received_mails(email))
    assert mails == 1, f"{mails} mails were sent to {email}"
    exchange = verify(api, codes[0], api.unique_text("a long secret "))
    assert not is_refused(exchange), f"the mailed code was refused with status {exchange.response.status}"


@clause("FLOWBACK-REG-3", "FLOWBACK-REG-6")
def test_a_refused_registration_sends_no_mail(api: Api) -> None:
    """When a later registration's mail has arrived, nothing has come to the address of one with a taken username."""
    person, email = registered_person(api), unused_email(api)
    if not is_refused(register(api, person.username, email)):
        raise MissingPrecondition("a username that waits for its verification is still free (FLOWBACK-AMB-8)")
    registered_person(api)
    mails = api.received_mails(email, timeout=0)
    assert not mails, f"a registration that was refused for its username sent {len(mails)} mails to {email}"


@clause("FLOWBACK-REG-4")
def test_no_account_without_the_mailed_code(api: Api) -> None:
    """A verification without a code, with an empty one or with another text is refused and creates no user."""
    person = registered_person(api)
    for code in (None, "", person.username, person.email, UNKNOWN_CODE):
        form = {"password": person.password} | ({} if code is None else {"verification_code": code})
        exchange = check_exchange(api, "verifyRegistration", post_form(api, "/register/verify", form))
        assert is_refused(exchange), f"the code {code!r} was served with status {exchange.response.status}"
    assert not listed_names(api, person.username), "the user is listed without a verification"


@clause("FLOWBACK-REG-4")
def test_mailed_code_completes_its_own_registration(api: Api) -> None:
    """The code from a mail creates the user whose registration sent that mail, and no other."""
    people = [registered_person(api), registered_person(api)]
    for person, other in (people, people[::-1]):
        exchange = verify(api, person.code, person.password)
        assert not is_refused(exchange), f"the mailed code was refused with status {exchange.response.status}"
        assert listed_names(api, person.username), f"the code of {person.username} did not create that user"
        if person is people[0]:
            assert not listed_names(api, other.username), f"the code of {person.username} created {other.username}"


@clause("FLOWBACK-REG-11")
def test_response_does_not_contain_the_code(api: Api, readings: ObservedReadings) -> None:
    """Neither headers nor body of the response to POST /register contain the code, with or without hyphens."""
    email = unused_email(api)
    exchange = register(api, api.unique_text("flow.user"), email)
    text = f"{exchange.response.headers} {exchange.response.text()}".lower().replace("-", "")
    contained = mailed_code(api, email, exchange).lower().replace("-", "") in text
    assert is_allowed(readings, "FLOWBACK-AMB-10", by_mail=not contained, by_answer=contained), (
        "the response contains the code"
    )


@clause("FLOWBACK-REG-5")
def test_username_is_listed_as_registered(api: Api, readings: ObservedReadings) -> None:
    """A username of any letters, with spaces within and around, is listed as it was sent, or refused at once."""
    registered_person(api)

    def check_username(before: str, after: str) -> None:
        username, email = f"{before}{api.unique_text()}{after}", unused_email(api)
        refused = is_refused(register(api, username, email))
        readings.observe("FLOWBACK-AMB-32", checked=refused, taken=not refused)
        if refused:
            raise MissingPrecondition(f"the target refuses usernames such as {username!r} (FLOWBACK-AMB-32)")
        verify_person(api, username, email)
        last = [row["username"] for row in all_pages(api)][-1:]
        assert listed_names(api, username), f"{username!r} is not listed; the last user of the list is {last}"

    check_username("flow", "")
    for before, after in (("Ab", "Z"), ("Åsa O'Neill & <b>", "e\u0301 李🦊")):
        with suppress(MissingPrecondition):  # a target may refuse every unusual name
            check_username(before, after)
    with suppress(MissingPrecondition):
        for_all(check_username, EXAMPLES, before=WORDS, after=WORDS)


@clause("FLOWBACK-REG-7")
def test_mail_goes_to_the_email_that_the_user_shows(api: Api, readings: ObservedReadings) -> None:
    """The mail is sent to the address, also to one with a tag and capitals, and the user shows that address."""
    require_login(api, readings)

    def check_email(local_part: str, tag: str) -> None:
        email = f"{local_part}.{api.unique_text('flow')}{tag}@example.com"
        username = api.unique_text("flow.user")
        if is_refused(register(api, username, email)):
            raise MissingPrecondition(f"the target refuses email addresses such as {email} (FLOWBACK-AMB-32)")
        person = verify_person(api, username, email)
        shown = str(single_user(log_in(api, username, person.password)).get("email"))
        assert shown.casefold() == email.casefold(), f"registered with the email {email}, the user shows {shown}"

    check_email("flow", "")
    with suppress(MissingPrecondition):  # a target may refuse every unusual address
        check_email("Flow", "+tag")
        local_parts = st.from_regex(r"[A-Za-z0-9_]{1,10}", fullmatch=True)
        for_all(check_email, EXAMPLES, local_part=local_parts, tag=st.just("+tag"))
