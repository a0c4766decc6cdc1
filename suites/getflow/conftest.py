"""What every test of getflow has: records of its own, and a memory of all the ids that requests were given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.api import Api
from suites.getflow.bench import Bench
from suites.getflow.given_ids import GivenIds


@pytest.fixture(autouse=True)
def given_ids(api: Api) -> GivenIds:
    """The ids of requests that this target has given since the run began."""
    if not isinstance(api.exchanges, GivenIds):
        api.exchanges = GivenIds(api.exchanges)
    return api.exchanges


@pytest.fixture
def bench(api: Api, given_ids: GivenIds) -> Iterator[Bench]:  # noqa: ARG001  # what is made is remembered, too
    """Makes records for the test and deletes them at its end."""
    made = Bench(api)
    yield made
    made.clear()
