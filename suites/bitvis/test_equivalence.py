"""Transports that must agree: lines 57-80 of the document. One call, sent every way there is, has one answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.api import Api
from fixtures.client import Unreachable
from fixtures.transports import ABSENT
from suites.bitvis.dialect import ADDRESS, DEVICE, QUEUE, Kind, for_all
from suites.bitvis.lockstep import OWN, Side, Step, cleared, sides, together
from suites.bitvis.selections import by, equal, group, having, page

clause = pytest.mark.clause
MARKED = {"device": "name", "address": "city"}  # the documented member by which a kind's own objects are listed
TEXTS = st.sampled_from(["", " b", " Övre Åkerallén", ' "quoted"', " \\", " 100%", " a+b&c=d", "\u00a0", " 12"])
NOBODY = str(uuid.UUID(int=7, version=4))


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
            optional={"streetNumber": st.integers(0, 300), "apartmentNo": st.sampled_from(["1501", "ä"])},
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


@clause("BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-AUTH-1", "BITVIS-ARCH-1")
@pytest.mark.parametrize("kind", [DEVICE, ADDRESS, QUEUE], ids=str)
def test_every_transport_answers_alike(api: Api, all_sides: Sequence[Side], kind: Kind) -> None:
    """Calls in any order, each side on objects of its own: all answers are equal but for ids, names and times."""

    def check(first: Any, following: list[Step]) -> None:
        try:
            for step in [Step("CREATE", kind, data=first), *following]:
                together(api, all_sides, step)
        finally:
            cleared(all_sides, kind)

    for_all(check, 25, first=datas(kind), following=st.lists(steps(api, kind), max_size=12))
