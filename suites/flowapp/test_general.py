"""What holds for every answer of flowapp: document lines 5, 19, 30, 34, 43 and 55."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Sent
from fixtures.api import Api, Lacking
from fixtures.client import Client, Unreachable
from suites.flowapp.dialect import (
    KEYED,
    ask,
    check_accepted,
    check_refused,
    data,
    generated,
    keyed_paths,
    past_session,
)
from suites.readings import Observed

clause = pytest.mark.clause
OF_JSON = [name for name in KEYED if not name.startswith("report")]
WORDS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzÅ-_"), min_size=3, max_size=12)


@clause("FLOWAPP-GEN-2")
@pytest.mark.parametrize("operation", OF_JSON)
def test_what_is_asked_for_is_json(api: Api, operation: str) -> None:
    """The body is text in UTF-8 that parses as one JSON value, whatever the request would rather accept."""
    exchange = ask(api, operation, keyed_paths(api)[operation], headers={"Accept": "*/*"})
    check_accepted(api, operation, exchange)
    assert exchange.answer.media_type() == "application/json"
    assert isinstance(data(exchange), dict | list)


@clause("FLOWAPP-GEN-2")
@pytest.mark.parametrize("operation", OF_JSON)
def test_data_is_in_an_envelope_or_bare(api: Api, readings: Observed, operation: str) -> None:
    """The top level is an object with the data in it, or the data."""
    exchange = ask(api, operation, keyed_paths(api)[operation])
    value = check_accepted(api, operation, exchange).answer.json()
    wrapped = isinstance(value, dict) and "data" in value
    readings.one_of("FLOWAPP-AMB-2", envelope=wrapped, bare=not wrapped)


@clause("FLOWAPP-GEN-3")
def test_an_unknown_path_is_refused_in_json(api: Api) -> None:
    """Generated paths that no operation has are refused with a JSON object, with the key and without it."""

    @generated
    @given(st.lists(WORDS, min_size=1, max_size=3), st.sampled_from(["valid", "none"]))
    def check(parts: list[str], credentials: str) -> None:
        path = "/".join(["/api/v1/no-such-path", *map(quote, parts)])
        exchange = api.request("GET", path, credentials=credentials)
        check_refused(api, "listEvents", exchange, "FLOWAPP-GEN-3")

    check()


@clause("FLOWAPP-GEN-3")
@pytest.mark.parametrize("operation", [name for name in KEYED if name not in ("listEvents", "listOperators")])
def test_a_session_that_is_not_there_is_refused_in_json(api: Api, operation: str) -> None:
    """A token that names nothing is refused with a JSON object, also where a success would be CSV."""
    path = {**keyed_paths(api)[operation], "sessionToken": api.unique("nowhere")}
    exchange = ask(api, operation, path)
    assert 400 <= exchange.answer.status < 500
    check_refused(api, operation, exchange, "FLOWAPP-GEN-3")
    assert isinstance(exchange.answer.json(), dict)


@clause("FLOWAPP-GEN-3")
def test_a_refusal_is_told_by_its_status(api: Api, readings: Observed) -> None:
    """An event that is not there is refused by the status, or by the code of a success."""
    exchange = ask(api, "getEvent", {"sessionToken": api.unique("nowhere")})
    status = exchange.answer.status
    try:
        value: Any = exchange.answer.json()
    except (ValueError, RecursionError):
        value = None
    code = value.get("code") if isinstance(value, dict) else None
    by_code = 200 <= status < 300 and isinstance(code, int) and code >= 400
    readings.one_of("FLOWAPP-AMB-10", http_status=400 <= status < 500, envelope_code=by_code)


@clause("FLOWAPP-URL-1")
@pytest.mark.parametrize("operation", KEYED)
def test_operations_live_under_api_v1(api: Api, operation: str) -> None:
    """Every operation that reads is served below /api/v1/."""
    asked = ask(api, operation, keyed_paths(api)[operation])
    assert asked.sent.url.startswith(f"{api.target.url}/api/v1/")
    check_accepted(api, operation, asked, "FLOWAPP-URL-1")


@clause("FLOWAPP-URL-1")
def test_plain_http_serves_no_data(api: Api) -> None:
    """Where the target is on https, the public view of an event is not served over http; no key is sent there."""
    if not api.target.url.startswith("https://"):
        raise Lacking(f"{api.target.url} is not on https")
    path = f"/api/v1/events/sessions/public/{past_session(api)}"
    url = api.target.url.replace("https://", "http://", 1)
    try:
        exchange = Client(url, api.target.variable).send(Sent("GET", f"{url}{path}"))
    except Unreachable:
        return
    api.exchanges.append(exchange)
    assert not 200 <= exchange.answer.status < 300
