"""Runs the suites' own tests against a reference in this process, and tells what they say.

Rule: what is called here are the test functions that a run calls, no copies of them; only the sockets are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from contracts.document import contract
from fixtures.api import Api, Lacking
from fixtures.corpus import EFFORTS, Corpus
from fixtures.inprocess import InProcess
from fixtures.reference.protocol import Mail
from suites import test_operations, test_records
from suites.blame import ContractBroken
from suites.records import resources

OPERATIONS = (
    test_operations.test_documented_requests,
    test_operations.test_boundary_requests,
    test_operations.test_invalid_requests,
    test_operations.test_credentials,
    test_operations.test_misused_methods,
    test_operations.test_valid_requests,
)


@dataclass(frozen=True)
class Catch:
    """One test that complained: its id as pytest shows it, and the clauses that it blames."""

    test: str
    clauses: tuple[str, ...]
    message: str


class Letters:
    """Holds mails by address; nothing has to be waited for, since they are there before the answer is."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def wait(self, to: str, timeout: float, count: int = 1) -> list[Mail]:  # noqa: ARG002  # all are there
        """The mails for that address."""
        return [mail for mail in self.mails if mail.to.lower() == to.lower()]


def in_process(name: str, faults: tuple[str, ...] = (), variants: tuple[str, ...] = (), seed: int = 0) -> Api:
    """The API at a reference in this process, with its mails."""
    letters = Letters()
    client = InProcess(name, faults, variants, seed, letters.mails.append)
    return Api(client.target, client, letters, run=str(seed))


def hunt(api: Api, effort: str = "default", seed: int = 0) -> Iterator[Catch]:
    """Every test of the conformance suites that complains about this API, in the order of a run."""
    corpus = corpus_of(api.target.api, effort, seed)
    for test in OPERATIONS:
        for operation in contract(api.target.api).operations.values():
            yield from _caught(f"{test.__name__}[{operation}]", partial(test, api, corpus, operation))
    for resource in resources(api.target.api):
        name = f"{test_records.test_records_live_as_promised.__name__}[{resource}]"
        yield from _caught(name, partial(test_records.live, api, corpus, resource, seed))


_CORPORA: dict[tuple[str, str, int], Corpus] = {}


def corpus_of(name: str, effort: str, seed: int) -> Corpus:
    """One corpus for all hunts, so that its cases are made once."""
    return _CORPORA.setdefault((name, effort, seed), Corpus(contract(name), EFFORTS[effort], seed))


def _caught(name: str, test: Callable[[], None]) -> Iterator[Catch]:
    try:
        test()
    except ContractBroken as broken:
        yield Catch(name, broken.clauses, str(broken))
    except (pytest.skip.Exception, Lacking):
        return
