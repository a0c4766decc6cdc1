"""A load run in Locust: what is refused before it, what is made ready for it, and what is told after it.

Rule: `play` imports this, so a locustfile with users of a contract has all of it. A mistake of the user is one line and
exit code 2, a target that does not answer is 4; nothing is started, and nothing sent, for a run that may not be.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from typing import Any

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import console_logger

from fixtures.cases import secrets
from fixtures.client import Unreachable
from fixtures.targets import Misuse
from loadtests.invariants import Ledger
from loadtests.judges import MODES, Judges, every
from loadtests.node import at_end
from loadtests.roles import EMBEDDED
from loadtests.targets import Place, lacking, left_out, permitted_by, settings_of, start, target
from loadtests.wiring import abandon, current, found

GRACE = 5  # seconds in which users end their journeys, so that what they made is removed


class Conduct:
    """What this process knows of the run: where it goes, and who judges."""

    place = Place()
    judges = Judges()
    ledger = Ledger()
    stack = ExitStack()
    cpu_began = 0  # ns of this process's CPU time when the run began


def classes(environment: Environment) -> list[Any]:
    """The classes of this run whose users play journeys of a contract."""
    return [one for one in environment.user_classes if getattr(one, "api", "")]


@events.init_command_line_parser.add_listener
def _options(parser: LocustArgumentParser, **_: Any) -> None:
    parser.set_defaults(stop_timeout=GRACE)  # Locust's own is none: it ends journeys where they are
    parser.add_argument("--judge", default="all", metavar="MODE", env_var="LOAD_JUDGE", help=f"Which answers: {MODES}")


@events.init.add_listener
def _on_init(environment: Environment, **_: Any) -> None:
    """Refuses what is not permitted, and starts what is lacking, before anybody can start a run."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        runner.register_message("flow-place", _on_place)
        return
    apis, given = [one.api for one in classes(environment)], Place(environment.host or "")
    try:
        every(getattr(environment.parsed_options, "judge", "all"))
        for api, why in left_out(apis, given, os.environ).items():
            print(f"{api} is left out: {why}", file=sys.stderr)
            environment.user_classes[:] = [one for one in environment.user_classes if getattr(one, "api", "") != api]
        apis = [one.api for one in classes(environment)]
        if environment.parsed_options is not None:
            setattr(environment.parsed_options, EMBEDDED, lacking(apis, given, os.environ))
        Conduct.place = start(apis, given, os.environ, Conduct.stack)
    except (Misuse, ValueError) as problem:
        _refuse(str(problem))
    environment.host = environment.host or Conduct.place.host or None


def _refuse(why: str) -> None:
    Conduct.stack.close()
    print(why, file=sys.stderr)
    raise SystemExit(2)


def _on_place(msg: Any, **_: Any) -> None:
    Conduct.place = Place(**msg.data)


@events.test_start.add_listener
def _on_start(environment: Environment, **_: Any) -> None:
    if environment.web_ui is not None:
        environment.process_exit_code = None  # what became of the run before
    place = Place(environment.host or "", Conduct.place.mail)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message("flow-place", {"host": place.host, "mail": place.mail})
        Conduct.ledger = Ledger()
        return
    try:
        for line in _ready(environment, place):
            console_logger.info(line)
    except (Misuse, ValueError, Unreachable) as problem:
        environment.process_exit_code = 4 if isinstance(problem, Unreachable) else 2
        abandon(environment, str(problem))


def _ready(environment: Environment, place: Place) -> list[str]:
    """Makes all classes ready; gives lines for people."""
    options, users = environment.parsed_options, classes(environment)
    apis = [one.api for one in users]
    targets = {api: target(api, apis, place, os.environ) for api in apis}
    hidden = [text for one in targets.values() if one for text in secrets(one.settings)]
    judges = Conduct.judges = Judges(every(getattr(options, "judge", "all")), hidden)
    Conduct.cpu_began = time.process_time_ns()
    Conduct.ledger = Ledger()
    lines = settings_of(one for one in targets.values() if one)
    if permitted_by(os.environ):
        lines.append(f"permitted by {permitted_by(os.environ)}")
    for user in users:
        where = targets[user.api]
        if where is None:
            raise Misuse(f"{user.api}: no host; pass --host or set {user.api.upper()}_URL")
        lines += [f"{user.api}: {lack}" for lack in user.prepare(where, judges, place)]
        if not where.writes:
            lines.append(f"{user.api}: journeys that change something are left out; {where.refusal()}")
    at_end("judging", note)
    return lines


def note() -> dict[str, Any]:
    """What judging came to in this process, for the result."""
    judges = Conduct.judges
    return {
        "mode": {0: "status", 1: "all"}.get(judges.every, f"sample={judges.every}"),
        "answers": judges.meter.count,
        "ns_per_answer": round(judges.meter.mean_ns),
        "cpu_share": round(judges.meter.share(time.process_time_ns() - Conduct.cpu_began), 4),
        "permitted_by": permitted_by(os.environ),
        "findings": judges.lines(),
        "once": Conduct.ledger.told(),
    }


@events.report_to_master.add_listener
def _on_report(data: dict[str, Any], **_: Any) -> None:
    data["flow-once"] = Conduct.ledger.report()


@events.worker_report.add_listener
def _on_worker_report(data: dict[str, Any], **_: Any) -> None:
    for clause, expected, _received in Conduct.ledger.compare(data.pop("flow-once", {})):
        for environment in _environments:
            found(environment, expected, clause)


_environments: list[Environment] = []


@events.init.add_listener
def _on_made(environment: Environment, **_: Any) -> None:
    _environments.append(environment)


@events.quitting.add_listener
def _on_quitting(**_: Any) -> None:
    Conduct.stack.close()


@events.quit.add_listener
def _on_quit(**_: Any) -> None:
    for environment in _environments:
        result = current(environment)
        if result is not None:
            notes = result.notes.get("judging", {})
            for line in told(notes):
                console_logger.info(line)
            for finding in findings(notes):
                console_logger.warning(f"\n{finding}")


def told(notes: dict[str, Any]) -> list[str]:
    """What judging came to, for people: how much was looked at, and what it cost."""
    lines = []
    for worker, one in notes.items():
        cost = f"{one['ns_per_answer'] / 1000:.1f} µs an answer, {one['cpu_share']:.0%} of its CPU"
        lines.append(f"{worker}: judged {one['mode']} of {one['answers']} answers, {cost}")
        lines += [f"  {line}" for line in one["once"]]
    return lines


def findings(notes: dict[str, Any]) -> list[str]:
    """An example of each finding."""
    return list({text.split("\n", 1)[0]: text for one in notes.values() for text in one["findings"]}.values())
