"""What the other tests of the same night show at a state of a reference: verdicts of clauses and meanings of readings.

Rule: they are run by pytest in this process, with a few generated requests; a changed state is tried by those tests
that saw a reading of the honest one, and by those of the change's own clauses.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contracts.asyncapi import load_rpc_contract
from contracts.behaviour.behaviour import Address, Behaviour
from fixtures.reference.protocol import Change
from fixtures.target_api import Api
from reports.drift.changes import Change as ReportedChange
from reports.drift.changes import changes
from reports.drift.record import Record
from reports.results.records import read_records
from suites.drift.run_behaviours import of_run
from suites.drift_proof.api_observation import record_header
from suites.drift_proof.served_state import State, served
from suites.reporting.exchange_recorder import RECORDER
from suites.run_checks import APIS_UNDER_TEST

SUITES = Path(__file__).parents[1]
OPTIONS = ("-q", "--effort=quick", "--strict", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly")


@dataclass(frozen=True)
class SuiteRun:
    """The behaviours of a run, and by node id of its tests the clauses and readings that each is about."""

    behaviours: Mapping[Address, Behaviour]
    subjects: Mapping[str, Collection[str]]


def changed_by(api: str, change: Change) -> list[ReportedChange]:
    """What a comparison of clauses and readings reports when the reference has that change."""
    on_socket = needs_socket(api, change.needs_socket)
    honest = honest_run(api, on_socket)
    record = Record(record_header(api), honest.behaviours, {})
    wanted = [node for node, subjects in honest.subjects.items() if _is_wanted(subjects, change)]
    after = _run(State(api, (change,), on_socket=on_socket), wanted).behaviours
    return changes(record, {address: it for address, it in after.items() if address in record.steady})


def needs_socket(api: str, is_wire: bool) -> bool:
    """Whether tests need a server: those of calls by frames open sockets of their own, and without one the first that
    does so ends the run for all behind it.
    """
    return is_wire or load_rpc_contract(api) is not None


def _is_wanted(subjects: Collection[str], change: Change) -> bool:
    return any("-AMB-" in subject or subject in change.clauses for subject in subjects)


@cache
def honest_run(api: str, on_socket: bool) -> SuiteRun:
    """All tests of the API at its unchanged reference; made once in a process."""
    return _run(State(api, on_socket=on_socket), ())


def _run(state: State, nodes: Collection[str]) -> SuiteRun:
    """The tests with these node ids, without any all of the API. Raises RuntimeError when none ran."""
    with served(state) as ([api], _), TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        tests = list(nodes) or [str(SUITES), "-k", state.api]
        os.environ["HYPOTHESIS_PROFILE"] = "prove"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = pytest.main([*tests, *OPTIONS, f"--alluredir={results}"], plugins=[_InProcess(api)])
        records = [test for test in read_records(results).tests if test.api == state.api]
        if not records:
            raise RuntimeError(f"no test of {state.api} ran (exit code {code}): {printed.getvalue()[-300:]}")
        subjects = {test.node: (*test.clauses, *(it.partition(": ")[0] for it in test.readings)) for test in records}
        return SuiteRun(of_run(results, state.api), subjects)


class _InProcess:
    """A pytest plugin that has the tests use that API instead of a server of their own."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def pytest_configure(self, config: pytest.Config) -> None:
        """Before anything asks for a target."""
        config.stash[APIS_UNDER_TEST] = {self._api.target.api: self._api}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """As the fixture does that makes the API of any other run."""
        session.config.stash[RECORDER].observe(self._api)
