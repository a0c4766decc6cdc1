"""Explains a test that stopped while it read a response: by what the response lacks, not as an error of flowproof.

Rule: a response that breaks its contract is the finding, also where the target responds differently each time. A
member that the document leaves open is no finding: what needs it is not tested. An exception that no response explains
stays an error of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hypothesis.errors import Flaky, HypothesisException

from contracts.asyncapi import Call, load_rpc_contract
from contracts.errors import ContractError, UsageError
from contracts.exchange import Exchange
from contracts.judge.documented_members import is_documented
from contracts.judge.http_judge import Finding, judge_response, media_type_object
from contracts.judge.rpc_judge import judge_envelope
from contracts.openapi import Contract
from contracts.operation import Operation, Schema
from contracts.router import subject_of
from fixtures.target_api import Api, MissingPrecondition
from suites.reporting.failures import ContractViolation, finding_text, violation
from suites.reporting.finding_records import cause_ids
from suites.reporting.outcomes import leaves
from suites.reporting.response_body import MissingMember

STOPPED = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)  # what reading another shape raises
OURS = (ContractError, UsageError)


@dataclass
class MisreadResponses:
    """The findings about shapes that stopped tests of this process: each is raised once, and blocks other tests."""

    _known: set[tuple[str, str, str]] = field(default_factory=set)  # API, clause, what was expected

    def explain(self, api: Api, clauses: Sequence[str], error: Exception) -> Exception | None:
        """What to raise in place of the error that stopped a test of these clauses; None where it stands.

        That is ContractViolation for the first test, and MissingPrecondition for others that the same shape stops.
        """
        causes = leaves(error)
        stopping = next((cause for cause in causes if _is_explainable(cause)), None)
        failures = [cause for cause in causes if isinstance(cause, AssertionError) and cause is not stopping]
        if failures and failures[0] is not error:  # equal requests had other responses, one of which was a failure
            return failures[0]
        if stopping is None:
            return None
        missing = stopping if isinstance(stopping, MissingMember) else None
        finding = next(_findings(api, missing), None)
        if finding is None:
            return self._explain_missing(api, clauses, missing) if missing else None
        return self._once(
            api,
            finding,
            ContractViolation(
                f"{finding_text(finding, api)}\n  therefore  the test stopped: {_short(stopping)}",
                [finding.clause],
                [(finding, None)],
            ),
        )

    def _explain_missing(self, api: Api, clauses: Sequence[str], missing: MissingMember) -> Exception | None:
        place = "/".join(missing.path)
        subject = subject_of(api.contract, api.target.url, missing.exchange)
        schema = _body_schema(subject, missing.exchange)
        if schema is not None and is_documented(_contract_of(api, subject), schema, missing.path):
            return MissingPrecondition(f"{subject}: the response has no /{place}, which the document does not require")
        if not clauses:
            return None
        finding = Finding(clauses[0], f"/{_general(missing.path)} in the response", "none", missing.exchange)
        return self._once(api, finding, violation(api, finding.clause, finding.expected, "none", missing.exchange))

    def _once(self, api: Api, finding: Finding, first: ContractViolation) -> Exception:
        key = (api.target.api, finding.clause, _general(finding.expected.split("/")))
        if key in self._known:
            text = f"blocked by {finding.clause}: expected {finding.expected}"
            return MissingPrecondition(text, blocked_by=cause_ids(api, first))
        self._known.add(key)
        return first


def _is_explainable(error: BaseException) -> bool:
    """Whether a response may have caused the error; Hypothesis raises Flaky where equal requests have other ones."""
    if isinstance(error, HypothesisException):
        return isinstance(error, Flaky)
    return isinstance(error, (MissingMember, *STOPPED)) and not isinstance(error, OURS)


def _short(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def _general(path: Iterable[str]) -> str:
    """A path with `*` for the number of an item: the same member of another item is the same finding."""
    return "/".join("*" if token.isdecimal() else token for token in path)


def _findings(api: Api, missing: MissingMember | None) -> Iterator[Finding]:
    """What the test's responses break: first the one that lacks a member, then the others, the last one first."""
    for exchange in [*([missing.exchange] if missing else ()), *reversed(api.exchanges)]:
        subject = subject_of(api.contract, api.target.url, exchange)
        if isinstance(subject, Operation):
            yield from judge_response(api.contract, subject, exchange)
        elif subject is not None and (rpc := load_rpc_contract(subject.api)):
            yield from judge_envelope(rpc, subject, exchange)


def _body_schema(subject: Operation | Call | None, exchange: Exchange) -> Schema | None:
    """The schema of the response's body, None where the document has none."""
    if isinstance(subject, Call):
        return subject.reply_schema
    documented = subject.response_for(exchange.response.status) if subject else None
    media = media_type_object(documented, exchange.response) if documented else None
    return media.get("schema") if media else None


def _contract_of(api: Api, subject: Operation | Call | None) -> Contract:
    """The document in which the subject is."""
    rpc = load_rpc_contract(api.target.api)
    return rpc.contract if rpc and isinstance(subject, Call) else api.contract
