"""Chains of create, read, update, list and delete on every resource of every contract, found by Hypothesis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from fixtures.api import Api
from fixtures.corpus import Corpus
from suites.records import Records, Resource


class Life(RuleBasedStateMachine):
    """Any order of steps on one resource. A subclass says which, by `records_of`."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self.records_of()

    @staticmethod
    def records_of() -> Records:
        raise NotImplementedError

    def teardown(self) -> None:
        self.records.clear()

    @rule(number=st.integers(0, 999))
    def create(self, number: int) -> None:
        cases = self.records.cases("create")
        self.records.create(cases[number % len(cases)])

    @precondition(lambda self: self.records.live and self.records.can("read"))
    @rule(number=st.integers(0, 9))
    def read(self, number: int) -> None:
        self.records.read(_one(self.records.live, number))

    @precondition(lambda self: self.records.live and self.records.can("update"))
    @rule(number=st.integers(0, 9), change=st.integers(0, 999))
    def update(self, number: int, change: int) -> None:
        cases = self.records.cases("update")
        self.records.update(_one(self.records.live, number), cases[change % len(cases)])

    @precondition(lambda self: self.records.live and self.records.can("delete"))
    @rule(number=st.integers(0, 9))
    def delete(self, number: int) -> None:
        self.records.delete(_one(self.records.live, number))

    @precondition(lambda self: self.records.live and self.records.can("list"))
    @rule()
    def list_all(self) -> None:
        self.records.list()

    @precondition(lambda self: self.records.gone)
    @rule(number=st.integers(0, 9), what=st.sampled_from(["read", "update", "delete"]))
    def use_after_delete(self, number: int, what: str) -> None:
        if self.records.can(what):
            self.records.is_gone(what, _one(self.records.gone, number))


def _one(records: object, number: int) -> object:
    found = list(records)  # type: ignore[call-overload]  # a list or a dict's keys
    return found[number % len(found)]


def test_records_live_as_promised(api: Api, corpus: Corpus, resource: Resource, pytestconfig: pytest.Config) -> None:
    """What is created can be read, changed, listed and deleted; what is deleted is gone."""
    live(api, corpus, resource, pytestconfig.option.seed)


def live(api: Api, corpus: Corpus, resource: Resource, seed: int) -> None:
    """Lets Hypothesis find an order of steps that breaks a promise."""

    @seeded(seed)
    class ThisLife(Life):
        @staticmethod
        def records_of() -> Records:
            return Records(api, corpus, resource)

    run_state_machine_as_test(
        ThisLife,
        settings=settings(
            max_examples=corpus.effort.chains,
            stateful_step_count=8,
            derandomize=False,  # the seed decides
            suppress_health_check=list(HealthCheck),
        ),
    )
