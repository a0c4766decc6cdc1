"""Any calls in any order: the server's objects are compared with a model's, over every transport."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.errors import Flaky, FlakyFailure
from hypothesis.stateful import run_state_machine_as_test

from fixtures.corpus import Corpus
from fixtures.target_api import Api
from fixtures.transports import Transport
from suites.bitvis.object_model import ObjectStateMachine

pytestmark = pytest.mark.bug_kind("stale")

clause = pytest.mark.clause
STEPS = 20


@clause(
    "BITVIS-UPD-1",
    "BITVIS-METH-CREATE-1",
    "BITVIS-METH-OPEN-1",
    "BITVIS-METH-INDEX-1",
    "BITVIS-METH-UPDATE-1",
    "BITVIS-METH-DELETE-1",
    "BITVIS-METH-RUN-1",
    "BITVIS-RESP-7",
    "BITVIS-RESP-11",
    "BITVIS-PARAM-3",
    "BITVIS-SORT-1",
    "BITVIS-FILT-1",
    "BITVIS-PAGE-1",
    "BITVIS-PAGE-2",
)
def test_objects_match_the_model_after_any_calls(api: Api, transport: Transport, corpus: Corpus) -> None:
    """After creations, changes, listings and deletions in any order, every object is as the model predicts."""

    class Machine(ObjectStateMachine):
        def __init__(self) -> None:
            super().__init__(api, transport)

    limits = settings(
        max_examples=corpus.effort.chains,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Machine, settings=limits)
    except FlakyFailure as flaky:  # responses differed between equal runs: a failure, too
        raise next((error for error in flaky.exceptions if isinstance(error, AssertionError)), flaky) from None
    except Flaky:  # other objects were there to choose from
        raise AssertionError("the same calls were answered differently in a second run") from None
