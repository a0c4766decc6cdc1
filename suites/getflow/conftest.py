"""Fixtures of every getflow test: records of its own, and a log of the ids that requests were given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.target_api import Api
from suites.getflow.record_factory import RecordFactory
from suites.getflow.request_ids import RequestIdLog


@pytest.fixture(autouse=True)
def request_id_log(api: Api) -> RequestIdLog:
    """The log of all request ids that this target has given since the run began."""
    if not isinstance(api.exchanges, RequestIdLog):
        api.exchanges = RequestIdLog(api.exchanges)
    return api.exchanges


@pytest.fixture
def factory(api: Api, request_id_log: RequestIdLog) -> Iterator[RecordFactory]:  # noqa: ARG001  # so that creations are logged, too
    """Creates records for the test and deletes them at its end."""
    factory = RecordFactory(api)
    yield factory
    factory.delete_created()
