"""Which meaning an exchange shows: refused or accepted, of which kind of request, and nothing where it shows none."""

from __future__ import annotations

import pytest

from contracts.exchange import FRAME, Exchange, Request, Response
from fixtures.cases import Case
from fixtures.corpus import EFFORTS, corpus
from fixtures.corpus.invalid_requests import invalid_requests
from fixtures.seen_meaning import SeenMeaning
from fixtures.target_api import Api
from suites.bitvis import test_devices
from suites.bitvis.client import create_object
from suites.generic.http_conformance import check_accepted, check_refused
from suites.meaning_recorder import exchange_label, note_outcome, one_line
from suites.mutation.reference_apis import in_process_api
from suites.observed_readings import ObservedReadings
from suites.reporting.failures import ContractViolation

UNKNOWN = "unknown: query no_such_parameter"


def exchange_of(status: int, body: bytes = b"{}", error: str | None = None, method: str = "GET") -> Exchange:
    """An exchange with the list of tasks."""
    return Exchange(Request(method, "http://127.0.0.1/tasks?limit=1"), Response(status, (), body, error))


@pytest.fixture
def api() -> Api:
    return in_process_api("getflow")


@pytest.mark.parametrize(
    ("exchange", "meanings"),
    [
        (exchange_of(200), ["accepted"]),
        (exchange_of(404), ["refused"]),
        (exchange_of(429), []),
        (exchange_of(408), []),
        (exchange_of(500), []),
        (exchange_of(503), []),
        (exchange_of(200, error="cut off"), []),
        (exchange_of(404, method="HEAD"), []),
    ],
)
def test_a_response_shows_whether_a_request_is_refused(api: Api, exchange: Exchange, meanings: list[str]) -> None:
    note_outcome(api, ["GETFLOW-AMB-6"], "GET /tasks", exchange)
    assert [seen.meaning for seen in api.seen_meanings] == meanings


@pytest.mark.parametrize(
    ("name", "label", "variants", "reading", "meaning"),
    [
        ("getflow", "GET /lists", (), "GETFLOW-AMB-6", "refused"),
        ("getflow", "GET /lists", ("ignores_unknown_parameters",), "GETFLOW-AMB-6", "accepted"),
        ("flowback", "GET /users", (), "FLOWBACK-AMB-31", "accepted"),
        ("flowback", "GET /users", ("refuses_what_it_does_not_know",), "FLOWBACK-AMB-31", "refused"),
    ],
)
def test_an_invalid_request_shows_a_meaning(
    name: str, label: str, variants: tuple[str, ...], reading: str, meaning: str
) -> None:
    api = in_process_api(name, variants=variants)
    operation = api.contract.operations[label]
    cases = invalid_requests(corpus(name, EFFORTS["quick"], 0), operation)
    (case,) = (case for case in cases if str(case.invalid_case) == UNKNOWN)
    check_refused(api, operation, case)
    assert list(api.seen_meanings) == [SeenMeaning(reading, f"{label}, {UNKNOWN}", meaning)]


def test_a_request_that_the_document_demands_to_be_refused_shows_no_meaning(api: Api) -> None:
    operation = api.contract.operations["GET /tasks"]
    cases = invalid_requests(corpus("getflow", EFFORTS["quick"], 0), operation)
    (case,) = (case for case in cases if str(case.invalid_case) == "missing: query organization_id")
    check_refused(api, operation, case)
    assert api.seen_meanings == {}


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("query page: 2", "GET /users, query page: 2"),
        ("generated 3", "GET /users, valid query page = a generated value"),
    ],
)
def test_a_valid_request_that_may_be_refused_shows_a_meaning(title: str, kind: str) -> None:
    api = in_process_api("flowback")
    operation = api.contract.operations["GET /users"]
    case = Case("GET /users", title=title).with_parameter("query", "page", 2)
    check_accepted(api, operation, case)
    assert list(api.seen_meanings) == [SeenMeaning("FLOWBACK-AMB-34", kind, "accepted")]


def test_another_account_at_the_target_shows_its_meanings_too(api: Api) -> None:
    twin = api.with_settings(TOKEN="other")
    note_outcome(twin, ["GETFLOW-AMB-6"], "GET /tasks", exchange_of(200))
    assert len(api.seen_meanings) == 1


@pytest.mark.parametrize(
    ("request_", "label"),
    [
        (Request("GET", "{url}/tasks?limit=1"), "GET /tasks"),
        (Request("GET", "{url}/v2/tasks/5"), "GET /v2/tasks/{task_id}"),
        (Request("GET", "{url}/nothing"), ""),
        (Request("HEAD", "{url}/tasks"), ""),
    ],
)
def test_an_exchange_is_named_after_its_operation(api: Api, request_: Request, label: str) -> None:
    request = Request(request_.method, request_.url.format(url=api.target.url))
    assert exchange_label(api, Exchange(request, Response(200))) == label


@pytest.mark.parametrize(
    ("url", "method", "label"),
    [
        ("ws://127.0.0.1/inventory/device", "LIST", "inventory/device LIST by websocket"),
        ("deepstream+ws://127.0.0.1:1#inventory/device", "LIST", "inventory/device LIST by deepstream"),
        ("ws://127.0.0.1/inventory/device", "INVENTED", ""),
    ],
)
def test_a_frame_is_named_after_its_call_and_transport(url: str, method: str, label: str) -> None:
    api = in_process_api("bitvis")
    base = api.target.url.partition("://")[2]
    frame = Request(FRAME, url.replace("127.0.0.1/", f"{base}/"), (), f'{{"method": "{method}"}}'.encode())
    assert exchange_label(api, Exchange(frame, Response(101, (), b"{}"))) == label


def test_a_line_about_an_exchange_shows_status_location_and_body() -> None:
    response = Response(302, (("Location", "/there"),), b'{\n  "key": "hush"}')
    line = one_line(Exchange(Request("GET", "http://127.0.0.1/tasks?token=hush"), response), ["hush"])
    assert line == 'GET /tasks: 302 Location: /there { "key": "***"}'


@pytest.mark.parametrize(
    ("response", "line"),
    [
        (Response(200, (), b"x" * 999), f"GET /: 200 {'x' * 160}…"),
        (Response(0, (), b"", "the connection was closed"), "GET /: the connection was closed"),
        (Response(0), "GET /: no response"),
    ],
)
def test_a_line_about_an_exchange_is_short(response: Response, line: str) -> None:
    assert one_line(Exchange(Request("GET", "http://127.0.0.1/"), response), []) == line


def test_a_reading_that_no_meaning_fits_says_what_was_seen(api: Api) -> None:
    for path in ("/lists?organization_id=0", "/tasks?organization_id=0"):
        api.request("GET", path)
    with pytest.raises(ContractViolation) as caught:
        ObservedReadings(api).one_of("GETFLOW-AMB-6", ignored=False, refused=False)
    line = next(text for text in str(caught.value).splitlines() if text.startswith("  received"))
    lists, tasks = line.split("; ")[1:]
    assert line.startswith("  received   none of them; GET /")
    assert "/lists: 4" in lists
    assert "/tasks: 4" in tasks
    assert '"errors"' in tasks


def test_a_meaning_is_recorded_with_its_operation_and_test(api: Api) -> None:
    api.request("GET", "/tasks")
    ObservedReadings(api, "test_x[y]").one_of("GETFLOW-AMB-6", refused=True)
    assert list(api.seen_meanings) == [SeenMeaning("GETFLOW-AMB-6", "GET /tasks, test_x[y]", "refused")]


@pytest.mark.parametrize(("age", "seen"), [(0.5, {}), (1.0, {"BITVIS-AMB-24": "stays"})])
def test_an_update_within_a_second_of_the_creation_shows_nothing(
    age: float, seen: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = in_process_api("bitvis", variants=("leaves_updated_alone",))
    observed, times = ObservedReadings(api), iter((10.0, 10.0 + age))
    monkeypatch.setattr(test_devices, "monotonic", lambda: next(times))
    test_devices.test_the_time_of_an_update_is_stored(api, observed, lambda kind: create_object(api, kind))
    assert observed.seen == seen
