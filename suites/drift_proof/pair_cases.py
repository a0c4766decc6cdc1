"""Two changes at once: neither hides the other.

Rule: both drifts are of one API and affect different places, so that each can be seen.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from functools import cache

from suites.drift_proof.drift_seeds import Seed, read_seeds
from suites.drift_proof.proof_case import CaseResult, Figure, share_figure
from suites.drift_proof.recorded_state import check, record_of
from suites.drift_proof.seed_cases import MEASURES, judged
from suites.drift_proof.served_state import State

API = "getflow"
LABELS = "GET /v2/*"  # where all of these drifts show
PAIRED = (
    *("options_are_answered", "denials_are_forbidden", "pages_have_fifty_rows_at_most", "view_scheduled_is_refused"),
    *("names_have_markup", "missing_has_another_code", "messages_are_reworded", "errors_have_a_severity"),
    *("error_links_are_plain_http", "tasks_have_no_note", "no_start_is_left_out", "tasks_have_a_priority"),
    *("every_task_is_due", "flags_are_numbers", "callers_have_a_fraction", "times_have_milliseconds"),
    *("some_workspaces_have_no_name", "times_have_no_zone", "a_workspace_stands_twice", "times_have_an_offset"),
    *("lists_start_at_midnight", "owners_are_a_list", "workspace_ids_are_text", "activities_have_uuids"),
    *("accounts_are_sorted_by_member", "request_ids_have_no_dashes", "targets_have_a_prefix", "payloads_are_lists"),
    *("names_its_server", "pages_lead_on_in_the_body"),
)


@cache
def _seeds() -> dict[str, Seed]:
    """The seeds of these drifts by the drift's name."""
    return {
        seed.after[0].name: seed
        for seed in read_seeds()
        if seed.api == API and not seed.before and seed.after[0].kind == "drift" and seed.after[0].name in PAIRED
    }


def names() -> list[str]:
    """Every pair."""
    return [f"{first} + {second}" for first, second in itertools.combinations(sorted(_seeds()), 2)]


def prepare(_chosen: Sequence[str]) -> None:
    """Records the honest reference."""
    record_of(State(API, labels=LABELS))


def run(name: str) -> CaseResult:
    """Checks a reference with both changes, and expects that both are reported."""
    started = time.perf_counter()
    pair = [_seeds()[part] for part in name.split(" + ")]
    state = State(API, tuple(seed.after[0] for seed in pair), seed=1, labels=LABELS)
    reported = check(record_of(State(API, labels=LABELS)), state)
    missed = [seed.name for seed in pair if len(judged(seed, reported)) < len(MEASURES)]
    measures = {"both": float(not missed), "reported": len(reported)}
    problems = tuple(f"{seed} is not reported as it is alone" for seed in missed)
    return CaseResult(name, problems, measures, time.perf_counter() - started)


def figures(results: Sequence[CaseResult]) -> list[Figure]:
    """How many pairs are both reported."""
    return [share_figure("pairs of which both are reported", results, "both", 1.0)]
