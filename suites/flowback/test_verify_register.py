"""The second step of a registration at Flowback, POST /register/verify (document lines 86-111)."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowback.client import (
    CHARACTERS,
    EXAMPLES,
    all_pages,
    can_log_in,
    check_exchange,
    is_refused,
    login,
    post_form,
    register,
    registered_person,
    require_login,
    unused_email,
    verified_person,
    verify,
)
from suites.hypothesis_checks import for_all
from suites.observed_readings import ObservedReadings

pytestmark = pytest.mark.bug_kind("links and mail")

clause = pytest.mark.clause
CONCURRENT_REQUESTS = 20
UUID4 = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")  # RFC 9562
LONG_PASSWORD = 16  # characters, which no server refuses as too few
BCRYPT_BYTES = 72  # bcrypt, a common password hash, ignores the bytes after these
PASSWORDS = st.text(CHARACTERS, min_size=LONG_PASSWORD, max_size=24).filter(
    lambda text: len(text.encode()) <= BCRYPT_BYTES
)


@clause("FLOWBACK-VER-1")
def test_verification_is_a_post(api: Api) -> None:
    """POST /register/verify is served."""
    person = registered_person(api)
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"POST /register/verify was refused with status {exchange.response.status}"


@clause("FLOWBACK-VER-8")
def test_verification_is_a_form(api: Api) -> None:
    """A form with code and password is served."""
    person = registered_person(api)
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the form was refused with status {exchange.response.status}"


@clause("FLOWBACK-VER-2")
def test_verified_user_is_listed(api: Api) -> None:
    """After the verification the list has one more user, with the registered username."""
    ids_before = {row["id"] for row in all_pages(api)}
    person = verified_person(api)
    rows = [row for row in all_pages(api) if row["username"] == person.username]
    assert len(rows) == 1, f"{person.username} is listed {len(rows)} times"
    assert rows[0]["id"] not in ids_before, "the new user has the id of another user"


@clause("FLOWBACK-VER-3")
def test_login_accepts_no_other_password(api: Api, readings: ObservedReadings) -> None:
    """Login accepts the password of the verification; similar ones and another user's are refused."""
    require_login(api, readings)
    person = verified_person(api)
    exchange = login(api, person.username, person.password)
    assert not is_refused(exchange), f"the right password was refused with status {exchange.response.status}"
    password = person.password

    def check_refused(position: int, change: str) -> None:
        at = position % len(password)
        other_password = {
            "replaced": f"{password[:at]}{'#' if password[at] != '#' else '*'}{password[at + 1 :]}",
            "other case": password.swapcase(),
            "cut": password[: at or 1],
            "longer": password + password[at],
            "another user's": api.setting("PASSWORD"),
        }[change]
        exchange = login(api, person.username, other_password)
        assert is_refused(exchange), f"{change}: a wrong password was served with status {exchange.response.status}"

    changes = ["replaced", "other case", "cut", "longer", "another user's"]
    for_all(check_refused, EXAMPLES, position=st.integers(0, 999), change=st.sampled_from(changes))


@clause("FLOWBACK-VER-3")
def test_passwords_of_two_users_are_not_mixed_up(api: Api, readings: ObservedReadings) -> None:
    """Each of two new users can log in only with their own password."""
    require_login(api, readings)
    people = [verified_person(api), verified_person(api)]
    for person in people:
        for other in people:
            exchange = login(api, person.username, other.password)
            owner = "the user's own" if person is other else "the other user's"
            status = exchange.response.status
            assert is_refused(exchange) == (person is not other), f"{owner} password was answered with status {status}"


@clause("FLOWBACK-VER-4")
def test_mailed_code_is_a_version_4_uuid(api: Api) -> None:
    """Every mailed code is a UUID of version 4, and no two codes are the same."""
    codes = [registered_person(api).code for _ in range(8)]
    assert all(UUID4.fullmatch(code) for code in codes), f"not all codes are UUIDs of version 4: {codes}"
    assert len({code.lower() for code in codes}) == len(codes), f"a code was mailed twice: {codes}"


@clause("FLOWBACK-REG-4", "FLOWBACK-VER-10")
def test_almost_valid_code_is_refused(api: Api) -> None:
    """A code that is cut, longer or has a digit replaced is refused, and the mailed code stays valid."""
    person = registered_person(api)
    digit_positions = [position for position, digit in enumerate(person.code) if digit != "-"]

    def check_refused(position: int, digit: str, change: str) -> None:
        at = digit_positions[position % len(digit_positions)]
        code = {
            "cut": person.code[: -1 - position % 3],
            "longer": person.code + digit,
            "replaced": f"{person.code[:at]}{digit}{person.code[at + 1 :]}",
        }[change]
        assume(code.lower() != person.code.lower())
        exchange = verify(api, code, person.password)
        assert is_refused(exchange), f"{change}: {code} was served with status {exchange.response.status}"

    for_all(
        check_refused,
        EXAMPLES,
        position=st.integers(0, 31),
        digit=st.sampled_from("0f7g"),
        change=st.sampled_from(["cut", "longer", "replaced"]),
    )
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"afterwards the mailed code was refused with {exchange.response.status}"


@clause("FLOWBACK-VER-6")
@pytest.mark.parametrize("form", [{}, {"password": ""}], ids=["left out", "empty"])
def test_password_is_required(api: Api, form: dict[str, str]) -> None:
    """A verification without a password is refused and creates no user."""
    person = registered_person(api)
    exchange = check_exchange(
        api, "verifyRegistration", post_form(api, "/register/verify", {"verification_code": person.code, **form})
    )
    assert is_refused(exchange), f"a verification without a password was served with {exchange.response.status}"
    assert person.username not in [row["username"] for row in all_pages(api)], (
        "the user is listed although the verification was refused"
    )


@clause("FLOWBACK-VER-6")
def test_password_is_stored_exactly(api: Api, readings: ObservedReadings) -> None:
    """Login accepts a password of any letters, with spaces within and around, only exactly as it was set."""
    require_login(api, readings)
    verified_person(api)

    def check_password(password: str) -> None:
        person = registered_person(api, password=password)
        if is_refused(verify(api, person.code, password)):
            raise MissingPrecondition(f"the target refuses passwords such as {password!r} (FLOWBACK-AMB-24)")
        exchange = login(api, person.username, password)
        assert not is_refused(exchange), f"the password {password!r} was set and then refused at the login"
        for other in {password.strip(), password.encode("ascii", "ignore").decode(), " ".join(password.split())}:
            if other not in ("", password):
                assert is_refused(login(api, person.username, other)), f"{password!r} was set, {other!r} is accepted"

    check_password(api.unique_text("A long secret of two Words "))
    with suppress(MissingPrecondition):  # a target may refuse every unusual password
        check_password("  two  spaces, ÿ and 李 ")
        for_all(check_password, EXAMPLES, password=PASSWORDS)


@clause("FLOWBACK-VER-9")
def test_code_is_valid_once(api: Api) -> None:
    """A second use of a code is refused, with the same password and with another, and creates no user."""
    person = registered_person(api)
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the first use of the code was refused with status {exchange.response.status}"
    count = len(all_pages(api))
    for password in (person.password, api.unique_text("another secret ")):
        exchange = verify(api, person.code, password)
        assert is_refused(exchange), f"a used code was served with status {exchange.response.status}"
    assert len(all_pages(api)) == count, "a used code created another user"


@clause("FLOWBACK-VER-9")
@pytest.mark.bug_kind("together")
def test_concurrent_uses_of_a_code_create_one_user(api: Api, readings: ObservedReadings) -> None:
    """Of many concurrent uses of a code one is served, and only its password is accepted at the login."""
    person = registered_person(api)
    passwords = [api.unique_text(f"secret of {number:02} ") for number in range(CONCURRENT_REQUESTS)]
    forms = [{"verification_code": person.code, "password": password} for password in passwords]
    exchanges = api.send_concurrently([partial(post_form, path="/register/verify", form=form) for form in forms])
    served = [
        password
        for password, exchange in zip(passwords, exchanges, strict=True)
        if not is_refused(check_exchange(api, "verifyRegistration", exchange))
    ]
    assert len(served) == 1, f"{len(served)} of {CONCURRENT_REQUESTS} concurrent uses of a code were served"
    rows = [row for row in all_pages(api) if row["username"] == person.username]
    assert len(rows) == 1, f"{person.username} is listed {len(rows)} times"
    if readings.is_allowed("FLOWBACK-AMB-4", "plain") and can_log_in(api):
        accepted = [password for password in passwords if not is_refused(login(api, person.username, password))]
        assert accepted == served, f"the use with {served} was served, the login accepts {accepted}"


@clause("FLOWBACK-VER-9")
@pytest.mark.parametrize("password", ["", "a", "1234"])
def test_code_stays_valid_after_a_failed_attempt(api: Api, readings: ObservedReadings, password: str) -> None:
    """A code is still valid after a verification that was refused for its password, and after another registration."""
    person = registered_person(api)
    refused = is_refused(verify(api, person.code, password))
    if password:
        readings.observe("FLOWBACK-AMB-24", refused=refused, accepted=not refused)
    if not refused:
        raise MissingPrecondition(f"the target accepts the password {password!r}, so this attempt did not fail")
    register(api, api.unique_text("flow.user"), unused_email(api))
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"after a failed attempt the code was refused with {exchange.response.status}"
