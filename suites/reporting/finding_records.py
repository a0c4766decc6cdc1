"""Makes records of the findings that end a test: data for causes and reports, in place of texts.

Rule: secrets are masked here. A bare assertion is a finding about the clause that its test checks; the exchange at
fault is the one that the failed statement used, and only if there is none the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import pytest

from contracts.clauses import clauses, sentence_and_citation
from contracts.exchange import Exchange, as_curl, as_text
from contracts.json_pointer import reference_tokens
from contracts.judge.http_judge import Finding
from contracts.openapi import Contract
from contracts.operation import Operation, Parameter
from contracts.reader.document_lines import line_numbers
from contracts.router import request_values, subject_of
from contracts.secret_mask import mask_secrets
from fixtures.corpus.request_fields import request_fields
from fixtures.target_api import Api
from reports import cause_text
from reports.results.causes import cause_id
from reports.results.finding_record import FindingRecord, refusal_digest, slot_and_kind
from suites.reporting import failed_assertion, pytest_plugin
from suites.reporting.failed_assertion import Comparison
from suites.reporting.failures import ContractViolation, Reported, account_of, grade_of, is_warning
from suites.reporting.reproduction import compared_in, reproduction

COMPARISON = pytest.StashKey[Comparison | None]()  # the last one that failed in the present test
MAX_TEXT = 1_000  # characters of what was expected or received


def of_error(item: pytest.Item, error: BaseException) -> tuple[FindingRecord, ...]:
    """The records of the findings in this error, which blames the target; the one to read first is the first.

    Of several findings about the same part of a response, the one with the shortest exchange counts.
    """
    api, is_strict = pytest_plugin.api_under_test(item), bool(item.config.getini("strict"))
    if isinstance(error, ContractViolation) and error.findings and api:
        smallest = _smallest((record_of(api, reported, is_strict), reported) for reported in error.findings)
        return tuple(_with_script(api, record, reported, error.compared) for record, reported in smallest)
    clause = next(iter(pytest_plugin.blamed_clauses(item, error)), "")
    assertion = failed_assertion.explain(
        error, list(api.exchanges) if api else [], item.config.stash.get(COMPARISON, None)
    )
    expected = assertion.expected or (sentence_and_citation(clause)[0] if clause else "")
    if api is None or assertion.exchange is None:
        is_mild = is_warning([clause] if clause else []) and not is_strict
        texts = _text(api, expected), _text(api, assertion.received)
        return (FindingRecord(clause, *texts, grade_of(clause), is_mild),)
    reported: Reported = (Finding(clause, expected, assertion.received, assertion.exchange), None)
    compared = compared_in(api, assertion.exchange, failed_assertion.held_exchanges(error))
    return (_with_script(api, record_of(api, reported, is_strict), reported, compared),)


def failure_text(item: pytest.Item, error: BaseException) -> str:
    """The text of a failed test: the violated clause, what was expected and received, and a curl line to try it."""
    notes = [str(note) for note in getattr(error, "__notes__", [])]
    if isinstance(error, ContractViolation):
        return "\n".join([str(error), *notes])
    (finding,) = of_error(item, error)
    sentence, citation = sentence_and_citation(finding.clause) if finding.clause else ("", "")
    parts = {
        "document": citation,
        "expected": finding.expected,
        "received": finding.received,
        "account": finding.account,
        "try it": finding.command,
    }
    lines = [f"{finding.clause}: {sentence}"] if finding.clause else []
    lines += cause_text.part_lines(parts)
    api = pytest_plugin.api_under_test(item)
    return mask_secrets("\n".join([*lines, *notes]), api.secrets if api else ())


def note_comparison(config: pytest.Config, operator: str, left: object, right: object) -> None:
    """Notes the two sides of a comparison that failed, which the text of a failure shows."""
    config.stash[COMPARISON] = Comparison(operator, left, right)


def record_of(api: Api, reported: Reported, is_strict: bool) -> FindingRecord:
    """The record of a finding; its command sends the exchange at fault alone."""
    finding, case = reported
    slot, kind = slot_and_kind(finding)
    return FindingRecord(
        clause=finding.clause,
        expected=_text(api, finding.expected),
        received=_text(api, finding.received),
        grade=grade_of(finding.clause),
        is_warning=is_warning([finding.clause] if finding.clause else []) and not is_strict,
        operation=operation_of(api, finding.exchange),
        status=finding.exchange.response.status,
        slot=slot,
        kind=kind,
        received_kind=finding.received_kind,
        answer=refusal_digest(api.contract, finding.exchange),
        request=_text(api, case.title) if case else "",
        uses=used_members(api, finding.exchange),
        depends_on=parameter_clauses(api, finding.exchange),
        account=account_of(finding.exchange, api),
        command=as_curl(finding.exchange, api.secrets, api.secret_variables),
        exchange=as_text(finding.exchange, api.secrets),
    )


def cause_ids(api: Api, error: BaseException) -> tuple[str, ...]:
    """The ids that the causes of these findings have alone; of an error without findings none."""
    findings = [finding for finding, _ in error.findings] if isinstance(error, ContractViolation) else []
    records = [record_of(api, (finding, None), is_strict=False) for finding in findings]
    return tuple(dict.fromkeys(cause_id(api.target.api, record) for record in records))


def operation_of(api: Api, exchange: Exchange) -> str:
    """The label of the operation or call that the exchange belongs to, "" for none."""
    subject = subject_of(api.contract, api.target.url, exchange)
    return subject.label if subject else ""


def used_members(api: Api, exchange: Exchange) -> tuple[str, ...]:
    """For each value that was needed or sent, and that an operation shows, its label and the member's name."""
    operation = subject_of(api.contract, api.target.url, exchange)
    if not isinstance(operation, Operation):
        return ()
    sent = frozenset((place, name) for place, names in request_values(exchange.request).items() for name in names)
    return _used_members(api.contract, operation, sent)


@cache
def _used_members(contract: Contract, operation: Operation, sent: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    fields = [it for it in request_fields(contract, operation) if it.required or (it.location, it.name) in sent]
    sources = [field.value_source or {} for field in fields]
    shown = [source for source in sources if "operation" in source and "pointer" in source]
    labels = [contract.find(source["operation"], operation.server).label for source in shown]
    names = [reference_tokens(source["pointer"])[-1] for source in shown]
    return tuple(sorted({f"{label} {name}" for label, name in zip(labels, names, strict=True)}))


def parameter_clauses(api: Api, exchange: Exchange) -> tuple[str, ...]:
    """For each optional parameter that was sent its clauses: its own, else those of the lines that name it."""
    operation = subject_of(api.contract, api.target.url, exchange)
    if not isinstance(operation, Operation):
        return ()
    sent = request_values(exchange.request)
    optional = [it for it in operation.parameters if not it.required and it.name in sent.get(it.location, {})]
    return tuple(sorted({" ".join(_clauses_of(operation, parameter)) for parameter in optional} - {""}))


def _clauses_of(operation: Operation, parameter: Parameter) -> list[str]:
    if "x-clause" in parameter.schema:
        return [parameter.schema["x-clause"]]
    return bearing_clauses(operation.api, parameter.lines.get("name", ""))


def parameter_clause(operation: Operation, parameter: Parameter) -> str:
    """The clause that a finding about that parameter is reported under: its own, else the operation's first."""
    return next(iter(_clauses_of(operation, parameter)), operation.clauses[0])


@cache
def bearing_clauses(api: str, lines: str) -> list[str]:
    """The clauses that say what stands in these lines of the document, and least else."""
    numbers = line_numbers(lines)
    bearing = {it.id: len(line_numbers(it.line)) for it in clauses(api).values() if numbers <= line_numbers(it.line)}
    return [clause for clause, size in bearing.items() if numbers and size == min(bearing.values())]


def _smallest(records: Iterable[tuple[FindingRecord, Reported]]) -> list[tuple[FindingRecord, Reported]]:
    smallest: dict[tuple[str, ...], tuple[FindingRecord, Reported]] = {}
    for record, reported in records:
        key = (record.clause, record.operation, str(record.status), record.slot, record.kind)
        if key not in smallest or record.size < smallest[key][0].size:
            smallest[key] = record, reported
    return list(smallest.values())


def _with_script(api: Api, record: FindingRecord, reported: Reported, compared: Sequence[Exchange]) -> FindingRecord:
    """The record with the commands that show the finding from nothing."""
    return replace(record, command=reproduction(api, reported[0].exchange, compared))


def _text(api: Api | None, text: str) -> str:
    masked = mask_secrets(text, api.secrets if api else ())
    return masked if len(masked) <= MAX_TEXT else f"{masked[:MAX_TEXT]}…"
