"""Formats texts for reports: truncated, indented, or as a shell command.

Indenting changes only white space outside of strings, so a repeated name is shown repeatedly. Truncating keeps head and
tail, since two responses often differ only at the end.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping

MAX_SHOWN = 2_000  # characters
TAIL = 500  # of them, from the end
INDENT = "  "
MARK = "\ufdd0"  # a noncharacter, before and behind the name of a variable that a shell command reads
SHORTEST_VALUE = 4  # characters of such a value, at least: a shorter one may stand there by chance
ENGINE = "deepstream+"  # a URL that starts so is an engine's; its fragment names the endpoint
TEXT_ENGINE = "deepstream-text+"  # the same for an engine's text protocol

UNQUOTABLE = re.compile(r'["$`\\!]')  # what means something else within double quotes
GOES_ON = re.compile(r"\w", re.ASCII)  # what would belong to the name of a variable before it
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


def with_variables(text: str, variables: Mapping[str, str]) -> str:
    """The text with a mark for each of these values; `variables` has the name of the variable by value."""
    text = text.replace(MARK, "\ufffd")
    for value in sorted(variables, key=len, reverse=True):
        if len(value) >= SHORTEST_VALUE:
            text = text.replace(value, f"{MARK}{variables[value]}{MARK}")
    return text


def shell_word(text: str) -> str:
    """The text as one word for a POSIX shell, in which the variables that are marked are expanded."""
    literals, names = text.split(MARK)[::2], text.split(MARK)[1::2]
    if not names:
        return shlex.quote(text)
    if UNQUOTABLE.search("".join(literals)):
        return _interleaved([shlex.quote(part) if part else "" for part in literals], [f'"${name}"' for name in names])
    pairs = zip(names, literals[1:], strict=True)
    variables = [f"${{{name}}}" if GOES_ON.match(after) else f"${name}" for name, after in pairs]
    return f'"{_interleaved(literals, variables)}"'


def _interleaved(texts: list[str], between: list[str]) -> str:
    return "".join(text + other for text, other in zip(texts, [*between, ""], strict=True))


def frame_transport(url: str) -> str:
    """The transport by which a frame to that URL goes: websocket, deepstream or deepstream-text."""
    return next((prefix[:-1] for prefix in (ENGINE, TEXT_ENGINE) if url.startswith(prefix)), "websocket")


def wsdump_command(url: str, text: str) -> str:
    """A command that sends this frame to that URL, by the program that comes with websocket-client.

    For an engine the frame becomes a remote procedure call, after a login without credentials.
    """
    text = text[:MAX_SHOWN]
    text = text.rpartition(MARK)[0] if text.count(MARK) % 2 else text
    if url.startswith(TEXT_ENGINE):
        return _text_engine_command(url, text)
    if not url.startswith(ENGINE):
        return f"wsdump --eof-wait 2 --text {shell_word(text)} {shlex.quote(url)}"
    engine, _, endpoint = url.removeprefix(ENGINE).partition("#")
    call = {"topic": 6, "action": 2, "name": endpoint, "correlationId": "1", "data": text}
    login = [{"topic": 2, "action": 5, "url": engine}, {"topic": 3, "action": 2, "data": "{}"}]
    first, second, third = (shell_word(json.dumps(message, ensure_ascii=False)) for message in (*login, call))
    # the engine ignores what comes before the login is done, hence the sleep
    frames = f"(printf '%s\\n' {first} {second}; sleep 1; printf '%s\\n' {third})"
    return f"{frames} | wsdump --raw --eof-wait 2 {shlex.quote(engine)}"


def _text_engine_command(url: str, text: str) -> str:
    engine, _, endpoint = url.removeprefix(TEXT_ENGINE).partition("#")
    messages = [("C", "CHR", engine), ("A", "REQ", "{}"), ("P", "REQ", endpoint, "1", f"O{text}")]
    # wsdump sends a line as a frame, and octal escapes of printf are the separators
    lines = [
        r"\037".join(part.replace("\\", r"\\").replace("%", "%%") for part in parts) + r"\036\n" for parts in messages
    ]
    first, second, third = map(shell_word, lines)
    frames = f"(sleep 1; printf {first}; sleep 1; printf {second}; sleep 1; printf {third})"
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
