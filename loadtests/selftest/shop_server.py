"""A small web shop on Python's own HTTP server: another kind of target than our references and the engine's peers.

Customers log in by a form and get a cookie, look at articles, order by JSON and upload photos as multipart forms.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Shop:
    """What came, and how to respond. delay: seconds before each response to an order; lost_orders: orders have no id.

    requests: method, target, headers in small letters and body of each. logins: by name.
    """

    url: str = ""
    delay: float = 0.0
    lost_orders: bool = False
    elsewhere: str = ""  # the URL of another server, to which /elsewhere redirects
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    logins: Counter[str] = field(default_factory=Counter)
    uploads: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def targets(self) -> list[str]:
        """Method and target of each request that came."""
        return [f"{method} {target}" for method, target, _, _ in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    shop: Shop

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.shop.requests.append((self.command, self.path, headers, body))
        route = getattr(self, f"on_{urlsplit(self.path).path.split('/')[1] or 'home'}", None)
        if route is None:
            self.respond(404, {"error": "no"})
        else:
            route(body)

    do_GET = do_POST = do_PUT = do_HEAD = handle_one  # noqa: N815 # names of the standard library

    def respond(self, status: int, content: Any = None, **headers: str) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def customer(self) -> str:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        return cookies["customer"].value if "customer" in cookies else ""

    def on_login(self, body: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if not form.get("password"):
            self.respond(401, {"error": "password"})
            return
        self.shop.logins[form["name"]] += 1
        self.respond(303, Location="/home", Set_Cookie=f"customer={form['name']}; Path=/; HttpOnly")

    def on_home(self, _: bytes) -> None:
        self.respond(200 if self.customer else 401, {"customer": self.customer})

    def on_articles(self, _: bytes) -> None:
        self.respond(200, {"articles": [1, 2, 3]})

    def on_orders(self, body: bytes) -> None:
        time.sleep(self.shop.delay)  # the server's own slowness, not a test's wait
        if not self.customer:
            self.respond(401, {"error": "customer"})
        elif self.command == "POST":
            order = {} if self.shop.lost_orders else {"id": next(self.shop.numbers)}
            self.respond(201, {**order, **json.loads(body)})
        else:
            self.respond(200, {"id": int(self.path.rpartition("/")[2])})

    def on_photos(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        for part in message_from_bytes(head + body).get_payload():  # the standard library's reader of MIME
            parameters = dict(part.get_params(header="content-disposition")[1:])
            self.shop.uploads.append(
                ({**parameters, "type": part.get_content_type()}, part.get_payload(decode=True))  # type: ignore[arg-type]
            )
        self.respond(201, {"photos": len(self.shop.uploads)})

    def on_elsewhere(self, _: bytes) -> None:
        self.respond(302, Location=self.shop.elsewhere)

    def on_forever(self, _: bytes) -> None:
        self.respond(302, Location="/forever")

    def on_moved(self, _: bytes) -> None:
        self.respond(int(urlsplit(self.path).query), Location=f"{self.shop.url}/articles?moved=ü#top")

    def log_message(self, *_: Any) -> None:
        """Nothing: a test reads what came."""


@contextmanager
def running_shop() -> Iterator[Shop]:
    """A shop on a free port of loopback, in threads of its own."""
    shop = Shop()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("ShopHandler", (Handler,), {"shop": shop}))
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
