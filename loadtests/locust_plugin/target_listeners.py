"""Prepares runs against contracts: refuses user errors, starts what is missing, and prints findings at the end.

Rule: a user error is one line and exit code 2, a target that does not respond is exit code 4. Nothing is started and
nothing sent for a run that is not allowed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import console_logger

import contracts
from contracts.errors import UsageError
from fixtures.cleanup import Leftovers
from fixtures.http_client import Unreachable
from fixtures.known_variables import check_environment, check_load_variables
from fixtures.network_routes import permit_other_clients
from fixtures.secret_settings import run_secret_variables
from fixtures.server_identity import forget_servers
from fixtures.target_api import Api
from fixtures.targets import Target, apply_target_files, require_settings, require_targets
from loadtests.distributed.roles import EMBEDDED_OPTION, journey_classes
from loadtests.distributed.run_state import RunState
from loadtests.locust_plugin.options import VARIABLES
from loadtests.targets.load_route import ROUTE_VARIABLES, load_route
from loadtests.targets.record_removal import count_kept, remove_records, report
from loadtests.targets.run_targets import (
    PERMIT_VARIABLE,
    RunTarget,
    describe_targets,
    excluded_apis,
    permitted_by,
    require_permission,
    resolve_target,
    run_acceptances,
    start_missing,
)
from loadtests.validation.invariants import UniquenessLedger
from loadtests.validation.validators import Validators, parse_mode
from loadtests.validation.violation_causes import ViolationCauses
from reports.load.load_causes import CAUSES_NOTE
from reports.load.load_run import LEFT_OUT_FILE
from reports.load.load_verdict import MISUSE, STOP_NOTE, UNREACHABLE
from reports.load.validation_note import NOTE
from reports.results.records import read_records
from reports.results.verdicts import EXIT_CODES

TARGET_MESSAGE = "flow-place"  # from the master: the URLs of the APIs
LEDGER_KEY = "flow-once"  # of a worker's report to the master
DEPARTURE = "departure"  # in place of a transport in the figures


def contract_classes(environment: Environment) -> list[Any]:
    """The classes of this run whose users run journeys of a contract."""
    return [user_class for user_class in environment.user_classes if getattr(user_class, "api", "")]


def on_init(state: RunState, **_: Any) -> None:
    """Refuses what cannot run or is not permitted, and starts what is missing, before a run can be started."""
    environment, runner = state.environment, state.environment.runner
    is_forked = isinstance(runner, WorkerRunner) and getattr(environment.parsed_options, "processes", None)
    try:
        apply_target_files(contracts.apis(), os.environ)
        if not is_forked:  # its master has the same environment, and says the same once
            check_variables(os.environ)
    except UsageError as error:
        _refuse(state, str(error))
    if isinstance(runner, WorkerRunner):
        runner.register_message(TARGET_MESSAGE, partial(_on_target, state))
        return
    given = RunTarget(environment.host or "")
    try:
        parse_mode(getattr(environment.parsed_options, "judge", "all"))
        for user_class in journey_classes(environment):
            user_class.require_valid()
        _exclude_apis(environment, given)
        user_classes = contract_classes(environment)
        for user_class in user_classes:
            user_class.generate_corpus()
        apis = [user_class.api for user_class in user_classes]
        embedded = _check_targets(environment, apis, given)
        if environment.parsed_options is not None:
            setattr(environment.parsed_options, EMBEDDED_OPTION, embedded)
        mailing = [user_class.api for user_class in user_classes if user_class.reads_mail]
        run_acceptances(apis, replace(given, embedded=tuple(embedded)), os.environ, date.today())
        state.target = start_missing(apis, mailing, given, os.environ, state.resources)
    except (UsageError, ValueError) as error:
        _refuse(state, str(error))
    environment.host = environment.host or state.target.host or None


def check_variables(environ: Mapping[str, str]) -> None:
    """Raises UsageError for a variable of any API or of load runs that is misspelt or has a value it cannot have."""
    check_environment(contracts.apis(), environ)
    check_load_variables([*VARIABLES, *ROUTE_VARIABLES, PERMIT_VARIABLE], environ)
    permitted_by(environ)
    load_route(environ)


def _check_targets(environment: Environment, apis: Sequence[str], given: RunTarget) -> list[str]:
    """The APIs that run on our references. Raises UsageError for a target that is missing or lacks settings."""
    targets = [target for api in apis if (target := resolve_target(api, apis, given, os.environ))]
    named = [target.api for target in targets]
    if getattr(environment.parsed_options, "require_target", False):
        require_targets(apis, named)
    for target in targets:
        require_settings(target)
    return [api for api in apis if api not in named]


def _exclude_apis(environment: Environment, given: RunTarget) -> None:
    """Leaves out APIs that may not or need not be loaded; ends the process with a pass when none is left."""
    apis = [user_class.api for user_class in contract_classes(environment)]
    options = environment.parsed_options
    tested_in = getattr(options, "tested_in", "")
    reasons = dict.fromkeys(apis, "the pytest run did not test it, or it did not answer") if tested_in else {}
    for api in read_records(Path(tested_in)).answering_apis if tested_in else ():
        reasons.pop(api, None)
    apis = [api for api in apis if api not in reasons]
    reasons |= excluded_apis(apis, given, os.environ, is_any_optional=bool(tested_in))
    for api, reason in reasons.items():
        print(f"{api} is left out: {reason}", file=sys.stderr)
    environment.user_classes[:] = [
        user_class for user_class in environment.user_classes if getattr(user_class, "api", "") not in reasons
    ]
    if not reasons:
        return
    folder = getattr(options, "results", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / LEFT_OUT_FILE).write_text(json.dumps(reasons, indent=1), "utf-8")
    if not environment.user_classes:
        print("no API is left to be loaded", file=sys.stderr)
        raise SystemExit(0)


def _refuse(state: RunState, reason: str) -> NoReturn:
    state.resources.close()
    print(reason, file=sys.stderr)
    raise SystemExit(EXIT_CODES[MISUSE])


def _on_target(state: RunState, msg: Any, **_: Any) -> None:
    state.target = RunTarget(**{**msg.data, "embedded": tuple(msg.data["embedded"])})


def on_test_start(state: RunState, **_: Any) -> None:
    """Prepares the classes of users on a process that runs them; a master sends its workers the URLs of the APIs."""
    environment = state.environment
    forget_servers()  # another server may have started at the same address since the last run
    if environment.web_ui is not None:
        environment.process_exit_code = None  # of the run before
    for user_class in set(environment.user_classes).difference(journey_classes(environment)):
        permit_other_clients(environment.host or user_class.host or "")
    target = replace(state.target, host=environment.host or "")
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(TARGET_MESSAGE, asdict(target))
        state.ledger = UniquenessLedger()
        apis = [user_class.api for user_class in contract_classes(environment)]
        state.validators.causes = ViolationCauses(run_acceptances(apis, target, os.environ, date.today()))
        return
    try:
        for line in _prepare(state, target):
            console_logger.info(line)
    except (UsageError, ValueError, Unreachable) as error:
        note = {"verdict": UNREACHABLE if isinstance(error, Unreachable) else MISUSE, "reason": str(error)}
        environment.process_exit_code = EXIT_CODES[note["verdict"]]
        state.add_note(STOP_NOTE, lambda: note)
        state.abandon_test(note["reason"])


def _prepare(state: RunState, run_target: RunTarget) -> list[str]:
    """Prepares all classes of users; returns lines to print."""
    options, user_classes = state.environment.parsed_options, contract_classes(state.environment)
    apis = [user_class.api for user_class in user_classes]
    targets = {api: resolve_target(api, apis, run_target, os.environ) for api in apis}
    known = [target for target in targets.values() if target]
    started = getattr(options, EMBEDDED_OPTION, [])
    others = [target.api for target in known if target.api not in started]  # a proxy may stand before a reference
    mode, variables = parse_mode(getattr(options, "judge", "all")), run_secret_variables(apis, os.environ)
    causes = ViolationCauses(run_acceptances(apis, run_target, os.environ, date.today()))
    state.validators = Validators(mode, state.secrets, variables, others, causes=causes)
    state.cpu_began = time.process_time_ns()
    state.ledger = UniquenessLedger()
    lines = describe_targets(known)
    if permitted_by(os.environ):
        lines.append(f"permitted by {permitted_by(os.environ)}")
    for known_target in known:
        Api(known_target).require_answer()  # before the preparation, which takes long
        require_permission(known_target, os.environ)  # of a server that did not answer before
        lines += _departure_lines(state, known_target, date.today())
    for user_class in user_classes:
        target = targets[user_class.api]
        if target is None:
            raise UsageError(f"{user_class.api}: no host; pass --host or set {user_class.api.upper()}_URL")
        lines += [f"{user_class.api}: {missing}" for missing in user_class.prepare(state, target, run_target.mail)]
        if not target.writes:
            lines.append(f"{user_class.api}: journeys that change something are left out; {target.read_only_reason()}")
    state.add_note(NOTE, partial(_validation_note, state))
    state.add_note(CAUSES_NOTE, lambda: state.validators.causes.note())
    return lines


def _departure_lines(state: RunState, target: Target, today: date) -> list[str]:
    """A line for each departure of the target; one whose last day is over is a failure of the run."""
    lines = []
    for departure in target.departures:
        sentence = departure.sentence(today)
        lines.append(f"{target.api} {'overdue' if departure.is_overdue(today) else 'known'}: {sentence}")
        if departure.is_overdue(today):
            samples, now = (
                state.generator.recorder.samples_of(f"{target.api} departs", DEPARTURE),
                time.perf_counter_ns(),
            )
            samples.record_failure(departure.clause, now, now, now)
    return lines


def _validation_note(state: RunState) -> dict[str, Any]:
    """How responses were validated in this process, for the result."""
    validators, permission = state.validators, {"permitted_by": permitted_by(os.environ)}
    if not contract_classes(state.environment):
        return {**permission, "findings": [], "once": []}
    return {
        **permission,
        "mode": {0: "status", 1: "all"}.get(validators.sample_interval, f"sample={validators.sample_interval}"),
        "answers": validators.cost.count,
        "validated": validators.validated,
        "sampled": {name: [count.validated, count.refused] for name, count in validators.sampled.items()},
        "ns_per_answer": round(validators.cost.mean_ns),
        "cpu_share": round(validators.cost.share(time.process_time_ns() - state.cpu_began), 4),
        "findings": validators.finding_texts(),
        "once": state.ledger.summary_lines(),
    }


def on_report_to_master(state: RunState, data: dict[str, Any], **_: Any) -> None:
    """Sends the values that must be unique, so that the master can compare them across workers."""
    data[LEDGER_KEY] = state.ledger.report()


def on_worker_report(state: RunState, data: dict[str, Any], **_: Any) -> None:
    """Compares a worker's values with those of the others; a repeat is a failure of the run."""
    for clause, expected, received in state.ledger.merge_report(data.pop(LEDGER_KEY, ())):
        what = f"expected {expected}; received {received}"
        if not state.validators.causes.is_accepted(clause, "", "", partial(str, what)):
            state.count_failures(expected, clause)


def on_quitting(state: RunState, **_: Any) -> None:
    """Ends what was started for the run."""
    state.resources.close()


def on_quit(state: RunState, **_: Any) -> None:
    """Removes the records of the run, and prints what validation cost, and an example of each finding."""
    _remove_records(state)
    result = state.current_result()
    if result is not None:
        notes = result.notes.get(NOTE, {})
        for line in _note_lines(notes):
            console_logger.info(line)
        for finding in _unique_findings(notes):
            console_logger.warning(f"\n{finding}")


def _remove_records(state: RunState) -> None:
    """Removes what this process has made, and prints what is left."""
    result, classes = state.current_result(), contract_classes(state.environment)
    accepted = {it.operation: it.requests - sum(it.failures.values()) for it in result.operations} if result else {}
    try:
        cleaned = remove_records(state.record_ledgers, os.environ)
    except (UsageError, Unreachable) as error:
        console_logger.warning(f"records of this run are left ({error}): run python -m fixtures.cleanup")
        return
    for target in _foreign_targets(state, [user_class.api for user_class in classes]) if accepted else ():
        cleaned.setdefault(target.api, Leftovers()).add(count_kept(target.api, accepted))
    for line in report(cleaned, getattr(state.environment.parsed_options, "results", None)):
        console_logger.info(line)


def _foreign_targets(state: RunState, apis: list[str]) -> list[Target]:
    """The targets of the run, other than our references, where it may have made records."""
    run_target = RunTarget(state.environment.host or "", state.target.mail)
    targets = (resolve_target(api, apis, run_target, os.environ) for api in apis)
    return [target for target in targets if target and target.writes and not target.is_reference]


def _note_lines(notes: dict[str, Any]) -> list[str]:
    """Lines to print: how many responses were validated, and what that cost."""
    lines = []
    for worker, note in notes.items():
        if "validated" not in note:
            continue  # a run without a contract
        cost = f"{note['ns_per_answer'] / 1000:.1f} µs a response, {note['cpu_share']:.0%} of its CPU time"
        lines.append(f"{worker}: validated {note['validated']} of {note['answers']} responses ({note['mode']}), {cost}")
        lines += [f"  {line}" for line in note["once"]]
    return lines


def _unique_findings(notes: dict[str, Any]) -> list[str]:
    """One example of each finding; findings with the same first line are the same."""
    return list({text.split("\n", 1)[0]: text for note in notes.values() for text in note["findings"]}.values())
