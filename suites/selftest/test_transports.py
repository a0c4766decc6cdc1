"""One call, several ways: what arrives is what was asked for, and all answer alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from contracts.exchange import Exchange, Sent, as_curl, as_text
from fixtures.api import Api, Lacking, NotPermitted
from fixtures.inprocess import InProcess
from fixtures.reference.bitvis import create, http
from fixtures.reference.bitvis.data import KNOWN
from fixtures.reference.protocol import Request, World
from fixtures.targets import Misuse, Target, embedded
from fixtures.transports import ABSENT, CREDENTIALS, TRANSPORTS, transport

SWITCH = "3a472a78-4e3e-4858-8acc-eb754f9d1328"
HOUSE = "b46bb7bf-c88e-439a-a396-87bbda0ffad9"
OURS = tuple(name for name in TRANSPORTS if name != "deepstream")  # those that need nothing installed
PAGE = {"pagination": True, "pagination.size": 1, "pagination.from": 0}
CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "list": ("address/address", ("LIST",)),
    "page": ("address/address", ("LIST", ABSENT, ABSENT, PAGE)),
    "open": ("inventory/device", ("OPEN", SWITCH)),
    "update": ("inventory/device", ("UPDATE", SWITCH, ABSENT, ABSENT, {"name": "Götefred"})),
    "nobody": ("inventory/device", ("OPEN", "nobody")),
    "nowhere": ("inventory/nothing", ("OPEN", SWITCH)),
    "no method": ("scheduler/queue", ("list", SWITCH)),
}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
PARTS = st.just(ABSENT) | TEXTS | st.sampled_from(["LIST", "OPEN", SWITCH, "..", " x", "a/b", "a%20b", "é"]) | VALUES


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The reference on sockets."""
    with embedded(["bitvis"], "127.0.0.1:9") as targets:
        yield targets["bitvis"]


def inside(writes: bool = True) -> Api:
    """The reference in this process."""
    client = InProcess("bitvis")
    return Api(replace(client.target, writes=writes), client)


def envelope(exchange: Exchange) -> dict[str, Any]:
    """The answer as far as it is the same for the same call."""
    return {name: value for name, value in exchange.answer.json().items() if name not in ("errorid", "updated")}


# ------------------------------------------------------------------------------------------------ equal answers


@pytest.mark.parametrize("call", CALLS)
def test_answers_are_equal_on_all_transports(target: Target, call: str) -> None:
    endpoint, parts = CALLS[call]
    able = [rpc for rpc in (transport(Api(target), name) for name in OURS) if rpc.can(*parts)]
    found = [envelope(rpc.call(endpoint, *parts)) for rpc in able]
    assert len(found) >= 3
    if "updated" in str(found[0]):
        found = [{**one, "data": {**one["data"], "updated": ""}} for one in found]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize("name", OURS)
def test_in_process_and_on_sockets_are_the_same_exchanges(target: Target, name: str) -> None:
    outside, within = (transport(api, name).call("address/address", "OPEN", HOUSE) for api in (Api(target), inside()))
    assert outside.sent.url.split("/bitvis")[1] == within.sent.url.split("/bitvis")[1]
    assert (outside.sent.method, outside.sent.headers, outside.sent.body) == (
        within.sent.method,
        within.sent.headers,
        within.sent.body,
    )
    assert envelope(outside) == envelope(within)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_credentials_are_let_in_or_not(name: str, credentials: str) -> None:
    rpc = transport(inside(), name)
    if not rpc.can("OPEN", SWITCH, credentials=credentials):
        assert (name, credentials) == ("websocket", "basic")
        return
    found = rpc.call("inventory/device", "OPEN", SWITCH, credentials=credentials)
    assert found.answer.json()["success"] is (credentials in ("token", "basic"))


# ------------------------------------------------------------------------------------------------ what arrives


class Hearing:
    """A client that keeps the message that the reference reads in a request."""

    def __init__(self, client: InProcess) -> None:
        self._client = client
        self.message: dict[str, Any] = {}

    def send(self, sent: Sent) -> Exchange:
        store = create(World(now=None, random=None)).store  # type: ignore[arg-type]  # reading asks for neither
        path, _, query = sent.url.removeprefix(self._client.target.url).partition("?")
        headers = tuple((name.lower(), value) for name, value in sent.headers)
        self.message = dict(http.read(store, Request(sent.method, path, query, headers, sent.body))[1])
        return self._client.send(sent)


@pytest.mark.parametrize("name", ["header", "query", "path"])
@hypothesis_settings(max_examples=150)
@given(method=PARTS, objectid=PARTS, namespace=PARTS, parameters=PARTS, data=PARTS)
def test_what_a_transport_can_carry_arrives_as_it_was(
    name: str, method: Any, objectid: Any, namespace: Any, parameters: Any, data: Any
) -> None:
    client = InProcess("bitvis")
    hearing = Hearing(client)
    rpc = transport(Api(client.target, hearing), name)
    parts = {"method": method, "objectid": objectid, "namespace": namespace, "parameters": parameters, "data": data}
    if not rpc.can(**parts):
        with pytest.raises(ValueError, match=f"{name} cannot carry"):
            rpc.call("inventory/device", **parts)
        return
    rpc.call("inventory/device", **parts)
    sent = {key: value for key, value in parts.items() if value is not ABSENT and value not in ("", None)}
    got = {key: hearing.message[key] for key in parts if hearing.message[key] not in ("", None)}
    assert got == sent


@pytest.mark.parametrize(
    ("name", "parts", "able"),
    [
        ("path", ("LIST",), False),
        ("path", ("LIST", ""), False),
        ("path", ("OPEN", ".."), False),
        ("path", ("OPEN", "a/b"), False),
        ("path", ("OPEN", "Götefred"), True),
        ("header", ("OPEN", "Götefred"), False),
        ("header", ("OPEN", " x"), False),
        ("header", ("OPEN", "x\r\ny"), False),
        ("header", ("OPEN", ""), True),
        ("header", ("OPEN", None), False),
        ("header", ("LIST", ABSENT, ABSENT, {"city": "Götefred"}), True),
        ("header", ("LIST", ABSENT, ABSENT, {"city": "x" * 6_000}), False),
        ("query", ("OPEN", "Götefred"), True),
        ("query", ("OPEN", "\ud800"), False),
        ("query", (["LIST"],), False),
        ("websocket", (None, ["x"], 1, "y", None), True),
        ("websocket", ("OPEN", "\ud800"), True),
    ],
)
def test_what_has_no_place_is_refused_before_it_is_sent(name: str, parts: tuple[Any, ...], able: bool) -> None:
    api = inside()
    rpc = transport(api, name)
    assert rpc.can(*parts) is able
    if not able:
        with pytest.raises(ValueError, match=f"{name} cannot carry"):
            rpc.call("inventory/device", *parts)
        assert api.count == 0


def test_absent_parts_are_not_in_the_frame() -> None:
    exchange = transport(inside(), "websocket").call("inventory/device", data=None, credentials="none")
    assert exchange.sent.body == b'{"data": null}'


def test_parts_are_in_the_documents_order() -> None:
    exchange = transport(inside(), "websocket").call("x", "LIST", "o", "n", {}, {}, credentials="empty")
    assert exchange.sent.body.startswith(b'{"method": "LIST", "objectid": "o", "token": "", "namespace": "n"')


@pytest.mark.parametrize(
    ("method", "data", "verb"), [("DELETE", ABSENT, "GET"), ("DELETE", {}, "POST"), ("INDEX", ABSENT, "POST")]
)
def test_verb_follows_the_document(method: str, data: Any, verb: str) -> None:
    exchange = transport(inside(), "header").call("inventory/device", method, "nobody", data=data)
    assert exchange.sent.method == verb


# ------------------------------------------------------------------------------------------------ rails


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("method", ["CREATE", "UPDATE", "DELETE", "RUN", "delete", ABSENT])
def test_nothing_that_may_change_is_sent_where_only_reading_is_allowed(name: str, method: Any) -> None:
    api = inside(writes=False)
    with pytest.raises(NotPermitted, match="only reading is allowed"):
        transport(api, name).call("inventory/device", method, SWITCH, data={})
    assert api.count == 0


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("method", ["OPEN", "INDEX", "LIST"])
def test_reading_is_always_allowed(name: str, method: str) -> None:
    exchange = transport(inside(writes=False), name).call("inventory/device", method, SWITCH)
    assert exchange.answer.json()["success"] is True


@pytest.mark.parametrize("name", OURS)
def test_secrets_are_shown_of_no_exchange(name: str) -> None:
    api = inside()
    exchange = transport(api, name).call("inventory/device", "OPEN", SWITCH)
    assert api.exchanges[-1] is exchange
    assert KNOWN["TOKEN"] in str(exchange)
    assert KNOWN["TOKEN"] not in as_text(exchange, api.secrets) + as_curl(exchange, api.secrets)


@pytest.mark.parametrize("name", OURS)
def test_missing_token_is_named(name: str) -> None:
    client = InProcess("bitvis")
    api = Api(replace(client.target, settings={}), client)
    with pytest.raises(Misuse, match="BITVIS_TOKEN is not set"):
        transport(api, name).call("inventory/device", "OPEN", SWITCH)


@pytest.mark.parametrize("name", ["header", "query", "path"])
def test_missing_user_is_what_the_target_lacks(name: str) -> None:
    client = InProcess("bitvis")
    api = Api(replace(client.target, settings={"TOKEN": "t"}), client)
    with pytest.raises(Lacking, match="BITVIS_USERNAME is not set"):
        transport(api, name).call("inventory/device", "OPEN", SWITCH, credentials="basic")
