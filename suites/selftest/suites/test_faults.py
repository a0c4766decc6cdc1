"""Faults of the most important promises are caught by the suites that know only contracts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import contracts
from contracts.asyncapi import load_rpc_contract
from contracts.openapi import load_contract
from fixtures.reference import load
from fixtures.resources import resources

ROOT = Path(__file__).parents[3]
GENERIC = ("suites/generic/test_operations.py", "suites/generic/test_records.py")

# Faults that the generic suites, which know only an API's contract, must catch.
WATCHED = {
    "a_required_field_is_dropped": (
        "bitvis.drops_the_name_of_inactive_devices",
        "flowapp.past_events_lose_their_token",
        "flowback.drops_the_username_of_a_row",
        "getflow.drops_the_workspace_of_a_task",
    ),
    "a_rare_branch_has_a_wrong_type": (
        "bitvis.southern_latitude_is_text",
        "flowapp.analytics_turn_the_duration_into_text",
        "flowback.makes_one_image_relative",
        "getflow.completed_at_is_epoch_seconds",
        "getflow.included_account_id_is_text",
    ),
    "a_status_is_undocumented": (
        "bitvis.redirects_after_a_creation",
        "flowapp.unknown_event_redirects_to_login",
        "flowback.redirects_past_the_end",
        "getflow.redirects_an_unknown_record",
    ),
    "a_media_type_is_wrong": (
        "bitvis.names_another_media_type",
        "flowapp.csv_is_labelled_as_html",
        "flowback.lists_as_plain_text",
        "getflow.answers_html_media_type",
    ),
    "an_error_has_no_id": ("bitvis.leaves_out_the_errorid", "getflow.error_without_its_id"),
    "an_error_has_another_code": ("bitvis.answers_another_code_for_missing_objects", "getflow.unknown_code"),
    "an_error_names_another_attribute": ("getflow.names_the_wrong_attribute", "getflow.names_no_attribute"),
    "an_invalid_value_is_accepted": (
        "bitvis.accepts_lower_case_methods",
        "flowapp.numeric_email_is_accepted",
        "flowback.takes_a_page_that_is_no_number",
        "getflow.rolls_days_that_do_not_exist",
        "getflow.limit_has_no_maximum",
        "getflow.takes_a_limit_that_is_no_number",
    ),
    "one_operation_lets_everybody_in": (
        "bitvis.forgets_the_token_on_index",
        "bitvis.accepts_any_token_on_queues",
        "flowapp.survey_list_needs_no_key",
        "flowback.shows_a_user_without_a_key",
        "flowback.takes_any_key_for_the_list",
        "getflow.reads_lists_without_credentials",
    ),
    "a_deletion_deletes_nothing": ("bitvis.deletes_nothing", "getflow.delete_deletes_nothing"),
    "a_write_is_lost": (
        "bitvis.keeps_no_created_object",
        "bitvis.keeps_no_update",
        "flowapp.creation_is_not_kept",
        "getflow.created_list_is_not_kept",
        "getflow.update_is_not_kept",
    ),
    "letters_beyond_ascii_cause_an_error": (
        "bitvis.breaks_on_letters_beyond_ascii",
        "flowapp.foreign_names_are_an_error",
        "flowback.breaks_on_a_name_beyond_ascii",
        "getflow.crashes_on_non_ascii_names",
    ),
}


def prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `suites.mutation` to its end."""
    command = [sys.executable, "-m", "suites.mutation", "--jobs", "1", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1_800, check=False)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The verdict on every watched fault by its name, in one run of the suites that know only contracts."""
    out = tmp_path_factory.mktemp("prove")
    names = ",".join(name for group in WATCHED.values() for name in group)
    run = prove("--out", str(out), "--only", names, *GENERIC)
    assert (out / "kill-table.json").exists(), run.stdout[-4000:] + run.stderr[-4000:]
    table = json.loads((out / "kill-table.json").read_text())
    assert table["honest"] == []
    return {f"{result['api']}.{result['name']}": result["verdict"] for result in table["results"]}


@pytest.mark.slow(seconds=100)
@pytest.mark.xdist_group("watched")
@pytest.mark.parametrize("breakage", WATCHED)
def test_conformance_suites_catch_when(breakage: str, watched: dict[str, str]) -> None:
    # "foreign" is a catch too: without the tests of its own clause a fault may be blamed on the operation's
    missed = {name: watched[name] for name in WATCHED[breakage] if watched[name] not in ("caught", "foreign")}
    assert missed == {}


@pytest.mark.parametrize("api", contracts.apis())
def test_every_clause_that_the_generic_tests_check_is_broken_by_a_fault(api: str) -> None:
    rpc = load_rpc_contract(api)
    subjects = [*load_contract(api).operations.values(), *(rpc.calls.values() if rpc else ()), *resources(api)]
    checked = {clause for subject in subjects for clause in subject.clauses}
    broken = {clause for fault in load(api).FAULTS.values() for clause in fault.clauses}
    assert checked - broken == set()


@pytest.mark.parametrize("api", ["bitvis", "flowapp", "flowback", "getflow"])
def test_the_four_references_have_at_least_40_faults_and_12_variants(api: str) -> None:
    package = load(api)
    assert len(package.FAULTS) >= 40
    assert len(package.VARIANTS) >= 12


def test_changes_of_frames_are_tried_over_sockets(tmp_path: Path) -> None:
    names = "masks_its_answers,closes_with_1005,answers_in_fragments"
    run = prove("--out", str(tmp_path), "--only", names, "suites/bitvis/test_protocol.py")
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    results = json.loads((tmp_path / "kill-table.json").read_text())["results"]
    assert [result["skipped"] for result in results] == [0, 0, 0]


def test_unknown_fault_is_a_usage_error() -> None:
    run = prove("--only", "no_such_fault")
    assert run.returncode == 2
    assert "no_such_fault" in run.stderr
