"""The phases of a run begin when its users are spawned, and never before the run is prepared."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.distributed.run_state import ATTRIBUTE, RunState
from loadtests.locust_plugin.load_shapes import are_spawned


def shape(users: int, **state: Any) -> Any:
    """A shape whose run has so many users, and a state with these attributes."""
    environment = SimpleNamespace(user_classes=[])
    run_state = RunState(environment)  # type: ignore[arg-type]  # nothing of it is used
    for name, value in state.items():
        setattr(run_state, name, value)
    setattr(environment, ATTRIBUTE, run_state)
    return SimpleNamespace(runner=SimpleNamespace(environment=environment, user_count=users))


@pytest.mark.parametrize(
    ("users", "seconds", "state", "spawned"),
    [
        (9, 1.0, {}, False),
        (10, 1.0, {}, True),
        (9, 99.0, {}, True),
        (9, 99.0, {"is_preparing": True}, False),
        (10, 99.0, {"is_preparing": True}, False),
        (9, 99.0, {"preparation_seconds": 95.0}, False),
        (10, 99.0, {"preparation_seconds": 95.0}, True),
    ],
)
def test_users_count_as_spawned(users: int, seconds: float, state: dict[str, Any], spawned: bool) -> None:
    assert are_spawned(shape(users, **state), 10, seconds) is spawned
