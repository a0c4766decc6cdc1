"""Passes what one behaviour test has observed to the main process, in a file that it reads when the run ends.

Rule: a file is complete or is not there, so that a test that was killed leaves none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.behaviour.behaviour import Address, Behaviour

FIRST, SECOND = "first", "second"  # turns of a run that records


@dataclass(frozen=True)
class StoredObservation:
    """What was observed of one operation or call.

    target, plan, plan_size: as in the header of a record. unreliable: why nothing can be said of it, "" when it can.
    flipped: sentences about behaviours that were the recorded ones when they were asked for again. commands,
    responses: by title of a question, a curl line and the masked response. ended: seconds since the epoch.
    """

    api: str
    operation: str
    turn: str
    target: str
    plan: str
    plan_size: str
    ended: float
    behaviours: Mapping[Address, Behaviour]
    not_asked: Mapping[str, str] = field(default_factory=dict)
    unreliable: str = ""
    flipped: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    responses: Mapping[str, str] = field(default_factory=dict)


def observation_path(folder: Path, api: str, operation: str, turn: str) -> Path:
    """The file of an operation's observation in a folder of a run."""
    digest = hashlib.sha256(operation.encode()).hexdigest()[:16]
    return folder / api / f"{digest}-{turn}.json"


def write_observation(folder: Path, observation: StoredObservation) -> None:
    """Writes the file of the observation."""
    path = observation_path(folder, observation.api, observation.operation, observation.turn)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [[*address, it.value, it.count, it.total] for address, it in observation.behaviours.items()]
    fresh = path.with_suffix(".part")
    fresh.write_text(json.dumps({**_other_members(observation), "behaviours": rows}), "utf-8")
    fresh.replace(path)


def _other_members(observation: StoredObservation) -> dict[str, Any]:
    """The other members of the observation."""
    return {name: value for name, value in vars(observation).items() if name != "behaviours"}


def read_observation(path: Path) -> StoredObservation:
    """The observation in that file."""
    content = json.loads(path.read_text("utf-8"))
    behaviours = {Address(*row[:4]): Behaviour(*row[4:]) for row in content.pop("behaviours")}
    return StoredObservation(**{**content, "flipped": tuple(content["flipped"]), "behaviours": behaviours})


def read_observations(folder: Path) -> list[StoredObservation]:
    """All observations of a run, in a fixed order."""
    return [read_observation(path) for path in sorted(folder.rglob("*.json"))]
