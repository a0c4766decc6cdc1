"""The form of Locust's web UI means what the options of the command line mean, and what is wrong there is said there.

Rule: nothing that is not understood, or not permitted, reaches a run. A new run takes host, rate, profile and judge;
one that goes on takes another number of users and, if it began with a rate, another rate.
"""

from __future__ import annotations

import logging
import os
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from locust import events
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner

from fixtures.targets import Misuse
from loadtests import profiles, shapes
from loadtests.engine.arrivals import course
from loadtests.engine.health import LIMITS
from loadtests.judges import every
from loadtests.open_model import plans
from loadtests.roles import playing
from loadtests.targets import Place, target
from loadtests.wiring import change_rate

SWARM = "locust.swarm"  # Flask's name of what answers the form
SETTLED = ("judge", "arrivals", "arrivals_seed")  # options that stay as they are while a run goes on
ANEW = "stop the run, then start a new one"

logger = logging.getLogger(__name__)

Form = Mapping[str, str]
Kept = dict[str, Any]  # options as the run has them, whatever Locust makes of the form


def _on_init(environment: Environment, **_: Any) -> None:
    ui, options = environment.web_ui, environment.parsed_options
    if ui is None or ui.app is None or options is None or not playing(environment):
        return
    shown = {name: vars(options)[name] for name in SETTLED if name in vars(options)}  # by a page that was loaded anew
    views: dict[str, Any] = ui.app.view_functions
    view: Callable[[], ResponseReturnValue] = views[SWARM]

    def swarm() -> ResponseReturnValue:
        try:
            if _goes_on(environment.runner):
                kept = edited(environment, options, request.form, shown)
            else:
                kept = begun(environment, options, request.form)
        except (Misuse, ValueError) as wrong:
            logger.error(wrong)  # the form of a run that goes on closes, whatever it is told; its page shows the log
            return jsonify({"success": False, "message": str(wrong), "host": environment.host})
        answer = view()
        vars(options).update(kept)
        return answer

    views[SWARM] = ui.auth_required_if_enabled(swarm)  # type: ignore[no-untyped-call] # Locust has no types here


def _goes_on(runner: Runner | None) -> bool:
    """Whether this form is about a run that is there. Raises Misuse for one that is on its way, which it would cut."""
    if runner is None:
        return False
    goes_on = bool(runner.shape_greenlet) or runner.state in (STATE_RUNNING, STATE_SPAWNING)
    starting = getattr(runner, "spawning_greenlet", None)
    if starting is not None and not starting.dead and not goes_on:
        raise Misuse("the run is still being made ready; try again in a moment")
    return goes_on


def begun(environment: Environment, options: Namespace, form: Form) -> Kept:
    """Makes the profile of the form the shape of a new run. Raises Misuse or ValueError for what must not start."""
    _permitted(environment, form)
    every(form.get("judge", "all"))
    if not {"rate", "profile"} & set(form):
        return {"rate": options.rate}  # posted by a program, which leaves them to the command line
    rate, profile = form.get("rate", ""), form.get("profile", "")
    if profile:
        if environment.web_ui is not None and environment.web_ui.userclass_picker_is_active:
            raise Misuse("--profile: the class picker has a shape of its own; leave out one of the two")
        environment.shape_class = shape = shapes.made(environment, profile, rate)
        shape.runner = environment.runner
        return {"rate": options.rate}
    if rate:
        course(rate)
    if isinstance(environment.shape_class, shapes.OURS):
        environment.shape_class = None
        profiles.tell(options, LIMITS)
    return {"rate": rate}


def _permitted(environment: Environment, form: Form) -> None:
    apis = [api for one in environment.user_classes if (api := getattr(one, "api", ""))]
    for api in apis if "host" in form else ():
        if target(api, apis, Place(form["host"]), os.environ) is None:
            raise Misuse(f"{api}: no host; fill in Host, or set {api.upper()}_URL")


def edited(environment: Environment, options: Namespace, form: Form, shown: Kept) -> Kept:
    """Changes the rate of a run that goes on. Raises Misuse or ValueError for what cannot be changed.

    shown: what a page shows that knows nothing of the run; it is no wish.
    """
    if isinstance(environment.shape_class, shapes.OURS):
        raise Misuse(f"the profile {options.profile} says users and rates until it ends; {ANEW}")
    now = {name: vars(options)[name] for name in shown}
    for name in now:
        if form.get(name, now[name]) not in (now[name], shown[name]):
            raise Misuse(f"{name} stays {now[name]} while a run goes on; {ANEW}")
    rate = form.get("rate") or options.rate
    if rate != options.rate:
        if not plans(playing(environment), options.rate):
            raise Misuse(f"this run began without a rate, so its users pause between journeys; {ANEW}")
        change_rate(environment, rate)
    return now | {"rate": rate}


events.init.add_listener(_on_init)  # type: ignore[no-untyped-call] # Locust has no types here
