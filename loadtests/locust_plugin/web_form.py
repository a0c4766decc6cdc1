"""Gives the form of Locust's web UI the meaning of the command line's options, and reports user errors in the page.

Rule: nothing that is invalid or not permitted reaches a run. A new run takes host, rate, profile and judge from
the form; a running one takes another number of users and, if it began with a rate, another rate.
"""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner

from contracts.errors import UsageError
from loadtests.distributed.roles import journey_classes
from loadtests.distributed.run_state import RunState
from loadtests.engine.arrival_plan import parse_rates
from loadtests.engine.health import LIMITS
from loadtests.locust_plugin import load_shapes
from loadtests.profiles import load_profile
from loadtests.profiles.arrival_scheduler import arrival_plans
from loadtests.targets.run_targets import RunTarget, resolve_target
from loadtests.validation.validators import parse_mode

SWARM_VIEW = "locust.swarm"  # Flask's name of the view that receives the form
FIXED_OPTIONS = ("judge", "arrivals", "arrivals_seed")  # options that cannot be changed during a run
START_ANEW = "stop the run, then start a new one"

logger = logging.getLogger(__name__)

Form = Mapping[str, str]
RunOptions = dict[str, Any]  # options as the run has them; Locust stores the form's own text in their place


def on_init(state: RunState, **_: Any) -> None:
    """Replaces the view that receives the form by one that checks the form first."""
    environment = state.environment
    ui, options = environment.web_ui, environment.parsed_options
    if ui is None or ui.app is None or options is None or not journey_classes(environment):
        return
    shown = {
        name: vars(options)[name] for name in FIXED_OPTIONS if name in vars(options)
    }  # the values that a reloaded page shows
    views: dict[str, Any] = ui.app.view_functions
    view: Callable[[], ResponseReturnValue] = views[SWARM_VIEW]

    def swarm() -> ResponseReturnValue:
        try:
            if _is_running(environment.runner):
                run_options = edit_run(state, options, request.form, shown)
            else:
                run_options = start_run(state, options, request.form)
        except (UsageError, ValueError) as error:
            logger.error(error)  # the page closes the form of a running test in any case, but shows the log
            return jsonify({"success": False, "message": str(error), "host": environment.host})
        response = view()
        vars(options).update(run_options)
        return response

    views[SWARM_VIEW] = ui.auth_required_if_enabled(swarm)  # type: ignore[no-untyped-call] # Locust has no types here


def _is_running(runner: Runner | None) -> bool:
    """Whether the form is about a running test. Raises UsageError while a run is starting, which it would break off."""
    if runner is None:
        return False
    is_running = bool(runner.shape_greenlet) or runner.state in (STATE_RUNNING, STATE_SPAWNING)
    starting = getattr(runner, "spawning_greenlet", None)
    if starting is not None and not starting.dead and not is_running:
        raise UsageError("the run is still being prepared; try again in a moment")
    return is_running


def start_run(state: RunState, options: Namespace, form: Form) -> RunOptions:
    """Makes the form's profile the shape of a new run. Raises UsageError or ValueError for what must not start."""
    environment = state.environment
    _require_permission(environment, form)
    parse_mode(form.get("judge", "all"))
    if not {"rate", "profile"} & set(form):
        return {"rate": options.rate}  # a program has posted the form, and leaves these to the command line
    rate, profile = form.get("rate", ""), form.get("profile", "")
    if profile:
        if environment.web_ui is not None and environment.web_ui.userclass_picker_is_active:
            raise UsageError("--profile: the class picker has a shape of its own; leave out one of the two")
        environment.shape_class = shape = load_shapes.profile_shape(state, profile, rate)
        shape.runner = environment.runner
        return {"rate": options.rate}
    if rate:
        parse_rates(rate)
    load_profile.set_users(options, 0)
    load_profile.await_spawning(options, False)  # the form states how fast users are spawned
    if isinstance(environment.shape_class, load_shapes.PROFILE_SHAPES):
        environment.shape_class = None
        load_profile.set_limits(options, LIMITS)
    return {"rate": rate}


def _require_permission(environment: Environment, form: Form) -> None:
    apis = [api for user_class in environment.user_classes if (api := getattr(user_class, "api", ""))]
    for api in apis if "host" in form else ():
        if resolve_target(api, apis, RunTarget(form["host"]), os.environ) is None:
            raise UsageError(f"{api}: no host; fill in Host, or set {api.upper()}_URL")


def edit_run(state: RunState, options: Namespace, form: Form, shown: RunOptions) -> RunOptions:
    """Changes the rate of a running test. Raises UsageError or ValueError for what cannot be changed.

    shown: values that a reloaded page shows because it knows nothing of the run; the user did not choose them.
    """
    environment = state.environment
    if isinstance(environment.shape_class, load_shapes.PROFILE_SHAPES):
        raise UsageError(f"the profile {options.profile} sets users and rates until it ends; {START_ANEW}")
    current = {name: vars(options)[name] for name in shown}
    for name in current:
        if form.get(name, current[name]) not in (current[name], shown[name]):
            raise UsageError(f"{name} stays {current[name]} while a run goes on; {START_ANEW}")
    rate = form.get("rate") or options.rate
    if rate != options.rate:
        if not arrival_plans(journey_classes(environment), options.rate):
            raise UsageError(f"this run began without a rate, so its users pause between journeys; {START_ANEW}")
        state.change_rate(rate)
    return current | {"rate": rate}
