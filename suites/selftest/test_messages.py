"""Calls made from an AsyncAPI document: the same for the same seed, each as valid or as broken as it says."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import contracts
from contracts.clauses import readings
from contracts.exchange import FRAME, Answer, Exchange, Sent
from contracts.refusals import Mutation, rule
from contracts.replies import judge_accepted, judge_envelope, judge_refused
from contracts.rpc import Call, Rpc, from_document, rpc
from fixtures.cases import filled
from fixtures.corpus import EFFORTS
from fixtures.corpus.messages import Message, Messages, likeness, messages
from fixtures.corpus.store import Store, key_of

ROOT = Path(__file__).parents[2]
RPCS = [found for api in contracts.apis() if (found := rpc(api))]
QUICK = EFFORTS["quick"]
every_rpc = pytest.mark.parametrize("whole", RPCS, ids=[one.api for one in RPCS])
every_call = pytest.mark.parametrize("call", [call for one in RPCS for call in one.calls.values()], ids=str)

OBJECT = "3a472a78-4e3e-4858-8acc-eb754f9d1328"
REFUSAL = (
    b'{"status":0,"success":false,"message":"no","errorcode":"DO_NOT_EXIST","dataType":"JSON",'
    b'"errorid":"7981f103-142e-41bf-ae39-ff1341de35f6"}'
)

WITHOUT_GENERATORS = """
import sys
from pathlib import Path
from contracts.rpc import rpc
from fixtures.corpus import EFFORTS
from fixtures.corpus.messages import Messages
from fixtures.corpus.store import Store, key_of
quick = EFFORTS["quick"]
ours = Messages(rpc("bitvis"), quick, 0, Store(Path(sys.argv[1]), "bitvis", key_of("bitvis", quick, 0)))
print([message for call in ours.rpc.calls.values() for kind in (ours.valid, ours.broken) for message in kind(call)])
print({"schemathesis", "hypothesis"} & set(sys.modules) or "no generator")
"""


def whole_of(call: Call) -> Rpc:
    found = rpc(call.api)
    assert found
    return found


def ours(call: Call, seed: int = 0) -> Messages:
    return Messages(whole_of(call), QUICK, seed)


def one_of(label: str) -> Call:
    found = rpc("bitvis")
    assert found
    return found.calls[label]


def frame(message: Message) -> dict[str, Any]:
    """The message as it would be sent to a target that knows one object and one method."""

    def resolve(source: Mapping[str, Any]) -> str:
        return OBJECT if "operation" in source else "ping"

    whole: dict[str, Any] = filled(message.parts, resolve)
    return {**whole, "token": "t0ken"}


def answered(body: bytes, error: str | None = None) -> Exchange:
    return Exchange(Sent(FRAME, "ws://127.0.0.1:1/inventory/device"), Answer(0 if error else 101, (), body, error))


@every_call
def test_same_seed_gives_same_messages(call: Call) -> None:
    assert ours(call, 1).valid(call) == ours(call, 1).valid(call) == messages(call.api, QUICK, 1).valid(call)
    assert ours(call, 1).broken(call) == ours(call, 1).broken(call) == messages(call.api, QUICK, 1).broken(call)


def test_another_seed_gives_other_messages() -> None:
    call = one_of("address/address CREATE")
    first, second = (Messages(whole_of(call), EFFORTS["default"], seed) for seed in (1, 2))
    assert first.valid(call) != second.valid(call)
    assert first.broken(call) != second.broken(call)


@every_call
def test_valid_messages_keep_the_frame_s_shape(call: Call) -> None:
    validator = whole_of(call).contract.validator(call.message)
    made = Messages(whole_of(call), EFFORTS["default"], 0).valid(call)
    assert [(one.title, error.message) for one in made for error in validator.iter_errors(frame(one))] == []
    assert all(one.mutation is None and one.credentials == "token" for one in made)


@every_call
def test_broken_messages_break_the_frame_s_shape_or_name_nobody(call: Call) -> None:
    validator = whole_of(call).contract.validator(call.message)
    for one in ours(call).broken(call):
        assert one.mutation
        is_about_state = one.mutation.kind == "unknown_record" or one.credentials != "token"
        no_shape_says = one.mutation.kind == "unknown" and one.mutation.place == "data.*"
        if not (is_about_state or no_shape_says):
            assert not validator.is_valid(frame(one)), one.title


@every_call
def test_broken_messages_differ_in_one_part_from_the_plain_one(call: Call) -> None:
    plain = ours(call).plain(call)
    for one in ours(call).broken(call):
        differing = {
            name for name in {*plain.parts, *one.parts} if plain.parts.get(name, "-") != one.parts.get(name, "-")
        }
        assert len(differing) + (one.credentials != "token") == 1, one.title


@every_call
def test_every_needed_part_is_left_out_emptied_and_mistyped(call: Call) -> None:
    kinds = Counter((one.mutation.place, one.mutation.kind) for one in ours(call).broken(call) if one.mutation)
    for part in ("method", *call.needs):
        assert {kind for place, kind in kinds if place == part} >= {"missing", "empty", "wrong_type"}, part
    assert {kind for place, kind in kinds if place == "method"} >= {"not_in_enum"}
    assert {place for place, kind in kinds if kind == "not_needed"} == call.forbids
    assert {kind for place, kind in kinds if not place} == {
        "no_credentials",
        "wrong_credentials",
        "empty_credentials",
    }


@every_call
def test_no_message_is_made_twice(call: Call) -> None:
    for made in (ours(call).valid(call), ours(call).broken(call)):
        assert len({likeness(one) for one in made}) == len(made)


@every_rpc
def test_every_rule_has_a_message(whole: Rpc) -> None:
    used = set()
    for call in whole.calls.values():
        for one in Messages(whole, EFFORTS["default"], 0).broken(call):
            assert one.mutation
            due = rule(whole.contract, call, one.mutation)
            used |= {key for key, value in whole.contract.refusals.items() if value is due}
            assert {"clause", "unstated"} & set(due), one.title
    assert set(whole.contract.refusals) - used == set()


@every_rpc
def test_rules_leave_open_only_what_a_reading_asks(whole: Rpc) -> None:
    rules = [whole.contract.refusals, *(call.refusals for call in whole.calls.values())]
    left_open = {rule["unstated"] for one in rules for rule in one.values() if "unstated" in rule}
    assert left_open
    assert left_open <= set(readings(whole.api))


def test_new_endpoint_is_called_without_code() -> None:
    document = copy.deepcopy(dict(RPCS[0].contract.document))
    document["channels"]["lamp"] = {
        **document["channels"]["device"],
        "address": "light/lamp",
        "x-http": "/api/light/lamp/",
    }
    for name in ("list", "update"):
        text = json.dumps(document["operations"][f"device.{name}"]).replace("#/channels/device", "#/channels/lamp")
        document["operations"][f"lamp.{name}"] = json.loads(text)
    grown = Messages(from_document("bitvis", document), QUICK, 0)
    for label in ("light/lamp LIST", "light/lamp UPDATE"):
        call = grown.rpc.calls[label]
        assert call.path == "/api/light/lamp/"
        assert len(grown.valid(call)) > 1
        assert {one.mutation.kind for one in grown.broken(call) if one.mutation} >= {"missing", "not_in_enum"}


def test_documented_object_is_never_sent_to_a_target() -> None:
    for call in RPCS[0].calls.values():
        for one in ours(call).valid(call):
            if "objectid" in call.needs:
                assert "$known" in one.parts["objectid"], one.title


def test_second_start_imports_no_generator(tmp_path: Path) -> None:
    def run() -> list[str]:
        arguments = [sys.executable, "-c", WITHOUT_GENERATORS, str(tmp_path)]
        done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    first, second = run(), run()
    assert first[0] == second[0]
    assert (first[1] != "no generator", second[1]) == (True, "no generator")


def test_stored_messages_are_the_ones_that_were_made(tmp_path: Path) -> None:
    call, key = one_of("address/address UPDATE"), key_of("bitvis", QUICK, 0)
    for _ in range(2):
        kept = Messages(whole_of(call), QUICK, 0, Store(tmp_path, "bitvis", key))
        assert kept.valid(call) == ours(call).valid(call)
        assert kept.broken(call) == ours(call).broken(call)


def test_api_without_a_document_is_told() -> None:
    assert rpc("getflow") is None
    with pytest.raises(LookupError, match=r"getflow has no asyncapi\.yaml"):
        messages("getflow", QUICK, 0)


def judged(label: str, body: bytes) -> list[tuple[str, str]]:
    call = one_of(label)
    return [(one.clause, one.expected) for one in judge_envelope(whole_of(call), call, answered(body))]


@pytest.mark.parametrize(
    ("label", "body", "clause"),
    [
        ("inventory/device DELETE", b'{"status":0,"data":{},"dataType":"JSON"}', "BITVIS-RESP-2"),
        ("inventory/device DELETE", b'{"status":0,"success":true,"dataType":"JSON"}', "BITVIS-RESP-4"),
        ("inventory/device DELETE", REFUSAL.replace(b'"message":"no",', b""), "BITVIS-RESP-3"),
        ("inventory/device LIST", b'{"status":0,"success":true,"data":[],"dataType":"JSON"}', "BITVIS-RESP-9"),
        (
            "inventory/device OPEN",
            b'{"status":0,"success":true,"data":{"id":"3a472a78-4e3e-4858-8acc-eb754f9d1328"},"dataType":"JSON"}',
            "BITVIS-RES-1",
        ),
        ("inventory/device OPEN", b"[]", "BITVIS-RESP-1"),
        ("inventory/device OPEN", b"nothing", "BITVIS-RESP-1"),
        ("inventory/device OPEN", b'{"status": "\xff"}', "BITVIS-RESP-1"),
        ("inventory/device OPEN", b"[" * 100_000, "BITVIS-RESP-1"),
    ],
    ids=["success", "data", "message", "count", "members", "list", "text", "latin-1", "depths"],
)
def test_envelope_is_judged_by_the_nearest_clause(label: str, body: bytes, clause: str) -> None:
    assert clause in [found for found, _ in judged(label, body)]


@every_call
def test_documented_answers_are_judged_well(call: Call) -> None:
    assert judged(call.label, REFUSAL) == []


def test_no_answer_is_a_finding() -> None:
    call = one_of("inventory/device OPEN")
    (found,) = judge_envelope(whole_of(call), call, answered(b"", "no answer within the time limit"))
    assert (found.clause, found.received) == ("BITVIS-RESP-1", "no answer within the time limit")


def test_refusal_of_a_valid_call_is_a_finding() -> None:
    call = one_of("inventory/device OPEN")
    assert [one.clause for one in judge_accepted(whole_of(call), call, answered(REFUSAL))] == [call.clauses[0]]


SUCCESS = b'{"status":0,"success":true,"data":{"id":"3a472a78-4e3e-4858-8acc-eb754f9d1328"},"dataType":"JSON"}'


@pytest.mark.parametrize(
    ("label", "mutation", "body", "clauses"),
    [
        ("scheduler/queue DELETE", Mutation("missing", "objectid"), SUCCESS, ["BITVIS-METH-DELETE-2"]),
        ("scheduler/queue DELETE", Mutation("missing", "objectid"), REFUSAL, []),
        (
            "scheduler/queue DELETE",
            Mutation("unknown_record", "objectid"),
            REFUSAL.replace(b"DO_NOT_EXIST", b"GONE"),
            ["BITVIS-RESP-7"],
        ),
        ("scheduler/queue DELETE", Mutation("not_needed", "data"), SUCCESS, []),
        ("scheduler/queue DELETE", Mutation("no_credentials"), SUCCESS, ["BITVIS-WS-7"]),
        ("scheduler/queue RUN", Mutation("missing", "objectid"), SUCCESS, []),
        ("scheduler/queue RUN", Mutation("missing", "data"), SUCCESS, ["BITVIS-METH-RUN-3"]),
        ("scheduler/queue CREATE", Mutation("wrong_type", "data.*", "name"), SUCCESS, []),
    ],
)
def test_refusal_is_judged_by_its_rule(label: str, mutation: Mutation, body: bytes, clauses: list[str]) -> None:
    call = one_of(label)
    found = judge_refused(whole_of(call), call, answered(body), mutation, {})
    assert [one.clause for one in found] == clauses


def test_fixed_reading_makes_acceptance_a_finding() -> None:
    call = one_of("scheduler/queue RUN")
    fixed = {"BITVIS_READING_9": "required"}
    found = judge_refused(whole_of(call), call, answered(SUCCESS), Mutation("missing", "objectid"), fixed)
    assert [one.clause for one in found] == ["BITVIS-METH-RUN-2"]


def test_mistake_without_a_rule_is_named() -> None:
    call = one_of("scheduler/queue RUN")
    with pytest.raises(KeyError, match=r"refusals\.upside_down"):
        judge_refused(whole_of(call), call, answered(SUCCESS), Mutation("upside_down", "data"), {})
