"""Fixtures that create objects for a test and delete them at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from fixtures.http_client import Unreachable
from fixtures.target_api import Api
from suites.bitvis import client
from suites.bitvis.client import ObjectKind, Record

ObjectFactory = Callable[..., Record]
OwnObjects = list[tuple[ObjectKind, str]]


@pytest.fixture
def created_objects(api: Api) -> Iterator[OwnObjects]:
    """Kind and id of each object that the test created; those that still exist are deleted at its end."""
    objects: OwnObjects = []
    yield objects
    last_exchanges = list(api.exchanges)
    with suppress(Unreachable):
        for kind, identifier in objects:
            client.http_exchange(api, "DELETE", kind, identifier)
    api.exchanges.clear()  # the report shows the last exchanges of the test itself
    api.exchanges.extend(last_exchanges)


@pytest.fixture
def new_object(api: Api, created_objects: OwnObjects) -> ObjectFactory:
    """Returns a function that creates an object of a kind with these data and returns it as OPEN shows it."""

    def create(kind: ObjectKind, **data: object) -> Record:
        record = client.create_object(api, kind, **data)
        created_objects.append((kind, record["id"]))
        return record

    return create
