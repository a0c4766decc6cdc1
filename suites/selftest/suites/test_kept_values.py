"""Facts about the tests of values, effects and reads around a write: they bite, and are silent where they should."""

from __future__ import annotations

import pytest

from contracts.openapi import load_contract
from contracts.operation import Operation
from fixtures.corpus import EFFORTS, Corpus
from fixtures.target_api import Api
from suites.generic import test_only_what_was_named as named
from suites.generic import test_read_back as read_back
from suites.generic import test_values_keep as keep
from suites.generic.named_changes import NamedChanges
from suites.generic.record_writes import record_write, rows_about, written_members
from suites.generic.sent_values import is_kept
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import ContractViolation

TEXT = {"type": "string"}
DATE = {"type": "string", "format": "date"}


def corpus_of(api: str) -> Corpus:
    return Corpus(load_contract(api), EFFORTS["default"], 0)


def operation_of(api: str, identifier: str) -> Operation:
    return load_contract(api).find(identifier)


def changes_of(api: Api, identifier: str) -> NamedChanges:
    write = record_write(operation_of(api.target.api, identifier))
    assert write is not None
    return NamedChanges(api, corpus_of(api.target.api), write)


@pytest.mark.parametrize(
    ("api", "operation", "fault", "clause"),
    [
        ("getflow", "createTask", "strips_notes", "GETFLOW-REC-1"),
        ("getflow", "updateTask", "decodes_notes_as_forms", "GETFLOW-REC-2"),
        ("getflow", "updateTask", "an_empty_list_of_tags_is_no_change", "GETFLOW-REC-2"),
        ("getflow", "updateList", "false_is_no_value", "GETFLOW-REC-2"),
        ("flowapp", "registerPerson", "csv_values_have_one_line", "FLOWAPP-CSV-3"),
        ("flowapp", "registerPerson", "csv_numbers_lose_their_zeros", "FLOWAPP-CSV-3"),
        ("flowback", "registerUser", "names_lose_repeated_dots", "FLOWBACK-REG-5"),
    ],
)
def test_a_changed_value_is_blamed_on_the_clause_that_keeps_it(
    api: str, operation: str, fault: str, clause: str
) -> None:
    with pytest.raises(ContractViolation) as caught:
        keep.test_difficult_values_keep(in_process_api(api, (fault,)), corpus_of(api), operation_of(api, operation))
    assert caught.value.clauses[0] == clause


@pytest.mark.parametrize(
    ("api", "operation", "variant"),
    [
        ("getflow", "createTask", "dates_come_back_as_times"),
        ("flowapp", "createEvent", "invisible_letters_are_refused"),
        ("flowapp", "registerPerson", "registrants_are_a_bare_array"),
    ],
)
def test_an_honest_habit_is_not_blamed(api: str, operation: str, variant: str) -> None:
    target = in_process_api(api, variants=(variant,))
    keep.test_difficult_values_keep(target, corpus_of(api), operation_of(api, operation))


def test_an_update_of_other_members_is_blamed() -> None:
    changes = changes_of(in_process_api("getflow", ("an_update_resets_the_flags",)), "updateList")
    with pytest.raises(ContractViolation, match="invite_only True as before an update of"):
        named.test_an_update_changes_the_member_that_it_names(changes)


def test_a_time_of_creation_that_a_client_writes_is_blamed() -> None:
    changes = changes_of(in_process_api("getflow", ("the_time_of_creation_can_be_written",)), "updateTask")
    with pytest.raises(ContractViolation, match="created_at"):
        named.test_members_of_the_server_cannot_be_written(changes)


def test_a_refused_update_with_an_effect_is_blamed() -> None:
    changes = changes_of(in_process_api("getflow", ("refused_updates_are_done_by_half",)), "updateTask")
    with pytest.raises(ContractViolation, match="as before a refused update"):
        named.test_a_refused_request_changes_nothing(changes)


def test_a_name_that_a_refused_registration_took_is_blamed() -> None:
    changes = changes_of(in_process_api("flowback", ("refused_registrations_take_the_name",)), "registerUser")
    with pytest.raises(ContractViolation, match="username of a refused request"):
        named.test_a_refused_request_changes_nothing(changes)


def test_an_id_that_a_refused_creation_uses_up_is_not_blamed() -> None:
    changes = changes_of(in_process_api("getflow", variants=("refused_creations_use_up_an_id",)), "createTask")
    named.test_a_refused_request_changes_nothing(changes)


def test_every_record_of_the_test_is_deleted() -> None:
    api = in_process_api("getflow")
    keep.test_difficult_values_keep(api, corpus_of("getflow"), operation_of("getflow", "createList"))
    named.test_members_of_the_server_cannot_be_written(changes_of(api, "createList"))
    methods = [exchange.request.method for exchange in api.exchanges if exchange.response.status < 300]
    assert methods[-1] == "DELETE"


@pytest.mark.parametrize(
    ("api", "operation", "fault", "clause"),
    [
        ("getflow", "updateList", "an_update_leaves_the_cached_lists", "GETFLOW-REC-2"),
        ("getflow", "deleteWorkspace", "deleted_workspaces_are_read_from_a_cache", "GETFLOW-REC-3"),
        ("flowapp", "createEvent", "a_new_event_misses_the_next_list", "FLOWAPP-EVC-3"),
        ("flowback", "registerUser", "names_asked_for_in_vain_stay_unknown", "FLOWBACK-REG-5"),
        ("flowback", "registerUser", "the_list_by_name_is_one_write_behind", "FLOWBACK-REG-5"),
        ("flowapp", "registerPerson", "registrants_are_listed_once", "FLOWAPP-REG-3"),
        ("getflow", "updateTask", "views_keep_their_tasks_as_they_were", "GETFLOW-REC-2"),
        ("getflow", "deleteTask", "sorted_lists_show_deleted_tasks", "GETFLOW-REC-3"),
    ],
)
def test_what_was_asked_for_before_and_not_written_since_is_blamed(
    api: str, operation: str, fault: str, clause: str
) -> None:
    target = in_process_api(api, (fault,))
    with pytest.raises(ContractViolation) as caught:
        read_back.test_a_write_is_read_back_by_every_way(target, corpus_of(api), operation_of(api, operation))
    assert caught.value.clauses[0] == clause


@pytest.mark.parametrize("operation", ["createTask", "updateTask", "deleteTask"])
def test_entity_tags_are_not_blamed(operation: str) -> None:
    target = in_process_api("getflow", variants=("reads_have_an_entity_tag",))
    read_back.test_a_write_is_read_back_by_every_way(target, corpus_of("getflow"), operation_of("getflow", operation))


def test_a_text_is_no_instant_unless_its_format_says_so() -> None:
    sent, received = "2031-02-03", "2031-02-03T00:00:00Z"
    assert is_kept(DATE, sent, received)
    assert not is_kept(TEXT, sent, received)


def test_the_only_row_is_about_the_record() -> None:
    assert list(rows_about([{"name": "x"}], "name", "X")) == [{"name": "x"}]
    assert list(rows_about([["name"], ["x"]], "name", "X")) == [["x"]]
    assert list(rows_about([{"name": "x"}, {"name": "y"}], "name", "X")) == []


def test_a_safe_operation_has_a_reason_against_both_kinds() -> None:
    operation = operation_of("getflow", "listTasks")
    assert (keep.reason_against(operation), named.reason_against(operation)) == (
        "it writes nothing",
        "it changes nothing",
    )


def test_members_of_the_target_and_write_only_ones_are_not_compared() -> None:
    write = record_write(operation_of("flowapp", "createEvent"))
    assert write is not None
    names = {member.name for member in written_members(load_contract("flowapp"), write)}
    assert {"title", "duration"} <= names
    assert not {"creatorID", "operators"} & names
