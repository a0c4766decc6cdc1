"""The first promise, that all endpoints work alike, and the parameter that they all need: document lines 2 and 46."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from fixtures.cases import encode
from suites.blame import broken
from suites.getflow.bench import Bench
from suites.getflow.dialect import (
    ABSENT,
    CALLS,
    KINDS,
    LISTS,
    TASKS,
    VERSIONED,
    WAYS,
    Kind,
    accepted,
    ask,
    is_refused,
    next_url,
    problems,
    refused,
    rows,
    shown,
    succeeded,
    whole,
)
from suites.getflow.dialect import FLOW as CONTRACT
from suites.readings import Observed

clause = pytest.mark.clause


@clause("GETFLOW-GEN-1")
def test_every_list_takes_the_same_parameters(api: Api) -> None:
    """On any list, version given either way, view, cursor and limit are taken, and Link tells whether that was all."""
    sizes = {kind: len(whole(api, kind, "GETFLOW-GEN-1")) for kind in KINDS}

    def holds(kind: Kind, way: int, limit: int) -> None:
        exchange = ask(api, kind, "list", query={"view": "default", "cursor": 0, "limit": limit}, way=way)
        found = rows(api, exchange, kind, "GETFLOW-GEN-1")
        assert len(found) <= limit, f"{kind}: {len(found)} records with a limit of {limit}"
        if kind.plural != "activities":  # every test leaves some of these
            assert (next_url(exchange) is None) == (sizes[kind] <= limit), f"{kind}: {sizes[kind]} records, page {limit}"

    from suites.getflow.dialect import for_all

    for_all(holds, 24, kind=st.sampled_from(KINDS), way=st.sampled_from(WAYS), limit=st.integers(1, 60))
