"""Objects of the test's own: made when it asks for them, deleted when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from fixtures.api import Api
from fixtures.client import Unreachable
from suites.bitvis import dialect
from suites.bitvis.dialect import Kind, Record

Make = Callable[..., Record]
Mine = list[tuple[Kind, str]]


@pytest.fixture
def mine(api: Api) -> Iterator[Mine]:
    """Kind and id of each object that the test has made; what is still there of them is deleted afterwards."""
    made: Mine = []
    yield made
    shown = list(api.exchanges)
    with suppress(Unreachable):
        for kind, identifier in made:
            dialect.call(api, "DELETE", kind, identifier)
    api.exchanges.clear()  # the report shows the test's own last exchanges
    api.exchanges.extend(shown)


@pytest.fixture
def make(api: Api, mine: Mine) -> Make:
    """Makes an object of a kind, with this data beside the usual one, and gives it as OPEN shows it."""

    def one(kind: Kind, **data: object) -> Record:
        record = dialect.created(api, kind, **data)
        mine.append((kind, record["id"]))
        return record

    return one
