"""The verdict at the end of a run: objectives by `--slo`, the exit code, and the files beside the figures.

Rule: every run that plays a contract is judged, and any other with `--slo`; without either Locust's own rules hold.
The run is read back from its folder, as `python -m reports` does, so both say the same. Pass 0, fail 1, broken or
misuse 2, inconclusive 3, unreachable 4.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import console_logger

from loadtests.node import at_end
from loadtests.wiring import finish, folder
from reports.load import files, told
from reports.load.run import NoRun
from reports.load.slo import JOURNEY, Objectives, read
from reports.load.strict import Misuse
from reports.load.verdict import EXCEPTIONS, Judged
from reports.verdicts import EXIT_CODES

DEFAULT = Path(__file__).parent / "slo.yaml"
SETTLED = (EXIT_CODES["broken"], EXIT_CODES["unreachable"])  # exit codes that nothing here makes better
LONGEST = 200  # characters of an exception
MOST = 20  # different exceptions

_raised: Counter[str] = Counter()
_last: list[str] = []  # what is said when everybody else has spoken


def objectives(environment: Environment) -> Path | None:
    """The file with what this run must keep to; None when nothing asks for a verdict."""
    named = getattr(environment.parsed_options, "slo", None)
    if named:
        return Path(named)
    return DEFAULT if any(getattr(each, "api", "") for each in environment.user_classes) else None


def verdict(environment: Environment) -> Judged | None:
    """Judges the run, which is stopped if it still goes on, and writes its reports. None when nothing asks for it.

    Raises Misuse for objectives that are not understood, NoRun when there are no figures.
    """
    file = objectives(environment)
    if file is None or isinstance(environment.runner, WorkerRunner):
        return None
    finish(environment)
    path = folder(environment)
    if path is None:
        raise NoRun("no run was begun")
    return files.judged(path, file)


def know_journeys(rules: Objectives, environment: Environment) -> None:
    """Raises Misuse for an objective of a journey that nobody of this run plays; other APIs' journeys may be any."""
    known: dict[str, set[str]] = {}
    for each in environment.user_classes:
        names = {name for name in dir(each) if hasattr(getattr(each, name, None), "locust_task_weight")}
        known.setdefault(getattr(each, "api", ""), set()).update(names)
    for rule in rules.rules:
        scope = rule.scope
        names = known.get(scope.api, set() if not scope.api else {scope.operation})
        if scope.kind == JOURNEY and scope.operation not in names:
            there = ", ".join(sorted(names)) or "none outside of apis"
            raise Misuse(f"{rules.path}, line {rule.line}: {scope} is not there: expected one of the journeys {there}")


def _options(parser: LocustArgumentParser, **_: Any) -> None:
    parser.add_argument(
        "--slo",
        metavar="FILE",
        default="",
        env_var="LOAD_SLO",
        include_in_web_ui=False,
        help=f"What the run must keep to, which decides the exit code (default: {DEFAULT.parent.name}/{DEFAULT.name}"
        " for journeys of a contract)",
    )


def _on_init(environment: Environment, **_: Any) -> None:
    """Objectives that are not understood end it here, before any load; what is said at the end is said last."""
    at_end(EXCEPTIONS, lambda: dict(_raised))
    file = objectives(environment)
    if file is None or isinstance(environment.runner, WorkerRunner):
        return
    try:
        know_journeys(read(file), environment)
    except Misuse as wrong:
        print(wrong, file=sys.stderr)
        raise SystemExit(EXIT_CODES["broken"]) from None
    events.quit.add_listener(_on_quit)  # type: ignore[no-untyped-call] # Locust has no types here


def _on_start(environment: Environment, **_: Any) -> None:
    """From here on the run may be killed, and its folder has to be enough to judge it."""
    _raised.clear()
    file, path = objectives(environment), folder(environment)
    if file is not None and path is not None and not isinstance(environment.runner, WorkerRunner):
        with suppress(OSError):  # a folder that cannot be written is told with the figures
            files.keep(path, file)


def _on_error(exception: BaseException, **_: Any) -> None:
    """A journey that raises is our mistake, or its author's, and never the target's."""
    text = f"{type(exception).__name__}: {exception}".split("\n", 1)[0][:LONGEST]
    _raised[text if text in _raised or len(_raised) < MOST else "others"] += 1


def _on_quitting(environment: Environment, **_: Any) -> None:
    try:
        judged = verdict(environment)
    except (Misuse, NoRun) as wrong:
        _last[:] = [f"load: broken: {wrong}"]
        if environment.process_exit_code not in SETTLED:
            environment.process_exit_code = EXIT_CODES["broken"]
        return
    if judged is None:
        return
    _last[:] = [*told.lines(judged), files.place(judged.run.path)]
    if environment.process_exit_code not in SETTLED:
        environment.process_exit_code = judged.exit_code


def _on_quit(**_: Any) -> None:
    for line in _last:
        console_logger.warning(line)


for _hook, _listener in (
    (events.init_command_line_parser, _options),
    (events.init, _on_init),
    (events.test_start, _on_start),
    (events.user_error, _on_error),
    (events.quitting, _on_quitting),
):
    _hook.add_listener(_listener)  # type: ignore[no-untyped-call] # Locust has no types here
