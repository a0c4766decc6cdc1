"""Tests of how variants are tried together, and how the one that a test complains about is told from the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from fixtures.reference import apis, load
from fixtures.reference.protocol import Change
from reports.mutation.kill_table import Complaint, MutationResult, parse_mutation_result
from suites.mutation import group_trial, trial
from suites.mutation.__main__ import MutationRun
from suites.mutation.variant_groups import Group, group_name, groups_of, result_of_each, smallest_part

GUILTY = "d"


def variant(name: str, *clauses: str, **options: Any) -> Change:
    """A variant of that name."""
    return Change(
        name, "variant", clauses, f"It is {name}.", lambda _api, request, handler: handler(request), **options
    )


def names_in(groups: Sequence[Group]) -> list[list[str]]:
    return [[change.name for change in changes] for _, changes in groups]


def test_meanings_of_one_reading_are_in_different_groups() -> None:
    changes = [
        ("todo", variant(name, clause)) for name, clause in [("a", "T-AMB-1"), ("b", "T-AMB-1"), ("c", "T-AMB-2")]
    ]
    assert names_in(groups_of(changes, 12)) == [["a", "c"], ["b"]]


def test_freedoms_that_keep_one_clause_are_in_one_group() -> None:
    changes = [("todo", variant(name, "T-GEN-1")) for name in "abc"]
    assert names_in(groups_of(changes, 2)) == [["a", "b"], ["c"]]


def test_variants_of_different_apis_are_in_different_groups() -> None:
    assert names_in(groups_of([("todo", variant("a")), ("mail", variant("b"))], 12)) == [["a"], ["b"]]


def test_variants_that_need_a_socket_are_in_groups_of_their_own() -> None:
    changes = [("todo", variant(name, needs_socket=name in "bd")) for name in "abcd"]
    assert names_in(groups_of(changes, 12)) == [["a", "c"], ["b", "d"]]


def test_what_tests_may_complain_about_is_in_no_group() -> None:
    assert groups_of([("todo", variant("a", minimal=True))], 12) == []


def test_every_variant_is_in_one_group_at_most() -> None:
    changes = [(api, change) for api in apis() for change in load(api).VARIANTS.values()]
    grouped = [(api, change.name) for api, of_group in groups_of(changes, 12) for change in of_group]
    assert len(grouped) == len(set(grouped))


def test_the_variants_of_a_much_read_reading_need_no_more_groups() -> None:
    clauses = [("a", "T-GEN-1"), ("b", "T-GEN-1"), ("c", "T-AMB-1"), ("d", "T-AMB-1")]
    assert names_in(groups_of([("todo", variant(name, clause)) for name, clause in clauses], 2)) == [
        ["c", "a"],
        ["d", "b"],
    ]


@pytest.mark.parametrize(
    ("complained_about", "smallest"),
    [
        pytest.param({"d"}, "d", id="one_alone"),
        pytest.param({"b", "g"}, "bg", id="two_together"),
        pytest.param({"a", "d", "h"}, "adh", id="three_together"),
        pytest.param(set("abcdefgh"), "abcdefgh", id="all_together"),
    ],
)
def test_a_complaint_is_about_the_fewest_variants_that_bring_it_out(complained_about: set[str], smallest: str) -> None:
    changes = [variant(name) for name in "abcdefgh"]
    part = smallest_part(changes, lambda some: complained_about <= {change.name for change in some})
    assert [change.name for change in part] == list(smallest)


def test_each_variant_of_a_group_has_its_share() -> None:
    group = ("todo", (variant("a", "T-1"), variant("b", "T-2")))
    results = result_of_each(group, MutationResult("todo", "a and b", "variant", (), "", requests=9, seconds=3.0))
    assert [(it.name, it.clauses, it.requests, it.seconds) for it in results] == [
        ("a", ("T-1",), 4, 1.5),
        ("b", ("T-2",), 4, 1.5),
    ]


def test_a_variant_that_is_set_aside_has_no_result_of_its_group() -> None:
    group = ("todo", (variant("a"), variant("b")))
    complaints = (Complaint("test_x", ("T-1",), "it departs"),)
    results = result_of_each(group, MutationResult("todo", "a and b", "variant", (), "", complaints, set_aside=("b",)))
    assert [(it.name, it.complaints) for it in results] == [("a", ())]


def test_what_a_trial_sets_aside_is_read_from_its_process() -> None:
    result = MutationResult("todo", "a to b (2)", "variant", (), "", set_aside=("b",))
    assert parse_mutation_result(json.loads(json.dumps(asdict(result)))) == result


def test_variants_that_are_set_aside_are_tried_again_until_each_is_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changes = [("todo", variant(name)) for name in "abcdefgh"]

    def tried(names: str, name: str) -> MutationResult:
        is_group = len(names) > 1
        complaints = (Complaint("test_x", ("T-1",), "it departs"),) if GUILTY in names and not is_group else ()
        aside = tuple(set(names) & {GUILTY, "b"}) if is_group else ()
        return MutationResult("todo", name, "variant", (), "", complaints, set_aside=aside)

    def run_trials(waiting: Sequence[tuple[str, str]], _jobs: int) -> Iterator[MutationResult]:
        return (tried(names, name) for names, name in waiting)

    monkeypatch.setattr(trial, "run_trials", run_trials)
    monkeypatch.setattr(trial, "trials", lambda _s, changes, _seeds: [(it.name, it.name) for _, it in changes])
    monkeypatch.setattr(
        group_trial, "trial_of", lambda _s, group: ("".join(it.name for it in group[1]), group_name(group[1]))
    )
    run = MutationRun(changes, [], 1, tmp_path, small=False, causes=False, group=4)
    run.run_groups(None, groups_of(changes, 4))  # type: ignore[arg-type]  # no session is needed here
    assert {result.name: bool(result.complaints) for result in run.results} == {
        name: name == GUILTY for name in "abcdefgh"
    }
