"""Groups findings into causes: what a vendor has to mend once is one cause, however many tests it breaks.

Rule: findings are one cause when they break the same clause at the same part of a response in the same way, or are the
same discrepancy under several clauses: of one operation and status, at one part of the response. A finding about no
certain part joins the others of its clause. People are told less: what is wrong with the responses of one operation as
a whole is one cause for them, whatever promises it breaks, since one mistake in a list shows wherever the list is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import contracts
from contracts.openapi import load_contract
from reports.results.finding_record import CREDENTIALS, REFUSED, FindingRecord
from reports.results.result_log import ResultRecord

ABOUT_CREDENTIALS = "-AUTH-"  # in the ids of clauses about credentials


FIRST_REFUSAL = 400  # the lowest status of a refusal
NOT_FOUND = 404
REQUIRED = "required"  # the kind of a finding about a member that is missing
MANY_MEMBERS = 3
Place = tuple[str, str, int]  # API, operation, status
Subject = tuple[str, str]  # API, id of an operation


class TestFinding(NamedTuple):
    """A finding, and the test that has it."""

    test: ResultRecord
    finding: FindingRecord


@dataclass(frozen=True, slots=True)
class Cause:
    """What findings have in common.

    id: the same in every run; it has no wording, host or value in it. clause: the broken one. is_warning: whether every
    finding is one. findings: how many there are. tests: node ids. operations: labels of where it shows. clauses: all
    that are blamed for it, the clause first. example: the finding with the shortest exchange. also: the other ids that
    its findings would have alone, as in a smaller run or under load. blocked: node ids of the tests that it kept from
    their subjects.
    """

    id: str
    api: str
    clause: str
    is_warning: bool
    findings: int
    tests: tuple[str, ...]
    operations: tuple[str, ...]
    clauses: tuple[str, ...]
    example: FindingRecord
    also: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Its id, and those that its findings would have alone."""
        return (self.id, *self.also)


def causes_of(tests: Iterable[ResultRecord]) -> list[Cause]:
    """The causes of the findings of these tests as people are told them, the worst first."""
    listed = list(tests)
    return joined([group for _, group in findings_by_cause(listed)], listed)


def findings_by_cause(tests: Iterable[ResultRecord]) -> list[tuple[Cause, list[TestFinding]]]:
    """The causes of the findings of these tests with their findings, the worst first.

    Which tests are blocked and what is accepted is decided by these, of which none is joined with another.
    """
    listed = list(tests)
    findings = [TestFinding(test, finding) for test in listed for finding in test.findings]
    return _causes_with_groups(_groups(findings), listed)


def joined(groups: Sequence[list[TestFinding]], tests: Sequence[ResultRecord]) -> list[Cause]:
    """The causes of these groups, those about one operation's responses as a whole joined, the worst first.

    A request that was refused since its record is not there joins the operation that showed the record's id. So do
    requests to a list that filter by what it shows, if several such filters are broken.
    """
    unreliable = _unreliable_lists(groups)
    subjects = {subject for group in groups if (subject := _operation_as_a_whole(group, unreliable))}
    by_subject: dict[Hashable, list[TestFinding]] = {}
    for number, group in enumerate(_with_other_objects(groups)):
        shown = (_subject(group[0].test.api, it.rpartition(" ")[0]) for it in _missing_values(group))
        key: Hashable = _operation_as_a_whole(group, unreliable) or next((it for it in shown if it in subjects), number)
        by_subject.setdefault(key, []).extend(group)
    return [cause for cause, _ in _causes_with_groups(by_subject.values(), tests)]


def _with_other_objects(groups: Sequence[list[TestFinding]]) -> Iterator[list[TestFinding]]:
    """The groups, those joined that are about members which one object lacks: if there are many, it is another one."""
    lacking: dict[Hashable, list[list[TestFinding]]] = {}
    for group in groups:
        for place in {_object_of(entry) for entry in group} - {()}:
            lacking.setdefault(place, []).append(group)
    joined_groups: list[list[TestFinding]] = []
    for of_object in lacking.values():
        fresh = [group for group in of_object if group not in joined_groups]
        if len(of_object) >= MANY_MEMBERS and len(fresh) == len(of_object):
            joined_groups += fresh
            yield [entry for group in fresh for entry in group]
    yield from (group for group in groups if group not in joined_groups)


def _object_of(entry: TestFinding) -> tuple[str, ...]:
    """The object that lacks the member which the finding is about: API, operation and pointer; () for no such one."""
    test, finding = entry
    if finding.kind != REQUIRED or not finding.slot.startswith("/"):
        return ()
    return test.api, finding.operation, finding.slot.rpartition("/")[0]


def _operation_as_a_whole(group: Sequence[TestFinding], unreliable: Container[Subject]) -> Subject | None:
    """The API and the operation whose served responses are wrong as a whole; None if the group is about another thing.

    What a parameter has to do is a thing of its own, unless it filters what an unreliable list shows.
    """
    example = _cause(group).example
    is_whole = 0 < example.status < FIRST_REFUSAL and not example.slot and example.grade and example.operation
    subject = _subject(group[0].test.api, example.operation)
    is_joined = not _is_of_parameter(example) or (subject in unreliable and bool(_own_members(example)))
    return subject if is_whole and is_joined else None


def _unreliable_lists(groups: Sequence[list[TestFinding]]) -> set[Subject]:
    """The operations of which several parameters do wrong that filter by what their own responses show."""
    broken: dict[Subject, set[str]] = {}
    for group in groups:
        example = _cause(group).example
        is_served = 0 < example.status < FIRST_REFUSAL and not example.slot
        if is_served and _is_of_parameter(example) and _own_members(example):
            broken.setdefault(_subject(group[0].test.api, example.operation), set()).add(example.clause)
    return {subject for subject, clauses in broken.items() if len(clauses) > 1}


def _is_of_parameter(finding: FindingRecord) -> bool:
    return any(finding.clause in it.split() for it in finding.depends_on)


def _own_members(finding: FindingRecord) -> list[str]:
    """The values of the request that the operation itself shows."""
    return [it for it in finding.uses if it.rpartition(" ")[0] == finding.operation]


@cache
def _subject(api: str, label: str) -> Subject:
    """The API and the operation's id, which it has at each of the document's servers; its label where none has it."""
    known = load_contract(api).operations if api in contracts.apis() else {}
    return api, known[label].id if label in known else label


def _missing_values(group: Sequence[TestFinding]) -> tuple[str, ...]:
    """Whose values the group's requests use, if all of them were answered that there is no such record."""
    return group[0].finding.uses if all(entry.finding.status == NOT_FOUND for entry in group) else ()


def _causes_with_groups(
    groups: Iterable[list[TestFinding]], tests: Sequence[ResultRecord]
) -> list[tuple[Cause, list[TestFinding]]]:
    causes = [(_with_blocked(_cause(group), tests), group) for group in groups]
    return sorted(causes, key=lambda entry: _order(*entry))


def _with_blocked(cause: Cause, tests: Iterable[ResultRecord]) -> Cause:
    of_api = [test for test in tests if test.api == cause.api and not test.prerequisite]
    nodes = {test.node for test in of_api if not set(cause.ids).isdisjoint(test.blocked_by)}
    return replace(cause, blocked=tuple(sorted(nodes))) if nodes else cause


def _order(cause: Cause, group: Sequence[TestFinding]) -> tuple[bool, bool, bool, int, bool, str, str]:
    """The worst first: failures, clauses before readings, what the document demands, then what breaks most tests.

    Of two alike, how a wrong request is refused comes after what becomes of a right one.
    """
    is_reading = not cause.example.grade
    is_mild = not any(finding.is_of_the_document for _, finding in group)
    is_of_refusals = all(finding.request and finding.status >= FIRST_REFUSAL for _, finding in group)
    return cause.is_warning, is_reading, is_mild, -len(cause.tests), is_of_refusals, cause.clause, cause.id


def cause_id(api: str, finding: FindingRecord) -> str:
    """The id of the cause that a finding has alone: of API, clause, part of the response and kind of discrepancy.

    That of a refusal which breaks nothing that the document says has the operation in it, too.
    """
    parts = (api, finding.clause, finding.part, finding.kind if finding.slot else "", *_unserved(api, finding))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _groups(findings: Sequence[TestFinding]) -> list[list[TestFinding]]:
    """The findings by cause: two with a key in common are in one group."""
    known = _Known(findings)
    group_of: dict[Hashable, list[TestFinding]] = {}
    keys_of: dict[int, set[Hashable]] = {}
    for entry in findings:
        keys, joined = set(_keys(entry, known)), [entry]
        for group in {id(group_of[key]): group_of[key] for key in keys if key in group_of}.values():
            joined = [*group, *joined]
            keys |= keys_of.pop(id(group))
        group_of |= dict.fromkeys(keys, joined)
        keys_of[id(joined)] = keys
    return list({id(group): group for group in group_of.values()}.values())


class _Known:
    """What some findings say about others.

    first_parts: by API and clause, the key of the first finding about a part of a response, by name. refused: API,
    operation and status of valid requests that were refused. broken_parameters: by API, the clauses of each parameter
    that is broken where no other one is sent of whose clauses there is a finding. founding: API and digest
    of each refusal of something that tests stand on. wrong_values: by API, operation and name of each wrong member of
    a response whose value other requests use.
    """

    def __init__(self, findings: Sequence[TestFinding]) -> None:
        parts: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.refused: set[Place] = set()
        broken = {(test.api, finding.clause) for test, finding in findings}
        self.broken_parameters: set[tuple[str, str]] = set()
        for test, finding in findings:
            if finding.slot:
                parts.setdefault((test.api, finding.clause), []).append((finding.part, finding.kind))
            if finding.kind == REFUSED:
                self.refused.add((test.api, finding.operation, finding.status))
            suspects = [it for it in finding.depends_on if any((test.api, clause) in broken for clause in it.split())]
            if len(suspects) == 1 and finding.clause in suspects[0].split():
                self.broken_parameters.add((test.api, suspects[0]))
        self.founding = {
            (test.api, finding.answer) for test, finding in findings if test.prerequisite and finding.answer
        }
        used = {(test.api, member) for test, finding in findings for member in finding.uses}
        shown = {(test.api, _member(finding)) for test, finding in findings if finding.slot.startswith("/")}
        self.wrong_values = used & shown
        self.first_parts = {clause: (*clause, *min(of_clause)) for clause, of_clause in parts.items()}


def _keys(entry: TestFinding, known: _Known) -> Iterator[Hashable]:
    """What the finding shares with others of its cause."""
    test, finding = entry
    clause, place = (test.api, finding.clause), (test.api, finding.operation, finding.status)
    if (test.api, finding.answer) in known.founding:
        yield test.api, "answer", finding.answer
        if finding.slot not in ("", CREDENTIALS):
            return  # what this refusal lacks; that others lack it as well is another cause
    if finding.slot == CREDENTIALS:
        yield test.api, CREDENTIALS
        return
    if (test.api, _member(finding)) in known.wrong_values:
        yield test.api, "value", _member(finding)
    if finding.kind == REFUSED and finding.status >= FIRST_REFUSAL:
        yield from ((test.api, "value", it) for it in finding.uses if (test.api, it) in known.wrong_values)
    if finding.slot:
        yield (*clause, finding.part, finding.kind)
        yield (*place, finding.slot, finding.received_kind)
        return
    unserved = _unserved(test.api, finding)
    yield (*clause, *unserved) if unserved else known.first_parts.get(clause, clause)
    if place in known.refused and finding.kind in ("", REFUSED) and finding.status >= FIRST_REFUSAL:
        yield (*place, REFUSED)
    for parameter in finding.depends_on:
        if (test.api, parameter) in known.broken_parameters:
            yield test.api, "parameter", parameter


def _unserved(api: str, finding: FindingRecord) -> tuple[str, ...]:
    """The operation of a valid request that was refused, where the document does not say that it is served.

    All such requests break one clause, and have nothing else in common.
    """
    is_refused = finding.kind == REFUSED and not finding.slot and api in contracts.apis()
    is_silent = is_refused and finding.clause in load_contract(api).silent.values()
    return (_subject(api, finding.operation)[1],) if is_silent else ()


def _member(finding: FindingRecord) -> str:
    """The operation and the name of the member that the finding is about."""
    return f"{finding.operation} {finding.part}" if finding.slot.startswith("/") else ""


def _cause(group: Sequence[TestFinding]) -> Cause:
    failing = [entry for entry in group if not entry.finding.is_warning] or list(group)
    clauses = sorted({entry.finding.clause for entry in failing}, key=lambda clause: _rank(clause, failing))
    of_clause = [entry for entry in failing if entry.finding.clause == clauses[0]]
    of_clause = [entry for entry in of_clause if entry.test.prerequisite] or of_clause
    example = min(of_clause, key=_example_order)
    others = sorted({entry.finding.clause for entry in group} - set(clauses))
    identifier = cause_id(example.test.api, example.finding)
    of_tests = [entry for entry in group if not entry.test.prerequisite] or group
    return Cause(
        id=identifier,
        api=example.test.api,
        clause=clauses[0],
        is_warning=example.finding.is_warning,
        findings=len(of_tests),
        tests=tuple(sorted({entry.test.node for entry in of_tests})),
        operations=tuple(sorted({entry.finding.operation for entry in group} - {""})),
        clauses=(*clauses, *others),
        example=example.finding,
        also=tuple(sorted({cause_id(entry.test.api, entry.finding) for entry in group} - {identifier})),
    )


def _rank(clause: str, group: Sequence[TestFinding]) -> tuple[bool, bool, bool, bool, bool, int, int, str]:
    """The place of a clause among those of a cause; a test that checks the clause itself says more than others, and
    what tests stand on says most.
    """
    is_later = not any(test.prerequisite and finding.clause == clause for test, finding in group)
    shown = {_member(finding) for _, finding in group}
    of_clause = [finding for _, finding in group if finding.clause == clause]
    uses_wrong_value = any(shown.intersection(finding.uses) and not _member(finding) for finding in of_clause)
    own = sum(finding.clause == clause and clause in test.clauses for test, finding in group)
    is_about_credentials = any(finding.slot == CREDENTIALS for finding in of_clause)
    is_consequence = not any(_is_about(finding) for finding in of_clause)
    is_mild = not any(finding.is_of_the_document for finding in of_clause)
    is_elsewhere = is_about_credentials and ABOUT_CREDENTIALS not in clause
    return uses_wrong_value, is_later, is_elsewhere, is_mild, is_consequence, -own, -len(of_clause), clause


def _is_about(finding: FindingRecord) -> bool:
    """Whether the request had no parameter but one that the broken clause is about."""
    return not finding.depends_on or (len(finding.depends_on) == 1 and finding.clause in finding.depends_on[0])


def _example_order(entry: TestFinding) -> tuple[bool, str, str, int]:
    """The example is about the first part of a response by name, so that the id of the cause stays the same."""
    finding = entry.finding
    return not finding.slot, finding.part, finding.kind, finding.size
