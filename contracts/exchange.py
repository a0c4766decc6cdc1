"""One request and its response on any transport, and their text for reports.

An exchange holds what was sent and received, without interpretation. Secrets are masked wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contracts import formatting
from contracts.formatting import shell_word, with_variables
from contracts.json_text import read_json, read_shared
from contracts.secret_mask import mask_secrets

FRAME = "FRAME"  # the method of a websocket frame
SWITCHING_PROTOCOLS = 101  # the status of a response by frame (RFC 9110, 15.2.2)
NOT_SENT = "connection closed before the request was sent as a whole"  # the beginning of a response's error
MAX_SHOWN = formatting.MAX_SHOWN  # characters of a body in a report
MASKED_END = 8 * MAX_SHOWN  # characters at each end of a long body that are masked: its middle is left out


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent. `url` is absolute; headers are (name, value) in order."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What was received; `error` says why it is incomplete, if it is; the other members have what came until then.

    `body` has no content coding any more; `coded_body` is as it was sent, where there was one.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str | None = None
    coded_body: bytes | None = None

    def header(self, name: str) -> str | None:
        """The first value of that header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def media_type(self) -> str:
        """Type and subtype in lower case without parameters, "" when there is none (RFC 9110, 8.3)."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON; raises ValueError for anything else, as `read_json` does."""
        return read_json(self.body)

    def shared_json(self) -> Any:
        """The same for a reader that changes nothing in it: the object may be another reader's too."""
        return read_shared(self.body)

    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, its response, and the seconds from sending it to the response's last byte.

    `actual` is what was really sent and received, where a translation stands between that and the document.
    """

    request: Request
    response: Response
    seconds: float = 0.0
    actual: Exchange | None = None


def frame_endpoint(url: str, base: str) -> str:
    """The endpoint that a frame went to: an engine's URL names it behind `#`, a bare connection's after `base`."""
    address, _, name = url.partition("#")
    return name or address.partition("://")[2].removeprefix(base.partition("://")[2]).strip("/")


def as_curl(
    exchange: Exchange, secrets: Iterable[str] = (), variables: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The request as one command for a POSIX shell. A body that is not text is written with printf's octal escapes.

    A websocket frame becomes a command for `wsdump`, which comes with websocket-client. `variables` has the name of the
    environment variable that holds a secret, by its value: the command reads it, where other secrets are masked.
    """
    exchange, secrets = exchange.actual or exchange, list(secrets)
    request = exchange.request
    if request.method == FRAME:
        text = mask_secrets(with_variables(request.body.decode(errors="replace"), variables), secrets)
        return mask_secrets(formatting.wsdump_command(request.url, text), secrets)
    words = ["curl", "-sS", "-i"]
    words += ["--compressed"] if exchange.response.coded_body is not None else []
    words += ["--head"] if request.method == "HEAD" else [] if request.method == "GET" else ["-X", request.method]
    names = {name.lower() for name, _ in request.headers}
    for name, value in request.headers:
        words += ["-H", with_variables(f"{name}: {value}" if value else f"{name};", variables)]
    if request.body and "content-type" not in names:
        words += ["-H", "Content-Type:"]  # curl would add one
    command = " ".join(map(shell_word, words))
    if request.body:
        command = _with_body(command, request.body, variables)
    return mask_secrets(f"{command} {shell_word(with_variables(request.url, variables))}", secrets)


def _with_body(command: str, body: bytes, variables: Mapping[str, str]) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(body) > MAX_SHOWN:
        return f"head -c {len(body)} /dev/zero | tr '\\0' x | {command} --data-binary @-"
    if "\0" not in text:
        return f"{command} --data-binary {shell_word(with_variables(text, variables))}"
    octal = "".join(chr(byte) if 32 < byte < 127 and byte not in b"%'\\" else f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | {command} --data-binary @-"


def as_text(exchange: Exchange, secrets: Iterable[str] = ()) -> str:
    """Request and response in the usual notation of HTTP, or frame and reply; bodies truncated to `MAX_SHOWN`."""
    exchange, secrets = exchange.actual or exchange, list(secrets)
    request, response = exchange.request, exchange.response
    if request.method == FRAME and response.status in (0, SWITCHING_PROTOCOLS):
        return mask_secrets("\n".join(_frame_lines(exchange, secrets)), secrets)
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    if request.body:
        lines += ["", body_text(request.body, secrets)]
    lines += ["", f"--> {response.status} after {exchange.seconds * 1000:.1f} ms"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.body:
        lines += ["", body_text(response.body, secrets)]
    if response.error:
        lines += ["", f"!! {response.error}"]
    return mask_secrets("\n".join(lines), secrets)


def _frame_lines(exchange: Exchange, secrets: Iterable[str]) -> list[str]:
    """A call by frame in lines: its endpoint, its method, the frame, the reply."""
    request, response = exchange.request, exchange.response
    lines = [f"{FRAME} {request.url}", f"method: {formatting.rpc_method(request.body)}"]
    lines += ["", formatting.indent_json(_masked_text(request.body, secrets))] if request.body else []
    lines += ["", f"--> {'frame' if response.body else 'nothing'} after {exchange.seconds * 1000:.1f} ms"]
    lines += ["", formatting.indent_json(_masked_text(response.body, secrets))] if response.body else []
    return [*lines, *(["", f"!! {response.error}"] if response.error else [])]


def body_text(body: bytes, secrets: Iterable[str] = ()) -> str:
    """A body as text, truncated to its head and tail with `MAX_SHOWN` characters in all."""
    text, secrets = body.decode(errors="replace"), list(secrets)
    if len(text) > 2 * MASKED_END:
        head, tail = (mask_secrets(end, secrets) for end in (text[:MASKED_END], text[-MASKED_END:]))
        if min(len(head), len(tail)) >= MAX_SHOWN:  # so nothing is shown of what is between them, nor of their cuts
            return formatting.truncate(f"{head}{text[MASKED_END:-MASKED_END]}{tail}")
    return formatting.truncate(mask_secrets(text, secrets))


def _masked_text(body: bytes, secrets: Iterable[str]) -> str:
    """The body's text. It is masked before it is truncated, since no mask would match half of a secret."""
    return mask_secrets(body.decode(errors="replace"), secrets)
