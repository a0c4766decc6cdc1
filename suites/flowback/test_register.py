"""The first step of a registration at Flowback: document lines 55-84."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.api import Api, Lacking
from suites.flowback.dialect import (
    WORDS,
    Person,
    address,
    allowed,
    assumed,
    codes,
    everyone,
    for_all,
    is_refused,
    kept,
    logged_in,
    login,
    names_of,
    newcomer,
    post,
    register,
    user,
    verify,
)
from suites.readings import Observed

clause = pytest.mark.clause
mail = pytest.mark.xdist_group("mail")


@clause("FLOWBACK-REG-1")
def test_registration_begins_with_a_post(api: Api) -> None:
    """POST /register is served; PUT, PATCH and DELETE are refused there."""
    exchange = register(api, api.unique("flow.user"), address(api))
    assert not is_refused(exchange), f"POST /register was answered with {exchange.answer.status}"
    for method in ("PUT", "PATCH", "DELETE"):
        form = {"username": api.unique("flow.user"), "email": address(api)}
        answer = api.request(method, "/register", form=form, credentials="none").answer
        assert 400 <= answer.status < 500, f"{method} /register was answered with {answer.status}"


@clause("FLOWBACK-REG-9")
def test_registration_is_a_form(api: Api, readings: Observed) -> None:
    """A form is served; JSON may be, too; the answer is an object, nothing or words."""
    exchange = register(api, api.unique("flow.user"), address(api))
    assert not is_refused(exchange), f"the form was answered with {exchange.answer.status}"
    body, media = exchange.answer.body, exchange.answer.media_type()
    readings.one_of("FLOWBACK-AMB-18", nothing=not body, object=media.endswith("json"), words=media.startswith("text/"))
    value = {"username": api.unique("flow.user"), "email": address(api)}
    other = is_refused(kept(api, "registerUser", api.request("POST", "/register", json=value, credentials="none")))
    readings.one_of("FLOWBACK-AMB-33", refused=other, accepted=not other)


@clause("FLOWBACK-REG-10")
@pytest.mark.parametrize("missing", ["username", "email"])
@pytest.mark.parametrize("instead", ["nothing", "empty", "query"])
def test_both_fields_are_needed_in_the_body(api: Api, missing: str, instead: str) -> None:
    """A field that is left out, empty, or in the query and not in the body, is refused."""
    form = {"username": api.unique("flow.user"), "email": address(api)}
    value = form.pop(missing)
    form |= {missing: ""} if instead == "empty" else {}
    query = {missing: value} if instead == "query" else {}
    exchange = kept(api, "registerUser", api.request("POST", "/register", form=form, query=query, credentials="none"))
    assert is_refused(exchange), f"without {missing} ({instead}) the answer was {exchange.answer.status}"


@mail
@clause("FLOWBACK-REG-2")
def test_unverified_is_no_user(api: Api) -> None:
    """Before the verification nobody is listed, neither by name nor on any page; after it the user is."""
    person = newcomer(api)
    assert not names_of(api, person.username), "listed by name before the verification"
    assert person.username not in [row["username"] for row in everyone(api)], "listed before the verification"
    assert not is_refused(verify(api, person.code, person.password))
    assert names_of(api, person.username), "not listed after the verification"


@mail
@clause("FLOWBACK-REG-2")
def test_unverified_cannot_log_in(api: Api, readings: Observed) -> None:
    """Login refuses who has not verified, whatever the password; afterwards it gives a key."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    person = newcomer(api)
    for password in (person.password, person.code, person.username, " "):
        early = login(api, person.username, password)
        assert is_refused(early), f"an unverified user was logged in with {early.answer.status}"
    assert not is_refused(verify(api, person.code, person.password))
    late = login(api, person.username, person.password)
    assert not is_refused(late), f"a verified user was refused with {late.answer.status}"


@mail
@clause("FLOWBACK-REG-3")
def test_registration_sends_exactly_one_mail(api: Api) -> None:
    """By the time that a later registration's mail is there, the first address has one mail, whose code works."""
    first = (api.unique("flow.user"), address(api))
    assert not is_refused(register(api, *first))
    mailed = codes(api, first[1])
    assert mailed, f"no mail with a code came to {first[1]}"
    newcomer(api)
    assert len(api.mails(first[1])) == 1, f"{len(api.mails(first[1]))} mails came to {first[1]}"
    exchange = verify(api, mailed[0], api.unique("a long secret "))
    assert not is_refused(exchange), f"the mailed code was refused with {exchange.answer.status}"


@mail
@clause("FLOWBACK-REG-4")
def test_no_account_without_the_mailed_code(api: Api) -> None:
    """A verification without a code, with an empty one and with the user's own data instead makes no user."""
    person = newcomer(api)
    for code in (None, "", person.username, person.email, "1f0e9a52-6f0b-4c57-9a3d-0c8f2b7d4e61"):
        form = {"password": person.password} | ({} if code is None else {"verification_code": code})
        exchange = kept(api, "verifyRegistration", post(api, "/register/verify", form))
        assert is_refused(exchange), f"the code {code!r} was served with {exchange.answer.status}"
    assert not names_of(api, person.username), "the user is listed all the same"


@mail
@clause("FLOWBACK-REG-4")
def test_mailed_code_completes_the_registration(api: Api) -> None:
    """The code from the mail makes the user whose registration caused that mail, and nobody else."""
    people = [newcomer(api), newcomer(api)]
    for person, other in (people, people[::-1]):
        exchange = verify(api, person.code, person.password)
        assert not is_refused(exchange), f"the mailed code was refused with {exchange.answer.status}"
        assert names_of(api, person.username), f"the code of {person.username} did not make that user"
        assert other is people[0] or not names_of(api, other.username), f"it made {other.username}"


@mail
@clause("FLOWBACK-REG-11")
def test_answer_does_not_give_the_code_away(api: Api, readings: Observed) -> None:
    """Neither headers nor body of the answer hold the code, with or without its hyphens."""
    email = address(api)
    exchange = register(api, api.unique("flow.user"), email)
    told = f"{exchange.answer.headers} {exchange.answer.text()}".lower().replace("-", "")
    given = any(code.lower().replace("-", "") in told for code in codes(api, email))
    assert allowed(readings, "FLOWBACK-AMB-10", by_mail=not given, by_answer=given), "the answer holds the code"


@mail
@clause("FLOWBACK-REG-5")
def test_username_is_kept_letter_by_letter(api: Api, readings: Observed) -> None:
    """A name of any letters, with spaces inside and at its ends, is listed as it was sent, or refused at once."""
    newcomer(api)

    def keeps(before: str, after: str) -> None:
        name, email = f"{before}{api.unique()}{after}", address(api)
        refused = is_refused(register(api, name, email))
        readings.one_of("FLOWBACK-AMB-32", checked=refused, taken=not refused)
        if refused:
            assert not (before + after).isalnum() or not (before + after).isascii(), f"{name!r} was refused"
            return
        member_of(api, name, email)
        assert names_of(api, name), f"{name!r} is listed as {[row['username'] for row in everyone(api)][-1:]}"

    keeps("Ab", "Z")
    keeps("Åsa O'Neill & <b>", "e\u0301 李🦊")
    for_all(keeps, before=WORDS, after=WORDS)


def member_of(api: Api, name: str, email: str) -> Person:
    """Verifies what was registered."""
    mailed = codes(api, email)
    assert mailed, f"no mail with a code came for {name!r}"
    person = Person(name, email, mailed[0], api.unique("a long secret "))
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the code of {name!r} was refused with {exchange.answer.status}"
    return person


@mail
@clause("FLOWBACK-REG-7")
def test_mail_goes_to_the_address_and_the_user_shows_it(api: Api, readings: Observed) -> None:
    """An address with a dot, a tag and capitals gets the mail, and is the one that the user shows."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")

    def shows(local: str) -> None:
        email = f"{local}.{api.unique('flow')}+tag@example.com"
        name = api.unique("flow.user")
        if is_refused(register(api, name, email)):
            raise Lacking(f"the target refuses addresses such as {email} (FLOWBACK-AMB-32)")
        assert codes(api, email), f"no mail came to {email}"
        person = member_of(api, name, email)
        shown = str(user(logged_in(api, name, person.password)).get("email"))
        assert shown.casefold() == email.casefold(), f"registered with {email}, shown with {shown}"

    shows("Flow")
    for_all(shows, local=st.from_regex(r"[A-Za-z0-9_]{1,10}", fullmatch=True))
