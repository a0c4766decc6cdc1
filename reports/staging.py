"""The results as Allure is given them: a copy in which every test has its title, its identity and its place.

Rule: what pytest wrote is never changed. Allure takes a test's identity over time from its function and the text of its
parameters, which are the same for all operations of a contract, or hold addresses that differ in each run; here it is
pytest's node id. A finding that names a clause in its message stands under that clause.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from contracts.clauses import says
from reports.labels import Clause, story
from reports.records import OWN, Record, labels_of, parse

KEPT = frozenset({"severity", "tag", "reading"})
PLAIN = re.compile(r"(?!.* at 0x)[^<\n]{1,80}")  # a parameter's value that a reader can use


def stage(results: Path, staged: Path, environment: Mapping[str, str], errors: Sequence[str]) -> None:
    """Fills the new folder `staged`; `environment` stands at the head of the report, `errors` beside the tests."""
    staged.mkdir(parents=True)
    found = list(_readable(results))
    stories = {clause_of(text): text for result, _ in found for text in labels_of(result).get("story", [])}
    for result, record in found:
        _write(staged / f"{result['uuid']}-result.json", repaired(result, record, stories))
    for path in results.iterdir():
        attached = "-attachment" in path.name and not path.name.endswith(".tmp")
        if attached or (path.name.endswith("-container.json") and _says_something(path)):
            _link(path, staged / path.name)
    properties = [f"{_property(name)}={_property(value)}\n" for name, value in environment.items()]
    (staged / "environment.properties").write_text("".join(properties), "utf-8")
    if errors:
        _write(staged / "run-globals.json", {"errors": [{"message": error} for error in errors]})


def repaired(result: Mapping[str, Any], record: Record, stories: Mapping[str, str]) -> dict[str, Any]:
    """The result with the title, identity and labels that a reader needs; `stories` has the heading of each clause."""
    labels = labels_of(dict(result))
    blamed = [stories.get(clause) or _heading(clause) for clause in record.blamed]
    headings = blamed or labels.get("story", [])
    feature = labels.get("feature", [_section(record.node)])[:1]
    place = [("epic", record.api), *(("feature", text) for text in feature), *(("story", text) for text in headings)]
    kept = [(name, value) for name, values in labels.items() if name in KEPT for value in values]
    return {
        **result,
        "name": record.title,
        "fullName": record.node,
        "testCaseId": record.node,
        "statusDetails": _without_class(result.get("statusDetails") or {}),
        "description": _told_first(blamed, result.get("description") or ""),
        "titlePath": [record.api, *feature],
        "labels": [{"name": name, "value": value} for name, value in place + kept],
        "parameters": [
            {**one, "value": str(one["value"]).strip("'"), "excluded": True}
            for one in result.get("parameters") or []
            if PLAIN.fullmatch(str(one.get("value", "")))
        ],
    }


def _heading(identifier: str) -> str:
    """The clause as a heading, by its contract; the id alone when no contract has it."""
    try:
        return story(Clause(identifier, *says(identifier)))
    except (KeyError, FileNotFoundError):
        return identifier


def _without_class(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with a message that begins with the clause, and not with the name of a class of ours."""
    return {**details, "message": re.sub(r"^[\w.]*ContractBroken: ", "", str(details.get("message") or ""))}


def clause_of(heading: str) -> str:
    """The id that a clause's heading begins with."""
    return heading.split(" ", 1)[0]


def _readable(results: Path) -> Iterable[tuple[dict[str, Any], Record]]:
    for path in sorted(results.glob("*-result.json")):
        try:
            result = json.loads(path.read_bytes())
            record = parse(result)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue  # told by records.read
        if str(result.get("uuid", "")).replace("-", "").isalnum():
            yield result, record


def _told_first(blamed: Sequence[str], description: str) -> str:
    """The description, below the promises that the finding says are broken."""
    listed = "".join(f"- {heading}\n" for heading in blamed)
    return f"**Found broken:**\n\n{listed}\n{description}" if listed else description


def _section(node: str) -> str:
    """A section for a test that has none: the name of its file."""
    file = node.split("::")[0].split("#")[0].replace(".", "/").removesuffix("/py")
    return file.rsplit("/", 1)[-1].removeprefix("test_").replace("_", " ").capitalize() or OWN


def _says_something(container: Path) -> bool:
    """Whether a fixture failed or attached something; the others are noise to a reader."""
    try:
        fixtures = json.loads(container.read_bytes())
        both = [*fixtures.get("befores", []), *fixtures.get("afters", [])]
        told = [one for one in both if one.get("attachments") or one.get("steps")]
        return bool(told) or any(one.get("status", "passed") != "passed" for one in both)
    except (ValueError, AttributeError):
        return False


def _property(text: str) -> str:
    """A name or a value of a properties file, with what would end it escaped."""
    return re.sub(r"([\\:=#! ])", r"\\\1", " ".join(text.split()))


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
