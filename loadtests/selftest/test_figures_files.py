"""Old seconds of a long run become minutes on the disk, and no total changes, however the run ends."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.distributed import figures_file, figures_sum
from loadtests.distributed.figures_file import FiguresFile
from loadtests.distributed.figures_sum import FiguresSum, encode_line
from reports.load import run_comparison
from reports.load.load_run import LoadRun, read_load_run, sum_kinds
from reports.load.operation_statistics import FailedRequest, OperationStatistics
from reports.load.run_lines import RunLines
from reports.load.search_steps import FiguresTail
from reports.load.slo import read_objectives
from reports.load.timeline import timeline

STARTED = 1_700_000_000
MS = 1_000_000
WORKERS = ("worker 0", "worker 1")


class Clock:
    """The monotonic clock of the files; the test sets it."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Minutes of 6 seconds, segments of 60."""
    clock = Clock()
    monkeypatch.setattr(figures_file, "time", clock)
    monkeypatch.setattr(figures_file, "SEGMENT_SECONDS", 60.0)
    monkeypatch.setattr(figures_sum, "MINUTE", 6)
    monkeypatch.setattr(figures_sum, "GUARD", 1.0)
    return clock


def statistics(randomness: random.Random) -> tuple[list[OperationStatistics], list[OperationStatistics]]:
    """The figures of a second: times of two operations, and sometimes a failure and a journey."""
    operations = []
    for name in ("GET /tasks", "POST /tasks"):
        operation = OperationStatistics(name, "http")
        times = [randomness.randrange(MS, 200 * MS) for _ in range(4)]
        operation.record_successes([(0, MS // 2, ns - 5, ns, 100) for ns in times])
        if randomness.random() < 0.2:
            operation.record_failures([FailedRequest("status 500", 0, 0, MS, 0, 500)])
        operations.append(operation)
    journey = OperationStatistics("visit", "Visitor")
    journey.record_successes([(0, 0, MS, MS, 0)])
    return operations, [journey]


def line(worker: str, number: int, figures: tuple[list[OperationStatistics], ...], **more: Any) -> dict[str, Any]:
    begin = STARTED + number
    counts = {"started": number, "dropped": 0, "planned": float(number + 1)}
    return {
        "run": "run", "worker": worker, "number": number, "second": begin, "from": begin + 0.001, "to": begin + 1.0,
        "users": 1, "spawned": {"Visitor": 1}, "arrivals": {"Visitor": counts},
        "health": {"reasons": []}, "operations": [it.to_json() for it in figures[0]],
        "journeys": [it.to_json() for it in figures[1]],
    } | more  # fmt: skip


class Recording:
    """A run of some seconds: its files, and all its lines as they would be without thinning."""

    def __init__(self, folder: Path, clock: Clock, phases: tuple[float, ...] = (), file: str = "seconds.jsonl") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.clock = clock
        self.lines: list[dict[str, Any]] = []
        self.file = FiguresFile(folder, file)
        self.sums = {worker: FiguresSum(lambda: None, (), phases) for worker in WORKERS}
        self.lost_minutes: set[int] = set()
        self._randomness = random.Random(1)

    def play(self, seconds: range, workers: tuple[str, ...] = WORKERS) -> None:
        for number in seconds:
            self.clock.now = float(number)
            for worker in workers:
                figures = statistics(self._randomness)
                of_second = line(worker, number, figures)
                self.lines.append(of_second)
                minute = self.sums[worker].add(of_second, figures)
                self.file.append(encode_line(of_second, ()), worker, number)
                if minute is not None and not (worker == WORKERS[0] and minute.first in self.lost_minutes):
                    self.file.append_minute(minute)

    def plan(self, **more: Any) -> None:
        content = {"name": "run", "started": STARTED, "planned": None, "workers": 2, "apis": [], "arrivals": {}}
        (self.folder / "plan.json").write_text(json.dumps(content | more))


def sums(lines: Any) -> dict[str, list[dict[str, Any]]]:
    return {kind: [entry.to_json() for entry in entries] for kind, entries in sum_kinds(lines).items()}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jsonl"))


def numbers_of_lines(folder: Path, name: str) -> Iterator[int]:
    for text in (folder / name).read_text().splitlines():
        yield json.loads(text)["number"]


def test_a_short_run_has_all_its_seconds(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(60))
    assert (files(tmp_path), list(RunLines(tmp_path, True))) == (["seconds.jsonl"], recording.lines)


def test_old_seconds_become_minutes_and_no_total_changes(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(300))
    assert files(tmp_path) == ["minutes.jsonl", "seconds.3.jsonl", "seconds.jsonl"]
    assert min(numbers_of_lines(tmp_path, "seconds.3.jsonl")) == 180
    assert len((tmp_path / "minutes.jsonl").read_text().splitlines()) == 2 * (180 // 6 + 1)
    assert sums(RunLines(tmp_path, True)) == sums(recording.lines)


def test_no_more_than_two_segments_of_seconds_are_kept(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    for begin in range(0, 600, 60):
        recording.play(range(begin, begin + 60))
        names = [name for name in files(tmp_path) if name.startswith("seconds")]
        assert sum(1 for name in names for _ in numbers_of_lines(tmp_path, name)) <= 2 * 2 * 60


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_no_line_is_lost_or_counted_twice_wherever_a_process_is_killed(
    tmp_path: Path, clock: Clock, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before minutes are written, before their seconds are removed, and after it."""

    class Killed(Exception):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    recording = Recording(tmp_path, clock)
    recording.play(range(120))
    if cut == 0:
        monkeypatch.setattr(FiguresFile, "_write", kill)
    elif cut == 1:
        monkeypatch.setattr(Path, "unlink", kill)
    if cut < 2:
        with pytest.raises(Killed):
            recording.play(range(120, 121))
        lines = recording.lines[:-1]
    else:
        recording.play(range(120, 121))
        lines = recording.lines
    monkeypatch.undo()
    assert sums(RunLines(tmp_path, True)) == sums(lines)


def test_seconds_whose_minute_was_lost_are_kept(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.lost_minutes = {4 + 6}  # the run begins 2 s after a minute
    recording.play(range(240))
    assert sums(RunLines(tmp_path, True)) == sums(recording.lines)
    assert files(tmp_path) == ["minutes.jsonl", "seconds.0.jsonl", "seconds.2.jsonl", "seconds.jsonl"]


def test_the_last_seconds_of_a_lost_worker_are_kept(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(70))
    recording.play(range(70, 250), WORKERS[1:])
    assert sums(RunLines(tmp_path, True)) == sums(recording.lines)
    assert "seconds.1.jsonl" in files(tmp_path)


def test_lines_of_another_process_without_numbers_are_kept(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(10))
    across = {name: value for name, value in recording.lines[0].items() if name != "number"} | {"worker": "master"}
    recording.file.append(encode_line(across, ()), "master")
    recording.play(range(10, 200))
    assert sums(RunLines(tmp_path, True)) == sums([*recording.lines, across])


@pytest.mark.parametrize("moment", [3, 59, 60, 123, 199])
def test_what_was_before_a_reset_does_not_count(tmp_path: Path, clock: Clock, moment: int) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(moment))
    recording.file.reset(json.dumps({"reset": STARTED + moment}))
    before = len(recording.lines)
    recording.play(range(moment, moment + 250))
    assert sums(RunLines(tmp_path, True)) == sums(recording.lines[before:])


def test_files_of_a_worker_count_where_the_master_has_missed_lines(tmp_path: Path, clock: Clock) -> None:
    """The master was killed after some minutes; both have thinned their lines until then."""
    master, worker = Recording(tmp_path, clock), Recording(tmp_path, clock, file="seconds-1.jsonl")
    for begin in range(0, 200, 10):
        master.play(range(begin, begin + 10))
        worker.play(range(begin, begin + 10))
    worker.play(range(200, 206))
    assert {"minutes.jsonl", "minutes-1.jsonl"} <= set(files(tmp_path))
    assert sums(RunLines(tmp_path, True)) == sums(worker.lines)
    assert sums(RunLines(tmp_path, False)) == sums(master.lines)


def test_a_reset_at_the_master_holds_for_the_files_of_workers(tmp_path: Path, clock: Clock) -> None:
    master, worker = Recording(tmp_path, clock), Recording(tmp_path, clock, file="seconds-1.jsonl")
    for begin in range(0, 200, 10):
        worker.play(range(begin, begin + 10))
        master.play(range(begin, begin + 10))
        if begin == 110:
            master.file.reset(json.dumps({"reset": STARTED + 120.0}))
    assert sums(RunLines(tmp_path, True)) == sums(worker.lines[240:])


def test_lines_that_overlap_are_a_problem(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(3))
    with (tmp_path / "minutes.jsonl").open("w") as file:
        minute = {name: value for name, value in recording.lines[0].items() if name != "number"}
        file.write(json.dumps(minute | {"numbers": [0, 1]}) + "\n" + json.dumps(minute | {"numbers": [1, 5]}) + "\n")
    assert RunLines(tmp_path, True).check().problems == ["lines 1 to 5 of worker 0 overlap with others"]


PHASES = [
    {"name": "warm-up", "begin": 0, "end": 100.5, "judged": False},
    {"name": "steady", "begin": 100.5, "end": 10_000, "judged": True},
]


def read(recording: Recording, **plan: Any) -> LoadRun:
    recording.plan(**plan)
    return read_load_run(recording.folder)


def test_objectives_apply_to_the_same_seconds(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path / "thinned", clock, (0.0, 100.5))
    recording.play(range(200))
    (tmp_path / "complete").mkdir()
    complete = tmp_path / "complete" / "seconds.jsonl"
    complete.write_text("".join(f"{encode_line(it, ())}\n" for it in recording.lines))
    thinned = read(recording, phases=PHASES)
    (tmp_path / "complete" / "plan.json").write_text((recording.folder / "plan.json").read_text())
    expected = read_load_run(tmp_path / "complete")
    assert (thinned.is_thinned, expected.is_thinned, thinned.phases) == (True, False, expected.phases)
    for of in ("judged_operations", "judged_journeys"):
        assert [it.to_json() for it in getattr(thinned, of)] == [it.to_json() for it in getattr(expected, of)]


def test_a_minute_of_two_phases_is_no_evidence(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.play(range(250))
    assert "2 lines of minutes.jsonl are of two phases" in read(recording, phases=PHASES).gaps()
    assert read(recording, phases=[phase | {"judged": True} for phase in PHASES])._blurs() == []


def test_a_sum_forgets_what_was_before_a_reset() -> None:
    randomness, total = random.Random(2), FiguresSum(lambda: None)
    for number in range(7):
        figures = statistics(randomness)
        total.add(line("worker 0", number, figures), figures)
    total.clear()
    total.add(line("worker 0", 7, figures), figures)
    assert total.encode_current() == {
        "operations": [it.to_json() for it in figures[0]],
        "journeys": [it.to_json() for it in figures[1]],
    }


def test_a_minute_that_is_reset_while_it_is_encoded_is_none() -> None:
    randomness = random.Random(3)
    pauses: list[int] = []

    def reset_once() -> None:
        pauses.append(1)
        if len(pauses) == 1:
            total.clear()

    total = FiguresSum(reset_once)
    minutes = []
    for number in range(5):
        figures = statistics(randomness)
        minutes.append(total.add(line("worker 0", number, figures), figures))
    assert minutes == [None] * 5


def test_totals_are_complete_while_a_minute_is_encoded() -> None:
    """A progress line may be printed in a pause."""
    randomness, lines, counts = random.Random(4), [], []
    is_observed = False

    def observe() -> None:
        nonlocal is_observed
        if not is_observed:
            is_observed = True
            counts.append(sum(it.requests for it in total.current()[0]))
            is_observed = False

    total = FiguresSum(observe)
    for number in range(5):
        figures = statistics(randomness)
        lines.append(line("worker 0", number, figures))
        total.add(lines[-1], figures)
    expected = sum(it.requests for it in sum_kinds(lines[:4])["operations"])
    assert set(counts) == {expected}
    assert total.encode_current() == sums(lines)


def test_secrets_are_masked_in_minutes() -> None:
    randomness, total = random.Random(5), FiguresSum(lambda: None, ("GET /tasks",))
    minutes = []
    for number in range(5):
        figures = statistics(randomness)
        minutes.append(total.add(line("worker 0", number, figures), figures))
    assert minutes[4] is not None
    assert "GET /tasks" not in minutes[4].text


def test_the_newest_lines_are_read_on_when_a_segment_begins(tmp_path: Path, clock: Clock) -> None:
    recording = Recording(tmp_path, clock)
    recording.plan()
    recording.play(range(50))
    (tmp_path / "slo.yaml").write_text("run: {errors: 100 %}")
    tail, objectives = FiguresTail(tmp_path / "seconds.jsonl", {}), read_objectives(tmp_path / "slo.yaml")
    assert len(list(tail.judge_span(objectives, STARTED, STARTED + 39).run.lines)) == 2 * 40
    recording.play(range(50, 70))
    assert len(list(tail.judge_span(objectives, STARTED + 40, STARTED + 70).run.lines)) == 2 * 30


def test_long_runs_are_compared_by_longer_spans(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    short, long, widths = Recording(tmp_path / "short", clock), Recording(tmp_path / "long", clock), []

    def observed(run: LoadRun, width: float, of: str) -> Any:
        widths.append(width)
        return timeline(run, width, of)

    monkeypatch.setattr(run_comparison, "timeline", observed)
    short.play(range(50))
    long.play(range(250))
    rows = run_comparison.compare_runs(read(short), read(long))
    assert (widths, bool(rows)) == ([1.0, 0.0] * 2, True)
