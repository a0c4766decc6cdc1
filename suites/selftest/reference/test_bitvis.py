"""The reference of bitvis in this process.

Rule: the replies to the probe of a fault or a variant differ from those of the honest server to the same requests.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.reference import load
from fixtures.reference.bitvis import Bitvis
from fixtures.reference.bitvis.fields import FIELDS, is_uuid
from fixtures.reference.bitvis.http_mirror import PART_SOURCES
from fixtures.reference.bitvis.probe_requests import (
    HOUSE_ID,
    PASSWORD,
    PATHS,
    SWITCH_ID,
    TOKEN,
    UNKNOWN_ID,
    USERNAME,
    basic_authorization,
    by_frame,
    by_header,
    by_path,
    by_query,
    filtered_by,
    page,
    sorted_by,
)
from fixtures.reference.bitvis.probes import ENVIK, PROBES, SELECTION, WRAPPED
from fixtures.reference.protocol import MAX_BODY, Change, Reply, Request, World, handler_with_changes

bitvis = load("bitvis")
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def world() -> World:
    """A clock that advances a second each time it is read, and always the same random numbers."""
    ticks = iter(range(10**9))
    return World(lambda: START + timedelta(seconds=next(ticks)), random.Random(4))


@pytest.fixture
def api() -> Bitvis:
    return bitvis.create(world())


def call(api: Bitvis, *args: Any, **kwargs: Any) -> dict[str, Any]:
    envelope: dict[str, Any] = api.handle(by_header(*args, **kwargs)).json()
    return envelope


# LIST


def test_sorting_returns_the_first_two_addresses_of_the_document(api: Bitvis) -> None:
    envelope = call(api, parameters=sorted_by("streetNumber"))
    assert [item["streetName"] for item in envelope["data"][:2]] == ["Övre Åkerallén", "Övre Ängsvägen"]


def test_numbers_sort_by_value_and_objects_without_the_key_come_last(api: Bitvis) -> None:
    numbers = [item.get("streetNumber") for item in call(api, parameters=sorted_by("streetNumber"))["data"]]
    assert numbers == [4, 5, 6, 10, 10, 17, 23, 48, 101, 222, 1003, None]


def test_sorting_is_stable_in_both_directions(api: Bitvis) -> None:
    up, down = (call(api, parameters=sorted_by("streetNumber", order))["data"] for order in ("ASC", "DESC"))
    tens = [[item["streetLitteral"] for item in items if item.get("streetNumber") == 10] for items in (up, down)]
    assert tens == [["", "B"], ["", "B"]]


def test_filter_returns_the_one_address_in_envik(api: Bitvis) -> None:
    envelope = call(api, parameters={**ENVIK, "sorting": True})
    assert ([item["streetName"] for item in envelope["data"]], envelope["count"]) == (["Larss Gata"], 1)


def test_flat_list_of_values_filters_too(api: Bitvis) -> None:
    parameters = {"condition": True, "condition.values": [{"city": "Kråkby"}, {"streetNumber": 5}]}
    assert call(api, parameters=parameters)["count"] == 1


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
    assert call(api, parameters=filtered_by(condition))["count"] == count


def test_or_needs_one_of_its_conditions(api: Bitvis) -> None:
    parameters = filtered_by(("city", "EQUAL", "Envik"), ("city", "EQUAL", "Kråkby"), logic="OR")
    assert call(api, parameters=parameters)["count"] == 3


def test_first_page_of_one_is_that_of_the_document_and_count_is_of_all_pages(api: Bitvis) -> None:
    envelope = call(api, parameters=page(1))
    assert ([item["id"] for item in envelope["data"]], envelope["count"]) == ([HOUSE_ID], 12)


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
        sorted_by("city", "UP"),
        {**sorted_by("x"), "sorting.by": 5},
        {"condition": True},
        filtered_by(("city", "LIKE", "E")),
        filtered_by(("city", "EQUAL", "E"), logic="XOR"),
        {"condition": True, "condition.values": [{}]},
        {"condition": True, "condition.values": {"items": "city"}},
    ],
)
def test_invalid_parameters_are_refused(api: Bitvis, parameters: Any) -> None:
    assert call(api, parameters=parameters)["errorcode"] == "INVALID_PARAMETERS"


# Objects


def test_open_returns_the_device_of_the_document(api: Bitvis) -> None:
    device = call(api, "OPEN", "device", SWITCH_ID)["data"]
    members = (device["created"], device["updated"], device["name"])
    assert members == ("2017-07-10T09:23:50Z", "2018-03-27T09:27:40Z", "5128v1.3 (Core-MGNT-switch)")


def test_update_keeps_other_members_and_sets_updated(api: Bitvis) -> None:
    before = call(api, "OPEN", "device", SWITCH_ID)["data"]
    envelope = call(api, "UPDATE", "device", SWITCH_ID, {"name": "New", "id": UNKNOWN_ID, "created": "now"})["data"]
    assert envelope == {**before, "name": "New", "updated": "2026-01-02T03:04:05Z"}


def test_update_is_stored_and_changes_no_other_object(api: Bitvis) -> None:
    before = call(api, "LIST", "device")["data"]
    updated = call(api, "UPDATE", "device", SWITCH_ID, {"name": "New"})["data"]
    assert call(api, "LIST", "device")["data"] == [updated, *before[1:]]


def test_create_returns_a_complete_object_that_open_returns_again(api: Bitvis) -> None:
    created = call(api, "CREATE", "address", data={"streetName": "Å", "city": "Ö", "note": [1]})["data"]
    assert is_uuid(created["id"])
    assert call(api, "OPEN", "address", created["id"])["data"] == created


def test_address_times_have_an_offset(api: Bitvis) -> None:
    created = call(api, "CREATE", "address", data={"streetName": "Å", "city": "Ö"})["data"]
    assert created["created"] == "2026-01-02T04:04:05+0100"


def test_delete_returns_the_id_and_the_object_is_gone(api: Bitvis) -> None:
    assert call(api, "DELETE", "device", SWITCH_ID)["data"] == {"id": SWITCH_ID}
    assert call(api, "OPEN", "device", SWITCH_ID)["errorcode"] == "DO_NOT_EXIST"


def test_index_returns_the_strings_of_an_object(api: Bitvis) -> None:
    assert call(api, "INDEX", "device", SWITCH_ID)["data"] == {
        "id": SWITCH_ID,
        "text": "5128v1.3 (Core-MGNT-switch) SN-07919",
    }


def test_enqueue_makes_a_queue_longer_and_flush_empties_it(api: Bitvis) -> None:
    queue = call(api, "LIST", "queue")["data"][1]
    longer = call(api, "RUN", "queue", queue["id"], {"method": "enqueue"})["data"]["length"]
    call(api, "RUN", "queue", queue["id"], {"method": "flush"})
    assert (longer, call(api, "OPEN", "queue", queue["id"])["data"]["length"]) == (queue["length"] + 1, 0)


@pytest.mark.parametrize("method", ["OPEN", "UPDATE", "DELETE", "INDEX", "RUN"])
def test_methods_on_an_object_need_its_id(api: Bitvis, method: str) -> None:
    assert call(api, method, data={"name": "x", "method": "ping"})["errorcode"] == "MISSING_OBJECTID"


@pytest.mark.parametrize("method", ["UPDATE", "CREATE", "RUN"])
@pytest.mark.parametrize("data", [None, [], [{}], "text", 1])
def test_methods_that_store_need_an_object_as_data(api: Bitvis, method: str, data: Any) -> None:
    assert call(api, method, "device", SWITCH_ID, data)["errorcode"] == "MISSING_DATA"


@pytest.mark.parametrize("data", [{"name": 5}, {"name": ""}, {"ports": True}, {"ports": -1}, {"active": 1}])
def test_data_of_another_type_is_refused_and_changes_nothing(api: Bitvis, data: Any) -> None:
    before = call(api, "LIST", "device")
    assert call(api, "UPDATE", "device", SWITCH_ID, data)["errorcode"] == "INVALID_DATA"
    assert call(api, "LIST", "device") == before


def test_list_ignores_an_object_id_and_data(api: Bitvis) -> None:
    assert call(api, "LIST", "address", SWITCH_ID, {"x": 1}, verb="GET")["count"] == 12


@pytest.mark.parametrize("method", ["list", "GET", "", "LIST ", "DROP"])
def test_unknown_methods_are_refused(api: Bitvis, method: str) -> None:
    assert call(api, method)["errorcode"] == "UNKNOWN_METHOD"


# HTTP


@pytest.mark.parametrize(
    "request_",
    [
        by_query(method="LIST", parameter=WRAPPED),
        by_query(method="LIST", parameters=json.dumps(SELECTION, ensure_ascii=False)),
        by_header(flow_request_parameters=WRAPPED),
        by_header(flow_request_parameter=json.dumps(SELECTION, ensure_ascii=False).encode().decode("latin-1")),
        by_frame({"method": "LIST", "token": TOKEN, "parameters": SELECTION}, "/address/address"),
        by_frame({"method": "LIST", "token": TOKEN, "parameters": SELECTION, "namespace": "x"}, "address/address/"),
    ],
)
def test_parameters_have_the_same_effect_wherever_they_are_sent(api: Bitvis, request_: Request) -> None:
    assert api.handle(request_).json() == call(api, parameters=SELECTION)


@pytest.mark.parametrize(
    "request_",
    [
        by_path("OPEN", "device", SWITCH_ID),
        by_query("device", method="OPEN", objectid=SWITCH_ID),
        by_header("OPEN", "device", SWITCH_ID).replace(path=PATHS["device"].rstrip("/")),
        by_header("OPEN", "device", UNKNOWN_ID).replace(path=PATHS["device"] + SWITCH_ID),
        by_header("OPEN", "device", SWITCH_ID).replace(query=f"objectid={UNKNOWN_ID}"),
        by_header("OPEN", "device", SWITCH_ID, verb="POST"),
        by_frame({"method": "OPEN", "token": TOKEN, "objectid": SWITCH_ID}),
    ],
)
def test_an_object_id_opens_its_object_wherever_it_is_sent(api: Bitvis, request_: Request) -> None:
    assert api.handle(request_).json()["data"]["id"] == SWITCH_ID


def test_without_the_slash_the_last_segment_is_an_object_id(api: Bitvis) -> None:
    reply = api.handle(by_header("LIST", "queue").replace(path=PATHS["queue"].rstrip("/")))
    assert (reply.status, reply.json()["errorcode"]) == (404, "UNKNOWN_ENDPOINT")


def test_a_method_in_the_body_is_data(api: Bitvis) -> None:
    created = call(api, "CREATE", "device", data={"name": "x", "method": "DELETE", "objectid": SWITCH_ID})["data"]
    assert (created["method"], call(api, "OPEN", "device", SWITCH_ID)["success"]) == ("DELETE", True)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (by_header("OPEN", "device", UNKNOWN_ID), 200),
        (by_header(flow_auth_token=""), 401),
        (by_header(flow_auth_token="wrong"), 401),
        (by_header(flow_auth_token="", authorization=basic_authorization(USERNAME, "wrong")), 401),
        (by_header(flow_auth_token="", authorization=basic_authorization("", "")), 401),
        (by_header(flow_auth_token="", authorization="Basic ???"), 401),
        (by_query(method="LIST", token="wrong"), 401),
        (by_header().replace(path="/"), 404),
        (by_header().replace(path="/api/inventory/address/address/"), 404),
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
        (by_header().replace(query="a=%ff"), 400),
        (by_header().replace(path="/api/%ff/"), 400),
    ],
)
def test_refusals_have_their_status_and_the_envelope(api: Bitvis, request_: Request, status: int) -> None:
    reply = api.handle(request_)
    assert reply.status == status
    assert is_failure(reply.json())


def test_the_refusal_of_a_verb_names_the_allowed_ones(api: Bitvis) -> None:
    assert api.handle(by_header(verb="PUT")).header("Allow") == "GET, POST"


def test_basic_accepts_a_password_with_a_colon_and_characters_beyond_ascii(api: Bitvis) -> None:
    assert call(api, flow_auth_token="", authorization=basic_authorization(USERNAME, PASSWORD))["success"]


def test_the_token_of_the_other_user_is_accepted(api: Bitvis) -> None:
    assert call(api, flow_auth_token=bitvis.KNOWN["OTHER_TOKEN"])["success"]


# Frames


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b'"LIST"', b"\xff", b"[" * 100_000, "\ud800", json.dumps({"method": "LIST"})],
)
def test_malformed_frames_are_refused(api: Bitvis, text: bytes | str) -> None:
    assert is_failure(json.loads(api.rpc("inventory/device", text)))


@pytest.mark.parametrize("missing", ["method", "token"])
def test_a_frame_needs_method_and_token(api: Bitvis, missing: str) -> None:
    message = {"method": "LIST", "token": TOKEN, missing: None}
    assert is_failure(json.loads(api.rpc("inventory/device", json.dumps(message))))


def test_part_of_an_endpoints_name_is_unknown(api: Bitvis) -> None:
    envelope = json.loads(api.rpc("device", json.dumps({"method": "LIST", "token": TOKEN})))
    assert envelope["errorcode"] == "UNKNOWN_ENDPOINT"


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


# Any bytes

PATH_PARTS = st.sampled_from(
    [*PATHS.values(), SWITCH_ID, "/", "%ff", "%2f", "..", "/api/", "/api/inventory/", "//", "å"]
)
VALUES = st.one_of(
    st.sampled_from(
        ["LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN", SWITCH_ID, HOUSE_ID, TOKEN, WRAPPED]
    ),
    st.text(st.characters(max_codepoint=255), max_size=20),
)
KEYS = [*FIELDS["inventory/device"], *FIELDS["address/address"], *PART_SOURCES, "data", *SELECTION]
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
NAMES = st.sampled_from(
    [*(name for names, _ in PART_SOURCES.values() for name in names), "authorization", "content-type"]
)
REQUESTS = st.builds(
    lambda verb, path, query, headers, body, has_token: Request(
        verb, "".join(path), query, (*headers, *([("flow-auth-token", TOKEN)] if has_token else [])), body
    ),
    st.sampled_from(["GET", "POST", "GET", "POST", "PUT", "HEAD", "OPTIONS", "get", "", "\x00"]),
    st.lists(PATH_PARTS, max_size=3),
    st.sampled_from(
        ["", "&&=", "method=RUN&objectid=" + SWITCH_ID, "a=%ff", "parameter=%7B", "parameters=[]", "token="]
    )
    | st.text(max_size=20),
    st.lists(st.tuples(NAMES, VALUES | JSONS.map(json.dumps)), max_size=5),
    BODIES,
    st.booleans(),
)
CALLS = st.builds(  # calls with a valid token
    lambda method, kind, objectid, body, parameters: by_header(
        method, kind, objectid, flow_request_parameter=parameters, verb="POST"
    ).replace(body=body),
    st.sampled_from(["LIST", "OPEN", "UPDATE", "DELETE", "INDEX", "CREATE", "RUN"]),
    st.sampled_from(list(PATHS)),
    st.sampled_from([SWITCH_ID, HOUSE_ID, UNKNOWN_ID, ""]),
    BODIES,
    JSONS.map(json.dumps),
)
FRAMES = st.builds(
    lambda kind, value, has_token: by_frame(
        {"method": "LIST", "token": TOKEN, **value} if has_token and isinstance(value, dict) else value, kind
    ),
    st.sampled_from(["inventory/device", "/address/address", "scheduler/queue/", "", "\ud800"]),
    JSONS | BODIES,
    st.booleans(),
)
THOROUGH = settings(derandomize=True, deadline=None, database=None, max_examples=300)


@THOROUGH
@given(st.lists(REQUESTS | CALLS | FRAMES, min_size=1, max_size=5))
def test_any_request_is_answered_with_an_envelope(requests: list[Request]) -> None:
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
def test_no_change_raises_on_any_request(change: Change, requests: list[Request]) -> None:
    api = bitvis.create(world())
    for request in requests:
        assert isinstance(handler_with_changes(api, [change])(request), Reply)


# Changes


def visible_replies(changes: list[Change], requests: list[Request]) -> list[Any]:
    """What a client sees of the replies, each errorid replaced by the number of its first appearance."""
    handler, errorids = handler_with_changes(bitvis.create(world()), changes), dict[str, int]()
    return [_masked(handler(request), errorids) for request in requests]


def _masked(reply: Reply, errorids: dict[str, int]) -> Any:
    body = reply.body
    try:
        errorid = reply.json().get("errorid")
    except ValueError:
        errorid = None
    if is_uuid(errorid):
        body = body.replace(errorid.encode(), b"errorid %d" % errorids.setdefault(errorid, len(errorids)))
    return reply.status, reply.headers, body, reply.chunks, reply.delay


def test_every_change_has_a_probe() -> None:
    changes = {**bitvis.FAULTS, **bitvis.VARIANTS}
    in_process = {name for name, change in changes.items() if not change.needs_socket}
    assert set(PROBES) == in_process  # test_wire_changes has those that need a socket


def test_every_change_can_be_seen() -> None:
    changes = {**bitvis.FAULTS, **bitvis.VARIANTS}
    unseen = [
        name for name, probe in PROBES.items() if visible_replies([changes[name]], probe) == visible_replies([], probe)
    ]
    assert unseen == []
