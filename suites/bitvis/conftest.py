"""Objects of the test's own: made when it asks for them, deleted when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fixtures.api import Api
from fixtures.client import Unreachable
from suites.bitvis import dialect
from suites.bitvis.dialect import Kind, Record

Make = Callable[..., Record]


@pytest.fixture
def make(api: Api) -> Iterator[Make]:
    """Makes an object of a kind, with this data beside the usual one, and gives it as OPEN shows it."""
    made: list[tuple[Kind, str]] = []

    def one(kind: Kind, **data: Any) -> Record:
        record = dialect.created(api, kind, **data)
        made.append((kind, record["id"]))
        return record

    yield one
    shown = list(api.exchanges)
    with suppress(Unreachable):
        for kind, identifier in made:
            dialect.call(api, "DELETE", kind, identifier)
    api.exchanges.clear()  # the report shows the test's own last exchanges
    api.exchanges.extend(shown)
