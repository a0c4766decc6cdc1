"""Judges a run at its end by the objectives of `--slo`: the exit code, and the reports beside the figures.

Rule: every run with journeys of a contract is judged, any other with `--slo`; without either, Locust's own rules hold.
The run is read back from its folder, as `python -m reports` does, so that both reach the same verdict. Exit codes: pass
0, fail 1, broken or usage error 2, inconclusive 3, unreachable 4.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import console_logger

from contracts.errors import UsageError
from contracts.secret_mask import mask_secrets
from loadtests.distributed.run_state import RunState
from reports.load import report_files, verdict_text
from reports.load.load_run import NoLoadRun
from reports.load.load_verdict import EXCEPTIONS_NOTE, LoadVerdict
from reports.load.slo import JOURNEY, ObjectivesFile, read_objectives
from reports.results.verdicts import EXIT_CODES

DEFAULT_SLO = Path(__file__).parents[1] / "slo.yaml"
FINAL_CODES = (EXIT_CODES["broken"], EXIT_CODES["unreachable"])  # exit codes that no verdict replaces
MAX_EXCEPTION_LENGTH = 200  # characters
MAX_EXCEPTIONS = 20  # different exceptions; all others are counted together


def objectives(environment: Environment) -> Path | None:
    """The file with the objectives of this run; None when nothing asks for a verdict."""
    named = getattr(environment.parsed_options, "slo", None)
    if named:
        return Path(named)
    has_contract = any(getattr(user_class, "api", "") for user_class in environment.user_classes)
    return DEFAULT_SLO if has_contract else None


def judge(state: RunState) -> LoadVerdict | None:
    """Judges the run, which is stopped if it still goes on, and writes its reports. None when nothing asks for it.

    Raises UsageError for invalid objectives, NoLoadRun when there are no figures.
    """
    file = objectives(state.environment)
    if file is None or isinstance(state.environment.runner, WorkerRunner):
        return None
    state.finish()
    if state.folder is None:
        raise NoLoadRun("no run was begun")
    return report_files.write_reports(state.folder, file)


def require_known_journeys(file: ObjectivesFile, environment: Environment) -> None:
    """Raises UsageError for an objective of a journey that no class of this run has, unless it is another API's."""
    journeys: dict[str, set[str]] = {}
    for user_class in environment.user_classes:
        names = {name for name in dir(user_class) if hasattr(getattr(user_class, name, None), "locust_task_weight")}
        journeys.setdefault(getattr(user_class, "api", ""), set()).update(names)
    for objective in file.objectives:
        scope = objective.scope
        names = journeys.get(scope.api, set() if not scope.api else {scope.operation})
        if scope.kind == JOURNEY and scope.operation not in names:
            known = ", ".join(sorted(names)) or "none outside of apis"
            raise UsageError(
                f"{file.path}, line {objective.line}: {scope} is not there: expected one of the journeys {known}"
            )


def on_init(state: RunState, **_: Any) -> None:
    """Ends the process before any load if the objectives are invalid."""
    environment = state.environment
    state.add_note(EXCEPTIONS_NOTE, lambda: dict(state.exceptions))
    file = objectives(environment)
    if file is None or isinstance(environment.runner, WorkerRunner):
        return
    try:
        require_known_journeys(read_objectives(file), environment)
    except UsageError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_CODES["broken"]) from None


def on_test_start(state: RunState, **_: Any) -> None:
    """Copies the objectives into the run's folder, from which a killed run can then be judged as well."""
    state.exceptions.clear()
    file = objectives(state.environment)
    if file is not None and state.folder is not None and not isinstance(state.environment.runner, WorkerRunner):
        with suppress(OSError):  # a folder that cannot be written is reported with the figures
            report_files.copy_objectives(state.folder, file)


def on_user_error(state: RunState, exception: BaseException, **_: Any) -> None:
    """Counts an exception of a journey, which is an error of ours or of its author, never of the target."""
    message = mask_secrets(f"{type(exception).__name__}: {exception}", state.secrets)
    text = message.split("\n", 1)[0][:MAX_EXCEPTION_LENGTH]
    is_room = text in state.exceptions or len(state.exceptions) < MAX_EXCEPTIONS
    state.exceptions[text if is_room else "others"] += 1


def on_quitting(state: RunState, **_: Any) -> None:
    """Judges the run and sets the exit code; the verdict is printed last, at `quit`."""
    environment = state.environment
    try:
        verdict = judge(state)
    except (UsageError, NoLoadRun) as error:
        state.verdict_lines = [f"load: broken: {error}"]
        _set_exit_code(environment, EXIT_CODES["broken"])
        return
    if verdict is not None:
        state.verdict_lines = [*verdict_text.console_lines(verdict), report_files.page_path(verdict.run.path)]
        _set_exit_code(environment, verdict.exit_code)


def _set_exit_code(environment: Environment, code: int) -> None:
    if environment.process_exit_code not in FINAL_CODES:
        environment.process_exit_code = code


def on_quit(state: RunState, **_: Any) -> None:
    """Prints the verdict."""
    for line in state.verdict_lines:
        console_logger.warning(line)
