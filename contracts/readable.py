"""Texts made fit for a person: cut, laid out, or turned into a line for a shell.

Rule: layout moves white space outside of strings and nothing else, so a name that comes twice is seen twice. A cut
keeps head and tail, for what tells an answer apart often stands last.
"""

from __future__ import annotations

import json
import re
import shlex

SHOWN = 2_000  # characters
TAIL = 500  # of them, from the end
INDENT = "  "
ENGINE = "deepstream+"  # a URL of such a scheme is an engine's, its fragment the endpoint's name

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_CLOSING = {"{": "}", "[": "]"}


def cut(text: str) -> str:
    """The text, or its head and tail of `SHOWN` characters in all, with what was left out counted."""
    if len(text) <= SHOWN:
        return text
    return f"{text[: SHOWN - TAIL]}… ({len(text) - SHOWN} more characters) …{text[-TAIL:]}"


def pretty(text: str) -> str:
    """A JSON text with a line for each member and item, cut; anything else cut as it is."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return cut(text)
    return cut(_laid_out(_TOKEN.findall(text)))


def method(body: bytes) -> str:
    """The method that a call by frame names, as JSON; "none" when there is no call or no method in it."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return "none"
    named = call.get("method") if isinstance(call, dict) else None
    return "none" if named is None else named if isinstance(named, str) else json.dumps(named)


def wsdump(url: str, text: str) -> str:
    """A line that sends this frame to that URL, by the program that comes with websocket-client.

    At an engine it is a remote procedure call, behind a login without credentials.
    """
    text = text[:SHOWN]
    if not url.startswith(ENGINE):
        return f"wsdump --eof-wait 2 --text {shlex.quote(text)} {shlex.quote(url)}"
    where, _, endpoint = url.removeprefix(ENGINE).partition("#")
    call = {"topic": 6, "action": 2, "name": endpoint, "correlationId": "1", "data": text}
    login = [{"topic": 2, "action": 5, "url": where}, {"topic": 3, "action": 2, "data": "{}"}]
    first, second, third = (shlex.quote(json.dumps(one, ensure_ascii=False)) for one in (*login, call))
    said = (
        f"(printf '%s\\n' {first} {second}; sleep 1; printf '%s\\n' {third})"  # what comes before it is let in is lost
    )
    return f"{said} | wsdump --raw --eof-wait 2 {shlex.quote(where)}"


def _laid_out(tokens: list[str]) -> str:
    written: list[str] = []
    depth = 0
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in _CLOSING and following != _CLOSING[token]:
            depth += 1
            token += _line(depth)
        elif token == ",":
            token += _line(depth)
        elif token == ":":
            token += " "
        elif token in ("}", "]") and tokens[at - 1] not in _CLOSING:
            depth -= 1
            token = _line(depth) + token
        written.append(token)
    return "".join(written)


def _line(depth: int) -> str:
    return "\n" + INDENT * depth
