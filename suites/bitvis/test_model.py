"""Any calls in any order: the server's objects are compared with a model's, over every transport."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from fixtures.api import Api
from fixtures.transports import Transport
from suites.bitvis.model import Machine

clause = pytest.mark.clause
CALLS = settings(max_examples=20, stateful_step_count=20, suppress_health_check=list(HealthCheck))


@clause(
    "BITVIS-UPD-1",
    "BITVIS-METH-CREATE-1",
    "BITVIS-METH-OPEN-1",
    "BITVIS-METH-INDEX-1",
    "BITVIS-METH-UPDATE-1",
    "BITVIS-METH-DELETE-1",
    "BITVIS-METH-RUN-1",
    "BITVIS-RESP-7",
    "BITVIS-PARAM-3",
    "BITVIS-SORT-1",
    "BITVIS-FILT-1",
    "BITVIS-PAGE-1",
    "BITVIS-PAGE-2",
)
def test_objects_are_what_the_calls_made_of_them(api: Api, transport: Transport) -> None:
    """Objects are made, changed, listed and deleted in any order, and are each time as the model has them."""
    try:
        run_state_machine_as_test(lambda: Machine(api, transport), settings=CALLS)
    except FlakyFailure as flaky:  # the server answered otherwise to the same calls, which is a failure too
        raise next((one for one in flaky.exceptions if isinstance(one, AssertionError)), flaky) from None
