"""The command that shows a violation of a load run again: one request, or the journey that met it, for a few seconds.

Rule: a request shows it alone if the contract was broken by its response, and the record that it is about is still
there. What a journey's check found depends on what the journey did before: then the journey is run again, at the rate
of the run.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from reports.load.load_causes import LoadCause
from reports.load.load_run import LoadRun

JOURNEY_TAGS_KEY = "journey_tags"  # of the plan: the tags of each journey, by its name
WRITES = "writes"  # the tag of journeys that change something
SECONDS = 10  # that the journey is run again for
USERS = 10  # where the plan has none
PATH_PARAMETER = "{"  # in the name of an operation that is about one record


def command_of(cause: LoadCause, run: LoadRun) -> str:
    """A command for a POSIX shell, which reads secrets from the variables that the run had."""
    journeys = _journeys_with(cause, run)
    tags = run.plan.get(JOURNEY_TAGS_KEY, {})
    only_in_writing = bool(journeys) and all(WRITES in tags.get(journey, ()) for journey in journeys)
    is_removed = only_in_writing and PATH_PARAMETER in cause.operation  # as every record that a run has made
    if cause.command and not is_removed:
        return cause.command
    words = ["locust", "-f", f"loadtests/{cause.api}.py", "--headless"]
    words += ["--tags", journeys[0]] if journeys else []
    words += _amount(run.plan)
    url = str(run.plan.get("targets", {}).get(cause.api, ""))
    words += ["--host", url] if "://" in url else []
    return f"PYTHONPATH=. {shlex.join(words)}"


def _journeys_with(cause: LoadCause, run: LoadRun) -> list[str]:
    """The journeys of the API that failed by the cause, the one that failed most often first."""
    counts: dict[str, int] = {}
    for journey in run.result.journeys:
        number = sum(n for reason, n in journey.failures.items() if _is_of(cause, reason))
        if number and journey.transport == cause.api:
            counts[journey.operation] = number
    return sorted(counts, key=lambda name: (-counts[name], name))


def _is_of(cause: LoadCause, reason: str) -> bool:
    """Whether a journey's failure, such as "getflow GET /tasks: GETFLOW-ERR-10", is of that cause."""
    operation, _, clause = reason.rpartition(": ")
    return clause == cause.clause and cause.operation in ("", operation)


def _amount(plan: Mapping[str, Any]) -> list[str]:
    """The options for as many journeys at once as the run had."""
    users = str(plan.get("users") or USERS)
    rates = [rate for arrivals in plan.get("arrivals", {}).values() for _, rate in arrivals.get("points", ())]
    rate = ["--rate", f"{max(rates):g}"] if any(rates) else []
    return [*rate, "-u", users, "-r", users, "-t", f"{SECONDS}s"]
