"""Formats texts for reports: truncated, indented, or as a shell command.

Indenting changes only white space outside of strings, so a repeated name is shown repeatedly. Truncating keeps head and
tail, since two responses often differ only at the end.
"""

from __future__ import annotations

import json
import re
import shlex

MAX_SHOWN = 2_000  # characters
TAIL = 500  # of them, from the end
INDENT = "  "
ENGINE = "deepstream+"  # a URL that starts so is an engine's; its fragment names the endpoint

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_CLOSING = {"{": "}", "[": "]"}


def truncate(text: str) -> str:
    """The text, or its head and tail with `MAX_SHOWN` characters in all and the number of those left out."""
    if len(text) <= MAX_SHOWN:
        return text
    return f"{text[: MAX_SHOWN - TAIL]}… ({len(text) - MAX_SHOWN} more characters) …{text[-TAIL:]}"


def indent_json(text: str) -> str:
    """A JSON text with a line for each member and item, truncated; any other text only truncated."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return truncate(text)
    return truncate(_indent(_TOKEN.findall(text)))


def rpc_method(body: bytes) -> str:
    """The method that a frame names, as JSON when it is no text; "none" when the frame is no call or names none."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return "none"
    method = call.get("method") if isinstance(call, dict) else None
    return "none" if method is None else method if isinstance(method, str) else json.dumps(method)


def wsdump_command(url: str, text: str) -> str:
    """A command that sends this frame to that URL, by the program that comes with websocket-client.

    For an engine the frame becomes a remote procedure call, after a login without credentials.
    """
    text = text[:MAX_SHOWN]
    if not url.startswith(ENGINE):
        return f"wsdump --eof-wait 2 --text {shlex.quote(text)} {shlex.quote(url)}"
    engine, _, endpoint = url.removeprefix(ENGINE).partition("#")
    call = {"topic": 6, "action": 2, "name": endpoint, "correlationId": "1", "data": text}
    login = [{"topic": 2, "action": 5, "url": engine}, {"topic": 3, "action": 2, "data": "{}"}]
    first, second, third = (shlex.quote(json.dumps(message, ensure_ascii=False)) for message in (*login, call))
    # the engine ignores what comes before the login is done, hence the sleep
    frames = f"(printf '%s\\n' {first} {second}; sleep 1; printf '%s\\n' {third})"
    return f"{frames} | wsdump --raw --eof-wait 2 {shlex.quote(engine)}"


def _indent(tokens: list[str]) -> str:
    lines: list[str] = []
    depth = 0
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in _CLOSING and following != _CLOSING[token]:
            depth += 1
            token += _line(depth)
        elif token == ",":
            token += _line(depth)
        elif token == ":":
            token += " "
        elif token in ("}", "]") and tokens[index - 1] not in _CLOSING:
            depth -= 1
            token = _line(depth) + token
        lines.append(token)
    return "".join(lines)


def _line(depth: int) -> str:
    return "\n" + INDENT * depth
