"""Answers: lines 25-56 of the document. One envelope for everything, and what stands in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from contracts.exchange import Exchange
from fixtures.api import Api
from suites.bitvis.conftest import Make, Mine
from suites.bitvis.dialect import (
    ADDRESS,
    DEVICE,
    KINDS,
    READING,
    Kind,
    asked,
    call,
    done,
    envelope,
    everything,
    fails,
    for_all,
    ids,
    of,
    some,
    succeeds,
    told,
)
from suites.bitvis.frames import framed, message
from suites.bitvis.selections import only, page
from suites.readings import Observed

clause = pytest.mark.clause
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
NOBODY = st.uuids(version=4).map(str)
OF_FAILURES = ("message", "errorcode", "errorid")


def reads(api: Api, kind: Kind) -> Iterator[tuple[str, Exchange]]:
    """Calls that change nothing, good and bad ones, each with its method."""
    known = some(api, kind)["id"]
    yield "LIST", call(api, "LIST", kind)
    yield "LIST", call(api, "LIST", kind, place="query")
    yield "LIST", call(api, "LIST", kind, parameters=page(1))
    yield "OPEN", call(api, "OPEN", kind, known)
    yield "OPEN", call(api, "OPEN", kind, str(uuid.uuid4()))
    yield "OPEN", call(api, "OPEN", kind)
    yield "INDEX", call(api, "INDEX", kind, known)
    yield "INDEX", call(api, "INDEX", kind)
    yield "DROP", call(api, "DROP", kind, changes=False)
    yield "LIST", call(api, "LIST", kind, credentials="none")
    yield "LIST", call(api, "LIST", kind, credentials="wrong")
    yield "LIST", call(api, "LIST", kind, parts={"parameter": "{"})


def writes(api: Api, kind: Kind, own: str) -> Iterator[tuple[str, Exchange]]:
    """Calls that change our own object at most, good and bad ones."""
    yield "UPDATE", call(api, "UPDATE", kind, own, data=of(kind, api))
    yield "UPDATE", call(api, "UPDATE", kind, own, verb="POST")
    yield "UPDATE", call(api, "UPDATE", kind, str(uuid.uuid4()), data=of(kind, api))
    yield "CREATE", call(api, "CREATE", kind)
    yield "CREATE", call(api, "CREATE", kind, body=b"{", headers={"Content-Type": "application/json"})
    yield "RUN", call(api, "RUN", kind, own, data={"method": api.unique("nothing-")})
    yield "DELETE", call(api, "DELETE", kind, own)
    yield "DELETE", call(api, "DELETE", kind, own)


@clause("BITVIS-RESP-1", "BITVIS-RESP-2", "BITVIS-RESP-6")
@each_kind
def test_every_answer_is_the_same_envelope(api: Api, readings: Observed, kind: Kind) -> None:
    """One schema fits successes and failures of reading calls, of no call at all, and of callers kept out."""
    answers = [envelope(api, exchange, method, kind) for method, exchange in reads(api, kind)]
    types = {answer["dataType"] for answer in answers}
    readings.one_of("BITVIS-AMB-34", json_only=types == {"JSON"}, others=True)
    lacks = any(name not in answer for answer in answers for name in ("data", *OF_FAILURES))
    readings.one_of("BITVIS-AMB-26", optional_members=lacks, all_members=not lacks)


@clause("BITVIS-RESP-1", "BITVIS-RESP-2", "BITVIS-RESP-4")
@each_kind
def test_answers_to_changes_are_the_same_envelope(api: Api, make: Make, mine: Mine, kind: Kind) -> None:
    """One schema fits the answers to calls that change something, or fail to."""
    own = make(kind)["id"]
    created = call(api, "CREATE", kind, data=of(kind, api))
    mine.append((kind, succeeds(envelope(api, created, "CREATE", kind))["id"]))
    for method, exchange in writes(api, kind, own):
        envelope(api, exchange, method, kind)


@clause("BITVIS-RESP-2")
@pytest.mark.parametrize("path", ["/api/scheduler/scheduler/nothing/", "/api/nothing/nothing/", "/api/", "/"])
def test_an_unknown_endpoint_is_told_by_an_envelope(api: Api, path: str) -> None:
    """Where nothing is published, success is false, and the answer has all that a failure has."""
    exchange = api.request("GET", path, headers={"Flow-Request-Method": "LIST"})
    fails(envelope(api, exchange, "LIST"), "no endpoint is there")


@clause("BITVIS-RESP-3", "BITVIS-RESP-1")
def test_a_failure_says_what_went_wrong(api: Api, readings: Observed) -> None:
    """Failures of all kinds have message, code and errorid, and no data; only one code is the document's."""
    answers = [envelope(api, exchange, method) for method, exchange in reads(api, ADDRESS)]
    failures = [answer for answer in answers if answer["success"] is False]
    codes = {answer["errorcode"] for answer in failures}
    for answer in failures:
        assert "data" not in answer, told(answer)
        assert all(isinstance(answer[name], str) and answer[name] for name in OF_FAILURES), told(answer)
    readings.one_of("BITVIS-AMB-33", only_one=codes == {"DO_NOT_EXIST"}, any_code=bool(codes))


@clause("BITVIS-RESP-3")
def test_a_failure_has_a_status_of_its_meaning(api: Api, readings: Observed) -> None:
    """Over HTTP failures have 200, or 4xx when HTTP itself forbids the call, or 4xx always."""
    refused = call(api, "OPEN", DEVICE, str(uuid.uuid4())).answer.status
    denied = call(api, "LIST", DEVICE, credentials="none").answer.status
    readings.one_of(
        "BITVIS-AMB-21",
        always_200=refused == denied == 200,
        transport_only=refused == 200 and 400 <= denied < 500,
        by_cause=400 <= refused < 500,
    )


@clause("BITVIS-RESP-4")
@each_kind
def test_a_success_has_data_and_nothing_of_a_failure(api: Api, mine: Mine, kind: Kind) -> None:
    """Successes of each method carry data, and neither message nor code nor errorid."""
    answers = [asked(api, "LIST", kind), asked(api, "INDEX", kind, some(api, kind)["id"])]
    answers.append(asked(api, "CREATE", kind, data=of(kind, api)))
    own = succeeds(answers[-1])["id"]
    mine.append((kind, own))
    answers += [asked(api, "OPEN", kind, own), asked(api, "UPDATE", kind, own, data=of(kind, api))]
    answers.append(asked(api, "DELETE", kind, own))
    for answer in answers:
        succeeds(answer)
        assert "data" in answer, told(answer)
        assert not set(OF_FAILURES) & set(answer), told(answer)


@clause("BITVIS-RESP-5")
def test_status_is_a_whole_number(api: Api, readings: Observed) -> None:
    """Successes and failures have a whole number each; whether it tells them apart is a reading."""
    good = {asked(api, "LIST", kind)["status"] for kind in KINDS}
    bad = {asked(api, "OPEN", kind, str(uuid.uuid4()))["status"] for kind in KINDS}
    denied = asked(api, "LIST", credentials="wrong")["status"]
    assert all(type(number) is int for number in [*good, *bad, denied])
    readings.one_of("BITVIS-AMB-1", nothing=good == {*bad, denied}, outcome=True)


@clause("BITVIS-RESP-6")
@pytest.mark.parametrize("method", [*READING, "DROP"])
def test_every_answer_names_the_type_of_its_data(api: Api, method: str) -> None:
    """dataType is there in successes and in failures."""
    for objectid in (some(api, DEVICE)["id"], str(uuid.uuid4())):
        answer = asked(api, method, DEVICE, objectid, changes=False)
        assert isinstance(answer.get("dataType"), str), told(answer)


@clause("BITVIS-RESP-7")
@each_kind
def test_an_unknown_id_does_not_open(api: Api, kind: Kind) -> None:
    """OPEN of any id that no object has fails with DO_NOT_EXIST, in whatever place the id is sent."""

    def check(objectid: str, place: Any) -> None:
        answer = fails(asked(api, "OPEN", kind, objectid, place=place), "no object has that id")
        assert answer["errorcode"] == "DO_NOT_EXIST", told(answer)

    for_all(check, objectid=NOBODY, place=st.sampled_from(["header", "query", "path"]))


@clause("BITVIS-RESP-7")
@each_kind
@pytest.mark.parametrize("method", ["UPDATE", "DELETE"])
def test_an_unknown_id_is_neither_changed_nor_deleted(api: Api, kind: Kind, method: str) -> None:
    """UPDATE and DELETE of any id that no object has fail with DO_NOT_EXIST, by HTTP and by frame."""

    def check(objectid: str) -> None:
        more: dict[str, Any] = {"data": of(kind, api)} if method == "UPDATE" else {}
        answers = [asked(api, method, kind, objectid, **more)]
        answers += framed(api, kind, message(api, method, objectid, **more))
        for answer in answers:
            assert fails(answer, "no object has that id")["errorcode"] == "DO_NOT_EXIST", told(answer)

    for_all(check, 8, objectid=NOBODY)


@clause("BITVIS-RESP-8")
def test_no_two_failures_share_an_errorid(api: Api) -> None:
    """Thirty failures of three kinds, some of them at once, have thirty errorids."""
    nobody = str(uuid.uuid4())
    bad: list[Callable[[Api], Exchange]] = [
        lambda one: call(one, "OPEN", DEVICE, nobody),
        lambda one: call(one, "OPEN", DEVICE),
        lambda one: call(one, "LIST", DEVICE, credentials="wrong"),
    ]
    exchanges = [send(api) for send in bad * 6] + api.together(bad * 4)
    found = [fails(envelope(api, exchange, "OPEN", DEVICE), "it is a bad call")["errorid"] for exchange in exchanges]
    assert len(set(found)) == len(found) == 30


@clause("BITVIS-RESP-9")
@each_kind
def test_a_list_is_an_array_with_its_count(api: Api, kind: Kind) -> None:
    """LIST of all, of one and of no object has an array and a whole number."""
    wanted = [None, page(1), only("id", some(api, kind)["id"]), only("id", str(uuid.uuid4()))]
    for parameters in wanted:
        answer = asked(api, "LIST", kind, parameters=parameters)
        assert isinstance(succeeds(answer), list), told(answer)
        assert type(answer.get("count")) is int, told(answer)


@clause("BITVIS-RESP-10")
@each_kind
def test_an_opened_object_carries_the_id_that_was_asked_for(api: Api, make: Make, kind: Kind) -> None:
    """OPEN in each place, and by frame, gives an object with the very id; so it does after an UPDATE."""
    for record in everything(api, kind)[:3]:
        for place in ("header", "query", "path"):
            assert done(api, "OPEN", kind, record["id"], place=place).get("id") == record["id"]
        assert ids([succeeds(framed(api, kind, message(api, "OPEN", record["id"]), changes=False)[0])]) == [
            record["id"]
        ]
    own = make(kind)
    text = api.unique("changed-")
    done(api, "UPDATE", kind, own["id"], data={kind.text: text})
    opened = done(api, "OPEN", kind, own["id"])
    assert (opened.get("id"), opened.get(kind.text)) == (own["id"], text)
