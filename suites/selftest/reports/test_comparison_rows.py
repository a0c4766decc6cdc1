"""What a comparison of two load runs compares, and how it is printed: from runs made in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from reports.load import compare_command, comparison_text, run_comparison, timeline
from reports.load.compare_command import main
from reports.load.comparison_text import time_lines
from reports.load.difference import BETTER, ERROR_RATE, MAX_BATCHES, SAME, TOO_FEW, WORSE, Difference
from reports.load.histogram import Histogram
from reports.load.load_run import LoadRun, NoLoadRun
from reports.load.outcome_comparison import OUTCOME_ERROR_RATE, SHARES, THROUGHPUT, OutcomeRow
from reports.load.run_comparison import EVERYTHING, ComparisonRow, batches_of_both, compare, compare_runs, verdict
from reports.load.timeline import Span
from reports.results.verdicts import EXIT_CODES
from suites.selftest.reports.load_sample import STARTED, line, result, tally

MS = 1_000_000
Milliseconds = Callable[[int], Sequence[float]]


def load_run(lines: Sequence[dict[str, Any]], **plan: Any) -> LoadRun:
    """A run of these lines that came to its end."""
    content = {"name": "run", "started": STARTED, "planned": None, "workers": 1, "apis": []} | plan
    return LoadRun(Path("run"), content, result(content, lines), True, tuple(lines), ())


def of_seconds(times: Milliseconds, seconds: int = 30, **plan: Any) -> LoadRun:
    return load_run([line(at, [tally("GET /tasks", times(at))]) for at in range(seconds)], **plan)


def spans(*times: Sequence[int]) -> list[Span]:
    """Spans of a second, each with these times in ms."""
    made_up = []
    for at, milliseconds in enumerate(times):
        histogram = Histogram()
        histogram.record_many([ms * MS for ms in milliseconds])
        made_up.append(Span(at, at + 1, 1.0, histogram))
    return made_up


# ------------------------------------------------------------------------------------------------ batches


@pytest.mark.parametrize(
    ("responses", "seconds", "percent", "number"),
    [
        (10, 15, 50.0, 5),
        (10, 14, 50.0, 0),
        (10, 36, 50.0, 12),
        (10, 90, 50.0, MAX_BATCHES),
        (4, 15, 50.0, 5),
        (3, 15, 50.0, 0),
        (3, 19, 50.0, 5),
        (40, 15, 95.0, 5),
        (20, 30, 95.0, 6),
        (10, 30, 99.0, 0),
    ],
)
def test_number_of_batches_follows_responses_and_seconds(
    responses: int, seconds: int, percent: float, number: int
) -> None:
    both = spans(*[[5] * responses] * seconds)
    before, after = batches_of_both(both, both, percent)
    assert (len(before), len(after)) == (number, number)


def test_run_with_fewer_responses_or_seconds_decides() -> None:
    many, few, short = spans(*[[5] * 10] * 36), spans(*[[5] * 2] * 36), spans(*[[5] * 20] * 18)
    for pair, number in (((many, few), 7), ((few, many), 7), ((many, short), 6), ((short, many), 6)):
        assert [len(batches) for batches in batches_of_both(*pair, 50.0)] == [number, number]


def test_batch_is_the_logarithm_of_its_percentile() -> None:
    rising = spans(*[[second + 1] * 10 for second in range(15)])
    before, after = batches_of_both(rising, spans(*[[0] * 10] * 15), 50.0)
    assert before == pytest.approx([math.log(ms * MS) for ms in (2, 5, 8, 11, 14)], abs=0.001)
    assert after == [0.0] * 5


def test_batch_without_responses_is_left_out() -> None:
    before, after = batches_of_both(spans(*[[]] * 3, *[[5] * 20] * 12), spans(*[[5] * 20] * 15), 50.0)
    assert (len(before), len(after)) == (4, 5)


# ------------------------------------------------------------------------------------------------ rows


def test_operations_and_journeys_of_both_runs_are_compared() -> None:
    def lines(*names: str, journeys: str) -> list[dict[str, Any]]:
        return [
            line(at, [tally(name, [5.0]) for name in names], journeys=[tally(journeys, [9.0]).to_json()])
            for at in range(6)
        ]

    before = load_run(lines("GET /b", "GET /a", "GET /old", journeys="visit"))
    after = load_run(lines("GET /a", "GET /b", "GET /new", journeys="visit"))
    rows = compare_runs(before, after)
    names = ["all operations", "GET /a over http", "GET /b over http", "journey visit of http"]
    assert [(row.operation, row.percent) for row in rows] == [
        (name, percent) for name in names for percent in (50.0, 95.0, 99.0)
    ]
    assert {row.difference.verdict for row in rows} == {TOO_FEW}
    assert {(row.before, row.after) for row in rows[3:9]} == {(5_000_000, 5_000_000)}


def test_first_and_last_second_are_left_out() -> None:
    before = of_seconds(lambda at: [500.0] if at in (0, 9) else [5.0], 10)
    after = of_seconds(lambda at: [500.0] if at in (1, 8) else [9.0], 10)
    p99 = compare_runs(before, after)[2]
    assert (p99.before, p99.after) == (5_000_000, 500_000_000)


def test_long_run_is_compared_by_seconds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MAX_SPANS", 5)
    run = of_seconds(lambda at: [500.0] if at == 1 else [5.0], 12)
    assert compare_runs(run, run)[2].before == 500_000_000


def test_seconds_without_figures_are_left_out() -> None:
    lines = [line(at, [tally("GET /tasks", [500.0 if at == 3 else 5.0])]) for at in (0, 3, 5, 6, 9)]
    p99 = compare_runs(load_run(lines), load_run(lines))[2]
    assert p99.before == 500_000_000
    lines = [line(at, [tally("GET /tasks", [500.0 if at == 2 else 5.0])]) for at in (2, 5, 6, 9)]
    assert compare_runs(load_run(lines), load_run(lines))[2].before == 5_000_000


def test_seconds_of_other_phases_are_left_out() -> None:
    phases = [
        {"name": "warm-up", "begin": 0.0, "end": 5.0, "judged": False},
        {"name": "steady", "begin": 5.0, "end": 30.0, "judged": True},
    ]
    run = of_seconds(lambda at: [500.0] if at <= 5 else [float(at)], 12, phases=phases)
    rows = compare_runs(run, run)
    assert [(row.before, row.after) for row in rows[:1]] == [(8_003_000, 8_003_000)]


def test_slower_run_is_worse() -> None:
    noise = (4.0, 5.0, 6.0, 5.0, 4.5)
    before = of_seconds(lambda at: [noise[at % 5]] * 10, 32)
    after = of_seconds(lambda at: [2 * noise[at % 5]] * 10, 32)
    p50, p95, p99 = compare_runs(before, after)[:3]
    assert (p50.difference.verdict, p95.difference.verdict, p99.difference.verdict) == (WORSE, TOO_FEW, TOO_FEW)
    assert p50.difference.change == pytest.approx(1.0, abs=0.01)
    assert compare_runs(after, before)[0].difference.verdict == BETTER


# ------------------------------------------------------------------------------------------------ texts


def row(name: str, outcome: str, **figures: float) -> ComparisonRow:
    return ComparisonRow(name, 99.0, 5_000_000, 12_345_678, Difference(outcome, **figures))


ROWS = [
    row("few", TOO_FEW),
    row("alike", SAME, change=0.01, low=-0.05, high=0.07, least=0.125),
    row("better", BETTER, change=-0.1, low=-0.2, high=-0.05, least=0.1),
    row("worse", WORSE, change=0.1, low=0.05, high=0.2, least=0.1),
]


def test_table_has_what_differs_first() -> None:
    assert time_lines(ROWS) == [
        "operation  percentile  A ms  B ms   change  interval         smallest seen  verdict",
        "worse      p99         5     12.35  +10.0%  +5.0% to +20.0%  10.0%          worse",
        "better     p99         5     12.35  -10.0%  -20.0% to -5.0%  10.0%          better",
        "alike      p99         5     12.35  +1.0%   -5.0% to +7.0%   12.5%          not distinguishable",
        "few        p99         5     12.35  -       -                -              too few responses",
        "compared 4 percentiles: 1 worse, 1 better, 1 not distinguishable, 1 without enough evidence",
    ]


@pytest.mark.parametrize(
    ("rows", "doubts", "expected"),
    [
        (ROWS, [], "fail"),
        (ROWS, ["x"], "fail"),
        (ROWS[:3], [], "pass"),
        (ROWS[:2], [], "pass"),
        (ROWS[:3], ["x"], "inconclusive"),
        (ROWS[:1], [], "inconclusive"),
        ([], [], "inconclusive"),
    ],
)
def test_verdict_of_the_rows(rows: list[ComparisonRow], doubts: list[str], expected: str) -> None:
    assert verdict(rows, doubts) == expected


SHARE = next(iter(SHARES))  # a metric


def outcome_row(operation: str, metric: str, outcome: str) -> OutcomeRow:
    return OutcomeRow(operation, metric, 0.0, 0.5, Difference(outcome))


@pytest.mark.parametrize(
    ("rows", "outcomes", "is_unfit", "expected"),
    [
        (ROWS, [], True, "inconclusive"),
        (ROWS[:2], [outcome_row(EVERYTHING, THROUGHPUT, WORSE)], False, "fail"),
        (ROWS[:2], [outcome_row(EVERYTHING, THROUGHPUT, WORSE)], True, "inconclusive"),
        (ROWS[:2], [outcome_row(EVERYTHING, SHARE, WORSE)], True, "fail"),
        (ROWS[:2], [outcome_row(EVERYTHING, SHARE, WORSE)], False, "fail"),
        (ROWS[:2], [outcome_row(EVERYTHING, SHARE, TOO_FEW)], False, "inconclusive"),
        (ROWS[:2], [outcome_row(EVERYTHING, SHARE, SAME), outcome_row("x", SHARE, TOO_FEW)], False, "pass"),
    ],
)
def test_an_unfit_generator_blames_nobody_for_times(
    rows: list[ComparisonRow], outcomes: list[OutcomeRow], is_unfit: bool, expected: str
) -> None:
    assert verdict(rows, [], outcomes, is_unfit) == expected


def test_a_generator_that_was_not_fit_makes_slower_times_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (of_seconds(lambda _: [5.0] * 20, 9) for _ in range(2))
    monkeypatch.setattr(run_comparison, "compare_runs", lambda *_: ROWS)
    monkeypatch.setattr(run_comparison, "compare_outcomes", lambda _: [])
    assert compare(before, after).verdict == "fail"
    after.result.health["local"] = {"reasons": ["journeys started late"]}
    assert compare(before, after).verdict == "inconclusive"


def test_times_leave_outcomes_their_part_of_the_error_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []

    def compare_batches(rows: Sequence[Any], error_rate: float) -> list[Difference]:
        rates.append(error_rate)
        return [Difference(SAME)] * len(rows)

    monkeypatch.setattr(run_comparison, "compare_batches", compare_batches)
    compare_runs(of_seconds(lambda _: [5.0]), of_seconds(lambda _: [5.0]))
    assert rates == [pytest.approx(ERROR_RATE - OUTCOME_ERROR_RATE)]
    assert 0 < rates[0] < ERROR_RATE


# ------------------------------------------------------------------------------------------------ command


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[str, LoadRun]:
    """The runs that are read, by the names of their folders."""
    known: dict[str, LoadRun] = {}

    def read(folder: Path) -> LoadRun:
        assert isinstance(folder, Path)
        if str(folder) not in known:
            raise NoLoadRun(f"{folder} holds no load run")
        return known[str(folder)]

    monkeypatch.setattr(compare_command, "read_load_run", read)
    return known


def test_command_prints_table_and_doubts(runs: dict[str, LoadRun], capsys: pytest.CaptureFixture[str]) -> None:
    runs["before"], runs["after"] = of_seconds(lambda _: [5.0], 6, workers=2), of_seconds(lambda _: [9.0], 6)
    runs["after"].result.arrivals = {"User": {"planned": 10.0, "started": 5, "dropped": 5}}
    runs["after"].result.health["local"] = {"reasons": ["journeys started late"]}
    assert main(["before", "after"]) == 3
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].split() == ["all", "operations", "p50", "5", "9", "-", "-", "-", "too", "few", "responses"]
    assert printed[7] == "compared 6 percentiles: 0 worse, 0 better, 0 not distinguishable, 6 without enough evidence"
    at = printed.index("not the same workers: A 2, B 1")
    assert [text.split(":")[0] for text in printed[at + 1 :]] == ["A", "B", "B", "compare"]


@pytest.mark.parametrize(("workers", "code"), [(1, 0), (2, 3)])
def test_run_with_a_gap_makes_no_pass(
    runs: dict[str, LoadRun], monkeypatch: pytest.MonkeyPatch, workers: int, code: int
) -> None:
    runs["before"], runs["after"] = (of_seconds(lambda _: [5.0] * 20, 9, workers=workers) for _ in range(2))
    monkeypatch.setattr(run_comparison, "compare_runs", lambda *_: ROWS[:3])
    assert main(["before", "after"]) == code


def test_comparison_is_written_to_the_files_that_are_named(runs: dict[str, LoadRun], tmp_path: Path) -> None:
    runs["before"], runs["after"] = of_seconds(lambda _: [5.0], 6), of_seconds(lambda _: [9.0], 6)
    comparison = compare(runs["before"], runs["after"])
    json_file, page = tmp_path / "c.json", tmp_path / "c.md"
    assert main(["before", "after", "--json", str(json_file), "--markdown", str(page)]) == comparison.exit_code
    assert json_file.read_text("utf-8") == comparison_text.to_json(comparison)
    assert page.read_text("utf-8") == comparison_text.markdown(comparison)


@pytest.mark.parametrize("option", ["json", "markdown"])
def test_a_file_that_cannot_be_written_is_a_misuse(
    runs: dict[str, LoadRun], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    runs["before"] = runs["after"] = of_seconds(lambda _: [5.0], 6)
    path = tmp_path / "nowhere" / "c"
    assert main(["before", "after", f"--{option}", str(path)]) == EXIT_CODES["misuse"]
    reason = f"cannot write {path} (No such file or directory); name a file in a folder that exists"
    assert capsys.readouterr().err == f"--{option}: {reason}\n"


def test_folder_without_a_run_is_named(runs: dict[str, LoadRun], capsys: pytest.CaptureFixture[str]) -> None:
    runs["before"] = of_seconds(lambda _: [5.0], 6)
    assert main(["before", "after"]) == 2
    assert capsys.readouterr() == ("", "after holds no load run\n")


def test_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert text.startswith(
        "usage: python -m reports compare [-h] [--json FILE] [--markdown FILE] A B\n\nCompares two load runs.\n"
    )
    assert "folder of the run before\n" in text
    assert "also write the comparison as JSON\n" in text
    assert "also write the comparison as Markdown\n" in text
    assert "folder of the run after\n" in text


@pytest.mark.parametrize(("thinned", "width"), [(False, 1.0), (True, 0.0)])
def test_run_whose_old_seconds_were_added_up_is_compared_by_the_spans_that_it_has(
    monkeypatch: pytest.MonkeyPatch, thinned: bool, width: float
) -> None:
    widths: list[float] = []

    def observed(run: LoadRun, seconds: float, of: str) -> dict[Any, list[Span]]:
        widths.append(seconds)
        return timeline.timeline(run, seconds, of)

    monkeypatch.setattr(LoadRun, "is_thinned", thinned)
    monkeypatch.setattr(run_comparison, "timeline", observed)
    run = of_seconds(lambda _: [5.0], 6)
    compare_runs(run, run)
    assert set(widths) == {width}
