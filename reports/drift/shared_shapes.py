"""What answers with one status have in common in most operations, such as the envelope of refusals.

Rule: lines are compared as they are written, so that it does not matter how often each operation was seen.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from contracts.behaviour.behaviour import Behaviour
from reports.drift.record_groups import OperationGroup, usual_sightings
from reports.drift.record_lines import SECTIONS, Line, line_of
from reports.drift.sightings import ENOUGH
from reports.drift.usual_media_type import FAMILIES_WITH_OUTCOMES, shortened, usual_media_type
from reports.drift.yaml_text import block, scalar

FILE = "shapes.yaml"
ANY = "any"  # in the place of an answer: what does not depend on it
HEADING = "# What answers of most operations have in common; a file of operations refers to it."
LEAST_GROUPS = 3  # in which a line stands, and most of those that have such answers

Place = tuple[str, str]  # section and place
Shapes = Mapping[str, Mapping[Place, Line]]


def shape_lines(group: OperationGroup) -> dict[str, dict[Place, Line]]:
    """The lines that the operations of a group have in common, by answer; what is unsteady is left out elsewhere than
    in bodies and headers."""
    usual, media = usual_sightings(group), media_type_of(group)
    lines: dict[str, dict[Place, Line]] = defaultdict(dict)
    for (answer, section, place), facts in sorted(group.common.items()):
        if section in SECTIONS:
            lines[answer][section, place] = line_of(section, place, facts, usual.get(answer, ENOUGH))
        for family, fact in facts.items() if section not in SECTIONS else ():
            if isinstance(fact, Behaviour):
                is_outcome = family in FAMILIES_WITH_OUTCOMES
                lines[answer][section, place] = shortened(fact.value, media) if is_outcome else fact.value
    return lines


def media_type_of(group: OperationGroup) -> str:
    """The usual media type of a group's outcomes, "" for none."""
    return usual_media_type(
        fact.value
        for facts in group.common.values()
        for family, fact in facts.items()
        if family in FAMILIES_WITH_OUTCOMES and isinstance(fact, Behaviour)
    )


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


def shapes_text(shapes: Shapes) -> str:
    """The file with these shapes."""
    lines = [HEADING]
    for answer, shape in shapes.items():
        lines.append(f"{scalar(answer or ANY)}:")
        lines += _answer_lines(shape)
    return "\n".join(lines) + "\n"


def _answer_lines(shape: Mapping[Place, Line]) -> Iterator[str]:
    for section in sorted({section for section, _ in shape}):
        places = {place: line for (line_section, place), line in shape.items() if line_section == section}
        yield from block({section: places}, 3, 1)
