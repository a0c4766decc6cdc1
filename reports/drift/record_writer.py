"""Writes one file of a record: what a group of operations has in common, then what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contracts.behaviour.behaviour import Address, Behaviour
from reports.drift.question_titles import joined
from reports.drift.record_groups import LineKey, OperationGroup, is_titled, sightings_of, usual_sightings
from reports.drift.record_lines import SECTIONS, Facts, Line, line_of
from reports.drift.shared_shapes import ANY as ANY
from reports.drift.shared_shapes import FILE as SHAPES_FILE
from reports.drift.shared_shapes import Shapes, inherited, shape_lines
from reports.drift.sightings import enough, rounded
from reports.drift.usual_answers import UsualAnswers
from reports.drift.yaml_text import block, flow, scalar

MESSAGE = "message"  # of all questions with an outcome, in the place of a sort
NOT_SEEN = "not seen"  # in the place of an answer: the operation has none of it
SHAPE = "shape"  # of an answer: the file that has what is usual for it
ALL = "all"  # in the place of questions: all of that sort
MARK = "# Recorded behaviour; ~ marks what is unsteady and not watched."
Lines = Mapping[LineKey, Facts | None]


def file_text(group: OperationGroup, shapes: Shapes, answers: UsualAnswers) -> str:
    """The file of that group; `shapes` and usual answers stand in a file of their own.

    A block is left out that says no more than that answers of a class have the usual shape.
    """
    usual, implied = usual_sightings(group), implied_sightings(group.operations[0], group.common, answers)
    titles, written = titles_by_sort(group.common), shape_lines(group)
    lines = [MARK, "operations:", *(f"- {scalar(operation)}" for operation in group.operations)]
    for answer in sorted({*usual, *implied, *(key[0] for key in group.common)}):
        same, lacking = inherited(written.get(answer, {}), shapes.get(answer, {}))
        left: dict[LineKey, Facts | None] = {
            key: facts for key, facts in group.common.items() if key[0] == answer and key[1:] not in same
        }
        left |= {(answer, *place): None for place in lacking}
        seen = usual.get(answer, enough(answer))
        if not left and bool(same) == (answer in shapes) and seen == (implied.get(answer) if same else enough(answer)):
            continue  # this is what a reader takes for granted
        if not left and not same and seen == enough(answer):
            lines.append(f"{scalar(answer)}: {{}}")  # such answers have not the usual shape
        else:
            lines += _answer(answer, left, usual, titles, 0, is_inherited=bool(same))
    if group.differing:
        lines.append("differs:")
    for operation, differing in group.differing.items():
        lines.append(f"  {scalar(operation)}:")
        for answer in sorted({key[0] for key in differing}):
            own = {key: facts for key, facts in differing.items() if key[0] == answer}
            if own.keys() == {key for key in group.common if key[0] == answer} and not any(own.values()):
                lines.append(f"    {scalar(answer or ANY)}: {NOT_SEEN}")
                continue
            lines += _differing_answer(answer, own, usual, shapes.get(answer, {}))
    return "\n".join(lines) + "\n"


def _differing_answer(
    answer: str, own: Lines, usual: Mapping[str, int], shape: Mapping[tuple[str, str], Line]
) -> Iterator[str]:
    """The lines of what one operation has otherwise, without those of the usual shape if it has all of them."""
    seen = sightings_of({answer: own}).get(answer, enough(answer))
    written = {key[1:]: line_of(*key[1:], facts, seen) for key, facts in own.items() if facts and key[1] in SECTIONS}
    of_bodies = {place: line for place, line in shape.items() if place[0] in SECTIONS}
    if not answer or not of_bodies or any(written.get(place) != line for place, line in shape.items()):
        yield from _answer(answer, own, usual, {}, 2)
        return
    left = {key: facts for key, facts in own.items() if key[1:] not in shape}
    yield from _answer(answer, left, {answer: seen}, {}, 2, is_inherited=True)


def implied_sightings(operation: str, lines: Lines, answers: UsualAnswers) -> dict[str, int]:
    """How often each class of answers was seen, by the questions that have one: twice for each."""
    numbers: Counter[str] = Counter()
    for (_, section, place), facts in lines.items():
        fact = facts.get(section) if facts and section in ("outcome", "access") else None  # type: ignore[call-overload]
        if isinstance(fact, Behaviour):
            numbers[answers.answer(operation, place, fact.value)] += 2
    return {
        answer: rounded(Address(operation, answer, "kind", ""), Behaviour("", number, number)).total
        for answer, number in numbers.items()
    }


def titles_by_sort(lines: Lines) -> dict[str, list[str]]:
    """The steady questions of a block by sort, sorted: what `all` of them are."""
    titles: dict[str, list[str]] = defaultdict(list)
    for (_, section, place), facts in sorted(lines.items()):
        if section == "outcome" and facts and isinstance(facts.get("outcome"), Behaviour):
            sort, detail = split_title(place)
            titles[sort].append(detail)
    return titles


def split_title(title: str) -> tuple[str, str]:
    """Sort and detail of a question; the sort is "" for a title that is not written so."""
    sort, colon, detail = title.partition(": ")
    return (sort, detail) if colon and sort and detail else ("", title)


def _answer(
    answer: str,
    lines: Lines,
    usual: Mapping[str, int],
    titles: Mapping[str, Sequence[str]],
    depth: int,
    is_inherited: bool = False,
) -> Iterator[str]:
    """The lines of all facts of one answer."""
    sections: dict[str, dict[str, Facts | None]] = defaultdict(dict)
    for (line_answer, section, place), facts in sorted(lines.items()):
        if line_answer == answer:
            sections[section][place] = facts
    seen = usual.get(answer, enough(answer))
    messages = _common_messages(sections) if titles else {}
    yield f"{'  ' * depth}{scalar(answer or ANY)}:"
    inner = "  " * (depth + 1)
    if (depth == 0 and seen != enough(answer)) or (depth and is_inherited):
        yield f"{inner}seen: {seen}"
    if is_inherited:
        yield f"{inner}{SHAPE}: {SHAPES_FILE}"
    for section, places in sorted(sections.items()):
        for name, value in _section(section, places, seen, titles, messages).items():
            yield from block({name: value}, depth + (5 if is_titled(name) else 3), depth + 1)
    missing = {section: gone for section, places in sorted(sections.items()) if (gone := _missing(places))}
    if missing:
        yield f"{'  ' * (depth + 1)}without: {flow(missing)}"


def _common_messages(sections: dict[str, dict[str, Facts | None]]) -> dict[str, str]:
    """By outcome the message of all its questions, if they have one message; it is taken out of the sections."""
    titles: dict[str, list[str]] = defaultdict(list)
    for title, facts in sections.get("outcome", {}).items():
        if facts and isinstance(fact := facts.get("outcome"), Behaviour):
            titles[fact.value].append(title)
    known = sections.get("message", {})
    messages: dict[str, str] = {}
    for value, own in titles.items():
        facts_of_all = [(known.get(title) or {}).get("message") for title in own]
        first = facts_of_all[0]
        if isinstance(first, Behaviour) and all(fact == first for fact in facts_of_all):
            messages[value] = first.value
            for title in own:
                del known[title]
    return messages


def _missing(places: Mapping[str, Facts | None]) -> list[str]:
    return [place for place, facts in places.items() if facts is None]


def _section(
    section: str,
    places: Mapping[str, Facts | None],
    seen: int,
    titles: Mapping[str, Sequence[str]],
    messages: Mapping[str, str],
) -> dict[str, Any]:
    """The facts of a section; of a section of titles those that are unsteady in one of their own."""
    present = {place: facts for place, facts in places.items() if facts is not None}
    if section in SECTIONS:
        lines = {place: line_of(section, place, facts, seen) for place, facts in present.items()}
        return {section: lines} if lines else {}
    steady = {place: fact.value for place, facts in present.items() for fact in facts.values()
              if isinstance(fact, Behaviour)}  # fmt: skip
    unsteady = {place: list(fact) for place, facts in present.items() for fact in facts.values()
                if isinstance(fact, tuple)}  # fmt: skip
    written: Mapping[str, Any] = steady
    if section == "outcome":
        written = {value: {**({MESSAGE: messages[value]} if value in messages else {}), **sorts}
                   for value, sorts in _by_value(steady, {}).items()}  # fmt: skip
    elif is_titled(section):
        written = _by_value(steady, titles)
    return {name: value for name, value in ((section, written), (f"{section}~", unsteady)) if value}


def _by_value(values: Mapping[str, str], titles: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Values with the titles that have them, by sort."""
    sorts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for title, value in sorted(values.items()):
        sort, detail = split_title(title)
        sorts[value][sort].append(detail)
    return {
        value: {
            sort: ALL if len(details) > 1 and sorted(titles.get(sort, ())) == sorted(details) else joined(details)
            for sort, details in sorted(of_value.items())
        }
        for value, of_value in sorted(sorts.items())
    }
