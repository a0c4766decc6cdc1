"""What answers with one status have in common in most operations, such as the envelope of refusals.

Rule: lines are compared as they are written, so that it does not matter how often each operation was seen.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from reports.drift.record_groups import OperationGroup, usual_sightings
from reports.drift.record_lines import SECTIONS, Line, line_of
from reports.drift.sightings import ENOUGH
from reports.drift.yaml_text import block, scalar

FILE = "shapes.yaml"
HEADING = "# What answers of most operations have in common; a file of operations refers to it."
LEAST_GROUPS = 3  # in which a line stands, and most of those that have such answers

Place = tuple[str, str]  # section and place
Shapes = Mapping[str, Mapping[Place, Line]]


def shape_lines(group: OperationGroup) -> dict[str, dict[Place, Line]]:
    """The lines about bodies and headers that the operations of a group have in common, by answer."""
    usual = usual_sightings(group)
    lines: dict[str, dict[Place, Line]] = defaultdict(dict)
    for (answer, section, place), facts in sorted(group.common.items()):
        if section in SECTIONS:
            lines[answer][section, place] = line_of(section, place, facts, usual.get(answer, ENOUGH))
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


def shapes_text(shapes: Shapes) -> str:
    """The file with these shapes."""
    lines = [HEADING]
    for answer, shape in shapes.items():
        lines.append(f"{scalar(answer)}:")
        lines += _answer_lines(shape)
    return "\n".join(lines) + "\n"


def _answer_lines(shape: Mapping[Place, Line]) -> Iterator[str]:
    for section in sorted({section for section, _ in shape}):
        places = {place: line for (line_section, place), line in shape.items() if line_section == section}
        yield from block({section: places}, 3, 1)
