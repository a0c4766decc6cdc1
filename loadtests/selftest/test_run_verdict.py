"""The verdict at the end of a real run: exit codes, files, and profiles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import LocustRun, distributed_options, finished_run

FILE = """
from locust import constant
from loadtests.locust_plugin.listeners import register
from loadtests.user.journey_user import JourneyUser, journey

register()

class Visitor(JourneyUser):
    wait_time = constant(0.01)

    @journey
    def visit(self):
        yield self.request("GET", "/PATH")
"""
RAISING = FILE + "        raise LookupError('no title')\n"
LENIENT = "run: {errors: 1 %, p95: 5 s}"
PROFILES = """
kept:
  why: The generator may be as late as other tests on this machine make it.
  rate: 150 /s
  users: 100
  phases: [{name: steady, lasts: 2 s, at: 100 %}]
  generator: {late: 20 s, stalled: 1000 %}
sought:
  why: Two users of 200 ms each run 10 journeys a second at most. A step is longer than the second of a line.
  rate: 8 /s
  users: 2
  search: {step: 1.6 s, settle: 0.4 s, precision: 100 %, confirm: 1, most: 200 /s}
  generator: {late: 20 s, stalled: 1000 %}
"""


FEW = "-u 3 -r 3 -t 2s"


def short_run(
    folder: Path, slo: str, options: str = "", path: str = "visit", text: str = FILE, users: str = FEW
) -> LocustRun:
    """Two seconds of a few users, judged by these objectives; on a busy machine the generator may be unfit."""
    objectives = folder / "slo.yaml"
    objectives.write_text(slo)
    with running_target() as target:
        options = f"--headless {users} --only-summary --slo {objectives} {options}"
        return finished_run(folder, target.url, text.replace("PATH", path), options)


def profile_run(folder: Path, name: str, slo: str, path: str = "visit") -> LocustRun:
    """A run with that profile of PROFILES."""
    profiles = folder / "profiles.yaml"
    profiles.write_text(PROFILES)
    return short_run(folder, slo, f"--profiles {profiles} --profile {name}", path, users="")


def verdict(run: LocustRun) -> str:
    return str(json.loads((run.results / "verdict.json").read_text())["verdict"])


def test_a_run_that_meets_its_objectives_passes_and_leaves_its_reports(tmp_path: Path) -> None:
    run = profile_run(tmp_path, "kept", LENIENT)
    assert (run.process.returncode, verdict(run), "load: pass" in run.output) == (0, "pass", True)
    names = {path.name for path in run.results.iterdir()}
    assert names >= {"verdict.json", "verdict.md", "junit.xml", "load.html", "slo.yaml", "result.json"}


@pytest.mark.parametrize(
    ("slo", "path", "text", "code"),
    [
        (LENIENT, "fail", FILE, 1),
        ("run: {errors: 100 %}", "fail", FILE, 0),
        ("run: {errors: 100 %}\noperations: {GET /visits: {p95: 1 s}}", "fail", FILE, 3),
        (LENIENT, "visit", RAISING, 2),
    ],
    ids=["errors", "errors allowed", "an operation that never came", "a journey that raises"],
)
def test_exit_codes(tmp_path: Path, slo: str, path: str, text: str, code: int) -> None:
    run = short_run(tmp_path, slo, path=path, text=text)
    if verdict(run) == "inconclusive" and code == 0:
        code = 3  # on a machine that is busy with other tests
    assert run.process.returncode == code


def test_slow_errors_miss_the_maximum_though_errors_are_allowed(tmp_path: Path) -> None:
    run = profile_run(tmp_path, "kept", "run: {errors: 100 %, max: 150 ms}", "fail-slow")
    assert run.process.returncode == 1, run.output[-3000:]


def test_a_class_that_nobody_played_is_inconclusive(tmp_path: Path) -> None:
    second = FILE.partition("class")[2].replace("Visitor", "Second")
    run = short_run(tmp_path, LENIENT, text=f"{FILE}\nclass{second}", users="-u 1 -r 1 -t 2s")
    assert run.process.returncode == 3, run.output[-3000:]
    assert "no user was spawned; use more --users" in run.output


def test_a_run_that_is_stopped_too_early_is_inconclusive(tmp_path: Path) -> None:
    text = f"import gevent\n{FILE}        gevent.spawn_later(1, self.environment.runner.quit)\n"
    run = short_run(tmp_path, LENIENT, "-t 30s", text=text)
    assert run.process.returncode == 3
    assert "was stopped after" in run.output


@pytest.mark.parametrize(
    ("slo", "options", "message"),
    [
        ("run: {errors: 1}", "", "slo.yaml, line 1: expected a share such as 1 %"),
        (
            "run: {errors: 1 %}\njourneys: {visti: {p95: 1 s}}",
            "",
            "line 2: journey visti is not there: expected one of",
        ),
        (LENIENT, "--profile smoke --profiles nowhere.yaml", "name another file with --profiles"),
        (LENIENT, "--slo nowhere.yaml", "nowhere.yaml cannot be read"),
        (LENIENT, "--profile smok", "--profile: expected one of smoke, load"),
        (LENIENT, "--profile smoke --scale 0", "expected a number above 0"),
        (LENIENT, "--profile smoke --rate 0:1,2:3", "with --profile expected a number"),
    ],
)
def test_a_usage_error_ends_the_run_before_any_load(tmp_path: Path, slo: str, options: str, message: str) -> None:
    run = short_run(tmp_path, slo, options)
    assert (run.process.returncode, message in run.output, "Traceback" in run.output) == (2, True, False)
    assert not run.results.exists()


@pytest.mark.slow
def test_a_profile_is_run_by_two_workers(tmp_path: Path) -> None:
    run = short_run(tmp_path, LENIENT, f"--profile smoke --scale 0.4 --rate 50 {distributed_options()}")
    plan = json.loads((run.results / "plan.json").read_text())
    counted = run.result["arrivals"]["Visitor"]
    assert (plan["profile"], plan["planned"], sorted(run.result["health"])) == (
        "smoke",
        4.0,
        ["worker 0", "worker 1"],
    )
    assert 100 < counted["started"] + counted["dropped"] < 400  # Poisson, and up to some seconds more


@pytest.mark.slow
def test_a_breakpoint_is_searched(tmp_path: Path) -> None:
    """Two users cannot run ten times their rate: the search ends between a rate that passed and one that failed."""
    run = profile_run(tmp_path, "sought", "run: {errors: 0 %, dropped: 70 %, breakpoint: 400 /s}", "slow")
    search = json.loads((run.results / "verdict.json").read_text())["search"]
    assert search["why"] == "", run.output[-3000:]
    assert 0 < search["highest"] < search["missed"] <= 128
    assert {step["verdict"] for step in search["steps"]} == {"pass", "fail"}
    assert (run.process.returncode, "breakpoint" in run.output) == (1, True)  # the floor is above
