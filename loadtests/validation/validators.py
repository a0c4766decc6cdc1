"""Decides which responses are validated, measures what that costs, and keeps an example of each finding.

Rule: `all` validates every response by the contract and by its journey's check; `sample=N` by the contract the first of
each operation, kind of request and status, then every Nth, and all by the check; `status` looks at the status alone.
The mode and the number of validated responses are shown with the results, since a run that validates less proves less.
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from contracts.clauses import sentence_and_citation
from contracts.exchange import Exchange, as_curl, as_text
from contracts.json_text import is_too_deep, require_judgeable
from contracts.judge.http_judge import WAS_REFUSED, Finding, status_clause
from contracts.judge.refusal_judge import may_be_accepted, refusal_rule
from contracts.secret_mask import mask_secrets
from fixtures.pace.retry_after import TOO_MANY_REQUESTS
from loadtests.engine.exchange_types import Request, Response, Validator
from loadtests.validation.http_validator import Check, RequestIntent, Violation, contract_validator, exchange_of
from loadtests.validation.rpc_validator import UNDOCUMENTED_STATUS, CallIntent, call_status_validator, call_validator
from loadtests.validation.violation_causes import CONSEQUENCES, CommandOf, ViolationCauses, no_command
from reports.load.operation_statistics import TURNED_AWAY
from reports.results.finding_record import CREDENTIALS, UNAUTHORIZED, slot_and_kind

MAX_STORED_BODY = 65_536  # bytes of a response's body that a finding stores
MAX_FINDINGS = 100  # that are kept with their exchange
TIMED_INTERVAL = 64  # one validation in so many is timed
FIRST_VALIDATED = 10  # responses of each operation, kind of request and status that a sample contains in any case
LEAVES_NOTHING = (WAS_REFUSED, "incomplete")  # kinds of findings about responses of which a journey can use nothing
MODES = "all, status, or sample=N with N from 2"


@dataclass
class ValidationCost:
    """What validation costs: of `count` responses, `timed_count` took `timed_ns` ns of CPU time together."""

    count: int = 0
    timed_count: int = 0
    timed_ns: int = 0

    @property
    def mean_ns(self) -> float:
        """Mean CPU time (ns) of a validation, 0 when none was timed."""
        return self.timed_ns / self.timed_count if self.timed_count else 0.0

    def share(self, cpu_ns: int) -> float:
        """The share of that CPU time (ns) that validation took, 0 to 1."""
        return min(1.0, self.mean_ns * self.count / cpu_ns) if cpu_ns else 0.0


class SampledCount:
    """Of one operation: how many responses the sample contained, and how many of these were refused."""

    __slots__ = ("refused", "validated")

    def __init__(self) -> None:
        self.validated = self.refused = 0


@dataclass
class Validators:
    """The validators of one process.

    sample_interval: 1 for all responses, 0 for the status alone, otherwise one in so many; secrets: masked in findings.
    secret_variables: the environment variables that hold secrets, by value, from which a finding's command reads them.
    rate_limited: APIs at servers that may limit the rate, which violates no clause; a reference of ours does not.
    sampled: what a sample contained, by the name of the operation in the figures. causes: of the violations.
    """

    sample_interval: int = 1
    secrets: Sequence[str] = ()
    secret_variables: Mapping[str, str] = field(default_factory=dict)
    rate_limited: Collection[str] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cost: ValidationCost = field(default_factory=ValidationCost)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    sampled: dict[str, SampledCount] = field(default_factory=lambda: defaultdict(SampledCount))
    causes: ViolationCauses = field(default_factory=ViolationCauses)
    _validators: dict[tuple[Any, ...], Validator] = field(default_factory=dict)

    def for_request(self, intent: RequestIntent) -> Validator:
        """The validator for such requests; those with the same intent share one, with its table."""
        label, invalid = str(intent.operation), intent.invalid_case
        demand = (intent.may_be_refused, intent.clause)
        key = (label, intent.is_head, demand, str(invalid), repr(invalid and invalid.rules))
        if key not in self._validators:
            status = status_validator(intent, self.environ, self.causes, self._command_of)
            full = contract_validator(intent, partial(self._keep_findings, label), self.environ)
            validator = self._by_rate_limit(intent.contract.api, self._sampled(full, status))
            self._validators[key] = self._timed(validator)
        return self._validators[key]

    def for_call(self, intent: CallIntent) -> Validator:
        """The validator for such calls."""
        label, invalid = str(intent.call), intent.invalid_case
        over_http = intent.operation and intent.operation.label
        key = (label, over_http, intent.clause, str(invalid), repr(invalid and invalid.rules))
        if key not in self._validators:
            full = call_validator(intent, partial(self._keep_findings, label), self.environ)
            status = call_status_validator(intent, self.causes, self._command_of)
            validator = self._by_rate_limit(intent.contract.api, self._sampled(full, status))
            self._validators[key] = self._timed(validator)
        return self._validators[key]

    def _sampled(self, full: Validator, status: Validator) -> Validator:
        if self.sample_interval == 1:
            return full
        return _one_in_n(self.sample_interval, full, status, self.sampled) if self.sample_interval else status

    @property
    def validated(self) -> int:
        """How many responses were validated by their contract."""
        if self.sample_interval == 1:
            return self.cost.count
        return sum(count.validated for count in self.sampled.values())

    def _by_rate_limit(self, api: str, validator: Validator) -> Validator:
        """That validator, to which no response comes with which the API's server limits the rate."""
        if api not in self.rate_limited:
            return validator

        def validate(request: Request, response: Response) -> str | None:
            return TURNED_AWAY if response.status == TOO_MANY_REQUESTS else validator(request, response)

        return validate

    def with_check(self, validator: Validator, label: str, check: Check) -> Validator:
        """That validator, followed by a journey's check. If only the status is validated, the validator alone."""
        if not self.sample_interval:
            return validator

        def both(request: Request, response: Response) -> str | None:
            reason = validator(request, response)
            if reason is not None:
                return reason
            try:
                violation = check(parsed_body(response), response)
            except CONSEQUENCES:
                if not self.causes.has_accepted:
                    raise
                return None  # what the check reads is not there, as is accepted
            return self.keep_violation(label, violation, request, response) if violation else None

        return both

    def keep_violation(self, label: str, violation: Violation, request: Request, response: Response) -> str | None:
        """Keeps the violation that a check has found as a finding, and returns its clause; None if it is accepted."""
        clause, expected, received = violation
        what = f"expected {expected}; received {received}"
        if self.causes.is_accepted(clause, "", "", lambda: what, request.samples.operation):
            return None  # what a check finds depends on the journey: no command of one request shows it
        if (label, clause) not in self.findings:
            self.keep_finding(label, Finding(clause, expected, received, exchange_of(request, response)))
        return clause

    def _keep_findings(self, label: str, findings: Sequence[Finding], response: Response) -> str | None:
        """Keeps the first finding that is not accepted, and returns its clause; None if all are.

        A journey has nothing to go on with when its valid request was refused, or the response is incomplete: it sees
        an error then, also an accepted one.
        """
        counted = [finding for finding in findings if not self._is_accepted(label, finding)]
        if not counted:
            response.error = next((it.clause for it in findings if it.kind in LEAVES_NOTHING), None)
            return None
        self.keep_finding(label, counted[0])
        return counted[0].clause

    def _is_accepted(self, label: str, finding: Finding) -> bool:
        return self.causes.is_accepted(
            finding.clause,
            *slot_and_kind(finding),
            lambda: mask_secrets(f"expected {finding.expected}; received {finding.received}", self.secrets),
            label,
            lambda: self._command(finding.exchange),
        )

    def _command(self, exchange: Exchange) -> str:
        """A shell command that sends the request; "" for a call through an engine, which takes a login first."""
        is_of_engine = exchange.request.url.partition("://")[0] not in ("http", "https", "ws", "wss")
        return "" if is_of_engine else as_curl(exchange, self.secrets, self.secret_variables)

    def _command_of(self, request: Request, response: Response) -> str:
        return self._command(exchange_of(request, response))

    def keep_finding(self, label: str, finding: Finding) -> None:
        """Keeps the first finding of each clause at each operation."""
        if len(self.findings) < MAX_FINDINGS and (label, finding.clause) not in self.findings:
            self.findings[label, finding.clause] = _shortened(finding)

    def finding_texts(self) -> list[str]:
        """The findings for people: clause, expected, received, and the exchange with its secrets masked."""
        shown = sorted(self.findings.items())
        return [finding_text(label, finding, self.secrets, self.secret_variables) for (label, _), finding in shown]

    def _timed(self, validator: Validator) -> Validator:
        cost, clock = self.cost, time.thread_time_ns  # CPU time of this thread: other work on the core does not count

        def timed(request: Request, response: Response) -> str | None:
            cost.count += 1
            if cost.count % TIMED_INTERVAL:
                return validator(request, response)
            began = clock()
            reason = validator(request, response)
            cost.timed_ns += clock() - began
            cost.timed_count += 1
            return reason

        return timed


def _shortened(finding: Finding) -> Finding:
    """The finding with no more of the response's body than can be shown."""
    response = finding.exchange.response
    if len(response.body) <= MAX_STORED_BODY:
        return finding
    shortened = dataclasses.replace(response, body=response.body[:MAX_STORED_BODY])
    return dataclasses.replace(finding, exchange=dataclasses.replace(finding.exchange, response=shortened))


def parse_mode(mode: str) -> int:
    """The value of `--judge` as `Validators.sample_interval`. Raises ValueError, which says what is allowed."""
    if mode in ("all", "status"):
        return int(mode == "all")
    match = re.fullmatch("sample=([0-9]{1,9})", mode)
    if not match or int(match[1]) < 2:
        raise ValueError(f"--judge: expected {MODES}; got {mode!r}")
    return int(match[1])


def status_validator(
    intent: RequestIntent,
    environ: Mapping[str, str],
    causes: ViolationCauses | None = None,
    command_of: CommandOf = no_command,
) -> Validator:
    """A validator that only asks whether the status is documented for such a request, or else accepted by `causes`."""
    violations: dict[int, StatusViolation | None] = {}

    def validate(request: Request, response: Response) -> str | None:
        status = response.status
        if status not in violations:
            violations[status] = _status_violation(intent, status, environ)
        violation = violations[status]
        if violation is None:
            return None
        what, command = f"received status {status}", partial(command_of, request, response)
        if causes is None or not causes.is_accepted(*violation, lambda: what, request.samples.operation, command):
            return violation.clause
        response.error = violation.clause if violation.kind == WAS_REFUSED else None
        return None

    return validate


class StatusViolation(NamedTuple):
    """What a status alone violates, as a finding about it would say."""

    clause: str
    slot: str = ""
    kind: str = ""


def _status_violation(intent: RequestIntent, status: int, environ: Mapping[str, str]) -> StatusViolation | None:
    operation = intent.operation
    if operation.response_for(status) is None:
        return StatusViolation(status_clause(intent.contract, operation), *UNDOCUMENTED_STATUS)
    is_refused = 400 <= status < 600
    if intent.invalid_case is None:
        slot = CREDENTIALS if status in UNAUTHORIZED else ""
        is_violation = is_refused and not intent.may_be_refused
        return StatusViolation(intent.acceptance_clause, slot, WAS_REFUSED) if is_violation else None
    rule = refusal_rule(intent.contract, operation, intent.invalid_case)
    is_in_status = "pointer" not in intent.contract.error_format.get("refused", {})
    if "unstated" in rule or may_be_accepted(rule, environ) or not is_in_status or is_refused:
        return None
    return StatusViolation(intent.clause or str(rule["clause"]))


def _one_in_n(number: int, full: Validator, cheap: Validator, counts: dict[str, SampledCount]) -> Validator:
    """The full validator for the first responses of each status and every Nth, the cheap one for the others."""
    seen: Counter[int] = Counter()

    def sampled(request: Request, response: Response) -> str | None:
        seen[response.status] += 1
        nth = seen[response.status]
        if nth > FIRST_VALIDATED and nth % number:
            return cheap(request, response)
        count = counts[request.samples.operation]
        count.validated += 1
        reason = full(request, response)
        if reason is not None:
            count.refused += 1
        return reason

    return sampled


def parsed_body(response: Response) -> Any:
    """The JSON in the body of a response, parsed once; None when there is none, or one that is nested too deeply."""
    if response.parsed_body is None and response.body and not is_too_deep(response.body):
        try:
            require_judgeable(response.body)
            response.parsed_body = orjson.loads(response.body)
        except ValueError:
            return None
    return response.parsed_body


def finding_text(
    label: str, finding: Finding, secrets: Sequence[str], secret_variables: Mapping[str, str] = MappingProxyType({})
) -> str:
    """A finding for people: clause, operation, citation, expected, received, and the exchange as a curl command."""
    try:
        sentence, citation = sentence_and_citation(finding.clause)
    except KeyError:  # a reason that is no clause
        sentence, citation = "", ""
    head = f"{finding.clause}: {sentence}" if sentence else finding.clause
    command = as_curl(finding.exchange, secrets, secret_variables)
    body = as_text(finding.exchange, secrets).replace("\n", "\n    ")
    return (
        f"{head}\n  operation  {label}\n  document   {citation}\n  expected   {finding.expected}\n"
        f"  received   {finding.received}\n  try it     {command}\n    {body}"
    )
