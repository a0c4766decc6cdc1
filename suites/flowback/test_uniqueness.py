"""Names and addresses that several people want at Flowback: document lines 79-80."""

from __future__ import annotations

from functools import partial

import pytest

from fixtures.api import Api
from suites.flowback.dialect import (
    address,
    codes,
    is_refused,
    kept,
    member,
    names_of,
    newcomer,
    post,
    register,
    verify,
)
from suites.readings import Observed

clause = pytest.mark.clause
mail = pytest.mark.xdist_group("mail")
AT_ONCE = 20  # requests


def race(api: Api, people: list[tuple[str, str]]) -> int:
    """Registers all of these at once, then verifies at once whoever was accepted: how many users come of it."""
    forms = [{"username": name, "email": email} for name, email in people]
    answers = api.together([partial(post, path="/register", form=form) for form in forms])
    accepted = [
        email
        for (_, email), answer in zip(people, answers, strict=True)
        if not is_refused(kept(api, "registerUser", answer))
    ]
    boxes = {email.casefold(): email for email in accepted}
    mailed = {
        code
        for box, email in boxes.items()
        for code in codes(api, email, sum(one.casefold() == box for one in accepted))
    }
    used = [{"verification_code": code, "password": api.unique("a long secret ")} for code in sorted(mailed)]
    answers = api.together([partial(post, path="/register/verify", form=form) for form in used]) if used else []
    return sum(not is_refused(kept(api, "verifyRegistration", answer)) for answer in answers)


@mail
@clause("FLOWBACK-REG-6")
def test_no_two_users_have_one_name(api: Api, readings: Observed) -> None:
    """A name that waits may be taken or not; of two that registered it one becomes a user; then it is taken."""
    name, email = api.unique("Flow.User"), address(api)
    first = newcomer(api, name)
    second = is_refused(register(api, name, email))
    readings.one_of("FLOWBACK-AMB-8", kept=second, free=not second)
    mailed = [first.code, *([] if second else codes(api, email))]
    made = [code for code in mailed if not is_refused(verify(api, code, api.unique("a long secret ")))]
    assert len(made) == 1, f"{len(made)} users are called {name}"
    third = register(api, name, address(api))
    assert is_refused(third), f"the taken name {name} was accepted with {third.answer.status}"


@mail
@clause("FLOWBACK-REG-6")
def test_one_name_that_many_want_at_once_goes_to_one(api: Api) -> None:
    """Of many registrations of one name at the same time one becomes a user."""
    name = api.unique("flow.user")
    made = race(api, [(name, address(api)) for _ in range(AT_ONCE)])
    assert made == 1, f"{made} users came of {AT_ONCE} registrations of {name}"
    assert len(names_of(api, name)) == 1, f"{name} is listed {len(names_of(api, name))} times"


@mail
@clause("FLOWBACK-REG-8")
def test_no_two_users_have_one_address(api: Api) -> None:
    """Of two that registered an address, capitals and all, one becomes a user; then it is taken."""
    email = f"Flow.{address(api)}"
    first = newcomer(api, email=email)
    codes_of_both = {first.code}
    if not is_refused(register(api, api.unique("flow.user"), email)):
        codes_of_both |= set(codes(api, email, 2))
    made = [code for code in sorted(codes_of_both) if not is_refused(verify(api, code, api.unique("a long secret ")))]
    assert len(made) == 1, f"{len(made)} users have the address {email}"
    third = register(api, api.unique("flow.user"), email)
    assert is_refused(third), f"the taken address {email} was accepted with {third.answer.status}"


@mail
@clause("FLOWBACK-REG-8")
def test_one_address_that_many_want_at_once_goes_to_one(api: Api) -> None:
    """Of many registrations of one address at the same time one becomes a user."""
    email = address(api)
    made = race(api, [(api.unique("flow.user"), email) for _ in range(AT_ONCE)])
    assert made == 1, f"{made} users came of {AT_ONCE} registrations of {email}"


@mail
@clause("FLOWBACK-REG-6", "FLOWBACK-REG-8")
def test_case_variants_are_one_or_several_at_all_times(api: Api, readings: Observed) -> None:
    """Whether letters in another case make another name or address is seen one by one, and holds at once as well."""
    person = member(api, api.unique("Flow.User"))
    name = is_refused(register(api, person.username.swapcase(), address(api)))
    email = is_refused(register(api, api.unique("flow.user"), person.email.upper()))
    readings.one_of(
        "FLOWBACK-AMB-9",
        emails_folded=email and not name,
        names_folded=name and not email,
        both_folded=name and email,
        exact=not name and not email,
    )
    for folded, pairs in ((name, variants_of_a_name(api)), (email, variants_of_an_address(api))):
        made = race(api, pairs)
        assert made == (1 if folded else len(pairs)), f"{made} users came of {pairs}"


def variants_of_a_name(api: Api) -> list[tuple[str, str]]:
    name = api.unique("flow.user")
    return [(one, address(api)) for one in (name, name.upper(), name.title())]


def variants_of_an_address(api: Api) -> list[tuple[str, str]]:
    email = address(api)
    return [(api.unique("flow.user"), one) for one in (email, email.upper(), email.title())]
