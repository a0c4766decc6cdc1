"""What most questions of a sort are answered, said once for all operations: outcome, message, media type.

Rule: a text may have {name} in it, the parameter or member that the question is about. What is usual is put in again
exactly, so that a vendor who changes all refusals of a sort changes one line of a record.
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
NO_MESSAGE = "(none)"  # in the place of a message that the sort usually has
NAME = "{name}"
WITH_USUAL_OUTCOME: tuple[Family, ...] = ("outcome", "access")
HTTP_OPERATION = re.compile(r"[A-Z]+ /")
BY_FRAME = " by frame"  # behind the sort of a question
Facts = Mapping[Address, Fact]


@dataclass(frozen=True)
class UsualAnswers:
    """media: the media type of outcomes that name none. outcomes, messages: by sort of question, with {name}."""

    media: str = ""
    outcomes: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)

    def outcome(self, operation: str, title: str) -> str | None:
        """The usual outcome of that question as it is written, None without one."""
        return _filled(self.outcomes.get(_sort(operation, title)), title)

    def message(self, operation: str, title: str) -> str | None:
        """The usual message of that question if it is refused, None without one."""
        return _filled(self.messages.get(_sort(operation, title)), title)

    def answer(self, operation: str, title: str, written: str) -> str:
        """The class of answers that an outcome belongs to, as it is written."""
        known = self.outcome(operation, title) if written == USUAL else written
        return parse_outcome(lengthened(known or "", self.media)).answer


def usual_answers(facts: Facts) -> UsualAnswers:
    """What most questions of each sort show among these facts."""
    steady = {address: fact.value for address, fact in facts.items() if isinstance(fact, Behaviour)}
    media = usual_media_type(value for it, value in steady.items() if it.family in FAMILIES_WITH_OUTCOMES)
    seen: dict[str, dict[str, Counter[str]]] = {name: defaultdict(Counter) for name in ("outcome", "message")}
    for address, value in steady.items():
        if address.family in (*WITH_USUAL_OUTCOME, "message"):
            name, text = ("message", value) if address.family == "message" else ("outcome", shortened(value, media))
            sort = _sort(address.operation, address.place)
            seen[name][sort][_general(text, address.place)] += 1
    outcomes, messages = (
        {sort: min(counts, key=lambda text: (-counts[text], text)) for sort, counts in sorted(of_family.items())}
        for of_family in seen.values()
    )
    return UsualAnswers(media, outcomes, messages)


def without_usual(facts: Facts, usual: UsualAnswers) -> dict[Address, Fact]:
    """The facts as they are written: without what is usual."""
    refused = set(_refused(facts))
    written: dict[Address, Fact] = {}
    for address, fact in facts.items():
        operation, title = address.operation, address.place
        if isinstance(fact, Behaviour) and address.family in FAMILIES_WITH_OUTCOMES:
            text = shortened(fact.value, usual.media)
            is_usual = address.family in WITH_USUAL_OUTCOME and usual.outcome(operation, title) == text
            fact = Behaviour(USUAL if is_usual else text)
        is_usual = address.family == "message" and (operation, title) in refused
        if not is_usual or not isinstance(fact, Behaviour) or usual.message(operation, title) != fact.value:
            written[address] = fact
    for operation, title in refused:
        message = Address(operation, "", "message", title)
        if message not in facts and usual.message(operation, title) is not None:
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
    for operation, title in set(_refused(facts)):
        message, usually = Address(operation, "", "message", title), usual.message(operation, title)
        if message not in written and usually is not None:
            facts[message] = Behaviour(usually)
    return facts


def _refused(facts: Facts) -> Iterator[tuple[str, str]]:
    """Operation and title of the questions that are refused."""
    for address, fact in facts.items():
        is_steady = isinstance(fact, Behaviour) and address.family in WITH_USUAL_OUTCOME
        if is_steady and parse_outcome(fact.value).is_refused:  # type: ignore[union-attr]
            yield address.operation, address.place


def _sort(operation: str, title: str) -> str:
    """The sort of a question, or the state of the credentials; of calls by frames it is one of its own."""
    sort = title.partition(": ")[0].partition(" (")[0]
    return sort if HTTP_OPERATION.match(operation) else f"{sort}{BY_FRAME}"


def _name(title: str) -> str:
    """The parameter or member that a question is about: the last word before its value."""
    words = re.split(r" = |: ", title.partition(": ")[2])[0].split()
    return words[-1] if words else ""


def _general(text: str, title: str) -> str:
    name = _name(title)
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: NAME, text) if len(name) > 1 else text


def _filled(template: str | None, title: str) -> str | None:
    return template.replace(NAME, _name(title)) if template is not None else None
