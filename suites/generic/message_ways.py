"""Other ways to send the message of a call: members beside those that the document has, and other forms of its text.

Rule: a way changes neither the credentials nor the values of a call. A server may know it, or refuse it as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

WRONG_TOKEN = "no-such-token"
TOKEN_MEMBERS = ("Token", "auth", "authToken", "accessToken", "apiKey", "session", "sessionId")
HEADER_MEMBERS = {"Flow-Auth-Token": WRONG_TOKEN, "Authorization": f"Bearer {WRONG_TOKEN}", "Cookie": "token=a"}
TRUSTED_CALLER = {"user": "admin", "role": "admin", "admin": True, "internal": True, "debug": True, "origin": "server"}


@dataclass(frozen=True)
class MessageWay:
    """One way: `write` is the text of the members of a message.

    `is_same_call`: a server that knows the way does the same as by the documented one, so a wrong value stays wrong.
    `is_after_success`: the way is the documented one, after an accepted call on the same connection. `part`: the only
    one of the call that the way is about, "" for none.
    """

    title: str
    write: Callable[[Mapping[str, Any]], str]
    is_same_call: bool = True
    is_after_success: bool = False
    part: str = ""


def _with(members: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], str]:
    return lambda message: json.dumps({**members, **message})


def _twice(name: str) -> Callable[[Mapping[str, Any]], str]:
    """The message with that member once more at its end, if it has it."""

    def write(message: Mapping[str, Any]) -> str:
        text = json.dumps(message)
        return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(message[name])}}}" if name in message else text

    return write


def _capitalized(message: Mapping[str, Any]) -> str:
    return json.dumps({name.capitalize(): value for name, value in message.items()})


def _lower_method(message: Mapping[str, Any]) -> str:
    return json.dumps({**message, "method": str(message.get("method", "")).lower()})


def _token_in_data(message: Mapping[str, Any]) -> str:
    data = message.get("data")
    return json.dumps({**message, "data": {**data, "token": WRONG_TOKEN}} if isinstance(data, dict) else message)


MESSAGE_WAYS = (
    MessageWay("an accepted call before it", json.dumps, is_after_success=True),
    MessageWay("names of members in capitals", _capitalized),
    MessageWay("its method twice", _twice("method"), part="method"),
    MessageWay("its object id twice", _twice("objectid"), part="objectid"),
    MessageWay("its token twice", _twice("token")),
    MessageWay("a wrong token in other members", _with(dict.fromkeys(TOKEN_MEMBERS, WRONG_TOKEN))),
    MessageWay("headers as members", _with(HEADER_MEMBERS)),
    MessageWay("members of a trusted caller", _with(TRUSTED_CALLER)),
    MessageWay("empty credentials beside it", _with({"username": "", "password": ""})),
    MessageWay("a wrong token in its data", _token_in_data, is_same_call=False),
    MessageWay("its method in lower case", _lower_method),
    MessageWay("a list around it", lambda message: json.dumps([message])),
    MessageWay("a text around it", lambda message: json.dumps(json.dumps(message))),
    MessageWay("a byte order mark before it", lambda message: f"\ufeff{json.dumps(message)}"),
    MessageWay("a line end behind it", lambda message: f"{json.dumps(message)}\n"),
)
