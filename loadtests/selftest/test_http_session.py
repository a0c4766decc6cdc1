"""Requests of a journey's own carry bodies, cookies and tags, follow redirects within the target, and are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from locust.exception import StopTest

from fixtures import network_guard
from loadtests.engine.exchange_types import Address, Response
from loadtests.engine.recorder import Recorder
from loadtests.selftest.peers import EngineClient, engine_client
from loadtests.selftest.shop_server import Shop, running_shop
from loadtests.user.http_session import HttpSession
from loadtests.user.requesting_user import RequestingUser


@pytest.fixture(scope="module")
def running() -> Iterator[Shop]:
    with running_shop() as shop:
        yield shop


@pytest.fixture
def shop(running: Shop) -> Shop:
    running.requests.clear()
    running.uploads.clear()
    return running


@pytest.fixture
def client() -> Iterator[EngineClient]:
    with engine_client() as client:
        yield client


@pytest.fixture
def session(shop: Shop) -> HttpSession:
    return HttpSession(Address.from_url(shop.url), Recorder())


Send = Callable[..., Response]


@pytest.fixture
def send(client: EngineClient, session: HttpSession) -> Send:
    def send(method: str, path: str, **options: Any) -> Response:
        return client.ask(session.request(method, path, **options))[0]

    return send


@pytest.mark.parametrize("host", ["ws://127.0.0.1:9/api", "deepstream://127.0.0.1:9/"])
def test_a_host_that_is_no_http_server_is_an_address_without_session(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_guard, "permit", lambda *_: None)
    user: Any = RequestingUser.__new__(RequestingUser)
    user.host, user._address, user._session = host, None, None
    assert user.address is user.address
    assert user.address == Address.from_url(host)
    with pytest.raises(StopTest, match="expected a URL that begins with http"):
        user.request("GET", "/")


# Bodies


def test_json_is_sent_with_its_media_type(shop: Shop, send: Send) -> None:
    send("POST", "/orders", json={"article": "Käse"})
    ((_, _, headers, body),) = shop.requests
    assert (headers["content-type"], body.decode()) == ("application/json", '{"article":"Käse"}')


def test_a_form_is_sent_with_its_media_type(shop: Shop, send: Send) -> None:
    send("POST", "/login", form={"name": "a&b", "password": ["1", "2"]}, redirects=0)
    ((_, _, headers, body),) = shop.requests
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert body == b"name=a%26b&password=1&password=2"


def test_a_media_type_of_ones_own_is_kept(shop: Shop, send: Send) -> None:
    send("POST", "/orders", json={}, headers={"content-type": "application/vnd.shop+json"})
    assert shop.requests[0][2]["content-type"] == "application/vnd.shop+json"


def test_files_and_fields_travel_in_a_multipart_form(shop: Shop, send: Send) -> None:
    files = {"photo": ('a"b.png', b"\x89PNG\r\n--x", "image/png"), "raw": b"\0", "named": ("c.bin", b"c")}
    assert send("POST", "/photos", form={"of": ["cat", "dog"]}, files=files).status == 201
    assert shop.uploads == [
        ({"name": "of", "type": "text/plain"}, b"cat"),
        ({"name": "of", "type": "text/plain"}, b"dog"),
        ({"name": "photo", "filename": "a%22b.png", "type": "image/png"}, b"\x89PNG\r\n--x"),
        ({"name": "raw", "filename": "file", "type": "application/octet-stream"}, b"\0"),
        ({"name": "named", "filename": "c.bin", "type": "application/octet-stream"}, b"c"),
    ]


def test_files_alone_are_a_multipart_form(shop: Shop, send: Send) -> None:
    send("POST", "/photos", files={"photo": b"p"})
    assert [content for _, content in shop.uploads] == [b"p"]


def test_a_post_without_a_body_says_so(shop: Shop, send: Send) -> None:
    send("POST", "/articles")
    assert shop.requests[0][2]["content-length"] == "0"


def test_a_get_has_no_length(shop: Shop, send: Send) -> None:
    send("GET", "/articles")
    assert "content-length" not in shop.requests[0][2]


# What is no request


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("GET", "articles"), {}, ValueError, "expected a path that begins with /"),
        (("GET", "http://other.example/"), {}, ValueError, "expected a path that begins with /"),
        (("GET", "/a b"), {}, ValueError, "percent-encoded, got '/a b'"),
        (("GET", "/a\r\nX: y"), {}, ValueError, "percent-encoded"),
        (("G T", "/"), {}, ValueError, "expected a method such as GET, got 'G T'"),
        (("GET", "/"), {"headers": {"X": "a\r\nY: b"}}, ValueError, "a header that HTTP can carry, got 'X'"),
        (("GET", "/"), {"headers": {"X Y": "a"}}, ValueError, "a header that HTTP can carry, got 'X Y'"),
        (("GET", "/"), {"timeout": 0}, ValueError, "timeout: expected seconds, more than 0 and at most 3600, got 0"),
        (("GET", "/"), {"timeout": 3601}, ValueError, "got 3601"),
        (("POST", "/"), {"json": 1, "form": {}}, ValueError, "got json and form"),
        (("POST", "/"), {"json": 1, "body": b"x"}, ValueError, "got body and json"),
        (("POST", "/"), {"json": 1, "files": {}}, ValueError, "got json and files"),
        (("POST", "/"), {"body": "x"}, TypeError, "expected bytes as body, got str"),
        (("POST", "/"), {"json": object()}, TypeError, "not JSON serializable"),
        (("POST", "/"), {"files": {"a": "text"}}, TypeError, "for 'a', got 'text'"),
        (("POST", "/"), {"files": {"a": ("n",)}}, TypeError, "files: expected bytes, or"),
    ],
)
def test_what_is_no_request_is_refused(
    session: HttpSession, arguments: tuple[str, str], options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        session.request(*arguments, **options)


# Cookies and redirects


def test_a_login_is_followed_to_its_end_with_the_cookie(shop: Shop, send: Send) -> None:
    response = send("POST", "/login", form={"name": "ada", "password": "x"})
    assert (response.status, response.json()) == (200, {"customer": "ada"})
    assert shop.targets() == ["POST /login", "GET /home"]


def test_a_redirect_is_counted_by_itself(client: EngineClient, session: HttpSession) -> None:
    client.ask(session.request("POST", "/login", form={"name": "ada", "password": "x"}))
    assert {entry.operation: entry.requests for entry in session.recorder.take()} == {
        "POST /login": 1,
        "POST /login (redirect)": 1,
    }


def test_cookies_of_one_user_are_not_those_of_another(shop: Shop, send: Send, client: EngineClient) -> None:
    send("POST", "/login", form={"name": "ada", "password": "x"})
    other = HttpSession(Address.from_url(shop.url), Recorder())
    assert client.ask(other.request("GET", "/home"))[0].error == "status 401"


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_redirect_keeps_method_and_body_where_its_status_does(
    shop: Shop, send: Send, status: int, method: str
) -> None:
    send("POST", f"/moved?{status}", json={"a": 1}, headers={"X-Kept": "yes"})
    received, target, headers, body = shop.requests[1]
    assert (received, target, headers["x-kept"]) == (method, "/articles?moved=%FC", "yes")
    assert (body, "content-type" in headers) == ((b'{"a":1}', True) if method == "POST" else (b"", False))


def test_a_redirected_head_stays_one(shop: Shop, send: Send) -> None:
    send("HEAD", "/moved?303")
    assert shop.targets()[1].startswith("HEAD ")


def test_a_redirect_that_is_not_to_be_followed_reaches_the_journey(send: Send) -> None:
    response = send("GET", "/forever", redirects=0)
    assert (response.status, response.error, response.header(b"location")) == (302, None, b"/forever")


def test_redirects_without_end_fail(shop: Shop, send: Send) -> None:
    assert send("GET", "/forever", redirects=3).error == "too many redirects"
    assert len(shop.requests) == 4


def test_a_redirect_to_another_server_is_a_failure_and_not_followed(shop: Shop, send: Send) -> None:
    with running_shop() as other:
        shop.elsewhere = f"{other.url}/home?token=secret"
        assert send("GET", "/elsewhere").error == f"redirect to another server, not followed: {other.url}"
        assert other.requests == []


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("https://127.0.0.1/", "redirect to another server, not followed: https://127.0.0.1:443"),
        ("//user@127.0.0.1:9/", "redirect to another server, not followed: http://127.0.0.1:9"),
        ("http://[::1", "redirect to something that is no URL"),
        ("http://127.0.0.1:port/", "redirect to something that is no URL"),
    ],
)
def test_a_redirect_to_no_place_of_the_target_is_a_failure(shop: Shop, send: Send, location: str, error: str) -> None:
    shop.elsewhere = location
    assert send("GET", "/elsewhere").error == error


def test_a_plain_request_is_encoded_once_for_all_users(shop: Shop) -> None:
    sessions = [HttpSession(Address.from_url(shop.url), Recorder()) for _ in range(2)]
    first, second = (session.request("GET", "/articles") for session in sessions)
    assert first.payload is second.payload


def test_several_requests_at_once_follow_their_redirects(client: EngineClient, session: HttpSession) -> None:
    responses = client.together([session.request("GET", "/moved?302"), session.request("GET", "/articles")])
    assert [response.json() for response in responses] == [{"articles": [1, 2, 3]}] * 2


def test_a_redirect_in_a_sequence_keeps_the_connection(client: EngineClient, session: HttpSession) -> None:
    client.ask(*(session.request("GET", "/moved?302") for _ in range(3)))
    assert sum(entry.connect.count for entry in session.recorder.take()) == 1


# Time-outs, tags and checks


def test_a_request_fails_when_its_time_is_over(shop: Shop, send: Send) -> None:
    shop.delay = 0.5
    try:
        assert send("GET", "/orders/1", timeout=0.05).error == "timeout"
    finally:
        shop.delay = 0.0


def test_a_tag_counts_all_requests_that_have_it(client: EngineClient, session: HttpSession) -> None:
    client.ask(
        session.request("GET", "/articles", tags=("reading", "first")),
        session.request("GET", "/home", tags=("reading",)),
        session.request("GET", "/articles"),
    )
    operations = {entry.operation: (entry.requests, entry.failed.count) for entry in session.recorder.take()}
    tags = {entry.operation: (entry.requests, entry.failed.count) for entry in session.recorder.take_tags()}
    assert operations == {"GET /articles": (2, 0), "GET /home": (1, 1)}
    assert tags == {"first": (1, 0), "reading": (2, 1)}


def test_tags_are_counted_anew_for_each_second(client: EngineClient, session: HttpSession) -> None:
    client.ask(session.request("GET", "/articles", tags=("reading",)))
    session.recorder.take()
    assert len(session.recorder.take_tags()) == 1
    assert session.recorder.take_tags() == []


def test_a_check_that_does_not_hold_is_the_reason_by_its_name(send: Send) -> None:
    checks = {"has articles": lambda it: it.json()["articles"], "has ten": lambda it: len(it.json()["articles"]) == 10}
    assert send("GET", "/articles", checks=checks).error == "check failed: has ten"


def test_a_check_that_holds_is_no_reason(send: Send) -> None:
    assert send("GET", "/articles", checks={"has articles": lambda it: it.json()["articles"]}).error is None


@pytest.mark.parametrize(
    ("check", "error"),
    [
        (lambda it: it.json()["none"], "check failed: c (KeyError)"),
        (lambda it: it.json()["articles"]["a"], "check failed: c (TypeError)"),
        (lambda it: int(str(it.header(b"none"))), "check failed: c (ValueError)"),
        (lambda it: it.jsn, "judge broke: AttributeError"),
    ],
)
def test_a_check_fails_for_lack_of_data_and_breaks_for_a_mistake_of_its_own(send: Send, check: Any, error: str) -> None:
    assert send("GET", "/articles", checks={"c": check}).error == error


def test_a_status_of_400_or_more_fails_before_any_check(send: Send) -> None:
    assert send("GET", "/none", checks={"c": bool}).error == "status 404"


def test_a_validator_replaces_the_rule_about_the_status(send: Send) -> None:
    def not_there(_: object, response: Response) -> str | None:
        return None if response.status == 404 else "is there"

    assert send("GET", "/none", validator=not_there).error is None
    assert send("GET", "/articles", validator=not_there).error == "is there"
    assert send("GET", "/none", validator=not_there, checks={"c": lambda it: it.error}).error == "check failed: c"


def test_checks_are_of_the_last_response(send: Send) -> None:
    checks = {"is home": lambda it: it.json()["customer"] == "ada"}
    assert send("POST", "/login", form={"name": "ada", "password": "x"}, checks=checks).error is None
