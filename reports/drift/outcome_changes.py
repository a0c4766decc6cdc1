"""Detects changes in how requests end: which are refused, how, and with which credentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from contracts.behaviour.behaviour import Address
from reports.drift.behaviour_comparison import Comparison, Difference
from reports.drift.outcome_kinds import CLASSIFIED_OUTCOMES, sort_of
from reports.drift.outcome_text import Outcome, parse_outcome

GONE = ("404", "410", "501")
COMMON_STATUSES = {"405": "method refused", "415": "request media type refused"}  # of all valid requests


def outcome_differences(comparison: Comparison) -> Iterator[Difference]:
    """A difference for each question that ends otherwise, with what follows from it: message, shape of the answer."""
    by_operation: dict[str, list[Address]] = defaultdict(list)
    for address in comparison.differing:
        is_known = address in comparison.before and address in comparison.after
        if address.family in CLASSIFIED_OUTCOMES and is_known:
            by_operation[address.operation].append(address)
    for operation, addresses in by_operation.items():
        yield from _of_operation(comparison, operation, addresses)


def _of_operation(comparison: Comparison, operation: str, addresses: Sequence[Address]) -> Iterator[Difference]:
    outcomes = {
        address: (parse_outcome(comparison.before[address].value), parse_outcome(comparison.after[address].value))
        for address in addresses
    }
    if common := _common_kind(comparison, operation, outcomes):
        # one difference, which explains all others: also those of requests that were refused before
        shows_it = next(address for address in outcomes if address.family == "outcome" and sort_of(address) == "valid")
        shown = _shown(common, *outcomes[shows_it], comparison, shows_it)
        others = [other for other in comparison.differing if other.operation == operation and other != shows_it]
        yield Difference(common, shows_it, *shown, shows_it.place, tuple(others))
        return
    explained = _vanished(comparison, operation)
    for address, (before, after) in outcomes.items():
        kind = CLASSIFIED_OUTCOMES[address.family](address, before, after, comparison)
        shown = _shown(kind, before, after, comparison, address)
        yield Difference(kind, address, *shown, address.place, (*_message(comparison, address), *explained))
        explained = []


def _common_kind(comparison: Comparison, operation: str, outcomes: Mapping[Address, tuple[Outcome, Outcome]]) -> str:
    """The kind of a change that all valid requests of an operation show; "" for none."""
    valid = [
        address
        for address, behaviour in comparison.before.items()
        if address.operation == operation
        and address.family == "outcome"
        and sort_of(address) == "valid"
        and address in comparison.after
        and not parse_outcome(behaviour.value).is_refused
    ]
    if not valid or not all(address in outcomes for address in valid):
        return ""
    after = [outcomes[address][1] for address in valid]
    if all(outcome.is_redirect for outcome in after):
        is_elsewhere = any("another host" in outcome.target for outcome in after)
        return "operation moved to another host" if is_elsewhere else "operation moved"
    statuses = {outcome.status for outcome in after}
    if kind := COMMON_STATUSES.get(next(iter(statuses)) if len(statuses) == 1 else ""):
        return kind
    if statuses <= set(GONE):
        return "operation gone"
    return _about_credentials(comparison, operation, after)


def _about_credentials(comparison: Comparison, operation: str, after: Sequence[Outcome]) -> str:
    """The kind of change if all valid requests are refused as those without credentials are."""
    without = Address(operation, "", "access", "no credentials")
    was, now = comparison.before.get(without), comparison.after.get(without)
    refusals = {outcome.refusal for outcome in after}
    is_alike = was is not None and was == now and refusals == {parse_outcome(was.value).refusal}
    if not all(outcome.is_refused for outcome in after) or not (is_alike or {it.status for it in after} == {"401"}):
        return ""
    is_known = was is not None and parse_outcome(was.value).is_refused
    return "scheme refused" if is_known else "credentials needed"


def _vanished(comparison: Comparison, operation: str) -> list[Address]:
    """Differing addresses of answers that only the record or only now has."""
    other = comparison.answers_before ^ comparison.answers_after
    is_error_code = [
        address for address in comparison.differing
        if address.operation == operation and address.family == "values" and address.answer[:1] == "4"
    ]  # fmt: skip
    return is_error_code + [
        address
        for address in comparison.differing
        if address.operation == operation and (address.operation, address.answer) in other
    ]


def _message(comparison: Comparison, address: Address) -> tuple[Address, ...]:
    other = address._replace(family="message")
    return (other,) if address.family == "outcome" and other in comparison.differing else ()


def _shown(kind: str, before: Outcome, after: Outcome, comparison: Comparison, address: Address) -> tuple[str, str]:
    """The part of an outcome that the change is about, so that the same change of other questions reads the same."""
    parts: Mapping[str, Callable[[Outcome], str]] = {
        "media type of the answer": lambda outcome: outcome.media or "no media type",
        "error as a page": lambda outcome: outcome.media or "no media type",
        "error code changed": lambda outcome: outcome.code or "no code",
        "error attribute changed": lambda outcome: " ".join(outcome.words[1:]) or "no attribute",
        "refused in another way": lambda outcome: outcome.answer,
    }
    if kind in parts:
        return parts[kind](before), parts[kind](after)
    if before.status != after.status and before.status.isdecimal():
        words = [[outcome.status, outcome.target] for outcome in (before, after)]
        first, second = (" ".join(filter(None, part)) for part in words)
        return first, second
    return comparison.before[address].value, comparison.after[address].value
