"""The judge of replies: the envelope, whether a valid call succeeds, and how an invalid one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.asyncapi import Call, RpcContract, from_document
from contracts.errors import ContractError
from contracts.exchange import FRAME, SWITCHING_PROTOCOLS, Exchange, Request, Response
from contracts.judge.refusal_judge import InvalidCase
from contracts.judge.rpc_judge import judge_accepted, judge_envelope, judge_refused

OK, REFUSED = {"ok": True, "number": 1}, {"ok": False, "code": "missing", "member": "id"}
MISSING = InvalidCase("missing", "body", "id")


def rpc_contract(rule: dict[str, Any] | None = None, call_rule: dict[str, Any] | None = None) -> RpcContract:
    """A contract with the call `notes LIST`; its envelope has `ok`."""
    ask = {"payload": {"type": "object", "properties": {"method": {"enum": ["LIST"]}}}, "examples": [{"payload": {}}]}
    reply = {
        "type": "object",
        "required": ["ok"],
        "properties": {"ok": {"type": "boolean"}, "number": {"type": "integer", "x-clause": "TODO-NUMBER-1"}},
    }
    tell = {"payload": reply, "x-clause": "TODO-REPLY-1"}
    channel = {"address": "notes", "x-http": "/notes", "messages": {"ask": ask, "tell": tell}}
    operation = {
        "action": "receive",
        "channel": {"$ref": "#/channels/notes"},
        "messages": [{"$ref": "#/channels/notes/messages/ask"}],
        "reply": {
            "channel": {"$ref": "#/channels/notes"},
            "messages": [{"$ref": "#/channels/notes/messages/tell"}],
        },
        "x-clauses": ["TODO-LIST-1"],
        "x-refusals": {"missing": call_rule} if call_rule else {},
    }
    error = {"refused": {"pointer": "/ok", "equals": False}, "code": "/code", "attribute": "/member"}
    return from_document(
        "todo",
        {
            "channels": {"notes": channel},
            "operations": {"list": operation},
            "x-flowproof": {"error": error, "refusals": {"missing": rule} if rule else {}},
        },
    )


def only_call(rpc: RpcContract) -> Call:
    (call,) = rpc.calls.values()
    return call


def replied(reply: Any, error: str | None = None) -> Exchange:
    """A frame and its reply, JSON or bytes."""
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return Exchange(Request(FRAME, "ws://127.0.0.1/notes"), Response(SWITCHING_PROTOCOLS, (), body, error))


def enveloped(reply: Any, error: str | None = None) -> list[tuple[str, str, str]]:
    rpc, exchange = rpc_contract(), replied(reply, error)
    judged = judge_envelope(rpc, only_call(rpc), exchange)
    assert all(finding.exchange is exchange for finding in judged)
    return [(finding.clause, finding.expected, finding.received) for finding in judged]


def accepted(reply: Any, error: str | None = None) -> list[tuple[str, str, str]]:
    rpc, exchange = rpc_contract(), replied(reply, error)
    call = only_call(rpc)
    judged = judge_accepted(rpc, call, exchange, call.clauses[0])
    assert all(finding.exchange is exchange for finding in judged)
    return [(finding.clause, finding.expected, finding.received) for finding in judged]


def refused(
    reply: Any, rule: dict[str, Any] | None = None, environ: dict[str, str] | None = None, error: str | None = None
) -> list[tuple[str, str, str]]:
    """The findings about the reply to a call without its `id`, by that rule of the API's."""
    rpc, exchange = rpc_contract({"clause": "TODO-ERR-1"} if rule is None else rule), replied(reply, error)
    judged = judge_refused(rpc, only_call(rpc), exchange, MISSING, environ or {})
    assert all(finding.exchange is exchange for finding in judged)
    return [(finding.clause, finding.expected, finding.received) for finding in judged]


def test_documented_envelope_has_no_finding() -> None:
    assert enveloped(OK) == []
    assert enveloped(REFUSED) == []


def test_missing_reply_is_found() -> None:
    broken_off = [("TODO-REPLY-1", "a reply", "no reply within 5 s")]
    assert enveloped(b"", "no reply within 5 s") == broken_off
    assert accepted(b"", "no reply within 5 s") == broken_off
    assert refused(b"", error="no reply within 5 s") == broken_off


def test_broken_envelope_is_blamed_on_the_nearest_clause() -> None:
    assert enveloped({"ok": 1, "number": "x"}) == [
        ("TODO-REPLY-1", "ok: type boolean", '1 is not of type "boolean"'),
        ("TODO-NUMBER-1", "number: type integer", '"x" is not of type "integer"'),
    ]


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_reply_that_is_no_json_is_found(body: bytes) -> None:
    ((clause, expected, _),) = enveloped(body)
    assert (clause, expected) == ("TODO-REPLY-1", "an envelope of JSON in UTF-8")
    assert [finding[1] for finding in accepted(body)] == ["an envelope of JSON in UTF-8"]


@pytest.mark.parametrize("length", [199, 200, 201])
def test_reply_that_is_no_json_is_shown_up_to_200_characters(length: int) -> None:
    ((_, _, received),) = enveloped(b"x" * length)
    assert received.endswith(f", {'x' * min(length, 200)!r}")


def test_valid_call_succeeds() -> None:
    assert accepted(OK) == []


def test_refusal_of_a_valid_call_is_blamed_on_the_call_before_its_envelope() -> None:
    assert accepted({"ok": False, "number": "x"}) == [
        ("TODO-LIST-1", "a valid call succeeds", '{"ok": false, "number": "x"}'),
        ("TODO-NUMBER-1", "number: type integer", '"x" is not of type "integer"'),
    ]


@pytest.mark.parametrize(("length", "cut"), [(200, False), (201, True)])
def test_reply_in_a_finding_is_shortened_to_200_characters(length: int, cut: bool) -> None:
    body = b'{"ok": false}'.ljust(length)
    ((_, _, received),) = accepted(body)
    assert received == body[:200].decode() + ("…" if cut else "")


def test_documented_refusal_has_no_finding() -> None:
    assert refused(REFUSED) == []
    assert refused(REFUSED, {"clause": "TODO-ERR-1", "code": ["missing"]}) == []


def test_accepted_invalid_call_is_found() -> None:
    assert refused({"ok": True, "number": "x"}) == [
        ("TODO-NUMBER-1", "number: type integer", '"x" is not of type "integer"'),
        ("TODO-ERR-1", "a refusal (missing: body id)", '{"ok": true, "number": "x"}'),
    ]


@pytest.mark.parametrize(("meaning", "number"), [("ignored", 0), ("refused", 1)])
def test_reading_decides_whether_an_invalid_call_may_be_accepted(meaning: str, number: int) -> None:
    rule = {"clause": "TODO-ERR-1", "accepted": {"GETFLOW-AMB-6": "ignored"}}
    assert len(refused(OK, rule, {"GETFLOW_READING_6": meaning})) == number


def test_accepted_call_still_needs_its_envelope() -> None:
    rule = {"clause": "TODO-ERR-1", "accepted": {"GETFLOW-AMB-6": "ignored"}}
    assert [finding[0] for finding in refused({"ok": True, "number": "x"}, rule)] == ["TODO-NUMBER-1"]


@pytest.mark.parametrize("reply", [OK, REFUSED])
def test_unstated_kind_may_be_accepted_and_refused(reply: Any) -> None:
    assert refused(reply, {"unstated": "GETFLOW-AMB-6"}) == []


def test_wrong_code_and_attribute_are_found_after_the_envelope() -> None:
    assert refused({"ok": False, "code": "odd", "number": "x"}, {"clause": "TODO-ERR-1", "code": ["missing"]}) == [
        ("TODO-NUMBER-1", "number: type integer", '"x" is not of type "integer"'),
        ("TODO-ERR-1", "code missing (missing: body id)", "odd"),
    ]
    assert refused(REFUSED | {"member": "other"}, {"clause": "TODO-ERR-1", "attribute": "name"}) == [
        ("TODO-ERR-1", "attribute id (missing: body id)", "other")
    ]


def test_rule_of_the_call_beats_the_rule_of_the_api() -> None:
    rpc = rpc_contract({"clause": "TODO-ERR-1"}, {"clause": "TODO-ERR-2"})
    (finding,) = judge_refused(rpc, only_call(rpc), replied(OK), MISSING, {})
    assert finding.clause == "TODO-ERR-2"


def test_kind_without_a_rule_is_an_error_of_ours() -> None:
    rpc = rpc_contract()
    with pytest.raises(ContractError, match="todo: there is no rule for missing"):
        judge_refused(rpc, only_call(rpc), replied(OK), MISSING, {})


@pytest.mark.parametrize("body", [b"{", b"\xff"])
def test_reply_that_is_no_json_is_no_refusal(body: bytes) -> None:
    assert [finding[1] for finding in refused(body)] == ["an envelope of JSON in UTF-8", "a refusal (missing: body id)"]
