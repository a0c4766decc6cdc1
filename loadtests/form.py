"""The form of Locust's web UI means what the options of the command line mean, and what is wrong there is said there.

Rule: nothing of a form that is not understood, or not permitted, reaches the run. A new run takes rate, profile, judge
and host; a run that goes on takes users and, when it began with a rate, another rate.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from locust import events
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from fixtures.targets import Misuse
from loadtests import profiles, shapes
from loadtests.engine.arrivals import course
from loadtests.engine.health import LIMITS
from loadtests.judges import every
from loadtests.open_model import plans
from loadtests.roles import playing
from loadtests.targets import Place, target
from loadtests.wiring import change_rate

SWARM = "locust.swarm"  # what Locust calls its answer to the form
SETTLED = {"judge": "which answers are judged", "arrivals": "how arrivals are spaced", "arrivals_seed": "the seed"}
OURS = (shapes.Course, shapes.Breakpoint)

Form = Mapping[str, str]


class Options(Protocol):
    """What is asked of the options of a run; the form has names for them of its own."""

    rate: str
    profile: str | None
    judge: str
    arrivals: str
    arrivals_seed: str


def _on_init(environment: Environment, **_: Any) -> None:
    ui, options = environment.web_ui, environment.parsed_options
    if ui is None or options is None or not playing(environment):
        return
    given = {name: getattr(options, name, "") for name in SETTLED}  # by the command line: what a new page shows
    view: Callable[[], ResponseReturnValue] = ui.app.view_functions[SWARM]

    def swarm() -> ResponseReturnValue:
        try:
            kept = _edited(environment, options, request.form, given) if _goes_on(environment) else {}
            rate = kept.get("rate") or _begun(environment, options, request.form)
        except (Misuse, ValueError) as wrong:
            return jsonify({"success": False, "message": str(wrong), "host": environment.host})
        answer = view()
        vars(options).update(kept, rate=rate)  # Locust has written the form's into them
        return answer

    ui.app.view_functions[SWARM] = ui.auth_required_if_enabled(swarm)


def _goes_on(environment: Environment) -> bool:
    runner = environment.runner
    return runner is not None and (bool(runner.shape_greenlet) or runner.state in (STATE_RUNNING, STATE_SPAWNING))
