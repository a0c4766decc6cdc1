"""Tests sequences of create, read, update, list and delete on every resource, chosen by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from fixtures.corpus import Corpus
from fixtures.resources import Resource, resources
from fixtures.target_api import Api
from suites.generic.stateful import NotDemanded, Records

MIN_CHAINS = 2


class RecordStateMachine(RuleBasedStateMachine):
    """Steps in any order on one resource; a subclass gives the resource by `records_of`."""

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
        with suppress(NotDemanded):
            self.records.create(cases[number % len(cases)])

    @precondition(lambda self: self.records.live and self.records.supports("read"))
    @rule(number=st.integers(0, 9))
    def read(self, number: int) -> None:
        self.records.read(_choose(self.records.live, number))

    @precondition(lambda self: self.records.live and self.records.supports("update"))
    @rule(number=st.integers(0, 9), change=st.integers(0, 999))
    def update(self, number: int, change: int) -> None:
        cases = self.records.cases("update")
        with suppress(NotDemanded):
            self.records.update(_choose(self.records.live, number), cases[change % len(cases)])

    @precondition(lambda self: self.records.live and self.records.supports("delete"))
    @rule(number=st.integers(0, 9))
    def delete(self, number: int) -> None:
        self.records.delete(_choose(self.records.live, number))

    @precondition(lambda self: self.records.live and self.records.supports("list"))
    @rule()
    def list_all(self) -> None:
        self.records.list()

    @precondition(lambda self: self.records.deleted)
    @rule(number=st.integers(0, 9), what=st.sampled_from(["read", "update", "delete"]))
    def use_after_delete(self, number: int, what: str) -> None:
        if self.records.supports(what):
            self.records.check_deleted(what, _choose(self.records.deleted, number))


def _choose(identifiers: Iterable[Any], number: int) -> Any:
    """The identifier that the number stands for."""
    choices = list(identifiers)
    return choices[number % len(choices)]


def test_records_live_as_promised(api: Api, corpus: Corpus, resource: Resource, pytestconfig: pytest.Config) -> None:
    """What is created can be read, changed, listed and deleted; what is deleted is gone."""
    run_state_machine(api, corpus, resource, pytestconfig.option.seed)


def _chains(corpus: Corpus, resource: Resource) -> int:
    """How many sequences of steps are tried; servers that have the same resource share them."""
    same = [it for it in resources(resource.api) if it.name == resource.name]
    return max(MIN_CHAINS, corpus.effort.chains // (len(same) if corpus.effort.takes_turns else 1))


def run_state_machine(api: Api, corpus: Corpus, resource: Resource, seed: int) -> None:
    """Lets Hypothesis search for an order of steps that breaks a promise."""

    @seeded(seed)
    class BoundStateMachine(RecordStateMachine):
        @staticmethod
        def records_of() -> Records:
            return Records(api, corpus, resource)

    run_state_machine_as_test(
        BoundStateMachine,
        settings=settings(
            max_examples=_chains(corpus, resource),
            stateful_step_count=8,
            derandomize=False,  # the seed decides
            suppress_health_check=list(HealthCheck),
        ),
    )
