"""What answers with one status have in common in most operations, such as the envelope of refusals.

Rule: lines are compared as they are written, so that it does not matter how often each operation was seen.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from contracts.behaviour.behaviour import Behaviour
from reports.drift.behaviour_comparison import is_error
from reports.drift.record_groups import OperationGroup, usual_sightings
from reports.drift.record_lines import ABSENT, SECTIONS, Line, line_of
from reports.drift.sightings import enough
from reports.drift.usual_answers import UsualAnswers
from reports.drift.yaml_text import block, scalar

FILE = "shapes.yaml"
ANY = "any"  # in the place of an answer: what does not depend on it
HEADING = "# What answers of most operations have in common; a file of operations refers to it."
LEAST_GROUPS = 3  # in which a line stands, and most of those that have such answers

MEDIA_TYPE = "media type"  # of outcomes that name none
QUESTIONS = "questions"  # by sort, how most of them are answered
MESSAGES = "messages"  # by outcome
PARTS = ("outcome", "message")  # of the answer to a sort of question
REFUSED = "refused"  # in the place of an answer: what most classes of refusals have

Place = tuple[str, str]  # section and place
Shapes = Mapping[str, Mapping[Place, Line]]


def shape_lines(group: OperationGroup) -> dict[str, dict[Place, Line]]:
    """The lines that the operations of a group have in common, by answer; what is unsteady is left out elsewhere than
    in bodies and headers."""
    usual = usual_sightings(group)
    lines: dict[str, dict[Place, Line]] = defaultdict(dict)
    for (answer, section, place), facts in sorted(group.common.items()):
        if section in SECTIONS:
            lines[answer][section, place] = line_of(section, place, facts, usual.get(answer, enough(answer)))
        for fact in facts.values() if section not in SECTIONS else ():
            if isinstance(fact, Behaviour):
                lines[answer][section, place] = fact.value
    return lines


def shared_shapes(groups: Iterable[OperationGroup]) -> dict[str, dict[Place, Line]]:
    """The lines that most groups with such answers have."""
    counts: dict[str, Counter[tuple[Place, str]]] = defaultdict(Counter)
    numbers: Counter[str] = Counter()
    for group in groups:
        for answer, lines in shape_lines(group).items():
            numbers[answer] += 1
            counts[answer].update((place, json.dumps(line)) for place, line in lines.items())
    shapes = {
        answer: {
            place: json.loads(line)
            for (place, line), count in sorted(counts[answer].items())
            if count >= LEAST_GROUPS and 2 * count > number
        }
        for answer, number in sorted(numbers.items())
    }
    return {answer: lines for answer, lines in shapes.items() if lines}


def inherited(own: Mapping[Place, Line], shape: Mapping[Place, Line]) -> tuple[list[Place], list[Place]]:
    """Which lines need not be written, and which are to be left out; none of either where that saves nothing."""
    same = [place for place in own if shape.get(place) == own[place]]
    lacking = [place for place in shape if place not in own]
    return (same, lacking) if len(same) > len(lacking) + 1 else ([], [])


def shapes_text(shapes: Shapes, usual: UsualAnswers) -> str:
    """The file with the usual answers and these shapes; what most refusals have stands once."""
    lines = [HEADING]
    lines += [f"{MEDIA_TYPE}: {scalar(usual.media)}"] if usual.media else []
    sorts = sorted({*usual.outcomes, *usual.messages})
    questions = {
        sort: {name: it[sort] for name, it in zip(PARTS, (usual.outcomes, usual.messages), strict=True) if sort in it}
        for sort in sorts
    }
    lines += block({QUESTIONS: questions}, 2) if questions else []
    lines += block({MESSAGES: dict(usual.texts)}, 2) if usual.texts else []
    for answer, shape in layered(shapes).items():
        lines.append(f"{scalar(answer or ANY)}:" + ("" if shape else " {}"))
        lines += _answer_lines(shape)
    return "\n".join(lines) + "\n"


def layered(shapes: Shapes) -> dict[str, dict[Place, Line]]:
    """The shapes, with what most classes of refusals have under REFUSED; ABSENT stands where a class has not."""
    refusals = [shape for answer, shape in shapes.items() if is_error(answer)]
    counts = Counter((place, json.dumps(line)) for shape in refusals for place, line in shape.items())
    common = {place: json.loads(line) for (place, line), count in sorted(counts.items()) if 2 * count > len(refusals)}
    if len(refusals) < LEAST_GROUPS or not common:
        return {answer: dict(shape) for answer, shape in shapes.items()}
    layers: dict[str, dict[Place, Line]] = {}
    for answer, shape in shapes.items():
        own: dict[Place, Line] = dict(shape)
        if is_error(answer):
            own = {place: line for place, line in shape.items() if common.get(place) != line}
            own |= {place: ABSENT for place in common if place not in shape}
        layers[answer] = own
    return {**layers, REFUSED: common}


def unlayered(layers: Shapes) -> dict[str, dict[Place, Line]]:
    """The inverse of `layered`."""
    common = layers.get(REFUSED, {})
    shapes: dict[str, dict[Place, Line]] = {}
    for answer, own in layers.items():
        if answer != REFUSED:
            every = {**(common if is_error(answer) else {}), **own}
            shapes[answer] = {place: line for place, line in every.items() if line != ABSENT}
    return shapes


def _answer_lines(shape: Mapping[Place, Line]) -> Iterator[str]:
    for section in sorted({section for section, _ in shape}):
        places = {place: line for (line_section, place), line in shape.items() if line_section == section}
        yield from block({section: places}, 3, 1)
