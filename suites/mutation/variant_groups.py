"""Which variants of a reference are tried at once, and which of them make a test complain.

Rule: no two variants of a group choose a meaning of the same reading, and all of them or none need a socket. One may
hide the effect of another, so a published kill table comes from a run of each alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from fixtures.reference.protocol import Change
from reports.mutation.kill_table import MutationResult

IN_READINGS = "-AMB-"  # in the ids of readings
Group = tuple[str, tuple[Change, ...]]  # API, variants


def groups_of(changes: Iterable[tuple[str, Change]], most: int) -> list[Group]:
    """Groups of at most `most` variants of one API; those about which tests may complain are in none."""
    groups: list[Group] = []
    for api, change in _most_restricted_first([it for it in changes if it[1].kind == "variant" and not it[1].minimal]):
        place = next((number for number, group in enumerate(groups) if _fits(group, api, change, most)), None)
        if place is None:
            groups.append((api, (change,)))
        else:
            groups[place] = (api, (*groups[place][1], change))
    return groups


def _most_restricted_first(changes: Sequence[tuple[str, Change]]) -> list[tuple[str, Change]]:
    """Ordered by how many variants choose a meaning of one of its readings, so that few groups are needed."""
    count = Counter(reading for _, change in changes for reading in _readings(change))
    return sorted(changes, key=lambda it: -max((count[reading] for reading in _readings(it[1])), default=0))


def _readings(change: Change) -> set[str]:
    return {clause for clause in change.clauses if IN_READINGS in clause}


def _fits(group: Group, api: str, change: Change, most: int) -> bool:
    readings = {reading for other in group[1] for reading in _readings(other)}
    is_alike = group[0] == api and group[1][0].needs_socket == change.needs_socket
    return is_alike and len(group[1]) < most and not readings & _readings(change)


def smallest_part(changes: Sequence[Change], complains: Callable[[Sequence[Change]], bool]) -> Sequence[Change]:
    """Variants of these about which a test complains together, and about no part of them, given that it does about all.

    A variant that is complained about by itself is the only one.
    """
    middle = len(changes) // 2
    for half in (changes[:middle], changes[middle:]):
        if middle and complains(half):
            return smallest_part(half, complains)
    remaining = list(changes)
    for change in changes:
        fewer = [other for other in remaining if other is not change]
        if len(changes) > 2 and fewer and complains(fewer):
            remaining = fewer
    return remaining


def group_name(changes: Sequence[Change]) -> str:
    """The name of a group of variants: those of the first and the last one, and how many there are."""
    return f"{changes[0].name} to {changes[-1].name} ({len(changes)})"


def result_of_each(group: Group, result: MutationResult) -> Sequence[MutationResult]:
    """The result of each variant of a group that is not set aside; requests and seconds are equal shares."""
    api, changes = group
    passed = [change for change in changes if change.name not in result.set_aside]
    count = max(len(passed), 1)
    share = MutationResult(
        api, "", "variant", (), "", requests=result.requests // count, seconds=result.seconds / count
    )
    return [replace(share, name=it.name, clauses=it.clauses, summary=it.summary) for it in passed]
