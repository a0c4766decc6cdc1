"""Reports of tools are read in their own units, and called true only where they are close to the true latencies."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.bench import accuracy_table
from loadtests.bench.accuracy_clients import CLIENTS, NAMES, Reported
from loadtests.bench.generators import Workload
from loadtests.bench.process import ProgramFailed, running
from loadtests.bench.timed_run import TimedRun, delayed_server

TRUTH = {"p50": 5.0, "p95": 510.0, "p99": 910.0, "p99.9": 1000.0, "max": 1005.0}
RUN = TimedRun("wrk", 1, 200.0, True, Reported(4000, TRUTH), TRUTH, TRUTH, 4000, 0.0)


def reported(**times: float) -> TimedRun:
    """A run in which these percentiles were reported instead of the true ones."""
    return replace(RUN, reported=Reported(4000, {**TRUTH, **times}))


def test_latencies_of_wrk_are_read(tmp_path: Path) -> None:
    line = '{"count": 100, "p50": 5100, "p95": 5200, "p99": 5300, "p99.9": 5400, "max": 1005500}'
    (tmp_path / "output.txt").write_text(f"Running 10s test\n  2 threads\n{line}\n")
    report = NAMES["wrk"].read(tmp_path)
    assert (report.count, report.times["p50"], report.times["max"]) == (100, 5.1, 1005.5)


def test_wrk_without_its_line_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "output.txt").write_text("unable to connect\n")
    with pytest.raises(ProgramFailed, match="wrk reported nothing"):
        NAMES["wrk"].read(tmp_path)


def test_the_aggregated_row_of_locust_is_read(tmp_path: Path) -> None:
    (tmp_path / "locust_stats.csv").write_text(
        "Type,Name,Request Count,Max Response Time,50%,95%,99%,99.9%\n"
        "GET,/v2/tasks/[id],7,8.5,1,2,3,4\n"
        ",Aggregated,70,1009.25,5,6,6,9\n"
    )
    report = NAMES["locust-closed"].read(tmp_path)
    assert report.count == 70
    assert report.times == {"p50": 5, "p95": 6, "p99": 6, "p99.9": 9, "max": 1009.25}


def test_durations_and_dropped_iterations_of_k6_are_read(tmp_path: Path) -> None:
    values = {"count": 90, "p(50)": 5.3, "p(95)": 5.7, "p(99)": 921, "p(99.9)": 1001, "max": 1007, "min": 5}
    metrics = {"http_req_duration": {"values": values}, "dropped_iterations": {"values": {"count": 728, "rate": 18}}}
    (tmp_path / "k6.json").write_text(json.dumps(metrics))
    report = NAMES["k6"].read(tmp_path)
    assert report == Reported(90, {"p50": 5.3, "p95": 5.7, "p99": 921, "p99.9": 1001, "max": 1007}, {"dropped": 728})


def test_exact_percentiles_are_close() -> None:
    assert accuracy_table.is_close([RUN])


@pytest.mark.parametrize("times", [{"p50": 6.0}, {"p50": 4.0}, {"p95": 520.1}, {"max": 1025.0}])
def test_an_error_of_1_ms_or_2_percent_is_close(times: dict[str, float]) -> None:
    assert accuracy_table.is_close([reported(**times)])


@pytest.mark.parametrize("times", [{"p50": 6.1}, {"p50": 3.9}, {"p95": 521.0}, {"p99": 6.0}, {"max": 1030.0}])
def test_one_percentile_beyond_that_is_not_close(times: dict[str, float]) -> None:
    assert not accuracy_table.is_close([reported(**times)])


def test_the_median_of_the_rounds_decides() -> None:
    assert accuracy_table.is_close([reported(p99=6.0), RUN, RUN])
    assert not accuracy_table.is_close([reported(p99=6.0), reported(p99=6.0), RUN])


def test_the_table_shows_report_error_and_verdict() -> None:
    page = accuracy_table.markdown([reported(p99=6.0)], {})
    assert "| wrk --latency | 200 | 4,000 | 5.0 (+0.0) | 510.0 (+0.0) | 6.0 (-904.0) |" in page
    assert page.count("| wrong |") == 1


def steady(rate: float, late: float = 0.2, busy: float = 0.3, dropped: float = 0.0, **times: float) -> TimedRun:
    """A run of ours at that rate, at the server that does not freeze."""
    notes = {"late_p50_ms": 0.1, "late_p99_ms": late, "busy": busy, "dropped": dropped}
    return replace(RUN, client="ours", rate=rate, freezes=False, reported=Reported(4000, {**TRUTH, **times}, notes))


def verdicts(*runs: TimedRun) -> list[bool | None]:
    """Whether the times are true, and the starts punctual."""
    return [is_met for _, _, is_met in accuracy_table.targets(runs)]


def test_times_have_to_be_true_up_to_most_of_the_rate_that_is_held() -> None:
    too_much = steady(40_000, busy=0.95, p99=5000.0)
    assert verdicts(steady(10_000), steady(20_000), too_much) == [True, True]
    assert verdicts(steady(10_000, p99=5000.0), steady(20_000), too_much) == [False, True]


def test_a_rate_with_drops_is_not_held() -> None:
    (_, sentence, _), _ = accuracy_table.targets([steady(500), steady(1000), steady(2000, dropped=1)])
    assert sentence.startswith("holds 1,000 a second")


def test_a_late_start_counts_up_to_10_000_a_second() -> None:
    assert verdicts(steady(10_000), steady(20_000, late=3.0)) == [True, True]
    assert verdicts(steady(500), steady(10_000, late=1.5)) == [True, False]


def test_wrong_times_of_a_bare_client_are_reported_beside_ours() -> None:
    bare = replace(steady(500, p99=5000.0), client="bare")
    (_, sentence, is_met), _ = accuracy_table.targets([steady(500, p99=5000.0), steady(1000), bare])
    assert (sentence, is_met) == (
        "holds 1,000 a second; wrong at 500; at 500 so is a client that does nothing else",
        False,
    )


def test_without_ours_there_are_no_targets() -> None:
    assert accuracy_table.targets([RUN]) == []


def test_a_paced_user_gets_its_share_of_the_rate() -> None:
    paces = {client.name: client.environment(400.0)["BENCH_PACE"] for client in CLIENTS}
    assert paces["locust-paced"] == "2.0"  # of 200 users
    assert {pace for name, pace in paces.items() if name != "locust-paced"} == {"0"}


@pytest.mark.parametrize("name", ["ours", "locust-closed", "bare"])
def test_our_programs_run_and_their_figures_are_found(name: str, tmp_path: Path) -> None:
    client = replace(NAMES[name], users=4)
    mine = tmp_path / "client"
    mine.mkdir()
    with delayed_server(tmp_path / "server", False) as (url, ask):
        command = client.command(Workload(url, client.users, mine), 50.0, 1)
        with running(command, mine, None, client.environment(50.0)) as program:
            assert program.wait(60) in client.ends, program.output()
        report = client.read(mine)
        responses = ask()["requests"]
    assert 0 < report.count <= responses
    assert report.times["p50"] >= 4, "the server takes 5 ms, and Locust rounds"
