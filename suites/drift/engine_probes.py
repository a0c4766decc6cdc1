"""How a deepstream engine speaks its text protocol: which messages come in which frames, from its greeting to an error.

Rule: only a reading call is sent. A target in process has no engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from contracts.asyncapi import Call, RpcContract, load_rpc_contract
from contracts.behaviour.behaviour import Address, Behaviour
from contracts.errors import UsageError
from fixtures import websocket_client
from fixtures.cases import fill_placeholders
from fixtures.corpus.rpc_messages import load_messages
from fixtures.http_client import Unreachable
from fixtures.in_process_client import InProcessClient
from fixtures.pace import NotTested
from fixtures.questions.operation_questions import NOTHING_GENERATED
from fixtures.target_api import Api, MissingPrecondition
from fixtures.transports.call_parts import CallParts, call_message
from fixtures.transports.deepstream_endpoints import TEXT, endpoint_url, login_data
from fixtures.websocket import deepstream_text_protocol as protocol
from fixtures.websocket.client_connection import ClientConnection
from fixtures.websocket.frame_codec import TEXT as TEXT_FRAME

TRANSPORT = "deepstream-text"
SECONDS = 3.0  # to wait for an answer
SHORT = 0.5  # to wait where none may come
QUIET = 0.15  # after an answer, in which the rest of it comes
NOBODY = b'{"username":"nobody","password":"wrong"}'
CODE = re.compile(rb"[A-Z_]{3,40}")
CANNOT_PROBE = (MissingPrecondition, NotTested, Unreachable, UsageError, websocket_client.HandshakeRefused, OSError)


def engine_behaviours(api: Api, call: Call) -> dict[Address, Behaviour]:
    """What probes of the target's engine show, recorded under the first reading call of the contract; {} for any other
    call, and where there is no such engine.
    """
    rpc = load_rpc_contract(call.api)
    shown: dict[Address, Behaviour] = {}
    if rpc is None or isinstance(api.client, InProcessClient):
        return shown
    if call is not next((it for it in rpc.calls.values() if it.safe and not it.required_parts), None):
        return shown
    with suppress(*CANNOT_PROBE):
        for place, value in _probes(api, rpc, call, endpoint_url(api.target, TEXT)):
            shown[Address(call.label, TRANSPORT, "rpc", place)] = Behaviour(value, 1, 1)
    return shown


def _probes(api: Api, rpc: RpcContract, call: Call, url: str) -> Iterator[tuple[str, str]]:
    minimal = load_messages(rpc.api, NOTHING_GENERATED, 0).minimal(call)
    parts = fill_placeholders(minimal.parts, lambda it: api.known_value_at(it, 0))
    data = protocol.OBJECT + call_message(api, CallParts(**parts))
    request = (protocol.RPC, protocol.REQUEST, call.endpoint.encode(), b"drift-1", data)
    with _connection(api, url) as link:
        yield "handshake: greeting", _answer(link)
        yield "handshake: challenge", _answer_to(link, protocol.CONNECTION, protocol.CHALLENGE_RESPONSE, url.encode())
        yield "handshake: call before the login", _answer_to(link, *request, seconds=SHORT)
    with _connection(api, url) as link:
        _greet(link, url)
        yield "handshake: wrong login", _answer_to(link, protocol.AUTH, protocol.REQUEST, NOBODY)
    with _connection(api, url) as link:
        _greet(link, url)
        login = (protocol.AUTH, protocol.REQUEST, login_data(api.target.settings))
        yield "handshake: login", _answer_to(link, *login)
        yield "heartbeat of a client", _answer_to(link, protocol.CONNECTION, protocol.PING, seconds=SHORT)
        yield "frames of a call", _answer_to(link, *request, is_call=True)
        unknown = (protocol.RPC, protocol.REQUEST, b"no/such/rpc", b"drift-2", data)
        yield "frames of an unknown RPC", _answer_to(link, *unknown, is_call=True)
        other = (*request[:3], b"drift-3", data)
        link.send(TEXT_FRAME, protocol.encode_message(*other) + protocol.encode_message(*request), SECONDS)
        yield "frames of two calls at once", _answer(link, is_call=True)
        yield "frames of an unknown message", _answer_to(link, b"Q", b"NOPE", seconds=SHORT)


@contextmanager
def _connection(api: Api, url: str) -> Iterator[ClientConnection]:
    target = api.target
    link = websocket_client.connect(url, SECONDS, target.route, target.pace, target.route.variable("DEEPSTREAM"))
    try:
        yield link
    finally:
        link.drop()


def _greet(link: ClientConnection, url: str) -> None:
    _answer(link)
    _answer_to(link, protocol.CONNECTION, protocol.CHALLENGE_RESPONSE, url.encode())


def _answer_to(link: ClientConnection, *message: bytes, seconds: float = SECONDS, is_call: bool = False) -> str:
    link.send(TEXT_FRAME, protocol.encode_message(*message), seconds)
    return _answer(link, seconds, is_call=is_call)


def _answer(link: ClientConnection, seconds: float = SECONDS, *, is_call: bool = False) -> str:
    """The frames that come, each with the messages in it; that of a call ends with its response or an error."""
    frames: list[str] = []
    is_over = False
    while True:
        response = websocket_client.receive(link, QUIET if is_over else seconds)
        if response.error:
            ended = ["closed"] if "closed" in response.error else []
            return ", ".join([*frames, *ended]) or "nothing"
        messages = _messages(response.body)
        frames.append(" + ".join(map(_shape, messages)) or "empty frame")
        is_end = any(it.action in (protocol.RESPONSE, protocol.ERROR) for it in messages)
        is_over = is_over or is_end or (not is_call and bool(messages))


def _messages(body: bytes) -> list[protocol.Message]:
    with suppress(protocol.MessageError):
        return protocol.decode_messages(body) if body else []
    return [protocol.Message(b"?", b"malformed", ())]


def _shape(message: protocol.Message) -> str:
    """Topic and action, the number of fields, a code among them, and the type of what a response has."""
    words = [message.topic.decode("latin-1"), message.action.decode("latin-1"), str(len(message.fields))]
    if message.action == protocol.ERROR and message.fields and CODE.fullmatch(message.fields[0]):
        words.append(message.fields[0].decode())
    if message.action == protocol.RESPONSE and message.fields:
        words.append(message.fields[-1][:1].decode("latin-1"))
    return " ".join(words)
