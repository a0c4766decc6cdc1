"""Tries several variants of a reference at once, and half of them at a time where a test complains about them together.

Rule: no two variants of a group choose a meaning of the same reading, and all of them or none need a socket. What one
of them hides of another a run of each alone shows, which a published kill table therefore is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fixtures.reference.protocol import Change
from reports.mutation.kill_table import MutationResult

IN_READINGS = "-AMB-"  # in the ids of readings
Group = tuple[str, tuple[Change, ...]]  # API, variants


def groups_of(changes: Iterable[tuple[str, Change]], most: int) -> list[Group]:
    """Groups of at most `most` variants of one API; those about which tests may complain are in none."""
    groups: list[Group] = []
    for api, change in changes:
        if change.kind != "variant" or change.minimal:
            continue
        place = next((number for number, group in enumerate(groups) if _fits(group, api, change, most)), None)
        if place is None:
            groups.append((api, (change,)))
        else:
            groups[place] = (api, (*groups[place][1], change))
    return groups


def _fits(group: Group, api: str, change: Change, most: int) -> bool:
    readings = {clause for other in group[1] for clause in other.clauses if IN_READINGS in clause}
    is_alike = group[0] == api and group[1][0].needs_socket == change.needs_socket
    return is_alike and len(group[1]) < most and not readings & set(change.clauses)


def halves(group: Group) -> list[Group]:
    """The group in two; a single variant is no group any more."""
    api, changes = group
    middle = len(changes) // 2
    return [(api, changes[:middle]), (api, changes[middle:])]


def group_name(changes: Sequence[Change]) -> str:
    """The name of a group of variants: those of the first and the last one, and how many there are."""
    return f"{changes[0].name} to {changes[-1].name} ({len(changes)})"


def result_of_each(group: Group, result: MutationResult) -> Sequence[MutationResult]:
    """The result of each variant of a group that no test complains about; requests and seconds are equal shares."""
    api, changes = group
    result = replace(result, requests=result.requests // len(changes), seconds=result.seconds / len(changes))
    return [replace(result, api=api, name=it.name, clauses=it.clauses, summary=it.summary) for it in changes]
