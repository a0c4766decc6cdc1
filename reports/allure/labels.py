"""Describes a test for a reader of the Allure report: its place in the report, its title and its description.

Rule: `describe` has no side effect; `add_markers` puts its result on a pytest item at collection, so that a skipped
test, or one whose set-up fails, has its place in the report too. Allure's pytest plugin knows neither a title nor a
stable identity per item: `python -m reports` turns the labels `title` and `node` into both (staging.py).

    entry = describe(
        api="getflow",                      # name of the API; `selftest` for tests of flowproof itself
        section="errors",                   # section of the vendor's document; underscores become spaces
        clauses=[ClauseLabel(id, *contracts.clauses.sentence_and_citation(id)) for id in ids],  # the main one first
        name=item.originalname,             # name of the test function: a fact, shown as a sentence
        node=item.nodeid,                   # what pytest needs to run it again
        doc=item.function.__doc__,          # optional: how it is checked
        operation="GET /tasks",             # optional: stands before the fact
        case="limit above the maximum",     # optional: the case of a parametrized test, behind the fact
    )
    add_markers(item, entry)
"""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True, slots=True)
class ClauseLabel:
    """A clause for a reader: its id, its sentence, and its place in the document ("line 74, stated")."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class AllureEntry:
    """Allure labels as (name, value) pairs in order, and a description in Markdown."""

    labels: tuple[tuple[str, str], ...]
    description: str


def describe(
    api: str,
    section: str,
    clauses: Sequence[ClauseLabel],
    name: str,
    node: str,
    doc: str | None = None,
    operation: str = "",
    case: str = "",
) -> AllureEntry:
    """Describe a test by API, section and clauses; the module's docstring explains the parameters."""
    stories = [story(clause) for clause in clauses] or ["No clause of its own"]
    labels = [
        ("epic", api),
        ("feature", section.replace("_", " ").strip().capitalize() or "Other"),
        *(("story", text) for text in stories),
        ("clauses", " ".join(clause.id for clause in clauses)),
        ("title", title(name, operation, case)),
        ("node", node),
    ]
    return AllureEntry(tuple((name, value) for name, value in labels if value), _description(clauses, doc, node))


def story(clause: ClauseLabel) -> str:
    """The clause as a heading: its id and its sentence without the full stop."""
    return f"{clause.id} · {clause.text.rstrip('. ')}"


def title(name: str, operation: str = "", case: str = "") -> str:
    """A test function's name as a sentence: `test_a_page_is_short` becomes "GET /tasks: a page is short"."""
    fact = name.split("[")[0].removeprefix("test_").replace("_", " ").strip()
    fact = f"{operation}: {fact}" if operation else fact[:1].upper() + fact[1:]
    return f"{fact} ({case})" if case else fact


def add_markers(item: pytest.Item, entry: AllureEntry) -> None:
    """Put labels and description on the item as markers, which Allure's pytest plugin reads."""
    import pytest  # not at the top: the report is made without pytest

    for name, value in entry.labels:
        item.add_marker(pytest.mark.allure_label(value, label_type=name))
    item.add_marker(pytest.mark.allure_description(entry.description))


def _description(clauses: Sequence[ClauseLabel], doc: str | None, node: str) -> str:
    paragraphs = [f"**{clause.id}** {clause.text}  \n*Vendor's document: {clause.source}*" for clause in clauses]
    if doc:
        paragraphs.append(f"**How it is checked:** {inspect.cleandoc(doc)}")
    paragraphs.append(f"Run it again:\n\n```\npytest {shlex.quote(node)}\n```")
    return "\n\n".join(paragraphs)
