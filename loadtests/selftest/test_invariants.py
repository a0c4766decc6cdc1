"""What must hold over a whole run is noticed when it does not, exactly, in bounded memory, and across workers."""

from __future__ import annotations

import json
import random
import sys
from uuid import UUID

import pytest

from loadtests.invariants import Ledger, Once, OneOf, Walk, agrees, digest, same


def uuids(number: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(number)]


def test_a_value_that_comes_twice_breaks_its_clause() -> None:
    once = Once("errorid", "BITVIS-RESP-8")
    assert [once.take(value) for value in ("a", "b", 7, "7 ")] == [None] * 4
    assert once.take("b") == ("BITVIS-RESP-8", "a errorid that nothing else has", "b again")


def test_a_number_and_its_text_are_two_values_only_if_they_are_told_apart_as_such() -> None:
    assert digest(7) != digest("7")


def test_small_numbers_never_share_a_digest() -> None:
    assert len({digest(number) for number in range(200_000)}) == 200_000


def test_digests_are_the_same_in_every_process() -> None:
    assert digest("7981f103-142e-41bf-ae39-ff1341de35f6") == 3959293647581915920


@pytest.mark.parametrize("values", [uuids(5_000), list(range(5_000))], ids=["texts", "numbers"])
def test_too_many_values_are_compared_in_part_and_never_wrongly(values: list[str] | list[int]) -> None:
    once = Once("id", "C", most=500)
    assert [once.take(value) for value in values] == [None] * 5_000
    assert len(once.seen) <= 500
    assert 0 < once.part <= 1 / 8
    repeats = sum(once.take(value) is not None for value in values)
    assert repeats == len(once.seen)
    assert repeats > 100


def test_an_id_generator_that_begins_anew_is_noticed_however_many_ids_there_were() -> None:
    once = Once("id", "C", most=200)
    found = [once.take(number % 3_000) for number in range(6_000)]
    assert any(found[3_000:])
    assert not any(found[:3_000])


def test_a_kept_value_costs_no_more_than_is_said() -> None:
    once = Once("id", "C")
    values = uuids(100_000)
    for value in values:
        once.take(value)
    kept = sys.getsizeof(once.seen) + sum(map(sys.getsizeof, once.seen))
    assert kept / len(values) <= 80


def test_what_two_workers_were_given_is_found_where_they_are_compared() -> None:
    workers, master = [Ledger(), Ledger()], Ledger()
    for worker, values in zip(workers, (["a", "b"], ["c", "b"]), strict=True):
        for value in values:
            assert worker.once("id", "C").take(value) is None
    reports = [json.loads(json.dumps(worker.report())) for worker in workers]
    assert master.compare(reports[0]) == []
    assert master.compare(reports[1]) == [
        ("C", "a id that no other worker's answers have", "1 that another worker was given too")
    ]


def test_nothing_is_reported_twice() -> None:
    worker = Ledger()
    worker.once("id", "C").take("a")
    assert worker.report() != {}
    assert worker.report() == {}


def test_workers_that_compare_different_parts_are_still_compared_rightly() -> None:
    small, large, master = Ledger(most=50), Ledger(), Ledger(most=5_000)
    values = uuids(2_000)
    for value in values:
        small.once("id", "C").take(value)
        large.once("id", "C").take(value)
    small_told, large_told = small.report(), large.report()
    assert master.compare(large_told) == []
    (broken,) = master.compare(small_told)
    assert broken[2].startswith(f"{len(small.once('id', 'C').seen)} that")


def test_workers_without_a_value_in_common_are_never_blamed() -> None:
    master = Ledger(most=300)
    for seed in range(4):
        worker = Ledger(most=100)
        for value in uuids(1_000, seed):
            worker.once("id", "C").take(value)
        assert master.compare(worker.report()) == []


def test_what_was_left_out_is_told() -> None:
    ledger = Ledger(most=100)
    for value in range(1_000):
        ledger.once("id", "C").take(value)
    (line,) = ledger.told()
    assert line.startswith("id: 1000 seen, 1 in ")


def test_a_row_on_two_pages_breaks_the_walk() -> None:
    walk = Walk("id", "WALK", "ALL")
    assert walk.page([{"id": 1}, {"id": 2}], is_last=False) is None
    assert walk.page([{"id": 3}, {"id": 2}], is_last=True) == ("WALK", "every record once", "id 2 again")


def test_a_record_that_was_there_and_is_never_met_breaks_the_walk_at_its_end() -> None:
    walk = Walk("id", "WALK", "ALL", {1, 2, 3})
    assert walk.page([{"id": 1}], is_last=False) is None
    assert walk.page([{"id": 3}], is_last=True) == ("ALL", "all 3 records that were there before", "not id 2")


def test_records_that_are_added_meanwhile_are_welcome() -> None:
    walk = Walk("id", "WALK", "ALL", {1})
    assert walk.page([{"id": 1}, {"id": 99}], is_last=True) is None


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ([201, 400], [None, None]),
        ([400, 201], [None, None]),
        ([201, 201], [None, "2 at once"]),
        ([400, 400], [None, "none"]),
    ],
)
def test_of_several_at_once_one_succeeds(statuses: list[int], told: list[str | None]) -> None:
    one = OneOf("C", "a name", 2, lambda status: status < 300)
    found = [one.take(status) for status in statuses]
    assert [broken and broken[2] for broken in found] == told


def test_members_are_compared_with_what_was_sent() -> None:
    assert same("C", {"name": "a"}, {"name": "a", "id": 1}) is None
    assert same("C", {"name": "a"}, {"name": "b"}) == ("C", "name 'a'", "'b'")
    assert same("C", {"name": "a"}, {}) == ("C", "name 'a'", "no such member")


def test_an_answer_to_a_write_may_show_less() -> None:
    assert agrees("C", {"name": "a", "id": 1}, {"id": 1}) is None
    assert agrees("C", {"name": "a"}, {"name": "b"}) == ("C", "name 'a'", "'b'")
