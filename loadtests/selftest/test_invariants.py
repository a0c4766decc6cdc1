"""A violated invariant is found exactly, in bounded memory, and across workers."""

from __future__ import annotations

import json
import random
import sys
from uuid import UUID

import pytest

from loadtests.validation.invariants import (
    ExclusiveWinner,
    PaginationWalk,
    UniquenessLedger,
    UniqueValues,
    digest,
    members_match,
    shown_members_match,
)


def uuids(number: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(number)]


def test_a_value_that_comes_twice_breaks_its_clause() -> None:
    once = UniqueValues("errorid", "BITVIS-RESP-8")
    assert [once.add(value) for value in ("a", "b", 7, "7 ")] == [None] * 4
    assert once.add("b") == ("BITVIS-RESP-8", "a errorid that nothing else has", "b again")


def test_a_number_and_its_text_are_two_values_only_if_they_are_given_as_such() -> None:
    assert digest(7) != digest("7")


def test_small_numbers_never_share_a_digest() -> None:
    assert len({digest(number) for number in range(200_000)}) == 200_000


def test_digests_are_the_same_in_every_process() -> None:
    assert digest("7981f103-142e-41bf-ae39-ff1341de35f6") == 3959293647581915920


@pytest.mark.parametrize("values", [uuids(5_000), list(range(5_000))], ids=["texts", "numbers"])
def test_too_many_values_are_compared_in_part_and_never_wrongly(values: list[str] | list[int]) -> None:
    once = UniqueValues("id", "C", max_values=500)
    assert [once.add(value) for value in values] == [None] * 5_000
    assert len(once.seen) <= 500
    assert 0 < once.compared_share <= 1 / 8
    repeats = sum(once.add(value) is not None for value in values)
    assert repeats == len(once.seen)
    assert repeats > 100


def test_an_id_generator_that_begins_anew_is_noticed_however_many_ids_there_were() -> None:
    once = UniqueValues("id", "C", max_values=200)
    violations = [once.add(number % 3_000) for number in range(6_000)]
    assert any(violations[3_000:])
    assert not any(violations[:3_000])


def test_a_stored_value_costs_no_more_than_documented() -> None:
    once = UniqueValues("id", "C")
    values = uuids(100_000)
    for value in values:
        once.add(value)
    assert sum(map(sys.getsizeof, once.seen._arrays)) / len(values) <= 9.5


def test_a_value_of_two_workers_is_found_by_the_master() -> None:
    workers, master = [UniquenessLedger(), UniquenessLedger()], UniquenessLedger()
    for worker, values in zip(workers, (["a", "b"], ["c", "b"]), strict=True):
        for value in values:
            assert worker.unique_values("id", "C").add(value) is None
    reports = [json.loads(json.dumps(worker.report())) for worker in workers]
    assert master.merge_report(reports[0]) == []
    assert master.merge_report(reports[1]) == [
        ("C", "a id that no other worker received", "1 that another worker received too")
    ]


def test_nothing_is_reported_twice() -> None:
    worker = UniquenessLedger()
    worker.unique_values("id", "C").add("a")
    assert worker.report() != []
    assert worker.report() == []


def test_workers_that_compare_different_parts_are_still_compared_rightly() -> None:
    small, large, master = UniquenessLedger(max_values=50), UniquenessLedger(), UniquenessLedger(max_values=5_000)
    values = uuids(2_000)
    for value in values:
        small.unique_values("id", "C").add(value)
        large.unique_values("id", "C").add(value)
    small_told, large_told = small.report(), large.report()
    assert master.merge_report(large_told) == []
    (violation,) = master.merge_report(small_told)
    assert violation[2].startswith(f"{len(small.unique_values('id', 'C').seen)} that")


def test_workers_without_a_value_in_common_violate_nothing() -> None:
    master = UniquenessLedger(max_values=300)
    for seed in range(4):
        worker = UniquenessLedger(max_values=100)
        for value in uuids(1_000, seed):
            worker.unique_values("id", "C").add(value)
        assert master.merge_report(worker.report()) == []


def test_the_share_that_is_compared_is_shown() -> None:
    ledger = UniquenessLedger(max_values=100)
    for value in range(1_000):
        ledger.unique_values("id", "C").add(value)
    (line,) = ledger.summary_lines()
    assert line.startswith("id: 1000 seen, 1 in ")


def test_a_row_on_two_pages_breaks_the_walk() -> None:
    walk = PaginationWalk("id", "WALK", "ALL")
    assert walk.add_page([{"id": 1}, {"id": 2}], is_last=False) is None
    assert walk.add_page([{"id": 3}, {"id": 2}], is_last=True) == ("WALK", "every record once", "id 2 again")


def test_a_record_that_was_there_and_is_never_met_breaks_the_walk_at_its_end() -> None:
    walk = PaginationWalk("id", "WALK", "ALL", {1, 2, 3})
    assert walk.add_page([{"id": 1}], is_last=False) is None
    assert walk.add_page([{"id": 3}], is_last=True) == ("ALL", "all 3 records that were there before", "not id 2")


def test_records_that_are_added_meanwhile_are_welcome() -> None:
    walk = PaginationWalk("id", "WALK", "ALL", {1})
    assert walk.add_page([{"id": 1}, {"id": 99}], is_last=True) is None


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([201, 400], [None, None]),
        ([400, 201], [None, None]),
        ([201, 201], [None, "2 at once"]),
        ([400, 400], [None, "none"]),
    ],
)
def test_of_several_at_once_one_succeeds(statuses: list[int], expected: list[str | None]) -> None:
    winner = ExclusiveWinner("C", "a name", 2, lambda status: status < 300)
    violations = [winner.add(status) for status in statuses]
    assert [violation and violation[2] for violation in violations] == expected


def test_members_are_compared_with_what_was_sent() -> None:
    assert members_match("C", {"name": "a"}, {"name": "a", "id": 1}) is None
    assert members_match("C", {"name": "a"}, {"name": "b"}) == ("C", "name 'a'", "'b'")
    assert members_match("C", {"name": "a"}, {}) == ("C", "name 'a'", "no such member")


def test_a_response_to_a_write_may_show_less() -> None:
    assert shown_members_match("C", {"name": "a", "id": 1}, {"id": 1}) is None
    assert shown_members_match("C", {"name": "a"}, {"name": "b"}) == ("C", "name 'a'", "'b'")
