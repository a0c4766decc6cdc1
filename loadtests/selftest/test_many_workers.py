"""A master of fifty workers adds up nothing while they run, and its totals are exact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.selftest.locust_run import ROOT, free_port, running_locust, wait_until
from loadtests.selftest.test_lost_master import IDLE, NOWHERE
from reports.load.load_run import read_load_run

WORKERS = 50
LINES = 300  # whose cost is measured: a worker sends one a second
SHARE = 0.2  # of a core


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_fifty_workers_cost_their_master_less_than_a_fifth_of_a_core(tmp_path: Path) -> None:
    """Each sends the figures of 1,200 requests a second: 60,000 a second in all."""
    port = free_port()
    options = f"--master --headless -u {WORKERS} -r {WORKERS} --expect-workers {WORKERS} -t 15s --stop-timeout 1"
    options += f" --master-bind-host 127.0.0.1 --master-bind-port {port}"
    with running_locust(tmp_path, NOWHERE, IDLE, options) as run:
        command = [sys.executable, "-m", "loadtests.bench.simulated_workers", str(port), str(WORKERS)]
        environ = os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen([*command, str(tmp_path / "expected.json")], cwd=ROOT, env=environ) as simulation:
            wait_until(lambda: run.has_ended or len({line["worker"] for line in run.lines()}) == WORKERS, "all workers")
            lines, cpu = len(run.lines()), cpu_seconds(run.process.pid)
            wait_until(lambda: run.has_ended or len(run.lines()) > lines + LINES, "lines of all workers")
            cpu_of_line = (cpu_seconds(run.process.pid) - cpu) / (len(run.lines()) - lines)
            run.wait()
            assert simulation.wait(60) == 0
    expected = json.loads((tmp_path / "expected.json").read_text())
    read = read_load_run(run.results)
    assert [it.to_json() for it in read.result.operations] == expected
    assert (read.problems, run.result["lost"], len(run.result["health"])) == ((), [], WORKERS)
    assert cpu_of_line * WORKERS < SHARE
