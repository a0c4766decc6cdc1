"""The operators of a flowapp account: document line 39."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.api import Api
from suites.flowapp.dialect import create, generated, operators, tokens

clause = pytest.mark.clause


@clause("FLOWAPP-OPL-1")
def test_every_operator_is_listed_once(api: Api) -> None:
    """No id is in the list twice."""
    assert [number for number, times in Counter(row["id"] for row in operators(api)).items() if times > 1] == []


@clause("FLOWAPP-OPL-1")
def test_listed_operators_can_host_events(api: Api) -> None:
    """The id of each listed operator is that of somebody who can create and host an event."""
    listed = [row["id"] for row in operators(api)]

    @generated
    @given(st.sampled_from(listed), st.sampled_from([5, 10]))
    def check(host: int, role: int) -> None:
        seat = {"id": host, "role": role, "micEnabled": True, "camEnabled": True, "screenSharingEnabled": True}
        assert create(api, "FLOWAPP-OPL-1", creatorID=host, operators=[seat]) in tokens(api)

    check()
