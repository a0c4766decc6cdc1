"""The API key of flowapp: document lines 12 to 19, 34, 43 and 55."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Exchange, Request, as_curl, as_text
from contracts.judge.http_judge import Finding
from fixtures import reference
from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    KEYED_OPERATIONS,
    accepted_data,
    check_accepted,
    check_refused,
    create_event,
    create_past_event_with_registrant,
    event_body,
    event_tokens,
    few_examples,
    is_refused,
    keyed_path,
    new_person,
    past_session_token,
    register,
    send,
)
from suites.observed_readings import ObservedReadings, observation
from suites.reporting.failures import finding_text

pytestmark = pytest.mark.bug_kind("ways in")

clause = pytest.mark.clause
ROOT = Path(__file__).parents[2]
IGNORED_FOLDERS = ("__pycache__", "node_modules", "venv")
SESSION_OPERATIONS = [
    name for name in KEYED_OPERATIONS if name not in ("listEvents", "listOperators", "reportSurveyDetail")
]


def similar_keys(key: str) -> st.SearchStrategy[str]:
    """Keys that differ slightly from the valid one: in case, or by one character less, more or other."""
    positions = st.integers(0, len(key) - 1)
    return st.one_of(
        st.sampled_from([key.upper(), key.lower(), key.swapcase(), key[::-1], f"{key},{key}"]),
        positions.map(lambda index: key[:index] + key[index + 1 :]),
        positions.map(lambda index: key[:index] + key[index].swapcase() + key[index + 1 :]),
        st.builds(
            lambda index, character: key[:index] + character + key[index:], positions, st.sampled_from("aZ0*%_-.")
        ),
    ).filter(lambda candidate: candidate != key)


@clause("FLOWAPP-AUTH-1")
@pytest.mark.parametrize("operation", KEYED_OPERATIONS)
def test_nothing_is_served_without_the_right_key(api: Api, operation: str) -> None:
    """A request with the key is served; without a key, with an empty and with a wrong one it is refused."""
    path = keyed_path(api, operation)
    check_accepted(api, operation, send(api, operation, path), "FLOWAPP-AUTH-1")
    for credentials in ("none", "empty", "wrong"):
        check_refused(api, operation, send(api, operation, path, credentials=credentials), "FLOWAPP-AUTH-1")


@clause("FLOWAPP-AUTH-1")
def test_nothing_is_created_without_the_right_key(api: Api) -> None:
    """A creation without the valid key is refused, and no event of that title is listed."""
    body = event_body(api)
    for credentials in ("none", "empty", "wrong"):
        check_refused(
            api, "createEvent", send(api, "createEvent", json=body, credentials=credentials), "FLOWAPP-AUTH-1"
        )
    assert body["title"] not in [row.get("title") for row in accepted_data(api, "listEvents")]


@clause("FLOWAPP-AUTH-1")
def test_a_similar_key_is_refused(api: Api) -> None:
    """Keys that differ from the valid one in one character or in case are refused."""

    @few_examples
    @given(similar_keys(api.setting("TOKEN")))
    def check(key: str) -> None:
        exchange = send(api, "listEvents", headers={"api-secret": key})
        check_refused(api, "listEvents", exchange, "FLOWAPP-AUTH-1")

    check()


@clause("FLOWAPP-AUTH-2")
@pytest.mark.parametrize("operation", KEYED_OPERATIONS)
def test_the_key_is_read_from_api_secret(api: Api, operation: str) -> None:
    """The key is read from the header api-secret."""
    exchange = send(api, operation, keyed_path(api, operation), headers={"api-secret": api.setting("TOKEN")})
    check_accepted(api, operation, exchange, "FLOWAPP-AUTH-2")


@clause("FLOWAPP-SPELL-1")
@pytest.mark.parametrize("operation", KEYED_OPERATIONS)
def test_the_header_of_the_key_is_read_as_http_defines_it(api: Api, operation: str) -> None:
    """The key is read in any case of the header's name and with white space around it (RFC 9110, 5.1 and 5.5)."""
    key, path = api.setting("TOKEN"), keyed_path(api, operation)
    check_accepted(api, operation, send(api, operation, path, headers={"api-secret": key}), "FLOWAPP-AUTH-2")
    for name, value in (("API-Secret", key), ("ApI-sEcReT", f" {key}\t")):
        exchange = send(api, operation, path, headers={name: value})
        check_accepted(api, operation, exchange, "FLOWAPP-SPELL-1")


@observation("FLOWAPP-AMB-16")
def test_observe_whether_the_key_alone_is_enough(api: Api, readings: ObservedReadings) -> None:
    """A request with nothing but the key is served or refused."""
    request = Request("GET", f"{api.target.url}/api/v1/events/sessions", (("api-secret", api.setting("TOKEN")),))
    is_served = not is_refused(api, "listEvents", api.send_request(request))
    readings.observe("FLOWAPP-AMB-16", one_value=is_served, pair=not is_served)


def other_account(api: Api) -> Api:
    """A client of the same target with another account's key."""
    return api.with_settings(TOKEN=api.setting("OTHER_TOKEN"))


@clause("FLOWAPP-AUTH-3")
@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_another_accounts_key_opens_no_known_session(api: Api, operation: str) -> None:
    """A known session that one account's key reads is refused to another account's key."""
    path = {"sessionToken": past_session_token(api)}
    check_accepted(api, operation, send(api, operation, path), "FLOWAPP-AUTH-3")
    check_refused(api, operation, send(other_account(api), operation, path), "FLOWAPP-AUTH-3")


@clause("FLOWAPP-AUTH-3")
@pytest.mark.parametrize("operation", SESSION_OPERATIONS)
def test_another_accounts_key_opens_no_new_session(api: Api, operation: str) -> None:
    """A new session is refused to another account's key, and its registrant is not shown."""
    token, registrant = create_past_event_with_registrant(api, "FLOWAPP-AUTH-3")
    check_accepted(api, operation, send(api, operation, {"sessionToken": token}), "FLOWAPP-AUTH-3")
    exchange = send(other_account(api), operation, {"sessionToken": token})
    check_refused(api, operation, exchange, "FLOWAPP-AUTH-3")
    assert registrant["email"] not in exchange.response.text()


@clause("FLOWAPP-AUTH-3")
def test_another_accounts_key_opens_no_survey(api: Api) -> None:
    """The report of a survey is refused to another account's key."""
    path = keyed_path(api, "reportSurveyDetail")
    check_refused(api, "reportSurveyDetail", send(other_account(api), "reportSurveyDetail", path), "FLOWAPP-AUTH-3")


@clause("FLOWAPP-AUTH-3")
def test_accounts_share_no_events(api: Api) -> None:
    """Two accounts list no event in common."""
    own_tokens, other_tokens = set(event_tokens(api)), set(event_tokens(other_account(api)))
    if not own_tokens or not other_tokens:
        raise MissingPrecondition("one of the two accounts has no event")
    assert own_tokens & other_tokens == set()


@clause("FLOWAPP-AUTH-3")
def test_a_new_event_is_in_its_own_account_only(api: Api) -> None:
    """Each of two accounts lists the event that its own key created, and not the other account's."""
    accounts = (api, other_account(api))
    created = [create_event(account, "FLOWAPP-AUTH-3") for account in accounts]
    listed = [set(event_tokens(account)) for account in accounts]
    assert [[token in account_tokens for token in created] for account_tokens in listed] == [
        [True, False],
        [False, True],
    ]


@clause("FLOWAPP-AUTH-3")
def test_accounts_share_no_operators(api: Api) -> None:
    """Two accounts list no operator in common."""
    ids = [{row["id"] for row in accepted_data(account, "listOperators")} for account in (api, other_account(api))]
    if not all(ids):
        raise MissingPrecondition("one of the two accounts has no operator")
    assert ids[0] & ids[1] == set()


def place_of_key(exchange: Exchange, key: str) -> str | None:
    """Where a response repeats the key; None when it does not."""
    header_lines = "\n".join(f"{name}: {value}" for name, value in exchange.response.headers)
    parts = {"the headers": header_lines, "the body": exchange.response.text()}
    return next((f"{name} of {exchange.request.url}" for name, text in parts.items() if key in text), None)


@clause("FLOWAPP-AUTH-8")
@pytest.mark.parametrize("operation", KEYED_OPERATIONS)
def test_no_response_repeats_the_key(api: Api, operation: str) -> None:
    """Neither a served nor a refused request with the valid key receives a response that contains it."""
    path = keyed_path(api, operation)
    exchanges = [send(api, operation, path), send(api, operation, {**path, "sessionToken": api.unique_text("nowhere")})]
    assert [place for exchange in exchanges if (place := place_of_key(exchange, api.setting("TOKEN")))] == []


@clause("FLOWAPP-AUTH-8")
def test_no_response_to_a_change_repeats_the_key(api: Api) -> None:
    """No response to a creation, a registration, its redirect or their refusals contains the key."""
    session = create_event(api)
    key: dict[str, Any] = {"headers": {"api-secret": api.setting("TOKEN")}}
    exchanges = [
        send(api, "createEvent", json=event_body(api), **key),
        send(api, "createEvent", json={}, **key),
        register(api, session, new_person(api), **key),
        register(api, session, new_person(api, redirect=True), **key),
        register(api, session, {}, **key),
        register(api, api.unique_text("nowhere"), new_person(api), **key),
        api.request("GET", "/api/v1/no-such-path", **key),
    ]
    assert [place for exchange in exchanges if (place := place_of_key(exchange, api.setting("TOKEN")))] == []


@pytest.mark.client
@clause("FLOWAPP-AUTH-5")
def test_nothing_that_we_print_shows_the_key(api: Api) -> None:
    """An exchange with the key is printed without it: as curl command, as text and as finding."""
    key = api.setting("TOKEN")
    exchange = send(api, "listEvents", headers={"api-secret": key})
    finding = Finding("FLOWAPP-AUTH-5", key, key, exchange)
    written = [as_curl(exchange, api.secrets), as_text(exchange, api.secrets), finding_text(finding, api)]
    assert [text for text in written if key in text] == []
    assert key not in exchange.request.url


@pytest.mark.client
@clause("FLOWAPP-AUTH-6")
def test_the_key_is_in_no_file_of_the_project(api: Api) -> None:
    """No file of this project contains a vendor's key; the reference's own keys are only in its data."""
    key = api.setting("TOKEN")
    allowed = [ROOT / "fixtures" / "reference" / "flowapp"] if key in reference.load("flowapp").KNOWN.values() else []
    files_with_key = [path for path in _files(ROOT) if key.encode() in path.read_bytes()]
    assert [str(path.relative_to(ROOT)) for path in files_with_key if not set(allowed) & set(path.parents)] == []


def _files(folder: Path) -> Iterator[Path]:
    """Every file below that folder, without hidden files and caches of tools."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in IGNORED_FOLDERS:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path
