"""The commands that show a finding from nothing: which requests they repeat, what they keep, and that they run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.exchange import Exchange
from fixtures.target_api import Api
from suites.mutation.printed_commands import DIFFERS, answer
from suites.mutation.reference_apis import in_process_api
from suites.reporting.failures import violation
from suites.reporting.produced_values import produced_values, values_to_keep
from suites.reporting.reproduction import MAX_STEPS, History, compared_in, needed_steps, reproduction

ROOT = Path(__file__).parents[3]
SAMPLE = (  # a state, another account, a cache, a connection, and a comparison
    "flowapp.events_with_a_comma_are_left_out",
    "getflow.reads_any_task_by_id",
    "bitvis.a_new_object_misses_the_next_list",
    "bitvis.remembers_the_last_filter",
    "flowback.hides_users_without_an_image",
)
SAMPLED, TRIED = 190, 150  # faults, and how many of them must have a command that curl runs
LEAST = 0.8  # share of faults whose commands show them; the others need requests at once or keys that are masked


@pytest.fixture
def api() -> Api:
    return in_process_api("getflow")


def send(api: Api, method: str, path: str, json: Any = None, **query: Any) -> Exchange:
    return api.request(method, f"/v2{path}", json=json, query={"organization_id": 52, **query})


def create(api: Api, name: str = "Team") -> Exchange:
    return send(api, "POST", "/workspaces", {"workspace": {"name": name}})


def identifier(created: Exchange) -> int:
    return int(created.response.json()["workspace"]["id"])


def commands(api: Api, exchange: Exchange, *compared: Exchange) -> list[str]:
    return reproduction(api, exchange, compared).split("\n")


def test_a_request_that_stands_on_nothing_is_one_command(api: Api) -> None:
    create(api)
    (line,) = commands(api, send(api, "GET", "/tasks"))
    assert line.startswith("curl -sS -i ")


def test_a_record_that_the_test_made_is_made_again(api: Api) -> None:
    create(api, "Other")
    read = send(api, "GET", f"/workspaces/{identifier(create(api))}")
    first, second = commands(api, read)
    assert first.startswith("id=$(curl -sS -X POST ")
    assert '"name": "Team"' in first
    assert first.endswith("""python3 -c 'import json,sys; print(json.load(sys.stdin)["workspace"]["id"])')""")
    assert "/v2/workspaces/$id?organization_id=52" in second


def test_a_setting_that_a_response_shows_is_not_kept(api: Api) -> None:
    created = create(api)
    without_it = replace(created, request=replace(created.request, url=created.request.url.partition("?")[0]))
    kept = {value.text for value in values_to_keep(api, without_it)}
    assert {value.text for value in produced_values(without_it)} - kept == {"52"}


def test_of_two_records_each_has_a_variable(api: Api) -> None:
    workspace = identifier(create(api))
    task = send(api, "POST", "/tasks", {"task": {"name": "A", "workspace_id": workspace}}).response.json()["task"]["id"]
    lines = commands(api, send(api, "GET", f"/tasks/{task}"))
    assert [line.partition("=")[0] for line in lines[:2]] == ["id", "id2"]
    assert """"workspace_id": '"$id"'""" in lines[1]
    assert "/tasks/$id2?" in lines[2]


def test_a_list_is_read_after_the_last_creation(api: Api) -> None:
    create(api)
    lines = commands(api, send(api, "GET", "/workspaces"))
    assert [" -X POST " in line for line in lines] == [True, False]


def test_a_record_is_read_after_its_change_and_its_deletion(api: Api) -> None:
    path = f"/workspaces/{identifier(create(api))}"
    send(api, "PUT", path, {"workspace": {"name": "Renamed"}})
    send(api, "DELETE", path)
    lines = commands(api, send(api, "GET", path))
    assert [word for line in lines for word in ("POST", "DELETE") if f"-X {word} " in line] == ["POST", "DELETE"]


def test_a_write_that_was_refused_is_no_state_of_another_write(api: Api) -> None:
    send(api, "POST", "/workspaces", {"workspace": {}})
    assert len(commands(api, send(api, "POST", "/workspaces", {"workspace": 5}))) == 1


def test_a_read_before_the_write_is_repeated_since_a_cache_may_keep_it(api: Api) -> None:
    send(api, "GET", "/workspaces")
    create(api)
    lines = commands(api, send(api, "GET", "/workspaces"))
    assert [" -X POST " in line for line in lines] == [False, True, False]


def test_reads_that_are_compared_go_on_one_connection(api: Api) -> None:
    first, second = send(api, "GET", "/tasks", limit=2), send(api, "GET", "/tasks")
    (line,) = commands(api, second, first)
    assert " --next -sS -i " in line
    assert line.index("limit=2") < line.index("--next")


def test_what_shows_the_effect_of_a_write_comes_after_it(api: Api) -> None:
    for _ in range(5):
        send(api, "GET", "/tasks")
    write = create(api)
    read = send(api, "GET", "/workspaces")
    assert compared_in(api, write)[-1] is read
    assert " -X POST " not in commands(api, write, *compared_in(api, write))[-1]


def test_a_test_with_few_exchanges_is_shown_as_it_was(api: Api) -> None:
    exchanges = [send(api, "GET", "/tasks"), send(api, "GET", "/lists")]
    assert compared_in(api, exchanges[0]) == exchanges


def test_no_more_steps_are_shown_than_a_reader_follows(api: Api) -> None:
    workspaces = [identifier(create(api, f"Team {number}")) for number in range(20)]
    last = send(api, "GET", "/tasks", name=" ".join(map(str, workspaces)))
    assert len(needed_steps(History(api), last)) <= MAX_STEPS


def test_a_value_that_the_request_sends_is_not_produced(api: Api) -> None:
    created = create(api, "a rather long name")
    assert "a rather long name" not in {value.text for value in produced_values(created)}


def test_secrets_are_read_from_their_variables(api: Api) -> None:
    read = send(api, "GET", f"/workspaces/{identifier(create(api))}")
    script = reproduction(api, read)
    assert api.setting("TOKEN") not in script
    assert script.count("$GETFLOW_TOKEN") == 2


def test_the_text_of_a_violation_has_the_commands_below_each_other(api: Api) -> None:
    read = send(api, "GET", f"/workspaces/{identifier(create(api))}")
    lines = str(violation(api, "GETFLOW-REC-1", "a name", "none", read)).split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith("  try it     id=$(curl"))
    assert lines[place + 1].startswith("             curl -sS -i ")


def test_the_commands_run_at_another_server(api: Api) -> None:
    for _ in range(3):
        create(api, "Other")
    path = f"/workspaces/{identifier(create(api))}"
    text = answer("getflow", [], reproduction(api, send(api, "GET", path)))
    assert text.count('"name":"Team"') == 2
    assert "HTTP/1.1 200" in text


def tried(tmp_path: Path, *options: str) -> list[dict[str, str]]:
    """What becomes of the commands of faults, in a process of its own."""
    path = tmp_path / "tried.json"
    command = [sys.executable, "-m", "suites.mutation.printed_commands", "--json", str(path), *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_000, check=False)
    assert path.exists(), ended.stdout + ended.stderr
    entries: list[dict[str, str]] = json.loads(path.read_text())
    return entries


def test_what_is_printed_shows_faults_that_need_a_state(tmp_path: Path) -> None:
    outcomes = {entry["fault"]: entry["outcome"] for entry in tried(tmp_path, *(f"--only={it}" for it in SAMPLE))}
    assert outcomes == dict.fromkeys(SAMPLE, DIFFERS)


@pytest.mark.slow(seconds=900)
def test_what_is_printed_shows_nearly_all_faults(tmp_path: Path) -> None:
    entries = [entry for entry in tried(tmp_path, f"--sample={SAMPLED}") if "curl" in entry["command"]]
    assert len(entries) >= TRIED, f"{len(entries)} of {SAMPLED} faults have a command that curl runs"
    others = [f"{entry['fault']}: {entry['outcome']}" for entry in entries if entry["outcome"] != DIFFERS]
    assert len(others) <= (1 - LEAST) * len(entries), others
