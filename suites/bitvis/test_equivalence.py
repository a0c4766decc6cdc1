"""Transports that must agree: document lines 57-80. One call receives the same response over every transport."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st

from fixtures.http_client import Unreachable
from fixtures.target_api import Api
from fixtures.transports import ABSENT
from suites.bitvis.client import (
    ADDRESS,
    DEVICE,
    KINDS,
    ObjectKind,
    any_object,
    assert_failure,
    assert_success,
    new_object_data,
)
from suites.bitvis.conftest import ObjectFactory, OwnObjects
from suites.bitvis.equivalence import (
    OWN_PLACEHOLDER,
    Step,
    TransportSession,
    compare_steps,
    delete_created,
    step_envelope,
    transport_sessions,
)
from suites.bitvis.list_oracle import condition, condition_group, filtered_by, page_of, sorted_by
from suites.hypothesis_checks import for_all

pytestmark = pytest.mark.bug_kind("ways in")

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
MARKER_MEMBERS = {"device": "name", "address": "city"}  # the documented member that a LIST of own objects filters by
TEXTS = st.sampled_from(["", " b", " Övre Åkerallén", ' "quoted"', " \\", " 100%", " a+b&c=d", "\u00a0", " 12"])
UNKNOWN_ID = str(uuid.UUID(int=7, version=4))
SIMILAR_IDS: dict[str, Callable[[str], str]] = {  # other ids that a lenient server may take for the same
    "upper_case": str.upper,
    "a_space_before": lambda identifier: f" {identifier}",
    "a_space_behind": lambda identifier: f"{identifier} ",
    "encoded": lambda identifier: identifier.replace("-", "%2D"),
    "encoded_twice": lambda identifier: identifier.replace("-", "%252D"),
    "plus_signs": lambda identifier: identifier.replace("-", "+"),
    "quoted": lambda identifier: f'"{identifier}"',
    "more_behind_an_ampersand": lambda identifier: f"{identifier}&method=LIST",
    "more_behind_a_semicolon": lambda identifier: f"{identifier};v=1",
    "cut": lambda identifier: identifier[:-1],
}


@pytest.fixture
def sessions(api: Api) -> Iterator[list[TransportSession]]:
    """A session for every available transport; their sockets are closed afterwards."""
    opened = transport_sessions(api)
    yield opened
    for session in opened:
        with suppress(Unreachable):
            session.transport.close()


def creation_data(kind: ObjectKind) -> st.SearchStrategy[dict[str, Any]]:
    """Data for an object of that kind, which the marker of its session tells from all others."""
    if kind is ADDRESS:
        return st.fixed_dictionaries(
            {
                "city": st.just(OWN_PLACEHOLDER),
                "streetName": TEXTS.map(lambda text: OWN_PLACEHOLDER + text),
                "countryCode": st.just("SE"),
            },
            optional={
                "streetNumber": st.integers(0, 300),
                "apartmentNo": st.sampled_from(["1501", "ä"]),
                "latitude": st.sampled_from([57.7065, -76.4406]),
            },
        )
    return st.fixed_dictionaries({kind.text_member: TEXTS.map(lambda text: OWN_PLACEHOLDER + text)})


def update_data(kind: ObjectKind) -> st.SearchStrategy[Any]:
    """Data for an UPDATE: a text, a number, an empty object."""
    text = TEXTS.map(lambda end: {kind.text_member: OWN_PLACEHOLDER + end})
    number = st.integers(0, 300).map(lambda value: {"streetNumber": value}) if kind is ADDRESS else text
    return st.one_of(text, text, number, st.just({}))


def list_parameters(kind: ObjectKind) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of a LIST that select the session's own objects or fewer of them, sorted and paginated."""
    marker = condition(MARKER_MEMBERS[kind.name], OWN_PLACEHOLDER)
    number = (
        st.integers(0, 300).map(lambda value: [condition("streetNumber", value)]) if kind is ADDRESS else st.just([])
    )
    trees = st.one_of(
        st.just(condition_group(marker)),
        st.just(condition_group(subgroups=[condition_group(marker)])),
        number.map(lambda conditions: condition_group(marker, *conditions)),
    )
    sortings = st.sampled_from([{}, sorted_by(kind.plain_members[0])])
    # a full page or an empty one: which of several equal objects a smaller page has is the server's choice
    pages = st.sampled_from([{}, page_of(1000), page_of(1, 1000)])
    return st.builds(
        lambda tree, *conditions: {**filtered_by(tree), **conditions[0], **conditions[1]}, trees, sortings, pages
    )


def step_strategy(api: Api, kind: ObjectKind) -> st.SearchStrategy[Step]:
    """Valid and invalid calls on the session's own object and on an unknown one, with each kind of credentials."""
    object_ids = st.sampled_from([OWN_PLACEHOLDER, OWN_PLACEHOLDER, OWN_PLACEHOLDER, UNKNOWN_ID, "no id at all"])
    objects = st.one_of(object_ids, object_ids, st.just(ABSENT))
    namespaces = st.sampled_from([ABSENT, ABSENT, "office"])
    basic_if_configured = ["basic"] if {"USERNAME", "PASSWORD"} <= set(api.target.settings) else []
    credentials = st.sampled_from(["token", "token", *basic_if_configured, "wrong"])

    def step(method: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
        return st.builds(Step, st.just(method), st.just(kind), namespace=namespaces, credentials=credentials, **parts)

    strategies = [
        step("OPEN", objectid=objects),
        step("INDEX", objectid=object_ids),  # always with an id: whether INDEX needs one is a reading
        step("UPDATE", objectid=objects, data=update_data(kind)),
        step("DELETE", objectid=objects),
        step("CREATE", data=creation_data(kind)),
    ]
    if kind.name in MARKER_MEMBERS:
        strategies += [step("LIST", parameters=list_parameters(kind))] * 2
    runs = st.sampled_from([{"method": name} for name in run_methods(api, kind)])
    strategies.append(step("RUN", objectid=object_ids, data=runs))
    return st.one_of(strategies)


def run_methods(api: Api, kind: ObjectKind) -> list[str]:
    """A method that no object has, and the one that the target is known to have, if any."""
    return ["no such", *filter(None, [api.target.settings.get(f"{kind.name.upper()}_METHOD")])]


def each_method_once(api: Api, kind: ObjectKind) -> list[Step]:
    """What a walk of drawn steps may miss: each method on the session's own object, and its plainest refusals."""
    text = {kind.text_member: OWN_PLACEHOLDER}
    created = {"city": OWN_PLACEHOLDER, "streetName": OWN_PLACEHOLDER, "countryCode": "SE"} if kind is ADDRESS else text
    own = [Step(method, kind, OWN_PLACEHOLDER) for method in ("OPEN", "INDEX")]
    runs = [Step("RUN", kind, OWN_PLACEHOLDER, data={"method": name}) for name in run_methods(api, kind)]
    refused = [
        Step("OPEN", kind, UNKNOWN_ID),
        Step("OPEN", kind),
        Step("OPEN", kind, OWN_PLACEHOLDER, credentials="wrong"),
    ]
    changes = [Step("UPDATE", kind, OWN_PLACEHOLDER, data=text), *own, Step("DELETE", kind, OWN_PLACEHOLDER), *own]
    return [Step("CREATE", kind, data=created), *own, *runs, *refused, *changes]


def compare_call_sequences(api: Api, sessions: Sequence[TransportSession], kind: ObjectKind, examples: int) -> None:
    """Compares the sessions over generated sequences of calls; `examples` is the number of sequences."""
    __tracebackhide__ = True

    def check(first: Any, following: list[Step]) -> None:
        try:
            compare_steps(api, sessions, [Step("CREATE", kind, data=first), *following])
        finally:
            delete_created(sessions, kind)

    first, *following = each_method_once(api, kind)
    check(first.data, following)
    for_all(check, examples, first=creation_data(kind), following=st.lists(step_strategy(api, kind), max_size=12))


@clause("BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-AUTH-1", "BITVIS-ARCH-1")
@each_kind
def test_all_transports_respond_alike(api: Api, sessions: Sequence[TransportSession], kind: ObjectKind) -> None:
    """Calls in any order, each transport on objects of its own: all responses are equal except for ids, names and
    times.
    """
    compare_call_sequences(api, sessions, kind, 25)


@clause("BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-HTTP-12", "BITVIS-HTTP-2")
@pytest.mark.parametrize("transform", SIMILAR_IDS.values(), ids=SIMILAR_IDS)
def test_object_ids_are_read_alike(
    api: Api, new_object: ObjectFactory, sessions: Sequence[TransportSession], transform: Callable[[str], str]
) -> None:
    """A text that resembles an object's id opens that object over every transport, or over none."""
    objectid = transform(new_object(DEVICE)["id"])
    compare_steps(api, sessions, [Step(method, DEVICE, objectid) for method in ("OPEN", "INDEX")])


@clause("BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10", "BITVIS-HTTP-13")
@each_kind
@pytest.mark.parametrize("own_name", [True, False], ids=["its_endpoint", "another_name"])
def test_a_namespace_has_the_same_effect_over_every_transport(
    api: Api, sessions: Sequence[TransportSession], kind: ObjectKind, own_name: bool
) -> None:
    """LIST, OPEN and INDEX within a namespace have the same response over every transport."""
    namespace = kind.endpoint if own_name else api.unique_text("namespace-")
    objectid = any_object(api, kind)["id"]
    steps = [Step(method, kind, objectid, namespace=namespace) for method in ("OPEN", "INDEX")]
    compare_steps(api, sessions, [Step("LIST", kind, namespace=namespace), *steps])


@clause("BITVIS-PARAM-1", "BITVIS-HTTP-2", "BITVIS-HTTP-4", "BITVIS-HTTP-10")
@each_kind
def test_parameters_have_no_effect_on_open_over_any_transport(
    api: Api, sessions: Sequence[TransportSession], kind: ObjectKind
) -> None:
    """OPEN with the parameters of a page beyond the end succeeds and returns the object over every transport."""
    record = any_object(api, kind)
    step = Step("OPEN", kind, record["id"], parameters=page_of(1, 1000))
    compare_steps(api, sessions, [step])
    assert assert_success(step_envelope(api, sessions[0], sessions, step))["id"] == record["id"]


@pytest.fixture
def create_over(
    api: Api, created_objects: OwnObjects, sessions: Sequence[TransportSession]
) -> Callable[[TransportSession, ObjectKind], str]:
    """Returns a function that creates an object of a kind over one transport and returns its id."""

    def create(session: TransportSession, kind: ObjectKind) -> str:
        identifier = assert_success(
            step_envelope(api, session, sessions, Step("CREATE", kind, data=new_object_data(kind, api)))
        )["id"]
        created_objects.append((kind, identifier))
        return str(identifier)

    return create


@clause("BITVIS-METH-UPDATE-1", "BITVIS-METH-CREATE-1", "BITVIS-HTTP-2")
@each_kind
def test_a_change_over_one_transport_is_shown_by_all_others(
    api: Api,
    create_over: Callable[[TransportSession, ObjectKind], str],
    sessions: Sequence[TransportSession],
    kind: ObjectKind,
) -> None:
    """An object that is created and then changed over one transport is shown with its change by every other one."""
    for session in sessions:
        open_step = Step("OPEN", kind, create_over(session, kind))
        for other_session in sessions:
            assert_success(step_envelope(api, other_session, sessions, open_step))
        text = api.unique_text("changed-")
        assert_success(
            step_envelope(
                api, session, sessions, Step("UPDATE", kind, open_step.objectid, data={kind.text_member: text})
            )
        )
        for other_session in sessions:
            shown = assert_success(step_envelope(api, other_session, sessions, open_step))[kind.text_member]
            assert shown == text, (
                f"over {other_session.transport.name}: {shown!r} where {session.transport.name} has written {text!r}"
            )


@clause("BITVIS-METH-DELETE-1", "BITVIS-HTTP-2")
@each_kind
def test_an_object_deleted_over_one_transport_is_gone_from_all(
    api: Api,
    create_over: Callable[[TransportSession, ObjectKind], str],
    sessions: Sequence[TransportSession],
    kind: ObjectKind,
) -> None:
    """An object that is deleted over one transport cannot be opened over any other one."""
    for session in sessions:
        open_step = Step("OPEN", kind, create_over(session, kind))
        for other_session in sessions:
            assert_success(step_envelope(api, other_session, sessions, open_step))
        assert_success(step_envelope(api, session, sessions, Step("DELETE", kind, open_step.objectid)))
        for other_session in sessions:
            why = f"it was deleted over {session.transport.name} and is opened over {other_session.transport.name}"
            assert_failure(step_envelope(api, other_session, sessions, open_step), why)


@clause("BITVIS-RESP-8")
def test_refusals_over_all_transports_have_distinct_errorids(api: Api, sessions: Sequence[TransportSession]) -> None:
    """The same refused call, sent twice over each transport, has a different errorid each time."""
    refusals = [
        step_envelope(api, session, sessions, Step("OPEN", DEVICE, UNKNOWN_ID)) for session in [*sessions, *sessions]
    ]
    errorids = [assert_failure(refusal, "no object has that id")["errorid"] for refusal in refusals]
    assert len(set(errorids)) == len(errorids), f"expected {len(errorids)} different errorids, got {errorids}"
