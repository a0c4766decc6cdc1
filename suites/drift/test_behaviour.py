"""Tests that every operation and call behaves as recorded; without a record, or with --record, they record instead."""

from __future__ import annotations

import pytest

from contracts.asyncapi import Call, load_rpc_contract
from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.questions.observing import Plan
from fixtures.target_api import Api
from fixtures.transports import Transport
from fixtures.transports import transport as transport_of
from suites.drift import drift_options
from suites.drift.behaviour_check import BehaviourCheck
from suites.drift.drift_plugin import observation_folder
from suites.drift.observation_files import FIRST, SECOND
from suites.reporting import broken_contracts


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each operation and call; two where behaviour is recorded, the second ones in reverse order."""
    values: list[tuple[Operation | Call, str]] = []
    for api in broken_contracts.working_apis(metafunc.config):
        if drift_options.takes_part(metafunc.config, api):
            rpc = load_rpc_contract(api)
            subjects = [*load_contract(api).operations.values(), *(rpc.calls.values() if rpc else ())]
            values += [(subject, FIRST) for subject in subjects]
            if drift_options.record_place(metafunc.config, api).is_written:
                values += [(subject, SECOND) for subject in reversed(subjects)]
    ids = [str(subject) if turn == FIRST else f"{subject} again" for subject, turn in values]
    metafunc.parametrize(("subject", "turn"), values, ids=ids)


@pytest.mark.behaviour
def test_behaviour(
    request: pytest.FixtureRequest,
    api: Api,
    transports: dict[tuple[Api, str], Transport],
    subject: Operation | Call,
    turn: str,
) -> None:
    """The target answers the questions about this operation as recorded."""
    config = request.config

    def open_transport(name: str) -> Transport:
        if (api, name) not in transports:
            transports[api, name] = transport_of(api, name)
        return transports[api, name]

    plan = Plan(drift_options.plan_size(config, api.target), api.target.writes)
    check = BehaviourCheck(api, subject, plan, open_transport, observation_folder(config), config.option.pause)
    record = drift_options.known_record(config, subject.api)
    if record is None or config.option.record:
        check.record(turn)
    else:
        check.compare(record)
