"""Prepares a copy of pytest's results for Allure, in which every test has a title, a stable identity and its place.

Rule: the files that pytest wrote are never changed. Allure identifies a test over time by its function and the text of
its parameters, which are equal for all operations of a contract or contain addresses that differ in each run; the copy
uses pytest's node id instead. A finding whose message names a clause is shown under that clause.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.clauses import sentence_and_citation
from contracts.yaml_reader import UsageError
from reports.allure.labels import ClauseLabel, story
from reports.results.records import OBSERVATION, SELFTEST, ResultRecord, labels_of, parse_result

KEPT_LABELS = frozenset({"severity", "tag", "reading"})
PLAIN_VALUE = re.compile(r"(?!.* at 0x)[^<\n]{1,80}")  # a parameter's value that a reader understands


def stage(results: Path, staged: Path, environment: Mapping[str, str], errors: Sequence[str]) -> None:
    """Fill the new folder `staged`.

    environment: what the head of the report shows. errors: problems that belong to no single test.
    """
    staged.mkdir(parents=True)
    readable = list(_readable(results))
    stories = {clause_of(heading): heading for result, _ in readable for heading in labels_of(result).get("story", [])}
    for result, record in readable:
        _write(staged / f"{result['uuid']}-result.json", staged_result(result, record, stories))
    for path in results.iterdir():
        is_attachment = "-attachment" in path.name and not path.name.endswith(".tmp")
        if is_attachment or (path.name.endswith("-container.json") and _has_content(path)):
            _link(path, staged / path.name)
    properties = [f"{_property(name)}={_property(value)}\n" for name, value in environment.items()]
    (staged / "environment.properties").write_text("".join(properties), "utf-8")
    if errors:
        _write(staged / "run-globals.json", {"errors": [{"message": error} for error in errors]})


def staged_result(result: Mapping[str, Any], record: ResultRecord, stories: Mapping[str, str]) -> dict[str, Any]:
    """The result with the title, identity and labels that a reader needs; `stories` maps clause ids to headings."""
    labels = labels_of(dict(result))
    blamed = [stories.get(clause) or _heading(clause) for clause in record.blamed]
    headings = blamed or labels.get("story", [])
    feature = labels.get("feature", [_section(record.node)])[:1]
    place = [("epic", record.api), *(("feature", text) for text in feature), *(("story", text) for text in headings)]
    kept_labels = [(name, value) for name, values in labels.items() if name in KEPT_LABELS for value in values]
    if record.is_observation:
        kept_labels.append(("tag", OBSERVATION))
    return {
        **result,
        "name": record.title,
        "fullName": record.node,
        "testCaseId": record.node,
        "statusDetails": _without_class(result.get("statusDetails") or {}),
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


def _without_class(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details, with a message that begins with the clause instead of our exception's class name."""
    message = re.sub(r"^[\w.]*Contract(?:Broken|Violation): ", "", str(details.get("message") or ""))
    return {**details, "message": message}


def clause_of(heading: str) -> str:
    """The id at the start of a clause's heading."""
    return heading.split(" ", 1)[0]


def _readable(results: Path) -> Iterable[tuple[dict[str, Any], ResultRecord]]:
    for path in sorted(results.glob("*-result.json")):
        try:
            result = json.loads(path.read_bytes())
            record = parse_result(result)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # read_records reports it
        if str(result.get("uuid", "")).replace("-", "").isalnum():
            yield result, record


def _with_blamed(blamed: Sequence[str], description: str) -> str:
    """The description below the list of clauses that the finding says are broken."""
    items = "".join(f"- {heading}\n" for heading in blamed)
    return f"**Found broken:**\n\n{items}\n{description}" if items else description


def _section(node: str) -> str:
    """A section for a test without one: the name of its file."""
    file = node.split("::")[0].split("#")[0].replace(".", "/").removesuffix("/py")
    return file.rsplit("/", 1)[-1].removeprefix("test_").replace("_", " ").capitalize() or SELFTEST


def _has_content(container: Path) -> bool:
    """Whether a fixture failed or attached something; a reader has no use for the others."""
    try:
        content = json.loads(container.read_bytes())
        fixtures = [*content.get("befores", []), *content.get("afters", [])]
        return any(
            fixture.get("attachments") or fixture.get("steps") or fixture.get("status", "passed") != "passed"
            for fixture in fixtures
        )
    except (ValueError, AttributeError):
        return False


def _property(text: str) -> str:
    """A name or a value of a properties file, with the characters escaped that would end it."""
    return re.sub(r"([\\:=#! ])", r"\\\1", " ".join(text.split()))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
