"""Which answers are judged, what their judging costs, and an example of everything that was found.

Rule: `all` judges every answer by the contract and by what its journey knows; `sample=N` looks at every Nth by the
contract and at all by what the journey knows; `status` looks at the status alone. What was chosen is told beside the
results, since a run that looked less proves less.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.clauses import says
from contracts.exchange import as_curl, as_text
from contracts.judge import Finding
from contracts.refusals import may_accept, rule
from loadtests.engine.call import Answer, Judge, Request
from loadtests.judging import Asked, Broken, Check, exchange_of, judged
from loadtests.rpc_judging import AskedCall, call_by_status, judged_call

MOST = 100  # findings that are kept with their exchange
TIMED = 64  # one judging in so many is timed; a power of two
MODES = "all, status, or sample=N with N from 2"


@dataclass
class Meter:
    """What judging costs: `count` answers, of which `timed` took `ns` nanoseconds of CPU time together."""

    count: int = 0
    timed: int = 0
    ns: int = 0

    @property
    def mean_ns(self) -> float:
        """Nanoseconds an answer, 0 when none was timed."""
        return self.ns / self.timed if self.timed else 0.0

    def share(self, cpu_ns: int) -> float:
        """The part of that CPU time that went into judging, between 0 and 1."""
        return min(1.0, self.mean_ns * self.count / cpu_ns) if cpu_ns else 0.0


@dataclass
class Judges:
    """The judges of one process. `every` is 1 for all answers, 0 for the status alone, else one in so many."""

    every: int = 1
    secrets: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    meter: Meter = field(default_factory=Meter)
    found: dict[tuple[str, str], Finding] = field(default_factory=dict)
    _made: dict[tuple[Any, ...], Judge] = field(default_factory=dict)

    def of(self, asked: Asked) -> Judge:
        """The judge of answers to such requests; requests that mean the same share one, and what it has learnt."""
        label, wrong = asked.operation.label, asked.mutation
        key = (label, asked.is_head, asked.may_be_refused, str(wrong), repr(wrong and wrong.rules))
        if key not in self._made:
            status = by_status(asked, self.environ)
            full = judged(asked, lambda finding: self.tell(label, finding), self.environ)
            self._made[key] = self._timed(self._chosen(full, status))
        return self._made[key]

    def of_call(self, asked: AskedCall) -> Judge:
        """The judge of answers to such calls."""
        label, wrong = asked.call.label, asked.mutation
        key = (label, asked.operation and asked.operation.label, str(wrong), repr(wrong and wrong.rules))
        if key not in self._made:
            full = judged_call(asked, lambda finding: self.tell(label, finding), self.environ)
            self._made[key] = self._timed(self._chosen(full, call_by_status(asked)))
        return self._made[key]

    def _chosen(self, full: Judge, status: Judge) -> Judge:
        return full if self.every == 1 else _one_in(self.every, full, status) if self.every else status

    def checked(self, judge: Judge, label: str, check: Check) -> Judge:
        """That judge, and then what the journey knows of this answer. With the status alone, the judge as it is."""
        if not self.every:
            return judge

        def both(request: Request, answer: Answer) -> str | None:
            reason = judge(request, answer)
            if reason is not None:
                return reason
            broken = check(value_of(answer), answer)
            return self.broken(label, broken, request, answer) if broken else None

        return both

    def broken(self, label: str, broken: Broken, request: Request, answer: Answer) -> str:
        """Keeps what a check found, and gives its reason."""
        clause, expected, received = broken
        if (label, clause) not in self.found:
            self.tell(label, Finding(clause, expected, received, exchange_of(request, answer)))
        return clause

    def tell(self, label: str, finding: Finding) -> None:
        """Keeps the first finding of each clause at each operation."""
        if len(self.found) < MOST:
            self.found.setdefault((label, finding.clause), finding)

    def lines(self) -> list[str]:
        """Every kept finding for people: clause, what was due, what came, and the exchange with its secrets masked."""
        return [told(label, finding, self.secrets) for (label, _), finding in sorted(self.found.items())]

    def _timed(self, judge: Judge) -> Judge:
        meter, clock = self.meter, time.thread_time_ns  # what others take of this core is not its cost

        def timed(request: Request, answer: Answer) -> str | None:
            meter.count += 1
            if meter.count % TIMED:
                return judge(request, answer)
            begun = clock()
            reason = judge(request, answer)
            meter.ns += clock() - begun
            meter.timed += 1
            return reason

        return timed


def every(mode: str) -> int:
    """What `--judge` says, as `Judges.every`. Raises ValueError, which says what is allowed."""
    if mode in ("all", "status"):
        return int(mode == "all")
    match = re.fullmatch("sample=([0-9]{1,9})", mode)
    if not match or int(match[1]) < 2:
        raise ValueError(f"--judge: expected {MODES}; got {mode!r}")
    return int(match[1])


def by_status(asked: Asked, environ: Mapping[str, str]) -> Judge:
    """Whether the status alone is one that the document has for such a request."""
    reasons: dict[int, str | None] = {}

    def judge(_: Request, answer: Answer) -> str | None:
        status = answer.status
        if status not in reasons:
            reasons[status] = _reason(asked, status, environ)
        return reasons[status]

    return judge


def _reason(asked: Asked, status: int, environ: Mapping[str, str]) -> str | None:
    operation = asked.operation
    if operation.response(status) is None:
        return operation.clauses[0]
    is_refused = 400 <= status < 600
    if asked.mutation is None:
        return operation.clauses[0] if is_refused and not asked.may_be_refused else None
    due = rule(asked.contract, operation, asked.mutation)
    in_status = "pointer" not in asked.contract.error.get("refused", {})
    if "unstated" in due or may_accept(due, environ) or not in_status or is_refused:
        return None
    return str(due["clause"])


def _one_in(number: int, full: Judge, cheap: Judge) -> Judge:
    left = number

    def sampled(request: Request, answer: Answer) -> str | None:
        nonlocal left
        left -= 1
        if left:
            return cheap(request, answer)
        left = number
        return full(request, answer)

    return sampled


def value_of(answer: Answer) -> Any:
    """The JSON in an answer's body, parsed once; None when there is none."""
    if answer.value is None and answer.body:
        try:
            answer.value = orjson.loads(answer.body)
        except ValueError:
            return None
    return answer.value


def told(label: str, finding: Finding, secrets: Sequence[str]) -> str:
    """A finding for people."""
    try:
        sentence, where = says(finding.clause)
    except KeyError:  # a reason that is no clause
        sentence, where = "", ""
    head = f"{finding.clause}: {sentence}" if sentence else finding.clause
    body = as_text(finding.exchange, secrets).replace("\n", "\n    ")
    return (
        f"{head}\n  operation  {label}\n  document   {where}\n  expected   {finding.expected}\n"
        f"  received   {finding.received}\n  try it     {as_curl(finding.exchange, secrets)}\n    {body}"
    )
