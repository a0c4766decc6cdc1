"""Usernames and email addresses that several people register at Flowback (document lines 79-80)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    Person,
    check_exchange,
    expect_success,
    is_refused,
    listed_names,
    mailed_code,
    mailed_codes,
    page_rows,
    post_form,
    register,
    registered_person,
    require_meaning,
    unused_email,
    verified_person,
    verify,
)
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("comparison")

clause = pytest.mark.clause
CONCURRENT_REQUESTS = 20
Registrations = list[tuple[str, str]]  # usernames and email addresses


def created_users(api: Api, registrations: Registrations) -> int:
    """The number of users after all of these are registered at once and the accepted ones verified at once."""
    forms = [{"username": username, "email": email} for username, email in registrations]
    exchanges = api.send_concurrently([partial(post_form, path="/register", form=form) for form in forms])
    accepted = [
        email
        for (_, email), exchange in zip(registrations, exchanges, strict=True)
        if not is_refused(check_exchange(api, "registerUser", exchange))
    ]
    mailboxes = {email.casefold(): email for email in accepted}
    codes = {
        code
        for mailbox, email in mailboxes.items()
        for code in mailed_codes(api, email, sum(other.casefold() == mailbox for other in accepted))
    }
    if accepted and not codes:
        registered_person(api)  # has the finding if no mail comes at all
    forms = [{"verification_code": code, "password": api.unique_text("a long secret ")} for code in sorted(codes)]
    requests = [partial(post_form, path="/register/verify", form=form) for form in forms]
    exchanges = api.send_concurrently(requests) if requests else []
    return sum(not is_refused(check_exchange(api, "verifyRegistration", exchange)) for exchange in exchanges)


def served_codes(api: Api, codes: list[str]) -> list[str]:
    """The codes whose verification is served, each tried once in this order."""
    return [code for code in codes if not is_refused(verify(api, code, api.unique_text("a long secret ")))]


@clause("FLOWBACK-REG-6")
def test_no_two_users_have_the_same_username(api: Api, readings: ObservedReadings) -> None:
    """Of two registrations of a username one becomes a user; after that the username is refused."""
    username, email = api.unique_text("flow.user"), unused_email(api)
    first = registered_person(api, username)
    second_refused = is_refused(register(api, username, email))
    readings.observe("FLOWBACK-AMB-8", kept=second_refused, free=not second_refused)
    codes = [first.code, *([] if second_refused else mailed_codes(api, email))]
    created = served_codes(api, codes)
    assert len(created) == 1, f"{len(created)} users have the username {username}"
    third = register(api, username, unused_email(api))
    assert is_refused(third), f"the taken username {username} was served with status {third.response.status}"


@clause("FLOWBACK-REG-6")
@pytest.mark.bug_kind("together")
def test_concurrent_registrations_of_a_username_create_one_user(api: Api) -> None:
    """Of many concurrent registrations of one username, one becomes a user."""
    username = api.unique_text("flow.user")
    created = created_users(api, [(username, unused_email(api)) for _ in range(CONCURRENT_REQUESTS)])
    assert created == 1, f"{CONCURRENT_REQUESTS} registrations of {username} created {created} users"
    listed = len(listed_names(api, username))
    assert listed == 1, f"{username} is listed {listed} times"


@clause("FLOWBACK-REG-8")
def test_no_two_users_have_the_same_email(api: Api) -> None:
    """Of two registrations of an email address one becomes a user; after that it is refused."""
    assert_email_is_unique(api, registered_person(api))


@clause("FLOWBACK-REG-8")
def test_no_two_users_have_the_same_email_with_capitals(api: Api) -> None:
    """The same holds for an address with capitals, where such addresses are accepted."""
    email = f"Flow.{unused_email(api)}"
    if is_refused(register(api, api.unique_text("flow.user"), email)):
        raise MissingPrecondition(f"the target refuses email addresses such as {email} (FLOWBACK-AMB-32)")
    codes = mailed_codes(api, email)
    assert codes, f"no mail with a code was sent to {email}"
    assert_email_is_unique(api, Person("", email, codes[0], ""))


def assert_email_is_unique(api: Api, person: Person) -> None:
    """Asserts that one user comes of that person's registration and another one of the same address."""
    email, codes = person.email, {person.code}
    if not is_refused(register(api, api.unique_text("flow.user"), email)):
        codes |= set(mailed_codes(api, email, 2))
    created = served_codes(api, sorted(codes))
    assert len(created) == 1, f"{len(created)} users have the email address {email}"
    third = register(api, api.unique_text("flow.user"), email)
    assert is_refused(third), f"the taken email address {email} was served with status {third.response.status}"


@clause("FLOWBACK-REG-8")
@pytest.mark.bug_kind("together")
def test_concurrent_registrations_of_an_email_create_one_user(api: Api) -> None:
    """Of many concurrent registrations of one email address, one becomes a user."""
    email = unused_email(api)
    created = created_users(api, [(api.unique_text("flow.user"), email) for _ in range(CONCURRENT_REQUESTS)])
    assert created == 1, f"{CONCURRENT_REQUESTS} registrations of {email} created {created} users"


@clause("FLOWBACK-REG-6", "FLOWBACK-REG-8")
def test_case_matters_alike_in_sequence_and_concurrently(api: Api, readings: ObservedReadings) -> None:
    """Whether the case tells usernames or emails apart is the same for concurrent registrations as one by one."""
    person = verified_person(api)
    names_folded = is_refused(register(api, person.username.swapcase(), unused_email(api)))
    emails_folded = is_refused(register(api, api.unique_text("flow.user"), person.email.upper()))
    readings.observe(
        "FLOWBACK-AMB-9",
        emails_folded=emails_folded and not names_folded,
        names_folded=names_folded and not emails_folded,
        both_folded=names_folded and emails_folded,
        exact=not names_folded and not emails_folded,
    )
    for folded, registrations in (
        (names_folded, case_variants_of_a_username(api)),
        (emails_folded, case_variants_of_an_email(api)),
    ):
        expected, created = 1 if folded else len(registrations), created_users(api, registrations)
        assert created == expected, f"{registrations} created {created} users, expected {expected}"


def concurrently_registered(api: Api) -> list[Person]:
    """People who have registered at the same time, each with the code from the mail to their address."""
    people = [
        Person(api.unique_text("flow.user"), unused_email(api), "", api.unique_text("a long secret ")) for _ in range(6)
    ]
    forms = [{"username": person.username, "email": person.email} for person in people]
    exchanges = api.send_concurrently([partial(post_form, path="/register", form=form) for form in forms])
    for exchange in exchanges:
        expect_success(api, "registerUser", exchange)
    return [
        replace(person, code=mailed_code(api, person.email, exchange))
        for person, exchange in zip(people, exchanges, strict=True)
    ]


@clause("FLOWBACK-REG-3")
@pytest.mark.bug_kind("together")
def test_concurrent_registrations_are_mailed_codes_of_their_own(api: Api) -> None:
    """Everybody who registers at the same time is mailed another code."""
    codes = [person.code for person in concurrently_registered(api)]
    assert len(set(codes)) == len(codes), f"{len(codes)} registrations were mailed {len(set(codes))} different codes"


@clause("FLOWBACK-LIST-18")
@pytest.mark.bug_kind("together")
def test_concurrent_verifications_create_users_with_ids_of_their_own(api: Api) -> None:
    """Everybody who is verified at the same time is listed with another id."""
    people = concurrently_registered(api)
    verify_concurrently(api, people)
    rows = [row for person in people for row in page_rows(api, username=person.username)]
    ids = [row["id"] for row in rows if row["username"] in {person.username for person in people}]
    assert len(ids) >= len(people), f"{len(people)} users were verified, and {len(ids)} are listed"
    assert len(set(ids)) == len(ids), f"the ids of users who were verified at the same time: {ids}"


@clause("FLOWBACK-AUTH-2")
@pytest.mark.bug_kind("together")
def test_concurrent_logins_get_keys_of_their_own(api: Api, readings: ObservedReadings) -> None:
    """Everybody who logs in at the same time is given another key."""
    require_meaning(readings, "FLOWBACK-AMB-4", "plain")
    people = concurrently_registered(api)
    verify_concurrently(api, people)
    forms = [{"username": person.username, "password": person.password} for person in people]
    exchanges = api.send_concurrently([partial(post_form, path="/login", form=form) for form in forms])
    keys = [expect_success(api, "login", exchange).response.json()["token"] for exchange in exchanges]
    assert len(set(keys)) == len(keys), f"{len(keys)} users who logged in were given {len(set(keys))} different keys"


def verify_concurrently(api: Api, people: Sequence[Person]) -> None:
    """Completes these registrations at the same time."""
    forms = [{"verification_code": person.code, "password": person.password} for person in people]
    for exchange in api.send_concurrently([partial(post_form, path="/register/verify", form=form) for form in forms]):
        expect_success(api, "verifyRegistration", exchange)


def case_variants_of_a_username(api: Api) -> Registrations:
    """Three registrations whose usernames differ only in case."""
    username = api.unique_text("flow.user")
    return [(variant, unused_email(api)) for variant in (username, username.upper(), username.title())]


def case_variants_of_an_email(api: Api) -> Registrations:
    """Three registrations whose email addresses differ only in case."""
    email = unused_email(api)
    return [(api.unique_text("flow.user"), variant) for variant in (email, email.upper(), email.title())]
