"""Tests that nothing of one request shows in the response to another one on the same connection.

Parameters, credentials, languages and mistakes of one request are looked for in the next response.
"""

from __future__ import annotations

from itertools import cycle

import pytest

from contracts.exchange import Exchange
from contracts.judge.http_judge import Finding
from contracts.operation import Operation
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, Corpus
from fixtures.target_api import Api, MissingPrecondition
from suites.generic.lasting_effects import finding_about, others_of, probes_of
from suites.reporting.failures import raise_findings

SHOWN = 3  # requests before the one at fault that a reader is shown
OTHERS = {EFFORTS["quick"]: 1, EFFORTS["default"]: 3, EFFORTS["deep"]: 8}  # refused requests, and reads, between


def reason_against(_operation: Operation) -> str:
    """ "": a server could keep something of any request."""
    return ""


def exchanges_before(api: Api, exchange: Exchange) -> list[Exchange]:
    """The exchanges that the test made just before this one, at most SHOWN."""
    exchanges = list(api.exchanges)
    place = next(number for number, known in enumerate(exchanges) if known is exchange)
    return exchanges[max(0, place - SHOWN) : place]


@pytest.mark.bug_kind("leaking state", reason_against=reason_against)
def test_a_request_leaves_nothing_behind(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A request is answered as before, whatever was asked, in vain or by others, meanwhile."""
    probes = probes_of(api, corpus, operation)
    if not probes:
        raise MissingPrecondition(f"no request of {operation} is answered alike twice without changing a record")
    findings: list[tuple[Finding, Case | None]] = []
    before: list[Exchange] = []
    others = corpus.effort.some_of(list(others_of(api, corpus, operation, OTHERS[corpus.effort])), operation.label)
    for probe, (title, send_other) in zip(cycle(probes), others, strict=False):
        finding = finding_about(api, probe, title, send_other)
        if finding:
            findings.append((finding, None))
            before = before or exchanges_before(api, finding.exchange)
    raise_findings(findings, api, before)
