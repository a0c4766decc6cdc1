"""Formats the verdict of a load run as JUnit XML for CI servers: the same facts as `verdict_text`."""

from __future__ import annotations

from xml.etree import ElementTree

from reports.load.failure_table import cause_lines, reason_rows, status_rows
from reports.load.load_verdict import LoadVerdict
from reports.load.objective_outcomes import FAIL, PASS, Outcome
from reports.load.verdict_text import evidence_lines, outcome_cells
from reports.load.violation_text import violation_lines


def junit(judged: LoadVerdict) -> str:
    """JUnit XML with a case for each objective and one for the run itself; what is no evidence is an error."""
    root = ElementTree.Element("testsuites", name="flowproof load")
    suite = ElementTree.SubElement(root, "testsuite", name=f"load {judged.run.result.name}")
    _add_properties(suite, judged)
    failures = errors = 0
    for outcome in judged.outcomes:
        scope = outcome.objective.scope
        name, classname = " ".join(outcome_cells(outcome)[:2]), f"load.{scope.api or scope.kind}"
        case = ElementTree.SubElement(suite, "testcase", classname=classname, name=name)
        if outcome.verdict == FAIL:
            failures += 1
            ElementTree.SubElement(case, "failure", type=outcome.verdict, message=_message(outcome))
        elif outcome.verdict != PASS:
            errors += 1
            ElementTree.SubElement(case, "error", type=outcome.verdict, message=_message(outcome))
    name = "the run is complete and its generator was fit"
    case = ElementTree.SubElement(suite, "testcase", classname="load.run", name=name)
    if judged.reasons:
        errors += 1
        error = ElementTree.SubElement(case, "error", type=judged.verdict, message=judged.reasons[0])
        error.text = "\n".join(judged.reasons)
    counts = {"tests": len(judged.outcomes) + 1, "failures": failures, "errors": errors}
    for element in (root, suite):
        element.attrib.update({key: str(number) for key, number in counts.items()})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_properties(suite: ElementTree.Element, judged: LoadVerdict) -> None:
    operations = judged.run.judged_operations
    facts = [("evidence", line) for line in evidence_lines(judged)]
    facts += [("violation", line.strip()) for line in violation_lines(judged.run)]
    facts += [("cause", line) for line in cause_lines(operations)]
    facts += [(f"status {name}", str(number)) for name, number in status_rows(operations).items()]
    facts += [(f"failed: {reason}", str(number)) for reason, number in reason_rows(operations).items()]
    properties = ElementTree.SubElement(suite, "properties") if facts else suite
    for name, value in facts:
        ElementTree.SubElement(properties, "property", name=name, value=value)


def _message(outcome: Outcome) -> str:
    _, _, measured, margin, _ = outcome_cells(outcome)  # the case's name has the limit
    return "; ".join(part for part in (f"measured {measured}", margin.strip("-"), outcome.why) if part)
