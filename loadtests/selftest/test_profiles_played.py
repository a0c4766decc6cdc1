"""Each published profile is played as people play it: by `locust`, on our references, over HTTP and by websocket.

Rule: the phases, shares and the search are the published ones, in seconds instead of minutes. Ours are how many users
there are and what is allowed to the generator, which shares this machine with other tests; whatever the target does
wrong, and whatever of the profile is not played, still makes a run red.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests.profiles import FILE, Profile, read
from loadtests.selftest.trial import Trial, ended

USERS = 60
SECONDS = 2.5  # that all phases of a profile last together
STEP = 0.08  # of the search's published times: a step has to be longer than the second that a line tells of
RATE = 40  # journeys a second of both APIs together
PATIENT = {"late": "20 s", "stalled": "1000 %"}
SLO = "run: {errors: 0 %, violations: 0 %, dropped: 20 %, p50: 20 s}"
BOTH = "from loadtests.bitvis import Bitvis\nfrom loadtests.getflow import Getflow\n"
PHASED = [name for name, profile in read().items() if profile.phases]
SEARCHED = [name for name, profile in read().items() if profile.search]


def played(folder: Path, name: str) -> tuple[Trial, Profile]:
    """A run of that profile, and the profile as it was to be played."""
    known = yaml.safe_load(FILE.read_text("utf-8"))
    profile = known[name] | {"generator": PATIENT}
    if "search" in profile:
        profile["search"] |= {"most": f"{RATE} /s"}  # the first rate is the last: two measurements confirm it
    profiles, slo = folder / "profiles.yaml", folder / "slo.yaml"
    profiles.write_text(yaml.safe_dump({name: profile}))
    slo.write_text(SLO)
    meant = read(profiles)[name]
    scale = STEP if meant.search else SECONDS / meant.seconds
    options = f"--headless --only-summary --profile {name} --profiles {profiles} --slo {slo} --rate {RATE} -u {USERS}"
    trial = ended(folder, "", BOTH, f"{options} --scale {scale}")
    return trial, meant.scaled(scale, RATE, USERS)


def verdict(trial: Trial) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((trial.results / "verdict.json").read_text())
    return known


def spoken(trial: Trial) -> set[str]:
    """Whose journeys were played to their end, and over what."""
    whose = {each["transport"] for each in trial.result["journeys"]}
    return whose | {each["transport"] for each in trial.result["operations"]}


@pytest.mark.parametrize("name", PHASED)
def test_a_profile_is_played_to_its_end_and_passes(tmp_path: Path, name: str) -> None:
    trial, profile = played(tmp_path, name)
    assert trial.process.returncode == 0, trial.output[-3000:]
    assert spoken(trial) >= {"bitvis", "getflow", "http", "websocket"}
    plan = json.loads((trial.results / "plan.json").read_text())
    assert [each["name"] for each in plan["phases"]] == [phase.name for phase in profile.phases]
    came = sum(each["started"] + each["dropped"] for each in trial.result["arrivals"].values())
    due = sum(phase.seconds * (phase.first + phase.last) / 2 for phase in profile.phases) * RATE
    last = RATE * profile.phases[-1].last * 2  # Locust looks once a second whether the phases are over
    assert due - 5 * due**0.5 <= came <= due + last + 5 * (due + last) ** 0.5


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_finds_the_highest_rate(tmp_path: Path, name: str) -> None:
    trial, _ = played(tmp_path, name)
    assert trial.process.returncode == 0, trial.output[-3000:]
    assert spoken(trial) >= {"bitvis", "getflow", "http", "websocket"}
    found = verdict(trial)["search"]
    assert (found["highest"], found["missed"], found["why"]) == (RATE, None, "")
    assert [step["verdict"] for step in found["steps"]] == ["pass", "pass"]
