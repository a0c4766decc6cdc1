"""A load run's verdict as text: a table for a terminal, Markdown for a CI page, JSON and JUnit for machines.

Rule: four forms of the same facts, in the same order; nothing is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from reports.load.result import MS, PERCENTILES
from reports.load.scope import blamed
from reports.load.slo import JOURNEY, Rule
from reports.load.verdict import FAIL, PASS, Judged, Outcome, search_of
from reports.summary import MARKS

MEANS = {
    "pass": "every objective was met",
    "fail": "an objective was missed",
    "broken": "our own part failed, so nothing is sure",
    "inconclusive": "not enough evidence",
    "unreachable": "the target did not answer",
}
HEAD = ("objective", "limit", "measured", "margin", "verdict")


def amount(rule: Rule, value: float) -> str:
    """A value in the unit that people read for that metric."""
    if rule.is_time:
        ms = value / MS
        return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.4g} s"
    return f"{value:.5g} /s" if rule.at_least else f"{value * 100:.3g} %"


def row(one: Outcome) -> tuple[str, str, str, str, str]:
    """An outcome as cells under HEAD."""
    rule = one.rule
    limit = f"{'at least' if rule.at_least else 'at most'} {amount(rule, rule.limit)}"
    measured = "-" if one.measured is None else amount(rule, one.measured)
    margin = "-" if one.margin is None else f"{one.margin:+.0%}"
    return f"{rule.scope} {rule.metric}", limit, measured, margin, one.verdict


def lines(judged: Judged) -> list[str]:
    """The table of objectives with their margins, what is no pass and why, and the verdict in the last line."""
    rows = [HEAD, *map(row, judged.outcomes)]
    wide = [max(len(each[at]) for each in rows) for at in range(len(HEAD))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(each, wide, strict=True)).rstrip() for each in rows]
    told += [f"  {one.rule.scope} {one.rule.metric}: {one.why}" for one in judged.outcomes if one.why]
    told += [f"  {reason}" for reason in judged.reasons]
    told += [f"  {clause} broken {number} times" for clause, number in blamed(judged.run.judged).items()]
    told += search(judged)
    missed = sum(one.verdict == FAIL for one in judged.outcomes)
    return [
        *told,
        f"load: {judged.verdict}: {len(judged.outcomes)} objectives, {missed} missed; {MEANS[judged.verdict]}",
    ]


def search(judged: Judged) -> list[str]:
    """What a search for the highest rate found, in two sentences; nothing for other runs."""
    found = search_of(judged.run)
    if not found:
        return []
    told = [f"highest rate that keeps the objectives: {found['highest']:.4g} journeys/s"]
    if found["missed"] is not None:
        told.append(
            f"at {found['missed']:.4g} journeys/s they are missed: {found['limited_by'] or 'not always by the same'}"
        )
    return told


def markdown(judged: Judged) -> str:
    """A page for CI: the objectives, why it is no plain pass or fail, and the figures of each operation."""
    page = [f"# load: {MARKS[judged.verdict]} {judged.verdict}", "", f"{MEANS[judged.verdict].capitalize()}.", ""]
    page += ["| objective | limit | measured | margin | verdict | |", "|---|--:|--:|--:|---|---|"]
    for one in judged.outcomes:
        told = (*row(one)[:4], f"{MARKS[one.verdict]} {one.verdict}", one.why)
        page.append(f"| {' | '.join(map(_cell, told))} |")
    page += _section("Highest rate", search(judged))
    page += _section("Why the run is no evidence" if judged.verdict != FAIL else "Beside", judged.reasons)
    page += _section("Clauses broken", [f"{clause}: {n} times" for clause, n in blamed(judged.run.judged).items()])
    page += _journeys(judged)
    names = [f"p{percent:g}" for percent in PERCENTILES]
    page += [
        "",
        "## Operations",
        "",
        "Times in ms from when a request was due (corrected); p99 of the service beside it.",
        "",
    ]
    page += [f"| operation | transport | requests | failed | per s | {' | '.join(names)} | max | service p99 |"]
    page += ["|---|---|" + "--:|" * (len(names) + 5)]
    seconds = judged.run.judged_seconds
    for tally in judged.run.judged:
        times = [*tally.corrected.percentiles(PERCENTILES), tally.corrected.max, tally.service.percentile(99)]
        rate = tally.requests / seconds if seconds else 0.0
        cells = (tally.operation, tally.transport, str(tally.requests), str(tally.failed.count), f"{rate:.1f}")
        page.append(f"| {' | '.join(map(_cell, cells))} | {' | '.join(f'{ns / MS:.4g}' for ns in times)} |")
    return "\n".join(page) + "\n"


def _journeys(judged: Judged) -> list[str]:
    """The figures of whole journeys; nothing for a run that has none."""
    played, seconds = judged.run.judged_journeys, judged.run.judged_seconds
    if not played:
        return []
    page = ["", "## Journeys", "", "Times in ms from when a journey was due to its end, if all its answers were good."]
    page += [
        "",
        f"| journey | of | played | failed | per s | {' | '.join(f'p{each:g}' for each in PERCENTILES)} | max |",
    ]
    page += ["|---|---|" + "--:|" * (len(PERCENTILES) + 4)]
    for tally in played:
        rate = tally.requests / seconds if seconds else 0.0
        cells = (tally.operation, tally.transport, str(tally.requests), str(tally.failed.count), f"{rate:.1f}")
        times = [f"{ns / MS:.4g}" for ns in (*tally.corrected.percentiles(PERCENTILES), tally.corrected.max)]
        page.append(f"| {' | '.join(map(_cell, (*cells, *times)))} |")
    return page


def facts(judged: Judged) -> dict[str, Any]:
    """Everything for machines; limits and measures in ms, as shares of 1, and a second."""
    return {
        "verdict": judged.verdict,
        "exit_code": judged.exit_code,
        "run": judged.run.result.name,
        "apis": list(judged.run.apis),
        "seconds": judged.run.result.seconds,
        "judged_seconds": judged.run.judged_seconds,
        "reasons": list(judged.reasons),
        "clauses_broken": blamed(judged.run.judged),
        "search": search_of(judged.run),
        "objectives": [_facts(one) for one in judged.outcomes],
    }


def machine(judged: Judged) -> str:
    """`facts` as JSON."""
    return json.dumps(facts(judged), indent=1, ensure_ascii=False) + "\n"


def junit(judged: Judged) -> str:
    """JUnit's XML: a case for each objective, and one for the run itself. What is no evidence is an error."""
    whole = ElementTree.Element("testsuites", name="flowproof load")
    suite = ElementTree.SubElement(whole, "testsuite", name=f"load {judged.run.result.name}")
    wrong = {FAIL: 0, "error": 0}
    for one in judged.outcomes:
        scope = one.rule.scope
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"load.{scope.api or scope.kind}", name=" ".join(row(one)[:2])
        )
        if one.verdict != PASS:
            kind = "failure" if one.verdict == FAIL else "error"
            wrong[FAIL if one.verdict == FAIL else "error"] += 1
            ElementTree.SubElement(case, kind, type=one.verdict, message=_message(one))
    case = ElementTree.SubElement(
        suite, "testcase", classname="load.run", name="the run is complete and its generator was fit"
    )
    if judged.reasons:
        wrong["error"] += 1
        ElementTree.SubElement(case, "error", type=judged.verdict, message=judged.reasons[0]).text = "\n".join(
            judged.reasons
        )
    counts = {"tests": len(judged.outcomes) + 1, "failures": wrong[FAIL], "errors": wrong["error"]}
    for element in (whole, suite):
        element.attrib.update({name: str(number) for name, number in counts.items()})
    ElementTree.indent(whole)
    return ElementTree.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _message(one: Outcome) -> str:
    _, _, measured, margin, _ = row(one)  # the name has the limit
    return f"measured {measured}, margin {margin}; {one.why}".rstrip("; ")


def _facts(one: Outcome) -> dict[str, Any]:
    rule = one.rule
    scale = MS if rule.is_time else 1
    return {
        "scope": str(rule.scope),
        "api": rule.scope.api,
        "operation": "" if rule.scope.kind == JOURNEY else rule.scope.operation,
        "journey": rule.scope.operation if rule.scope.kind == JOURNEY else "",
        "metric": rule.metric,
        "unit": "ms" if rule.is_time else "a second" if rule.at_least else "share",
        "limit": rule.limit / scale,
        "measured": None if one.measured is None else one.measured / scale,
        "margin": one.margin,
        "verdict": one.verdict,
        "why": one.why,
        "line": rule.line,
    }


def _section(title: str, told: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {_cell(one)}" for one in told)] if told else []


def _cell(text: str) -> str:
    """A text that neither ends a table's cell nor begins a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
