"""Tests that observe which operations and calls, of those that the document does not have, a target serves."""

from __future__ import annotations

import os

import pytest

from contracts.asyncapi import Call, load_rpc_contract
from contracts.clauses import ANY, meaning_in_force
from contracts.operation import Operation
from fixtures.target_api import Api
from fixtures.transports import Transport
from suites.generic.optional_operations import Subject, is_optional, is_served, observed_meanings
from suites.generic.test_rpc import frame_transports
from suites.observed_readings import ObservedReadings, observation
from suites.reporting import broken_contracts
from suites.reporting.failures import violation


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each optional call."""
    if "optional_call" in metafunc.fixturenames:
        apis = broken_contracts.working_apis(metafunc.config)
        calls = [call for api in apis if (rpc := load_rpc_contract(api)) for call in rpc.calls.values()]
        metafunc.parametrize("optional_call", [call for call in calls if call.served_if], ids=str)


@observation
@pytest.mark.offered(cases=is_optional)
def test_an_optional_operation_follows_a_reading(api: Api, readings: ObservedReadings, operation: Operation) -> None:
    """An operation that the document does not have is served or not."""
    check_reading(api, readings, operation, is_served({}, api, operation))


@observation
@frame_transports
def test_an_optional_call_follows_a_reading(
    api: Api, readings: ObservedReadings, transport: Transport, optional_call: Call
) -> None:
    """A call by frame that the document does not have is served or not."""
    check_reading(api, readings, optional_call, is_served({}, api, optional_call, transport))


def check_reading(api: Api, readings: ObservedReadings, subject: Subject, served: bool) -> None:
    """Records the meaning that the target has. Raises ContractViolation when the run fixes another one."""
    assert subject.served_if is not None
    reading, possible = subject.served_if.reading, observed_meanings(subject, served)
    if len(possible) == 1:
        readings.observe(reading, **dict.fromkeys(possible, True))
        return
    readings.observations.append(reading)
    fixed = meaning_in_force(reading, os.environ)
    if fixed not in (ANY, *possible):
        raise violation(api, reading, f"the meaning {fixed}, which this run fixes", " or ".join(possible))
