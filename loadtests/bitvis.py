"""Load on bitvis: `locust -f loadtests/bitvis.py`, on our reference unless `--host` names another server.

All seven methods at all endpoints, by websocket frame and over HTTP (headers, query string, path), and through
deepstream where `BITVIS_DEEPSTREAM` names its engine. Of 100 journeys 40 look at objects, 15 walk pages, 35 write and
10 make mistakes. On a bare websocket one call is under way at a time, since no frame says which call it answers.
"""

from __future__ import annotations

from functools import partial
from random import choice
from typing import Any

from locust import between

from loadtests.engine.call import Answer
from loadtests.invariants import Broken, Walk, agrees, same
from loadtests.judges import value_of
from loadtests.play import WRITES, Plays, Steps
from loadtests.users import journey

ENDPOINTS = {"inventory/device": "device", "address/address": "address", "scheduler/queue": "queue"}
METHODS = ("LIST", "OPEN", "INDEX", "CREATE", "UPDATE", "DELETE", "RUN")
PAGE = 2
HOUSES = 5  # that are there before a walk begins
FRESH = {  # data of a new object, beside its name
    "inventory/device": {},
    "scheduler/queue": {},
    "address/address": {"streetName": "Övre Åkerallén", "streetNumber": 4, "postalCode": "21144", "countryCode": "SE"},
}
NAME = {"inventory/device": "name", "scheduler/queue": "name", "address/address": "city"}


def shows(clause: str, wanted: dict[str, Any], value: Any, _: Answer) -> Broken | None:
    """Whether an answer's object is the one that it should be."""
    return same(clause, wanted, value["data"])


def page_of_city(city: str, start: int) -> dict[str, Any]:
    """Parameters for a page of the addresses in a city by their numbers: the document's own example of all at once."""
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


def house(city: str, number: int) -> dict[str, Any]:
    """The data of an address."""
    return {**FRESH["address/address"], "city": city, "streetNumber": number}


def is_page(size: int, value: Any, _: Answer) -> Broken | None:
    """Whether a page is no longer than it may be and has nothing twice."""
    ids = [record["id"] for record in value["data"]]
    if len(ids) > size:
        return "BITVIS-PAGE-1", f"{size} objects at most", str(len(ids))
    return None if len(set(ids)) == len(ids) else ("BITVIS-PAGE-3", "every object once", "one twice on a page")


class Bitvis(Plays):
    """A script, or the vendor's user interface."""

    api = "bitvis"
    wait_time = between(0, 1)
    labels = tuple(f"{endpoint} {method}" for endpoint in ENDPOINTS for method in METHODS)
    operations = tuple(
        f"{name}Collection{verb} {method} by {way}"
        for name in ENDPOINTS.values()
        for verb, methods in (("Get", ("LIST", "OPEN", "DELETE")), ("Post", ("CREATE", "UPDATE", "INDEX", "RUN")))
        for method in methods
        for way in ("header", "query")
    ) + tuple(
        f"{name}Object{verb} {method} by path"
        for name in ENDPOINTS.values()
        for verb, methods in (("Get", ("OPEN", "DELETE")), ("Post", ("UPDATE", "INDEX", "RUN")))
        for method in methods
    )

    @journey(weight=40)
    def look_at_objects(self) -> Steps:
        """A list as the corpus asks for it, then an object opened and looked up, all by one transport."""
        way, endpoint = self.way(), choice(tuple(ENDPOINTS))
        yield self.drawn_rpc(self.way("path"), f"{endpoint} LIST")
        known = self.known(f"{ENDPOINTS[endpoint]}CollectionGet LIST by header", "/data/*/id")
        same_id = partial(shows, "BITVIS-RESP-10", {"id": known})
        yield self.rpc(way, f"{endpoint} OPEN", same_id, objectid=known)
        yield self.rpc(way, f"{endpoint} INDEX", objectid=known)

    @journey(weight=15)
    def walk_pages(self) -> Steps:
        """Walks an endpoint's objects by pages."""
        way, endpoint = self.way("path"), choice(tuple(ENDPOINTS))
        for number in range(4):  # in which order is not promised, so others' writing may move objects between pages
            page = {"pagination": True, "pagination.size": 5, "pagination.from": number}
            yield self.rpc(way, f"{endpoint} LIST", partial(is_page, 5), parameters=page)

    @journey(weight=20, tags=(WRITES,))
    def live_with_an_object(self) -> Steps:
        """Creates, opens, changes, runs, deletes, and finds it gone, each by another transport."""
        endpoint = choice(tuple(ENDPOINTS))
        name, later = f"Åker {self.unique()}", f"Äng {self.unique()}"
        made = yield from self.made(endpoint, name)
        if made is None:
            return
        opened = partial(shows, "BITVIS-METH-CREATE-1", {"id": made, NAME[endpoint]: name})
        yield self.rpc(self.way(), f"{endpoint} OPEN", opened, objectid=made)
        changed = partial(shows, "BITVIS-METH-UPDATE-1", {"id": made, NAME[endpoint]: later})
        yield self.rpc(self.way(), f"{endpoint} UPDATE", changed, objectid=made, data={NAME[endpoint]: later})
        yield self.rpc(self.way(), f"{endpoint} OPEN", changed, objectid=made)
        yield self.rpc(self.way(), f"{endpoint} RUN", objectid=made)
        yield self.rpc(self.way(), f"{endpoint} DELETE", objectid=made)

    @journey(weight=6, tags=(WRITES,))
    def write_at_once(self) -> Steps:
        """Two changes of one address that overlap: neither is lost."""
        made = yield from self.made("address/address", f"Ort {self.unique()}")
        if made is None:
            return
        for _ in range(3):
            wanted = {"streetName": f"Gata {self.unique()}", "apartmentNo": self.unique()}
            both = yield [
                self.rpc(self.way(), "address/address UPDATE", objectid=made, data={name: value})
                for name, value in wanted.items()
            ]
            if not any(answer.error for answer in both):
                check = partial(shows, "BITVIS-METH-UPDATE-1", wanted)
                yield self.rpc(self.way(), "address/address OPEN", check, objectid=made)
        yield self.rpc(self.way(), "address/address DELETE", objectid=made)

    @journey(weight=5, tags=(WRITES,))
    def run_at_once(self) -> Steps:
        """Several entries put into one queue at once are all counted, where a queue's method is known to count."""
        if self.calls.target.settings.get("QUEUE_METHOD") != "enqueue":
            return
        made = yield from self.made("scheduler/queue", f"kö {self.unique()}")
        if made is None:
            return
        runs = yield [self.rpc(self.way(), "scheduler/queue RUN", objectid=made) for _ in range(4)]
        if not any(answer.error for answer in runs):
            check = partial(shows, "BITVIS-METH-RUN-1", {"length": 4})
            yield self.rpc(self.way(), "scheduler/queue OPEN", check, objectid=made)
        yield self.rpc(self.way(), "scheduler/queue DELETE", objectid=made)

    @journey(weight=4, tags=(WRITES,))
    def walk_while_others_write(self) -> Steps:
        """In a city of its own: every address that was there is met once, although others are created meanwhile."""
        city, way = f"Ort {self.unique()}", self.way("path")
        made = []
        for number in range(1, HOUSES + 1):
            answer = yield self.rpc(way, "address/address CREATE", data=house(city, number))
            made += [] if answer.error else [value_of(answer)["data"]["id"]]
        walk = Walk("id", "BITVIS-PAGE-3", "BITVIS-PAGE-3", set(made))
        step = yield from self.step(way, city)
        for start in range(0, HOUSES * step, step):

            def check(value: Any, _: Answer) -> Broken | None:
                return walk.page(value["data"], is_last=len(value["data"]) < PAGE)

            there = city if start < 3 * step else "Elsewhere"  # so that the walk comes to an end
            page, more = yield [
                self.rpc(way, "address/address LIST", check, parameters=page_of_city(city, start)),
                self.rpc(self.way("path"), "address/address CREATE", data=house(there, 100 + start)),
            ]
            made += [] if more.error else [value_of(more)["data"]["id"]]
            if page.error or len(value_of(page)["data"]) < PAGE:
                break
        for one in made:
            yield self.rpc(self.way(), "address/address DELETE", objectid=one)

    @journey(weight=8, tags=("mistakes",))
    def make_mistakes(self) -> Steps:
        """Calls with one thing wrong, each refused as it should be and under an id of its own."""
        for endpoint in ENDPOINTS:
            for method in ("LIST", "OPEN", "INDEX"):
                yield self.broken_rpc(self.way("path"), f"{endpoint} {method}", self.own_error)

    @journey(weight=2, tags=(WRITES, "mistakes"))
    def make_mistakes_in_writing(self) -> Steps:
        """The same with calls that would change an object of ours."""
        endpoint = choice(tuple(ENDPOINTS))
        made = yield from self.made(endpoint, f"Fel {self.unique()}")
        if made is None:
            return
        yield self.broken_rpc(self.way("path"), f"{endpoint} CREATE", self.own_error)
        for method in ("UPDATE", "RUN"):
            yield self.broken_rpc(self.way("path"), f"{endpoint} {method}", self.own_error, objectid=made)
        yield self.rpc(self.way(), f"{endpoint} DELETE", objectid=made)

    def step(self, way: str, city: str) -> Steps:
        """By how much pagination.from grows from page to page: the document does not say whether it counts pages."""
        answer = yield self.rpc(way, "address/address LIST", parameters=page_of_city(city, 1))
        first = [] if answer.error else value_of(answer)["data"][:1]
        return 1 if first and first[0].get("streetNumber") == PAGE + 1 else PAGE

    def way(self, *but: str) -> str:
        """A transport of the target's, none of those named."""
        return choice([way for way in self.rpcs.transports if way not in but])

    def made(self, endpoint: str, name: str) -> Steps:
        """Creates an object; gives its id, or None when it could not be had."""
        data = FRESH[endpoint] | {NAME[endpoint]: name}

        def check(value: Any, _: Answer) -> Broken | None:
            record = value["data"]
            return agrees("BITVIS-METH-CREATE-1", {NAME[endpoint]: name}, record) or self.once(
                "id of an object", "BITVIS-METH-CREATE-1"
            ).take(record["id"])

        answer = yield self.rpc(self.way("path"), f"{endpoint} CREATE", check, data=data)
        return None if answer.error else str(value_of(answer)["data"]["id"])

    def own_error(self, value: Any, _: Answer) -> Broken | None:
        """No two failures have the same id. A call that may be accepted has none."""
        known = value.get("errorid") if isinstance(value, dict) else None
        return self.once("errorid", "BITVIS-RESP-8").take(known) if known else None
