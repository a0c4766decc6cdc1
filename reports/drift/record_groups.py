"""Groups operations that are forms of the same one, so that a record states once what they have in common.

Rule: the labels alone decide which operations share a file, so that a change of behaviour moves no other line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from contracts.behaviour.behaviour import Address
from reports.drift.record_lines import TITLED, Fact, Facts, section_of
from reports.drift.sightings import COUNTED

VERSION = re.compile(r"/v\d+(?=/|$)")
TRANSPORT = re.compile(r" (?:by|over) .*$")
CALL = re.compile(r"[a-z]\S*/\S* ([A-Z]+)")  # the label of a call by frames, such as inventory/device LIST
RUN = "run"  # the file of facts that belong to no operation
TAKEN = (RUN, "record", "shapes", "times", "accepted")  # names of other files in the folder of a record
OF_QUESTIONS = (*TITLED, "access")  # sections whose places are questions, others of each operation
UNSAFE = re.compile(r"[^\w .,()+={}\[\]-]")  # in a file name on some system

LineKey = tuple[str, str, str]  # answer, section, place
Lines = Mapping[LineKey, Facts]


@dataclass(frozen=True, slots=True)
class OperationGroup:
    """Operations in one file: what they have in common, and by operation what differs; None for what it has not."""

    operations: tuple[str, ...]
    common: Lines
    differing: Mapping[str, Mapping[LineKey, Facts | None]]


def grouped(facts: Mapping[Address, Fact]) -> dict[str, OperationGroup]:
    """The groups of all operations by the name of their file, without its ending."""
    lines: dict[str, dict[LineKey, dict[str, Fact]]] = {}
    for address, fact in facts.items():
        section = section_of(address.family)
        key = (address.answer, section, address.place)
        lines.setdefault(address.operation, {}).setdefault(key, {})[address.family] = fact
    members: dict[str, list[str]] = {}
    for operation in sorted(lines):
        members.setdefault(form_of_label(operation) or operation, []).append(operation)
    names = _file_names(members)
    return {names[form]: _group(members[form], lines) for form in sorted(members)}  # type: ignore[arg-type]


def form_of_label(label: str) -> str:
    """The label without version and transport; of a call its method alone."""
    if call := CALL.fullmatch(label):
        return f"calls {call[1]}"
    return TRANSPORT.sub("", VERSION.sub("", label))


def _group(operations: Sequence[str], lines: Mapping[str, Lines]) -> OperationGroup:
    common: dict[LineKey, Facts] = {}
    for key in sorted({key for operation in operations for key in lines[operation]}):
        facts = _most_common(
            [lines[operation].get(key) for operation in operations], is_question=key[1] in OF_QUESTIONS
        )
        if facts is not None:
            common[key] = facts
    differing: dict[str, dict[LineKey, Facts | None]] = {}
    for operation in operations:
        own = lines[operation]
        keys = sorted({*common, *own})
        if differs := {key: own.get(key) for key in keys if own.get(key) != common.get(key)}:
            differing[operation] = differs
    return OperationGroup(tuple(operations), common, differing)


def _most_common(candidates: Sequence[Facts | None], *, is_question: bool) -> Facts | None:
    """What most of them have, the first of several that are as many; of what is asked nothing, if as many have
    nothing.
    """
    counts = Counter(str(sorted(facts.items())) if facts is not None else "" for facts in candidates)
    ranked = sorted(candidates, key=lambda facts: facts is not None) if is_question else candidates
    return max(ranked, key=lambda facts: counts[str(sorted(facts.items())) if facts is not None else ""])


def _file_names(forms: Iterable[str]) -> dict[str, str]:
    """A name for each form that every system can store, and that no other form has in other case."""
    names = {form: UNSAFE.sub("_", " ".join(form.replace("/", " ").split()))[:100] for form in forms if form}
    counts = Counter([*TAKEN, "", *(name.casefold() for name in names.values())])
    unique = {
        form: name if counts[name.casefold()] == 1 else f"{name} {sha256(form.encode()).hexdigest()[:4]}".lstrip()
        for form, name in names.items()
    }
    return {"": RUN, **unique}


def usual_sightings(group: OperationGroup) -> dict[str, int]:
    """How often most facts of each answer were seen."""
    return sightings_of({"": group.common, **group.differing})


def sightings_of(parts: Mapping[str, Mapping[LineKey, Facts | None]]) -> dict[str, int]:
    """The same of any lines."""
    totals: dict[str, Counter[int]] = {}
    for lines in parts.values():
        for (answer, section, _), facts in lines.items():
            if facts is not None and section in ("body", "headers"):
                counts = totals.setdefault(answer, Counter())
                counts.update(
                    fact.total for family, fact in facts.items() if family in COUNTED and not isinstance(fact, tuple)
                )
    return {answer: max(sorted(counts), key=lambda total: counts[total]) for answer, counts in totals.items() if counts}


def is_titled(section: str) -> bool:
    """Whether the places of that section are titles of questions."""
    return section in TITLED
