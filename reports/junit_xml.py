"""Formats a pytest run as JUnit XML for CI servers: a suite for each API, and one for the run itself.

Rule: what failed is a failure, with its cause as text; what says nothing about the API is an error whose type is the
outcome, so that no run without a pass looks like one. What a failure blocks is skipped, and names it. A warning, and
what is known, is text beside a case that passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from reports import cause_text
from reports.results.accepted_causes import AcceptedCause
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import BLOCKED, NOT_JUDGED_OUTCOMES, ResultRecord
from reports.results.verdicts import EXIT_CODES, ApiVerdict

CASE_ELEMENTS = {
    **dict.fromkeys(NOT_JUDGED_OUTCOMES, "error"),
    "failed": "failure",
    "skipped": "skipped",
    BLOCKED: "skipped",
}
PASSED_WITH_TEXT = ("warning", "known")  # outcomes of cases that passed and have a text
FORBIDDEN = {code: "\ufffd" for code in range(0x20) if chr(code) not in "\t\n"}  # in no XML document
COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(verdicts: Sequence[ApiVerdict], records: RunRecords, verdict: str, loads: Mapping[str, str]) -> str:
    """The run as JUnit XML. verdict: of everything together; loads: verdicts of the load runs that count, by name."""
    root = ElementTree.Element("testsuites", name="flowproof")
    for judged in verdicts:
        suite = _suite(root, judged.api, judged.verdict, judged.causes, judged.accepted)
        causes = cause_text.by_test(_all_causes(judged), records.tests)
        for test in records.tests:
            if test.api == judged.api:
                _add_case(suite, test, causes.get(test.node))
        _add_run_case(suite, "the run is complete", judged.verdict, judged.reasons)
        if judged.vanished:
            is_failure = bool(records.run and records.run.is_strict)
            lines = [cause_text.vanished_line(entry) for entry in judged.vanished]
            _add_run_case(suite, "what is accepted was found", "fail", lines if is_failure else [])
    suite = _suite(root, "run", verdict)
    _add_run_case(suite, "nothing failed outside the tests", verdict, records.outside_lines)
    for name, load in loads.items():
        _add_run_case(suite, f"load {name}", load, [] if load == "pass" else [load])
    for element in (*root, root):
        counts = {key: str(sum(1 for _ in element.iter(kind))) for key, kind in COUNTS.items()}
        element.attrib.update(counts)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _all_causes(judged: ApiVerdict) -> list[Cause]:
    return [*judged.causes, *(accepted.cause for accepted in judged.accepted)]


def _suite(
    root: ElementTree.Element,
    name: str,
    verdict: str,
    causes: Sequence[Cause] = (),
    accepted: Sequence[AcceptedCause] = (),
) -> ElementTree.Element:
    suite = ElementTree.SubElement(root, "testsuite", name=name)
    properties = ElementTree.SubElement(suite, "properties")
    listed = [(f"cause {cause.id}", f"{cause_text.heading(cause)} {cause_text.how_often(cause)}") for cause in causes]
    listed += [(f"accepted {it.cause.id}", cause_text.accepted_line(it)) for it in accepted]
    for key, value in (("verdict", verdict), ("exit_code", str(EXIT_CODES[verdict])), *listed):
        ElementTree.SubElement(properties, "property", name=key, value=_text(value))
    return suite


def _add_case(suite: ElementTree.Element, test: ResultRecord, cause: Cause | None) -> None:
    text = _text("\n".join(cause_text.cause_lines(cause))) if cause else None
    case = ElementTree.SubElement(
        suite, "testcase", classname=test.api, name=_text(test.node), time=f"{test.seconds:.3f}"
    )
    listed = [("clause", clause) for clause in test.clauses]
    listed += [("blamed", clause) for clause in test.blamed] + ([("cause", cause.id)] if cause else [])
    if listed:
        properties = ElementTree.SubElement(case, "properties")
        for name, value in listed:
            ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    if kind := CASE_ELEMENTS.get(test.outcome):
        ElementTree.SubElement(case, kind, type=test.outcome, message=_text(test.message)).text = text
    elif test.outcome in PASSED_WITH_TEXT:
        ElementTree.SubElement(case, "system-out").text = text or _text(f"{test.outcome}: {test.message}")


def _add_run_case(suite: ElementTree.Element, name: str, verdict: str, reasons: Sequence[str]) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=str(suite.get("name")), name=name)
    if reasons:
        kind = "failure" if verdict == "fail" else "error"
        ElementTree.SubElement(case, kind, type=verdict, message=_text("; ".join(reasons)))


def _text(text: str) -> str:
    """The text without the characters that no XML document may have."""
    return text.translate(FORBIDDEN)
