"""Tests of calls by frame for the kinds of bugs that tests of operations look for over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.asyncapi import Call
from contracts.judge.refusal_judge import InvalidCase, refusal_rule
from fixtures.corpus import Corpus
from fixtures.corpus.invalid_messages import CREDENTIAL_KINDS
from fixtures.corpus.rpc_messages import Message, Messages
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports import FRAME_TRANSPORTS, Transport
from suites.generic.call_transport import CallApi, changes_no_record, keeps_no_value, write_by_call
from suites.generic.kept_values import SAMPLED, KeptValues
from suites.generic.message_checks import spelling_findings, way_findings, with_known_values
from suites.generic.read_backs import READS, Way
from suites.generic.rpc_conformance import RpcChecker
from suites.generic.test_read_back import check_read_back, chosen_ways
from suites.generic.test_rpc import frame_transports
from suites.generic.test_ways_in import STATES, VALUE_KINDS
from suites.reporting.failures import raise_findings


@pytest.fixture
def checker(api: Api, transport: Transport, messages: Messages, call: Call) -> RpcChecker:
    """Sends and checks the call's messages over this transport."""
    return RpcChecker(api, transport, messages, call)


def always(_call: Call) -> str:
    """ "": the kind can occur at any call."""
    return ""


@pytest.mark.bug_kind("ways in", reason_against_call=always)
@frame_transports
def test_no_way_in_by_frame_needs_fewer_credentials(checker: RpcChecker) -> None:
    """What is refused without credentials, or with wrong or empty ones, is refused however its message is written."""
    minimal = with_known_values(checker, checker.messages.minimal(checker.call))
    messages = [
        replace(minimal, credentials=state, title=f"{state} credentials", invalid_case=InvalidCase(kind))
        for state, kind in ((state, CREDENTIAL_KINDS[state]) for state in STATES)
        if state == "none" or checker.api.target.pace is None  # elsewhere, wrong ones could lock an account
    ]
    raise_findings(way_findings(checker, messages), checker.api)


@pytest.mark.bug_kind("ways in", reason_against_call=always)
@frame_transports
def test_no_way_in_by_frame_validates_less(checker: RpcChecker) -> None:
    """A value that is refused by the documented way is refused however its message is written."""
    messages = [with_known_values(checker, message) for message in invalid_of_each_kind(checker)]
    if not messages:
        raise MissingPrecondition(f"no message of {checker.call} has a value that must be refused")
    raise_findings(way_findings(checker, messages), checker.api)


def invalid_of_each_kind(checker: RpcChecker) -> list[Message]:
    """An invalid message of each kind and part of which a clause says that it is refused."""
    messages: dict[tuple[str, str], Message] = {}
    for message in checker.messages.invalid(checker.call):
        invalid = message.invalid_case
        if invalid is None or invalid.kind not in VALUE_KINDS or invalid.location == "method":
            continue
        rule = refusal_rule(checker.rpc.contract, checker.call, invalid)
        if "clause" in rule and not rule.get("accepted"):
            messages.setdefault((invalid.kind, invalid.location), message)
    return list(messages.values())


@pytest.mark.bug_kind("spelling", reason_against_call=always)
@frame_transports
def test_another_spelling_of_a_message_means_the_same(checker: RpcChecker) -> None:
    """A message that is accepted is accepted in every spelling, shows the same and keeps the same."""
    raise_findings(spelling_findings(checker), checker.api)


@pytest.mark.bug_kind("values keep", reason_against_call=keeps_no_value)
@frame_transports
def test_difficult_values_keep_by_frame(api: Api, transport: Transport, corpus: Corpus, call: Call) -> None:
    """Texts, numbers, dates and lists that software likes to change are shown as a frame has sent them."""
    write = write_by_call(call)
    assert write is not None
    share = 1 if transport.name == FRAME_TRANSPORTS[0] else SAMPLED
    walk = KeptValues(CallApi(api, transport, call.endpoint), corpus, write, share)
    walk.write_all()
    if not walk.compared:
        raise MissingPrecondition(f"no response showed a value that {call} was sent")


@pytest.mark.bug_kind("stale", reason_against_call=changes_no_record)
@frame_transports
def test_a_write_by_frame_is_read_back_by_every_way(api: Api, transport: Transport, corpus: Corpus, call: Call) -> None:
    """A record is asked for by frame and over HTTP, then written by frame: each way shows what was written."""
    write = write_by_call(call)
    assert write is not None
    by_frame = CallApi(api, transport, call.endpoint)
    over_http = [replace(way, api=api) for way in chosen_ways(api, corpus, write)]
    frames = [Way(action, write.kind.operation(action), api=by_frame, is_by_frame=True) for action in READS]
    check_read_back(by_frame, corpus, write, [*over_http, *frames])
