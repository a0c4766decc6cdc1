"""The registrants of a session of flowapp: document lines 32 to 34."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    create_event,
    event_tokens,
    few_examples,
    is_refused,
    past_session_token,
    register_new_person,
    registered_emails,
    response_data,
    send,
)

clause = pytest.mark.clause


def similar_tokens(token: str) -> st.SearchStrategy[str]:
    """Texts that resemble that token, or that a search would match with it."""
    positions = st.integers(0, len(token) - 1)
    return st.one_of(
        st.sampled_from([token.swapcase(), token[::-1], f"{token} ", f"{token},{token}", f"{token}/", "%", "*"]),
        positions.map(lambda index: token[:index] + token[index + 1 :]),
        positions.map(lambda index: f"{token[:index]}%"),
        st.builds(
            lambda index, character: token[:index] + character + token[index + 1 :],
            positions,
            st.sampled_from("_%*?'.aZ0"),
        ),
    ).filter(lambda candidate: candidate not in ("", ".", "..", token))


@clause("FLOWAPP-RLIST-1")
def test_listed_registrants_are_those_of_the_session(api: Api) -> None:
    """A new session lists the people who were registered for it."""
    token = create_event(api)
    expected = sorted(register_new_person(api, token)["email"].lower() for _ in range(3))
    assert registered_emails(api, token, "FLOWAPP-RLIST-1") == expected


@clause("FLOWAPP-RLIST-2")
def test_a_similar_token_shows_nobody(api: Api) -> None:
    """Tokens that resemble a session's token are refused or show nobody."""
    own_token = create_event(api)
    register_new_person(api, own_token)
    existing_tokens = set(event_tokens(api))

    @few_examples
    @given(similar_tokens(own_token) | similar_tokens(past_session_token(api)))
    def check(token: str) -> None:
        if token in existing_tokens:
            raise MissingPrecondition("the token is that of a session")
        exchange = send(api, "listRegistrants", {"sessionToken": token})
        assert is_refused(api, "listRegistrants", exchange) or response_data(exchange) == []

    check()
