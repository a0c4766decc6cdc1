"""A load run is read from its folder however it ended, and what is missing or broken is reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports.load.load_run import NO_END_MARK, NoLoadRun, operation_names, read_load_run
from suites.selftest.reports.load_sample import STARTED, line, steady, tally, write


def counted(folder: Path) -> dict[str, int]:
    return {statistics.operation: statistics.requests for statistics in read_load_run(folder).result.operations}


def test_a_run_that_ended_has_the_sums_of_its_result(tmp_path: Path) -> None:
    run = read_load_run(steady(tmp_path, lambda _: [10.0, 20.0], seconds=5))
    assert (run.complete, run.gaps(), run.result.operations[0].requests) == (True, [], 10)


def test_a_run_that_was_killed_is_made_again_from_its_lines(tmp_path: Path) -> None:
    complete, cut = tmp_path / "whole", tmp_path / "cut"
    steady(complete, lambda at: [10.0 + at], seconds=5)
    steady(cut, lambda at: [10.0 + at], seconds=5, complete=False)
    ours, theirs = read_load_run(cut), read_load_run(complete)
    assert [statistics.to_json() for statistics in ours.result.operations] == [
        statistics.to_json() for statistics in theirs.result.operations
    ]
    assert (ours.complete, ours.gaps()) == (False, [NO_END_MARK])


def test_the_half_line_that_was_being_written_is_left_out(tmp_path: Path) -> None:
    steady(tmp_path, lambda _: [1.0], seconds=3, complete=False)
    text = (tmp_path / "seconds.jsonl").read_text()
    (tmp_path / "seconds.jsonl").write_text(text[:-20])
    run = read_load_run(tmp_path)
    assert (counted(tmp_path), run.problems) == ({"GET /tasks": 2}, ())


def test_a_whole_line_that_is_none_is_told(tmp_path: Path) -> None:
    steady(tmp_path, lambda _: [1.0], seconds=3)
    with (tmp_path / "seconds.jsonl").open("a") as file:
        file.write('{"worker": "local"}\n')
    assert read_load_run(tmp_path).gaps() == ["seconds.jsonl line 4 is no line of figures"]


def test_lines_that_only_a_worker_kept_count_once(tmp_path: Path) -> None:
    """A master that was killed misses the last lines; the others stand in both files."""
    lines = [line(at, [tally("GET /tasks", [5.0])], worker="worker 0") for at in range(4)]
    write(tmp_path, lines[:2], complete=False)
    (tmp_path / "seconds-0.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    assert counted(tmp_path) == {"GET /tasks": 4}


def test_what_was_before_a_reset_does_not_count(tmp_path: Path) -> None:
    lines = [line(at, [tally("GET /tasks", [5.0])]) for at in range(4)]
    write(tmp_path, [*lines[:2], {"reset": STARTED + 2}, *lines[2:]], complete=False)
    assert counted(tmp_path) == {"GET /tasks": 2}


def test_only_judged_phases_count_for_objectives(tmp_path: Path) -> None:
    phases = [
        {"name": "warm-up", "begin": 0, "end": 3, "judged": False},
        {"name": "steady", "begin": 3, "end": 10, "judged": True},
    ]
    run = read_load_run(steady(tmp_path, lambda at: [1000.0 if at < 3 else 1.0], seconds=10, phases=phases))
    assert (run.judged_operations[0].requests, run.judged_operations[0].corrected.max, run.judged_seconds) == (
        7,
        1_000_000,
        7,
    )


def test_phases_begin_with_the_arrivals(tmp_path: Path) -> None:
    """Users take time to spawn; a profile's clock starts when they are there."""
    phases = [{"name": "steady", "begin": 0, "end": 4, "judged": True}]
    arrivals = {"Getflow": {"started": 1, "dropped": 0, "planned": 1.0}}
    lines = [line(at, [tally("a", [1.0])], arrivals=arrivals if at >= 2 else {}) for at in range(6)]
    (phase,) = read_load_run(write(tmp_path, lines, phases=phases)).phases
    assert (phase.begin, phase.end) == (2, 6)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no load run"),
        ({"plan.json": "{"}, "cannot be read"),
        ({"plan.json": "[]"}, "should hold a JSON object"),
        ({"plan.json": '{"name": "x"}'}, "cannot be understood"),
        ({"plan.json": "{}", "result.json": "{}"}, "cannot be understood"),
    ],
    ids=["nothing", "no JSON", "a list", "half a plan", "half a result"],
)
def test_a_folder_without_a_run_is_told(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(NoLoadRun, match=message):
        read_load_run(tmp_path)


def test_an_operation_belongs_to_the_api_that_has_it(tmp_path: Path) -> None:
    run = read_load_run(steady(tmp_path, lambda _: [1.0], apis=["getflow", "flowback"]))
    names = ("getflow GET /tasks", "getflow GET /tasks (refused)", "flowback POST /login", "flowback the mail arrives")
    assert [run.api_of(name) for name in names] == ["getflow", "getflow", "flowback", ""]


def test_remote_calls_are_operations_too() -> None:
    assert "inventory/device LIST" in operation_names("bitvis")


def test_what_workers_met_when_our_reference_was_gone_with_its_master_is_not_counted(tmp_path: Path) -> None:
    lines = [line(at, [tally("GET /tasks", [5.0])], worker="worker 0") for at in range(2)]
    after = [line(at, [tally("GET /tasks", [], {"connect: refused": 9})], worker="worker 0") for at in range(2, 6)]
    write(tmp_path, lines, complete=False, embedded=["getflow"])
    (tmp_path / "seconds-0.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in (*lines, *after)))
    assert counted(tmp_path) == {"GET /tasks": 2}


def test_journeys_are_read_beside_operations_and_are_no_part_of_them(tmp_path: Path) -> None:
    played = [tally("read_all_tasks", [50.0, 70.0]).to_json()]
    lines = [line(at, [tally("GET /tasks", [5.0] * 4)], journeys=played) for at in range(3)]
    run = read_load_run(write(tmp_path, lines, complete=False))
    assert [(statistics.operation, statistics.requests) for statistics in run.judged_journeys] == [
        ("read_all_tasks", 6)
    ]
    assert [(statistics.operation, statistics.requests) for statistics in run.judged_operations] == [("GET /tasks", 12)]


def test_a_result_with_half_of_its_seconds_is_no_evidence(tmp_path: Path) -> None:
    """The slow half of a run is gone: what is left would meet any objective."""
    folder = steady(tmp_path, lambda at: [9000.0] if at % 2 else [10.0], seconds=10)
    lines = (folder / "seconds.jsonl").read_text().splitlines(keepends=True)
    (folder / "seconds.jsonl").write_text("".join(lines[::2]))
    assert read_load_run(folder).gaps() == [
        "result.json has 10 requests of GET /tasks over http, 0 of them failed, and seconds.jsonl has 5 and 0:"
        " figures are missing"
    ]


@pytest.mark.parametrize("part", ["operations", "journeys"])
def test_a_line_without_a_part_of_its_figures_is_noticed(tmp_path: Path, part: str) -> None:
    visits = [tally("visit", [9.0], {"GET /tasks: status 500": 1}).to_json()]
    folder = write(tmp_path, [line(at, [tally("GET /tasks", [5.0])], journeys=visits) for at in range(3)])
    first, *rest = (json.loads(text) for text in (folder / "seconds.jsonl").read_text().splitlines())
    (folder / "seconds.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in [first | {part: []}, *rest]))
    (gap,) = read_load_run(folder).gaps()
    assert gap.endswith("figures are missing")


def test_failures_that_became_good_responses_are_noticed(tmp_path: Path) -> None:
    folder = write(tmp_path, [line(at, [tally("GET /tasks", [5.0], {"status 500": 1})]) for at in range(3)])
    lines = [line(at, [tally("GET /tasks", [5.0, 5.0])]) for at in range(3)]
    (folder / "seconds.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    (gap,) = read_load_run(folder).gaps()
    assert "6 requests of GET /tasks over http, 3 of them failed, and seconds.jsonl has 6 and 0" in gap


def test_a_line_that_came_after_the_reset_counts_as_in_the_result(tmp_path: Path) -> None:
    """Its interval ended before the reset, but the totals were cleared before it came."""
    lines = [line(at, [tally("GET /tasks", [5.0])]) for at in range(3)]
    folder = write(tmp_path, lines)
    records = [lines[0], {"reset": STARTED + 2.5}, lines[1], lines[2]]
    (folder / "seconds.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in records))
    run = read_load_run(folder)
    assert [entry["second"] - STARTED for entry in run.lines] == [1, 2]
