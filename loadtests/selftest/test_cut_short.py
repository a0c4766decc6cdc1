"""When a process of a run is killed, the run still has a verdict, which is never pass, and leaves no processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from loadtests.selftest.locust_run import (
    ROOT,
    LocustRun,
    alive,
    distributed_options,
    running_locust,
    tell_to_end,
    until_told,
    wait_until,
)

pytestmark = pytest.mark.xdist_group("load-distributed")  # not at the same time as those of test_distributed

TEXT = "from loadtests.getflow import Getflow\n"
JOURNEY = "read_all_pages"
SLO = f"run: {{errors: 50 %}}\napis: {{getflow: {{journeys: {{{JOURNEY}: {{max: 600 s}}}}}}}}"
EVERYTHING = ["run errors", f"getflow journey {JOURNEY} max"]


def options(folder: Path, run_time: str = "") -> str:
    slo = folder / "slo.yaml"
    slo.write_text(SLO)
    return f"--headless --only-summary --rate 20 -u 20 -r 20 {run_time} --slo {slo} {distributed_options()}"


def verdict(run: LocustRun) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.results / "verdict.json").read_text())
    return content


def measured(run: LocustRun) -> list[str]:
    """The objectives that have a figure."""
    return [
        f"{objective['scope']} {objective['metric']}"
        for objective in verdict(run)["objectives"]
        if objective["measured"] is not None
    ]


def children(pid: int) -> dict[int, str]:
    """The processes that this one has started, and their command lines."""
    child_pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {
        int(child): Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode() for child in child_pids
    }


def of_this_run(run: LocustRun) -> tuple[list[int], list[int]]:
    """The workers, and the reference that the run has started."""
    known = children(run.process.pid)
    references = [pid for pid, command in known.items() if "fixtures.reference" in command]
    return [pid for pid in known if pid not in references], references


def have_all_reported(run: LocustRun) -> bool:
    """Whether the master has figures of both workers, and a good journey for each objective, in its own file."""
    journeys = [
        (line["worker"], journey["operation"])
        for line in run.lines()
        for journey in line["journeys"]
        if "corrected" in journey
    ]
    return {worker for worker, _ in journeys} == {"worker 0", "worker 1"} and JOURNEY in {name for _, name in journeys}


@pytest.mark.slow
def test_a_killed_worker_makes_the_run_inconclusive_and_what_it_measured_is_kept(tmp_path: Path) -> None:
    text = TEXT + until_told(tmp_path, users=20)
    with running_locust(tmp_path, "", text, options(tmp_path)) as run:
        wait_until(lambda: run.has_ended or have_all_reported(run), "figures of both workers")
        workers, _ = of_this_run(run)
        os.kill(workers[0], signal.SIGKILL)
        tell_to_end(tmp_path)
        code = run.wait()
    (lost,) = run.result["lost"]
    verdict_json = verdict(run)
    assert (code, verdict_json["verdict"], measured(run)) == (3, "inconclusive", EVERYTHING)
    assert f"{lost} vanished, and with it up to a second of its figures" in verdict_json["reasons"]


def test_a_terminated_master_reports_what_was_measured_and_that_it_was_cut_short(tmp_path: Path) -> None:
    with running_locust(tmp_path, "", TEXT, options(tmp_path, "-t 600s")) as run:
        wait_until(lambda: run.has_ended or have_all_reported(run), "figures of both workers")
        workers, references = of_this_run(run)
        run.process.terminate()
        code = run.wait()
        wait_until(lambda: not any(map(alive, (*workers, *references))), "workers and reference to end")
    verdict_json = verdict(run)
    assert (code, verdict_json["verdict"], measured(run)) == (3, "inconclusive", EVERYTHING)
    assert "cut short" in "; ".join(verdict_json["reasons"])


def test_a_killed_master_leaves_no_process_and_figures_that_can_be_validated(tmp_path: Path) -> None:
    with running_locust(tmp_path, "", TEXT, options(tmp_path, "-t 600s")) as run:
        wait_until(lambda: run.has_ended or have_all_reported(run), "figures of both workers")
        workers, references = of_this_run(run)
        run.process.kill()
        killed = time.monotonic()
        wait_until(lambda: not any(map(alive, (*workers, *references))), "workers and reference to end")
        assert time.monotonic() - killed < 45, "Locust itself would wait for 60 s"
    assert (len(workers), len(references)) == (2, 1)
    assert not (run.results / "verdict.json").exists()
    command = [sys.executable, "-m", "reports", "--load", str(run.results), "--results", str(tmp_path / "none")]
    process = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert (process.returncode, "Traceback" in process.stderr) == (3, False), process.stdout + process.stderr
    assert (verdict(run)["verdict"], measured(run)) == ("inconclusive", EVERYTHING)
    assert "no end mark" in "; ".join(verdict(run)["reasons"])
    assert {path.name for path in run.results.iterdir()} >= {"verdict.md", "junit.xml", "load.html"}
