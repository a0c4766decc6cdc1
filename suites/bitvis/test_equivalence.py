"""Transports that must agree: lines 57-80 of the document. One call, sent every way there is, has one answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from fixtures.client import Unreachable
from fixtures.transports import ABSENT
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import ADDRESS, DEVICE, KINDS, Kind, fails, for_all, of, some, succeeds
from suites.bitvis.lockstep import OWN, Side, Step, alone, cleared, sides, together
from suites.bitvis.selections import by, equal, group, having, page

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
MARKED = {"device": "name", "address": "city"}  # the documented member by which a kind's own objects are listed
TEXTS = st.sampled_from(["", " b", " Övre Åkerallén", ' "quoted"', " \\", " 100%", " a+b&c=d", "\u00a0", " 12"])
NOBODY = str(uuid.UUID(int=7, version=4))
NEARLY: dict[str, Callable[[str], str]] = {  # texts that are another object id, and that servers take for the same
    "upper_case": str.upper,
    "a_space_before": lambda one: f" {one}",
    "a_space_behind": lambda one: f"{one} ",
    "encoded": lambda one: one.replace("-", "%2D"),
    "encoded_twice": lambda one: one.replace("-", "%252D"),
    "plus_signs": lambda one: one.replace("-", "+"),
    "quoted": lambda one: f'"{one}"',
    "more_behind_an_ampersand": lambda one: f"{one}&method=LIST",
    "more_behind_a_semicolon": lambda one: f"{one};v=1",
    "cut": lambda one: one[:-1],
}


@pytest.fixture
def all_sides(api: Api) -> Iterator[list[Side]]:
    """A side for every transport that there is; their sockets are closed afterwards."""
    found = sides(api)
    yield found
    for side in found:
        with suppress(Unreachable):
            side.transport.close()


def datas(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Data for an object of that kind, which its side's marker tells from all others."""
    if kind is ADDRESS:
        return st.fixed_dictionaries(
            {"city": st.just(OWN), "streetName": TEXTS.map(lambda text: OWN + text), "countryCode": st.just("SE")},
            optional={
                "streetNumber": st.integers(0, 300),
                "apartmentNo": st.sampled_from(["1501", "ä"]),
                "latitude": st.sampled_from([57.7065, -76.4406]),
            },
        )
    return st.fixed_dictionaries({kind.text: TEXTS.map(lambda text: OWN + text)})


def updates(kind: Kind) -> st.SearchStrategy[Any]:
    """Data for an UPDATE: a text, a number, nothing, and what is no object."""
    text = TEXTS.map(lambda end: {kind.text: OWN + end})
    number = st.integers(0, 300).map(lambda value: {"streetNumber": value}) if kind is ADDRESS else text
    return st.one_of(text, text, number, st.just({}))


def selections(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of a LIST that leave the side's own objects, or fewer; sorted, and cut into pages."""
    marker = equal(MARKED[kind.name], OWN)
    number = st.integers(0, 300).map(lambda value: [equal("streetNumber", value)]) if kind is ADDRESS else st.just([])
    trees = st.one_of(
        st.just(group(marker)), st.just(group(subgroups=[group(marker)])), number.map(lambda more: group(marker, *more))
    )
    sortings = st.sampled_from([{}, by(kind.keys[0])])
    # a page of all, or none of it: which of equal objects a smaller one has is the server's choice
    pages = st.sampled_from([{}, page(1000), page(1, 1000)])
    return st.builds(lambda tree, *more: {**having(tree), **more[0], **more[1]}, trees, sortings, pages)


def steps(api: Api, kind: Kind) -> st.SearchStrategy[Step]:
    """Calls on the side's own object and on none, good and bad, with both sorts of credentials."""
    named = st.sampled_from([OWN, OWN, OWN, NOBODY, "no id at all"])
    objects = st.one_of(named, named, st.just(ABSENT))
    namespaces = st.sampled_from([ABSENT, ABSENT, "office"])
    basic = ["basic"] if {"USERNAME", "PASSWORD"} <= set(api.target.settings) else []
    credentials = st.sampled_from(["token", "token", *basic, "wrong"])

    def of(method: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(method), st.just(kind), namespace=namespaces, credentials=credentials, **parts)

    calls = [
        of("OPEN", objectid=objects),
        of("INDEX", objectid=named),  # whether it needs one is a reading
        of("UPDATE", objectid=objects, data=updates(kind)),
        of("DELETE", objectid=objects),
        of("CREATE", data=datas(kind)),
    ]
    if kind.name in MARKED:
        calls += [of("LIST", parameters=selections(kind))] * 2
    name = api.target.settings.get(f"{kind.name.upper()}_METHOD")
    if name:
        calls.append(of("RUN", objectid=named, data=st.sampled_from([{"method": name}, {"method": "no such"}])))
    return st.one_of(calls)


def for_all_calls(api: Api, all_sides: Sequence[Side], kind: Kind, examples: int) -> None:
    """Compares the sides over so many sequences of calls."""
    __tracebackhide__ = True

    def check(first: Any, following: list[Step]) -> None:
        try:
            for step in [Step("CREATE", kind, data=first), *following]:
                together(api, all_sides, step)
        finally:
            cleared(all_sides, kind)

    for_all(check, examples, first=datas(kind), following=st.lists(steps(api, kind), max_size=12))


@clause("BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-AUTH-1", "BITVIS-ARCH-1")
@each_kind
def test_every_transport_answers_alike(api: Api, all_sides: Sequence[Side], kind: Kind) -> None:
    """Calls in any order, each side on objects of its own: all answers are equal but for ids, names and times."""
    for_all_calls(api, all_sides, kind, 25)


@clause("BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-HTTP-12", "BITVIS-HTTP-2")
@pytest.mark.parametrize("nearly", NEARLY.values(), ids=NEARLY)
def test_object_ids_are_read_alike(
    api: Api, make: Make, all_sides: Sequence[Side], nearly: Callable[[str], str]
) -> None:
    """A text that is nearly an object's id opens that object by every transport, or by none."""
    objectid = nearly(make(DEVICE)["id"])
    for method in ("OPEN", "INDEX"):
        together(api, all_sides, Step(method, DEVICE, objectid))


@clause("BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-HTTP-13")
@each_kind
@pytest.mark.parametrize("own_name", [True, False], ids=["its_endpoint", "another_name"])
def test_a_namespace_does_the_same_by_every_transport(
    api: Api, all_sides: Sequence[Side], kind: Kind, own_name: bool
) -> None:
    """LIST, OPEN and INDEX in a namespace, of objects that are there, are answered alike."""
    namespace = kind.endpoint if own_name else api.unique("namespace-")
    together(api, all_sides, Step("LIST", kind, namespace=namespace))
    for method in ("OPEN", "INDEX"):
        together(api, all_sides, Step(method, kind, some(api, kind)["id"], namespace=namespace))


@clause("BITVIS-PARAM-1", "BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10")
@each_kind
def test_parameters_have_no_effect_on_open_by_any_transport(api: Api, all_sides: Sequence[Side], kind: Kind) -> None:
    """OPEN with the parameters of a page beyond the end succeeds, and gives by each what it gives without."""
    record = some(api, kind)
    step = Step("OPEN", kind, record["id"], parameters=page(1, 1000))
    together(api, all_sides, step)
    assert succeeds(alone(api, all_sides[0], all_sides, step))["id"] == record["id"]


@pytest.fixture
def made(api: Api, mine: Mine, all_sides: Sequence[Side]) -> Callable[[Side, Kind], str]:
    """Makes an object of a kind by one transport, and gives its id."""

    def one(side: Side, kind: Kind) -> str:
        new = succeeds(alone(api, side, all_sides, Step("CREATE", kind, data=of(kind, api))))["id"]
        mine.append((kind, new))
        return str(new)

    return one


@clause("BITVIS-METH-UPDATE-1", "BITVIS-METH-CREATE-1", "BITVIS-HTTP-2")
@each_kind
def test_what_one_transport_has_changed_all_others_show(
    api: Api, made: Callable[[Side, Kind], str], all_sides: Sequence[Side], kind: Kind
) -> None:
    """An object that is made and then changed by one is there, and has changed, by each other one."""
    for side in all_sides:
        opening = Step("OPEN", kind, made(side, kind))
        for other in all_sides:
            succeeds(alone(api, other, all_sides, opening))
        text = api.unique("changed-")
        succeeds(alone(api, side, all_sides, Step("UPDATE", kind, opening.objectid, data={kind.text: text})))
        for other in all_sides:
            shown = succeeds(alone(api, other, all_sides, opening))[kind.text]
            assert shown == text, f"by {other.transport.name}: {shown!r} where {side.transport.name} has put {text!r}"


@clause("BITVIS-METH-DELETE-1", "BITVIS-HTTP-2")
@each_kind
def test_what_one_transport_has_deleted_is_gone_by_all(
    api: Api, made: Callable[[Side, Kind], str], all_sides: Sequence[Side], kind: Kind
) -> None:
    """An object that all have opened is deleted by one, and by each other one it cannot be opened any more."""
    for side in all_sides:
        opening = Step("OPEN", kind, made(side, kind))
        for other in all_sides:
            succeeds(alone(api, other, all_sides, opening))
        succeeds(alone(api, side, all_sides, Step("DELETE", kind, opening.objectid)))
        for other in all_sides:
            why = f"it was deleted by {side.transport.name}, and is opened by {other.transport.name}"
            fails(alone(api, other, all_sides, opening), why)


@clause("BITVIS-RESP-8")
def test_refusals_by_all_transports_have_ids_of_their_own(api: Api, all_sides: Sequence[Side]) -> None:
    """The same refused call by each transport, twice around: as many errorids as calls."""
    refusals = [alone(api, side, all_sides, Step("OPEN", DEVICE, NOBODY)) for side in [*all_sides, *all_sides]]
    found = [fails(one, "no object has that id")["errorid"] for one in refusals]
    assert len(set(found)) == len(found), f"expected {len(found)} different errorids, got {found}"
