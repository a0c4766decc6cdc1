"""What holds for every response of flowapp: document lines 5, 19, 30, 34, 43 and 55."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange import Request
from fixtures.http_client import HttpClient, Unreachable
from fixtures.target_api import Api, MissingPrecondition
from suites.flowapp.client import (
    KEYED_OPERATIONS,
    check_accepted,
    check_refused,
    few_examples,
    keyed_path,
    past_session_token,
    response_data,
    send,
)
from suites.observed_readings import ObservedReadings
from suites.reporting.response_body import read_body

clause = pytest.mark.clause
JSON_OPERATIONS = [name for name in KEYED_OPERATIONS if not name.startswith("report")]
each_session_operation = pytest.mark.parametrize(
    "operation", [name for name in KEYED_OPERATIONS if name not in ("listEvents", "listOperators")]
)
PATH_SEGMENTS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzÅ-_"), min_size=3, max_size=12)


@clause("FLOWAPP-GEN-2")
@pytest.mark.parametrize("operation", JSON_OPERATIONS)
def test_responses_are_json(api: Api, operation: str) -> None:
    """Every response that is no report is one JSON value in UTF-8, whatever the request accepts."""
    exchange = send(api, operation, keyed_path(api, operation), headers={"Accept": "*/*"})
    check_accepted(api, operation, exchange)
    assert exchange.response.media_type() == "application/json"
    assert isinstance(response_data(exchange), dict | list)


@clause("FLOWAPP-GEN-2")
@pytest.mark.parametrize("operation", JSON_OPERATIONS)
def test_data_is_in_an_envelope_or_bare(api: Api, readings: ObservedReadings, operation: str) -> None:
    """Whether the data stand in an envelope or at the top level is observed; the contract describes both."""
    exchange = send(api, operation, keyed_path(api, operation))
    value = read_body(check_accepted(api, operation, exchange))
    wrapped = isinstance(value, dict) and "data" in value
    readings.observe("FLOWAPP-AMB-2", envelope=wrapped, bare=not wrapped)


@clause("FLOWAPP-GEN-6")
def test_an_unknown_path_is_refused(api: Api) -> None:
    """Generated paths that no operation has are refused, with the key and without it."""

    @few_examples
    @given(st.lists(PATH_SEGMENTS, min_size=1, max_size=3), st.sampled_from(["valid", "none"]))
    def check(parts: list[str], credentials: str) -> None:
        path = "/".join(["/api/v1/no-such-path", *map(quote, parts)])
        exchange = api.request("GET", path, credentials=credentials)
        check_refused(api, "listEvents", exchange, "FLOWAPP-GEN-6")

    check()


@clause("FLOWAPP-GEN-6")
@each_session_operation
def test_an_unknown_session_is_refused(api: Api, operation: str) -> None:
    """An unknown session token is refused, also where a success would be CSV."""
    path = {**keyed_path(api, operation), "sessionToken": api.unique_text("nowhere")}
    exchange = send(api, operation, path)
    assert 400 <= exchange.response.status < 500
    check_refused(api, operation, exchange, "FLOWAPP-GEN-6")


@clause("FLOWAPP-GEN-3")
@each_session_operation
def test_a_refusal_is_a_json_object(api: Api, operation: str) -> None:
    """What refuses an unknown session token or a request without the key is a JSON object."""
    path = {**keyed_path(api, operation), "sessionToken": api.unique_text("nowhere")}
    for credentials in ("valid", "none"):
        exchange = send(api, operation, path, credentials=credentials)
        if exchange.response.status < 400:
            raise MissingPrecondition(f"{exchange.request.url} is not refused")
        check_refused(api, operation, exchange, "FLOWAPP-GEN-3")
        assert isinstance(read_body(exchange), dict)


@clause("FLOWAPP-GEN-4")
def test_a_refusal_has_a_code_and_a_message(api: Api) -> None:
    """What refuses an unknown session token has a code, which is a number, and a message."""
    exchange = send(api, "listRegistrants", {"sessionToken": api.unique_text("nowhere")})
    check_refused(api, "listRegistrants", exchange, "FLOWAPP-GEN-6")
    value = read_body(exchange)
    assert (type(value.get("code")), type(value.get("message"))) == (int, str)


@clause("FLOWAPP-GEN-3")
def test_a_refusal_has_an_error_status_or_code(api: Api, readings: ObservedReadings) -> None:
    """An unknown event is refused by the HTTP status, or by the code within a success."""
    exchange = send(api, "getEvent", {"sessionToken": api.unique_text("nowhere")})
    status = exchange.response.status
    try:
        value: Any = read_body(exchange)
    except (ValueError, RecursionError):
        value = None
    code = value.get("code") if isinstance(value, dict) else None
    by_code = 200 <= status < 300 and isinstance(code, int) and code >= 400
    readings.one_of("FLOWAPP-AMB-10", http_status=400 <= status < 500, envelope_code=by_code)


@clause("FLOWAPP-URL-1")
@pytest.mark.parametrize("operation", KEYED_OPERATIONS)
def test_operations_are_served_below_api_v1(api: Api, operation: str) -> None:
    """Every reading operation is served below /api/v1/."""
    exchange = send(api, operation, keyed_path(api, operation))
    assert exchange.request.url.startswith(f"{api.target.url}/api/v1/")
    check_accepted(api, operation, exchange, "FLOWAPP-URL-1")


@clause("FLOWAPP-URL-1")
def test_plain_http_serves_no_data(api: Api) -> None:
    """Where the target uses https, the public view of an event is not served over http; no key is sent there."""
    if not api.target.url.startswith("https://"):
        raise MissingPrecondition(f"{api.target.url} is not on https")
    path = f"/api/v1/events/sessions/public/{past_session_token(api)}"
    url = api.target.url.replace("https://", "http://", 1)
    api.target.route.permit(url)
    try:
        request, client = (
            Request("GET", f"{url}{path}"),
            HttpClient(url, api.target.url_variable, route=api.target.route),
        )
        exchange = api.paced(request, lambda: client.send(request))
    except Unreachable:
        return
    api.exchanges.append(exchange)
    assert not 200 <= exchange.response.status < 300
