"""Phases begin when users are spawned and the run is prepared; a search repeats a step that proves nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from locust.env import Environment

from loadtests.distributed.run_state import create_state
from loadtests.locust_plugin.load_shapes import MAX_REPEATS, BreakpointShape, are_spawned
from loadtests.profiles.load_profile import Search


@pytest.mark.parametrize("event", ["prepared", "spawned"])
def test_phases_begin_when_the_run_is_prepared_and_its_users_are_there(event: str) -> None:
    environment = Environment()
    shape: Any = SimpleNamespace(runner=SimpleNamespace(environment=environment))
    role = create_state(environment).role
    before = are_spawned(shape)
    getattr(role, event).set()
    halfway = are_spawned(shape)
    role.prepared.set()
    role.spawned.set()
    assert (before, halfway, are_spawned(shape)) == (False, False, True)


def searched(monkeypatch: pytest.MonkeyPatch, folder: Path, *verdicts: str) -> dict[str, Any]:
    """The note of a search from 8 to 16 journeys a second whose steps have these verdicts, then passes."""
    notes: dict[str, Any] = {}
    result = SimpleNamespace(notes=notes)
    left = iter(verdicts)

    def measure(*_: Any) -> Any:
        verdict = next(left, "pass")
        reasons = ["local: late"] if verdict == "inconclusive" else []
        run = SimpleNamespace(result=SimpleNamespace(unfit_reasons=lambda: reasons))
        return SimpleNamespace(verdict=verdict, outcomes=(), reasons=reasons, run=run)

    (folder / "plan.json").write_text("{}")
    search: Any = BreakpointShape.__new__(BreakpointShape)
    search.profile = SimpleNamespace(rate=8.0)
    search.search = Search(step=1, settle=1, precision=1.0, confirm=1, max_rate=16)
    search.description = {}
    search._state = SimpleNamespace(folder=folder, current_result=lambda: result)
    monkeypatch.setattr(BreakpointShape, "_measure", measure)
    monkeypatch.setattr(BreakpointShape, "_recover", lambda *_: None)
    search._search()
    note: dict[str, Any] = notes["breakpoint"]["search"]
    return note


def test_a_step_of_an_unfit_generator_is_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = searched(monkeypatch, tmp_path, "inconclusive", "pass", "inconclusive", "inconclusive", "pass")
    assert [step["rate"] for step in note["steps"]] == [8, 8, 16, 16, 16]
    assert (note["highest"], note["why"]) == (16, "")


def test_a_generator_that_stays_unfit_ends_the_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    note = searched(monkeypatch, tmp_path, "pass", *["inconclusive"] * 9)
    assert [step["rate"] for step in note["steps"]] == [8] + [16] * (MAX_REPEATS + 1)
    assert (note["highest"], note["why"]) == (8, "at 16 journeys/s: local: late")
