"""The CPU time of a generator is that of its whole process tree, by the kernel; started programs are ended."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from loadtests.bench import cpu
from loadtests.bench.process import Program, ProgramFailed, running, wait_until

BURN = """
import json, os, sys, time
while time.process_time() < {seconds}: pass
print(json.dumps(time.process_time()), flush=True)
"""
SLACK = 0.05  # seconds: two ticks of each process, and what it uses while it is looked at


def burner(*burns: str) -> list[str]:
    """A program that runs these pieces of Python and then waits for its end."""
    return [sys.executable, "-c", "\n".join([*burns, "import time", "time.sleep(600)"])]


def burnt(program: Program, pieces: int, folder: Path) -> float:
    """CPU seconds that so many pieces said they had used, once all have said so."""
    wait_until(lambda: len(program.output().splitlines()) == pieces, 30, program, "everything is burnt")
    return sum(json.loads(line) for line in (folder / "output.txt").read_text().splitlines())


def test_a_burner_has_spent_what_it_says(tmp_path: Path) -> None:
    with running(burner(BURN.format(seconds=0.4)), tmp_path) as program:
        burnt_seconds = burnt(program, 1, tmp_path)
        assert cpu.cpu_seconds(program.session) == pytest.approx(burnt_seconds, abs=SLACK)


def test_a_child_that_was_waited_for_counts(tmp_path: Path) -> None:
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(seconds=1)!r}])"
    with running(burner(child), tmp_path) as program:
        burnt_seconds = burnt(program, 1, tmp_path)
        own = cpu.cpu_seconds(program.session) - burnt_seconds
        assert -SLACK <= own < 0.9, "the child's share is there once, and the parent's own start-up is small"


def test_a_child_that_lives_counts(tmp_path: Path) -> None:
    lasting = BURN.format(seconds=0.3) + "\ntime.sleep(600)"
    child = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {lasting!r}])"
    with running(burner(child), tmp_path) as program:
        burnt_seconds = burnt(program, 1, tmp_path)
        assert cpu.cpu_seconds(program.session) >= burnt_seconds - SLACK
        assert len(cpu.members(program.session)) == 2


def test_user_and_system_time_are_told_apart(tmp_path: Path) -> None:
    compute = "import time\nsum(range(20_000_000))\nprint(time.process_time(), flush=True)"
    with running(burner(compute), tmp_path) as program:
        burnt(program, 1, tmp_path)
        user, system = cpu.user_and_system_seconds(program.session)
        assert user > system
        assert user + system == pytest.approx(cpu.cpu_seconds(program.session), abs=SLACK)


def test_the_children_are_gone_when_the_block_ends(tmp_path: Path) -> None:
    child = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    with running(burner(child, "print(1, flush=True)"), tmp_path) as program:
        wait_until(lambda: "1" in program.output(), 30, program, "the child was started")
    assert cpu.members(program.session) == []


def test_a_program_keeps_to_its_core(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    with running(burner("import os; print(sorted(os.sched_getaffinity(0)), flush=True)"), tmp_path, core) as program:
        wait_until(lambda: bool(program.output()), 30, program, "it told its cores")
        assert json.loads(program.output()) == [core]


def test_a_core_has_worked_as_long_as_a_burner_on_it(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    before = cpu.core_busy_seconds(core)
    with running(burner(BURN.format(seconds=0.4)), tmp_path, core) as program:
        burnt_seconds = burnt(program, 1, tmp_path)
    assert cpu.core_busy_seconds(core) - before >= burnt_seconds - SLACK


def test_no_session_has_spent_nothing() -> None:
    assert cpu.cpu_seconds(2**22 + 1) == 0  # no process has an id beyond the kernel's largest


def test_a_program_that_ends_too_soon_is_reported_with_its_output(tmp_path: Path) -> None:
    with (
        running([sys.executable, "-c", "raise SystemExit('no such option')"], tmp_path) as program,
        pytest.raises(ProgramFailed, match=r"(?s)ended with exit code 1 before it listens.*no such option"),
    ):
        wait_until(lambda: False, 30, program, "it listens")
