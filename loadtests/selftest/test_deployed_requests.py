"""Requests and responses of the load engine at a target that departs from its document."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.openapi import load_contract
from fixtures import reference
from fixtures.departures.keyword_reader import make_keyword
from fixtures.departures.translation import Translation, translation_of
from fixtures.targets import Target
from loadtests.engine.exchange_types import Address, Request, Response
from loadtests.engine.recorder import Recorder
from loadtests.request_factory.data_sources import UniqueTexts
from loadtests.request_factory.deployed_requests import NotExpressible, documented_validator
from loadtests.request_factory.http_factory import HttpRequestFactory
from loadtests.request_factory.rpc_factory import RpcRequestFactory
from loadtests.validation.http_validator import exchange_of
from loadtests.validation.validators import Validators

ORIGIN = "http://127.0.0.1:8000"
TOKENS = {api: reference.load(api).KNOWN["TOKEN"] for api in ("flowback", "getflow", "bitvis")}


def translation(api: str, **entries: Any) -> Translation:
    keywords = [make_keyword(load_contract(api), name, value) for name, value in entries.items()]
    known = translation_of(f"{ORIGIN}/{api}", keywords, reference.load(api).KNOWN)
    assert known is not None
    return known


def factory(api: str, **entries: Any) -> HttpRequestFactory:
    target = Target(
        api, f"{ORIGIN}/{api}", reference.load(api).KNOWN, True, True, translation=translation(api, **entries)
    )
    return HttpRequestFactory(target, Recorder().samples_of, Validators(), UniqueTexts(0))


def response(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Response:
    return Response(status, list(headers), body, None, 0, 0, 0, 1)


def test_a_request_is_translated_when_it_is_prepared() -> None:
    requests = factory("flowback", authorization="Token {token}", trailing_slash="always")
    payload = requests.request_for("listUsers", limit=5).payload
    assert payload.startswith(b"GET /flowback/users/?limit=5 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert f"\r\nAuthorization: Token {TOKENS['flowback']}\r\n".encode() in payload
    assert [it.deploy for it in requests._prepared.values()] == [None]


def test_another_accounts_token_goes_to_its_place() -> None:
    requests = factory("flowback", authorization={"header": "X-Access"})
    assert b"\r\nX-Access: another\r\n" in requests.request_for("getUser", TOKEN="another").payload


def test_a_form_that_becomes_json_has_values_of_json() -> None:
    requests = factory("flowback", media_type={"request": {"application/x-www-form-urlencoded": "application/json"}})
    payload = requests.request_for("registerUser", username='a "b"', email="a@example.org").payload
    head, _, body = payload.partition(b"\r\n\r\n")
    assert body == b'{"username": "a \\"b\\"", "email": "a@example.org"}'
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head


def test_pages_are_converted_when_their_values_are_known() -> None:
    requests = factory("flowback", paging={"counts": "rows", "from": "page", "to": "offset", "size": "limit"})
    assert requests.request_for("listUsers", page=3, limit=20).payload.startswith(
        b"GET /flowback/users?offset=40&limit=20"
    )
    with pytest.raises(NotExpressible):
        requests.request_for("listUsers", page=3)


def test_a_login_takes_what_a_registration_has_named() -> None:
    requests = factory("flowback", login_with="email")
    assert requests.request_for("registerUser", username="ada", email="ada@example.org").payload.endswith(
        b"username=ada&email=ada%40example.org"
    )
    login = requests.request_for("login", username="ada", password="a b").payload
    assert login.endswith(b"email=ada%40example.org&password=a+b")


def test_a_documented_link_is_followed_where_it_is_deployed() -> None:
    requests = factory("getflow", prefix="/rest", authorization="Token {token}")
    payload = requests.link_request(f"{ORIGIN}/getflow/tasks?organization_id=52&cursor=25", "listTasks").payload
    assert payload.startswith(b"GET /getflow/rest/tasks?organization_id=52&cursor=25 HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Token {TOKENS['getflow']}\r\n".encode() in payload


def test_a_value_with_members_is_translated_in_each_request() -> None:
    requests = RpcRequestFactory(factory("bitvis", rename={"request": {"pagination.size": "rows"}}))
    parameters = {"pagination": True, "pagination.size": 3}
    frame = requests.request_for("websocket", "inventory/device LIST", parameters=parameters)
    assert b'"parameters": {"pagination": true, "rows": 3}' in frame.payload
    query = requests.request_for("query", "inventory/device LIST", parameters=parameters)
    assert b"%22rows%22" in query.payload
    assert b"pagination.size" not in query.payload


def test_a_websocket_is_opened_where_it_is_deployed() -> None:
    requests = RpcRequestFactory(factory("bitvis", prefix="/v2"))
    assert requests.request_for("websocket", "inventory/device LIST").address.path == "/bitvis/v2/inventory/device"


@pytest.mark.parametrize("deflate", [False, True])
def test_websockets_offer_to_compress_messages_only_if_asked(deflate: bool) -> None:
    requests = RpcRequestFactory(factory("bitvis", prefix="/v2"), deflate=deflate)
    addresses = [requests.request_for(name, "inventory/device LIST").address for name in ("websocket", "header")]
    assert [address.deflate for address in addresses] == [deflate, False]


def test_a_response_is_documented_before_it_is_validated() -> None:
    seen: list[Response] = []

    def validate(_: Request, answer: Response) -> str | None:
        seen.append(answer)
        return None

    known = translation("flowback", rename={"answer": {"results": "data"}}, status={"422": 400})
    request = Request(Recorder().samples_of("x", "http"), b"GET / HTTP/1.1\r\n\r\n", Address.from_url(ORIGIN))
    answer = response(422, b'{"results": []}', (b"content-type", b"application/json"))
    assert documented_validator(known, validate)(request, answer) is None
    assert (seen[0].status, seen[0].body, seen[0].header(b"content-type")) == (
        400,
        b'{"data": []}',
        b"application/json",
    )
    exchange = exchange_of(request, answer)
    assert (exchange.response.status, exchange.response.text()) == (400, '{"data": []}')
    assert exchange.actual is not None
    assert (exchange.actual.response.status, exchange.actual.response.text()) == (422, '{"results": []}')


def test_a_response_that_no_departure_changes_is_the_received_one() -> None:
    known = translation("flowback", status={"422": 400})
    answer = response(200, b"{}")
    request = Request(Recorder().samples_of("x", "http"), b"GET / HTTP/1.1\r\n\r\n", Address.from_url(ORIGIN))
    documented_validator(known, lambda _, __: None)(request, answer)
    assert answer.received is None
    assert exchange_of(request, answer).actual is None
