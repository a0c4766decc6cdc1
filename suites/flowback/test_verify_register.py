"""The second step of a registration at Flowback: document lines 86-111."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowback.dialect import (
    LETTERS,
    address,
    assumed,
    everyone,
    for_all,
    is_refused,
    kept,
    login,
    member,
    newcomer,
    post,
    register,
    verify,
)
from suites.readings import Observed

clause = pytest.mark.clause
mail = pytest.mark.xdist_group("mail")
AT_ONCE = 20  # requests
UUID4 = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}")  # RFC 9562
LONG = 16  # letters that no server takes for too few
BYTES = 72  # what a common way to keep passwords looks at
PASSWORDS = st.text(LETTERS, min_size=LONG, max_size=24).filter(lambda text: len(text.encode()) <= BYTES)


@mail
@clause("FLOWBACK-VER-1")
def test_verification_has_a_path_of_its_own(api: Api) -> None:
    """POST /register/verify is served; PUT, PATCH and DELETE are refused there and leave the code as it is."""
    person = newcomer(api)
    form = {"verification_code": person.code, "password": person.password}
    for method in ("PUT", "PATCH", "DELETE"):
        answer = api.request(method, "/register/verify", form=form, credentials="none").answer
        assert 400 <= answer.status < 500, f"{method} /register/verify was answered with {answer.status}"
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"POST /register/verify was answered with {exchange.answer.status}"


@mail
@clause("FLOWBACK-VER-8")
def test_verification_is_a_form(api: Api) -> None:
    """A form of code and password is served."""
    person = newcomer(api)
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"the form was answered with {exchange.answer.status}"


@mail
@clause("FLOWBACK-VER-2")
def test_verified_user_is_listed(api: Api) -> None:
    """After the verification the list has one user more, who has the registered name."""
    before = {row["id"] for row in everyone(api)}
    person = member(api)
    found = [row for row in everyone(api) if row["username"] == person.username]
    assert len(found) == 1, f"{person.username} is listed {len(found)} times"
    assert found[0]["id"] not in before, "the new user has an id that somebody had before"


@mail
@clause("FLOWBACK-VER-3")
def test_login_works_with_the_password_and_with_no_other(api: Api, readings: Observed) -> None:
    """A password that differs by one letter, one that is cut and one that goes on are refused."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    person = member(api)
    right = login(api, person.username, person.password)
    assert not is_refused(right), f"the right password was refused with {right.answer.status}"
    password = person.password

    def wrong(place: int, kind: str) -> None:
        at = place % len(password)
        other = {
            "replaced": f"{password[:at]}{'#' if password[at] != '#' else '*'}{password[at + 1 :]}",
            "other case": password.swapcase(),
            "cut": password[: at or 1],
            "longer": password + password[at],
            "of somebody else": api.setting("PASSWORD"),
        }[kind]
        exchange = login(api, person.username, other)
        assert is_refused(exchange), f"{kind}: another password was served with {exchange.answer.status}"

    kinds = ["replaced", "other case", "cut", "longer", "of somebody else"]
    for_all(wrong, place=st.integers(0, 999), kind=st.sampled_from(kinds))


@mail
@clause("FLOWBACK-VER-3")
def test_passwords_of_two_users_are_not_mixed_up(api: Api, readings: Observed) -> None:
    """Each of two new users gets in with the own password only."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    people = [member(api), member(api)]
    for one in people:
        for other in people:
            exchange = login(api, one.username, other.password)
            assert is_refused(exchange) == (one is not other), f"answered with {exchange.answer.status}"


@mail
@clause("FLOWBACK-VER-4")
def test_mailed_code_is_a_uuid_of_version_4(api: Api) -> None:
    """Every mailed code is a UUID of version 4, and no two are the same."""
    mailed = [newcomer(api).code for _ in range(8)]
    assert all(UUID4.fullmatch(code) for code in mailed), f"no UUIDs of version 4: {mailed}"
    assert len({code.lower() for code in mailed}) == len(mailed), f"a code was mailed twice: {mailed}"


@mail
@clause("FLOWBACK-VER-4")
def test_code_that_is_almost_right_is_refused(api: Api) -> None:
    """A code that is cut, goes on, or has one digit replaced is refused, and the right one still works."""
    person = newcomer(api)
    digits = [place for place, digit in enumerate(person.code) if digit != "-"]

    def wrong(place: int, digit: str, kind: str) -> None:
        at = digits[place % len(digits)]
        code = {
            "cut": person.code[: -1 - place % 3],
            "longer": person.code + digit,
            "replaced": f"{person.code[:at]}{digit}{person.code[at + 1 :]}",
        }[kind]
        if code.lower() == person.code.lower():
            return
        exchange = verify(api, code, person.password)
        assert is_refused(exchange), f"{kind}: {code} was served with {exchange.answer.status}"

    for_all(
        wrong,
        place=st.integers(0, 31),
        digit=st.sampled_from("0f7g"),
        kind=st.sampled_from(["cut", "longer", "replaced"]),
    )
    exchange = verify(api, person.code, person.password)
    assert not is_refused(exchange), f"afterwards the right code was refused with {exchange.answer.status}"


@mail
@clause("FLOWBACK-VER-6")
@pytest.mark.parametrize("form", [{}, {"password": ""}], ids=["left out", "empty"])
def test_password_is_needed(api: Api, form: dict[str, str]) -> None:
    """A verification without a password is refused, and nobody can log in who has none."""
    person = newcomer(api)
    exchange = kept(
        api, "verifyRegistration", post(api, "/register/verify", {"verification_code": person.code, **form})
    )
    assert is_refused(exchange), f"a verification without a password was answered with {exchange.answer.status}"
    assert person.username not in [row["username"] for row in everyone(api)], "the user is listed all the same"


@mail
@clause("FLOWBACK-VER-6")
def test_password_is_kept_letter_by_letter(api: Api, readings: Observed) -> None:
    """Login takes a password of any letters, with spaces inside and at its ends, exactly as it was set."""
    assumed(readings, "FLOWBACK-AMB-4", "plain")
    member(api)

    def keeps(password: str) -> None:
        person = newcomer(api, password=password)
        exchange = verify(api, person.code, password)
        assert not is_refused(exchange), f"{password!r} was refused with {exchange.answer.status}"
        exchange = login(api, person.username, password)
        assert not is_refused(exchange), f"set and then refused: {password!r}"
        for other in {password.strip(), password.encode("ascii", "ignore").decode(), " ".join(password.split())}:
            if other not in ("", password):
                assert is_refused(login(api, person.username, other)), f"{password!r} was set, {other!r} works"

    keeps("  two  spaces, ÿ and 李 ")
    for_all(keeps, password=PASSWORDS)


@mail
@clause("FLOWBACK-VER-9")
def test_code_works_once(api: Api) -> None:
    """A second use of a code is refused, with the same and with another password, and changes nothing."""
    person = newcomer(api)
    assert not is_refused(verify(api, person.code, person.password)), "the first use was refused"
    count = len(everyone(api))
    for password in (person.password, api.unique("another secret ")):
        again = verify(api, person.code, password)
        assert is_refused(again), f"a used code was served with {again.answer.status}"
    assert len(everyone(api)) == count, "a used code made another user"


@mail
@clause("FLOWBACK-VER-9")
def test_code_that_many_use_at_once_works_once(api: Api, readings: Observed) -> None:
    """Of many uses at the same time one is served, and its password is the one that counts."""
    person = newcomer(api)
    passwords = [api.unique(f"secret of {number:02} ") for number in range(AT_ONCE)]
    forms = [{"verification_code": person.code, "password": password} for password in passwords]
    answers = api.together([partial(post, path="/register/verify", form=form) for form in forms])
    winners = [
        password
        for password, answer in zip(passwords, answers, strict=True)
        if not is_refused(kept(api, "verifyRegistration", answer))
    ]
    assert len(winners) == 1, f"{len(winners)} of {AT_ONCE} uses at once were served"
    listed = [row for row in everyone(api) if row["username"] == person.username]
    assert len(listed) == 1, f"{person.username} is listed {len(listed)} times"
    if readings.is_in_force("FLOWBACK-AMB-4", "plain"):
        opened = [password for password in passwords if not is_refused(login(api, person.username, password))]
        assert opened == winners, f"served was the use with {winners}, login works with {opened}"


@mail
@clause("FLOWBACK-VER-9")
@pytest.mark.parametrize("password", ["", "a", "1234"])
def test_failed_attempt_does_not_use_the_code_up(api: Api, readings: Observed, password: str) -> None:
    """After an attempt that failed for its password, and after somebody else has registered, the code still works."""
    person = newcomer(api)
    weak = is_refused(verify(api, person.code, password))
    if password:
        readings.one_of("FLOWBACK-AMB-24", refused=weak, accepted=not weak)
    if weak:
        register(api, api.unique("flow.user"), address(api))
        exchange = verify(api, person.code, person.password)
        assert not is_refused(exchange), f"the code was refused with {exchange.answer.status} after a failed attempt"
