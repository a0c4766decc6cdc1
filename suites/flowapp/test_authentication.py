"""The key of flowapp: document lines 12 to 19, 34, 43 and 55."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Exchange, Sent, as_curl, as_text
from contracts.judge import Finding
from fixtures import reference
from fixtures.api import Api
from suites.blame import told
from suites.flowapp.dialect import (
    KEYED,
    accept,
    ask,
    check_accepted,
    check_refused,
    create,
    generated,
    is_refused,
    keyed_paths,
    new_event,
    past_session,
    peopled_past_event,
    person,
    register,
    tokens,
)
from suites.readings import Observed

clause = pytest.mark.clause
ROOT = Path(__file__).parents[2]
UNREAD = ("__pycache__", "node_modules", "venv")
OF_A_SESSION = [name for name in KEYED if name not in ("listEvents", "listOperators", "reportSurveyDetail")]


def spoiled_keys(key: str) -> st.SearchStrategy[str]:
    """Keys that are almost the right one: another case, a character less, more, or other."""
    spot = st.integers(0, len(key) - 1)
    return st.one_of(
        st.sampled_from([key.upper(), key.lower(), key.swapcase(), key[::-1], f"{key},{key}"]),
        spot.map(lambda at: key[:at] + key[at + 1 :]),
        spot.map(lambda at: key[:at] + key[at].swapcase() + key[at + 1 :]),
        st.builds(lambda at, new: key[:at] + new + key[at:], spot, st.sampled_from("aZ0*%_-.")),
    ).filter(lambda one: one != key)


@clause("FLOWAPP-AUTH-1")
@pytest.mark.parametrize("operation", KEYED)
def test_nothing_is_served_without_the_right_key(api: Api, operation: str) -> None:
    """With the key there is an answer; without one, with an empty one and with a wrong one there is a refusal."""
    path = keyed_paths(api)[operation]
    check_accepted(api, operation, ask(api, operation, path), "FLOWAPP-AUTH-1")
    for credentials in ("none", "empty", "wrong"):
        check_refused(api, operation, ask(api, operation, path, credentials=credentials), "FLOWAPP-AUTH-1")


@clause("FLOWAPP-AUTH-1")
def test_nothing_is_created_without_the_right_key(api: Api) -> None:
    """A creation without the key is refused, and no event of that title is listed."""
    body = new_event(api)
    for credentials in ("none", "empty", "wrong"):
        check_refused(api, "createEvent", ask(api, "createEvent", json=body, credentials=credentials), "FLOWAPP-AUTH-1")
    assert body["title"] not in [row.get("title") for row in accept(api, "listEvents")]


@clause("FLOWAPP-AUTH-1")
def test_almost_the_right_key_opens_nothing(api: Api) -> None:
    """Generated keys that differ from the right one in a character or in case are refused."""

    @generated
    @given(spoiled_keys(api.setting("TOKEN")))
    def check(key: str) -> None:
        exchange = ask(api, "listEvents", headers={"api-secret": key})
        check_refused(api, "listEvents", exchange, "FLOWAPP-AUTH-1")

    check()


@clause("FLOWAPP-AUTH-2")
@pytest.mark.parametrize("operation", KEYED)
def test_the_key_travels_in_api_secret(api: Api, operation: str) -> None:
    """The header's name may have any case, and white space may stand around the key."""
    key, path = api.setting("TOKEN"), keyed_paths(api)[operation]
    for name, value in (("api-secret", key), ("API-Secret", key), ("ApI-sEcReT", f" {key}\t")):
        exchange = ask(api, operation, path, headers={name: value})
        check_accepted(api, operation, exchange, "FLOWAPP-AUTH-2")


@clause("FLOWAPP-AUTH-3")
def test_the_key_alone_is_enough(api: Api, readings: Observed) -> None:
    """A request that has nothing but the key is served."""
    sent = Sent("GET", f"{api.target.url}/api/v1/events/sessions", (("api-secret", api.setting("TOKEN")),))
    is_served = not is_refused(api, "listEvents", api.exchange(sent))
    readings.one_of("FLOWAPP-AMB-16", one_value=is_served, pair=not is_served)


def stranger(api: Api) -> Api:
    """The same target with another account's key."""
    return api.other(TOKEN=api.setting("OTHER_TOKEN"))


@clause("FLOWAPP-AUTH-3")
@pytest.mark.parametrize("operation", OF_A_SESSION)
def test_another_accounts_key_opens_no_known_session(api: Api, operation: str) -> None:
    """A known session that one key reads is refused to the other."""
    path = {"sessionToken": past_session(api)}
    check_accepted(api, operation, ask(api, operation, path), "FLOWAPP-AUTH-3")
    check_refused(api, operation, ask(stranger(api), operation, path), "FLOWAPP-AUTH-3")


@clause("FLOWAPP-AUTH-3")
@pytest.mark.parametrize("operation", OF_A_SESSION)
def test_another_accounts_key_opens_no_new_session(api: Api, operation: str) -> None:
    """A new session that one key reads is refused to the other, and who registered for it is not shown."""
    token, who = peopled_past_event(api, "FLOWAPP-AUTH-3")
    check_accepted(api, operation, ask(api, operation, {"sessionToken": token}), "FLOWAPP-AUTH-3")
    exchange = ask(stranger(api), operation, {"sessionToken": token})
    check_refused(api, operation, exchange, "FLOWAPP-AUTH-3")
    assert who["email"] not in exchange.answer.text()


@clause("FLOWAPP-AUTH-3")
def test_another_accounts_key_opens_no_survey(api: Api) -> None:
    """The answers to a survey that one key reads are refused to the other."""
    path = keyed_paths(api)["reportSurveyDetail"]
    check_refused(api, "reportSurveyDetail", ask(stranger(api), "reportSurveyDetail", path), "FLOWAPP-AUTH-3")


@clause("FLOWAPP-AUTH-3")
def test_accounts_share_no_events(api: Api) -> None:
    """Two accounts list no event in common."""
    assert set(tokens(api)) & set(tokens(stranger(api))) == set()


@clause("FLOWAPP-AUTH-3")
def test_a_new_event_is_in_its_own_account_alone(api: Api) -> None:
    """Each of two accounts lists the event that its key created, and not the other's."""
    accounts = (api, stranger(api))
    made = [create(one, "FLOWAPP-AUTH-3") for one in accounts]
    listed = [set(tokens(one)) for one in accounts]
    assert [[token in found for token in made] for found in listed] == [[True, False], [False, True]]


@clause("FLOWAPP-AUTH-3")
def test_accounts_share_no_operators(api: Api) -> None:
    """Two accounts list no operator in common."""
    ids = [{row["id"] for row in accept(one, "listOperators")} for one in (api, stranger(api))]
    assert ids[0] & ids[1] == set()


def shows(exchange: Exchange, key: str) -> str | None:
    """Where an answer repeats the key, plainly, percent-encoded or escaped; None when it does not."""
    head = "\n".join(f"{name}: {value}" for name, value in exchange.answer.headers)
    parts = {"the headers": head, "the body": exchange.answer.text()}
    return next((f"{name} of {exchange.sent.url}" for name, text in parts.items() if key in text), None)


@clause("FLOWAPP-AUTH-5")
@pytest.mark.parametrize("operation", KEYED)
def test_no_answer_repeats_the_key(api: Api, operation: str) -> None:
    """Neither what is served nor what is refused to the right key holds it."""
    path = keyed_paths(api)[operation]
    asked = [ask(api, operation, path), ask(api, operation, {**path, "sessionToken": api.unique("nowhere")})]
    assert [where for one in asked if (where := shows(one, api.setting("TOKEN")))] == []


@clause("FLOWAPP-AUTH-5")
def test_no_answer_to_a_change_repeats_the_key(api: Api) -> None:
    """Neither do a creation, a registration, the redirect of one, and their refusals."""
    session, key = create(api), {"headers": {"api-secret": api.setting("TOKEN")}}
    asked = [
        ask(api, "createEvent", json=new_event(api), **key),
        ask(api, "createEvent", json={}, **key),
        register(api, session, person(api), **key),
        register(api, session, person(api, redirect=True), **key),
        register(api, session, {}, **key),
        register(api, api.unique("nowhere"), person(api), **key),
        api.request("GET", "/api/v1/no-such-path", **key),
    ]
    assert [where for one in asked if (where := shows(one, api.setting("TOKEN")))] == []


@clause("FLOWAPP-AUTH-5")
def test_nothing_we_write_shows_the_key(api: Api) -> None:
    """An exchange that has the key in it is told without it: as curl, as text and as a complaint."""
    key = api.setting("TOKEN")
    exchange = ask(api, "listEvents", headers={"api-secret": key})
    finding = Finding("FLOWAPP-AUTH-5", key, key, exchange)
    written = [as_curl(exchange, api.secrets), as_text(exchange, api.secrets), told(finding, api.secrets)]
    assert [text for text in written if key in text] == []
    assert key not in exchange.sent.url


@clause("FLOWAPP-AUTH-6")
def test_the_key_is_in_no_file_of_the_project(api: Api) -> None:
    """No file here has a vendor's key in it; the reference's own keys, which open nothing else, are in its data."""
    key = api.setting("TOKEN")
    allowed = [ROOT / "fixtures" / "reference" / "flowapp"] if key in reference.load("flowapp").KNOWN.values() else []
    found = [path for path in _files(ROOT) if key.encode() in path.read_bytes()]
    assert [str(path.relative_to(ROOT)) for path in found if not set(allowed) & set(path.parents)] == []


def _files(folder: Path) -> Iterator[Path]:
    """Every file below that folder, without hidden ones and what tools keep."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in UNREAD:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path
