"""Prepares a copy of pytest's results for Allure, in which every test has a title, a stable identity and its place.

Rule: the files that pytest wrote are never changed, and the records say what the page shows: each has a result, with
Allure's own file where there is one. Allure identifies a test over time by its function and the text of its parameters,
which are equal for all operations of a contract or contain addresses that differ in each run; the copy uses pytest's
node id instead. A test is shown once, under its first clause, so that the numbers of the tree add up: a finding under
the clause that it blames. Its description has all clauses.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.clauses import sentence_and_citation
from contracts.yaml_reader import UsageError
from reports import cause_text
from reports.allure.labels import ClauseLabel, story
from reports.results.causes import Cause
from reports.results.records import RunRecords
from reports.results.result_log import BLOCKED, ResultRecord
from reports.results.verdicts import ApiVerdict

MAX_FINDINGS = 3  # of a test that are shown
TAGGED = ("warning", "known")  # outcomes that are tags, since Allure shows them as passed
OBSERVATION = "observation"  # tag of a test that only records what the target does
STATUS = {  # Allure's status, if it is another
    "warning": "passed",
    "known": "passed",
    "inconclusive": "skipped",
    BLOCKED: "skipped",
    "unreachable": "broken",
    "misuse": "broken",
}
STATUS_OF_VERDICT = {"inconclusive": "skipped", "fail": "failed"}
RUN_LABEL = "run"  # label with the id of the run
COMPLETE = "The run is complete"
OUTSIDE = "flowproof"  # epic of what went wrong outside the tests of any API
KEPT_LABELS = frozenset({"severity", "tag", "reading"})
PLAIN_VALUE = re.compile(r"(?!.* at 0x)[^<\n]{1,80}")  # a parameter's value that a reader understands


def stage(
    results: Path,
    staged: Path,
    environment: Mapping[str, str],
    errors: Sequence[str],
    records: RunRecords,
    verdicts: Sequence[ApiVerdict],
) -> None:
    """Fill the new folder `staged`.

    environment: what the head of the report shows. errors: problems that belong to no single test. An API whose verdict
    its tests do not show gets a result that says why.
    """
    staged.mkdir(parents=True)
    written = _results_by_node(results, records.run.run if records.run else None)
    headings = (heading for result in written.values() for heading in labels_of(result).get("story", []))
    stories = {clause_of(heading): heading for heading in headings}
    listed = [[*judged.causes, *(accepted.cause for accepted in judged.accepted)] for judged in verdicts]
    causes = {test: cause for of_api in listed for test, cause in cause_text.by_test(of_api, records.tests).items()}
    for record in records.tests:
        result = written.get(record.node) or _plain_result(record)
        _write(
            staged / f"{result['uuid']}-result.json", staged_result(result, record, stories, causes.get(record.node))
        )
    incomplete = {judged.api: (judged.verdict, judged.reasons) for judged in verdicts if judged.reasons}
    if records.problems or records.misuse:
        incomplete[OUTSIDE] = ("broken" if records.problems else "misuse", (*records.problems, *records.misuse))
    for name, (verdict, reasons) in incomplete.items():
        _write(staged / f"{name}-run-result.json", _run_result(name, verdict, reasons))
    for path in results.iterdir() if results.is_dir() else ():
        # containers are left out: they say which fixtures a test had, which is no evidence and takes much room
        if "-attachment" in path.name and not path.name.endswith(".tmp"):
            _link(path, staged / path.name)
    properties = [f"{_property(name)}={_property(value)}\n" for name, value in environment.items()]
    (staged / "environment.properties").write_text("".join(properties), "utf-8")
    if errors:
        _write(staged / "run-globals.json", {"errors": [{"message": error} for error in errors]})


def _plain_result(record: ResultRecord) -> dict[str, Any]:
    """A result for a record of which Allure has no file."""
    return {"uuid": uuid.uuid5(uuid.NAMESPACE_OID, record.node).hex, "name": record.title, "labels": []}


def _run_result(name: str, verdict: str, reasons: Sequence[str]) -> dict[str, Any]:
    """A result that says why an API, or the run, has a verdict that its tests do not show."""
    identity = f"run of {name}"
    return {
        "uuid": uuid.uuid5(uuid.NAMESPACE_OID, identity).hex,
        "name": COMPLETE,
        "fullName": identity,
        "testCaseId": identity,
        "historyId": uuid.uuid5(uuid.NAMESPACE_OID, identity).hex,
        "status": STATUS_OF_VERDICT.get(verdict, "broken"),
        "statusDetails": {"message": f"{verdict}: {'; '.join(reasons)}"},
        "titlePath": [name, "Run"],
        "labels": [
            {"name": key, "value": value} for key, value in (("epic", name), ("feature", "Run"), ("story", COMPLETE))
        ],
    }


def labels_of(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """Group the labels of an Allure result by name; the values keep the order of the file."""
    labels: dict[str, list[str]] = {}
    for label in result.get("labels") or []:
        labels.setdefault(label["name"], []).append(str(label.get("value", "")))
    return labels


def staged_result(
    result: Mapping[str, Any], record: ResultRecord, stories: Mapping[str, str], cause: Cause | None = None
) -> dict[str, Any]:
    """The result with the title, identity and labels that a reader needs; `stories` maps clause ids to headings.

    cause: the worst that its findings belong to, by which the report groups failures.
    """
    labels = labels_of(result)
    blamed = [stories.get(clause) or _heading(clause) for clause in record.blamed]
    headings = (blamed or labels.get("story", []))[:1]
    feature = labels.get("feature", [_section(record.node)])[:1]
    place = [
        ("epic", record.api),
        *(("feature", text) for text in feature),
        *(("story", text) for text in headings[:1]),
    ]
    kept_labels = [(name, value) for name, values in labels.items() if name in KEPT_LABELS for value in values]
    kept_labels.append(("outcome", record.outcome))
    if cause:
        kept_labels.append(("cause", f"{cause_text.heading(cause)} ({cause_text.how_often(cause)}, {cause.id})"))
    if record.is_observation:
        kept_labels.append(("tag", OBSERVATION))
    if record.outcome in (*TAGGED, BLOCKED):
        kept_labels.append(("tag", record.outcome))
    return {
        **result,
        "name": record.title,
        "fullName": record.node,
        "testCaseId": record.node,
        "status": STATUS.get(record.outcome, record.outcome),
        "statusDetails": _details(result.get("statusDetails") or {}, record),
        "description": _with_blamed(blamed, result.get("description") or ""),
        "titlePath": [record.api, *feature],
        "labels": [{"name": name, "value": value} for name, value in place + kept_labels],
        "parameters": [
            {**parameter, "value": str(parameter["value"]).strip("'"), "excluded": True}
            for parameter in result.get("parameters") or []
            if PLAIN_VALUE.fullmatch(str(parameter.get("value", "")))
        ],
    }


def _heading(clause_id: str) -> str:
    """The clause as a heading with its sentence; the id alone when no readable contract has it."""
    try:
        return story(ClauseLabel(clause_id, *sentence_and_citation(clause_id)))
    except (KeyError, FileNotFoundError, UsageError):
        return clause_id


def _details(details: Mapping[str, Any], record: ResultRecord) -> dict[str, Any]:
    """The details, with the findings as message, else one that begins with the outcome or the clause."""
    if record.findings and record.outcome != BLOCKED:
        return {**details, "message": "\n\n".join(map(cause_text.finding_text, record.findings[:MAX_FINDINGS]))}
    if record.outcome in STATUS:
        return {**details, "message": f"{record.outcome}: {record.message}"}
    message = re.sub(r"^[\w.]*Contract(?:Broken|Violation): ", "", str(details.get("message") or record.message))
    return {**details, "message": message}


def clause_of(heading: str) -> str:
    """The id at the start of a clause's heading."""
    return heading.split(" ", 1)[0]


def _results_by_node(results: Path, run: str | None) -> dict[str, dict[str, Any]]:
    """The Allure results of that run by pytest's node id; those that cannot be read are left out."""
    by_node: dict[str, dict[str, Any]] = {}
    for path in sorted(results.glob("*-result.json")):
        try:
            result = json.loads(path.read_bytes())
            labels = labels_of(result)
            is_ours = run is None or labels.get(RUN_LABEL, [run]) == [run]
            if is_ours and str(result["uuid"]).replace("-", "").isalnum():
                by_node[labels["node"][0]] = result
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            continue
    return by_node


def _with_blamed(blamed: Sequence[str], description: str) -> str:
    """The description below the list of clauses that the finding says are broken."""
    items = "".join(f"- {heading}\n" for heading in blamed)
    return f"**Found broken:**\n\n{items}\n{description}" if items else description


def _section(node: str) -> str:
    """A section for a test without one: the name of its file."""
    file = node.split("::")[0].split("#")[0].replace(".", "/").removesuffix("/py")
    return file.rsplit("/", 1)[-1].removeprefix("test_").replace("_", " ").capitalize() or node


def _property(text: str) -> str:
    """A name or a value of a properties file, with the characters escaped that would end it."""
    return re.sub(r"([\\:=#! ])", r"\\\1", " ".join(text.split()))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8", errors="backslashreplace")
