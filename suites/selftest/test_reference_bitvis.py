"""Facts about the reference of bitvis, in process.

Rule: a test's name is the fact. Every fault and every variant is shown to answer differently from the honest server
on the requests named beside it.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference import bitvis
from fixtures.reference.bitvis import Bitvis
from fixtures.reference.bitvis.calls import (
    HOUSE,
    NOBODY,
    PASSWORD,
    PATHS,
    SWITCH,
    TOKEN,
    USERNAME,
    basic,
    by,
    by_header,
    by_path,
    by_query,
    framed,
    having,
    page,
)
from fixtures.reference.bitvis.fields import FIELDS, is_uuid
from fixtures.reference.bitvis.http import PLACES
from fixtures.reference.bitvis.probes import ENVIK, PROBES, SELECTION, WRAPPED
from fixtures.reference.protocol import MAX_BODY, Change, Reply, Request, World, changed

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def world() -> World:
    """A clock that moves a second each time it is read, and always the same chance."""
    ticks = iter(range(10**9))
    return World(lambda: START + timedelta(seconds=next(ticks)), random.Random(4))


@pytest.fixture
def api() -> Bitvis:
    return bitvis.create(world())


def call(api: Bitvis, *args: Any, **kwargs: Any) -> dict[str, Any]:
    envelope: dict[str, Any] = api.handle(by_header(*args, **kwargs)).json()
    return envelope


# ------------------------------------------------------------------------------------------------ LIST


def test_sorting_gives_the_documents_first_two_addresses(api: Bitvis) -> None:
    answer = call(api, parameters=by("streetNumber"))
    assert [item["streetName"] for item in answer["data"][:2]] == ["Övre Åkerallén", "Övre Ängsvägen"]


def test_numbers_sort_by_value_and_what_lacks_the_key_comes_last(api: Bitvis) -> None:
    numbers = [item.get("streetNumber") for item in call(api, parameters=by("streetNumber"))["data"]]
    assert numbers == [4, 5, 6, 10, 10, 17, 23, 48, 101, 222, 1003, None]


def test_equal_keys_keep_their_order_in_both_directions(api: Bitvis) -> None:
    up, down = (call(api, parameters=by("streetNumber", order))["data"] for order in ("ASC", "DESC"))
    tens = [[item["streetLitteral"] for item in items if item.get("streetNumber") == 10] for items in (up, down)]
    assert tens == [["", "B"], ["", "B"]]


def test_filter_gives_the_one_address_in_envik(api: Bitvis) -> None:
    answer = call(api, parameters={**ENVIK, "sorting": True})
    assert ([item["streetName"] for item in answer["data"]], answer["count"]) == (["Larss Gata"], 1)


def test_flat_list_of_values_filters_too(api: Bitvis) -> None:
    flat = {"condition": True, "condition.values": [{"city": "Kråkby"}, {"streetNumber": 5}]}
    assert call(api, parameters=flat)["count"] == 1


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (("streetNumber", "GREATER", 100), 3),
        (("streetNumber", "LESS", 6), 2),
        (("city", "NOT_EQUAL", "Götefred"), 8),
        (("streetName", "CONTAINS", "gatan"), 3),
        (("streetNumber", "EQUAL", True), 0),
        (("nothing", "EQUAL", None), 0),
    ],
)
def test_operators_do_what_their_names_say(api: Bitvis, condition: tuple[Any, ...], count: int) -> None:
    assert call(api, parameters=having(condition))["count"] == count


def test_or_wants_one_of_its_conditions(api: Bitvis) -> None:
    either = having(("city", "EQUAL", "Envik"), ("city", "EQUAL", "Kråkby"), logic="OR")
    assert call(api, parameters=either)["count"] == 3


def test_first_page_of_one_is_the_documents_and_counts_all(api: Bitvis) -> None:
    answer = call(api, parameters=page(1))
    assert ([item["id"] for item in answer["data"]], answer["count"]) == ([HOUSE], 12)


def test_from_counts_objects(api: Bitvis) -> None:
    everything = call(api, "LIST", "device")["data"]
    assert call(api, "LIST", "device", parameters=page(5, 3))["data"] == everything[3:8]


@pytest.mark.parametrize(
    "parameters",
    [
        "text",
        page(0),
        page(1, -1),
        page(True),
        {"sorting": 1},
        by("city", "UP"),
        {**by("x"), "sorting.by": 5},
        {"condition": True},
        having(("city", "LIKE", "E")),
        having(("city", "EQUAL", "E"), logic="XOR"),
        {"condition": True, "condition.values": [{}]},
        {"condition": True, "condition.values": {"items": "city"}},
    ],
)
def test_parameters_that_mean_nothing_are_refused(api: Bitvis, parameters: Any) -> None:
    assert call(api, parameters=parameters)["errorcode"] == "INVALID_PARAMETERS"


# ------------------------------------------------------------------------------------------------ objects


def test_open_gives_the_documents_device(api: Bitvis) -> None:
    device = call(api, "OPEN", "device", SWITCH)["data"]
    shown = (device["created"], device["updated"], device["name"])
    assert shown == ("2017-07-10T09:23:50Z", "2018-03-27T09:27:40Z", "5128v1.3 (Core-MGNT-switch)")


def test_update_keeps_what_was_not_sent_and_moves_updated(api: Bitvis) -> None:
    before = call(api, "OPEN", "device", SWITCH)["data"]
    answer = call(api, "UPDATE", "device", SWITCH, {"name": "New", "id": NOBODY, "created": "now"})["data"]
    assert answer == {**before, "name": "New", "updated": "2026-01-02T03:04:05Z"}


def test_update_is_kept_and_leaves_the_others_alone(api: Bitvis) -> None:
    before = call(api, "LIST", "device")["data"]
    updated = call(api, "UPDATE", "device", SWITCH, {"name": "New"})["data"]
    assert call(api, "LIST", "device")["data"] == [updated, *before[1:]]


def test_create_gives_a_whole_object_that_open_gives_again(api: Bitvis) -> None:
    created = call(api, "CREATE", "address", data={"streetName": "Å", "city": "Ö", "note": [1]})["data"]
    assert is_uuid(created["id"])
    assert call(api, "OPEN", "address", created["id"])["data"] == created


def test_address_times_have_an_offset(api: Bitvis) -> None:
    created = call(api, "CREATE", "address", data={"streetName": "Å", "city": "Ö"})["data"]
    assert created["created"] == "2026-01-02T04:04:05+0100"


def test_delete_answers_the_id_and_the_object_is_gone(api: Bitvis) -> None:
    assert call(api, "DELETE", "device", SWITCH)["data"] == {"id": SWITCH}
    assert call(api, "OPEN", "device", SWITCH)["errorcode"] == "DO_NOT_EXIST"


def test_index_gives_an_objects_texts(api: Bitvis) -> None:
    assert call(api, "INDEX", "device", SWITCH)["data"] == {
        "id": SWITCH,
        "text": "5128v1.3 (Core-MGNT-switch) SN-07919",
    }


def test_enqueue_makes_a_queue_longer_and_flush_empties_it(api: Bitvis) -> None:
    queue = call(api, "LIST", "queue")["data"][1]
    longer = call(api, "RUN", "queue", queue["id"], {"method": "enqueue"})["data"]["length"]
    call(api, "RUN", "queue", queue["id"], {"method": "flush"})
    assert (longer, call(api, "OPEN", "queue", queue["id"])["data"]["length"]) == (queue["length"] + 1, 0)


@pytest.mark.parametrize("method", ["OPEN", "UPDATE", "DELETE", "INDEX", "RUN"])
def test_methods_on_an_object_want_its_id(api: Bitvis, method: str) -> None:
    assert call(api, method, data={"name": "x", "method": "ping"})["errorcode"] == "MISSING_OBJECTID"


@pytest.mark.parametrize("method", ["UPDATE", "CREATE", "RUN"])
@pytest.mark.parametrize("data", [None, [], [{}], "text", 1])
def test_methods_that_save_want_an_object_as_data(api: Bitvis, method: str, data: Any) -> None:
    assert call(api, method, "device", SWITCH, data)["errorcode"] == "MISSING_DATA"


@pytest.mark.parametrize("data", [{"name": 5}, {"name": ""}, {"ports": True}, {"ports": -1}, {"active": 1}])
def test_data_of_another_type_is_refused_and_changes_nothing(api: Bitvis, data: Any) -> None:
    before = call(api, "LIST", "device")
    assert call(api, "UPDATE", "device", SWITCH, data)["errorcode"] == "INVALID_DATA"
    assert call(api, "LIST", "device") == before


def test_list_ignores_an_object_id_and_data(api: Bitvis) -> None:
    assert call(api, "LIST", "address", SWITCH, {"x": 1}, verb="GET")["count"] == 12


@pytest.mark.parametrize("method", ["list", "GET", "", "LIST ", "DROP"])
def test_other_methods_are_refused(api: Bitvis, method: str) -> None:
    assert call(api, method)["errorcode"] == "UNKNOWN_METHOD"


# ------------------------------------------------------------------------------------------------ HTTP


@pytest.mark.parametrize(
    "request_",
    [
        by_query(method="LIST", parameter=WRAPPED),
        by_query(method="LIST", parameters=json.dumps(SELECTION, ensure_ascii=False)),
        by_header(flow_request_parameters=WRAPPED),
        by_header(flow_request_parameter=json.dumps(SELECTION, ensure_ascii=False).encode().decode("latin-1")),
        framed({"method": "LIST", "token": TOKEN, "parameters": SELECTION}, "/address/address"),
        framed({"method": "LIST", "token": TOKEN, "parameters": SELECTION, "namespace": "x"}, "address/address/"),
    ],
)
def test_every_place_gives_the_same_list(api: Bitvis, request_: Request) -> None:
    assert api.handle(request_).json() == call(api, parameters=SELECTION)


@pytest.mark.parametrize(
    "request_",
    [
        by_path("OPEN", "device", SWITCH),
        by_query("device", method="OPEN", objectid=SWITCH),
        by_header("OPEN", "device", SWITCH).but(path=PATHS["device"].rstrip("/")),
        by_header("OPEN", "device", NOBODY).but(path=PATHS["device"] + SWITCH),
        by_header("OPEN", "device", SWITCH).but(query=f"objectid={NOBODY}"),
        by_header("OPEN", "device", SWITCH, verb="POST"),
        framed({"method": "OPEN", "token": TOKEN, "objectid": SWITCH}),
    ],
)
def test_every_place_of_an_object_id_opens_it(api: Bitvis, request_: Request) -> None:
    assert api.handle(request_).json()["data"]["id"] == SWITCH


def test_without_the_slash_the_last_segment_is_an_object_id(api: Bitvis) -> None:
    reply = api.handle(by_header("LIST", "queue").but(path=PATHS["queue"].rstrip("/")))
    assert (reply.status, reply.json()["errorcode"]) == (404, "UNKNOWN_ENDPOINT")


def test_a_method_in_the_body_is_data(api: Bitvis) -> None:
    created = call(api, "CREATE", "device", data={"name": "x", "method": "DELETE", "objectid": SWITCH})["data"]
    assert (created["method"], call(api, "OPEN", "device", SWITCH)["success"]) == ("DELETE", True)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (by_header("OPEN", "device", NOBODY), 200),
        (by_header(flow_auth_token=""), 401),
        (by_header(flow_auth_token="wrong"), 401),
        (by_header(flow_auth_token="", authorization=basic(USERNAME, "wrong")), 401),
        (by_header(flow_auth_token="", authorization=basic("", "")), 401),
        (by_header(flow_auth_token="", authorization="Basic ???"), 401),
        (by_query(method="LIST", token="wrong"), 401),
        (by_header().but(path="/"), 404),
        (by_header().but(path="/api/inventory/address/address/"), 404),
        (by_header(verb="PUT"), 405),
        (by_header("CREATE", data=b"x" * (MAX_BODY + 1)), 413),
        (by_header("CREATE", data={}, content_type="text/plain"), 415),
        (by_header("CREATE", data=b'{"name":'), 400),
        (by_header("CREATE", data=b"\xff"), 400),
        (by_header("CREATE", data=b"[" * 100_000), 400),
        (by_header("CREATE", data=b'{"name":"\\ud800"}'), 400),
        (by_header("CREATE", data=b'{"a":1e999}'), 400),
        (by_header("CREATE", data=b'{"a":NaN}'), 400),
        (by_header("CREATE", data=b"[" * 65 + b"]" * 65), 400),
        (by_header("CREATE", data=b'{"a":' + b"9" * 5000 + b"}"), 400),
        (by_header(flow_request_parameter="{"), 400),
        (by_header(flow_request_objectid="\xff"), 400),
        (by_header().but(query="a=%ff"), 400),
        (by_header().but(path="/api/%ff/"), 400),
    ],
)
def test_refusals_have_their_status_and_the_envelope(api: Bitvis, request_: Request, status: int) -> None:
    reply = api.handle(request_)
    assert reply.status == status
    assert is_failure(reply.json())


def test_wrong_verbs_are_told_the_right_ones(api: Bitvis) -> None:
    assert api.handle(by_header(verb="PUT")).header("Allow") == "GET, POST"


def test_basic_takes_a_password_with_a_colon_and_letters_beyond_ascii(api: Bitvis) -> None:
    assert call(api, flow_auth_token="", authorization=basic(USERNAME, PASSWORD))["success"]


def test_the_other_users_token_is_let_in(api: Bitvis) -> None:
    assert call(api, flow_auth_token=bitvis.KNOWN["OTHER_TOKEN"])["success"]


# ------------------------------------------------------------------------------------------------ frames


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b'"LIST"', b"\xff", b"[" * 100_000, "\ud800", json.dumps({"method": "LIST"})],
)
def test_malformed_frames_are_answered_by_a_failure(api: Bitvis, text: bytes | str) -> None:
    assert is_failure(json.loads(api.rpc("inventory/device", text)))


@pytest.mark.parametrize("lacking", ["method", "token"])
def test_a_frame_needs_method_and_token(api: Bitvis, lacking: str) -> None:
    message = {"method": "LIST", "token": TOKEN, lacking: None}
    assert is_failure(json.loads(api.rpc("inventory/device", json.dumps(message))))


def test_half_an_endpoints_name_is_none(api: Bitvis) -> None:
    answer = json.loads(api.rpc("device", json.dumps({"method": "LIST", "token": TOKEN})))
    assert answer["errorcode"] == "UNKNOWN_ENDPOINT"


def test_frames_and_http_share_their_objects(api: Bitvis) -> None:
    message = {"method": "CREATE", "token": TOKEN, "data": {"name": "x"}}
    created = json.loads(api.rpc("inventory/device", json.dumps(message)))["data"]
    assert call(api, "OPEN", "device", created["id"])["data"] == created


def is_failure(envelope: dict[str, Any]) -> bool:
    return (
        envelope["success"] is False
        and set(envelope) == {"status", "success", "message", "errorcode", "dataType", "errorid"}
        and is_uuid(envelope["errorid"])
    )


# ------------------------------------------------------------------------------------------------ any bytes

PIECES = st.sampled_from([*PATHS.values(), SWITCH, "/", "%ff", "%2f", "..", "/api/", "/api/inventory/", "//", "å"])
VALUES = st.one_of(
    st.sampled_from(["LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN", SWITCH, HOUSE, TOKEN, WRAPPED]),
    st.text(st.characters(max_codepoint=255), max_size=20),
)
KEYS = [*FIELDS["inventory/device"], *FIELDS["address/address"], *PLACES, "data", *SELECTION]
KEYS += ["items", "subgroups", "key", "operator", "value", "logic", "id"]
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=4),
            inner | VALUES | st.booleans(),
            max_size=6,
        )
    ),
    max_leaves=20,
)
BODIES = st.one_of(
    st.just(b""),
    JSONS.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=30),
    st.sampled_from([b"[" * 5000, b"9" * 5000, b'{"a":1,"a":2}', b'{"a":-Infinity}', b"\x00", b"{}"]),
)
NAMES = st.sampled_from([*(name for names, _ in PLACES.values() for name in names), "authorization", "content-type"])
REQUESTS = st.builds(
    lambda verb, path, query, headers, body, trusted: Request(
        verb, "".join(path), query, (*headers, *([("flow-auth-token", TOKEN)] if trusted else [])), body
    ),
    st.sampled_from(["GET", "POST", "GET", "POST", "PUT", "HEAD", "OPTIONS", "get", "", "\x00"]),
    st.lists(PIECES, max_size=3),
    st.sampled_from(["", "&&=", "method=RUN&objectid=" + SWITCH, "a=%ff", "parameter=%7B", "parameters=[]", "token="])
    | st.text(max_size=20),
    st.lists(st.tuples(NAMES, VALUES | JSONS.map(json.dumps)), max_size=5),
    BODIES,
    st.booleans(),
)
CALLS = st.builds(  # what comes past the door
    lambda method, kind, objectid, body, parameters: by_header(
        method, kind, objectid, flow_request_parameter=parameters, verb="POST"
    ).but(body=body),
    st.sampled_from(["LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN"]),
    st.sampled_from(list(PATHS)),
    st.sampled_from([SWITCH, HOUSE, NOBODY, ""]),
    BODIES,
    JSONS.map(json.dumps),
)
FRAMES = st.builds(
    lambda kind, value, trusted: framed(
        {"method": "LIST", "token": TOKEN, **value} if trusted and isinstance(value, dict) else value, kind
    ),
    st.sampled_from(["inventory/device", "/address/address", "scheduler/queue/", "", "\ud800"]),
    JSONS | BODIES,
    st.booleans(),
)
THOROUGH = settings(derandomize=True, deadline=None, database=None, max_examples=300)


@THOROUGH
@given(st.lists(REQUESTS | CALLS | FRAMES, min_size=1, max_size=5))
def test_whatever_comes_the_envelope_answers(requests: list[Request]) -> None:
    api = bitvis.create(world())
    for request in requests:
        reply = api.handle(request)
        assert reply.status < 500
        assert reply.json()["success"] is True or is_failure(reply.json())


@THOROUGH
@given(
    st.sampled_from([*bitvis.FAULTS.values(), *bitvis.VARIANTS.values()]),
    st.lists(REQUESTS | CALLS | FRAMES, min_size=1, max_size=5),
)
def test_no_change_raises_whatever_comes(change: Change, requests: list[Request]) -> None:
    api = bitvis.create(world())
    for request in requests:
        assert isinstance(changed(api, [change])(request), Reply)


# ------------------------------------------------------------------------------------------------ changes


def seen(changes: list[Change], requests: list[Request]) -> list[Any]:
    """What a client sees, the errorids replaced by the place of their first appearance."""
    answer, errorids = changed(bitvis.create(world()), changes), dict[str, int]()
    return [_masked(answer(request), errorids) for request in requests]


def _masked(reply: Reply, errorids: dict[str, int]) -> Any:
    body = reply.body
    try:
        errorid = reply.json().get("errorid")
    except ValueError:
        errorid = None
    if is_uuid(errorid):
        body = body.replace(errorid.encode(), b"errorid %d" % errorids.setdefault(errorid, len(errorids)))
    return reply.status, reply.headers, body, reply.pieces, reply.delay


def test_every_change_has_its_probe() -> None:
    changes = {**bitvis.FAULTS, **bitvis.VARIANTS}
    assert set(PROBES) == {name for name, change in changes.items() if not change.wire}  # the wire has its own test


@pytest.mark.parametrize("name", PROBES)
def test_every_change_shows(name: str) -> None:
    change = {**bitvis.FAULTS, **bitvis.VARIANTS}[name]
    assert seen([change], PROBES[name]) != seen([], PROBES[name])
