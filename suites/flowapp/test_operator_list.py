"""The operators of a flowapp account: document line 39."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.target_api import Api
from suites.flowapp.client import create_event, event_body, few_examples, is_refused, operators, send

clause = pytest.mark.clause


@clause("FLOWAPP-OPL-1")
def test_every_operator_is_listed_once(api: Api) -> None:
    """No operator id is listed twice."""
    assert [identifier for identifier, times in Counter(row["id"] for row in operators(api)).items() if times > 1] == []


@clause("FLOWAPP-OPL-2")
def test_listed_operators_can_host_events(api: Api) -> None:
    """An event can be created with each listed operator as its host."""
    listed = [row["id"] for row in operators(api)]
    create_event(api)  # raises when nobody can host one

    @few_examples
    @given(st.sampled_from(listed), st.sampled_from([5, 10]))
    def check(host: int, role: int) -> None:
        seat = {"id": host, "role": role, "micEnabled": True, "camEnabled": True, "screenSharingEnabled": True}
        exchange = send(api, "createEvent", json=event_body(api, creatorID=host, operators=[seat]))
        assert not is_refused(api, "createEvent", exchange), f"the listed operator {host} cannot host an event"

    check()
