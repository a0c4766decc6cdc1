"""Who registered for a session of flowapp: document lines 32 to 34."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowapp.dialect import (
    addresses,
    ask,
    create,
    data,
    generated,
    is_refused,
    past_session,
    registered,
    tokens,
)

clause = pytest.mark.clause


def spoiled_tokens(token: str) -> st.SearchStrategy[str]:
    """Texts that are almost that token, or that a search would take for it."""
    spot = st.integers(0, len(token) - 1)
    return st.one_of(
        st.sampled_from([token.swapcase(), token[::-1], f"{token} ", f"{token},{token}", f"{token}/", "%", "*"]),
        spot.map(lambda at: token[:at] + token[at + 1 :]),
        spot.map(lambda at: f"{token[:at]}%"),
        st.builds(lambda at, new: token[:at] + new + token[at + 1 :], spot, st.sampled_from("_%*?'.aZ0")),
    ).filter(lambda one: one not in ("", ".", "..", token))


@clause("FLOWAPP-RLIST-1")
def test_the_listed_people_are_those_of_the_session(api: Api) -> None:
    """A new session lists the people that were registered for it under its token."""
    token = create(api)
    expected = sorted(registered(api, token)["email"].lower() for _ in range(3))
    assert addresses(api, token, "FLOWAPP-RLIST-1") == expected


@clause("FLOWAPP-RLIST-1")
def test_almost_a_token_shows_nobody(api: Api) -> None:
    """Generated tokens that differ a little from a session's own are refused or show nobody."""
    ours = create(api)
    registered(api, ours)
    taken = set(tokens(api))

    @generated
    @given(spoiled_tokens(ours) | spoiled_tokens(past_session(api)))
    def check(token: str) -> None:
        if token in taken:
            return
        exchange = ask(api, "listRegistrants", {"sessionToken": token})
        assert is_refused(api, "listRegistrants", exchange) or data(exchange) == []

    check()
