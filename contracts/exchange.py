"""One request and its answer, on any transport, and how people read it.

Rule: an exchange is a fact; nothing in it is interpreted. What is shown of it has its secrets masked.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from contracts import readable

MASK = "***"
FRAME = "FRAME"  # the method of a websocket frame
SWITCHED = 101  # the status of an answer by frame (RFC 9110, 15.2.2)
SHOWN = readable.SHOWN  # characters of a body that a person is shown


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out. `url` is absolute; headers are (name, value) in order."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `error` says how it broke off, when it did, and the rest is what came until then."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str | None = None

    def header(self, name: str) -> str | None:
        """The first value of that header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def media_type(self) -> str:
        """Type and subtype in lower case without parameters, "" when there is none (RFC 9110, 8.3)."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none (RFC 8259, so no NaN; UTF-8 only)."""
        return json.loads(self.body.decode(), parse_constant=_no_constant)

    def text(self) -> str:
        """The body for a person: undecodable bytes are replaced."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, its answer, and the seconds between send and the answer's last byte."""

    sent: Sent
    answer: Answer
    seconds: float = 0.0


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def endpoint(url: str, base: str) -> str:
    """The endpoint that a frame went to: an engine's URL names it behind `#`, a bare connection's after `base`."""
    where, _, name = url.partition("#")
    return name or where.partition("://")[2].removeprefix(base.partition("://")[2]).strip("/")


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced; the longest first, so that no part of one is left."""
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def as_curl(exchange: Exchange, secrets: Iterable[str] = ()) -> str:
    """The request as one line for a POSIX shell. A body that is not text is given by printf's octal escapes.

    A websocket frame is one for `wsdump`, which comes with websocket-client; through a deepstream engine it is three.
    """
    sent, secrets = exchange.sent, list(secrets)
    if sent.method == FRAME:
        return masked(readable.wsdump(sent.url, _text(sent.body, secrets)), secrets)
    words = ["curl", "-sS", "-i"]
    words += ["--head"] if sent.method == "HEAD" else [] if sent.method == "GET" else ["-X", sent.method]
    names = {name.lower() for name, _ in sent.headers}
    for name, value in sent.headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if sent.body and "content-type" not in names:
        words += ["-H", "Content-Type:"]
    line = shlex.join(words)
    if sent.body:
        line = _with_body(line, sent.body)
    return masked(f"{line} {shlex.quote(sent.url)}", secrets)


def _with_body(line: str, body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(body) > SHOWN:
        return f"head -c {len(body)} /dev/zero | tr '\\0' x | {line} --data-binary @-"
    if "\0" not in text:
        return f"{line} --data-binary {shlex.quote(text)}"
    octal = "".join(chr(byte) if 32 < byte < 127 and byte not in b"%'\\" else f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | {line} --data-binary @-"


def as_text(exchange: Exchange, secrets: Iterable[str] = ()) -> str:
    """Request and answer as people write HTTP down, or frame out and frame in; bodies cut to `SHOWN` characters."""
    sent, answer, secrets = exchange.sent, exchange.answer, list(secrets)
    if sent.method == FRAME and answer.status in (0, SWITCHED):
        return masked("\n".join(_frames(exchange, secrets)), secrets)
    lines = [f"{sent.method} {sent.url}", *(f"{name}: {value}" for name, value in sent.headers)]
    if sent.body:
        lines += ["", shown(sent.body, secrets)]
    lines += ["", f"--> {answer.status} after {exchange.seconds * 1000:.1f} ms"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if answer.body:
        lines += ["", shown(answer.body, secrets)]
    if answer.error:
        lines += ["", f"!! {answer.error}"]
    return masked("\n".join(lines), secrets)


def _frames(exchange: Exchange, secrets: Iterable[str]) -> list[str]:
    """A call by frame in lines: where it went, its method, the frame out, the frame in."""
    sent, answer = exchange.sent, exchange.answer
    lines = [f"{FRAME} {sent.url}", f"method: {readable.method(sent.body)}"]
    lines += ["", readable.pretty(_text(sent.body, secrets))] if sent.body else []
    lines += ["", f"--> {'frame' if answer.body else 'nothing'} after {exchange.seconds * 1000:.1f} ms"]
    lines += ["", readable.pretty(_text(answer.body, secrets))] if answer.body else []
    return [*lines, *(["", f"!! {answer.error}"] if answer.error else [])]


def shown(body: bytes, secrets: Iterable[str] = ()) -> str:
    """A body for a person: text cut to `SHOWN` characters, head and tail, with what was left out counted."""
    return readable.cut(_text(body, secrets))


def _text(body: bytes, secrets: Iterable[str]) -> str:
    """The body's text, masked before anything is cut: half of a secret would be known by no mask."""
    return masked(body.decode(errors="replace"), secrets)
