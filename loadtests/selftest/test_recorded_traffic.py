"""Recorded traffic is read as it was sent, with its ids, and without what must not be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import UsageError
from loadtests.traffic.recorded_traffic import RecordedRequest, Source, replaced, replaced_body, value_at, with_ids
from loadtests.traffic.traffic_file import Traffic, read_traffic, shares
from loadtests.user.traffic_player import status_difference

SHOP = "http://shop.example"
LOG = """\
192.0.2.1 - - [29/Nov/2026:10:00:00 +0000] "GET /a?b=1 HTTP/1.1" 200 5
192.0.2.2 - ada [29/Nov/2026:10:00:00 +0000] "GET /b HTTP/1.1" 404 - "http://x/" "An agent (1.0)"
192.0.2.1 - - [29/Nov/2026:10:00:02 +0000] "POST /c HTTP/2.0" 201 5
"""


def entry(at: float, method: str, url: str, status: int = 200, response: Any = None, **request: Any) -> dict[str, Any]:
    """An entry of a HAR, so many seconds after noon."""
    content = {"text": json.dumps(response)} if response is not None else {}
    headers = [{"name": name, "value": value} for name, value in request.pop("headers", {}).items()]
    body = {"postData": {"text": request.pop("body")}} if "body" in request else {}
    return {
        "startedDateTime": f"2026-11-29T12:00:{at:06.3f}Z",
        "request": {"method": method, "url": url, "headers": headers, **body},
        "response": {"status": status, "content": content},
    }


def har(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "shop.har"
    path.write_text(json.dumps({"log": {"entries": entries}}))
    return path


def read(path: Path, url: str = SHOP, writes: bool = True) -> Traffic:
    return read_traffic(path, url, writes)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "access.log").write_text(LOG)
    return tmp_path / "access.log"


def test_lines_of_one_second_of_an_access_log_are_spread_over_it(log: Path) -> None:
    requests = [(it.at, it.client, it.method, it.target, it.status) for it in read(log).requests]
    assert requests == [
        (0.0, "192.0.2.1", "GET", "/a?b=1", 200),
        (0.5, "192.0.2.2", "GET", "/b", 404),
        (2.0, "192.0.2.1", "POST", "/c", 201),
    ]


def test_without_writes_only_safe_methods_are_played(log: Path) -> None:
    traffic = read(log, writes=False)
    assert [it.target for it in traffic.requests] == ["/a?b=1", "/b"]
    assert traffic.left_out == {"changes something, which needs LOAD_WRITES=1": 1}


def test_lines_that_are_none_of_an_access_log_are_counted(log: Path) -> None:
    log.write_text(LOG + "nonsense\n" + LOG.splitlines()[0].replace("29/Nov", "99/Nov"))
    assert read(log).left_out == {"no line of an access log": 2}


def test_clients_are_shared_out_among_workers(log: Path) -> None:
    traffic = read(log)
    assert [[number for number, _ in shares(traffic, index, 2)] for index in range(2)] == [[0, 2], [1]]


def test_a_har_is_read_with_times_bodies_and_headers(tmp_path: Path) -> None:
    headers = {"Host": "shop.example", ":method": "POST", "Content-Length": "1", "Accept-Encoding": "br", "X-A": "b"}
    path = har(
        tmp_path,
        entry(3.25, "GET", f"{SHOP}/b?c=d e#f"),
        entry(1.0, "POST", f"{SHOP}:80/a", 201, body="{}", headers=headers),
    )
    first, second = read(path).requests
    assert (first.at, first.method, first.target, first.body, first.headers) == (0.0, "POST", "/a", b"{}", {"X-A": "b"})
    assert (second.at, second.target) == (2.25, "/b?c=d%20e")


def test_of_a_har_only_the_most_frequent_origin_is_played(tmp_path: Path) -> None:
    path = har(
        tmp_path,
        entry(1, "GET", f"{SHOP}/a"),
        entry(2, "GET", "https://ads.example/x", headers={"Authorization": "Bearer secret"}),
        entry(3, "GET", f"{SHOP}/b"),
    )
    traffic = read(path)
    assert ([it.target for it in traffic.requests], traffic.left_out) == (["/a", "/b"], {"to another server": 1})


CREDENTIALS = ("Authorization", "Cookie", "X-Api-Key", "api-secret", "X-CSRF-Token", "X-Session-Id")


@pytest.mark.parametrize(("url", "are_sent"), [(SHOP, True), ("http://other.example", False), (f"{SHOP}:81", False)])
def test_credentials_go_to_the_server_that_they_were_recorded_at(tmp_path: Path, url: str, are_sent: bool) -> None:
    path = har(tmp_path, entry(1, "GET", f"{SHOP}/a", headers={**dict.fromkeys(CREDENTIALS, "s3cret"), "X-A": "b"}))
    (request,) = read(path, url).requests
    assert set(request.headers) == ({*CREDENTIALS, "X-A"} if are_sent else {"X-A"})


def test_what_http_cannot_carry_is_left_out(tmp_path: Path) -> None:
    path = har(tmp_path, entry(1, "GET", f"{SHOP}/a"), entry(2, "GET", f"{SHOP}/b", headers={"X": "a\r\nY: b"}))
    assert read(path).left_out == {"with a method or header that HTTP/1.1 cannot carry": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected requests in a HAR or an access log, got none to play"),
        ("nonsense", "1 left out: no line of an access log"),
        ('{"log": {}}', "expected a HAR"),
        ("{", "expected a HAR"),
        ('{"log": {"entries": [{}]}}', "expected a HAR"),
        ('{"log": {"entries": []}}', "got none to play"),
    ],
)
def test_a_file_that_cannot_be_played_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "f").write_text(text)
    with pytest.raises(UsageError, match=message):
        read(tmp_path / "f")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a HAR file or an access log, got none"):
        read(tmp_path / "none")


# Ids


def request(target: str, response: Any = None, body: Any = None, client: str = "", at: float = 0.0) -> RecordedRequest:
    text = b"" if body is None else json.dumps(body).encode()
    return RecordedRequest(at, client, "GET", target, 200, {}, text, response)


@pytest.mark.parametrize(
    ("response", "later", "pointer"),
    [
        ({"id": 17}, request("/orders/17"), ("id",)),
        ({"id": "a b"}, request("/orders/a%20b"), ("id",)),
        ({"data": [{"order_id": 17}]}, request("/x?of=17"), ("data", 0, "order_id")),
        ({"orderId": 17}, request("/x", body={"of": [17]}), ("orderId",)),
        ({"uuid": "u1"}, request("/x", body={"of": "u1"}), ("uuid",)),
    ],
)
def test_a_later_request_uses_the_id_of_a_response(response: Any, later: RecordedRequest, pointer: Any) -> None:
    _, linked = with_ids([request("/a", response), later])
    assert list(linked.ids.values()) == [Source(0, pointer)]


@pytest.mark.parametrize(
    ("response", "later"),
    [
        ({"count": 17}, request("/orders/17")),
        ({"id": 17}, request("/orders/170")),
        ({"id": 17}, request("/orders?a=b17")),
        ({"id": True}, request("/orders/True")),
        ({"id": 17}, request("/orders/17", client="another")),
        ({"id": ""}, request("/orders/?a=")),
    ],
)
def test_what_only_looks_like_an_id_is_none(response: Any, later: RecordedRequest) -> None:
    assert with_ids([request("/a", response), later])[1].ids == {}


def test_an_id_is_that_of_the_first_response_that_had_it() -> None:
    linked = with_ids([request("/a", {"id": 17}), request("/b/17", {"id": 17}), request("/c/17")])
    assert linked[2].ids == {"17": Source(0, ("id",))}


def test_ids_are_replaced_where_they_are_all_of_a_value() -> None:
    assert replaced("/a/17/b17?c=17&d=117&e", {"17": "5"}) == "/a/5/b17?c=5&d=117&e"
    assert replaced_body(b'{"a": 17, "b": ["17", 117, true]}', {"17": "5"}) == b'{"a":5,"b":["5",117,true]}'


def test_an_id_is_percent_encoded_in_paths_and_queries() -> None:
    assert replaced("/a/17?c=17", {"17": "5 /é\r\n"}) == "/a/5%20%2F%C3%A9%0D%0A?c=5%20%2F%C3%A9%0D%0A"


@pytest.mark.parametrize("body", [b"", b"a=17", b"{"])
def test_other_bodies_stay_as_they_are(body: bytes) -> None:
    assert replaced_body(body, {"17": "5"}) == body


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ({"a": [{"id": 5}]}, "5"),
        ({"a": [{"id": "x"}]}, "x"),
        ({"a": []}, None),
        ({"a": [{"id": None}]}, None),
        (7, None),
    ],
)
def test_the_value_of_a_response_is_where_the_recorded_one_was(content: Any, value: str | None) -> None:
    assert value_at(content, ("a", 0, "id")) == value


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/orders/17?token=s3cret", "GET /orders/{id}"),
        ("/orders/v2/items", "GET /orders/v2/items"),
        ("/a/123e4567-e89b-42d3-a456-426614174000/b", "GET /a/{id}/b"),
        ("/reset/Zm9vYmFyYmF6cXV4MTIzNDU2", "GET /reset/{id}"),
        ("/an-ordinary-and-rather-long-name", "GET /an-ordinary-and-rather-long-name"),
    ],
)
def test_figures_are_named_without_ids_queries_and_tokens(target: str, name: str) -> None:
    assert request(target).name == name


@pytest.mark.parametrize(
    ("recorded", "received", "difference"),
    [
        (200, 200, None),
        (404, 404, None),
        (304, 200, None),
        (200, 304, "status 304, recorded 200"),
        (200, 500, "status 500, recorded 200"),
        (0, 399, None),
        (0, 400, "status 400"),
        (0, 429, "turned away (429)"),
    ],
)
def test_a_response_is_judged_by_the_recorded_status(recorded: int, received: int, difference: str | None) -> None:
    assert status_difference(recorded, received) == difference
