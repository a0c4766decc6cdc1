"""What is left of a run on our references when a process of it is killed: a verdict, never green, and no orphans."""

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

from loadtests.selftest.trial import ROOT, Trial, alive, distributed, locust, until

pytestmark = pytest.mark.xdist_group("load-distributed")  # not at the same time as those of test_distributed

TEXT = "from loadtests.getflow import Getflow"
SLO = "run: {errors: 50 %}\napis: {getflow: {journeys: {read_all_pages: {max: 60 s}}}}"


def options(folder: Path, seconds: int) -> str:
    slo = folder / "slo.yaml"
    slo.write_text(SLO)
    return f"--headless --only-summary --rate 20 -u 20 -r 20 -t {seconds}s --slo {slo} {distributed()}"


def verdict(trial: Trial) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((trial.results / "verdict.json").read_text())
    return known


def measured(trial: Trial) -> list[str]:
    """The objectives that have a figure."""
    return [f"{one['scope']} {one['metric']}" for one in verdict(trial)["objectives"] if one["measured"] is not None]


def children(pid: int) -> dict[int, str]:
    """The processes that this one has started, and their command lines."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(one): Path(f"/proc/{one}/cmdline").read_bytes().replace(b"\0", b" ").decode() for one in found}


def of_this_run(trial: Trial) -> tuple[list[int], list[int]]:
    """The workers, and the reference that the run has started."""
    known = children(trial.process.pid)
    references = [pid for pid, command in known.items() if "fixtures.reference" in command]
    return [pid for pid in known if pid not in references], references


def playing(trial: Trial) -> bool:
    """Whether both workers have told of journeys."""
    return {line["worker"] for line in trial.lines() if line["journeys"]} == {"worker 0", "worker 1"}


EVERYTHING = ["run errors", "getflow journey read_all_pages max"]


def test_a_killed_worker_makes_the_run_inconclusive_and_what_it_measured_is_kept(tmp_path: Path) -> None:
    with locust(tmp_path, "", TEXT, options(tmp_path, 10)) as trial:
        until(lambda: playing(trial), "figures of both workers")
        workers, _ = of_this_run(trial)
        os.kill(workers[0], signal.SIGKILL)
        code = trial.wait()
    (lost,) = trial.result["lost"]
    found = verdict(trial)
    assert (code, found["verdict"], measured(trial)) == (3, "inconclusive", EVERYTHING)
    assert f"{lost} vanished, and with it up to a second of its figures" in found["reasons"]


def test_a_terminated_master_tells_what_was_measured_and_that_it_was_cut_short(tmp_path: Path) -> None:
    with locust(tmp_path, "", TEXT, options(tmp_path, 60)) as trial:
        until(lambda: playing(trial), "figures of both workers")
        workers, references = of_this_run(trial)
        trial.process.terminate()
        code = trial.wait()
        until(lambda: not any(map(alive, (*workers, *references))), "workers and reference to end", 10)
    found = verdict(trial)
    assert (code, found["verdict"], measured(trial)) == (3, "inconclusive", EVERYTHING)
    assert "cut short" in "; ".join(found["reasons"])


def test_a_killed_master_leaves_no_process_and_figures_that_can_be_judged(tmp_path: Path) -> None:
    with locust(tmp_path, "", TEXT, options(tmp_path, 60)) as trial:
        until(lambda: playing(trial), "figures of both workers")
        workers, references = of_this_run(trial)
        trial.process.kill()
        killed = time.monotonic()
        until(lambda: not any(map(alive, (*workers, *references))), "workers and reference to end", 20)
        assert time.monotonic() - killed < 10
    assert (len(workers), len(references)) == (2, 1)
    assert not (trial.results / "verdict.json").exists()
    command = [sys.executable, "-m", "reports", "--load", str(trial.results), "--results", str(tmp_path / "none")]
    made = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (made.returncode, "Traceback" in made.stderr) == (3, False), made.stdout + made.stderr
    assert (verdict(trial)["verdict"], measured(trial)) == ("inconclusive", EVERYTHING)
    assert "no end mark" in "; ".join(verdict(trial)["reasons"])
    assert {path.name for path in trial.results.iterdir()} >= {"verdict.md", "junit.xml", "load.html"}
