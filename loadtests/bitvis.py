"""Load on bitvis: `locust -f loadtests/bitvis.py`, on our reference unless `--host` names another server.

All seven methods at all endpoints, by websocket frame and over HTTP (headers, query string, path), and through
deepstream where the target has an endpoint for it. Of 100 journeys 40 look at objects, 15 walk over pages, 35 write
and 10 send invalid calls. On a bare websocket only one call is open at a time, since no frame says which call it
responds to.
"""

from __future__ import annotations

from functools import partial
from random import choice
from typing import Any

from locust import between

from loadtests.engine.exchange_types import Response
from loadtests.locust_plugin.listeners import register
from loadtests.user.contract_user import WRITES, ContractUser, Steps
from loadtests.user.journey_user import journey
from loadtests.validation.invariants import PaginationWalk, Violation, members_match, shown_members_match
from loadtests.validation.validators import parsed_body

ENDPOINTS = {"inventory/device": "device", "address/address": "address", "scheduler/queue": "queue"}
METHODS = ("LIST", "OPEN", "INDEX", "CREATE", "UPDATE", "DELETE", "RUN")
PAGE = 2
ADDRESSES = 5  # that exist before a walk begins
NEW_DATA = {  # of a new object, beside its name
    "inventory/device": {},
    "scheduler/queue": {},
    "address/address": {"streetName": "Övre Åkerallén", "streetNumber": 4, "postalCode": "21144", "countryCode": "SE"},
}
NAME = {"inventory/device": "name", "scheduler/queue": "name", "address/address": "city"}


def check_object(clause: str, expected: dict[str, Any], value: Any, _: Response) -> Violation | None:
    """The object of a response has the expected members."""
    return members_match(clause, expected, value["data"])


def page_of_city(city: str, start: int) -> dict[str, Any]:
    """Parameters for a page of the addresses in a city, ordered by number, after the document's combined example."""
    item = {"key": "city", "operator": "EQUAL", "value": city}
    group = {"items": [item], "subgroups": [], "logic": "AND"}
    return {
        "sorting": True,
        "sorting.by": "streetNumber",
        "sorting.order": "ASC",
        "condition": True,
        "condition.values": {"items": [], "subgroups": [group], "logic": "AND"},
        "pagination": True,
        "pagination.size": PAGE,
        "pagination.from": start,
    }


def address_data(city: str, number: int) -> dict[str, Any]:
    """The data of a new address."""
    return {**NEW_DATA["address/address"], "city": city, "streetNumber": number}


def check_page(size: int, value: Any, _: Response) -> Violation | None:
    """A page has at most `size` objects, and none of them twice."""
    ids = [record["id"] for record in value["data"]]
    if len(ids) > size:
        return "BITVIS-PAGE-1", f"{size} objects at most", str(len(ids))
    return None if len(set(ids)) == len(ids) else ("BITVIS-PAGE-3", "every object once", "one twice on a page")


register()


class Bitvis(ContractUser):
    """A script, or the vendor's user interface."""

    api = "bitvis"
    wait_time = between(0, 1)
    rpc_calls = tuple(f"{endpoint} {method}" for endpoint in ENDPOINTS for method in METHODS)
    operations = tuple(
        f"{name}Collection{verb} {method} by {transport}"
        for name in ENDPOINTS.values()
        for verb, methods in (("Get", ("LIST", "OPEN", "DELETE")), ("Post", ("CREATE", "UPDATE", "INDEX", "RUN")))
        for method in methods
        for transport in ("header", "query")
    ) + tuple(
        f"{name}Object{verb} {method} by path"
        for name in ENDPOINTS.values()
        for verb, methods in (("Get", ("OPEN", "DELETE")), ("Post", ("UPDATE", "INDEX", "RUN")))
        for method in methods
    )

    @journey(weight=40)
    def look_at_objects(self) -> Steps:
        """A list with the parameters of the corpus; then an object is opened and looked up by one transport."""
        transport, endpoint = self.transport(), choice(tuple(ENDPOINTS))
        yield self.sampled_rpc_request(self.transport("path"), f"{endpoint} LIST")
        object_id = self.known_value(f"{ENDPOINTS[endpoint]}CollectionGet LIST by header", "/data/*/id")
        same_id = partial(check_object, "BITVIS-RESP-10", {"id": object_id})
        yield self.rpc_request(transport, f"{endpoint} OPEN", same_id, objectid=object_id)
        yield self.rpc_request(transport, f"{endpoint} INDEX", objectid=object_id)

    @journey(weight=15)
    def walk_pages(self) -> Steps:
        """Walks over the objects of an endpoint page by page."""
        transport, endpoint = self.transport("path"), choice(tuple(ENDPOINTS))
        for number in range(4):  # the order is not documented, so concurrent writes may move objects between pages
            page = {"pagination": True, "pagination.size": 5, "pagination.from": number}
            yield self.rpc_request(transport, f"{endpoint} LIST", partial(check_page, 5), parameters=page)

    @journey(weight=20, tags=(WRITES,))
    def live_with_an_object(self) -> Steps:
        """Creates an object, opens, changes, runs and deletes it, each by a random transport."""
        endpoint = choice(tuple(ENDPOINTS))
        name, later = f"Åker {self.unique_text()}", f"Äng {self.unique_text()}"
        created = yield from self.create(endpoint, name)
        if created is None:
            return
        opened = partial(check_object, "BITVIS-METH-CREATE-1", {"id": created, NAME[endpoint]: name})
        yield self.rpc_request(self.transport(), f"{endpoint} OPEN", opened, objectid=created)
        changed = partial(check_object, "BITVIS-METH-UPDATE-1", {"id": created, NAME[endpoint]: later})
        updated = yield self.rpc_request(
            self.transport(), f"{endpoint} UPDATE", changed, objectid=created, data={NAME[endpoint]: later}
        )
        if not updated.error:  # one that was turned away has changed nothing
            yield self.rpc_request(self.transport(), f"{endpoint} OPEN", changed, objectid=created)
        yield self.rpc_request(self.transport(), f"{endpoint} RUN", objectid=created)
        yield self.rpc_request(self.transport(), f"{endpoint} DELETE", objectid=created)

    @journey(weight=6, tags=(WRITES,))
    def write_at_once(self) -> Steps:
        """Of two concurrent changes of one address, neither is lost."""
        created = yield from self.create("address/address", f"Ort {self.unique_text()}")
        if created is None:
            return
        for _ in range(3):
            expected = {"streetName": f"Gata {self.unique_text()}", "apartmentNo": self.unique_text()}
            both = yield [
                self.rpc_request(self.transport(), "address/address UPDATE", objectid=created, data={name: value})
                for name, value in expected.items()
            ]
            if not any(response.error for response in both):
                check = partial(check_object, "BITVIS-METH-UPDATE-1", expected)
                yield self.rpc_request(self.transport(), "address/address OPEN", check, objectid=created)
        yield self.rpc_request(self.transport(), "address/address DELETE", objectid=created)

    @journey(weight=5, tags=(WRITES,))
    def run_at_once(self) -> Steps:
        """Concurrent entries of one queue are all counted, where the target's queues are known to count."""
        if self.http_factory.target.settings.get("QUEUE_METHOD") != "enqueue":
            return
        created = yield from self.create("scheduler/queue", f"kö {self.unique_text()}")
        if created is None:
            return
        runs = yield [self.rpc_request(self.transport(), "scheduler/queue RUN", objectid=created) for _ in range(4)]
        if not any(response.error for response in runs):
            check = partial(check_object, "BITVIS-METH-RUN-1", {"length": 4})
            yield self.rpc_request(self.transport(), "scheduler/queue OPEN", check, objectid=created)
        yield self.rpc_request(self.transport(), "scheduler/queue DELETE", objectid=created)

    @journey(weight=4, tags=(WRITES,))
    def walk_while_others_write(self) -> Steps:
        """Walks over the addresses of a new city: each comes once, although others are created meanwhile."""
        city, transport = f"Ort {self.unique_text()}", self.transport("path")
        created = []
        for number in range(1, ADDRESSES + 1):
            response = yield self.rpc_request(transport, "address/address CREATE", data=address_data(city, number))
            created += [] if response.error else [parsed_body(response)["data"]["id"]]
        walk = PaginationWalk("id", "BITVIS-PAGE-3", "BITVIS-PAGE-3", set(created))
        step = yield from self.page_step(transport, city)
        for start in range(0, ADDRESSES * step, step):

            def check(value: Any, _: Response) -> Violation | None:
                return walk.add_page(value["data"], is_last=len(value["data"]) < PAGE)

            new_city = city if start < 3 * step else "Elsewhere"  # so that the walk comes to an end
            page, address = yield [
                self.rpc_request(transport, "address/address LIST", check, parameters=page_of_city(city, start)),
                self.rpc_request(
                    self.transport("path"), "address/address CREATE", data=address_data(new_city, 100 + start)
                ),
            ]
            created += [] if address.error else [parsed_body(address)["data"]["id"]]
            if page.error or len(parsed_body(page)["data"]) < PAGE:
                break
        for object_id in created:
            yield self.rpc_request(self.transport(), "address/address DELETE", objectid=object_id)

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Calls that are invalid in one place are refused as documented, each under an id of its own."""
        for endpoint in ENDPOINTS:
            for method in ("LIST", "OPEN", "INDEX"):
                yield self.invalid_rpc_request(self.transport("path"), f"{endpoint} {method}", self.check_error_id)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """So are calls that would change an object of this user."""
        endpoint = choice(tuple(ENDPOINTS))
        created = yield from self.create(endpoint, f"Fel {self.unique_text()}")
        if created is None:
            return
        yield self.invalid_rpc_request(self.transport("path"), f"{endpoint} CREATE", self.check_error_id)
        for method in ("UPDATE", "RUN"):
            yield self.invalid_rpc_request(
                self.transport("path"), f"{endpoint} {method}", self.check_error_id, objectid=created
            )
        yield self.rpc_request(self.transport(), f"{endpoint} DELETE", objectid=created)

    def page_step(self, transport: str, city: str) -> Steps:
        """How much pagination.from grows from page to page: the document does not say whether it counts pages."""
        response = yield self.rpc_request(transport, "address/address LIST", parameters=page_of_city(city, 1))
        first = [] if response.error else parsed_body(response)["data"][:1]
        return 1 if first and first[0].get("streetNumber") == PAGE + 1 else PAGE

    def transport(self, *excluded: str) -> str:
        """A random transport of the target, none of the excluded ones."""
        return choice([name for name in self.rpc_factory.transports if name not in excluded])

    def create(self, endpoint: str, name: str) -> Steps:
        """Creates an object; returns its id, None after a failure."""
        data = NEW_DATA[endpoint] | {NAME[endpoint]: name}

        def check(value: Any, _: Response) -> Violation | None:
            record = value["data"]
            return shown_members_match("BITVIS-METH-CREATE-1", {NAME[endpoint]: name}, record) or self.unique_values(
                "id of an object", "BITVIS-METH-CREATE-1"
            ).add(record["id"])

        response = yield self.rpc_request(self.transport("path"), f"{endpoint} CREATE", check, data=data)
        return None if response.error else str(parsed_body(response)["data"]["id"])

    def check_error_id(self, value: Any, _: Response) -> Violation | None:
        """No two failures have the same id. (A call that may be accepted has none.)"""
        error_id = value.get("errorid") if isinstance(value, dict) else None
        return self.unique_values("errorid", "BITVIS-RESP-8").add(error_id) if error_id else None
