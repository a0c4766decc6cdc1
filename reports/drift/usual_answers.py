"""States once, for all operations, how most questions of a sort are answered: outcome, message, media type.

Rule: a text may have {name} in it, the parameter or member that the question is about, and {record} for that name
without `_id`. What is usual is put in again exactly, so that a vendor who changes all refusals of a sort, or the words
of all refusals with one code, changes one line of a record. Versions that differ have lines of their own, so that
a bare majority makes neither usual.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from contracts.behaviour.behaviour import Address, Behaviour, Family
from reports.drift.outcome_text import parse_outcome
from reports.drift.record_lines import Fact
from reports.drift.usual_media_type import FAMILIES_WITH_OUTCOMES, lengthened, shortened, usual_media_type

USUAL = "usual"  # in the place of an outcome
NO_MESSAGE = "(none)"  # in the place of a message that is usually there
NAME, RECORD = "{name}", "{record}"
WITH_USUAL_OUTCOME: tuple[Family, ...] = ("outcome", "access")
HTTP_OPERATION = re.compile(r"[A-Z]+ /")
VERSION = re.compile(r"[A-Z]+ /(v\d+)(?:/|$)")
BY_FRAME, VERSIONED = " by frame", " of version "  # behind the sort of a question
ID = "_id"  # behind the name of a record
LEAST_OPERATIONS = 3  # that have an outcome whose message is said once
Facts = Mapping[Address, Fact]
Counts = Mapping[str, Counter[str]]


@dataclass(frozen=True)
class UsualAnswers:
    """media: the media type of outcomes that name none. outcomes: by sort of question; texts: the messages by outcome;
    messages: by sort, where most questions have another one than that of their outcome.
    """

    media: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def outcome(self, operation: str, title: str) -> str | None:
        """The usual outcome of that question as it is written, None without one."""
        return _filled(_of_question(self.outcomes, operation, title), title)

    def message(self, operation: str, title: str, outcome: str) -> str | None:
        """The usual message of that question if it is refused with that outcome, None without one."""
        of_sort = _of_question(self.messages, operation, title)
        text = of_sort if of_sort is not None else self.texts.get(_general(shortened(outcome, self.media), title))
        return _filled(text, title)

    def answer(self, operation: str, title: str, written: str) -> str:
        """The class of answers that an outcome belongs to, as it is written."""
        known = self.outcome(operation, title) if written == USUAL else written
        return parse_outcome(lengthened(known or "", self.media)).answer


def usual_answers(facts: Facts) -> UsualAnswers:
    """What most questions of each sort show among these facts."""
    steady = {address: fact.value for address, fact in facts.items() if isinstance(fact, Behaviour)}
    media = usual_media_type(value for it, value in steady.items() if it.family in FAMILIES_WITH_OUTCOMES)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for address, value in steady.items():
        if address.family in WITH_USUAL_OUTCOME:
            for sort in _sorts(address.operation, address.place):
                outcomes[sort][_general(shortened(value, media), address.place)] += 1
    texts = _texts(steady, media)
    return UsualAnswers(media, _without_repetition(outcomes), _other_messages(steady, media, texts), texts)


def _texts(steady: Mapping[Address, str], media: str) -> dict[str, str]:
    """The most common message of each outcome that several operations have."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    operations: dict[str, set[str]] = defaultdict(set)
    for address, outcome, message in _with_messages(steady, media):
        counts[outcome][_general(message, address.place)] += 1
        operations[outcome].add(address.operation)
    return {it: _most_common(counts[it]) for it in sorted(counts) if len(operations[it]) >= LEAST_OPERATIONS}


def _other_messages(steady: Mapping[Address, str], media: str, texts: Mapping[str, str]) -> dict[str, str]:
    """By sort of question, the message that most of them have in the place of the one of their outcome."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for address, outcome, message in _with_messages(steady, media):
        text = _general(message, address.place)
        counts[_sorts(address.operation, address.place)[0]][text if texts.get(outcome) != text else ""] += 1
    return {
        sort: _most_common(of_sort)
        for sort, of_sort in sorted(counts.items())
        if _most_common(of_sort) and 2 * of_sort[_most_common(of_sort)] > of_sort.total()
    }


def _with_messages(steady: Mapping[Address, str], media: str) -> Iterator[tuple[Address, str, str]]:
    """Address, general outcome and message of each message of a steady outcome."""
    for address, message in steady.items():
        if address.family == "message":
            places = (address._replace(family=family) for family in WITH_USUAL_OUTCOME)
            outcome = next((steady[place] for place in places if place in steady), None)
            if outcome is not None:
                yield address, _general(shortened(outcome, media), address.place), message


def _without_repetition(counts: Counts) -> dict[str, str]:
    """The most common text of each sort; of a version only where it is another one."""
    common = {sort: _most_common(of_sort) for sort, of_sort in sorted(counts.items())}
    return {sort: text for sort, text in common.items() if VERSIONED not in sort or common[_base(sort)] != text}


def _most_common(counts: Counter[str]) -> str:
    return min(counts, key=lambda text: (-counts[text], text))


def without_usual(facts: Facts, usual: UsualAnswers) -> dict[Address, Fact]:
    """The facts as they are written: without what is usual."""
    refused = dict(_refused(facts))
    written: dict[Address, Fact] = {}
    for address, fact in facts.items():
        operation, title = address.operation, address.place
        if isinstance(fact, Behaviour) and address.family in FAMILIES_WITH_OUTCOMES:
            text = shortened(fact.value, usual.media)
            is_usual = address.family in WITH_USUAL_OUTCOME and usual.outcome(operation, title) == text
            fact = Behaviour(USUAL if is_usual else text)
        outcome = refused.get((operation, title)) if address.family == "message" else None
        is_steady = isinstance(fact, Behaviour) and outcome is not None
        if not is_steady or usual.message(operation, title, outcome or "") != fact.value:  # type: ignore[union-attr]
            written[address] = fact
    for (operation, title), outcome in refused.items():
        message = Address(operation, "", "message", title)
        if message not in facts and usual.message(operation, title, outcome) is not None:
            written[message] = Behaviour(NO_MESSAGE)
    return written


def with_usual(written: Facts, usual: UsualAnswers) -> dict[Address, Fact]:
    """The inverse of `without_usual`."""
    facts: dict[Address, Fact] = {}
    for address, fact in written.items():
        if isinstance(fact, Behaviour) and address.family in FAMILIES_WITH_OUTCOMES:
            is_usual = address.family in WITH_USUAL_OUTCOME and fact.value == USUAL
            text = (usual.outcome(address.operation, address.place) or "") if is_usual else fact.value
            facts[address] = Behaviour(lengthened(text, usual.media))
        elif not isinstance(fact, Behaviour) or address.family != "message" or fact.value != NO_MESSAGE:
            facts[address] = fact
    for (operation, title), outcome in dict(_refused(facts)).items():
        message, usually = Address(operation, "", "message", title), usual.message(operation, title, outcome)
        if message not in written and usually is not None:
            facts[message] = Behaviour(usually)
    return facts


def _refused(facts: Facts) -> Iterator[tuple[tuple[str, str], str]]:
    """Operation and title of the questions that are refused, with their outcome."""
    for address, fact in facts.items():
        if (
            isinstance(fact, Behaviour)
            and address.family in WITH_USUAL_OUTCOME
            and parse_outcome(fact.value).is_refused
        ):
            yield (address.operation, address.place), fact.value


def _sorts(operation: str, title: str) -> tuple[str, ...]:
    """The sort of a question, or the state of the credentials, and that of the operation's version.

    That of calls by frames is one of its own.
    """
    sort = title.partition(": ")[0].partition(" (")[0]
    if not HTTP_OPERATION.match(operation):
        return (f"{sort}{BY_FRAME}",)
    version = VERSION.match(operation)
    return sort, f"{sort}{VERSIONED}{version[1] if version else 'none'}"


def _base(sort: str) -> str:
    return sort.partition(VERSIONED)[0]


def _of_question(table: Mapping[str, str], operation: str, title: str) -> str | None:
    """The entry of the question's sort in its version, else in all."""
    return next((table[sort] for sort in reversed(_sorts(operation, title)) if sort in table), None)


def _name(title: str) -> str:
    """The parameter or member that a question is about: the last word before its value."""
    words = re.split(r" = |: ", title.partition(": ")[2])[0].split()
    return words[-1] if words else ""


def _general(text: str, title: str) -> str:
    """The text with placeholders for the name that the question is about."""
    name = _name(title)
    placeholders = {name.removesuffix(ID): RECORD, name: NAME}
    words = "|".join(re.escape(word) for word in placeholders if len(word) > 1)
    return re.sub(rf"(?<!\w)(?:{words})(?!\w)", lambda match: placeholders[match[0]], text) if words else text


def _filled(template: str | None, title: str) -> str | None:
    if template is None:
        return None
    name = _name(title)
    return template.replace(NAME, name).replace(RECORD, name.removesuffix(ID))
