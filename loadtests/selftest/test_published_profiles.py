"""Each published profile runs as users run it: by `locust`, against our references, over HTTP and by websocket.

Rule: phases, shares and the search are the published ones, in seconds instead of minutes. The number of users and the
limits of the load generator are different, since it shares this machine with other tests. A faulty response, and a part
of the profile that is left out, still make a run fail.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests.profiles.load_profile import PROFILES_FILE, Profile, read_profiles
from loadtests.selftest.locust_run import LocustRun, finished_run

USERS = 60
SECONDS = 2.5  # that all phases of a profile last together
STEP = 0.08  # of the search's published times: a step has to be longer than the second that a line tells of
RATE = 40  # journeys a second of both APIs together
PATIENT = {"late": "20 s", "stalled": "1000 %"}
SLO = "run: {errors: 0 %, violations: 0 %, dropped: 20 %, p50: 20 s}"
BOTH = "from loadtests.bitvis import Bitvis\nfrom loadtests.getflow import Getflow\n"
PHASED = [name for name, profile in read_profiles().items() if profile.phases]
SEARCHED = [name for name, profile in read_profiles().items() if profile.search]


def profile_run(folder: Path, name: str) -> tuple[LocustRun, Profile]:
    """A run of that profile, and the profile as it should run."""
    known = yaml.safe_load(PROFILES_FILE.read_text("utf-8"))
    profile = known[name] | {"generator": PATIENT}
    if "search" in profile:
        profile["search"] |= {"most": f"{RATE} /s"}  # the first rate is the last: two measurements confirm it
    profiles, slo = folder / "profiles.yaml", folder / "slo.yaml"
    profiles.write_text(yaml.safe_dump({name: profile}))
    slo.write_text(SLO)
    meant = read_profiles(profiles)[name]
    scale = STEP if meant.search else SECONDS / meant.seconds
    options = f"--headless --only-summary --profile {name} --profiles {profiles} --slo {slo} --rate {RATE} -u {USERS}"
    run = finished_run(folder, "", BOTH, f"{options} --scale {scale}")
    return run, meant.scaled(scale, RATE, USERS)


def verdict(run: LocustRun) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((run.results / "verdict.json").read_text())
    return known


def apis_and_transports(run: LocustRun) -> set[str]:
    """The APIs whose journeys have ended, and the transports of their requests."""
    transports = {journey["transport"] for journey in run.result["journeys"]}
    return transports | {operation["transport"] for operation in run.result["operations"]}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "smoke" else pytest.mark.slow) for name in PHASED]
)
def test_a_profile_runs_to_its_end_and_passes(tmp_path: Path, name: str) -> None:
    run, profile = profile_run(tmp_path, name)
    assert run.process.returncode == 0, run.output[-3000:]
    assert apis_and_transports(run) >= {"bitvis", "getflow", "http", "websocket"}
    plan = json.loads((run.results / "plan.json").read_text())
    assert [phase_plan["name"] for phase_plan in plan["phases"]] == [phase.name for phase in profile.phases]
    came = sum(counts["started"] + counts["dropped"] for counts in run.result["arrivals"].values())
    expected = sum(phase.seconds * (phase.first + phase.last) / 2 for phase in profile.phases) * RATE
    last = RATE * profile.phases[-1].last * 5  # Locust asks once a second, and later when it is busy, for the end
    assert expected - 5 * expected**0.5 <= came <= expected + last + 5 * (expected + last) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_finds_the_highest_rate(tmp_path: Path, name: str) -> None:
    run, _ = profile_run(tmp_path, name)
    assert run.process.returncode == 0, run.output[-3000:]
    assert apis_and_transports(run) >= {"bitvis", "getflow", "http", "websocket"}
    search = verdict(run)["search"]
    assert (search["highest"], search["missed"], search["why"]) == (RATE, None, "")
    assert [step["verdict"] for step in search["steps"]] == ["pass", "pass"]
