"""Every operation of every contract: documented, at its edges, generated, and broken in one way each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.operation import Operation
from fixtures.api import Api
from fixtures.corpus import Corpus
from fixtures.corpus.mutations import mutated
from suites.blame import blame
from suites.conformance import accepted, findings, refused_as_documented


def test_documented_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """The document's own examples are accepted and answered as documented."""
    blame(findings(api, operation, corpus.examples(operation), accepted), api.secrets)


def test_boundary_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one value at the edge of what is allowed are accepted and answered as documented."""
    blame(findings(api, operation, corpus.boundaries(operation), accepted), api.secrets)


def test_valid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Generated requests that keep the contract are accepted and answered as documented."""
    blame(findings(api, operation, corpus.valid(operation), accepted), api.secrets)


def test_invalid_requests(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Requests with one thing wrong are refused with the status, code and attribute that it calls for."""
    cases = [case for case in mutated(corpus, operation) if case.mutation and not _about_access(case.mutation.kind)]
    blame(findings(api, operation, cases, refused_as_documented), api.secrets)


def test_credentials(api: Api, corpus: Corpus, operation: Operation) -> None:
    """Without credentials, and with wrong or empty ones, nothing is served; each documented way in works alone."""
    cases = [case for case in mutated(corpus, operation) if case.mutation and "credentials" in case.mutation.kind]
    if not cases:
        pytest.skip("open to everybody")
    schemes = sorted({name for alternative in operation.security for name in alternative})
    ways = [replace(corpus.base(operation), scheme=name, title=f"with {name} alone") for name in schemes]
    found = findings(api, operation, ways, accepted)
    blame(found + findings(api, operation, cases, refused_as_documented), api.secrets)


def test_misused_methods(api: Api, corpus: Corpus, operation: Operation) -> None:
    """A method that the document does not give to a path is refused."""
    if not api.target.writes:
        pytest.skip(api.target.refusal())
    cases = [case for case in mutated(corpus, operation) if case.mutation and case.mutation.kind == "unknown_method"]
    blame(findings(api, operation, cases, refused_as_documented), api.secrets)


def _about_access(kind: str) -> bool:
    return "credentials" in kind or kind == "unknown_method"
