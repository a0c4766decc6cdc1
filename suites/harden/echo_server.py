"""A server that shows the credentials it was sent wherever a response can hold them.

Rule: it takes turns, so that every operation meets every place: the body in each form of a text, headers, a redirect,
CSV, a cookie, a traceback, a broken response. Every other request is answered by an honest server behind it, so that a
run gets to its later steps as well.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus, urlsplit

MAX_HEADER = 4_000  # characters of what a header shows
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "other case": str.swapcase,
    "JSON": json.dumps,
    "repr": repr,
    "HTML": html.escape,
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "the first half": lambda text: text[: len(text) // 2],
}
"""How a text can be written, by name."""
Place = Callable[["EchoHandler", str], None]


class EchoHandler(BaseHTTPRequestHandler):
    """Responds to every request with what it brought."""

    protocol_version = "HTTP/1.1"
    turns: ClassVar[Iterator[int]]
    honest: ClassVar[str]  # host and port of the server behind this one
    known: ClassVar[Mapping[str, str]]  # what that one knows instead of each secret

    def handle(self) -> None:
        """Serves one connection; a client may leave at any time."""
        with suppress(OSError):
            super().handle()

    def respond(self) -> None:
        """One response: of the server behind, or an echo whose place and form are those of its turn."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        turn, is_forwarded = divmod(next(self.turns), 2)
        if is_forwarded and self._forward(body):
            return
        shown = f"{self.path}\n{self.headers}\n{body.decode(errors='replace')}"
        form = list(FORMS.values())[turn // len(PLACES) % len(FORMS)]
        PLACES[turn % len(PLACES)](self, form(shown))

    def _forward(self, body: bytes) -> bool:
        """Respond as the server behind does; False for a request that it does not get over HTTP/1.1."""
        headers = {name: self._with_known(value) for name, value in self.headers.items() if name.lower() != "host"}
        if "upgrade" in {name.lower() for name in headers}:
            return False
        connection = HTTPConnection(self.honest, timeout=10)
        with closing(connection):
            text = self._with_known(body.decode("latin-1")).encode("latin-1")
            headers["Content-Length"] = str(len(text))
            try:
                connection.request(self.command, self._with_known(self.path), text, headers)
                response = connection.getresponse()
                content = response.read()
            except (OSError, HTTPException, ValueError):
                return False
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return True

    def _with_known(self, text: str) -> str:
        """The text with what the server behind knows in the place of each secret, also in a Basic header."""
        scheme, _, pair = text.partition(" ")
        if scheme == "Basic":
            with suppress(ValueError):
                plain = self._with_known(base64.b64decode(pair).decode())
                return f"Basic {base64.b64encode(plain.encode()).decode()}"
        for secret, value in self.known.items():
            for form in (str, quote):
                text = text.replace(form(secret), form(value))
        return text

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815  # http.server calls them so

    def send(self, status: int, media_type: str, body: str, **headers: str) -> None:
        """A response with that body, `_` in the names of headers standing for `-`."""
        content = body.encode(errors="replace")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), " ".join(value.split())[:MAX_HEADER])
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def break_off(self, text: str) -> None:
        """Begins a response that shows the text and ends too early."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode()) + 100))
        self.end_headers()
        self.wfile.write(text.encode())
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server calls it so
        """Prints nothing."""


def _error_of(text: str) -> str:
    problem = {"message": text, "code": text, "attribute": text, "link": text, "description": text}
    return json.dumps({"status": "error", "errors": [problem], "detail": text, "success": False, "errorcode": text})


PLACES: tuple[Place, ...] = (
    lambda server, text: server.send(200, "application/json", json.dumps({"data": [{"id": text}], "token": text})),
    lambda server, text: server.send(400, "application/json", _error_of(text)),
    lambda server, text: server.send(500, "text/html", f"<pre>Traceback: {text}</pre>"),
    lambda server, text: server.send(302, "text/plain", text, Location=f"/elsewhere?{quote(text)[:MAX_HEADER]}"),
    lambda server, text: server.send(200, "text/csv", f'name,value\r\n"{text.replace(chr(34), chr(34) * 2)}",1\r\n'),
    lambda server, text: server.send(200, "application/json", f'{{"a": "{text}'),
    lambda server, text: server.send(401, "application/json", "{}", X_Debug=text, Set_Cookie=f"session={text}"),
    lambda server, text: server.send(200, text.split("\n")[0][:60].strip() or "text/plain", text),
    lambda server, text: server.break_off(text),
    lambda server, text: server.send(
        200, "application/json", json.dumps([text] * 50), Link=f'<{text[:80]}>; rel="next"'
    ),
)
"""Where a response can show a text."""


@contextmanager
def echo_server(honest: str, known: Mapping[str, str]) -> Iterator[str]:
    """Serves on a free port of 127.0.0.1 in front of `honest`, an http URL; gives its own URL.

    `known` has for each secret the text that the honest server knows instead.
    """
    shared = {"turns": count(), "honest": urlsplit(honest).netloc, "known": known}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundEchoHandler", (EchoHandler,), shared))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
