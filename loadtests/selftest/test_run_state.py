"""Two Locust environments in one process share no state, and every locustfile registers flowproof by itself."""

from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from locust import HttpUser
from locust.argument_parser import get_empty_argument_parser
from locust.env import Environment
from locust.event import Events

from contracts.errors import UsageError
from loadtests.distributed.run_state import RunState, state_of
from loadtests.locust_plugin.listeners import attach, register
from loadtests.selftest.faulty_target import running_target
from loadtests.selftest.locust_run import ROOT, finished_run
from loadtests.user.journey_user import JourneyUser, journey


class Visitor(JourneyUser):
    """Visits."""

    @journey
    def visit(self) -> Any:
        """One request."""
        yield self.request("GET", "/visit")


def environment(events: Events | None = None, folder: Path | None = None) -> Environment:
    options = Namespace(
        results=str(folder or ""), judge="all", rate="", slo="", profile="", run_time=None, headless=True
    )
    locust_environment = Environment(
        user_classes=[Visitor], events=events, parsed_options=options, host="http://127.0.0.1:9"
    )
    locust_environment.create_local_runner()
    return locust_environment


def registered(folder: Path | None = None) -> tuple[Environment, RunState]:
    """An environment with events of its own, after Locust has fired `init` for it."""
    events = Events()
    register(events)
    locust_environment = environment(events, folder)
    locust_environment.events.init.fire(environment=locust_environment, runner=locust_environment.runner, web_ui=None)
    return locust_environment, state_of(locust_environment)


def test_the_state_of_two_environments_is_two_objects() -> None:
    (first, first_state), (second, second_state) = registered(), registered()
    assert (state_of(first), state_of(second)) == (first_state, second_state)
    for name in ("ledger", "validators", "exceptions", "notes", "prepared", "resources", "generator", "role"):
        assert getattr(first_state, name) is not getattr(second_state, name), name
    assert first_state.generator.recorder is not second_state.generator.recorder


def test_a_run_of_one_environment_begins_and_ends_nothing_in_another(tmp_path: Path) -> None:
    (first, first_state), (_, second_state) = registered(tmp_path / "one"), registered(tmp_path / "two")
    first.events.test_start.fire(environment=first)
    first_state.exceptions["KeyError: 'a'"] += 1
    first_state.generator.recorder.samples_of("GET /visit", "http").record_failure("status 500", 0, 0, 0)
    assert (first_state.role.run is None, second_state.role.run is None) == (False, True)
    first.events.reset_stats.fire()
    first.events.test_stop.fire(environment=first)
    assert first_state.role.result is not None
    assert (second_state.role.result, second_state.folder, dict(second_state.exceptions)) == (None, None, {})
    assert not (tmp_path / "two").exists()


def test_environments_with_the_same_events_hear_only_of_their_own_runs(tmp_path: Path) -> None:
    """Locust gives all environments of a process `locust.events`, unless the caller passes others."""
    events = Events()
    register(events)
    first, second = environment(events, tmp_path / "one"), environment(events, tmp_path / "two")
    for locust_environment in (first, second):
        events.init.fire(environment=locust_environment, runner=locust_environment.runner, web_ui=None)
    events.test_start.fire(environment=second)
    assert (state_of(first).role.run is None, state_of(second).role.run is None) == (True, False)
    state_of(second).finish()
    events.test_stop.fire(environment=second)


def test_an_exception_counts_for_the_run_of_its_user() -> None:
    (first, first_state), (_, second_state) = registered(), registered()
    first.events.user_error.fire(user_instance=Visitor(first), exception=KeyError("a"), tb=None)
    assert (dict(first_state.exceptions), dict(second_state.exceptions)) == ({"KeyError: 'a'": 1}, {})


def test_users_are_numbered_for_each_environment() -> None:
    (first, first_state), (second, second_state) = registered(), registered()
    Visitor(first), Visitor(first), Visitor(second)
    assert (first_state.number_user(Visitor), second_state.number_user(Visitor)) == (2, 1)


def test_a_journey_is_counted_in_the_environment_of_its_user() -> None:
    (first, first_state), (_, second_state) = registered(), registered()
    user = Visitor(first)
    user._pick_journey()
    user._intended = 0
    user._record_journey("")
    assert [statistics.operation for statistics in first_state.generator.journey_recorder.take()] == ["visit"]
    assert second_state.generator.journey_recorder.take() == []


def test_registering_twice_changes_nothing() -> None:
    events = Events()
    register(events)
    before = {name: list(hook._handlers) for name, hook in vars(events).items()}
    register(events)
    assert {name: list(hook._handlers) for name, hook in vars(events).items()} == before


IMPORTING = """
import locust
before = [len(hook._handlers) for hook in vars(locust.events).values()]
from loadtests.locust_plugin import listeners
from loadtests.user import contract_user
assert [len(hook._handlers) for hook in vars(locust.events).values()] == before
listeners.register()
assert [len(hook._handlers) for hook in vars(locust.events).values()] != before
"""


def test_no_import_registers_anything() -> None:
    command = [sys.executable, "-c", IMPORTING]
    run = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_worker_that_starts_before_init_has_a_state() -> None:
    events = Events()
    register(events)
    locust_environment = environment(events)
    state = attach(locust_environment)
    events.init.fire(environment=locust_environment, runner=locust_environment.runner, web_ui=None)
    assert state_of(locust_environment) is state


def test_the_options_are_added_once() -> None:
    events = Events()
    register(events)
    register(events)
    parser = get_empty_argument_parser()
    events.init_command_line_parser.fire(parser=parser)
    options = vars(parser.parse_args([]))
    assert {"rate", "arrivals", "arrivals_seed", "results", "judge", "slo", "scale", "profiles"} <= set(options)


def test_users_of_an_environment_without_flowproof_are_refused_in_one_sentence() -> None:
    locust_environment = environment(Events())
    with pytest.raises(UsageError, match=r"does not register flowproof with Locust: call loadtests.+register\(\)"):
        state_of(locust_environment)


FORGETFUL = """
from loadtests.user.journey_user import JourneyUser, journey

class Visitor(JourneyUser):
    @journey
    def visit(self):
        yield self.request("GET", "/visit")
"""


@pytest.mark.xdist_group("load-users")
def test_a_locustfile_that_forgets_to_register_ends_with_one_sentence(tmp_path: Path) -> None:
    with running_target() as target:
        run = finished_run(tmp_path, target.url, FORGETFUL, "--headless -u 2 -t 60s")
    assert run.process.returncode == 2
    assert "does not register flowproof with Locust: call" in run.output
    assert "Traceback" not in run.output
    assert target.hits == []


def test_ordinary_users_need_no_role() -> None:
    events = Events()
    register(events)
    locust_environment = Environment(
        user_classes=[HttpUser], events=events, parsed_options=Namespace(slo="", profile="")
    )
    locust_environment.create_local_runner()
    events.init.fire(environment=locust_environment, runner=locust_environment.runner, web_ui=None)
    events.test_start.fire(environment=locust_environment)
    assert not state_of(locust_environment).has_role
