"""Facts about the tests of kinds of bugs by frame: faults are blamed on their clauses, and honest servers are not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from contracts.asyncapi import Call, load_rpc_contract
from contracts.exchange import Exchange, Request, Response
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.rpc_messages import load_messages
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import transport
from suites.generic import test_rpc_kinds as kinds
from suites.generic.call_transport import CallApi, changes_no_record, keeps_no_value, write_by_call
from suites.generic.kept_values import KeptValues
from suites.generic.message_checks import spelling_findings, way_findings
from suites.generic.message_ways import MESSAGE_WAYS
from suites.generic.rpc_conformance import RpcChecker
from suites.generic.spelling_checks import other_content, value_count
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

RPC = load_rpc_contract("bitvis")
assert RPC is not None
CALLS = RPC.calls
DEFAULT = EFFORTS["default"]
MESSAGE = {"method": "OPEN", "objectid": "7", "token": "x", "data": {"name": "y"}}
BY_TITLE = {way.title: way for way in MESSAGE_WAYS}


def checker_of(api: Api, label: str) -> RpcChecker:
    return RpcChecker(api, transport(api, "websocket"), load_messages("bitvis", DEFAULT, 0), CALLS[label])


def check_credentials(api: Api, call: Call) -> None:
    kinds.test_no_way_in_by_frame_needs_fewer_credentials(checker_of(api, call.label))


def check_validation(api: Api, call: Call) -> None:
    kinds.test_no_way_in_by_frame_validates_less(checker_of(api, call.label))


def check_spelling(api: Api, call: Call) -> None:
    kinds.test_another_spelling_of_a_message_means_the_same(checker_of(api, call.label))


def check_values(api: Api, call: Call) -> None:
    kinds.test_difficult_values_keep_by_frame(api, transport(api, "websocket"), corpus("bitvis", DEFAULT, 0), call)


def check_read_back(api: Api, call: Call) -> None:
    websocket = transport(api, "websocket")
    kinds.test_a_write_by_frame_is_read_back_by_every_way(api, websocket, corpus("bitvis", DEFAULT, 0), call)


Check = Callable[[Api, Call], None]
FAULTS: list[tuple[Check, str, str, str]] = [
    (check_credentials, "inventory/device INDEX", "names_in_capitals_need_no_token", "BITVIS-WS-7"),
    (check_credentials, "inventory/device CREATE", "a_batch_of_one_needs_no_token", "BITVIS-WS-7"),
    (check_credentials, "address/address OPEN", "a_session_opens_objects_by_frame", "BITVIS-WS-7"),
    (check_credentials, "scheduler/queue DELETE", "who_says_admin_may_delete", "BITVIS-WS-7"),
    (check_validation, "inventory/device UPDATE", "an_object_id_twice_in_a_frame_is_any", "BITVIS-RESP-7"),
    (check_spelling, "inventory/device LIST", "frames_begin_with_the_method", "BITVIS-SPELL-1"),
    (check_spelling, "address/address OPEN", "frames_end_with_their_line", "BITVIS-SPELL-1"),
    (check_spelling, "inventory/device CREATE", "frames_keep_their_escapes", "BITVIS-SPELL-1"),
    (check_values, "inventory/device CREATE", "frames_have_letters_of_the_basic_plane", "BITVIS-METH-CREATE-1"),
    (check_values, "address/address UPDATE", "frames_round_coordinates", "BITVIS-METH-UPDATE-1"),
    (check_read_back, "inventory/device UPDATE", "opens_over_http_miss_updates_by_frame", "BITVIS-METH-UPDATE-1"),
    (check_read_back, "scheduler/queue DELETE", "frames_list_what_a_frame_has_deleted", "BITVIS-METH-DELETE-1"),
]


@pytest.mark.parametrize(("check", "label", "fault", "clause"), FAULTS, ids=[fault for _, _, fault, _ in FAULTS])
def test_a_fault_in_frames_is_blamed_on_its_clause(check: Check, label: str, fault: str, clause: str) -> None:
    with pytest.raises(ContractViolation) as caught:
        check(in_process_api("bitvis", (fault,)), CALLS[label])
    blamed = set(caught.value.clauses)
    assert clause in blamed or blamed <= {"BITVIS-WS-4", "BITVIS-WS-7", "BITVIS-AUTH-5"}


@pytest.mark.parametrize("label", ["inventory/device OPEN", "scheduler/queue CREATE"])
def test_a_server_that_knows_another_way_is_not_blamed(label: str) -> None:
    check_credentials(in_process_api("bitvis", (), ("a_byte_order_mark_is_ignored",)), CALLS[label])


def test_a_server_that_refuses_members_given_twice_is_not_blamed() -> None:
    check_spelling(in_process_api("bitvis", (), ("members_given_twice_are_refused",)), CALLS["address/address CREATE"])


@pytest.mark.parametrize("title", BY_TITLE)
def test_a_way_keeps_the_values_of_a_message(title: str) -> None:
    text = BY_TITLE[title].write(MESSAGE).strip("\ufeff\n")
    message = json.loads(text)
    while not isinstance(message, dict):
        message = message[0] if isinstance(message, list) else json.loads(message)
    lowered = {name.lower(): value for name, value in message.items()}
    assert (lowered["method"].upper(), lowered["objectid"]) == ("OPEN", "7")
    assert lowered["data"]["name"] == "y"


def test_a_member_that_is_given_twice_is_in_the_text_twice() -> None:
    assert BY_TITLE["its method twice"].write({"method": "OPEN"}) == '{"method": "OPEN", "method": "OPEN"}'
    assert BY_TITLE["its token twice"].write({"method": "OPEN"}) == '{"method": "OPEN"}'


def test_ways_show_nothing_where_no_message_is_refused() -> None:
    checker = checker_of(in_process_api("bitvis"), "inventory/device LIST")
    with pytest.raises(MissingPrecondition, match="no such message is refused by the documented way"):
        way_findings(checker, [checker.messages.minimal(checker.call)])


def test_a_message_that_is_refused_as_it_is_shows_nothing_in_another_spelling() -> None:
    api = in_process_api("bitvis").with_settings(TOKEN="no longer valid")
    with pytest.raises(MissingPrecondition, match="refuses the message in its usual spelling"):
        spelling_findings(checker_of(api, "inventory/device LIST"))


def test_calls_that_only_read_lose_no_value_and_leave_nothing_stale() -> None:
    assert keeps_no_value(CALLS["inventory/device LIST"]) == "it writes nothing"
    assert changes_no_record(CALLS["inventory/device LIST"]) == "it changes nothing"
    assert keeps_no_value(CALLS["inventory/device DELETE"]) == "no clause says that what it is sent is kept"
    assert changes_no_record(CALLS["inventory/device RUN"]) == "no operation shows the record that it writes"
    assert changes_no_record(CALLS["inventory/device DELETE"]) == keeps_no_value(CALLS["inventory/device CREATE"]) == ""


def test_a_call_by_frame_is_recorded_as_it_is_judged() -> None:
    api = in_process_api("bitvis")
    call = CALLS["inventory/device CREATE"]
    write = write_by_call(call)
    assert write is not None
    by_frame = CallApi(api, transport(api, "websocket"), call.endpoint)
    exchange = by_frame.send(write.operation, corpus("bitvis", DEFAULT, 0).minimal(write.operation))
    assert (exchange.request.method, exchange.response.status) == ("FRAME", 200)
    assert api.exchanges[-1] is exchange


def test_only_transports_of_frames_send_a_message_as_one_text() -> None:
    with pytest.raises(ValueError, match="query sends no call as one text"):
        transport(in_process_api("bitvis"), "query").send_message("inventory/device", "{}")


def test_a_lost_value_is_reported_alone() -> None:
    api = in_process_api("bitvis", ("update_takes_zero_for_nothing",))
    call = CALLS["address/address UPDATE"]
    write = write_by_call(call)
    assert write is not None
    walk = KeptValues(CallApi(api, transport(api, "websocket"), call.endpoint), corpus("bitvis", DEFAULT, 0), write)
    with pytest.raises(ContractViolation, match="latitude as sent"):
        walk.write_all()
    sent = [json.loads(it.request.body) for it in api.exchanges if b"UPDATE" in it.request.body][-1]["data"]
    assert (sent["latitude"], "city" in sent) == (0, False)


def _read(body: str) -> Exchange:
    return Exchange(Request("GET", "http://127.0.0.1/x"), Response(200, (), body.encode()))


def test_values_that_differ_each_time_are_not_compared() -> None:
    api = in_process_api("flowapp")
    usual, other, again = _read('{"id": 1, "a": 2}'), _read('{"id": 3, "a": 2}'), _read('{"id": 4, "a": 2}')
    assert other_content(api, "x", usual, other, lambda: again) == []


def test_a_value_that_only_another_spelling_changes_is_a_finding() -> None:
    api = in_process_api("flowapp")
    usual, other, again = _read('{"id": 1, "a": 2}'), _read('{"id": 3, "a": 5}'), _read('{"id": 4, "a": 2}')
    finding = other_content(api, "x", usual, other, lambda: again)[0]
    assert (finding.clause, finding.expected, finding.received) == ("FLOWAPP-SPELL-1", "a 2, with x", "5")


@pytest.mark.parametrize(
    ("link", "is_same"),
    [
        ("http://h/users?page=2&limit=%31%30", True),
        ("http://h/users?limit=10&page=3", False),
        ("http://h/user?limit=10&page=2", False),
        ("http://h/users?limit=10&page=2&page=2", False),
    ],
)
def test_a_link_may_repeat_the_parameters_as_they_were_spelled(link: str, is_same: bool) -> None:
    api = in_process_api("flowback")
    usual, other = (_read(json.dumps({"next": text})) for text in ("http://h/users?limit=10&page=2", link))
    assert (other_content(api, "x", usual, other, lambda: usual) == []) is is_same


def test_numbers_with_a_fraction_count_twice() -> None:
    assert value_count({"a": [1, "x", None], "b": 0.5}) == 5
