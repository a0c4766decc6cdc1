"""Reads one file of a record strictly: what is not understood is an error with file, line and what was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from contracts.behaviour.behaviour import FAMILIES, Address, Behaviour, Family
from contracts.yaml_reader import UsageError, YamlReader
from reports.drift.question_titles import separated
from reports.drift.record_groups import LineKey, is_titled
from reports.drift.record_lines import SECTIONS, Fact, FormatError, Line, facts_of, section_of
from reports.drift.record_writer import ALL, ANY, MESSAGE, NOT_SEEN, SHAPE, implied_sightings, titles_by_sort
from reports.drift.shared_shapes import FILE as SHAPES_FILE
from reports.drift.shared_shapes import MEDIA_TYPE, MESSAGES, PARTS, QUESTIONS, Shapes, unlayered
from reports.drift.sightings import enough, rounded
from reports.drift.usual_answers import UsualAnswers

OPTION = "--observed"
PLAIN: tuple[Family, ...] = tuple(family for family in FAMILIES if section_of(family) == family)
Lines = dict[LineKey, dict[Family, Fact] | None]


def read_operations(path: Path, shapes: Shapes, answers: UsualAnswers) -> dict[Address, Fact]:
    """All facts in that file by address, as they are written; `shapes` and `answers` are what it refers to.

    Raises UsageError.
    """
    return _FileReader(path, shapes, answers).facts()


def read_shapes(path: Path) -> tuple[Shapes, UsualAnswers]:
    """The shapes and usual answers in that file, none without it. Raises UsageError."""
    return _FileReader(path, {}, UsualAnswers()).shapes_of_file() if path.is_file() else ({}, UsualAnswers())


class _FileReader:
    """One file, and how often the facts of each answer were usually seen."""

    def __init__(self, path: Path, shapes: Shapes, answers: UsualAnswers) -> None:
        self.shapes, self.answers = shapes, answers
        self.yaml = YamlReader(path, OPTION)
        self.usual: dict[str, int] = {}

    def shapes_of_file(self) -> tuple[Shapes, UsualAnswers]:
        """The lines of a file with shapes, by answer, and its usual answers."""
        top = self.yaml.mapping(self.yaml.root)
        media = self.yaml.text(top.pop(MEDIA_TYPE)) if MEDIA_TYPE in top else ""
        questions = self.yaml.mapping(top.pop(QUESTIONS)) if QUESTIONS in top else {}
        parts = {sort: self.yaml.mapping(node, PARTS) for sort, node in questions.items()}
        outcomes, messages = (
            {sort: self.yaml.scalar(nodes[name]) for sort, nodes in parts.items() if name in nodes} for name in PARTS
        )
        of_outcomes = self.yaml.mapping(top.pop(MESSAGES)) if MESSAGES in top else {}
        texts = {outcome: self.yaml.scalar(node) for outcome, node in of_outcomes.items()}
        layers = {
            "" if answer == ANY else answer: {
                (section, place): self._line(line)
                for section, places in self.yaml.mapping(node, (*SECTIONS, *PLAIN)).items()
                for place, line in self.yaml.mapping(places).items()
            }
            for answer, node in top.items()
        }
        return unlayered(layers), UsualAnswers(media, outcomes, messages, texts)

    def facts(self) -> dict[Address, Fact]:
        """What each of the operations has: the common facts, unless its own differ."""
        top = self.yaml.mapping(self.yaml.root)
        if "operations" not in top:
            raise UsageError(f"{self.yaml.path}, line 1: expected `operations:` with the operations in this file")
        operations = [self.yaml.scalar(item) for item in self.yaml.items(top.pop("operations"))]
        differs = self.yaml.mapping(top.pop("differs")) if "differs" in top else {}
        common: Lines = {}
        for answer, node in top.items():  # outcomes first: the others refer to their questions
            common.update(self._answer(answer, node, ("outcome", "seen"), {}))
        titles = titles_by_sort(common)
        for answer, node in top.items():
            common.update(self._answer(answer, node, (), titles))
        for answer, seen in implied_sightings(operations[0], common, self.answers).items():
            if answer not in top and answer in self.shapes:
                self.usual[answer] = seen
                common.update(self._usual_lines(answer))
        facts: dict[Address, Fact] = {}
        for operation in operations:
            own = dict(common)
            if operation in differs:
                own.update(self._differing(differs.pop(operation), common))
            facts.update(_addressed(operation, own))
        for name, node in differs.items():
            raise self.yaml.error(node, f"{name!r} is none of the operations in this file")
        return facts

    def _differing(self, node: yaml.Node, common: Lines) -> Lines:
        lines: Lines = {}
        usual = dict(self.usual)
        for answer, inner in self.yaml.mapping(node).items():
            if isinstance(inner, yaml.ScalarNode) and inner.value == NOT_SEEN:
                lines.update(dict.fromkeys(key for key in common if key[0] == ("" if answer == ANY else answer)))
                continue
            lines.update(self._answer(answer, inner, (), {}))
        self.usual = usual  # what this operation was seen says nothing of the next one
        return lines

    def _answer(
        self, name: str, node: yaml.Node, only: tuple[str, ...], titles: Mapping[str, list[str]]
    ) -> Iterator[tuple[LineKey, dict[Family, Fact] | None]]:
        answer = "" if name == ANY else name
        sections = self.yaml.mapping(node)
        if "seen" in sections:
            self.usual[answer] = self.yaml.positive_integer(sections["seen"])
        if SHAPE in sections:
            yield from self._inherited(answer, sections[SHAPE])
        for section, inner in sections.items():
            if section in ("seen", SHAPE) or (only and section not in only):
                continue
            if section == "without":
                for absent, places in self.yaml.mapping(inner, (*SECTIONS, *PLAIN)).items():
                    yield from (((answer, absent, self.yaml.scalar(place)), None) for place in self.yaml.items(places))
            elif section in SECTIONS:
                yield from self._lines(answer, section, inner)
            else:
                yield from self._plain(answer, section, inner, titles)

    def _inherited(self, answer: str, node: yaml.Node) -> Iterator[tuple[LineKey, dict[Family, Fact]]]:
        """The lines of the shape that most operations have for that answer."""
        if answer not in self.shapes or self.yaml.scalar(node) != SHAPES_FILE:
            raise self.yaml.error(node, f"expected {SHAPES_FILE}, and a shape of {answer or ANY} in it")
        yield from self._usual_lines(answer)

    def _usual_lines(self, answer: str) -> Iterator[tuple[LineKey, dict[Family, Fact]]]:
        for (section, place), line in self.shapes[answer].items():
            if section not in SECTIONS:
                family = next(family for family in PLAIN if family == section)
                yield (answer, section, place), {family: Behaviour(str(line))}
                continue
            try:
                yield (answer, section, place), facts_of(section, place, line, self.usual.get(answer, enough(answer)))
            except FormatError as error:
                raise UsageError(f"{self.yaml.path.with_name(SHAPES_FILE)}: {place}: {error}") from None

    def _lines(self, answer: str, section: str, node: yaml.Node) -> Iterator[tuple[LineKey, dict[Family, Fact]]]:
        for place, inner in self.yaml.mapping(node).items():
            try:
                facts = facts_of(section, place, self._line(inner), self.usual.get(answer, enough(answer)))
            except FormatError as error:
                raise self.yaml.error(inner, str(error)) from None
            yield (answer, section, place), facts

    def _line(self, node: yaml.Node) -> Line:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        return {
            name: [self.yaml.scalar(item) for item in self.yaml.items(inner)]
            if isinstance(inner, yaml.SequenceNode)
            else self.yaml.scalar(inner)
            for name, inner in self.yaml.mapping(node).items()
        }

    def _plain(
        self, answer: str, name: str, node: yaml.Node, titles: Mapping[str, list[str]]
    ) -> Iterator[tuple[LineKey, dict[Family, Fact]]]:
        family = next((family for family in PLAIN if name in (family, f"{family}~")), None)
        if family is None:
            sections = ", ".join(("seen", *SECTIONS, *PLAIN))
            raise self.yaml.error(node, f"{name!r} is unknown: expected one of {sections}")
        for key, inner in self.yaml.mapping(node).items():
            if name != family:
                values = tuple(self.yaml.scalar(item) for item in self.yaml.items(inner))
                yield (answer, family, key), {family: values}
            elif is_titled(family):
                value = Behaviour(key)
                for title in self._titles(inner, titles):
                    yield (answer, family, title), {family: value}
                if message := self._message(family, inner):
                    for title in self._titles(inner, titles):
                        yield (answer, "message", title), {"message": Behaviour(message)}
            else:
                yield (answer, family, key), {family: Behaviour(self.yaml.scalar(inner))}

    def _message(self, family: Family, node: yaml.Node) -> str:
        """The message of all questions with an outcome, "" for none."""
        parts = self.yaml.mapping(node) if family == "outcome" else {}
        node_of_message = parts.get(MESSAGE)
        return str(node_of_message.value) if isinstance(node_of_message, yaml.ScalarNode) else ""

    def _details(self, node: yaml.Node) -> Iterator[str]:
        """The questions of an entry; a list has one that is to be taken as it is."""
        if isinstance(node, yaml.SequenceNode):
            yield from (self.yaml.scalar(item) for item in self.yaml.items(node))
        else:
            yield from separated(self.yaml.scalar(node))

    def _titles(self, node: yaml.Node, titles: Mapping[str, list[str]]) -> Iterator[str]:
        for sort, inner in self.yaml.mapping(node).items():
            if sort == MESSAGE and isinstance(inner, yaml.ScalarNode):
                continue
            if isinstance(inner, yaml.ScalarNode):
                if inner.value != ALL or sort not in titles:
                    raise self.yaml.error(inner, f"expected a list of questions, or `{ALL}` of those with an outcome")
                details = titles[sort]
            else:
                details = [detail for item in self.yaml.items(inner) for detail in self._details(item)]
            yield from (f"{sort}: {detail}" if sort else detail for detail in details)


def _addressed(operation: str, lines: Lines) -> Iterator[tuple[Address, Fact]]:
    for (answer, _, place), facts in lines.items():
        for family, fact in (facts or {}).items():
            address = Address(operation, answer, family, place)
            yield address, fact if isinstance(fact, tuple) else rounded(address, fact)
