"""Facts about the faults and variants of getflow's reference: each one is visible in the replies to a few requests."""

from __future__ import annotations

from fixtures.reference.protocol import Handler
from suites.selftest.reference.getflow_requests import (
    NEW_TASK,
    REFERENCE,
    TOKEN,
    UUID,
    V2,
    request_from,
    server,
)

RequestLine = str | tuple[str, dict[str, str | None]]  # a line, or a line and its headers
VERSION_1: dict[str, str | None] = {"accept": "application/vnd.flow.v1+json"}
ACCEPT: dict[str, str | None] = {"accept": V2}
NEW_LIST = '{"list":{"name":"Grüße","workspace_id":1}}'
REQUESTS_BY_CHANGE: dict[str, list[RequestLine]] = {
    # faults.errors
    "error_without_its_id": ["GET /v2/tasks/0?$"],
    "error_ids_repeat": ["GET /v2/tasks", "GET /v2/tasks"],
    "error_ids_are_numbers": ["GET /v2/tasks"],
    "error_status_is_a_number": ["GET /v2/tasks"],
    "one_error_is_no_list": ["GET /v2/tasks"],
    "error_list_is_empty": [("GET /v2/tasks?$", {"authorization": None})],
    "message_is_a_stack_trace": ["GET /v2/tasks?$&limit=x"],
    "message_is_empty": ["GET /v2/tasks/0?$"],
    "code_is_a_number": ["DELETE /v2/tasks/31?$"],
    "unknown_code": ["GET /v2/tasks/0?$"],
    "unknown_parameter_is_a_wrong_value": ["GET /v2/tasks?$&x=1"],
    "missing_parameter_is_a_wrong_value": ["GET /v2/tasks"],
    "wrong_type_is_a_missing_parameter": ["GET /v2/tasks?$&limit=x"],
    "tells_foreign_records_apart": ["GET /v2/tasks/5001?$"],
    "documentation_link_is_a_path": ["GET /v2/tasks"],
    "description_is_missing": ["GET /v2/tasks"],
    "description_is_cut": ["GET /v2/tasks?$&x=1"],
    "names_the_wrong_attribute": ["GET /v2/tasks"],
    "names_no_attribute": ["GET /v2/tasks?$&limit=x"],
    "empty_value_is_a_wrong_type": ["GET /v2/tasks?organization_id="],
    "unknown_path_is_a_web_page": ["GET /v2/nothing?$"],
    "malformed_body_crashes": ["POST /v2/tasks?$ {"],
    "refuses_with_status_200": ["GET /v2/tasks/0?$"],
    "redirects_an_unknown_record": ["GET /v2/lists/0?$"],
    "breaks_on_a_second_problem": ["GET /v2/tasks?limit=x"],
    "mixes_up_two_problems": ["GET /v2/tasks?limit=x"],
    # faults.access
    "answers_lists_as_projects": ["GET /v2/lists?$"],
    "serves_teams": ["GET /v2/teams?$"],
    "names_a_project": ["GET /v2/tasks/1?$"],
    "writes_its_ids_in_other_words": ["GET /v2/tasks?$"],
    "drops_the_workspace_of_a_task": ["GET /v2/tasks?$"],
    "serves_no_lists": ["GET /v2/lists?$"],
    "completed_at_is_epoch_seconds": ["GET /v2/tasks/4?$"],
    "included_account_id_is_text": ["GET /v2/tasks?$&include=accounts"],
    "update_answers_a_bare_record": ['PUT /v2/lists/1?$ {"list":{"name":"x"}}'],
    "answers_html_media_type": ["GET /v2/workspaces?$"],
    "answers_version_1": ["GET /v2/tasks/1?$"],
    "token_opens_version_1": ["GET /v1/tasks?$"],
    "any_version_in_accept": [("GET /tasks?$", VERSION_1)],
    "crashes_without_a_version": ["GET /tasks?$"],
    "accept_drops_the_tags": [("GET /tasks?$", ACCEPT)],
    "accept_does_not_select_on_memberships": [("GET /memberships?$", ACCEPT)],
    "prefix_is_not_served_on_activities": ["GET /v2/activities?$"],
    "prefix_wants_accept_too": ["GET /v2/tasks?$"],
    "reads_no_single_list": ["GET /v2/lists/1234?$"],
    "sends_no_request_id": ["GET /v2/tasks?$"],
    "reads_lists_without_credentials": [("GET /v2/lists/1?$", {"authorization": None})],
    "creates_lists_with_any_token": [(f"POST /v2/lists?$ {NEW_LIST}", {"authorization": "Bearer x"})],
    "opens_any_organisation": ["GET /v2/tasks?organization_id=90"],
    "reads_any_task_by_id": ["GET /v2/tasks/7001?$"],
    "assumes_an_organisation": ["GET /v2/tasks"],
    # faults.lists
    "upcoming_lets_undated_tasks_through": ["GET /v2/tasks?$&view=upcoming"],
    "upcoming_hides_completed_tasks": ["GET /v2/tasks?$&view=upcoming"],
    "view_is_ignored": ["GET /v2/tasks?$&view=upcoming"],
    "no_default_view_on_accounts": ["GET /v2/accounts?$&view=default"],
    "no_view_hides_completed_tasks": ["GET /v2/tasks?$"],
    "default_view_hides_the_last_record": [
        "GET /v2/workspaces?$",
        'POST /v2/workspaces?$ {"workspace":{"name":"x"}}',
        "GET /v2/workspaces?$&limit=99",
    ],
    "a_view_shows_another_organisation": ["GET /v2/tasks?$&view=upcoming"],
    "owner_filter_is_ignored": ["GET /v2/tasks?$&owner_id=2"],
    "limit_is_ignored_on_workspaces": ["GET /v2/workspaces?$&limit=3"],
    "cursor_is_ignored_on_lists": ["GET /v2/lists?$&cursor=3"],
    "default_limit_is_20": ["GET /v2/tasks?$"],
    "page_skips_a_record": ["GET /v2/tasks?$&cursor=25"],
    "page_repeats_a_record": ["GET /v2/activities?$"],
    "link_loses_the_view": ["GET /v2/tasks?$&view=upcoming&limit=2"],
    "link_loses_the_organisation": ["GET /v2/tasks?$&limit=2"],
    "links_never_end": ["GET /v2/lists?$&limit=99"],
    "a_creation_moves_later_pages": [
        'POST /v2/workspaces?$ {"workspace":{"name":"x"}}',
        "GET /v2/workspaces?$&cursor=25",
    ],
    "activities_want_a_cursor": ["GET /v2/activities?$"],
    "activities_are_oldest_first": ["GET /v2/activities?$"],
    "latest_activity_is_late": [f"POST /v2/lists?$ {NEW_LIST}", "GET /v2/activities?$"],
    "memberships_have_no_link": ["GET /v2/memberships?$"],
    "link_is_relative": ["GET /v2/tasks?$"],
    "link_has_another_relation": ["GET /v2/tasks?$"],
    "limit_has_no_maximum": ["GET /v2/tasks?$&limit=101"],
    # faults.small_lists
    "plain_lists_show_fifty_of_sixty_tasks": ["GET /v2/tasks?$"],
    "plain_accounts_begin_with_the_second": ["GET /v2/accounts?$"],
    "plain_list_hides_its_last_row": ["GET /v2/lists?$"],
    "every_page_names_a_next_one": ["GET /v2/workspaces?$&limit=100"],
    "full_last_page_links_to_an_empty_one": ["GET /v2/accounts?$&limit=15&cursor=15"],
    # faults.related
    "include_is_ignored_on_tasks": ["GET /v2/tasks?$&include=accounts"],
    "include_is_ignored_on_memberships": ["GET /v2/memberships?$&include=accounts"],
    "include_takes_the_first_name_only": ["GET /v2/tasks?$&include=accounts,memberships"],
    "include_leaves_out_an_account": ["GET /v2/tasks?$&include=accounts&limit=1"],
    "included_records_are_nested": ["GET /v2/tasks?$&include=accounts"],
    "include_thins_the_tasks": ["GET /v2/tasks?$&include=accounts"],
    "include_wants_the_alphabet": ["GET /v2/tasks?$&include=memberships,accounts"],
    "included_accounts_have_their_names_cut": ["GET /v2/tasks?$&include=accounts"],
    # faults.writes
    "parses_without_content_type": [(f"POST /v2/tasks?$ {NEW_TASK}", {"content_type": None})],
    "vendor_media_type_is_refused": ['POST /v2/workspaces?$ {"workspace":{"name":"x"}}'],
    "garbles_non_ascii_names": [f"POST /v2/tasks?$ {NEW_TASK}"],
    "crashes_on_non_ascii_names": [f"POST /v2/lists?$ {NEW_LIST}"],
    "delete_wants_a_content_type": ["DELETE /v2/tasks/1?$"],
    "prefix_creates_no_tasks": [f"POST /v2/tasks?$ {NEW_TASK}"],
    "creates_a_list_nowhere": ['POST /v2/lists?$ {"list":{"name":"x"}}'],
    "names_the_object_of_an_unknown_attribute": ['PUT /v2/tasks/1?$ {"task":{"x":1}}'],
    "takes_a_limit_that_is_no_number": ["GET /v2/lists?$&limit=x"],
    "takes_text_as_a_flag": ['PUT /v2/tasks/1?$ {"task":{"completed":"yes"}}'],
    "takes_any_list_id": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"list_id":999999}}'],
    "changes_a_cleared_task": ['PUT /v2/tasks/31?$ {"task":{"name":"x"}}'],
    "deletes_a_workspace_with_lists": ["DELETE /v2/workspaces/1?$"],
    "refused_change_is_not_found": ["DELETE /v2/tasks/31?$"],
    "created_list_is_not_kept": [f"POST /v2/lists?$ {NEW_LIST}", "GET /v2/lists/1235?$"],
    "created_note_is_lost": [
        'POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"note_content":"n"}}',
        "GET /v2/tasks/7013?$",
    ],
    "update_is_not_kept": ['PUT /v2/tasks/1?$ {"task":{"name":"x"}}', "GET /v2/tasks/1?$"],
    "update_clears_what_it_does_not_name": ['PUT /v2/tasks/1?$ {"task":{"name":"x"}}'],
    "delete_deletes_nothing": ["DELETE /v2/tasks/1?$", "GET /v2/tasks/1?$"],
    "deleted_list_is_still_listed": ["DELETE /v2/lists/35?$", "GET /v2/lists?$&limit=99"],
    "created_task_is_not_listed": [f"POST /v2/tasks?$ {NEW_TASK}", "GET /v2/tasks?$&cursor=120"],
    "writes_leave_no_activity": [f"POST /v2/lists?$ {NEW_LIST}", "GET /v2/activities?$"],
    # faults.media_types
    "breaks_on_spaces_around_a_weight": [("GET /v2/tasks?$", {"accept": f"{V2} ; q=1.000"})],
    "wants_its_media_type_in_small_letters": [(f"POST /v2/tasks?$ {NEW_TASK}", {"content_type": V2.upper()})],
    # faults.dates
    "takes_american_dates": ['PUT /v2/tasks/1?$ {"task":{"due_on":"05/15/2017"}}'],
    "takes_any_text_as_a_date": ['PUT /v2/tasks/1?$ {"task":{"starts_on":"tomorrow"}}', "GET /v2/tasks/1?$"],
    "rolls_days_that_do_not_exist": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-02-30"}}'],
    "takes_any_date_in_a_filter": ["GET /v2/tasks?$&created_after=tomorrow"],
    "refuses_a_date_without_time": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-05-15"}}'],
    "moves_times_by_an_hour": [f"POST /v2/tasks?$ {NEW_TASK}"],
    "drops_the_time": [f"POST /v2/tasks?$ {NEW_TASK}"],
    "a_refused_task_is_made_without_its_date": [
        'POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"due_on":"tomorrow"}}',
        "GET /v2/tasks?$&cursor=120",
    ],
    "drops_the_offset": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2017-05-15T16:58:39+01:00"}}'],
    "lists_start_a_day_early": ['PUT /v2/lists/1?$ {"list":{"starts_on":"2017-05-15"}}'],
    # faults.rare
    "successes_of_a_path_share_an_id": ["GET /v2/tasks?$", "GET /v2/tasks?$"],
    "errors_repeat_the_id_of_a_success": ["GET /v2/tasks?$", "GET /v2/tasks"],
    "every_other_code_is_another": ["GET /v2/tasks/0?$", "GET /v2/tasks/0?$"],
    "memberships_spell_attributes_in_camel_case": ["GET /v2/memberships"],
    "takes_team_id_for_workspace_id": ['POST /v2/lists?$ {"list":{"name":"x","team_id":1}}'],
    "any_version_that_starts_with_a_2": ["GET /v22/tasks?$"],
    "accept_changes_no_names": [('PUT /lists/1?$ {"list":{"name":"x"}}', ACCEPT), "GET /v2/lists/1?$"],
    "upcoming_ends_after_a_page": ["GET /v2/tasks?$&view=upcoming"],
    "link_loses_the_include": ["GET /v2/tasks?$&include=lists&limit=2"],
    "link_loses_the_limit": ["GET /v2/tasks?$&limit=2"],
    "a_full_page_lacks_its_last": ["GET /v2/tasks?$&limit=100"],
    "accounts_come_in_another_order_each_time": ["GET /v2/accounts?$"],
    "include_shows_a_stranger": ["GET /v2/tasks?$&include=accounts"],
    "tells_foreign_organisations_apart": ["GET /v2/tasks?organization_id=90"],
    "takes_a_token_that_is_cut": [("GET /v2/tasks?$", {"authorization": TOKEN[:-1]})],
    "updates_without_content_type": [
        ('PUT /v2/lists/1?$ {"list":{"name":"x"}}', {"content_type": None}),
        "GET /v2/lists/1?$",
    ],
    "an_update_changes_the_next_list_too": ['PUT /v2/lists/1?$ {"list":{"name":"x"}}', "GET /v2/lists/2?$"],
    "a_deletion_takes_the_next_one_too": ["DELETE /v2/memberships/2?$", "GET /v2/memberships/3?$"],
    "deletes_what_is_not_there": ["DELETE /v2/tasks/999999?$"],
    # faults.beyond_document
    "has_no_order": ["GET /v2/tasks?$&order=name"],
    "a_view_of_public_clients_shows_another_organisation": ["GET /v2/tasks?$&view=unscheduled"],
    "calls_the_organisation_a_company": ["GET /v2/lists"],
    # faults.repeated_values
    "creates_tasks_with_one_id": [f"POST /v2/tasks?$ {NEW_TASK}"] * 2,
    "creates_lists_with_one_id": [f"POST /v2/lists?$ {NEW_LIST}"] * 2,
    "creates_workspaces_with_one_id": ['POST /v2/workspaces?$ {"workspace":{"name":"x"}}'] * 2,
    "creates_memberships_with_one_id": [
        f'POST /v2/memberships?$ {{"membership":{{"account_id":{account},"workspace_id":1}}}}' for account in (20, 21)
    ],
    "reads_task_ids_up_to_the_first_letter": ["GET /v2/tasks/1abc?$"],
    "deletes_lists_modulo_2_to_the_32": ["DELETE /v2/lists/4294967331?$"],
    "updates_workspaces_modulo_2_to_the_31": ['PUT /v2/workspaces/2147483649?$ {"workspace":{"name":"x"}}'],
    "a_filter_by_list_0_is_none": ["GET /v2/tasks?$&list_id=0"],
    "an_owner_of_id_0_is_nobody": ['PUT /v2/tasks/1?$ {"task":{"owner_id":0}}'],
    "reads_ids_with_a_leading_zero_as_octal": ["GET /v2/lists/010?$"],
    "a_created_list_takes_the_id_in_its_data": ['POST /v2/lists?$ {"list":{"id":1,"name":"x","workspace_id":1}}'],
    "a_slash_at_the_end_needs_no_token": [("GET /v2/lists/?$", {"authorization": None})],
    "a_deletion_that_says_it_reads_needs_no_token": [
        ("DELETE /v2/tasks/1?$", {"authorization": None, "x_http_method_override": "GET"})
    ],
    "head_needs_no_token": [("HEAD /v2/workspaces?$", {"authorization": None})],
    "a_version_named_twice_is_validated_by_neither": [("GET /v2/memberships?$&limit=x", ACCEPT)],
    "an_encoded_letter_needs_no_token": [
        ('PUT /v2/w%6Frkspaces/1?$ {"workspace":{"name":"x"}}', {"authorization": None})
    ],
    # faults.lost_values
    "strips_notes": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"note_content":" y "}}'],
    "decodes_notes_as_forms": ['PUT /v2/tasks/1?$ {"task":{"note_content":"a+b"}}'],
    "revives_dates_in_names": [
        'POST /v2/lists?$ {"list":{"name":"2031-02-03T04:05:06+05:30","workspace_id":1}}',
    ],
    "composes_names_of_workspaces": ['PUT /v2/workspaces/1?$ {"workspace":{"name":"e\\u0301"}}'],
    "splits_tags_at_commas": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"tags":["a,b"]}}'],
    "lists_show_names_in_the_basic_plane": ['PUT /v2/lists/1?$ {"list":{"name":"🚀"}}', "GET /v2/lists?$"],
    "converts_line_ends": ['PUT /v2/tasks/1?$ {"task":{"note_content":"a\\r\\nb"}}'],
    "an_empty_list_of_tags_is_no_change": [
        'PUT /v2/tasks/1?$ {"task":{"tags":["a"]}}',
        'PUT /v2/tasks/1?$ {"task":{"name":"x","tags":[]}}',
    ],
    "false_is_no_value": [
        'PUT /v2/lists/1?$ {"list":{"invite_only":true}}',
        'PUT /v2/lists/1?$ {"list":{"name":"x","invite_only":false}}',
    ],
    # faults.wide_effects
    "an_update_resets_the_flags": [
        'PUT /v2/lists/1?$ {"list":{"invite_only":true}}',
        'PUT /v2/lists/1?$ {"list":{"name":"x"}}',
    ],
    "the_time_of_creation_can_be_written": [
        'PUT /v2/tasks/1?$ {"task":{"name":"x","created_at":"2001-01-01T00:00:00Z"}}',
    ],
    "the_id_in_the_body_wins": ['PUT /v2/workspaces/1?$ {"workspace":{"name":"x","id":2}}'],
    "refused_updates_are_done_by_half": [
        'PUT /v2/tasks/1?$ {"task":{"name":"x","due_on":"never"}}',
        "GET /v2/tasks/1?$",
    ],
    "an_update_touches_the_other_lists": ['PUT /v2/lists/1?$ {"list":{"name":"x"}}', "GET /v2/lists?$"],
    "refused_workspaces_are_kept": [
        'POST /v2/workspaces?$ {"workspace":{"name":"x","y":1}}',
        "GET /v2/workspaces?$&cursor=30",
    ],
    "a_creation_takes_the_id_in_its_body": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"id":1}}'],
    # faults.stale_reads
    "tasks_are_cached_by_their_url": [
        ("GET /tasks/1?$", ACCEPT),
        'PUT /v2/tasks/1?$ {"task":{"name":"x"}}',
        ("GET /tasks/1?$", ACCEPT),
    ],
    "an_update_leaves_the_cached_lists": [
        "GET /v2/lists?$",
        'PUT /v2/lists/1?$ {"list":{"name":"x"}}',
        "GET /v2/lists?$",
    ],
    "deleted_workspaces_are_read_from_a_cache": [
        'POST /v2/workspaces?$ {"workspace":{"name":"x"}}',
        "GET /v2/workspaces/904?$",
        "DELETE /v2/workspaces/904?$",
        "GET /v2/workspaces/904?$",
    ],
    "views_keep_their_tasks_as_they_were": [
        "GET /v2/tasks?$&view=default",
        'PUT /v2/tasks/1?$ {"task":{"name":"x"}}',
        "GET /v2/tasks?$&view=default",
    ],
    "sorted_lists_show_deleted_tasks": [
        "GET /v2/tasks?$&order=name",
        "DELETE /v2/tasks/4?$",
        "GET /v2/tasks?$&order=name",
    ],
    # faults.spelling
    "takes_no_white_space_before_json": [f"POST /v2/tasks?$  {NEW_TASK}"],
    "wants_the_organisation_first": ["GET /v2/tasks?limit=1&$"],
    "hexadecimal_digits_are_capitals": ["GET /v2/tasks?$&include=accounts%2clists"],
    "escapes_in_names_stay": ['POST /v2/lists?$ {"list":{"name":"\\u0061","workspace_id":1}}'],
    # faults.leaking_state
    "keeps_the_language_of_a_connection": [("GET /v2/tasks?$", {"accept_language": "de"}), "GET /v2/tasks?$"],
    "keeps_the_limit_of_a_connection": ["GET /v2/lists?$&limit=2", "GET /v2/lists?$"],
    "keeps_the_view_of_a_connection": ["GET /v2/tasks?$&view=upcoming", "GET /v2/tasks?$"],
    # faults.clock
    "the_31st_becomes_the_30th": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"due_on":"2031-01-31"}}'],
    "noon_becomes_midnight": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2031-01-01T12:30:00Z"}}'],
    "offsets_lose_their_minutes": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2031-01-01T08:30:00+05:45"}}'],
    "midnight_belongs_to_the_day_before": ['PUT /v2/tasks/1?$ {"task":{"due_on":"2031-01-01T00:00:00Z"}}'],
    # faults.comparison
    "compares_moments_as_text": ["GET /v2/tasks?$&created_after=2017-04-30T23:00:00-23:00"],
    "false_counts_as_left_out": ["GET /v2/tasks?$&cleared=false&limit=100"],
    "the_first_filter_counts": ["GET /v2/tasks?$&workspace_id=1&owner_id=0"],
    # faults.links
    "a_link_is_not_encoded": ["GET /v2/tasks?$&created_after=2017-01-01T00:00:00%2B01:00"],
    "a_link_keeps_one_name_of_include": ["GET /v2/tasks?$&include=accounts,lists"],
    "a_link_leads_out_of_the_version": ["GET /v2/lists?$"],
    # faults.list_edges
    "a_cursor_at_the_end_begins_anew": ["GET /v2/lists?$&cursor=36"],
    "a_cursor_is_rounded_to_full_pages": ["GET /v2/tasks?$&cursor=3"],
    "a_page_of_one_has_no_link": ["GET /v2/workspaces?$&limit=1"],
    "a_filtered_list_ends_with_its_first_page": ["GET /v2/tasks?$&workspace_id=1&limit=3"],
    # variants
    "empties_an_attribute": ['PUT /v2/tasks/1?$ {"task":{"due_on":""}}'],
    "ignores_unknown_parameters": ["GET /v2/tasks?$&x=1"],
    "shows_the_default_for_an_unknown_view": ["GET /v2/tasks?$&view=none"],
    "calls_an_unknown_view_unsupported": ["GET /v2/tasks?$&view=none"],
    "conflicting_versions_are_refused": [("GET /v2/tasks?$", VERSION_1)],
    "serves_version_2_unasked": ["GET /tasks?$"],
    "takes_the_versioned_media_type_only": [(f"POST /v2/tasks?$ {NEW_TASK}", {"content_type": "application/json"})],
    "answers_plain_json": ["GET /v2/tasks?$"],
    "refuses_a_limit_above_the_maximum": ["GET /v2/tasks?$&limit=101"],
    "raises_a_limit_below_one": ["GET /v2/tasks?$&limit=0"],
    "links_every_page_to_the_first": ["GET /v2/accounts?$&limit=99"],
    "cursor_of_activities_is_opaque": ["GET /v2/activities?$", "GET /v2/activities?$&cursor=after-99"],
    "accounts_are_in_reverse_order": ["GET /v2/accounts?$"],
    "absent_attribute_is_null": ["GET /v2/tasks/0?$"],
    "tells_one_problem_at_a_time": ["GET /v2/tasks?x=1"],
    "describes_everything_at_length": ["GET /v2/tasks"],
    "missing_attribute_is_an_invalid_one": ['POST /v2/tasks?$ {"task":{"name":"x"}}'],
    "refuses_values_with_422": ["GET /v2/tasks"],
    "refuses_changes_with_403": ["DELETE /v2/tasks/31?$"],
    "creates_with_201": [f"POST /v2/tasks?$ {NEW_TASK}"],
    "deletes_with_204": ["DELETE /v2/tasks/1?$"],
    "names_the_request_twice": ["GET /v2/tasks?$"],
    "includes_no_empty_lists": ["GET /v2/tasks?$&include=accounts&cursor=999"],
    "takes_the_organisation_in_the_body_too": ['POST /v2/workspaces {"organization_id":52,"workspace":{"name":"x"}}'],
    "newest_workspaces_come_first": ["GET /v2/workspaces?$"],
    "members_are_more_and_in_another_order": ["GET /v2/tasks?$"],
    "header_names_are_upper_case": ["GET /v2/tasks?$"],
    "body_comes_in_pieces": ["GET /v2/tasks?$"],
    "answers_are_ascii_and_indented": ["GET /v2/tasks?$"],
    "answers_take_20_milliseconds_more": ["GET /v2/tasks?$"],
    "problems_come_in_reverse": ["GET /v2/tasks?limit=x"],
    "has_the_language_that_each_request_prefers": ["GET /v2/tasks?$"],
    "minimal": ["GET /v2/tasks?$"],
    "minimal_with_all_members": ["GET /v2/tasks?$&cursor=10001"],
    "minimal_with_other_names": ["GET /v2/lists/1234"],
    "ids_are_written_in_one_way": ["GET /v2/lists/01?$"],
    "a_slash_at_the_end_has_no_meaning": ["GET /v2/lists/?$"],
    "head_is_served_like_get": ["HEAD /v2/lists?$"],
    "parameters_behind_the_path_have_no_meaning": ["GET /v2/lists;a=1?$"],
    "dates_come_back_as_times": ['POST /v2/tasks?$ {"task":{"name":"x","workspace_id":1,"due_on":"2031-02-03"}}'],
    "refused_creations_use_up_an_id": [
        'POST /v2/workspaces?$ {"workspace":{}}',
        'POST /v2/workspaces?$ {"workspace":{"name":"x"}}',
    ],
    "reads_have_an_entity_tag": ["GET /v2/tasks/1?$"],
    "reads_say_when_they_were_made": ["GET /v2/tasks/1?$"],
    "times_have_fractions": ["GET /v2/tasks/1?$"],
}
CHANGES = {**REFERENCE.FAULTS, **REFERENCE.VARIANTS}


def visible_replies(handler: Handler, requests: list[RequestLine]) -> str:
    """The replies to these requests as text; each request id is replaced by the number of its first occurrence."""
    lines = [(line, {}) if isinstance(line, str) else line for line in requests]
    replies = [handler(request_from(line, **headers)) for line, headers in lines]
    text = "\n".join(
        f"{reply.status} {reply.headers} {reply.body.decode()} {reply.delay} {reply.chunks}" for reply in replies
    )
    numbers: dict[str, int] = {}
    return UUID.sub(lambda match: f"#{numbers.setdefault(match[0], len(numbers))}", text)


def test_every_fault_and_variant_has_requests() -> None:
    assert list(REQUESTS_BY_CHANGE) == list(CHANGES)


def test_change_shows_in_the_replies_to_its_requests() -> None:
    unseen = [
        name
        for name, requests in REQUESTS_BY_CHANGE.items()
        if visible_replies(server(CHANGES[name]), requests) == visible_replies(server(), requests)
    ]
    assert unseen == []
