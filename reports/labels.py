"""What a reader of the report is told about one test: where it stands, its title, its description.

Rule: `describe` is pure; `mark` puts its answer on a pytest item while tests are collected, so a test whose set-up
fails or that is skipped stands in its place like any other. `python -m reports` turns the labels `title` and `node`
into what Allure shows (reports/staging.py), for Allure's pytest plugin has no title and no lasting identity per item.

    described = describe(
        api="getflow",                      # folder's name; `selftest` for tests of this suite
        section="errors",                   # of the vendor's document; underscores become spaces
        clauses=[Clause(one, *contracts.clauses.says(one)) for one in ids],  # the main one first; may be empty
        name=item.originalname,             # the function's name: a fact, told in words
        node=item.nodeid,                   # what pytest is given to run it again
        doc=item.function.__doc__,          # optional: more to say about how it is checked
        operation="GET /tasks",             # optional: stands before the fact
        case="limit above the maximum",     # optional: which of several parameters; stands behind it
    )
    mark(item, described)
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
class Clause:
    """A promise as a reader is told it: its id, our sentence, and where it stands ("line 74, stated")."""

    id: str
    says: str
    where: str


@dataclass(frozen=True, slots=True)
class Described:
    """Allure labels as (name, value) in order, and a description in Markdown."""

    labels: tuple[tuple[str, str], ...]
    description: str


def describe(
    api: str,
    section: str,
    clauses: Sequence[Clause],
    name: str,
    node: str,
    doc: str | None = None,
    operation: str = "",
    case: str = "",
) -> Described:
    """Where the test stands (API, section, each clause) and what it says; see the module for what to pass."""
    stories = [story(clause) for clause in clauses] or ["No clause of its own"]
    labels = [
        ("epic", api),
        ("feature", section.replace("_", " ").strip().capitalize() or "Other"),
        *(("story", text) for text in stories),
        ("clauses", " ".join(clause.id for clause in clauses)),
        ("title", title(name, operation, case)),
        ("node", node),
    ]
    return Described(tuple((key, value) for key, value in labels if value), _description(clauses, doc, node))


def story(clause: Clause) -> str:
    """The clause as a heading: its id and what it says, without the full stop."""
    return f"{clause.id} · {clause.says.rstrip('. ')}"


def title(name: str, operation: str = "", case: str = "") -> str:
    """A function's name as a sentence: `test_a_page_is_short` of GET /tasks is "GET /tasks: a page is short"."""
    fact = name.split("[")[0].removeprefix("test_").replace("_", " ").strip()
    fact = f"{operation}: {fact}" if operation else fact[:1].upper() + fact[1:]
    return f"{fact} ({case})" if case else fact


def mark(item: pytest.Item, described: Described) -> None:
    """Puts labels and description on the item, where Allure's pytest plugin finds them."""
    import pytest  # here, for the report is made without pytest

    for name, value in described.labels:
        item.add_marker(pytest.mark.allure_label(value, label_type=name))
    item.add_marker(pytest.mark.allure_description(described.description))


def _description(clauses: Sequence[Clause], doc: str | None, node: str) -> str:
    told = [f"**{clause.id}** {clause.says}  \n*Vendor's document: {clause.where}*" for clause in clauses]
    if doc:
        told.append(f"**How it is checked:** {inspect.cleandoc(doc)}")
    told.append(f"Run it again:\n\n```\npytest {shlex.quote(node)}\n```")
    return "\n\n".join(told)
